"""Connect schemas to .proto text, equal to what Confluent's ProtobufConverter registers.

A struct is a message named after its schema, structs within it are messages within it. Source: `ProtobufData` of
Confluent 8.0, by what it gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from cdc.errors import ConversionError
from cdc.java.order import in_hash_order
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type
from connect_compat.converters.proto_types import (
    CONNECT_TYPE,
    DATE_MESSAGE,
    DECIMAL_MESSAGE,
    DEFAULT_NAME,
    ENUM,
    FILES,
    GENERAL_ENUM,
    GENERAL_UNION,
    PRECISION,
    TAG,
    TIME_MESSAGE,
    TIMESTAMP_MESSAGE,
    TYPE,
    UNION,
    WRAPPER,
    WRAPPERS,
    entry_name,
)
from connect_compat.converters.proto_wrappers import WRAPPERS_TEXT

LOGICAL: Final = {DECIMAL: DECIMAL_MESSAGE, DATE: DATE_MESSAGE, TIME: TIME_MESSAGE, TIMESTAMP: TIMESTAMP_MESSAGE}
_PLAIN: Final = {
    Type.INT8: "int32", Type.INT16: "int32", Type.INT32: "int32", Type.INT64: "int64", Type.FLOAT32: "float",
    Type.FLOAT64: "double", Type.BOOLEAN: "bool", Type.STRING: "string", Type.BYTES: "bytes",
}  # fmt: skip
_UNSIGNED: Final = {"uint32": "UInt32", "fixed32": "UInt32", "uint64": "UInt64", "fixed64": "UInt64"}
_FIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LEGAL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ProtoForm(NamedTuple):
    """The settings that shape Protobuf schemas; each is named after the key of the config that sets it."""

    enhanced: bool = False
    scrub: bool = False
    int_enums: bool = False
    optional: bool = False
    proto2_optional: bool = True
    wrapped: bool = False
    raw: bool = True
    structs: bool = False
    numbered: bool = True
    flatten: bool = False
    general: bool = False
    defaults: bool = True


class Made(NamedTuple):
    """The text of a file, and the full name of the message in it that holds the values."""

    text: str
    message: str


@dataclass
class _Message:
    name: str
    fields: list[str] = field(default_factory=list)
    oneofs: list[tuple[str, list[str]]] = field(default_factory=list)
    nested: list[_Message] = field(default_factory=list)
    enums: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def must_be_clear(self, fields: Sequence[str]) -> None:
        """Raises: ConversionError: two of its parts have one name."""
        names = [*fields, *(name for name, _ in self.oneofs), *(each.name for each in self.nested), *self.enums]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConversionError(f"Protobuf message {self.name!r} would have two parts named {twice!r}; rename one")

    def text(self) -> str:
        """As Confluent prints it: fields, oneofs, messages and enums, each kind behind an empty line if it follows."""
        parts = ["".join(self.fields)] if self.fields else []
        if self.oneofs:
            parts.append("".join(_block(f"oneof {name}", ["".join(members)]) for name, members in self.oneofs))
        inner = "".join(each.text() for each in self.nested)
        inner += "".join(
            _block(f"enum {name}", ["".join(f"{symbol} = {number};\n" for symbol, number in values)])
            for name, values in self.enums.items()
        )
        parts += [inner] if inner else []
        return _block(f"message {self.name}", parts)


def _block(head: str, parts: Sequence[str]) -> str:
    """Each part behind a line's end of its own; within one every line is indented, empty ones too."""
    body = "".join("\n" + "".join(f"  {line}\n" for line in part.splitlines()) for part in parts)
    return f"{head} {{{body}}}\n"


def scrubbed(name: str) -> str:
    """A name that Protobuf allows: `a-b` is `a_2Db`, `_u` is `x_u`."""
    if not name or _FIT.fullmatch(name):
        return name
    encoded = quote_plus(name, safe="*-._").replace("~", "%7E")
    if encoded[0].isdigit() or encoded[0] == "_":
        encoded = f"x{encoded}"
    return re.sub(r"[^A-Za-z0-9_]", "_", encoded)


def is_union(schema: Schema) -> bool:
    """Whether a struct stands for a oneof: one of its fields has a value."""
    named = schema.name is not None and schema.name.startswith(UNION)
    return schema.type is Type.STRUCT and (named or schema.parameter(GENERAL_UNION) is not None)


def is_enum(schema: Schema) -> bool:
    return schema.parameter(ENUM) is not None or (
        schema.type is Type.STRING and schema.parameter(GENERAL_ENUM) is not None
    )


def proto_text(schema: Schema, form: ProtoForm) -> Made:
    """Raises: ConversionError: a schema that Protobuf cannot hold."""
    if schema.type is not Type.STRUCT:
        if schema.type not in WRAPPER:
            raise ConversionError(f"Protobuf holds no {schema.type.name} as a whole value, only as a field of a struct")
        return Made(WRAPPERS_TEXT, WRAPPER[schema.type])
    return _Builder(form).file(schema)


@dataclass
class _Builder:
    form: ProtoForm
    imports: dict[str, None] = field(default_factory=dict)
    unnamed: int = 0

    def _name(self, name: str | None) -> str:
        if name:
            return name
        self.unnamed += 1
        return f"{DEFAULT_NAME}{self.unnamed}"

    def _scrubbed(self, name: str) -> str:
        if self.form.scrub:
            return scrubbed(name)
        if not _LEGAL.fullmatch(name):
            raise ConversionError(f"Protobuf allows no name {name!r}; set scrub.invalid.names=true")
        return name

    def _simple(self, name: str | None) -> str:
        return self._scrubbed(self._name(name).rpartition(".")[2])

    def file(self, schema: Schema) -> Made:
        *space, name = map(self._scrubbed, self._name(schema.name).split("."))
        message = self._message(name, schema)
        package = ".".join(space)
        text = 'syntax = "proto3";\n' + (f"package {package};\n" if package else "")
        if self.imports:
            text += "\n" + "".join(f'import "{each}";\n' for each in self.imports)
        return Made(f"{text}\n{message.text()}", ".".join([*space, name]))

    def _message(self, name: str, schema: Schema) -> _Message:
        message = _Message(name)
        at = 1
        for each in schema.fields:
            tag = each.schema.parameter(TAG)
            at += tag is None
            line = self._field(message, each.schema, self._scrubbed(each.name), int(tag or at - 1))
            if line is not None:
                label = "repeated " if each.schema.type in (Type.ARRAY, Type.MAP) else ""
                if not label and self.form.optional and each.schema.optional:
                    label = "optional "
                message.fields.append(label + line)
        message.must_be_clear([self._scrubbed(each.name) for each in schema.fields if not is_union(each.schema)])
        return message

    def _field(self, message: _Message, schema: Schema, name: str, tag: int) -> str | None:
        """Its line without the label, or None: it is a oneof, and stands in the message already."""
        if schema.type is Type.ARRAY:
            assert schema.items is not None
            schema = schema.items
            if schema.type in (Type.ARRAY, Type.MAP):
                raise ConversionError(f"field {name!r}: Protobuf holds no array of arrays or maps")
        params: dict[str, str] = {}
        kind = self._kind(schema, name, params)
        if schema.type is Type.STRUCT and kind != LOGICAL.get(schema.name or ""):
            if is_union(schema):
                self._oneof(message, schema)
                return None
            if kind != message.name and kind not in message.known:
                message.known.add(kind)
                message.nested.append(self._message(kind, schema))
        elif schema.type is Type.MAP:
            message.nested.append(self._entry(kind, schema))
        elif is_enum(schema):
            message.enums.setdefault(self._simple(schema.name), self._symbols(schema))
        elif kind in FILES:
            self.imports[FILES[kind]] = None
        elif kind.startswith("google.protobuf."):
            self.imports[WRAPPERS] = None
        return f"{kind} {name} = {tag}{_meta(params)};\n"

    def _entry(self, kind: str, schema: Schema) -> _Message:
        assert schema.keys is not None and schema.items is not None
        entry = _Message(kind)
        for tag, (name, part) in enumerate((("key", schema.keys), ("value", schema.items)), 1):
            label = "repeated " if part.type in (Type.ARRAY, Type.MAP) else ""
            entry.fields.append(f"{label}{self._field(entry, part, name, tag)}")
        return entry

    def _oneof(self, message: _Message, schema: Schema) -> None:
        name = schema.parameter(GENERAL_UNION) if self.form.general else None
        if name is None:
            name = self._simple((schema.name or "").removeprefix(f"{UNION}."))
        members = []
        for each in schema.fields:
            line = self._field(message, each.schema, self._scrubbed(each.name), int(each.schema.parameter(TAG) or 0))
            members.append(line or "")
        message.oneofs.append((name, members))

    def _symbols(self, schema: Schema) -> list[tuple[str, str]]:
        prefix = (GENERAL_ENUM if self.form.general else ENUM) + "."
        return [(key.removeprefix(prefix), number) for key, number in schema.parameters if key.startswith(prefix)]

    def _kind(self, schema: Schema, name: str, params: dict[str, str]) -> str:
        if schema.name in LOGICAL:
            if schema.name == DECIMAL:
                given = {"precision": schema.parameter(PRECISION), "scale": schema.parameter("scale")}
                params |= {key: text for key, text in given.items() if text is not None}
            return LOGICAL[schema.name]
        match schema.type:
            case Type.MAP:
                return entry_name(self._simple(schema.name))
            case Type.STRUCT:
                kind = self._simple(schema.name)
                return f"{kind}Message" if kind == name else kind
            case Type.INT8 | Type.INT16:
                params[CONNECT_TYPE] = schema.type.value
            case Type.INT32 | Type.STRING if is_enum(schema):
                general = schema.parameter(GENERAL_ENUM) if schema.type is Type.STRING else None
                return general or schema.parameter(ENUM) or ""
        kind = _PLAIN[schema.type]
        if schema.type in (Type.INT32, Type.INT64):
            kind = schema.parameter(TYPE) or kind
        if self.form.wrapped and schema.optional:
            word = _UNSIGNED.get(kind)
            return f"google.protobuf.{word}Value" if word else WRAPPER[schema.type]
        return kind


def _meta(params: dict[str, str]) -> str:
    """What a field says of its Connect type, in an option."""
    if not params:
        return ""
    entries = []
    for key in in_hash_order(params):
        pair = [f'key: "{key}"', f'value: "{params[key]}"']
        first, second = reversed(pair) if key in ("precision", "scale") else pair
        entries.append(f"    {{\n      {first},\n      {second}\n    }}")
    return " [(confluent.field_meta) = {\n  params: [\n" + ",\n".join(entries) + "\n  ]\n}]"
