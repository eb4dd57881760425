"""The oldest transaction whose catalog rows the slot keeps, for `source.xmin`; asked no more often than wanted.

Source: Debezium 3.5.0.Final, `PostgresStreamingChangeEventSource.getSlotXmin`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from cdc.postgres.catalog import Queries

_QUERY: Final = "SELECT coalesce(catalog_xmin::text::bigint, 0) FROM pg_replication_slots WHERE slot_name = %s"


class SlotXmin:
    """`xmin.fetch.interval.ms` milliseconds lie between two looks; 0: never, and None is told."""

    def __init__(self, ask: Queries, slot: str, every_ms: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._slot, self._every_s, self._clock = ask, slot, every_ms / 1000, clock
        self._due, self._last = clock(), None if every_ms <= 0 else 0

    def __call__(self) -> int | None:
        """Raises: SourceUnavailable, SourceError."""
        if self._last is not None and self._clock() >= self._due:
            self._due = self._clock() + self._every_s
            for (xmin,) in self._ask.rows(_QUERY, (self._slot,)):
                self._last = xmin
        return self._last
