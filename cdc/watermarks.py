"""The rows of a signal table that an incremental snapshot writes around a chunk: (id, type, data)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cdc.signals import WINDOW_CLOSE, WINDOW_OPEN

Signal = tuple[str, str, str]


class Watermarks:
    """Those of one connector; the closing one tells when the opening one was made."""

    def __init__(self) -> None:
        self._opened = ""

    def opening(self, id: str) -> Signal:
        """`id`: of the window."""
        self._opened = _instant()
        return f"{id}-open", WINDOW_OPEN, f'{{"openWindowTimestamp": "{self._opened}"}}'

    def closing(self, id: str) -> Signal:
        data = f'{{"openWindowTimestamp": "{self._opened}", "closeWindowTimestamp": "{_instant()}"}}'
        return f"{id}-close", WINDOW_CLOSE, data


def _instant() -> str:
    """`Instant.toString` of now."""
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
