"""JSON text to a struct and a schema made up from it, as Debezium expands outbox payloads and decoded messages.

Source: Debezium 3.5.0.Final, `table.expand.json.payload`, by what it gives.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, Never

from cdc.errors import TransformError
from cdc.naming import schema_name_adjuster
from cdc.schema import (
    OPTIONAL_BOOLEAN,
    OPTIONAL_BYTES,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT32,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    Field,
    Schema,
    Type,
    array,
)

_INT, _LONG = 2**31, 2**63


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


class JsonPayload:
    """`nulls`: a null becomes optional bytes instead of nothing. `adjustment`: how names are made fit for Avro."""

    def __init__(self, *, nulls: bool, adjustment: str = "none") -> None:
        self._nulls = nulls
        self._named = schema_name_adjuster(adjustment)

    def expanded(self, name: str | None, text: str) -> tuple[Schema | None, Any]:
        """The schema, called `name`, and the struct; an empty array stays text and has no schema.

        Raises:
            ValueError: no JSON object or array, or one of no schema: the payload stays as it is.
            TransformError: the text has a schema but no value of it, and Debezium stops too.
        """
        if not text.startswith(("{", "[")):
            raise ValueError(f"it starts with {text[:1]!r}")
        parsed, _ = _DECODER.raw_decode(text)
        schema = self._schema(name, parsed)
        if schema is None:
            return None, text
        if schema.type is not Type.STRUCT:
            raise TransformError("a JSON array cannot be expanded: only an object has fields; switch "
                                 "table.expand.json.payload off or put the array into an object")  # fmt: skip
        return schema, _struct(parsed, schema)

    def _schema(self, name: str | None, item: Any) -> Schema | None:
        match item:
            case str():
                return OPTIONAL_STRING
            case bool():
                return OPTIONAL_BOOLEAN
            case int():
                if -_INT <= item < _INT:
                    return OPTIONAL_INT32
                return OPTIONAL_INT64 if -_LONG <= item < _LONG else OPTIONAL_FLOAT64
            case float():
                return OPTIONAL_FLOAT64
            case list():
                return array(self._element(name, item), optional=True) if item else None
            case dict():
                return self._object(name, item)
            case _:
                return OPTIONAL_BYTES if self._nulls else None

    def _object(self, name: str | None, item: dict[str, Any]) -> Schema:
        fields: dict[str, Schema] = {}
        for key, value in item.items():
            named = self._named(key)
            if not named:
                raise ValueError("a member of an object has no name")
            kind = self._schema(f"{name}.{named}" if name and name.strip() else named, value)
            if kind is not None:
                fields.setdefault(named, kind)
        members = tuple(Field(*pair) for pair in fields.items())
        return Schema(Type.STRUCT, optional=True, name=name, fields=members)

    def _element(self, name: str | None, items: Sequence[Any]) -> Schema:
        """The schema of an array's elements; of objects all their fields together."""
        sample = self._sample(items)
        if isinstance(sample, dict):
            merged: Schema | None = None
            for schema in dict.fromkeys(self._object(name, item) for item in items if isinstance(item, dict)):
                merged = schema if merged is None else _merged(merged, schema)
            assert merged is not None
            return merged
        kind = self._schema(None, sample)
        if kind is None:
            raise ValueError("an array has elements of no known schema")
        return kind

    def _sample(self, items: Sequence[Any]) -> Any:
        """The first element that is not null. Raises: ValueError: elements of several kinds."""
        present = [item for item in items if item is not None]
        for item in present:
            if _kind(item) != _kind(present[0]):
                raise ValueError("an array has elements of several kinds")
            if _kind(item) == "number" and self._schema(None, item) is not self._schema(None, present[0]):
                raise ValueError("an array has numbers of several types")
        return present[0] if present else None


_KINDS: Final = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


def _kind(item: Any) -> str:
    return _KINDS[type(item)]


def _merged(left: Schema, right: Schema) -> Schema:
    fields = {field.name: field for field in left.fields}
    for field in right.fields:
        old = fields.get(field.name)
        unknown = old is not None and old.schema.type is Type.BYTES and field.schema.type is not Type.BYTES
        if old is None or unknown:
            fields[field.name] = field
    return left.with_(optional=False, fields=tuple(fields.values()))


def _struct(item: dict[str, Any], schema: Schema) -> tuple[Any, ...]:
    return tuple(_value(item.get(field.name), field.schema) for field in schema.fields)


def _value(item: Any, schema: Schema) -> Any:
    match item:
        case dict():
            _need(schema, Type.STRUCT, item)
            return _struct(item, schema)
        case list():
            _need(schema, Type.ARRAY, item)
            assert schema.items is not None
            return [_value(each, schema.items) for each in item]
        case str():
            _need(schema, Type.STRING, item)
        case bool():
            _need(schema, Type.BOOLEAN, item)
        case int() if not -_LONG <= item < _LONG:
            raise TransformError(
                "a number of a JSON payload does not fit 64 bits; switch table.expand.json.payload off"
            )
        case int():
            _need(schema, Type.INT32 if -_INT <= item < _INT else Type.INT64, item)
        case float():
            _need(schema, Type.FLOAT64, item)
    return item


def _need(schema: Schema, kind: Type, item: Any) -> None:
    if schema.type is not kind:
        raise TransformError(f"a JSON payload has a {type(item).__name__} in an array where other elements have "
                             f"{schema.type.name}; switch table.expand.json.payload off")  # fmt: skip
