"""Numbers, lengths and well-known messages in Protobuf's wire format. Source: "Protocol Buffers: Encoding"."""

from __future__ import annotations

from datetime import date, timedelta
from struct import Struct
from typing import Final

from cdc.schema import decimal_bytes

_CHUNK: Final = 1 << 14
_MASK: Final = (1 << 64) - 1
DOUBLE: Final = Struct("<d")
FLOAT: Final = Struct("<f")
FIXED32: Final = Struct("<I")
FIXED64: Final = Struct("<Q")
SHORT: Final = [bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(_CHUNK)]
"""The whole form of each number that takes one byte or two."""
_MORE: Final = [bytes((n & 127 | 128, n >> 7 | 128)) for n in range(_CHUNK)]
_EPOCH: Final = date(1970, 1, 1)
_GREGORIAN_FROM: Final = (date(1582, 10, 15) - _EPOCH).days
_JULIAN_ZERO: Final = -719470
"""1 March of the year 0 of the Julian calendar."""


def number(value: int) -> bytes:
    """Any whole number; negative ones take ten bytes. Raises: OverflowError: beyond 64 bits."""
    if value < 0:
        if value < -(1 << 63):
            raise OverflowError("a number does not fit 64 bits")
        value &= _MASK
    elif value > _MASK:
        raise OverflowError("a number does not fit 64 bits")
    if value < _CHUNK:
        return SHORT[value]
    out, value = _MORE[value & 16383], value >> 14
    if value < _CHUNK:
        return out + SHORT[value]
    out, value = out + _MORE[value & 16383], value >> 14
    if value < _CHUNK:
        return out + SHORT[value]
    out, value = out + _MORE[value & 16383], value >> 14
    if value < _CHUNK:
        return out + SHORT[value]
    return out + _MORE[value & 16383] + SHORT[value >> 14]


def zigzag(value: int) -> bytes:
    return number((value << 1) ^ (value >> 63))


def read_zigzag(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next item begins. Raises: IndexError: the bytes end within it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def decimal_message(unscaled: int, scale: int) -> bytes:
    """`confluent.type.Decimal`: the value, how many digits it has, and its scale."""
    raw = decimal_bytes(unscaled)
    out = b"\n" + number(len(raw)) + raw + b"\x10" + number(len(str(abs(unscaled))))
    return out + b"\x18" + number(scale) if scale else out


def calendar_day(days: int) -> tuple[int, int, int]:
    """Year, month and day as Java's calendar has them: Julian before 1582-10-15.

    Raises: OverflowError: no year from 1 to 9999.
    """
    if days >= _GREGORIAN_FROM:
        day = _EPOCH + timedelta(days=days)
        return day.year, day.month, day.day
    fours, rest = divmod(days - _JULIAN_ZERO, 1461)
    years = min(rest // 365, 3)
    month, day_of = divmod(5 * (rest - years * 365) + 2, 153)
    year = 4 * fours + years + (month >= 10)
    if year < 1:
        raise OverflowError("a date before the year 1")
    return year, month + 3 - 12 * (month >= 10), day_of // 5 + 1


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; the other way round."""
    if (year, month, day) >= (1582, 10, 15):
        return (date(year, month, day) - _EPOCH).days
    years, months = (year - 1, month + 9) if month < 3 else (year, month - 3)
    return _JULIAN_ZERO + years * 365 + years // 4 + (153 * months + 2) // 5 + day - 1


def date_message(days: int) -> bytes:
    """`google.type.Date`. Raises: OverflowError: no year from 1 to 9999."""
    year, month, day = calendar_day(days)
    return b"\x08" + number(year) + b"\x10" + SHORT[month] + b"\x18" + SHORT[day]


def time_message(millis: int) -> bytes:
    """`google.type.TimeOfDay`."""
    seconds, rest = divmod(millis, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    parts = ((b"\x08", hour % 24), (b"\x10", minute), (b"\x18", second), (b"\x20", rest * 1_000_000))
    return b"".join(tag + number(part) for tag, part in parts if part)


def timestamp_message(millis: int) -> bytes:
    """`google.protobuf.Timestamp`."""
    seconds, rest = divmod(millis, 1000)
    return (b"\x08" + number(seconds) if seconds else b"") + (b"\x10" + number(rest * 1_000_000) if rest else b"")
