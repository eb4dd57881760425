"""Columns of a rows event -> the program that the compiled twin of `row_decoder.py` follows for each row.

An op is (kind, null is possible, place in the row or -1, size, a, b, object, other). The kinds stand in
`cdc/native/mysql_rows.c`; a column without a kind of its own is read by a function made of its `Steps`.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, NamedTuple, Protocol

from cdc.masks import Mask
from cdc.mysql.charset import AS_JAVA, stored_codec
from cdc.mysql.column_decoder import StoredColumn, code_bytes, layout, missing_date, padding, steps
from cdc.mysql.temporal import Cache, DateForm, DatetimeForm
from cdc.mysql.type_family import Family, family, is_single, is_unsigned, options_of
from cdc.schema import decimal_text
from cdc.table import Column

Decode = Callable[[bytes, int, int], list[Any]]
"""(event, start, end of the rows in it) -> rows: tuples, or for updates pairs of tuples (before, after)."""


class NativeDecode(Protocol):
    """The twin's decoder of one kind of rows event. Raises: Refused: the reference is to decide."""

    def __call__(self, event: bytes, start: int, end: int, /) -> list[Any]: ...

    def singles(
        self, events: list[bytes], at: int, most: int, head: bytes, head_at: int, checksum: int, /
    ) -> list[Any]:
        """The rows of the events from number `at` on, while each has one row, and `head` at `head_at` before it."""


_FLOAT, _TIMESTAMP, _LONGLONG, _DATETIME2, _TIME2 = 4, 7, 8, 18, 19
_COMPRESSED: Final = (140, 141)
_DIGITS: Final = 38
"""Digits of the longest DECIMAL whose numbers fit 128 bits."""
_ASCII: Final = bytes(range(128))
_TIME_UNITS: Final = {"nanoseconds": 1_000_000_000, "connect": 1000}


@dataclass(frozen=True)
class Present:
    """A column that stands in a row image."""

    stored: StoredColumn
    is_wanted: bool
    nullable: bool


class _Op(NamedTuple):
    """How to read a value: of `size` bytes, with so many bytes of fraction, or with a length of so many before it."""

    kind: str
    size: int
    a: int = 0
    b: int = 0
    object: Any = None
    other: Any = None


def native_rows(
    twin: ModuleType, columns: Sequence[Column], masks: Sequence[Mask | None], images: Sequence[Sequence[Present]]
) -> NativeDecode | None:
    """The twin's decoder of rows with these images; None: it has no way to read them."""
    places = {column.name: i for i, column in enumerate(columns)}
    if len(places) < len(columns):  # a masked column of the key is shown a second time, as it is
        return None
    changes = tuple(None if mask is None else mask.change for mask in masks)
    programs = tuple(tuple(_op(column, places) for column in image) for image in images)
    try:
        decode: NativeDecode = twin.MysqlRows(len(columns), programs, changes if any(changes) else None)
    except ValueError:  # such as a column that stands in the table twice
        return None
    return decode


def _op(present: Present, places: dict[str, int]) -> tuple[Any, ...]:
    stored = present.stored
    if not present.is_wanted:
        size, has_payload = _layout_bytes(stored)
        return ("skip_payload" if has_payload else "skip", present.nullable, -1, size, 0, 0, None, None)
    read = _READERS.get(family(stored.column), _by_steps)(stored)
    return (read.kind, present.nullable, places[stored.column.name], *read[1:])


def _layout_bytes(stored: StoredColumn) -> tuple[int, bool]:
    codes, has_payload = layout(stored)
    return sum(code_bytes(code) for code, _ in codes), has_payload


def _size(stored: StoredColumn) -> int:
    return _layout_bytes(stored)[0]


def _by_steps(stored: StoredColumn) -> _Op:
    """A function from the value's bytes to the value."""
    made, v = steps(stored), stored.variable
    stored.constants.update(from_bytes=int.from_bytes, decimal_text=decimal_text)
    if made.payload is not None:
        body = f"lambda raw: {made.payload.format(raw='raw')}"
        return _Op("payload", _size(stored), object=eval(body, stored.constants))
    unpack = stored.constant("unpack", struct.Struct("<" + "".join(code for code, _ in made.codes)).unpack)
    names = "".join(f"{name}, " for _, name in made.codes)
    lines = ["def read(raw):", f" {names} = {unpack}(raw)", *(f" {line}" for line in made.lines), f" return {v}"]
    exec("\n".join(lines), stored.constants)
    return _Op("fixed", sum(code_bytes(code) for code, _ in made.codes), object=stored.constants["read"])


def _integer(stored: StoredColumn) -> _Op:
    overflows = stored.type == _LONGLONG and stored.options.bigint_unsigned == "long"
    return _Op("unsigned" if is_unsigned(stored.column) and not overflows else "signed", _size(stored))


def _bit(stored: StoredColumn) -> _Op:
    return _Op("bit", 1) if (stored.column.length or 1) == 1 else _Op("bits", _size(stored))


def _float(stored: StoredColumn) -> _Op:
    if stored.type == _FLOAT:
        return _Op("float", 4)
    return _Op("single" if is_single(stored.column) else "double", 8)


def _decimal(stored: StoredColumn) -> _Op:
    """a, b: precision and scale; object: what the number is divided by."""
    precision, scale = stored.meta >> 8, stored.meta & 0xFF
    if precision > _DIGITS:
        return _by_steps(stored)
    kind = {"string": "decimal_text", "double": "decimal_double"}.get(stored.options.decimal, "decimal")
    return _Op(kind, _size(stored), precision, scale, 10**scale)


def _text(stored: StoredColumn) -> _Op:
    """object: what decodes a text that is not ASCII."""
    name = stored_codec(stored.collation, stored.column.charset)
    if stored.type in _COMPRESSED:
        return _by_steps(stored)
    known = {"utf_8": "utf8", "ascii": "ascii", "latin_1": "latin1"}.get(name)
    if known is not None:
        return _Op(known, _size(stored))
    decode = codecs.lookup(name).decode
    if decode(_ASCII, AS_JAVA)[0] != _ASCII.decode("ascii"):
        return _by_steps(stored)
    return _Op("text", _size(stored), object=lambda raw: decode(raw, AS_JAVA)[0])


def _binary(stored: StoredColumn) -> _Op:
    """a: the least size, which zeros fill up."""
    if stored.type in _COMPRESSED or stored.options.binary != "bytes":
        return _by_steps(stored)
    return _Op("bytes", _size(stored), padding(stored.column))


def _enum(stored: StoredColumn) -> _Op:
    return _Op("enum", _size(stored), object=("", *options_of(stored.column)))


def _set(stored: StoredColumn) -> _Op:
    """object: the text of a number whose bits are members."""
    options = options_of(stored.column)
    members: Cache[int, str] = Cache(lambda bits: ",".join(o for i, o in enumerate(options) if bits >> i & 1))
    return _Op("set", _size(stored), object=members)


def _date(stored: StoredColumn) -> _Op:
    """a: whether years are adjusted; object: what a zero date is; other: what another is that the calendar has not."""
    options, form = stored.options, DateForm(stored.options.time_precision)
    missing = missing_date(stored.column, options, form.epoch)
    invalid = form.epoch if options.invalid_as_epoch else missing
    return _Op("date_text" if form.iso else "date", 3, options.adjust_years, 0, missing, invalid)


def _datetime(stored: StoredColumn) -> _Op:
    """a: units in a second; the rest as of a date, but with b for a."""
    if stored.type != _DATETIME2:
        return _by_steps(stored)
    options, form = stored.options, DatetimeForm(stored.options.time_precision, stored.column.length or 0)
    missing = missing_date(stored.column, options, form.epoch)
    invalid = form.epoch if options.invalid_as_epoch else missing
    kind, unit = ("datetime", form.unit) if form.unit else ("datetime_text", 1_000_000)
    return _Op(kind, (stored.meta + 1) // 2, unit, options.adjust_years, missing, invalid)


def _timestamp(stored: StoredColumn) -> _Op:
    """a: digits of fraction."""
    if stored.type == _TIMESTAMP:
        return _Op("old_timestamp", 0)
    return _Op("timestamp", (stored.meta + 1) // 2, stored.meta)


def _time(stored: StoredColumn) -> _Op:
    """a: units in a second; b: what lies outside of a day is 0 shown too, 1 None, 2 refused."""
    options = stored.options
    if stored.type != _TIME2:
        return _by_steps(stored)
    within = 2 if options.fail_on_failure else 1
    outside = within if options.time_precision in ("connect", "isostring") else 0
    kind = "time_text" if options.time_precision == "isostring" else "time"
    return _Op(kind, (stored.meta + 1) // 2, _TIME_UNITS.get(options.time_precision, 1_000_000), outside)


_READERS: Final[dict[Family, Callable[[StoredColumn], _Op]]] = {
    Family.BOOLEAN: lambda stored: _Op("boolean", 1), Family.BIT: _bit, Family.INTEGER: _integer,
    Family.FLOAT: _float, Family.DECIMAL: _decimal, Family.TEXT: _text, Family.BINARY: _binary, Family.ENUM: _enum,
    Family.SET: _set, Family.YEAR: lambda stored: _Op("year", 1), Family.DATE: _date, Family.DATETIME: _datetime,
    Family.TIMESTAMP: _timestamp, Family.TIME: _time,
}  # fmt: skip
