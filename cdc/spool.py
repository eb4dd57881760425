"""Bytes too many for memory, written once and read back once: a file without a name."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Final, cast

_PIECE_BYTES: Final = 1 << 20


class Spool:
    """Parts as they arrive, in a file that goes with the last use of its bytes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="tailrace-")  # noqa: SIM115  closed by `whole` or `close`

    def close(self) -> None:
        self._file.close()

    def append(self, part: bytes) -> None:
        self._file.write(part)

    def whole(self) -> bytes:
        """All parts: the file itself, with the length, items, slices and buffer of bytes, but not their methods.

        At least one byte was appended.
        """
        with self._file:
            self._file.flush()
            return cast(bytes, mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))


def pieces(event: bytes, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
    """What stands from `start` to `end`, a piece at a time; of what was spooled no more than one is in memory."""
    end = len(event) if end is None else end
    with memoryview(event) as whole:
        for at in range(start, end, _PIECE_BYTES):
            with whole[at : min(end, at + _PIECE_BYTES)] as piece:
                yield piece
            forget(event)


def forget(event: bytes) -> None:
    """What was read of spooled bytes need not stay in memory."""
    if isinstance(event, mmap.mmap):
        event.madvise(mmap.MADV_DONTNEED)
