"""A record value to an Elasticsearch document: compiled once per schema; and the index mapping of a schema.

Forms as in Confluent's Elasticsearch sink (`DataConverter`, `Mapping`): dates as milliseconds, bytes as base64,
Decimal as a double when the record schema is used and as an exact number when it is ignored.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final

import orjson

from cdc.record import NULL
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type, decimal_text

Document = Callable[[Any], bytes]
_UNAVAILABLE: Final = b"__debezium_unavailable_value"
_AS_BINARY: Final = b64encode(_UNAVAILABLE)
_MEMBER: Final = rb'"(?:[^"\\]|\\.)*":(?:"%b"|\["%b"\]|"%b"|\["%b"\]|\{"%b":"%b"\}|"\{\\"%b\\":\\"%b\\"\}")' % (
    *(_UNAVAILABLE,) * 2, *(_AS_BINARY,) * 2, *(_UNAVAILABLE,) * 4,
)  # fmt: skip
_NOT_TOLD: Final = re.compile(b",%b|%b,?" % (_MEMBER, _MEMBER))
"""Members that stand for what a change did not touch and the source's log does not hold, as JSON writes them."""
_Convert = Callable[[Any], Any] | None
_MILLISECONDS_A_DAY = 86_400_000


def told(body: bytes) -> bytes:
    """A document without the members that its change did not touch (TOASTed columns of PostgreSQL)."""
    return _NOT_TOLD.sub(b"", body) if _UNAVAILABLE in body or _AS_BINARY in body else body


@lru_cache(maxsize=512)
def document(schema: Schema | None, ignore_schema: bool, compact_maps: bool) -> Document:
    """The function that writes one value of `schema` as a JSON document.

    Raises (the function): TypeError for a schemaless value that JSON cannot hold.
    """
    if schema is None:
        return orjson.dumps
    convert = _converter(schema, ignore_schema, compact_maps)
    if convert is None:
        return orjson.dumps
    whole = convert
    return lambda value: orjson.dumps(None if value is NULL else whole(value))


def _converter(schema: Schema, ignore_schema: bool, compact_maps: bool) -> _Convert:
    """From the value in memory to what orjson writes; None where they are the same. Nulls become the default."""
    convert = _of_type(schema, ignore_schema, compact_maps)
    default = schema.default
    if default is not None:
        return lambda v: (
            (default if convert is None else convert(default)) if v is None else convert(v) if convert else v
        )
    if convert is None:
        return None
    return lambda v: None if v is None else convert(v)


def _of_type(schema: Schema, ignore_schema: bool, compact_maps: bool) -> _Convert:
    match schema.type:
        case Type.STRUCT:
            names = [field.name for field in schema.fields]
            members = [_converter(field.schema, ignore_schema, compact_maps) for field in schema.fields]
            if not any(members):
                return lambda row: dict(zip(names, row, strict=True))
            pairs = list(zip(names, members, strict=True))
            return lambda row: {n: v if c is None else c(v) for (n, c), v in zip(pairs, row, strict=True)}
        case Type.ARRAY:
            item = _converter(_element(schema), ignore_schema, compact_maps)
            return None if item is None else partial(_each, item)
        case Type.MAP:
            item = _converter(_element(schema), ignore_schema, compact_maps)
            same: Callable[[Any], Any] = item or (lambda value: value)
            as_object = schema.keys is not None and schema.keys.type is Type.STRING and (compact_maps or ignore_schema)
            if as_object:
                return lambda entries: {str(key): same(value) for key, value in entries.items()}
            return lambda entries: [{"key": key, "value": same(value)} for key, value in entries.items()]
        case Type.BYTES if schema.name == DECIMAL:
            scale = schema.scale
            if ignore_schema:
                return lambda unscaled: orjson.Fragment(decimal_text(unscaled, scale))
            return lambda unscaled: float(decimal_text(unscaled, scale))
        case Type.BYTES:
            return lambda raw: b64encode(raw).decode()
        case Type.INT32 if schema.name == DATE and not ignore_schema:
            return lambda days: days * _MILLISECONDS_A_DAY
        case _:
            return None


def _each(convert: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _element(schema: Schema) -> Schema:
    if schema.items is None:
        raise ValueError(f"a {schema.type.value} schema without an element schema")
    return schema.items


_SIMPLE: Mapping[Type, str] = {
    Type.BOOLEAN: "boolean",
    Type.INT8: "byte",
    Type.INT16: "short",
    Type.INT32: "integer",
    Type.INT64: "long",
    Type.FLOAT32: "float",
    Type.FLOAT64: "double",
    Type.BYTES: "binary",
}


def mapping(schema: Schema, compact_maps: bool) -> dict[str, Any]:
    """The mapping Elasticsearch gets for documents of this schema."""
    match schema.type:
        case Type.STRUCT:
            return {"properties": {field.name: mapping(field.schema, compact_maps) for field in schema.fields}}
        case Type.ARRAY:
            return mapping(_element(schema), compact_maps)
        case Type.MAP if compact_maps:
            return {"properties": {}}
        case Type.MAP:
            keys = schema.keys or Schema(Type.STRING)
            return {
                "properties": {"key": mapping(keys, compact_maps), "value": mapping(_element(schema), compact_maps)}
            }
        case Type.STRING:
            return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
        case _ if schema.name in (DATE, TIME, TIMESTAMP):
            return _with_default({"type": "date"}, schema)
        case _ if schema.name == DECIMAL:
            return _with_default({"type": "double"}, schema)
        case _:
            return _with_default({"type": _SIMPLE[schema.type]}, schema)


def _with_default(mapped: dict[str, Any], schema: Schema) -> dict[str, Any]:
    if schema.default is not None and schema.type is not Type.BYTES:
        mapped["null_value"] = schema.default
    return mapped
