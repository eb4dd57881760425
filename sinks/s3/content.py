"""The bytes of a file until it is written to its target: in memory, or in a temporary file when memory is short."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Final

SPILL_BYTES: Final = 8 << 20
"""As much of a file that is read from its target stays in memory until it goes to disk."""


class Content:
    """Grows at its end; is read once, from the start.

    Attributes:
        size: of all of it.
        in_memory: bytes of it that are in memory.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = self.in_memory = 0

    def append(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)
            self.in_memory += len(piece)

    def spill(self) -> None:
        """Moves what is in memory to disk. Raises: OSError."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="tailrace-")  # noqa: SIM115  closed by `close`
        self._file.seek(0, 2)
        self._file.write(b"".join(self._pieces))
        self._pieces, self.in_memory = [], 0

    def parts(self, most: int) -> Iterator[bytes]:
        """All of it in parts of `most` bytes, the last one shorter; one empty part when there is nothing."""
        if self._file is None:
            whole = memoryview(b"".join(self._pieces))
            for at in range(0, max(len(whole), 1), most):
                yield bytes(whole[at : at + most]) if len(whole) > most else whole.obj  # type: ignore[misc]
            return
        self._file.seek(0)
        left = self.size
        rest = b"".join(self._pieces)
        while left > 0:
            part = self._file.read(most)
            if len(part) < most:
                part, rest = part + rest[: most - len(part)], rest[most - len(part) :]
            left -= len(part)
            yield part

    def opened(self) -> IO[bytes]:
        """All of it as a file on disk, at its start; not to be closed by the caller. Raises: OSError."""
        self.spill()
        assert self._file is not None
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
