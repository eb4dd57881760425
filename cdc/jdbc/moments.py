"""Texts of dates and times to numbers and back, in the calendars and zones that JDBC drivers count in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import lru_cache
from typing import Final

from cdc.errors import DataError
from cdc.java.dates import date_of
from cdc.java.zones import Zone

DAY_MICROS: Final = 86_400_000_000
SECOND: Final = 1_000_000
GREGORIAN_DAY: Final = -141_427
"""1582-10-15, from which Java's calendar counts as everybody does; before it counts as Julius Caesar did."""
GREGORIAN: Final = GREGORIAN_DAY * DAY_MICROS
_EPOCH: Final = datetime(1970, 1, 1)
_MICRO: Final = timedelta(microseconds=1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=4096)
def day(text: str) -> int:
    """Days since 1970 of `2024-02-29`. Raises: DataError: a date that no calendar has."""
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH_DAY
    except ValueError:
        raise DataError("a date of zeros or one that no calendar has") from None


def wall(text: str) -> int:
    """Microseconds of `2024-02-29 12:30:00[.123456]`; `T` may stand between, and the time may be missing."""
    micros = day(text[:10]) * DAY_MICROS
    if len(text) < 16:
        return micros
    micros += int(text[11:13]) * 3_600_000_000 + int(text[14:16]) * 60_000_000
    if len(text) < 19:
        return micros
    return micros + int(text[17:19]) * SECOND + (int(text[20:26].ljust(6, "0")) if len(text) > 20 else 0)


def clock(text: str) -> int:
    """Microseconds of the day of `12:30:00[.123456]`. Raises: DataError: not a time of day."""
    if text[2:3] != ":" or text[:2] > "23":
        raise DataError("a time below 0 or above 24 hours, which is no time of the day")
    fraction = int(text[9:15].ljust(6, "0")) if len(text) > 9 else 0
    return int(text[:2]) * 3_600_000_000 + int(text[3:5]) * 60_000_000 + int(text[6:8]) * SECOND + fraction


def of_datetime(value: datetime) -> int:
    """Microseconds of its wall clock."""
    return (value.replace(tzinfo=None) - _EPOCH) // _MICRO


def of_moment(value: datetime) -> int:
    """Microseconds of UTC of one that has a zone."""
    offset = value.utcoffset()
    return of_datetime(value) - (offset // _MICRO if offset is not None else 0)


def of_date(value: date) -> int:
    return value.toordinal() - _EPOCH_DAY


def of_time(value: clock_time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * SECOND + value.microsecond


def as_datetime(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def text(micros: int, digits: int = 6) -> str:
    """`2024-02-29 12:30:00.123456`, with that many digits of a second."""
    days, rest = divmod(micros, DAY_MICROS)
    year, month, of_month = date_of(days)
    second, fraction = divmod(rest, SECOND)
    shown = f"{year:04}-{month:02}-{of_month:02} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{shown}.{fraction:06}"[: len(shown) + 1 + digits] if digits else shown


def julian_day(days: int) -> int:
    """The day on which Java's calendar shows the date that `days` shows in everybody's."""
    if days >= GREGORIAN_DAY:
        return days
    year, month, of_month = date_of(days)
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    return of_month + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083 - 2_440_588


def julian(micros: int) -> int:
    days, rest = divmod(micros, DAY_MICROS)
    return julian_day(days) * DAY_MICROS + rest


def to_moment(zone: Zone) -> Callable[[int], int]:
    """Wall-clock microseconds -> microseconds of UTC."""
    return lambda micros: micros - zone.offset_of_wall(micros // SECOND) * SECOND


def to_wall(zone: Zone) -> Callable[[int], int]:
    """Microseconds of UTC -> of the wall clock."""
    return lambda micros: micros + zone.offset_at(micros // SECOND) * SECOND


def java_micros(micros: int) -> int:
    """As the original counts: a fraction of a second before 1970 is added to the second nearer to 1970."""
    milliseconds = micros // 1000
    seconds = milliseconds // 1000 if milliseconds >= 0 else -(-milliseconds // 1000)
    return seconds * SECOND + micros % SECOND


def floored(micros: int, digits: int) -> int:
    unit: int = 10 ** (6 - min(digits, 6))
    return micros // unit * unit
