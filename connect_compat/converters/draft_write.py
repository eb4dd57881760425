"""Values to the JSON that JsonSchemaConverter writes: as JsonConverter's, but for unions and for maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from cdc.errors import ConversionError
from cdc.java.order import in_hash_order
from cdc.json.code import Form
from cdc.json.schema import plain
from cdc.json.text import jackson
from cdc.json.write import Encode, compile_encode
from cdc.record import NULL
from cdc.schema import Schema, Type
from connect_compat.converters.draft_schema import DraftForm, has_text_keys, is_union


def compile_writer(schema: Schema, form: DraftForm, before: bytes) -> Encode:
    """`before` stands before each value."""
    if _is_plain(schema):
        return compile_encode(schema, Form(form.numeric, form.defaults), before)

    def encode(values: Sequence[Any]) -> list[bytes | None]:
        return [None if value is None else before + _text(schema, value, form) for value in values]

    return encode


def _is_plain(schema: Schema) -> bool:
    """Whether JsonConverter writes it alike."""
    if schema.type is Type.MAP or is_union(schema):
        return False
    return all(_is_plain(part) for part in (schema.items, *(f.schema for f in schema.fields)) if part is not None)


def _text(schema: Schema, value: Any, form: DraftForm) -> bytes:
    return jackson(orjson.dumps(_node(schema, None if value is NULL else value, form)))


def _node(schema: Schema, value: Any, form: DraftForm) -> Any:
    if value is None and form.defaults:
        value = schema.default
    if value is None:
        if schema.optional:
            return None
        raise ConversionError("a required value is null")
    match schema.type:
        case Type.STRUCT if is_union(schema):
            for each, inner in zip(schema.fields, value, strict=True):
                if inner is not None:
                    return _node(each.schema, inner, form)
            return _node(schema, None, form)
        case Type.STRUCT:
            return {f.name: _node(f.schema, each, form) for f, each in zip(schema.fields, value, strict=True)}
        case Type.ARRAY:
            assert schema.items is not None
            return [_node(schema.items, each, form) for each in value]
        case Type.MAP:
            assert schema.keys is not None and schema.items is not None
            pairs = list(value.items())
            if schema.keys.type is Type.STRING:
                pairs = in_hash_order(pairs, text=lambda pair: pair[0])
            if has_text_keys(schema):
                return {name: _node(schema.items, each, form) for name, each in pairs}
            return [{"key": _node(schema.keys, name, form), "value": _node(schema.items, each, form)}
                    for name, each in pairs]  # fmt: skip
    return plain(schema, value, numeric=form.numeric)
