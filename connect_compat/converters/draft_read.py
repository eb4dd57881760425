"""JSON schemas to Connect schemas, and functions from a parsed JSON value to a value.

Source: `JsonSchemaData` of Confluent 8.0, by what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from cdc.errors import ConversionError
from cdc.json.schema import from_base64, unscaled
from cdc.schema import DECIMAL, Field, Schema, Type
from connect_compat.converters.draft_schema import (
    CONNECT,
    ENUM,
    GENERAL_ENUM,
    GENERAL_UNION,
    ID,
    NULL_SYMBOL,
    ONE_OF,
    DraftForm,
    is_union,
)
from connect_compat.converters.draft_types import Draft

Read = Callable[[Any], Any]
_UNION: Final = "connect_union_"
_TYPES: Final = {name: kind for kind, name in CONNECT.items()}
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)


class Readable(NamedTuple):
    schema: Schema
    read: Read


class _Missing:
    """Stands for a member that an object does not have."""


MISSING: Final = _Missing()


def readable(draft: Draft, form: DraftForm, version: int | None = None) -> Readable:
    """`version`: of the schema in the registry. Raises: ConversionError: what Connect has no schema for."""
    schema = _Compiler(form).made(draft, version=version)
    return Readable(schema, reader(schema))


class _Compiler:
    def __init__(self, form: DraftForm) -> None:
        self._form = form
        self._open: list[Draft] = []
        self._structs: dict[int, Schema] = {}
        self._ids = 0
        self._unions = 0

    def made(self, draft: Draft, *, version: int | None = None, optional: bool = False) -> Schema:
        if draft in self._open:
            raise ConversionError("the JSON schema holds itself, which is not supported")
        self._open.append(draft)
        schema = self._made(draft, version, optional)
        self._open.pop()
        return schema

    def _made(self, draft: Draft, version: int | None, optional: bool) -> Schema:
        match draft.kind:
            case "ref":
                return self._referred(draft.parts[0], version, optional)
            case "allOf":
                if len(draft.parts) == 1 and self._form.flatten:
                    return self.made(draft.parts[0])
                return self._all_of(draft, version, optional)
            case "anyOf" | "oneOf":
                if len(draft.parts) == 1 and self._form.flatten:
                    return self.made(draft.parts[0])
                present = [part for part in draft.parts if part.kind != "null"]
                self._unions += 1
                if len(draft.parts) == 2 and len(present) == 1:
                    return self.made(present[0], version=version, optional=True)
                schema = self._union(draft, self._unions - 1)
            case _:
                schema = self._single(draft)
        return self._described(draft, schema, version, optional)

    def _referred(self, target: Draft, version: int | None, optional: bool) -> Schema:
        known = self._structs.get(id(target))
        if known is None:
            return self.made(target, version=version, optional=optional)
        self._ids += 1
        return known.with_(optional=optional, parameters=(*known.parameters, (ID, f"#id{self._ids}")))

    def _single(self, draft: Draft) -> Schema:
        connect = draft.said.get("connect.type")
        match draft.kind:
            case "boolean":
                return Schema(Type.BOOLEAN)
            case "integer" | "number":
                usual = Type.INT64 if draft.kind == "integer" else Type.FLOAT64
                if connect is not None and connect not in _TYPES:
                    raise ConversionError(f"Unsupported type {connect}")
                return Schema(_TYPES[connect] if connect is not None else usual)
            case "string":
                return Schema(Type.BYTES if connect == "bytes" else Type.STRING)
            case "enum" | "const":
                return self._enum(draft.values)
            case "array":
                return self._array(draft, connect)
            case "object":
                return self._object(draft, connect)
        raise ConversionError(f"a JSON schema that says {dict(draft.said)!r} has no counterpart in Connect")

    def _enum(self, values: list[Any]) -> Schema:
        word = GENERAL_ENUM if self._form.general else ENUM
        symbols = [NULL_SYMBOL if value is None else _text(value) for value in values]
        pairs = [(f"{word}.{symbol}", str(at) if self._form.general else symbol) for at, symbol in enumerate(symbols)]
        return Schema(Type.STRING, parameters=((word, ""), *pairs))

    def _array(self, draft: Draft, connect: Any) -> Schema:
        items = draft.items
        if items is None:
            raise ConversionError("Array schema did not specify the items type")
        if connect == "map" and items.kind == "object":
            key, value = (self.made(items.properties[name]) for name in ("key", "value"))
            return Schema(Type.MAP, keys=key, items=value)
        return Schema(Type.ARRAY, items=self.made(items))

    def _object(self, draft: Draft, connect: Any) -> Schema:
        if connect == "map":
            if draft.additional is None:
                raise ConversionError("Map schema did not specify the value type")
            return Schema(Type.MAP, keys=Schema(Type.STRING), items=self.made(draft.additional))
        places: dict[int, tuple[str, Draft]] = {}
        for name, part in draft.properties.items():
            index = part.said.get("connect.index")
            places[len(places) if index is None else int(index)] = name, part
        fields = [
            Field(name, self.made(part, optional=self._form.nonrequired and name not in draft.required))
            for _, (name, part) in sorted(places.items())
        ]
        return Schema(Type.STRUCT, fields=tuple(fields))

    def _union(self, draft: Draft, number: int) -> Schema:
        name = f"{_UNION}{number}" if self._form.general else ONE_OF
        present = [part for part in draft.parts if part.kind != "null"]
        prefix = f"{_UNION}field_" if self._form.general else f"{ONE_OF}.field."
        fields = [Field(f"{prefix}{at}", self.made(part, optional=True)) for at, part in enumerate(present)]
        parameters = ((GENERAL_UNION, name),) if self._form.general else ()
        return Schema(Type.STRUCT, optional=len(present) < len(draft.parts), name=name, parameters=parameters,
                      fields=tuple(fields))  # fmt: skip

    def _all_of(self, draft: Draft, version: int | None, optional: bool) -> Schema:
        """The fields of all objects together, or what several words say of one type."""
        properties: dict[str, tuple[Draft, bool]] = {}
        for part in draft.parts:
            properties.update(_properties(part, []))
        if properties:
            fields = [
                Field(name, self.made(part, optional=self._form.nonrequired and not required))
                for name, (part, required) in properties.items()
            ]
            return Schema(Type.STRUCT, optional=optional, fields=tuple(fields))
        kinds = {part.kind: part for part in draft.parts}
        number = kinds.get("number") or kinds.get("integer")
        text = kinds.get("string")
        chosen: Draft | None = next((kinds[each] for each in ("oneOf", "anyOf", "allOf") if each in kinds), None)
        if chosen is None and "const" in kinds:
            chosen = text or number
        elif chosen is None and "enum" in kinds:
            chosen = kinds["enum"] if text else number
        elif chosen is None and text is not None and "format" in text.said:
            chosen = number or text
        elif chosen is None and "ref" in kinds:
            return self._referred(kinds["ref"].parts[0], version, optional)
        if chosen is None:
            raise ConversionError(f"a JSON schema that is all of {sorted(kinds)} has no counterpart in Connect")
        return self.made(chosen, version=version, optional=optional)

    def _described(self, draft: Draft, schema: Schema, version: int | None, optional: bool) -> Schema:
        said = draft.said
        own = said.get("connect.version")
        parameters = schema.parameters
        if isinstance(said.get("connect.parameters"), dict):
            parameters += tuple((str(name), str(text)) for name, text in said["connect.parameters"].items())
        schema = schema.with_(
            name=schema.name or said.get("title"), version=version if own is None else int(own),
            doc=said.get("description"), parameters=parameters, optional=schema.optional or optional,
        )  # fmt: skip
        if said.get("default") is not None:
            schema = schema.with_(default=reader(schema)(said["default"]))
        if draft.kind == "object" and schema.type is Type.STRUCT:
            self._structs[id(draft)] = schema
        return schema


def _text(value: Any) -> str:
    return value if isinstance(value, str) else {True: "true", False: "false"}.get(value, str(value))


def _properties(draft: Draft, seen: list[Draft]) -> Iterator[tuple[str, tuple[Draft, bool]]]:
    if draft in seen:
        return
    seen.append(draft)
    if draft.kind in ("allOf", "ref"):
        for part in draft.parts:
            yield from _properties(part, seen)
    elif draft.kind == "object":
        for name, part in draft.properties.items():
            yield name, (part, name in draft.required)


def reader(schema: Schema) -> Read:
    """A function from what orjson gives, or `MISSING`, to a value."""
    inner = _present(schema)
    default, optional = schema.default, schema.optional

    def read(value: Any) -> Any:
        if value is None or value is MISSING:
            if default is not None or optional or value is MISSING:
                return default
            raise ConversionError(f"Invalid null value for required {schema.type.name} field")
        return inner(value)

    return read


def _present(schema: Schema) -> Read:
    match schema.type:
        case kind if kind in _INTEGERS:
            return _integer
        case Type.FLOAT32 | Type.FLOAT64:
            return float
        case Type.BYTES if schema.name == DECIMAL:
            return lambda value: unscaled(value, schema.scale)
        case Type.BYTES:
            return _binary
        case Type.ARRAY:
            assert schema.items is not None
            item = reader(schema.items)
            return lambda value: [item(each) for each in _list(value)]
        case Type.MAP:
            return _map(schema)
        case Type.STRUCT:
            return _one_of(schema) if is_union(schema) else _struct(schema)
    return lambda value: value


def _integer(value: Any) -> int:
    if isinstance(value, str):
        raise ConversionError("a text where a number must stand")
    return int(value)


def _binary(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ConversionError(f"a {type(value).__name__} where base64 text must stand")
    return from_base64(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ConversionError(f"a {type(value).__name__} where a list must stand")
    return value


def _struct(schema: Schema) -> Read:
    readers = [(each.name, reader(each.schema)) for each in schema.fields]

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ConversionError(f"Structs should be encoded as JSON objects, but found a {type(value).__name__}")
        get = value.get
        return tuple([each(get(name, MISSING)) for name, each in readers])

    return read


def _map(schema: Schema) -> Read:
    assert schema.keys is not None and schema.items is not None
    key, item = reader(schema.keys), reader(schema.items)
    if schema.keys.type is Type.STRING and not schema.keys.optional:

        def read(value: Any) -> Any:
            if not isinstance(value, dict):
                raise ConversionError("Maps with string fields should be encoded as JSON objects")
            return {name: item(each) for name, each in value.items()}

        return read
    return lambda value: {key(each.get("key")): item(each.get("value")) for each in _list(value)}


def _one_of(schema: Schema) -> Read:
    """The first plain type that the value is of, else the struct with which it has most members in common."""
    readers = [reader(each.schema) for each in schema.fields]
    count = len(readers)

    def read(value: Any) -> Any:
        best, most = -1, 0
        for at, each in enumerate(schema.fields):
            if _is_of(each.schema.type, value):
                best = at
                break
            alike = _alike(each.schema, value)
            if alike > most:
                best, most = at, alike
        if best < 0:
            raise ConversionError("Did not find matching oneof field for data")
        return tuple(readers[best](value) if at == best else None for at in range(count))

    return read


def _is_of(kind: Type, value: Any) -> bool:
    match kind:
        case Type.BOOLEAN:
            return isinstance(value, bool)
        case Type.FLOAT32 | Type.FLOAT64:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Type.STRING:
            return isinstance(value, str)
        case Type.ARRAY:
            return isinstance(value, list)
        case Type.MAP:
            return isinstance(value, dict | list)
    return kind in _INTEGERS and isinstance(value, int) and not isinstance(value, bool)


def _alike(schema: Schema, value: Any) -> int:
    if schema.type is not Type.STRUCT or not isinstance(value, dict):
        return 0
    common = [each for each in schema.fields if each.name in value]
    return len(common) + sum(_alike(each.schema, value[each.name]) for each in common)
