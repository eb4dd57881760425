"""Values of records as the text that a database reads: dates, times, numbers, bits, arrays, shapes.

Every function takes a value that is not null and raises ValueError for one that no text can say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from cdc.schema import decimal_text

Text = Callable[[Any], str]

_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY_US: Final = 86_400_000_000
_LAST_DAY: Final = date.max.toordinal() - _EPOCH
_FIRST_DAY: Final = date.min.toordinal() - _EPOCH
POSITIVE_INFINITY: Final = 9223372036825200000
"""What Debezium's PostgreSQL source writes for `infinity`, in whatever unit the field has."""
NEGATIVE_INFINITY: Final = -9223372036832400000
_ZONED: Final = re.compile(r"([+-]?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)")
_ZONED_TIME: Final = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)")


@lru_cache(maxsize=65_536)
def date_text(days: int) -> str:
    """`2026-11-21` of days since 1970-01-01; `0044-03-15 BC` before year 1, as PostgreSQL writes it."""
    if _FIRST_DAY <= days <= _LAST_DAY:
        return date.fromordinal(days + _EPOCH).isoformat()
    eras, day = divmod(days + 719_468, 146_097)  # 400 years each, from a 1st of March
    year_of_era = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    of_year = day - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + eras * 400 + (month <= 2)
    text = f"{year if year > 0 else 1 - year:04d}-{month:02d}-{of_year - (153 * shifted + 2) // 5 + 1:02d}"
    return text if year > 0 else f"{text} BC"


def time_of_day(micros: int) -> str:
    """`-838:59:59.000000`: hours may be more than a day's, and less than none."""
    sign, left = ("-", -micros) if micros < 0 else ("", micros)
    seconds, fraction = divmod(left, 1_000_000)
    minutes, second = divmod(seconds, 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{fraction:06d}"


def moment(micros: int) -> str:
    """`2026-11-21 17:30:00.000001`, wall clock, of microseconds since 1970-01-01."""
    days, rest = divmod(micros, _DAY_US)
    seconds, fraction = divmod(rest, 1_000_000)
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{fraction:06d}"
    day = date_text(days)
    return f"{day} {text}" if day[-1] != "C" else f"{day[:-3]} {text} BC"


def moments(unit: int, infinity: bool) -> Text:
    """The function from a number of 1/`unit` seconds to wall-clock text; with the words for infinity, if wanted."""

    def text(value: int) -> str:
        if value >= POSITIVE_INFINITY and infinity:
            return "infinity"
        if value <= NEGATIVE_INFINITY and infinity:
            return "-infinity"
        return moment(value * 1_000_000 // unit)

    return text


def times(unit: int) -> Text:
    if unit == 1_000_000:
        return time_of_day
    return lambda value: time_of_day(value * 1_000_000 // unit)


def instants(unit: int, zone: ZoneInfo) -> Text:
    """The function from a number of 1/`unit` seconds since 1970 UTC to wall-clock text in `zone`."""
    if zone.key == "UTC":
        return lambda value: moment(value * 1_000_000 // unit)

    def text(value: int) -> str:
        micros = value * 1_000_000 // unit
        try:
            local = datetime.fromtimestamp(micros // 1_000_000, zone)
        except (ValueError, OverflowError):
            return moment(micros)
        offset = local.utcoffset() or timedelta()
        return moment(micros + offset // timedelta(microseconds=1))

    return text


def shifted(zone: ZoneInfo, lowest: str = "", highest: str = "") -> Text:
    """The function from ISO 8601 text with a zone to wall-clock text in `zone`; infinities become the bounds."""
    utc = zone.key == "UTC"

    def text(value: str) -> str:
        if utc and value[-1] == "Z" and value[4] == "-":
            return f"{value[:10]} {value[11:-1]}"
        if lowest and value in ("infinity", "-infinity"):
            return highest if value == "infinity" else lowest
        found = _ZONED.fullmatch(value)
        if found is None:
            raise ValueError(f"{value!r} is no moment with a zone")
        year, month, day, hour, minute, second, fraction, offset = found.groups()
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
        local = (at - _offset(offset)).astimezone(zone)
        return f"{local.replace(tzinfo=None).isoformat(' ')}{fraction or ''}"

    return text


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    hours, minutes, *seconds = map(int, text[1:].split(":"))
    ahead = timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))
    return -ahead if text[0] == "-" else ahead


def time_at_utc(value: str) -> str:
    """`12:34:56.789+02:00` as a time of day at UTC, without its zone."""
    found = _ZONED_TIME.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} is no time with a zone")
    hour, minute, second, fraction, offset = found.groups()
    of_day = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0)) - _offset(offset)
    whole = int(of_day.total_seconds()) % 86_400
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{fraction or ''}"


def variable_scale(value: tuple[int, bytes]) -> str:
    scale, unscaled = value
    return decimal_text(int.from_bytes(unscaled, "big", signed=True), scale)


def bit_string(length: int) -> Callable[[bytes], str]:
    """The function from little-endian bytes to `0101`, of `length` digits unless that is 0."""
    return lambda raw: format(int.from_bytes(raw, "little"), f"0{length}b")


def bit_number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def json_text(value: Any) -> str:
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()


def json_number(text: str) -> Any:
    """A number that stands in JSON with all its digits."""
    return orjson.Fragment(text)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError


def array_text(item: Text | None) -> Text:
    """The function from a list to PostgreSQL's text of an array; `item` gives an element's text."""

    def text(values: list[Any]) -> str:
        return "{" + ",".join(map(element, values)) + "}"

    def element(value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, list):
            return text(value)
        said = str(value) if item is None else item(value)
        return '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return text


def vector_text(values: list[float]) -> str:
    return "[" + ",".join(map(repr, values)) + "]"


_SHORT: Final = {True: Struct("<I"), False: Struct(">I")}
_WITH_SRID: Final = 0x20000000


def _parts(wkb: bytes) -> tuple[bool, int, bytes]:
    """Byte order (little), type with its flags, and what follows the SRID, if there is one."""
    if len(wkb) < 5:
        raise ValueError(f"{len(wkb)} bytes are no shape")
    little = wkb[0] == 1
    (kind,) = _SHORT[little].unpack_from(wkb, 1)
    return little, kind, wkb[9:] if kind & _WITH_SRID else wkb[5:]


def _srid(wkb: bytes, told: int | None) -> int:
    little, kind, _ = _parts(wkb)
    if kind & _WITH_SRID:
        return int(_SHORT[little].unpack_from(wkb, 5)[0])
    return told or 0


def extended(wkb: bytes, told: int | None) -> str:
    """Hexadecimal EWKB, which PostGIS reads, of a shape whose SRID may stand beside it."""
    little, kind, rest = _parts(wkb)
    srid = _srid(wkb, told)
    if not srid:
        return (wkb[:1] + _SHORT[little].pack(kind & ~_WITH_SRID) + rest).hex()
    return (wkb[:1] + _SHORT[little].pack(kind | _WITH_SRID) + _SHORT[little].pack(srid) + rest).hex()


def stored(wkb: bytes, told: int | None) -> bytes:
    """A shape as MySQL stores it: the SRID, then the WKB."""
    little, kind, rest = _parts(wkb)
    return _SHORT[True].pack(_srid(wkb, told)) + wkb[:1] + _SHORT[little].pack(kind & ~_WITH_SRID) + rest
