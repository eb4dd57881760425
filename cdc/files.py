"""Lines appended to a text file, each as a record: Kafka Connect's FileStreamSourceConnector.

Equal to it in keys, records and offsets; it differs in that positions count bytes, so that a file with letters beyond
ASCII is taken up where it was left, and in that standard input cannot be read (a task is a process of its own).
Source: Kafka Connect 4.3.1, `org.apache.kafka.connect.file`.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import structlog

from cdc.config import Importance, key, parse
from cdc.connector import Raw, SourceConnector
from cdc.errors import ConfigError, Problem, RequestError, SourceError, SourceUnavailable
from cdc.record import Batch, Poll, SourceContext, SourceOffset
from cdc.schema import STRING

CLASS_NAME: Final = "org.apache.kafka.connect.file.FileStreamSourceConnector"
FILENAME, POSITION = "filename", "position"
_WAIT_S: Final = 0.25
_READ_BYTES: Final = 1 << 18
_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?=[^\n])", re.DOTALL)
"""A carriage return that ends what was read waits for the next byte: it may begin a CR LF."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class FileStreamSourceConfig:
    """What a FileStreamSource reads from its connector config."""

    file: str | None = key(
        "file", default=None, importance=Importance.HIGH,
        doc="Source filename. If not specified, the standard input will be used",
    )  # fmt: skip
    topic: str = key("topic", importance=Importance.HIGH, doc="The topic to publish data to")
    batch_size: int = key(
        "batch.size", default=2000, importance=Importance.LOW,
        doc="The maximum number of records the source task can read from the file each time it is polled",
    )  # fmt: skip


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


class FileSource:
    """One task: one file."""

    def __init__(self, config: FileStreamSourceConfig) -> None:
        assert config.file
        self._config, self._lines = config, Lines(config.file, 0)
        self._partition = {FILENAME: config.file}

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        for partition, offset in resume:
            if partition == self._partition and offset is not None:
                _check_offset(offset)
                self._lines.position = offset[POSITION]
        while True:
            lines = self._lines.read(max(1, self._config.batch_size))
            if not lines:
                yield Poll(idle=True)
                time.sleep(_WAIT_S)
                continue
            none, count = [None] * len(lines), len(lines)
            now_ms = [time.time_ns() // 1_000_000] * count
            batch = Batch(self._config.topic, None, STRING, none, lines, [()] * count, timestamps=now_ms)
            yield Poll([batch], [SourceOffset(self._partition, {POSITION: self._lines.position})])

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """Nothing to forget: the file stays as it is."""

    def close(self) -> None:
        self._lines.close()


def build(raw: Raw, context: SourceContext) -> FileSource:
    """Raises: ConfigError."""
    config = parse(FileStreamSourceConfig, raw)
    if not config.file:
        raise ConfigError([Problem("file", "file is not set, and a task has no standard input to read; name a file "
                                   "in file (a FIFO made by mkfifo carries what a pipe would)")])  # fmt: skip
    return FileSource(config)


def check_offsets(raw: Raw, offsets: Sequence[SourceOffset]) -> None:
    """Raises: RequestError: in Kafka Connect's words and with its status, what this source could not take up."""
    if not raw.get("file"):
        raise RequestError(
            500, "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used "
            "for input and offsets are not tracked.",
        )  # fmt: skip
    for partition, offset in offsets:
        if offset is None:
            continue
        try:
            _check_offset(offset)
        except SourceError as error:
            raise RequestError(500, str(error)) from error
        if FILENAME not in partition:
            raise RequestError(500, "Partition objects should contain the key 'filename'")


def _check_offset(offset: Any) -> None:
    """Raises: SourceError."""
    if POSITION not in offset:
        raise SourceError("Offset objects should either be null or contain the key 'position'")
    position = offset[POSITION]
    if not isinstance(position, int) or isinstance(position, bool):
        raise SourceError("The value for the 'position' key in the offset is expected to be a Long value")
    if position < 0:
        raise SourceError("The value for the 'position' key in the offset should be a non-negative value")


FILE_STREAM: Final = SourceConnector(
    class_name=CLASS_NAME,
    version="4.3.1",
    config=FileStreamSourceConfig,
    build=build,
    check_offsets=check_offsets,
    knows_offsets=True,
)
