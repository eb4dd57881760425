"""Time zones by the names Java knows: their offsets, and ISO texts moved to them.

Source: `java.time.ZoneId`, `java.time.format.DateTimeFormatter`; the rules are those of the IANA time zone database.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cdc.errors import TransformError
from cdc.java.dates import date_of, days_of

_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_TIME: Final = r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{0,9}))?)?(Z|[+-]\d{2}:\d{2}(?::\d{2})?)"
_CLOCK: Final = re.compile(_TIME, re.ASCII)
_MOMENT: Final = re.compile(rf"([+-]?\d{{4,10}})-(\d{{2}})-(\d{{2}})[Tt]{_TIME}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)
_FOUR_CENTURIES: Final = 146_097 * 86_400
_EARLIEST, _LATEST = -62_135_500_000, 253_402_200_000
_DAY: Final = 86_400
_HALF_DAY: Final = 18 * 3600


def _within(seconds: int) -> int:
    """A moment of the same rules that `datetime` can hold: the calendar repeats after 400 years."""
    if seconds > _LATEST:
        return seconds - (seconds - _LATEST + _FOUR_CENTURIES - 1) // _FOUR_CENTURIES * _FOUR_CENTURIES
    return max(seconds, _EARLIEST)


class Zone:
    """One zone; what it gives is in seconds east of UTC."""

    def __init__(self, rules: ZoneInfo | fixed) -> None:
        self._rules = rules
        self.offset_of_wall = lru_cache(maxsize=10_000)(self._offset_of_wall)

    def _offset_of_wall(self, seconds: int) -> int:
        """The offset at a wall clock, counted from 1970 as if it were UTC's.

        Where a clock shows a time twice or never, the offset before the change.
        """
        return _seconds((_EPOCH + timedelta(seconds=_within(seconds))).replace(tzinfo=self._rules))

    def offset_at(self, seconds: int) -> int:
        """The offset at a moment, in seconds since 1970."""
        return _seconds((_EPOCH + timedelta(seconds=_within(seconds))).replace(tzinfo=UTC).astimezone(self._rules))

    def timestamp_text(self, text: str) -> str:
        """`2024-03-01T12:00:00Z` as the zone's clocks show it, its offset being that of the wall clock in the text.

        Raises: TransformError: no such text.
        """
        found = _MOMENT.fullmatch(text)
        if found is None:
            raise TransformError("TimezoneConverter: a ZonedTimestamp is no ISO date and time with an offset")
        year, month, day = int(found[1]), int(found[2]), int(found[3])
        wall = days_of(year, month, day) * _DAY + _of_day(found, 4)
        offset = self.offset_of_wall(wall)
        days, second = divmod(wall - _offset(found[8]) + offset, _DAY)
        year, month, day = date_of(days)
        shown = f"{year:04}" if 0 <= year <= 9999 else f"{year:+05}"
        return f"{shown}-{month:02}-{day:02}T{_clock(second, found[7])}{_offset_text(offset)}"

    def time_text(self, text: str) -> str:
        """`12:00:00Z` as the zone's clocks show it at the offset of today. Raises: TransformError: no such text."""
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise TransformError("TimezoneConverter: a ZonedTime is no ISO time with an offset")
        offset = self.offset_at(int(time.time()))
        second = (_of_day(found, 1) - _offset(found[5]) + offset) % _DAY
        return _clock(second, found[4]) + _offset_text(offset)


def zone_named(name: str) -> Zone | None:
    """`Europe/Berlin`, `UTC`, `+08:00`; None when there is no such zone."""
    if found := _OFFSET.fullmatch(name):
        seconds = _offset(name)
        return Zone(fixed(timedelta(seconds=seconds))) if found and abs(seconds) <= _HALF_DAY else None
    return Zone(ZoneInfo(name)) if name in available_timezones() else None


def _seconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _of_day(found: re.Match[str], at: int) -> int:
    return int(found[at]) * 3600 + int(found[at + 1]) * 60 + int(found[at + 2] or 0)


def _offset(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    if found is None:
        return 0
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
    return -seconds if found[1] == "-" else seconds


def _clock(second: int, fraction: str | None) -> str:
    digits = (fraction or "").rstrip("0")
    text = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{text}.{digits}" if digits else text


def _offset_text(offset: int) -> str:
    if not offset:
        return "Z"
    sign, seconds = ("-", -offset) if offset < 0 else ("+", offset)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text
