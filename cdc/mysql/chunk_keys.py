"""Key columns of a chunk: how they are selected, compared, and kept as the Java values that Debezium keeps. No I/O.

Source: Debezium 3.5.0.Final's offsets, Connector/J's types; MySQL's manual, "Comparison Operators".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from cdc.errors import SourceError
from cdc.java.objects import JavaValue, Key
from cdc.mysql.temporal import parse_time
from cdc.mysql.type_family import Family, family, integer_bits, is_single, is_unsigned
from cdc.schema import to_single
from cdc.table import Column

_EPOCH: Final = datetime(1970, 1, 1)
_MICRO: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


def expression(column: Column) -> str:
    """What to select, so that the text is exact and orders as the column does."""
    name = "`" + column.name.replace("`", "``") + "`"
    match family(column):
        case Family.FLOAT:
            return f"{name} * 1e0"
        case Family.ENUM | Family.SET | Family.BIT:
            return f"{name} + 0"
        case _:
            return name


def key_of(columns: Sequence[Column], raw: Sequence[bytes | None]) -> Key:
    """The selected texts of one row as Java values."""
    return tuple(
        None if text is None else _value(column, text) for column, text in zip(columns, raw, strict=True)
    )  # fmt: skip


def literals(columns: Sequence[Column], key: Key) -> list[str | None]:
    """What SQL compares the columns with; None for null. Raises: SourceError: the key is not of these columns."""
    if len(columns) != len(key):
        raise SourceError(
            f"an incremental snapshot stands at a key of {len(key)} columns, but its table's key now has "
            f"{len(columns)}: send the signals stop-snapshot and execute-snapshot again"
        )
    return [None if value is None else _literal(column, value) for column, value in zip(columns, key, strict=True)]


def _value(column: Column, text: bytes) -> JavaValue:
    kind = family(column)
    if kind in _READ:
        return _READ[kind](column, text)
    if kind is Family.BINARY or kind in (Family.GEOMETRY, Family.POINT, Family.VECTOR):
        return JavaValue("bytes", text)
    return JavaValue("String", text.decode("utf-8", "replace"))


def _integer(column: Column, text: bytes) -> JavaValue:
    bits, unsigned, number = integer_bits(column), is_unsigned(column), int(text)
    if bits == 64:
        return JavaValue("BigInteger" if unsigned else "Long", number)
    return JavaValue("Long" if bits == 32 and unsigned else "Integer", number)


def _decimal(column: Column, text: bytes) -> JavaValue:
    whole, _, fraction = text.decode().partition(".")
    return JavaValue("BigDecimal", (int(whole + fraction), len(fraction)))


def _float(column: Column, text: bytes) -> JavaValue:
    number = float(text)
    return JavaValue("Float", to_single(number)) if is_single(column) else JavaValue("Double", number)


def _bit(column: Column, text: bytes) -> JavaValue:
    width, number = column.length or 1, int(text)
    if width == 1:
        return JavaValue("Boolean", number == 1)
    return JavaValue("bytes", number.to_bytes((width + 7) // 8, "big"))


def _enum(column: Column, text: bytes) -> JavaValue:
    number = int(text)
    return JavaValue("String", column.enum_values[number - 1] if 0 < number <= len(column.enum_values) else "")


def _set(column: Column, text: bytes) -> JavaValue:
    number = int(text)
    return JavaValue("String", ",".join(value for bit, value in enumerate(column.enum_values) if number >> bit & 1))


def _date(column: Column, text: bytes) -> JavaValue:
    year, month, day = map(int, text.split(b"-"))
    return JavaValue("LocalDate", (year, month, day))


def _year(column: Column, text: bytes) -> JavaValue:
    year = int(text)
    if not year:
        return JavaValue("Integer", 0)
    return JavaValue("Date", (datetime(year, 1, 1) - _EPOCH) // timedelta(milliseconds=1))


def _time(column: Column, text: bytes) -> JavaValue:
    seconds, micros = divmod(parse_time(text.decode()) or 0, _SECOND)
    return JavaValue("Duration", (seconds, micros * 1000))


def _datetime(column: Column, text: bytes) -> JavaValue:
    """A date that no calendar has stays a text, with which MySQL compares as well."""
    try:
        at = datetime.fromisoformat(text.decode())
    except ValueError:
        return JavaValue("String", text.decode())
    seconds, micros = divmod((at - _EPOCH) // _MICRO, _SECOND)
    return JavaValue("Timestamp", (seconds * 1000, micros * 1000))


_READ: Final[dict[Family, Callable[[Column, bytes], JavaValue]]] = {
    Family.INTEGER: _integer, Family.BOOLEAN: lambda column, text: JavaValue("Integer", int(text)),
    Family.DECIMAL: _decimal, Family.FLOAT: _float, Family.BIT: _bit, Family.ENUM: _enum, Family.SET: _set,
    Family.DATE: _date, Family.YEAR: _year, Family.TIME: _time, Family.DATETIME: _datetime,
    Family.TIMESTAMP: _datetime,
}  # fmt: skip


def _literal(column: Column, value: JavaValue) -> str:
    """ENUM, SET and BIT are compared as the numbers by which they are ordered."""
    kind, content = value
    family_ = family(column)
    if family_ is Family.ENUM:
        return str(column.enum_values.index(content) + 1 if content in column.enum_values else 0)
    if family_ is Family.SET:
        members = content.split(",") if content else []
        return str(sum(1 << column.enum_values.index(member) for member in members if member in column.enum_values))
    if kind == "bytes":
        return str(int.from_bytes(content, "big")) if family_ is Family.BIT else f"X'{content.hex()}'"
    if kind == "String":
        return _quoted(content)
    if kind == "Boolean":
        return "1" if content else "0"
    if kind == "BigDecimal":
        unscaled, scale = content
        digits = str(abs(unscaled)).rjust(scale + 1, "0")
        text = f"{digits[:-scale]}.{digits[-scale:]}" if scale > 0 else digits + "0" * -scale
        return f"-{text}" if unscaled < 0 else text
    if kind in ("Float", "Double"):
        return f"{content!r}e0" if "e" not in repr(content) else repr(content)
    if kind in _SHOWN:
        return _SHOWN[kind](column, content)
    return str(content)


def _timestamp(column: Column, content: tuple[int, int]) -> str:
    milliseconds, nanos = content
    at = _EPOCH + timedelta(milliseconds=milliseconds, microseconds=nanos // 1000)
    return f"'{at.isoformat(' ', 'microseconds')}'"


def _duration(column: Column, content: tuple[int, int]) -> str:
    seconds, nanos = content
    micros = seconds * _SECOND + nanos // 1000
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, fraction = divmod(micros, _SECOND)
    return f"'{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{fraction:06d}'"


def _sql_date(column: Column, content: int) -> str:
    at = _EPOCH + timedelta(milliseconds=content)
    return str(at.year) if family(column) is Family.YEAR else f"'{at:%Y-%m-%d}'"


_SHOWN: Final[dict[str, Callable[[Column, Any], str]]] = {
    "Timestamp": _timestamp, "Duration": _duration, "Date": _sql_date,
    "LocalDate": lambda column, content: "'{:04d}-{:02d}-{:02d}'".format(*content),
    "LocalDateTime": lambda column, content: "'{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}.{:06d}'".format(
        *content[:6], content[6] // 1000),
    "LocalTime": lambda column, content: "'{:02d}:{:02d}:{:02d}.{:06d}'".format(*content[:3], content[3] // 1000),
    "Time": lambda column, content: _duration(column, (content // 1000, content % 1000 * 1_000_000)),
}  # fmt: skip


def _quoted(text: str) -> str:
    """A string literal, whatever stands in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"_utf8mb4'{escaped}'"
