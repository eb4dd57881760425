"""Memory that a task freed: kept while it works, for it needs as much for its next batch, and given back when it rests.

Source: mallopt(3) and malloc_trim(3) of glibc. Other C libraries do as they do.
"""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress
from typing import Final

ENVIRONMENT: Final = {
    # Two arenas instead of one for each thread: librdkafka's threads would keep 64 MB each reserved.
    "MALLOC_ARENA_MAX": "2",
    # Bytes at the end of an arena that stay with the process, and of blocks that are taken from an arena.
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}
"""Of a task process, where nobody says otherwise."""
_REST_S: Final = 10.0


class FreedMemory:
    """Of this process."""

    def __init__(self) -> None:
        self._count, self._moved_at, self._is_kept = 0, time.monotonic(), False

    def look(self, count: int) -> None:
        """To be called now and then. `count`: of what the task has done; it rests when that stays for ten seconds."""
        now = time.monotonic()
        if count != self._count:
            self._count, self._moved_at, self._is_kept = count, now, True
        elif self._is_kept and now - self._moved_at >= _REST_S:
            self._is_kept = False
            with suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
