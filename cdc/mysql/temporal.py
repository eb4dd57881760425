"""MySQL's dates and times -> the numbers and texts of Debezium's temporal schemas.

A date is None where the calendar has none (0000-00-00, 2024-02-00, 2024-02-31): such values become null, or in a
NOT NULL column its default, else 1970-01-01. Source: Debezium 3.5.0.Final, `BinlogValueConverters`,
`RowDeserializers`, `io.debezium.time.*`, and recorded events.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Generic, TypeVar

DAY_SECONDS: Final = 86_400
DAY_MICROS: Final = DAY_SECONDS * 1_000_000
_DAYS_OF: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

K = TypeVar("K")
V = TypeVar("V")


class Cache(dict[K, V], Generic[K, V]):
    """What `make` gives for a key, remembered; a lookup of a known key is one dictionary access."""

    def __init__(self, make: Callable[[K], V], limit: int = 1 << 15) -> None:
        super().__init__()
        self._make, self._limit = make, limit

    def __missing__(self, key: K) -> V:
        if len(self) >= self._limit:
            self.clear()
        value = self[key] = self._make(key)
        return value


def day_number(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, from year 0; None when there is no such day."""
    if not 1 <= month <= 12 or day < 1:
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _DAYS_OF[month - 1] + (leap and month == 2):
        return None
    # Years are counted from March, so that the leap day is a year's last (Howard Hinnant, "chrono-Compatible
    # Low-Level Date Algorithms").
    shifted = year - (month <= 2)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468


def date_text(days: int) -> str:
    """`2026-11-21` of a day number; years of less than four digits are filled, as in ISO 8601."""
    year, month, day = civil(days)
    return f"{year:04d}-{month:02d}-{day:02d}"


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day number; the inverse of `day_number`."""
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted_month + 2) // 5 + 1


def full_year(year: int) -> int:
    """MySQL's rule for years of two digits."""
    if 0 <= year <= 69:
        return year + 2000
    return year + 1900 if year <= 99 else year


def valid_day(year: int, month: int, day: int, *, adjust: bool) -> int | None:
    """The day number after `enable.time.adjuster`; moving a year keeps its leap day."""
    return day_number(full_year(year) if adjust else year, month, day)


def clock_text(seconds: int) -> str:
    """`01:02:03` of a second of the day."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def short_fraction(micros: int) -> str:
    """A fraction with the digits it needs and no more, as Java's ISO formats print it: `.12`, or nothing for 0."""
    return f".{micros:06d}".rstrip("0") if micros else ""


DATE_PREFIX: Final = Cache[int, str](lambda days: date_text(days) + "T")
"""Day number -> `2026-11-21T`."""
CLOCK: Final = Cache[int, str](clock_text, DAY_SECONDS)
"""Second of the day -> `01:02:03`."""
DIGITS: Final = tuple(f"{number:03d}" for number in range(1000))
"""`000` to `999`."""


def instant_text(micros: int, digits: int) -> str:
    """A ZonedTimestamp of microseconds since 1970; with `digits` 0 the fraction is as short as it can be."""
    seconds, fraction = divmod(micros, 1_000_000)
    shown = f".{fraction:06d}"[: digits + 1] if digits else short_fraction(fraction)
    return f"{DATE_PREFIX[seconds // DAY_SECONDS]}{CLOCK[seconds % DAY_SECONDS]}{shown}Z"


class DateForm:
    """A DATE as a `time.precision.mode` shows it."""

    def __init__(self, mode: str) -> None:
        self.iso = mode == "isostring"
        self.epoch: int | str = "1970-01-01Z" if self.iso else 0

    def show(self, days: int) -> int | str:
        return date_text(days) + "Z" if self.iso else days


class TimeForm:
    """A TIME as a `time.precision.mode` shows it."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.epoch: int | str = "00:00:00Z" if mode == "isostring" else 0

    def show(self, micros: int) -> int | str | None:
        """None where the mode has no place for the value: `connect` and `isostring` know 00:00 to 24:00 only."""
        if self.mode == "nanoseconds":
            return micros * 1000
        if self.mode not in ("connect", "isostring"):
            return micros
        if not 0 <= micros <= DAY_MICROS:
            return None
        if self.mode == "connect":
            return micros // 1000
        return CLOCK[micros // 1_000_000 % DAY_SECONDS] + short_fraction(micros % 1_000_000) + "Z"


class DatetimeForm:
    """A DATETIME as a `time.precision.mode` shows it.

    Attributes:
        unit: what the number counts, in a second: 1,000 to 1,000,000,000; 0 when it is shown as a text.
        wraps: nanoseconds outside 1677 to 2262 do not fit 64 bits, and overflow as in Java.
    """

    def __init__(self, mode: str, digits: int) -> None:
        adaptive = 1000 if digits <= 3 else 1_000_000
        units = {"microseconds": 1_000_000, "nanoseconds": 1_000_000_000, "connect": 1000, "isostring": 0}
        self.unit = units.get(mode, adaptive)
        self.wraps = mode == "nanoseconds"
        self.epoch: int | str = 0 if self.unit else "1970-01-01T00:00:00Z"

    def show(self, micros: int) -> int | str:
        if not self.unit:
            return instant_text(micros, 0)
        return wrapped(micros * self.unit // 1_000_000)


def wrapped(number: int) -> int:
    """A number's lowest 64 bits, as a signed one."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


_DATE: Final = re.compile(r"(\d{1,4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?")
_TIME: Final = re.compile(r"(-?)(\d*):(\d*)(?::(\d*))?(?:\.(\d*))?")


def parse_datetime(text: str) -> tuple[int, int, int, int] | None:
    """`2026-11-21[ 01:02[:03[.004]]]` as (year, month, day, microseconds of the day); None for any other text."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if hour > 23 or minute > 59 or second > 59:
        return None
    micros = int((match[7] or "").ljust(6, "0")[:6])
    return year, month, day, ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros


def parse_time(text: str) -> int | None:
    """`-838:59:59.000001` in microseconds; None for any other text."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    sign, hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    micros = whole * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])
    return -micros if sign else micros
