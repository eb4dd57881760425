"""Rows of a SELECT as the server's text protocol gives them -> the row tuples that the binary log would give.

Where Debezium shows a value differently in a snapshot than in the log, so do we: TIMESTAMP without trailing zeros,
year 0 as 2000, JSON with the server's spaces, a comma in an ENUM unescaped, texts of every character set as the server
converts them to UTF-8, a FLOAT with the six digits that the server prints, a DATETIME of year 0 as of year 1, and one
of the ten days that the calendar left out in 1582 ten days later. The session's time zone must be '+00:00' and its
character set utf8mb4.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import zip_longest
from types import ModuleType
from typing import Any, Final

from cdc.errors import DecodeError
from cdc.masks import Mask
from cdc.mysql.charset import AS_JAVA
from cdc.mysql.column_decoder import missing_date, padding, time_shown
from cdc.mysql.floats import geometry, point, vector
from cdc.mysql.native_texts import native_texts
from cdc.mysql.temporal import (
    DAY_SECONDS,
    Cache,
    DateForm,
    DatetimeForm,
    full_year,
    parse_time,
    valid_day,
    wrapped,
)
from cdc.mysql.type_family import (
    BINARY_TEXT,
    Family,
    TypeOptions,
    family,
    fraction_digits,
    integer_bits,
    is_single,
    is_stored_single,
    is_unsigned,
)
from cdc.native import hot
from cdc.schema import decimal_text, to_single
from cdc.table import Column, Table

RawRow = Sequence[bytes | None]
_DAMAGE: Final = (ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, struct.error)
"""What comes up where a text is not what its type says."""
_LEFT_OUT: Final = range(-141_437, -141_427)
"""1582-10-05 to 1582-10-14: no days of Java's calendar, through which Debezium reads a DATETIME of a snapshot."""


def snapshot_select(table: Table, columns: Sequence[Column]) -> str:
    """What stands between SELECT and FROM: one expression a column, in order."""
    return ", ".join("`" + column.name.replace("`", "``") + "`" for column in columns) or "NULL"


def compile_snapshot_rows(
    columns: Sequence[Column],
    options: TypeOptions,
    masks: Sequence[Mask | None] = (),
    twin: ModuleType | None = hot,
) -> Callable[[Sequence[RawRow]], list[tuple[Any, ...]]]:
    """A function from rows as the text protocol has them (bytes or None for each expression) to row tuples.

    `masks` has one item a column, or none at all. It raises DecodeError when a text is not what its type says.
    """
    constants: dict[str, Any] = {}
    names, shown, reads = [], [], []
    for i, (column, mask) in enumerate(zip_longest(columns, masks)):
        name = f"c{i}"
        value = _value(column, options, name, constants)
        names.append(name)
        reads.append(eval(f"lambda {name}: {value}", constants))
        value = value if not column.optional or value == name else f"None if {name} is None else {value}"
        if mask is not None and mask.change is not None:
            constants[f"mask_{name}"] = mask.change
            value = f"mask_{name}({value})"
        shown.append(value)
    row = "".join(f"({value}), " for value in shown)
    source = f"lambda rows: [({row}) for {''.join(f'{name}, ' for name in names) or '_'} in rows]"
    read: Callable[[Sequence[RawRow]], list[tuple[Any, ...]]] = eval(source, constants)

    def guarded(rows: Sequence[RawRow]) -> list[tuple[Any, ...]]:
        try:
            return read(rows)
        except _DAMAGE as error:
            raise DecodeError(
                f"a snapshot row does not fit its table ({type(error).__name__}): the table was changed while it was "
                "read; the snapshot has to start anew"
            ) from error

    if twin is None or not columns:
        return guarded
    native = native_texts(twin, columns, options, masks, reads)

    def compiled(rows: Sequence[RawRow]) -> list[tuple[Any, ...]]:
        try:
            return native(rows)
        except _DAMAGE:  # the reference decides
            return guarded(rows)

    return compiled


def _value(column: Column, options: TypeOptions, name: str, constants: dict[str, Any]) -> str:
    """The expression that reads the variable `name`; what it needs under a global name goes to `constants`."""
    kind = family(column)
    if kind is Family.INTEGER:
        return _integer(column, options, name)
    if kind in (Family.TEXT, Family.ENUM, Family.SET, Family.JSON, Family.UUID, Family.INET):
        return f'{name}.decode("utf-8", "{AS_JAVA}")'
    if kind is Family.BOOLEAN:
        return f"int({name}) != 0"
    if kind is Family.BINARY and options.binary == "bytes" and not padding(column):
        return name
    if kind is Family.DECIMAL and options.decimal == "precise":
        return f'int({name}.replace(b".", b""))'
    if kind is Family.DATETIME and options.time_precision != "isostring":
        return _datetime_number(column, options, name, constants)
    constants[f"read_{name}"] = _READERS[kind](column, options)
    return f"read_{name}({name})"


def _integer(column: Column, options: TypeOptions, name: str) -> str:
    if integer_bits(column) == 64 and is_unsigned(column) and options.bigint_unsigned == "long":
        return f"(int({name}) + {1 << 63}) % {1 << 64} - {1 << 63}"
    return f"int({name})"


Reader = Callable[[bytes], Any]


def _float(column: Column, options: TypeOptions) -> Reader:
    single = is_single(column) or is_stored_single(column)
    return (lambda text: to_single(float(text))) if single else float


def _decimal(column: Column, options: TypeOptions) -> Reader:
    if options.decimal == "double":
        return float
    scale = column.scale or 0
    return lambda text: decimal_text(int(text.replace(b".", b"")), scale)


def _bit(column: Column, options: TypeOptions) -> Reader:
    if (column.length or 1) == 1:
        return lambda raw: raw[-1] & 1 == 1
    return lambda raw: raw[::-1]


def _binary(column: Column, options: TypeOptions) -> Reader:
    width, shown = padding(column), BINARY_TEXT.get(options.binary, bytes)
    return lambda raw: shown(raw.ljust(width, b"\0"))


def _year(column: Column, options: TypeOptions) -> Reader:
    return lambda text: full_year(int(text))


def _days(date: bytes, adjust: bool) -> int | None:
    year, month, day = date.split(b"-")
    return valid_day(int(year), int(month), int(day), adjust=adjust)


def _date(column: Column, options: TypeOptions) -> Reader:
    form, adjust = DateForm(options.time_precision), options.adjust_years
    missing = missing_date(column, options, form.epoch)

    def show(text: bytes) -> Any:
        days = _days(text, adjust)
        return missing if days is None else form.show(days)

    return Cache(show).__getitem__


def _seconds(clock: bytes) -> int:
    return (int(clock[:2]) * 60 + int(clock[3:5])) * 60 + int(clock[6:8])


@lru_cache(maxsize=4)
def _clock(unit: int) -> Cache[bytes, int]:
    """`01:02:03` in units since midnight."""
    return Cache(lambda clock: _seconds(clock) * unit, DAY_SECONDS)


@lru_cache(maxsize=64)
def _midnights(unit: int, adjust: bool) -> Cache[bytes, int | None]:
    """`2026-11-21` in units since 1970, or None."""

    def midnight(date: bytes) -> int | None:
        days = _days(b"0001" + date[4:] if date[:4] == b"0000" else date, adjust)
        if days is None:
            return None
        return (days + 10 if days in _LEFT_OUT else days) * DAY_SECONDS * unit

    return Cache(midnight)


def _datetime_number(column: Column, options: TypeOptions, name: str, constants: dict[str, Any]) -> str:
    form, digits = DatetimeForm(options.time_precision, fraction_digits(column)), fraction_digits(column)
    constants |= {
        f"days_{name}": _midnights(form.unit, options.adjust_years),
        f"clock_{name}": _clock(form.unit),
        f"missing_{name}": missing_date(column, options, form.epoch),
    }
    value = f"day + clock_{name}[{name}[11:19]]"
    if digits:
        scale = form.unit // 10**digits
        value += f" + int({name}[20:])" + (f" * {scale}" if scale else f" // {10**digits // form.unit}")
    if form.wraps:
        constants["wrapped"] = wrapped
        value = f"wrapped({value})"
    return f"(missing_{name} if (day := days_{name}[{name}[:10]]) is None else {value})"


def _datetime(column: Column, options: TypeOptions) -> Reader:
    """As a text."""
    form = DatetimeForm(options.time_precision, fraction_digits(column))
    missing, days = missing_date(column, options, form.epoch), _midnights(1_000_000, options.adjust_years)

    def show(text: bytes) -> Any:
        midnight = days[text[:10]]
        if midnight is None:
            return missing
        fraction = int(text[20:].ljust(6, b"0")) if len(text) > 20 else 0
        return form.show(midnight + _seconds(text[11:19]) * 1_000_000 + fraction)

    return show


def _timestamp(column: Column, options: TypeOptions) -> Reader:
    """The server's text in another dress; the zero TIMESTAMP is null where that is possible."""
    missing = missing_date(column, options, "1970-01-01T00:00:00Z")
    has_fraction = fraction_digits(column) > 0

    def show(raw: bytes) -> Any:
        text = raw.decode("ascii")
        if text.startswith("0000"):
            return missing
        clock = text[11:].rstrip("0").rstrip(".") if has_fraction else text[11:]
        return f"{text[:10]}T{clock}Z"

    return show


def _time(column: Column, options: TypeOptions) -> Reader:
    shown = time_shown(column, options)

    def show(text: bytes) -> Any:
        micros = parse_time(text.decode("ascii"))
        if micros is None:
            raise ValueError("no TIME")
        return shown(micros)

    return Cache(show).__getitem__


_READERS: Final[dict[Family, Callable[[Column, TypeOptions], Reader]]] = {
    Family.FLOAT: _float, Family.DECIMAL: _decimal, Family.BIT: _bit, Family.BINARY: _binary, Family.YEAR: _year,
    Family.DATE: _date, Family.DATETIME: _datetime, Family.TIMESTAMP: _timestamp, Family.TIME: _time,
    Family.POINT: lambda column, options: point, Family.GEOMETRY: lambda column, options: geometry,
    Family.VECTOR: lambda column, options: vector,
}  # fmt: skip
