"""Complete lines of one file that grows, from a position in bytes."""

from __future__ import annotations

import os
import re
import stat
from typing import BinaryIO, Final

import structlog

from cdc.errors import SourceError, SourceUnavailable

_READ_BYTES: Final = 1 << 18
_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?=[^\n])", re.DOTALL)
"""A carriage return that ends what was read waits for the next byte: it may begin a CR LF."""
_log = structlog.get_logger(__name__)


class Lines:
    """Complete lines of one growing file, from a position in bytes.

    The file may be missing, for as long as it likes; a FIFO is read as it comes.
    """

    def __init__(self, path: str, position: int) -> None:
        self.path, self.position = path, position
        self._file: BinaryIO | None = None
        self._unread = b""
        self._told: str | None = None

    def read(self, most: int) -> list[str]:
        """At most `most` lines, without their ends; none when there is none yet. `position` stands after them.

        Raises: SourceError: the file is there and cannot be read.
        """
        if self._file is None and not self._open():
            return []
        ends = list(_LINE_END.finditer(self._unread, 0))
        if len(ends) < most and (more := self._more()):
            self._unread += more
            ends = list(_LINE_END.finditer(self._unread, 0))
        lines, start = [], 0
        for end in ends[:most]:
            lines.append(self._unread[start : end.start()].decode("utf-8", "replace"))
            start = end.end()
        self._unread = self._unread[start:]
        self.position += start
        return lines

    def inode(self) -> int | None:
        """Of the file that is open."""
        return None if self._file is None else os.fstat(self._file.fileno()).st_ino

    def _open(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            self._tell(f"{self.path} does not exist; waiting for it to be created")
            return False
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}; correct the file's path or rights, "
                              "then restart the task") from error  # fmt: skip
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SourceError(f"{self.path} is a directory; name a file in file")
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        if self._file.seekable():
            self._file.seek(self.position)
        return True

    def _more(self) -> bytes:
        assert self._file is not None
        try:
            more = self._file.read(_READ_BYTES)
        except OSError as error:
            raise SourceUnavailable(f"{self.path} cannot be read: {error.strerror}") from error
        if not more and self._file.seekable() and os.fstat(self._file.fileno()).st_size < self.position:
            self._tell(f"{self.path} is shorter than the position {self.position} that was read: it was cut or "
                       "replaced. Reset the connector's offsets to read it from its beginning")  # fmt: skip
        return more or b""

    def _tell(self, what: str) -> None:
        if what != self._told:
            _log.warning(what)
            self._told = what

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
