"""A record value to the JSON text of its document: one generated function a schema.

Forms as in Confluent's Elasticsearch sink (`DataConverter`): bytes as base64; dates as milliseconds and Decimal as a
double when the record schema is used, as days and an exact number when it is ignored; NaN and infinities as text.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Any, Final

import orjson

from cdc.record import NULL
from cdc.schema import DATE, DECIMAL, Schema, Type, decimal_text

Document = Callable[[Any], bytes]
DAY_MS: Final = 86_400_000


@lru_cache(maxsize=512)
def document(schema: Schema | None, ignore_schema: bool, compact_maps: bool) -> Document:
    """The function that writes one value of `schema` as a JSON document; nulls take their schema's default.

    Raises (the function): TypeError for a schemaless value that JSON cannot hold.
    """
    if schema is None:
        return orjson.dumps
    code = _Code(ignore_schema, compact_maps)
    write: Document = code.run(code.writer(schema))
    return write


def element(schema: Schema) -> Schema:
    """What an ARRAY or MAP holds."""
    if schema.items is None:
        raise ValueError(f"a {schema.type.value} schema without an element schema")
    return schema.items


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _number(unscaled: int, scale: int) -> Any:
    return orjson.Fragment(decimal_text(unscaled, scale))


def _nonfinite(value: float) -> str:
    """As Jackson writes it: JSON has no such number, and Elasticsearch refuses the text where a number belongs."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


class _Code:
    """The source of one document function; values it refers to are its globals."""

    def __init__(self, ignore_schema: bool, compact_maps: bool) -> None:
        self._ignore_schema, self._compact_maps = ignore_schema, compact_maps
        self._functions: list[str] = []
        self._count = 0
        self._globals: dict[str, Any] = {"NULL": NULL, "dumps": orjson.dumps, "base64": _base64, "number": _number,
                                         "isfinite": isfinite, "nonfinite": _nonfinite}  # fmt: skip

    def run(self, name: str) -> Any:
        exec(compile("\n".join(self._functions), "<document writer>", "exec"), self._globals)
        return self._globals[name]

    def writer(self, schema: Schema) -> str:
        name = self._name("write")
        if schema.type is Type.STRUCT:
            names, literal = self._struct(schema)
            lines = [
                "    if v is NULL or v is None: return b'null'",
                f"    {names} = v",
                f"    return dumps({literal})",
            ]
        else:
            lines = [f"    return dumps({self._filled(schema, '(None if v is NULL else v)')})"]
        self._functions.append("\n".join([f"def {name}(v):", *lines]))
        return name

    def _name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _constant(self, value: Any) -> str:
        name = self._name("k")
        self._globals[name] = value
        return name

    def _struct(self, schema: Schema) -> tuple[str, str]:
        """The target that takes a tuple apart, and the dict literal of its members."""
        names = [self._name("v") for _ in schema.fields]
        members = [f"{f.name!r}: {self._filled(f.schema, n)}" for f, n in zip(schema.fields, names, strict=True)]
        return f"({' '.join(name + ',' for name in names)})", "{" + ", ".join(members) + "}"

    def _filled(self, schema: Schema, value: str) -> str:
        """The expression of a value that may be null."""
        present = self._present(schema, value)
        if schema.default is not None:
            return f"({self._constant(self._default(schema))} if {value} is None else {present})"
        return value if present == value else f"(None if {value} is None else {present})"

    def _default(self, schema: Schema) -> Any:
        bare = schema.with_(default=None)
        return orjson.Fragment(document(bare, self._ignore_schema, self._compact_maps)(schema.default))

    def _present(self, schema: Schema, value: str) -> str:
        match schema.type:
            case Type.STRUCT:
                return f"{self._function(schema)}({value})"
            case Type.ARRAY:
                item = self._name("i")
                inner = self._filled(element(schema), item)
                return value if inner == item else f"[{inner} for {item} in {value}]"
            case Type.MAP:
                return self._map(schema, value)
            case Type.BYTES if schema.name == DECIMAL and self._ignore_schema:
                return f"number({value}, {schema.scale})"
            case Type.BYTES if schema.name == DECIMAL:  # a quotient of integers is rounded once, as the text would be
                return f"{value} / {10**schema.scale}" if schema.scale >= 0 else f"float({value} * {10**-schema.scale})"
            case Type.BYTES:
                return f"base64({value})"
            case Type.FLOAT32 | Type.FLOAT64:
                return f"({value} if isfinite({value}) else nonfinite({value}))"
            case Type.INT32 if schema.name == DATE and not self._ignore_schema:
                return f"{value} * {DAY_MS}"
            case _:
                return value

    def _map(self, schema: Schema, value: str) -> str:
        key, item = self._name("m"), self._name("i")
        inner = self._filled(element(schema), item)
        textual = schema.keys is not None and schema.keys.type is Type.STRING
        if textual and (self._compact_maps or self._ignore_schema):
            return value if inner == item else f"{{{key}: {inner} for {key}, {item} in {value}.items()}}"
        pair = f"[{key}, {inner}]" if self._ignore_schema else f"{{'key': {key}, 'value': {inner}}}"
        return f"[{pair} for {key}, {item} in {value}.items()]"

    def _function(self, schema: Schema) -> str:
        """The name of a function that makes the dict of one struct."""
        name = self._name("f")
        names, literal = self._struct(schema)
        self._functions.append(f"def {name}(v):\n    {names} = v\n    return {literal}")
        return name
