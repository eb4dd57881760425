"""PostgreSQL's dates, times and intervals as text -> the numbers and texts of Debezium's temporal schemas.

Texts are those of `DateStyle=ISO`, `IntervalStyle=iso_8601`, `TimeZone=UTC`. Source: Debezium 3.5.0.Final,
`PostgresValueConverter`, `DateTimeFormat`, `io.debezium.time.*`; the PostgreSQL JDBC driver; recorded events.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from cdc.java.dates import date_of, days_of

DAY_US: Final = 86_400_000_000
MAX_LONG: Final = 2**63 - 1
INFINITY_MS: Final = {"infinity": 9_223_372_036_825_200, "-infinity": -9_223_372_036_832_400}
"""Milliseconds by which the JDBC driver writes an infinite moment; times 1,000 in microseconds."""
_GREGORIAN_FROM: Final = (1582, 10, 15)
_MOMENT: Final = re.compile(
    r"(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?([+-]\d\d(?::?\d\d){0,2})?( BC)?"
)
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_SECOND: Final = re.compile(r"\d\d:\d\d:\d\d")
_TIME: Final = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::?\d\d){0,2})?")
_INTERVAL: Final = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6}))?S)?)?"
)


_POINT: Final = ("", ".")
_SCALES: Final = tuple(10 ** (6 - digits) for digits in range(7))
_GREGORIAN_YEARS: Final = "1583"


class _Days(dict[str, int]):
    """`2026-01-02` -> microseconds since 1970-01-01. Raises: ValueError: a date of another form, or an old one."""

    def __missing__(self, text: str) -> int:
        found = _DATE.fullmatch(text)
        if found is None or text < _GREGORIAN_YEARS:
            raise ValueError(text)
        if len(self) > _MOST_DAYS:
            self.clear()
        micros = self[text] = days_of(*map(int, found.groups())) * DAY_US
        return micros


class _Seconds(dict[str, int]):
    """` 03:04:05` -> microseconds of the day. Raises: ValueError: another form."""

    def __missing__(self, text: str) -> int:
        if text[:1] != " " or _SECOND.fullmatch(text, 1) is None:
            raise ValueError(text)
        micros = self[text] = (int(text[1:3]) * 3600 + int(text[4:6]) * 60 + int(text[7:])) * 1_000_000
        return micros


_MOST_DAYS: Final = 5000
_DAY_US: Final = _Days()
_SECOND_US: Final = _Seconds()


class _Moments(dict[str, int]):
    """`2026-01-02 03:04:05` -> microseconds since 1970-01-01. Raises: ValueError: it needs a look."""

    def __missing__(self, text: str) -> int:
        micros = _DAY_US[text[:10]] + _SECOND_US[text[10:]]
        if len(self) > _MOST_MOMENTS:
            self.clear()
        self[text] = micros
        return micros


class _Zoned(dict[str, str]):
    """`2026-01-02 03:04:05` -> `2026-01-02T03:04:05`. Raises: ValueError: it needs a look."""

    def __missing__(self, text: str) -> str:
        _ = _DAY_US[text[:10]] + _SECOND_US[text[10:]]
        if len(self) > _MOST_MOMENTS:
            self.clear()
        zoned = self[text] = f"{text[:10]}T{text[11:]}"
        return zoned


_MOST_MOMENTS: Final = 10_000
"""What is written at one time shares its second."""
_MOMENT_US: Final = _Moments()
_ZONED: Final = _Zoned()


def _usual(text: str) -> int:
    """A TIMESTAMP of our time in microseconds since 1970-01-01. Raises: ValueError, IndexError: it needs a look."""
    fraction = text[20:]
    return _MOMENT_US[text[:19]] + (int(fraction) * _SCALES[len(fraction)] if fraction else 0)


def _days(year: int, month: int, day: int, julian: bool) -> int:
    """Days since 1970-01-01; `julian`: dates before 1582-10-15 are Julian, as Java's old classes hold."""
    if not julian or (year, month, day) >= _GREGORIAN_FROM:
        return days_of(year, month, day)
    shifted, of_year = (year - 1, month + 12) if month <= 2 else (year, month)
    return 365 * shifted + shifted // 4 + (153 * (of_year - 3) + 2) // 5 + day - 719_471


def _parts(text: str, julian: bool) -> tuple[int, int]:
    """Days since 1970-01-01 and microseconds of the day. Raises: ValueError."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"no date or timestamp: {text!r}")
    year, month, day, hour, minute, second, fraction, zone, before = found.groups()
    days = _days(1 - int(year) if before else int(year), int(month), int(day), julian)
    micros = 0
    if hour is not None:
        micros = (int(hour) * 3600 + int(minute) * 60 + int(second)) * 1_000_000 + int((fraction or "").ljust(6, "0"))
    if zone and zone != "+00":
        micros -= _zone_seconds(zone) * 1_000_000
    return days, micros


def _zone_seconds(zone: str) -> int:
    digits = zone[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if zone[0] == "-" else seconds


_DRIVER_INFINITY: Final = {"infinity": days_of(292_278_994, 8, 16), "-infinity": days_of(292_269_055, 12, 2)}
"""Days of what the driver gives for an infinite date; it loses that the lower one is before Christ."""
_INFINITY: Final = {"infinity": days_of(-5_877_611, 6, 21), "-infinity": days_of(-5_877_611, 6, 22)}


def days(text: str, *, julian: bool) -> int:
    """A DATE as days since 1970-01-01, cut to 32 bits where Debezium's numbers run over."""
    try:
        return _DAY_US[text] // DAY_US
    except ValueError:
        pass
    if text in INFINITY_MS:
        return _signed32((_DRIVER_INFINITY if julian else _INFINITY)[text])
    return _signed32(_date(text, julian))


def _date(text: str, julian: bool) -> int:
    """Java's old classes take a date apart as it is written, and lose that it is before Christ."""
    return _parts(text.removesuffix(" BC"), False)[0] if julian else _parts(text, False)[0]


def _signed32(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def micros(text: str, *, julian: bool) -> int:
    """A TIMESTAMP as microseconds since 1970-01-01, as far as 64 bits go."""
    try:
        return _usual(text)
    except (ValueError, IndexError):
        pass
    if text in INFINITY_MS:
        return INFINITY_MS[text] * 1000
    day, of_day = _parts(text, julian)
    return max(-MAX_LONG - 1, min(day * DAY_US + of_day, MAX_LONG))


def millis(text: str, *, julian: bool) -> int:
    """A TIMESTAMP as milliseconds since 1970-01-01, rounded down."""
    try:
        return _usual(text) // 1000
    except (ValueError, IndexError):
        pass
    if text in INFINITY_MS:
        return INFINITY_MS[text]
    day, of_day = _parts(text, julian)
    return (day * DAY_US + of_day) // 1000


def micros_reader(*, julian: bool) -> Callable[[str], int]:
    """`micros`, made for the usual text."""
    whole, scales = _MOMENT_US, _SCALES

    def read(text: str) -> int:
        fraction = text[20:]
        try:
            return whole[text[:19]] + int(fraction) * scales[len(fraction)] if fraction else whole[text[:19]]
        except (ValueError, IndexError):
            return micros(text, julian=julian)

    return read


def millis_reader(*, julian: bool) -> Callable[[str], int]:
    """`millis`, made for the usual text."""
    whole, scales = _MOMENT_US, _SCALES

    def read(text: str) -> int:
        fraction = text[20:]
        try:
            return (whole[text[:19]] + (int(fraction) * scales[len(fraction)] if fraction else 0)) // 1000
        except (ValueError, IndexError):
            return millis(text, julian=julian)

    return read


def nanos(text: str, *, julian: bool) -> int:
    """A TIMESTAMP as nanoseconds since 1970-01-01; what goes beyond 64 bits is cut off, as Debezium does."""
    return (micros(text, julian=julian) * 1000 + MAX_LONG + 1) % 2**64 - MAX_LONG - 1


def time_micros(text: str) -> int:
    """A TIME as microseconds of the day; 24:00:00 is 86,400,000,000."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"no time: {text!r}")
    hour, minute, second, fraction, _ = found.groups()
    return (int(hour) * 3600 + int(minute) * 60 + int(second)) * 1_000_000 + int((fraction or "").ljust(6, "0"))


def iso_date(text: str, *, julian: bool) -> str:
    """A DATE as ISO 8601 text, at UTC."""
    if text in INFINITY_MS:
        return _date_text((_DRIVER_INFINITY if julian else _INFINITY)[text]) + "Z"
    return _date_text(_date(text, julian)) + "Z"


def iso_timestamp(text: str, *, julian: bool) -> str:
    """A TIMESTAMP as ISO 8601 text, at UTC."""
    day, of_day = divmod(micros(text, julian=julian), DAY_US)
    return f"{_date_text(day)}T{_time_text(of_day)}Z"


def _date_text(day: int) -> str:
    year, month, of_month = date_of(day)
    sign = "+" if year > 9999 else "-" if year < 0 else ""
    return f"{sign}{abs(year):04}-{month:02}-{of_month:02}"


def _time_text(of_day: int, digits: int | None = None) -> str:
    """`digits` after the point; None: as many as are needed."""
    seconds, fraction = divmod(of_day, 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if digits is None:
        return f"{text}.{fraction:06}".rstrip("0").rstrip(".") if fraction else text
    return f"{text}.{fraction:06}"[: 9 + digits] if digits else text


def zoned_timestamp(text: str, digits: int, *, julian: bool) -> str:
    """A TIMESTAMPTZ as `2026-11-21T01:02:03.123456Z`, with `digits` after the point."""
    if text in INFINITY_MS:
        return text
    day, of_day = _parts(text, julian)
    over, of_day = divmod(of_day, DAY_US)
    return f"{_date_text(day + over)}T{_time_text(of_day, digits)}Z"


def zoned_timestamp_reader(digits: int, *, julian: bool) -> Callable[[str], str]:
    """`zoned_timestamp`, made for the usual text: the server leaves out the zeros at the end of a fraction."""
    whole, full = _ZONED, digits + 1

    def read(text: str) -> str:
        if text[-3:] == "+00":
            fraction = text[19:-3]
            try:
                if len(fraction) == full and fraction[0] == ".":
                    return f"{whole[text[:19]]}{fraction}Z"
                if fraction[:1] in _POINT:
                    second = whole[text[:19]]
                    return f"{second}.{fraction[1:].ljust(6, '0')[:digits]}Z" if digits else f"{second}Z"
            except ValueError:
                pass
        return zoned_timestamp(text, digits, julian=julian)

    return read


def zoned_time(text: str) -> str:
    """A TIMETZ at UTC, `10:34:56.789012Z`."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"no time with time zone: {text!r}")
    shifted = time_micros(text) - _zone_seconds(found[5] or "+00") * 1_000_000
    return f"{_time_text(shifted % DAY_US)}Z"


def iso_time(text: str) -> str:
    """A TIME as ISO 8601 text, at UTC; 24:00 is 00:00."""
    return f"{_time_text(time_micros(text) % DAY_US)}Z"


def interval(text: str) -> tuple[int, int, int, int, int, int]:
    """Years, months, days, hours, minutes, microseconds of the rest. Raises: ValueError."""
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError(f"no interval: {text!r}")
    years, months, day, hours, minutes, sign, seconds, fraction = found.groups()
    rest = int(seconds or 0) * 1_000_000 + int((fraction or "").ljust(6, "0"))
    return int(years or 0), int(months or 0), int(day or 0), int(hours or 0), int(minutes or 0), -rest if sign else rest


def interval_micros(text: str) -> int:
    """An INTERVAL in microseconds, a month being 365.25 / 12 days, as far as 64 bits go."""
    years, months, day, hours, minutes, rest = interval(text)
    whole = ((years * 12 + months) * 30.4375 + day) * 86_400_000_000
    total = whole + (hours * 3600 + minutes * 60) * 1_000_000 + rest
    return (
        max(-MAX_LONG - 1, min(int(total), MAX_LONG))
        if abs(total) < 2**63
        else (MAX_LONG if total > 0 else -MAX_LONG - 1)
    )


def interval_text(text: str) -> str:
    """An INTERVAL as ISO 8601 text with every part, `P0Y0M1DT2H0M0S`."""
    years, months, day, hours, minutes, rest = interval(text)
    whole, fraction = divmod(abs(rest), 1_000_000)
    seconds = f"{'-' if rest < 0 else ''}{whole}" + (f".{fraction:06}".rstrip("0") if fraction else "")
    return f"P{years}Y{months}M{day}DT{hours}H{minutes}M{seconds}S"
