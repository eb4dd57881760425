"""A Connect schema to one generated function: a payload parsed by orjson in, a value as `cdc.schema` says out.

A FLOAT32 is the number its text says (0.1), not what that is when rounded to 32 bits (0.10000000149011612): written
again, both are the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, Final

from cdc.errors import ConversionError
from cdc.json.schema import from_base64, read_plain, unscaled
from cdc.schema import DECIMAL, Schema, Type

Decode = Callable[[Any], Any]
Shape = tuple[type, ...]
_SHAPES: Final = 200
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_KINDS: Final = {Type.BOOLEAN: "bool", Type.STRING: "str", Type.FLOAT32: "float", Type.FLOAT64: "float"}


class InexactDecimal(Exception):
    """A Decimal stands as a JSON number: the payload must be parsed again without going through binary floats."""


def _decimal(value: Any, scale: int) -> int:
    if type(value) is float:
        raise InexactDecimal
    return unscaled(value, scale)


def _base64(value: str, path: str) -> bytes:
    try:
        return from_base64(value)
    except ConversionError as error:
        raise ConversionError(f"field {path!r}: {error}" if path else str(error)) from None


def _missing(path: str) -> Any:
    raise ConversionError(f"null or missing required field {path!r}" if path else "null for a required value")


def _at(path: str, schema: Schema, value: Any) -> Any:
    """A value that is not of the class expected: converted if it can be, refused by name if not."""
    try:
        return read_plain(schema, value)
    except ConversionError as error:
        raise ConversionError(f"field {path!r}: {error}" if path else str(error)) from None


def _is_flat(schema: Schema) -> bool:
    """Whether it depends on a member's class alone if its value is taken over as it is."""
    return bool(schema.fields) and all(f.schema.type in _INTEGERS or f.schema.type in _KINDS for f in schema.fields)


def _learnt(known: set[Shape], shape: Shape, whole: tuple[Any, ...], made: tuple[Any, ...]) -> tuple[Any, ...]:
    """`made` of `whole`; their classes are kept when nothing had to be changed."""
    if shape and len(known) < _SHAPES and sum(map(is_, whole, made)) == len(made):
        known.add(shape)
    return made


def compile_decode(schema: Schema, *, defaults: bool) -> Decode:
    """`defaults`: a null field takes its schema's default.

    The function raises: ConversionError naming the field; InexactDecimal.
    """
    code = _Code(defaults)
    decode: Decode = code.run(code.function(schema, ""))
    return decode


class _Code:
    def __init__(self, defaults: bool) -> None:
        self._defaults = defaults
        self._source: list[str] = []
        self._count = 0
        self._globals: dict[str, Any] = {
            "base64": _base64,
            "at": _at,
            "learnt": _learnt,
            "decimal": _decimal,
            "missing": _missing,
        }

    def _name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _constant(self, value: Any) -> str:
        name = self._name("k")
        self._globals[name] = value
        return name

    def run(self, name: str) -> Decode:
        exec(compile("\n".join(self._source), "<json reader>", "exec"), self._globals)
        decode: Decode = self._globals[name]
        return decode

    def function(self, schema: Schema, path: str) -> str:
        """The name of a function from a parsed value, null included, to ours."""
        name, lines = self._name("f"), ["    pass"]
        if schema.type is Type.STRUCT:
            lines += [f"    if v is None: return {self._null(schema, path)}",
                      f"    if type(v) is not dict: return at({path!r}, {self._constant(schema)}, v)",
                      *self._as_they_are(schema), "    get = v.get"]  # fmt: skip
            names = []
            for field in schema.fields:
                names.append(value := self._name("v"))
                lines.append(f"    {value} = get({field.name!r})")
                lines.append(f"    {value} = {self._expression(field.schema, value, _below(path, field.name))}")
            made = f"({' '.join(value + ',' for value in names)})"
            lines.append(f"    return {f'learnt(known, shape, whole, {made})' if _is_flat(schema) else made}")
        else:
            lines.append(f"    return {self._expression(schema, 'v', path)}")
        self._source += [f"def {name}(v):", *lines]
        return name

    def _as_they_are(self, schema: Schema) -> list[str]:
        """Members in schema order, of classes of which all were taken over unchanged before, are the tuple."""
        if not _is_flat(schema):
            return []
        names, known = self._constant(tuple(field.name for field in schema.fields)), self._constant(set())
        return ["    whole = tuple(v.values())", f"    known = {known}",
                f"    shape = tuple(map(type, whole)) if tuple(v) == {names} else ()",
                "    if shape in known: return whole"]  # fmt: skip

    def _null(self, schema: Schema, path: str) -> str:
        if self._defaults and schema.default is not None:
            return self._constant(schema.default)
        return "None" if schema.optional else f"missing({path!r})"

    def _expression(self, schema: Schema, value: str, path: str) -> str:
        if schema.type is Type.STRUCT:
            return f"{self.function(schema, path)}({value})"
        else_ = f"({self._null(schema, path)} if {value} is None else at({path!r}, {self._constant(schema)}, {value}))"
        match schema.type:
            case kind if kind in _INTEGERS:
                return f"{value} if type({value}) is int else {else_}"
            case Type.BYTES if schema.name == DECIMAL:
                present = f"decimal({value}, {schema.scale})"
            case Type.BYTES:
                return f"base64({value}, {path!r}) if type({value}) is str else {else_}"
            case Type.ARRAY:
                each = self._any(schema.items, _below(path, "[]"))
                made = value if each is None else f"list(map({each}, {value}))"
                return f"{made} if type({value}) is list else {else_}"
            case Type.MAP if schema.keys is not None:
                present = self._map(schema, schema.keys, value, path)
            case kind:
                return f"{value} if type({value}) is {_KINDS[kind]} else {else_}"
        return f"{self._null(schema, path)} if {value} is None else {present}"

    def _any(self, schema: Schema | None, path: str) -> str | None:
        return None if schema is None else self.function(schema, path)

    def _map(self, schema: Schema, keys: Schema, value: str, path: str) -> str:
        item = self._any(schema.items, _below(path, "{}"))
        made = "i" if item is None else f"{item}(i)"
        key = self.function(keys, _below(path, "{}"))
        return (f"({{k: {made} for k, i in {value}.items()}} if type({value}) is dict else "
                f"{{{key}(k): {made} for k, i in {value}}})")  # fmt: skip


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
