"""Protobuf messages to Connect schemas, and generated functions from a parsed message to a value.

Source: `ProtobufData` of Confluent 8.0, by what it gives.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from cdc.errors import ConversionError
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Field, Schema, Type
from connect_compat.converters.proto_bytes import day_number
from connect_compat.converters.proto_schema import ProtoForm
from connect_compat.converters.proto_text import Params
from connect_compat.converters.proto_types import (
    CONNECT_TYPE,
    DATE_MESSAGE,
    DECIMAL_MESSAGE,
    ENUM,
    GENERAL_ENUM,
    GENERAL_UNION,
    KINDS,
    PRECISION,
    SCALARS,
    TAG,
    TIME_MESSAGE,
    TIMESTAMP_MESSAGE,
    TYPE,
    UNION,
    WRAPPED,
    map_name,
)

Read = Callable[[Any], Any]
"""A message of the runtime -> its value."""
_ENUM_KIND: Final = 14
_LOGICAL: Final = {
    DATE_MESSAGE: (Schema(Type.INT32, name=DATE, version=1), "date"),
    TIME_MESSAGE: (Schema(Type.INT32, name=TIME, version=1), "time"),
    TIMESTAMP_MESSAGE: (Schema(Type.INT64, name=TIMESTAMP, version=1), "timestamp"),
}


class Readable(NamedTuple):
    schema: Schema
    read: Read


class _Part(NamedTuple):
    """A field as it is read: `source` holds `{}` for what is read from."""

    schema: Schema
    source: str


def _date(message: Any) -> int:
    return int(day_number(message.year, message.month, message.day))


def _time(message: Any) -> int:
    seconds = (message.hours * 60 + message.minutes) * 60 + message.seconds
    return int(seconds * 1000 + message.nanos // 1_000_000)


def _timestamp(message: Any) -> int:
    return int(message.seconds * 1000 + message.nanos // 1_000_000)


def _decimal(scale: int) -> Read:
    def read(message: Any) -> int:
        unscaled = int.from_bytes(message.value, "big", signed=True)
        shift = scale - message.scale
        if shift >= 0:
            return int(unscaled * 10**shift)
        whole, rest = divmod(unscaled, 10**-shift)
        if rest:
            raise ConversionError(f"a Decimal has more digits after the point than the {scale} of its schema")
        return int(whole)

    return read


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def readable(descriptor: Any, params: Mapping[str, Params], form: ProtoForm, version: int | None = None) -> Readable:
    """`version`: of the schema in the registry. Raises: ConversionError: what Connect has no schema for."""
    code = _Code(params, form)
    if form.raw and descriptor.full_name in WRAPPED:
        part = code.field(descriptor.fields_by_name["value"])
        schema = Schema(WRAPPED[descriptor.full_name], version=version)
        return Readable(schema, code.run(f"def read(m): return {part.source.format('m.value')}"))
    schema, name = code.message(descriptor)
    return Readable(schema.with_(version=version), code.run(f"read = {name}"))


class _Code:
    """The source of one function a message, as it grows."""

    def __init__(self, params: Mapping[str, Params], form: ProtoForm) -> None:
        self._params, self._form = params, form
        self._sources: list[str] = []
        self._made: dict[str, tuple[Schema, str]] = {}
        self._tags: dict[str, tuple[tuple[str, str], ...]] = {}
        self._open: list[str] = []
        self._names: dict[str, Any] = {"date": _date, "time": _time, "timestamp": _timestamp, "signed": _signed}

    def run(self, last: str) -> Read:
        exec("\n".join([*self._sources, last]), self._names)
        made: Read = self._names["read"]
        return made

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def message(self, descriptor: Any) -> tuple[Schema, str]:
        """The schema of a message, and the name of the function that reads it."""
        full = descriptor.full_name
        if full in self._made:
            return self._made[full]
        if full in self._open:
            raise ConversionError(f"the Protobuf message {full} holds itself, which is not supported")
        self._open.append(full)
        fields: list[Field] = []
        parts: list[str] = []
        for oneof in descriptor.oneofs:
            if not _is_synthetic(oneof):
                self._oneof(oneof, fields, parts)
        for each in descriptor.fields:
            if each.containing_oneof is None or _is_synthetic(each.containing_oneof):
                part = self.field(each)
                fields.append(Field(each.name, part.schema))
                parts.append(self._taken(each, part))
        self._open.pop()
        schema = Schema(Type.STRUCT, name=full if self._form.enhanced else descriptor.name, fields=tuple(fields))
        name = f"f{len(self._sources)}"
        self._sources.append(f"def {name}(m): return ({''.join(f'{part}, ' for part in parts)})")
        self._made[full] = schema, name
        return schema, name

    def _oneof(self, oneof: Any, fields: list[Field], parts: list[str]) -> None:
        members = [self.field(each) for each in oneof.fields]
        values = [
            f"({part.source.format(_attribute(each))} if m.HasField({each.name!r}) else None)"
            for each, part in zip(oneof.fields, members, strict=True)
        ]
        inner = [Field(each.name, part.schema) for each, part in zip(oneof.fields, members, strict=True)]
        if self._form.flatten:
            fields += inner
            parts += values
            return
        name = oneof.full_name if self._form.enhanced else oneof.name
        schema = Schema(Type.STRUCT, optional=True, name=f"{UNION}.{name}", fields=tuple(inner))
        if self._form.general:
            schema = schema.with_(name=oneof.name, parameters=((GENERAL_UNION, oneof.name),))
        index = next(at for at, each in enumerate(oneof.containing_type.oneofs) if each.name == oneof.name)
        fields.append(Field(f"{oneof.name}_{index}" if self._form.numbered else oneof.name, schema))
        parts.append(f"(({''.join(f'{value}, ' for value in values)}) if m.WhichOneof({oneof.name!r}) else None)")

    def _taken(self, each: Any, part: _Part) -> str:
        """The expression of a field of the message `m`, None where it is missing."""
        attribute = _attribute(each)
        value = part.source.format(attribute)
        if each.is_repeated:
            return value
        if each.message_type is not None:
            return value if self._form.structs else f"({value} if m.HasField({each.name!r}) else None)"
        optional = _is_optional(each, everywhere=self._form.proto2_optional)
        if optional and not self._form.structs:
            return f"({value} if m.HasField({each.name!r}) else None)"
        return value

    def field(self, each: Any) -> _Part:
        """With whether it is optional and its number; `source` reads one that is there."""
        tag = (TAG, str(each.number))
        if each.is_repeated and _is_entry(each.message_type):
            part = self._map(each)
            optional = self._is_nullable(each, part.schema) or True
            return _Part(part.schema.with_(optional=optional, parameters=(*part.schema.parameters, tag)), part.source)
        part = self._single(each)
        if each.is_repeated:
            full = each.message_type.full_name if each.message_type is not None else ""
            inner = part.schema.with_(optional=True)
            inner = inner.with_(parameters=(*inner.parameters, *self._tags.get(full, ())))
            item = part.source.format("x")
            source = "list({})" if item == "x" else f"[{item} for x in {{}}]"
            return _Part(Schema(Type.ARRAY, optional=True, items=inner, parameters=(tag,)), source)
        schema = part.schema.with_(optional=self._is_nullable(each, part.schema),
                                   parameters=(*part.schema.parameters, tag))  # fmt: skip
        if schema.type is Type.STRUCT and each.message_type is not None:
            self._tags.setdefault(each.message_type.full_name, (tag,))
        return _Part(schema, part.source)

    def _is_nullable(self, each: Any, schema: Schema) -> bool:
        if schema.optional:
            return True
        if self._form.optional:
            return _is_optional(each, everywhere=True)
        return not self._form.wrapped

    def _single(self, each: Any) -> _Part:
        if each.message_type is not None:
            return self._of_message(each)
        if each.type == _ENUM_KIND:
            return self._enum(each.enum_type)
        kind = KINDS[each.type]
        connect = SCALARS[kind].connect
        source = "signed({})" if kind in ("uint64", "fixed64") else "{}"
        if connect is Type.INT32:
            known = self._params.get(each.full_name, {}).get(CONNECT_TYPE)
            if known in ("int8", "int16"):
                return _Part(Schema(Type(known)), source)
        usual = {Type.INT32: "int32", Type.INT64: "int64"}.get(connect, kind)
        return _Part(Schema(connect, parameters=() if kind == usual else ((TYPE, kind),)), source)

    def _enum(self, enum: Any) -> _Part:
        word = GENERAL_ENUM if self._form.general else ENUM
        parameters = {word: enum.name} | {f"{word}.{value.name}": str(value.number) for value in enum.values}
        kind = Type.INT32 if self._form.int_enums else Type.STRING
        name = enum.full_name if self._form.enhanced else enum.name
        schema = Schema(kind, optional=True, name=name, parameters=tuple(parameters.items()))
        if self._form.int_enums:
            return _Part(schema, "{}")
        symbols = {value.number: value.name for value in reversed(enum.values)}
        return _Part(schema, f"{self._constant(_Symbols(enum.name, symbols))}[{{}}]")

    def _of_message(self, each: Any) -> _Part:
        message = each.message_type
        full = message.full_name
        if full == DECIMAL_MESSAGE:
            params = self._params.get(each.full_name, {})
            scale = params.get("scale", "0")
            scale = scale if scale.lstrip("-").isdigit() else "0"
            parameters = [("scale", scale)]
            if params.get("precision", "").isdigit():
                parameters.append((PRECISION, params["precision"]))
            schema = Schema(Type.BYTES, True, DECIMAL, 1, parameters=tuple(parameters))
            return _Part(schema, f"{self._constant(_decimal(int(scale)))}({{}})")
        if full in _LOGICAL:
            schema, function = _LOGICAL[full]
            return _Part(schema.with_(optional=True), f"{function}({{}})")
        if full in WRAPPED and (self._form.wrapped or self._form.raw):
            source = self._single(message.fields_by_name["value"]).source.format("{}.value")
            return _Part(Schema(WRAPPED[full], optional=True), source)
        schema, name = self.message(message)
        return _Part(schema.with_(optional=True), f"{name}({{}})")

    def _map(self, each: Any) -> _Part:
        entry = each.message_type
        key, value = (self.field(entry.fields_by_name[name]) for name in ("key", "value"))
        name = map_name(entry.full_name if self._form.enhanced else entry.name)
        taken = [part.source.format(f"x.{name}") for name, part in (("key", key), ("value", value))]
        source = f"{{{{{taken[0]}: {taken[1]} for x in {{}}}}}}"
        return _Part(Schema(Type.MAP, name=name, keys=key.schema, items=value.schema), source)


class _Symbols(dict[int, str]):
    """Names of an enum; a number without one has a name that says so, as Java's runtime gives it."""

    def __init__(self, enum: str, names: Mapping[int, str]) -> None:
        super().__init__(names)
        self._enum = enum

    def __missing__(self, value: int) -> str:
        return f"UNKNOWN_ENUM_VALUE_{self._enum}_{value}"


def _attribute(each: Any) -> str:
    return f"getattr(m, {each.name!r})" if keyword.iskeyword(each.name) else f"m.{each.name}"


def _is_synthetic(oneof: Any) -> bool:
    """Of one optional field of proto3: a word on its presence, not a choice."""
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}" and oneof.fields[0].has_presence


def _is_optional(each: Any, *, everywhere: bool) -> bool:
    """Whether the word `optional` stands before it; `everywhere`: in proto2 too."""
    oneof = each.containing_oneof
    if oneof is not None:
        return _is_synthetic(oneof)
    is_proto2 = each.has_presence and each.message_type is None
    return everywhere and is_proto2 and not each.is_required


def _is_entry(message: Any) -> bool:
    return (
        message is not None
        and message.name.endswith("Entry")
        and [field.name for field in message.fields] == ["key", "value"]
        and not any(field.is_repeated for field in message.fields)
    )
