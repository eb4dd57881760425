"""Key columns of a chunk: how they are compared, and kept as the Java values that Debezium keeps. No I/O.

PostgreSQL reads a literal in quotes as a value of the type it is compared with, so every value is compared as its text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from cdc.errors import SourceError
from cdc.java.objects import JavaValue, Key
from cdc.postgres.catalog import PgColumn, Types
from cdc.schema import decimal_text, to_single

_EPOCH: Final = datetime(1970, 1, 1)
_MICRO: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


def key_of(columns: Sequence[PgColumn], texts: Sequence[str | None], types: Types) -> Key:
    """The texts of one row as Java values."""
    return tuple(
        None if text is None else _value(_type(column, types), text)
        for column, text in zip(columns, texts, strict=True)
    )


def literals(columns: Sequence[PgColumn], key: Key, types: Types) -> list[str | None]:
    """What SQL compares the columns with; None for null. Raises: SourceError: the key is not of these columns."""
    if len(columns) != len(key):
        raise SourceError(
            f"an incremental snapshot stands at a key of {len(key)} columns, but its table's key now has "
            f"{len(columns)}: send the signals stop-snapshot and execute-snapshot again"
        )
    return [
        None if value is None else quoted_text(_text(_type(column, types), value))
        for column, value in zip(columns, key, strict=True)
    ]


def quoted_text(text: str) -> str:
    """A literal; `standard_conforming_strings` is on."""
    return "'" + text.replace("'", "''") + "'"


def _type(column: PgColumn, types: Types) -> str:
    """A domain's base type."""
    type_ = column.type
    while type_.base and (base := types[type_.base]) is not None:
        type_ = base
    return type_.name


def _value(type_: str, text: str) -> JavaValue:
    try:
        return _READ[type_](text)
    except (KeyError, ValueError):  # infinity, a year before Christ, NaN
        return JavaValue("String", text)


def _decimal(text: str) -> JavaValue:
    whole, _, fraction = text.partition(".")
    return JavaValue("BigDecimal", (int(whole + fraction), len(fraction)))


def _date(text: str) -> JavaValue:
    return JavaValue("Date", (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1))


def _timestamp(text: str) -> JavaValue:
    seconds, micros = divmod((datetime.fromisoformat(text.removesuffix("+00")) - _EPOCH) // _MICRO, _SECOND)
    return JavaValue("Timestamp", (seconds * 1000, micros * 1000))


_READ: Final[dict[str, Callable[[str], JavaValue]]] = {
    "int2": lambda text: JavaValue("Integer", int(text)), "int4": lambda text: JavaValue("Integer", int(text)),
    "int8": lambda text: JavaValue("Long", int(text)), "oid": lambda text: JavaValue("Long", int(text)),
    "numeric": _decimal, "float4": lambda text: JavaValue("Float", to_single(float(text))),
    "float8": lambda text: JavaValue("Double", float(text)), "bool": lambda text: JavaValue("Boolean", text == "t"),
    "bytea": lambda text: JavaValue("bytes", bytes.fromhex(text[2:])), "date": _date, "timestamp": _timestamp,
    "timestamptz": _timestamp,
}  # fmt: skip


def _text(type_: str, value: JavaValue) -> str:
    kind, content = value
    shown = _SHOWN.get(kind)
    text = str(content) if shown is None else shown(content)
    return text + "+00" if kind == "Timestamp" and type_ == "timestamptz" else text


def _shown_timestamp(content: tuple[int, int]) -> str:
    milliseconds, nanos = content
    at = _EPOCH + timedelta(milliseconds=milliseconds // 1000 * 1000, microseconds=nanos // 1000)
    return at.isoformat(" ", "microseconds")


_SHOWN: Final[dict[str, Callable[[Any], str]]] = {
    "Boolean": lambda content: "t" if content else "f", "bytes": lambda content: "\\x" + content.hex(),
    "BigDecimal": lambda content: decimal_text(*content), "Float": repr, "Double": repr,
    "Date": lambda content: f"{(_EPOCH + timedelta(milliseconds=content)).date().isoformat()}",
    "Timestamp": _shown_timestamp,
}  # fmt: skip
