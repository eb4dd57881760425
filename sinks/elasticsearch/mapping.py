"""A record schema to the mapping that Elasticsearch gets for it. Forms as in Confluent's sink (`Mapping`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type
from sinks.elasticsearch.documents import document, element

_SIMPLE: Final[Mapping[Type, str]] = {
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
    """The mapping of documents of this schema; a default becomes `null_value` where there is such a thing."""
    match schema.type:
        case Type.STRUCT:
            return {"properties": {field.name: mapping(field.schema, compact_maps) for field in schema.fields}}
        case Type.ARRAY:
            return mapping(element(schema), compact_maps)
        case Type.MAP if compact_maps and (schema.keys is None or schema.keys.type is Type.STRING):
            return {"properties": {}}
        case Type.MAP:
            keys = schema.keys or Schema(Type.STRING)
            return {"properties": {"key": mapping(keys, compact_maps), "value": mapping(element(schema), compact_maps)}}
        case Type.STRING:
            return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
        case _ if schema.name in (DATE, TIME, TIMESTAMP):
            return _with_default("date", schema)
        case _ if schema.name == DECIMAL:
            return _with_default("double", schema)
        case _:
            return _with_default(_SIMPLE[schema.type], schema)


def _with_default(kind: str, schema: Schema) -> dict[str, Any]:
    if schema.default is None or kind == "binary":
        return {"type": kind}
    return {"type": kind, "null_value": orjson.loads(document(schema, False, True)(schema.default))}
