"""Connect schemas to the `schema` part of JsonConverter's envelopes and back; and the plain values inside it.

Members stand in Kafka Connect's order: type, items | keys, values | fields, optional, name, version, doc,
parameters, default, field; those that are null are left out.
"""

from __future__ import annotations

import string
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

import orjson

from cdc.errors import ConversionError
from cdc.json.text import double_json, float_json
from cdc.schema import DECIMAL, Field, Schema, Type, decimal_bytes

_TYPES: Final = {kind.value: kind for kind in Type}
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_EXACT: Final = Context(prec=10_000)


_LETTERS: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
BASE64_PAIRS: Final = tuple(first + second for first in _LETTERS for second in _LETTERS)
"""Twelve bits -> two letters of base64."""


def base64_text(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


def decimal_base64(unscaled: int) -> str:
    return b2a_base64(decimal_bytes(unscaled), newline=False).decode()


def decimal_number(unscaled: int, scale: int) -> Any:
    """A Decimal as a JSON number, in the form of Java's `BigDecimal.toString`: 12.30, 1E-8."""
    return orjson.Fragment(str(Decimal(unscaled).scaleb(-scale, _EXACT)).encode())


def plain(schema: Schema, value: Any, *, numeric: bool) -> Any:
    """A value as orjson must be given it; slow, for defaults. `numeric`: Decimals as numbers, not base64."""
    if value is None:
        return None
    match schema.type:
        case Type.FLOAT64:
            return value if 0.001 <= value < 1e7 else double_json(value)
        case Type.FLOAT32:
            return float_json(value)
        case Type.BYTES if schema.name == DECIMAL:
            return decimal_number(value, schema.scale) if numeric else decimal_base64(value)
        case Type.BYTES:
            return base64_text(value)
        case Type.ARRAY if schema.items is not None:
            return [plain(schema.items, item, numeric=numeric) for item in value]
        case Type.MAP if schema.keys is not None and schema.items is not None:
            pairs = [
                [plain(schema.keys, k, numeric=numeric), plain(schema.items, v, numeric=numeric)]
                for k, v in value.items()
            ]
            return dict(pairs) if schema.keys.type is Type.STRING else pairs
        case Type.STRUCT:
            return {f.name: plain(f.schema, v, numeric=numeric) for f, v in zip(schema.fields, value, strict=True)}
        case _:
            return value


def schema_json(schema: Schema | None, *, numeric: bool, field: str | None = None) -> dict[str, Any] | None:
    """The members of a schema; `field` is its name inside a struct."""
    if schema is None:
        return None
    members: dict[str, Any] = {"type": schema.type.value}
    match schema.type:
        case Type.ARRAY:
            members["items"] = schema_json(schema.items, numeric=numeric)
        case Type.MAP:
            members["keys"] = schema_json(schema.keys, numeric=numeric)
            members["values"] = schema_json(schema.items, numeric=numeric)
        case Type.STRUCT:
            members["fields"] = [schema_json(f.schema, numeric=numeric, field=f.name) for f in schema.fields]
    members["optional"] = schema.optional
    for name, value in (("name", schema.name), ("version", schema.version), ("doc", schema.doc)):
        if value is not None:
            members[name] = value
    if schema.parameters:
        members["parameters"] = dict(schema.parameters)
    if schema.default is not None:
        members["default"] = plain(schema, schema.default, numeric=numeric)
    if field is not None:
        members["field"] = field
    return members


def parse_schema(members: Any) -> Schema | None:
    """The schema of parsed JSON. Raises: ConversionError saying what is wrong with it."""
    if members is None:
        return None
    if not isinstance(members, dict) or not isinstance(members.get("type"), str):
        raise ConversionError("Schema must contain 'type' field")
    kind = _TYPES.get(members["type"])
    if kind is None:
        raise ConversionError(f"Unknown schema type: {members['type']}; it must be one of {', '.join(_TYPES)}")
    bare = Schema(
        kind,
        optional=_member(members, "optional", bool) or False,
        name=_member(members, "name", str),
        version=_member(members, "version", int),
        doc=_member(members, "doc", str),
        parameters=tuple(_parameters(members)),
        **_parts(kind, members),
    )
    default = members.get("default")
    return bare if default is None else bare.with_(default=read_plain(bare, default))


def _member(members: Mapping[str, Any], name: str, kind: type) -> Any:
    value = members.get(name)
    if value is not None and type(value) is not kind:
        raise ConversionError(f"Invalid schema: {name!r} must be of type {kind.__name__}")
    return value


def _parameters(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    parameters = _member(members, "parameters", dict) or {}
    if not all(isinstance(value, str) for value in parameters.values()):
        raise ConversionError("Schema parameters must have string values.")
    return list(parameters.items())


def _parts(kind: Type, members: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case Type.ARRAY:
            if members.get("items") is None:
                raise ConversionError("Array schema did not specify the element type")
            return {"items": parse_schema(members["items"])}
        case Type.MAP:
            if members.get("keys") is None or members.get("values") is None:
                raise ConversionError("Map schema did not specify the key and the value type")
            return {"keys": parse_schema(members["keys"]), "items": parse_schema(members["values"])}
        case Type.STRUCT:
            fields = members.get("fields")
            if not isinstance(fields, list):
                raise ConversionError('Struct schema\'s "fields" argument is not an array.')
            return {"fields": tuple(map(_field, fields))}
        case _:
            return {}


def _field(members: Any) -> Field:
    schema = parse_schema(members)
    if schema is None or not isinstance(members.get("field"), str):
        raise ConversionError("Struct schema's field name not specified properly")
    return Field(members["field"], schema)


def unscaled(value: Any, scale: int) -> int:
    """A Decimal's unscaled value from its base64 text or its number. Raises: ConversionError: digits would be lost."""
    if isinstance(value, str):
        return int.from_bytes(from_base64(value), "big", signed=True)
    try:
        number = Decimal(value).scaleb(scale, _EXACT)
        if number == int(number):
            return int(number)
    except (TypeError, ValueError, InvalidOperation, OverflowError):
        raise ConversionError(f"a {type(value).__name__} where a Decimal must stand") from None
    raise ConversionError(f"Decimal value has more digits after the point than the {scale} of its schema")


def from_base64(value: str) -> bytes:
    """Raises: ConversionError: not base64."""
    try:
        return a2b_base64(value, strict_mode=True)
    except (Error, ValueError):
        raise ConversionError("Invalid bytes field: it is not base64 text") from None


def read_plain(schema: Schema, value: Any) -> Any:
    """The value of parsed JSON under `schema`. Slow: for defaults and for finding what is wrong."""
    if value is None:
        return schema.default
    match schema.type:
        case kind if kind in _INTEGERS and isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
        case Type.FLOAT64 | Type.FLOAT32 if isinstance(value, int | float | str | Decimal) and value is not True:
            return float(value)
        case Type.BOOLEAN if isinstance(value, bool):
            return value
        case Type.STRING if isinstance(value, str):
            return value
        case Type.BYTES if schema.name == DECIMAL and not isinstance(value, bool):
            return unscaled(value, schema.scale)
        case Type.BYTES if isinstance(value, str):
            return from_base64(value)
        case Type.ARRAY if isinstance(value, list):
            return [read_any(schema.items, item) for item in value]
        case Type.MAP if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else [(k, v) for k, v in value]
            return {read_any(schema.keys, k): read_any(schema.items, v) for k, v in pairs}
        case Type.STRUCT if isinstance(value, dict):
            return tuple(read_plain(f.schema, value.get(f.name)) for f in schema.fields)
    raise ConversionError(f"a {type(value).__name__} where {schema.type.name} must stand")


def read_any(schema: Schema | None, value: Any) -> Any:
    return value if schema is None else read_plain(schema, value)
