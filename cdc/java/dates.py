"""Moments as text by the patterns of Java's `SimpleDateFormat` (UTC, English), and back.

A moment is milliseconds since 1970-01-01 00:00 UTC; years beyond 9999 are no problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_DAY: Final = 86_400_000
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                  "November", "December")  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+")
_LETTERS: Final = "GyYMLDdEuaHkKhmsSzZX"
_ZONE: Final = r"(?:UTC|GMT|Z)?(?:[+-]\d{1,2}(?::?\d{2})?)?"


def _names(names: tuple[str, ...]) -> str:
    return "|".join(f"{name}|{name[:3]}" for name in names)


_TEXTS: Final = {
    "G": "AD|BC", "a": "AM|PM", "M": _names(_MONTHS), "L": _names(_MONTHS), "E": _names(_DAYS),
}  # fmt: skip


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of the Gregorian calendar; a month or day beyond its range runs over, as Java's does."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    years = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return years + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


class _Moment(NamedTuple):
    year: int
    month: int
    day: int
    days: int
    millis: int

    @property
    def hour(self) -> int:
        return self.millis // 3_600_000


_NUMBERS: Final[dict[str, Callable[[_Moment], int]]] = {
    "D": lambda m: m.days - days_of(m.year, 1, 1) + 1,
    "d": lambda m: m.day,
    "u": lambda m: (m.days + 3) % 7 + 1,
    "H": lambda m: m.hour,
    "k": lambda m: m.hour or 24,
    "K": lambda m: m.hour % 12,
    "h": lambda m: m.hour % 12 or 12,
    "m": lambda m: m.millis // 60_000 % 60,
    "s": lambda m: m.millis // 1000 % 60,
    "S": lambda m: m.millis % 1000,
}


class Part(NamedTuple):
    """A letter repeated some `times`, or with 0 `times` a text that stands for itself."""

    text: str
    times: int


@dataclass(frozen=True)
class DatePattern:
    """A compiled pattern; see `date_pattern`."""

    parts: tuple[Part, ...]
    reader: re.Pattern[str]

    def format(self, moment: int) -> str:
        days, millis = divmod(moment, _DAY)
        at = _Moment(*date_of(days), days, millis)
        return "".join(text if not count else _field(text, count, at) for text, count in self.parts)

    def parse(self, text: str, this_year: int) -> int:
        """`this_year` settles the century of two-digit years: from 80 years before it to 19 after.

        Raises: ValueError: `text` does not begin as the pattern says.
        """
        found = self.reader.match(text)
        if found is None:
            raise ValueError(f"does not match pattern ({''.join(t * (c or 1) for t, c in self.parts)})")
        fields = {part.text: found[f"{part.text}_{i}"] for i, part in enumerate(self.parts) if part.times}
        return _moment(fields, {part.text: part.times for part in self.parts}, this_year)


def date_pattern(text: str) -> DatePattern:
    """Raises: ValueError: a letter that means nothing, or an open quote."""
    parts = tuple(_parts(text))
    reader = "".join(_reader(parts, at) for at in range(len(parts)))
    return DatePattern(parts, re.compile(reader, re.IGNORECASE | re.ASCII))


def _parts(text: str) -> Iterator[Part]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"Unterminated quote in date pattern {text!r}")
        at = found.end()
        if found[1] is not None:
            yield Part(found[1].replace("''", "'") or "'", 0)
        elif found[2] is None:
            yield Part(found[0], 0)
        elif found[2] in _LETTERS:
            yield Part(found[2], len(found[0]))
        else:
            raise ValueError(f"Illegal pattern character {found[2]!r} in date pattern {text!r}")


def _field(letter: str, count: int, at: _Moment) -> str:
    if letter in _NUMBERS and letter != "u":
        return str(_NUMBERS[letter](at)).rjust(count, "0")
    match letter:
        case "G":
            return "AD" if at.year > 0 else "BC"
        case "y" | "Y":
            year = at.year if at.year > 0 else 1 - at.year
            return f"{year % 100:02}" if count == 2 else str(year).rjust(count, "0")
        case "M" | "L":
            name = _MONTHS[at.month - 1]
            return name if count > 3 else name[:3] if count == 3 else str(at.month).rjust(count, "0")
        case "E":
            name = _DAYS[(at.days + 3) % 7]
            return name if count > 3 else name[:3]
        case "u":
            return str(_NUMBERS["u"](at)).rjust(count, "0")
        case "a":
            return "AM" if at.hour < 12 else "PM"
        case "Z":
            return "+0000"
        case "X":
            return "Z"
        case _:
            return "UTC" if count < 4 else "Coordinated Universal Time"


def _reader(parts: tuple[Part, ...], at: int) -> str:
    letter, count = parts[at]
    if not count:
        return re.escape(letter)
    following = parts[at + 1] if at + 1 < len(parts) else Part("", 0)
    adjacent = bool(following.times) and _is_number(following)
    number = rf"\d{{{count}}}" if adjacent else r"\s*-?\d+"
    text = number if _is_number(parts[at]) else _TEXTS.get(letter, _ZONE)
    return f"(?P<{letter}_{at}>{text})"


def _is_number(part: Part) -> bool:
    return part.text in "yYDdHkKhmsSu" or (part.text in "ML" and part.times < 3)


def _moment(fields: dict[str, str], counts: dict[str, int], this_year: int) -> int:
    year = _year(fields, counts, this_year)
    month_text = fields.get("M") or fields.get("L") or "1"
    month = int(month_text) if month_text.strip("- ").isdigit() else _index(_MONTHS, month_text)
    day = int(fields.get("d", "1"))
    days = days_of(year, 1, int(fields["D"])) if "D" in fields and "d" not in fields else days_of(year, month, day)
    seconds = (_hour(fields) * 60 + int(fields.get("m", "0"))) * 60 + int(fields.get("s", "0"))
    zone = fields.get("Z") or fields.get("X") or fields.get("z") or ""
    return days * _DAY + seconds * 1000 + int(fields.get("S", "0")) - _zone_millis(zone)


def _year(fields: dict[str, str], counts: dict[str, int], this_year: int) -> int:
    text = fields.get("y") or fields.get("Y")
    if text is None:
        return 1970
    year = int(text)
    if len(text.strip()) == 2 and counts.get("y", counts.get("Y", 0)) <= 2:
        year += (this_year - 80) // 100 * 100
        year += 100 if year < this_year - 80 else 0
    return 1 - year if fields.get("G", "AD").upper() == "BC" else year


def _hour(fields: dict[str, str]) -> int:
    afternoon = 12 if fields.get("a", "AM").upper() == "PM" else 0
    if "H" in fields:
        return int(fields["H"])
    if "k" in fields:
        return int(fields["k"]) % 24
    if "h" in fields:
        return int(fields["h"]) % 12 + afternoon
    return int(fields.get("K", "0")) + afternoon


def _index(names: tuple[str, ...], text: str) -> int:
    return next(number for number, name in enumerate(names, 1) if name[:3].lower() == text[:3].lower())


def _zone_millis(text: str) -> int:
    found = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", text)
    if found is None:
        return 0
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return minutes * 60_000 * (-1 if found[1] == "-" else 1)
