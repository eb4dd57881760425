"""Joda-Time date patterns (`'year'=YYYY/'month'=MM`) to functions that write a moment by them.

Text stands in quotes, letters in runs mean a part of the moment. Source: Joda-Time's `DateTimeFormat`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

Part = Callable[[datetime], str]
_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.DOTALL)
_NAMED: Final = {"en", "root"}


def compile_pattern(pattern: str, locale: str) -> Callable[[datetime], str]:
    """What writes a datetime with a zone. Raises: ValueError: a letter or a language that is not known."""
    parts: list[Part] = []
    at = 0
    for found in _TOKEN.finditer(pattern):
        if found.start() != at:
            break
        at = found.end()
        parts.append(_part(found, locale))
    if at != len(pattern):
        raise ValueError(f"a quote at character {at + 1} is not closed")
    return lambda moment: "".join([part(moment) for part in parts])


def _part(found: re.Match[str], locale: str) -> Part:
    token = found[0]
    if found[2]:
        return _field(found[2], len(token), locale)
    text = token if not token.startswith("'") else "'" if token == "''" else found[1].replace("''", "'")
    return lambda _: text


def _field(letter: str, count: int, locale: str) -> Part:
    numbers: dict[str, Callable[[datetime], int]] = {
        "C": lambda m: m.year // 100,
        "D": lambda m: m.timetuple().tm_yday,
        "d": lambda m: m.day,
        "e": lambda m: m.isoweekday(),
        "w": lambda m: m.isocalendar().week,
        "H": lambda m: m.hour,
        "h": lambda m: m.hour % 12 or 12,
        "K": lambda m: m.hour % 12,
        "k": lambda m: m.hour or 24,
        "m": lambda m: m.minute,
        "s": lambda m: m.second,
    }
    years: dict[str, Callable[[datetime], int]] = {
        "Y": lambda m: m.year,
        "y": lambda m: m.year,
        "x": lambda m: m.isocalendar().year,
    }
    if letter in numbers:
        return _padded(numbers[letter], count)
    if letter in years:
        year = years[letter]
        return (lambda m: f"{year(m) % 100:02d}") if count == 2 else _padded(year, count)
    match letter:
        case "M" if count < 3:
            return _padded(lambda m: m.month, count)
        case "M" | "E" | "a" | "G":
            return _name(letter, count, locale)
        case "S":
            return lambda m: f"{m.microsecond:06d}".ljust(count, "0")[:count]
        case "Z":
            return _offset(count)
        case "z":
            return lambda m: m.tzname() or "UTC"
    raise ValueError(f"{letter!r} is no letter of a date pattern; text must stand in quotes, as 'year'=YYYY")


def _padded(number: Callable[[datetime], int], width: int) -> Part:
    return lambda m: f"{number(m):0{width}d}"


def _name(letter: str, count: int, locale: str) -> Part:
    """Names of months and days are English ones."""
    if re.split("[-_]", locale)[0].lower() not in _NAMED:
        raise ValueError(f"names of months and days (a run of {letter!r}) are written for locale en only, not "
                         f"{locale}; use numbers, such as MM, or set locale=en")  # fmt: skip
    match letter:
        case "M":
            return lambda m: _MONTHS[m.month - 1] if count > 3 else _MONTHS[m.month - 1][:3]
        case "E":
            return lambda m: _DAYS[m.weekday()] if count > 3 else _DAYS[m.weekday()][:3]
        case "a":
            return lambda m: "AM" if m.hour < 12 else "PM"
    return lambda _: "AD"


_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                  "November", "December")  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _offset(count: int) -> Part:
    """`Z`: +0100, `ZZ`: +01:00, `ZZZ`: the zone's name."""
    if count > 2:
        return lambda m: getattr(m.tzinfo, "key", None) or m.tzname() or "UTC"
    colon = ":" if count == 2 else ""

    def offset(moment: datetime) -> str:
        minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
        hours, rest = divmod(abs(minutes), 60)
        return f"{'-' if minutes < 0 else '+'}{hours:02d}{colon}{rest:02d}"

    return offset
