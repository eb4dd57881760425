"""The default of a column, as the text that stands in DDL -> the `default` of its schema.

A default that cannot be read is left out, or stops the task (`event.converting.failure.handling.mode`). Source:
Debezium 3.5.0.Final, `BinlogDefaultValueConverter`, and recorded events.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any, Final

from cdc.errors import DecodeError
from cdc.mysql.temporal import (
    DateForm,
    DatetimeForm,
    TimeForm,
    full_year,
    instant_text,
    parse_datetime,
    parse_time,
    valid_day,
)
from cdc.mysql.type_family import (
    BINARY_TEXT,
    Family,
    TypeOptions,
    family,
    fraction_digits,
    integer_bits,
    is_single,
    is_unsigned,
)
from cdc.schema import decimal_text, to_single
from cdc.table import Column

_INTRODUCER: Final = re.compile(r"_[A-Za-z0-9]+'(.*)'", re.DOTALL)
_ZERO_DATE: Final = re.compile(r"\d{4}-\d{2}-00|\d{4}-00-\d{2}|0000-\d{2}-\d{2}")
_MIDNIGHT: Final = re.compile(r"00:00:00(?:\.\d{1,6})?")
_DAY_MICROS: Final = 86_400_000_000
_EPOCH: Final = "1970-01-01 00:00:00"
_TRUTH: Final = {"true": "1", "false": "0"}

_NOT_TRIMMED: Final = (Family.TEXT, Family.BINARY, Family.ENUM, Family.SET, Family.JSON)
_NUMBERS: Final = (Family.INTEGER, Family.FLOAT, Family.DECIMAL, Family.BIT, Family.YEAR)


def default_value(column: Column, options: TypeOptions) -> Any:
    """The default as a value of the column's schema; None: the schema has none."""
    text = column.default
    if text is None:
        return None
    kind = family(column)
    if kind not in _NOT_TRIMMED:
        text = text.strip()
    if introduced := _INTRODUCER.fullmatch(text):
        text = introduced[1]
    if kind in _NUMBERS:
        text = _TRUTH.get(text.lower(), text)
    try:
        return _READERS[kind](text, column, options)
    except (ValueError, OverflowError, InvalidOperation) as error:
        if options.fail_on_failure:
            raise DecodeError(
                f"the default of column {column.name!r} ({column.type_name}) cannot be read as its type; alter it, or "
                "set event.converting.failure.handling.mode=warn, which leaves such a default out of the schema"
            ) from error
        return None


def _integer(text: str, column: Column, options: TypeOptions) -> int:
    """Read through a double, as Debezium does: 18446744073709551615 is 2^63 - 1 in a BIGINT UNSIGNED shown as long."""
    bits, unsigned = integer_bits(column), is_unsigned(column)
    if bits == 64 and unsigned and options.bigint_unsigned == "precise":
        return _unscaled(text, 0)
    rounded = max(-(2**63), min(2**63 - 1, math.floor(float(text) + 0.5)))
    width = 16 if bits == 8 or (bits == 16 and not unsigned) else 64 if bits == 64 or (bits == 32 and unsigned) else 32
    return (rounded + (1 << width - 1)) % (1 << width) - (1 << width - 1)


def _unscaled(text: str, scale: int) -> int:
    with localcontext(prec=100):
        number = Decimal(text).scaleb(scale).quantize(Decimal(1), ROUND_HALF_UP)
    return int(number)


def _decimal(text: str, column: Column, options: TypeOptions) -> int | str | float:
    scale = column.scale or 0
    unscaled = _unscaled(text, scale)
    if options.decimal == "string":
        return decimal_text(unscaled, scale)
    return float(unscaled / 10**scale) if options.decimal == "double" else unscaled


def _float(text: str, column: Column, options: TypeOptions) -> float:
    return to_single(float(text)) if is_single(column) else float(text)


def _boolean(text: str, column: Column, options: TypeOptions) -> bool:
    try:
        return int(text) != 0
    except ValueError:
        return text.lower() == "true"


def _bits(text: str, column: Column, options: TypeOptions) -> bool | bytes:
    """Binary digits; of a BIT(1) a truth value, else little-endian bytes."""
    length = column.length or 1
    if length == 1:
        return _boolean(text, column, options)
    return int(text, 2).to_bytes((max(length, len(text)) + 7) // 8, "little")


def _binary(text: str, column: Column, options: TypeOptions) -> bytes | str:
    shown = BINARY_TEXT.get(options.binary)
    return text.encode() if shown is None else shown(text.encode())


def _is_zero(text: str) -> bool:
    date, _, clock = text.partition(" ")
    return text == "0" or (_ZERO_DATE.fullmatch(date) is not None and (not clock or bool(_MIDNIGHT.fullmatch(clock))))


def _day(year: int, month: int, day: int, *, adjust: bool) -> int | None:
    """The day number; the 31st of a shorter month is its last day, as Java reads it."""
    days = (valid_day(year, month, known, adjust=adjust) for known in (day, 30, 29, 28) if known <= day <= 31)
    return next((number for number in days if number is not None), None)


def _moment(text: str, column: Column, options: TypeOptions) -> tuple[int, int] | None:
    """(day number, microseconds of the day); 1970 for what is no date and must be one, None where it need not."""
    parsed = None if _is_zero(text) else parse_datetime(text)
    days = _day(*parsed[:3], adjust=options.adjust_years) if parsed else None
    if parsed is None or days is None:
        return None if column.optional else (0, 0)
    return days, parsed[3]


def _date(text: str, column: Column, options: TypeOptions) -> int | str | None:
    found = _moment(text, column, options)
    return None if found is None else DateForm(options.time_precision).show(found[0])


def _datetime(text: str, column: Column, options: TypeOptions) -> int | str | None:
    found = _moment(text, column, options)
    form = DatetimeForm(options.time_precision, fraction_digits(column))
    return None if found is None else form.show(found[0] * _DAY_MICROS + found[1])


def _timestamp(text: str, column: Column, options: TypeOptions) -> str | None:
    """1970-01-01 stands for CURRENT_TIMESTAMP: no default where null is possible, else without a fraction."""
    if text == _EPOCH or _is_zero(text):
        return None if column.optional else "1970-01-01T00:00:00Z"
    parsed = parse_datetime(text)
    days = valid_day(*parsed[:3], adjust=options.adjust_years) if parsed else None
    if parsed is None or days is None:
        return None
    return instant_text(days * _DAY_MICROS + parsed[3], fraction_digits(column))


def _time(text: str, column: Column, options: TypeOptions) -> int | str:
    date, _, clock = text.partition(" ")
    micros = parse_time(clock if clock and "-" in date else text)
    shown = None if micros is None else TimeForm(options.time_precision).show(micros)
    if shown is None:
        raise ValueError("no TIME, or none that the mode has a place for")
    return shown


def _none(text: str, column: Column, options: TypeOptions) -> None:
    return None


_READERS: Final[dict[Family, Callable[[str, Column, TypeOptions], Any]]] = {
    Family.BOOLEAN: _boolean,
    Family.BIT: _bits,
    Family.INTEGER: _integer,
    Family.FLOAT: _float,
    Family.DECIMAL: _decimal,
    Family.BINARY: _binary,
    Family.YEAR: lambda text, column, options: full_year(int(text)),
    Family.DATE: _date,
    Family.TIME: _time,
    Family.DATETIME: _datetime,
    Family.TIMESTAMP: _timestamp,
    Family.POINT: _none,
    Family.GEOMETRY: _none,
    Family.VECTOR: _none,
    Family.UUID: lambda text, column, options: text,
    Family.INET: lambda text, column, options: text,
    **dict.fromkeys((Family.TEXT, Family.ENUM, Family.SET, Family.JSON), lambda text, column, options: text),
}
