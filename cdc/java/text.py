"""Values of any schema as the text that Java's `toString` gives them: `Struct{id=1,name=x}`, `[1, null]`, `{a=1}`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Final

from cdc.errors import ConversionError
from cdc.java.numbers import double_text, float_text
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT: Final = Context(prec=10_000)
_MILLIS: Final = {DATE: 86_400_000, TIME: 1, TIMESTAMP: 1}


def decimal_java(unscaled: int, scale: int) -> str:
    """`BigDecimal.toString`: 12.30, 1E-8."""
    return str(Decimal(unscaled).scaleb(-scale, _EXACT))


def instant(schema: Schema, value: int) -> datetime:
    """The moment of a Connect Date, Time or Timestamp, in UTC."""
    return _EPOCH + timedelta(milliseconds=value * _MILLIS[schema.name or TIMESTAMP])


def java_text(schema: Schema | None, value: Any) -> str:
    """`value` may be schemaless. Raises: ConversionError for bytes, which have no text in Java."""
    if value is None:
        return "null"
    if schema is None:
        return _schemaless(value)
    if schema.name in _MILLIS:
        return instant(schema, value).strftime("%a %b %d %H:%M:%S UTC %Y")
    if schema.name == DECIMAL:
        return decimal_java(value, schema.scale)
    match schema.type:
        case Type.STRUCT:
            pairs = zip(schema.fields, value, strict=True)
            members = (f"{f.name}={java_text(f.schema, v)}" for f, v in pairs if v is not None)
            return f"Struct{{{','.join(members)}}}"
        case Type.ARRAY:
            return f"[{', '.join(java_text(schema.items, item) for item in value)}]"
        case Type.MAP:
            pairs_ = (f"{java_text(schema.keys, k)}={java_text(schema.items, v)}" for k, v in value.items())
            return f"{{{', '.join(pairs_)}}}"
        case Type.FLOAT32:
            return float_text(value)
        case _:
            return _schemaless(value)


def _schemaless(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case list() | tuple():
            return f"[{', '.join(java_text(None, item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{java_text(None, k)}={java_text(None, v)}' for k, v in value.items())}}}"
    raise ConversionError(f"{type(value).__name__} has no text; use ByteArrayConverter or JsonConverter for it")
