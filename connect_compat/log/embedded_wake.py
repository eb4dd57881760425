"""Waits that end early when a file is written to: by Linux's inotify, elsewhere plain waits.

Source: inotify(7).
"""

from __future__ import annotations

import ctypes
import os
import select
import time
from pathlib import Path
from typing import Final

_IN_MODIFY: Final = 2
_ROOM: Final = 4096


class Wake:
    """Watches one file. A writer of SQLite's WAL is heard a moment before its commit can be seen."""

    def __init__(self, path: Path) -> None:
        self._events = _watch(path)

    def wait(self, seconds: float) -> bool:
        """Whether the file was written to since the last call, as soon as it is; False after `seconds`."""
        if self._events is None:
            time.sleep(seconds)
            return False
        if not select.select([self._events], [], [], seconds)[0]:
            return False
        os.read(self._events, _ROOM)
        return True

    def close(self) -> None:
        if self._events is not None:
            os.close(self._events)
            self._events = None


def _watch(path: Path) -> int | None:
    """A descriptor that is readable after each write; None where the system has no such thing, or no more of it."""
    try:
        library = ctypes.CDLL(None)
        descriptor: int = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, AttributeError):
        return None
    if descriptor < 0:
        return None
    if library.inotify_add_watch(descriptor, os.fsencode(path), _IN_MODIFY) < 0:
        os.close(descriptor)
        return None
    return descriptor
