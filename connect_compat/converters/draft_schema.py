"""Connect schemas to JSON Schema as text, equal to what Confluent's JsonSchemaConverter registers.

A struct is an object titled after its schema; `connect.index` keeps the order of its fields, `connect.type` what JSON
has no type for. Source: `JsonSchemaData` of Confluent 8.0, by what it gives.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from cdc.java.numbers import double_text, float_text
from cdc.java.order import copied_buckets, in_hash_order
from cdc.json.schema import plain
from cdc.json.text import jackson
from cdc.schema import DECIMAL, Schema, Type

NAMESPACE: Final = "io.confluent.connect.json"
ENUM: Final = f"{NAMESPACE}.Enum"
ONE_OF: Final = f"{NAMESPACE}.OneOf"
ID: Final = f"{NAMESPACE}.Id"
GENERAL_ENUM: Final = "org.apache.kafka.connect.data.Enum"
GENERAL_UNION: Final = "org.apache.kafka.connect.data.Union"
NULL_SYMBOL: Final = "<NULL>"
CONNECT: Final = {
    Type.INT8: "int8", Type.INT16: "int16", Type.INT32: "int32", Type.INT64: "int64", Type.FLOAT32: "float32",
    Type.FLOAT64: "float64", Type.BYTES: "bytes", Type.MAP: "map",
}  # fmt: skip
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_NOTHING: Final = {"type": "null"}

Json = dict[str, Any]


class DraftForm(NamedTuple):
    """The settings that shape JSON schemas and values.

    `numeric`: Decimals are numbers in values; `open`: objects may have further members; `general`: enums and unions go
    by Connect's names for them; `nonrequired`: what is not required is optional when it is read; `flatten`: a union of
    one type is read as that type; `defaults`: a null becomes its schema's default.
    """

    numeric: bool = False
    open: bool = True
    general: bool = False
    nonrequired: bool = False
    flatten: bool = True
    defaults: bool = True


def is_union(schema: Schema) -> bool:
    """Whether a struct stands for one of its fields."""
    return schema.type is Type.STRUCT and (schema.name == ONE_OF or schema.parameter(GENERAL_UNION) is not None)


def has_text_keys(schema: Schema) -> bool:
    """Whether a map is an object in JSON; others are lists of entries."""
    assert schema.keys is not None
    return schema.keys.type is Type.STRING and not schema.keys.optional


def draft_text(schema: Schema, form: DraftForm) -> str:
    return jackson(orjson.dumps(_node(schema, form, None))).decode()


def _node(schema: Schema, form: DraftForm, index: int | None, *, of_union: bool = False) -> Json:
    """`index`: the place of a field in its struct; `of_union`: being optional says nothing there."""
    place = {} if index is None else {"connect.index": index}
    if is_union(schema):
        members = [_node(f.schema.with_(optional=False), form, at, of_union=True) for at, f in enumerate(schema.fields)]
        listed = [_NOTHING, *members] if schema.optional else members
        return {**place, "oneOf": sorted(listed, key=lambda each: "oneOf" not in each)}
    if schema.optional and not of_union:
        return {**place, "oneOf": [_NOTHING, _described(schema.with_(optional=False), form, {})]}
    return _described(schema, form, place)


def _described(schema: Schema, form: DraftForm, place: Json) -> Json:
    """A type, then what is said of it, then its parts."""
    before, after = _parts(schema, form)
    said: Json = {"title": schema.name, "description": schema.doc}
    said = {name: text for name, text in said.items() if text is not None}
    if schema.default is not None:
        said["default"] = _default(schema, form)
    connect: Json = dict(place)
    if schema.type in CONNECT:
        connect["connect.type"] = CONNECT[schema.type]
    if schema.version is not None:
        connect["connect.version"] = schema.version
    parameters = {name: text for name, text in schema.parameters if not name.startswith(NAMESPACE)}
    if parameters:
        connect["connect.parameters"] = {name: parameters[name] for name in in_hash_order(parameters)}
    listed = in_hash_order(connect)
    listed = in_hash_order(listed, copied_buckets(len(listed)))
    return {**before, **said, **{name: connect[name] for name in listed}, **after}


def _parts(schema: Schema, form: DraftForm) -> tuple[Json, Json]:
    """What stands before the title, and what stands last."""
    match schema.type:
        case Type.BOOLEAN:
            return {}, {"type": "boolean"}
        case Type.STRING if schema.parameter(ENUM) is not None or schema.parameter(GENERAL_ENUM) is not None:
            prefix = (GENERAL_ENUM if form.general else ENUM) + "."
            symbols = [name.removeprefix(prefix) for name, _ in schema.parameters if name.startswith(prefix)]
            return {"enum": [None if symbol == NULL_SYMBOL else symbol for symbol in symbols]}, {}
        case kind if kind in _INTEGERS:
            return {"type": "integer"}, {}
        case Type.FLOAT32 | Type.FLOAT64:
            return {"type": "number"}, {}
        case Type.BYTES if schema.name == DECIMAL:
            return {"type": "number"}, {}
        case Type.ARRAY:
            assert schema.items is not None
            return {"type": "array"}, {"items": _node(schema.items, form, None)}
        case Type.MAP:
            return _map(schema, form)
        case Type.STRUCT:
            members = {f.name: _node(f.schema, form, at) for at, f in enumerate(schema.fields)}
            closed: Json = {} if form.open else {"additionalProperties": False}
            parts: Json = {"properties": {name: members[name] for name in in_hash_order(members)}} if members else {}
            return {"type": "object", **closed}, parts
    return {"type": "string"}, {}


def _map(schema: Schema, form: DraftForm) -> tuple[Json, Json]:
    assert schema.keys is not None and schema.items is not None
    if has_text_keys(schema):
        return {"type": "object"}, {"additionalProperties": _node(schema.items, form, None)}
    entry = {"value": _node(schema.items, form, 1), "key": _node(schema.keys, form, 0)}
    return {"type": "array"}, {"items": {"type": "object", "properties": entry}}


def _default(schema: Schema, form: DraftForm) -> Any:
    if schema.type in (Type.FLOAT32, Type.FLOAT64):
        text = (float_text if schema.type is Type.FLOAT32 else double_text)(schema.default)
        if "E" in text:
            return orjson.Fragment(str(Decimal(text)))
        return orjson.Fragment(text.rstrip("0").rstrip("."))
    return plain(schema, schema.default, numeric=form.numeric)
