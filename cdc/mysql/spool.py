"""A compressed transaction too large for memory: its packets go into a file, its bytes are read back piece by piece."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Final, cast

_PIECE_BYTES: Final = 1 << 20


class Spool:
    """Parts of one event as they arrive, in a file without a name that goes with the last use of its bytes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="tailrace-")  # noqa: SIM115  closed by `whole` or with this object

    def append(self, part: bytes) -> None:
        self._file.write(part)

    def whole(self) -> bytes:
        """All parts: the file itself, with the length, items, slices and buffer of bytes, but not their methods."""
        with self._file:
            self._file.flush()
            return cast(bytes, mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))


def pieces(event: bytes, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
    """What stands from `start` to `end`, a piece at a time; of a spooled event no more than one is in memory."""
    end = len(event) if end is None else end
    with memoryview(event) as whole:
        for at in range(start, end, _PIECE_BYTES):
            with whole[at : min(end, at + _PIECE_BYTES)] as piece:
                yield piece
            if isinstance(event, mmap.mmap):
                event.madvise(mmap.MADV_DONTNEED)
