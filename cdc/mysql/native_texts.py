"""Columns of a SELECT -> the program that the compiled twin of `snapshot_values.py` follows for each row.

A column is told by (kind, a, b, null is possible, function for texts of another form than the usual, mask). The kinds
stand in `cdc/native/mysql_texts.c`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cdc.masks import Mask
from cdc.mysql.column_decoder import padding
from cdc.mysql.temporal import DateForm, DatetimeForm
from cdc.mysql.type_family import Family, TypeOptions, family, fraction_digits, is_single, is_stored_single
from cdc.table import Column

if TYPE_CHECKING:
    from cdc.native._hot import MysqlTexts


class _Usual(NamedTuple):
    """What is made of a text of the usual form."""

    kind: str
    a: int = 0
    b: int = 0


_CALL: Final = _Usual("call")
_TEXT: Final = _Usual("text")
_MOST_DIGITS: Final = 6


def native_texts(
    twin: ModuleType,
    columns: Sequence[Column],
    options: TypeOptions,
    masks: Sequence[Mask | None],
    reads: Sequence[Callable[[bytes], Any]],
) -> MysqlTexts:
    """The twin's reader of rows. `masks` as in `compile_snapshot_rows`; `reads` has one function a column."""
    changes = [None if mask is None else mask.change for mask in masks]
    return twin.MysqlTexts(  # type: ignore[no-any-return]
        tuple(
            (*_USUAL.get(family(column), _call)(column, options), column.optional, read, change)
            for column, read, change in zip_longest(columns, reads, changes)
        )
    )


def _call(column: Column, options: TypeOptions) -> _Usual:
    return _CALL


def _text(column: Column, options: TypeOptions) -> _Usual:
    return _TEXT


def _float(column: Column, options: TypeOptions) -> _Usual:
    return _Usual("single" if is_single(column) or is_stored_single(column) else "float")


def _decimal(column: Column, options: TypeOptions) -> _Usual:
    """a: digits after the point of a text."""
    if options.decimal == "string":
        scale = column.scale or 0
        return _Usual("plain", scale) if scale >= 0 else _CALL
    return _Usual("float" if options.decimal == "double" else "decimal")


def _bit(column: Column, options: TypeOptions) -> _Usual:
    return _Usual("bit") if (column.length or 1) == 1 else _CALL


def _binary(column: Column, options: TypeOptions) -> _Usual:
    """a: from how many bytes on nothing is to be filled up."""
    return _Usual("bytes", padding(column)) if options.binary == "bytes" else _CALL


def _date(column: Column, options: TypeOptions) -> _Usual:
    return _CALL if DateForm(options.time_precision).iso else _Usual("days")


def _datetime(column: Column, options: TypeOptions) -> _Usual:
    """a: what is counted, in a second; b: digits of fraction."""
    digits = fraction_digits(column)
    unit = DatetimeForm(options.time_precision, digits).unit
    return _Usual("datetime", unit, digits) if unit and digits <= _MOST_DIGITS else _CALL


def _timestamp(column: Column, options: TypeOptions) -> _Usual:
    """a: digits of fraction."""
    digits = fraction_digits(column)
    return _Usual("timestamp", digits) if digits <= _MOST_DIGITS else _CALL


_USUAL: Final[dict[Family, Callable[[Column, TypeOptions], _Usual]]] = {
    **dict.fromkeys((Family.TEXT, Family.ENUM, Family.SET, Family.JSON, Family.UUID, Family.INET), _text),
    Family.INTEGER: lambda column, options: _Usual("int"), Family.BOOLEAN: lambda column, options: _Usual("truth"),
    Family.FLOAT: _float, Family.DECIMAL: _decimal, Family.BIT: _bit, Family.BINARY: _binary, Family.DATE: _date,
    Family.DATETIME: _datetime, Family.TIMESTAMP: _timestamp,
}  # fmt: skip
