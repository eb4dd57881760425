"""When files end: by the number of their records, their size, the time of their records, or the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sinks.s3.schema_fit import Compatibility

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The limits of the files that are open at a time for one topic's partition; 0 is none.

    Attributes:
        records: of all of them together.
        bytes: of the largest of them, as written.
        interval_ms: between the times that the first and a later record go by; `by_clock`: that is the clock itself.
        on_change: with `interval_ms`, a record of another path than the one before ends them.
        schedule_ms: of the clock, counted from midnight in `zone`.
        open_files: how many of them.
        separate: a path whose records end no others (tombstones).
    """

    records: int
    bytes: int = 0
    interval_ms: int = 0
    by_clock: bool = False
    on_change: bool = True
    schedule_ms: int = 0
    zone: tzinfo
    open_files: int = 0
    compatibility: Compatibility = Compatibility.NONE
    separate: str | None = None

    def leaves(self, path: str, before: str | None) -> bool:
        """Whether a record of `path` ends the files that a record of `before` went into."""
        return self.on_change and path != before and self.separate not in (path, before)


def next_on_schedule(now_ms: int, period_ms: int, zone: tzinfo) -> int:
    """The next multiple of a period since midnight, or the next midnight."""
    local = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    start = (midnight - _EPOCH) // _MILLISECOND
    next_day = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
    end = (next_day.astimezone(UTC) - _EPOCH) // _MILLISECOND
    return min(start + ((now_ms - start) // period_ms + 1) * period_ms, end)
