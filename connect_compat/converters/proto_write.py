"""Values of a Connect schema to bytes of a Protobuf message: one generated function for each pair of them.

The generated function is straight-line Python over one value; nothing of a schema is looked at for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cdc.avro.write import Known
from cdc.errors import ConversionError
from cdc.java.order import in_hash_order
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type
from connect_compat.converters.proto_bytes import (
    DOUBLE,
    FIXED32,
    FIXED64,
    FLOAT,
    SHORT,
    date_message,
    decimal_message,
    number,
    time_message,
    timestamp_message,
    zigzag,
)
from connect_compat.converters.proto_schema import LOGICAL, ProtoForm, is_union, scrubbed
from connect_compat.converters.proto_types import ENUM, GENERAL_ENUM, KINDS, SCALARS, WRAPPED

Write = Callable[[Any], bytes]
_MESSAGES: Final = {DATE: "date", TIME: "time", TIMESTAMP: "timestamp"}
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_FITTING: Final = {
    **dict.fromkeys(_INTEGERS, Type.INT64), Type.FLOAT32: Type.FLOAT64, Type.FLOAT64: Type.FLOAT64,
}  # fmt: skip
_ENUM_KIND: Final = 14
_GROUP: Final = 10
_ZERO: Final = b"\0"
_ZEROS: Final = {
    scalar.number: bytes(8 if scalar.wire == 1 else 4) for scalar in SCALARS.values() if scalar.wire in (1, 5)
}


def _missing(path: str) -> bytes:
    raise ConversionError(f"field {path!r} is required and null")


def _in_list(path: str) -> bytes:
    raise ConversionError(f"field {path!r} holds a null, and Protobuf has none in lists and maps")


def _none_of(path: str) -> bytes:
    raise ConversionError(f"field {path!r} is a oneof without a value")


def compile_writer(schema: Schema, descriptor: Any, form: ProtoForm) -> Write:
    """`descriptor`: of the message. Raises: ConversionError: it has no place for a value of the schema."""
    code = _Code(form)
    code.line("def write(v0):")
    code.depth = 1
    if schema.type is Type.STRUCT:
        result = code.struct(schema, descriptor, "v0", "")
    else:
        code.line("if v0 is None: return missing('')")
        field = descriptor.fields_by_name["value"]
        result = code.present(schema, field, "v0", "", keep=False)
    code.line(f"return {result}")
    exec("\n".join(code.lines), code.names)
    made: Write = code.names["write"]
    return made


class _Code:
    """The source of one function, as it grows."""

    def __init__(self, form: ProtoForm) -> None:
        self.form = form
        self.lines: list[str] = []
        self.depth = 0
        self._count = 0
        self.names: dict[str, Any] = {
            "SHORT": SHORT, "number": number, "zigzag": zigzag, "double": DOUBLE.pack, "single": FLOAT.pack,
            "fixed32": FIXED32.pack, "fixed64": FIXED64.pack, "decimal": decimal_message, "date": date_message,
            "time": time_message, "timestamp": timestamp_message, "missing": _missing, "in_list": _in_list,
            "none_of": _none_of, "join": b"".join, "bytes": bytes,
            "hashed": lambda pairs: in_hash_order(pairs.items(), text=lambda pair: pair[0]),
        }  # fmt: skip

    def line(self, source: str) -> None:
        self.lines.append("    " * self.depth + source)

    def name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _constant(self, value: Any) -> str:
        name = self.name("c")
        self.names[name] = value
        return name

    def struct(self, schema: Schema, descriptor: Any, given: str, path: str) -> str:
        """Lines that prepare them, and the expression of the bytes of all fields, in the order of their numbers."""
        variables = [self.name("v") for _ in schema.fields]
        if variables:
            self.line(f"({', '.join(variables)},) = {given}")
        parts: list[tuple[int, str]] = []
        for each, variable in zip(schema.fields, variables, strict=True):
            below = f"{path}.{each.name}" if path else each.name
            if is_union(each.schema):
                parts += self._oneof(each.schema, descriptor, variable, below)
                continue
            field = descriptor.fields_by_name.get(scrubbed(each.name) if self.form.scrub else each.name)
            if field is not None:
                parts.append((field.number, self._value(each.schema, field, variable, below)))
        listed = [expression for _, expression in sorted(parts, key=lambda part: part[0])]
        return f"join(({', '.join(listed)},))" if listed else "b''"

    def _oneof(self, schema: Schema, descriptor: Any, given: str, path: str) -> list[tuple[int, str]]:
        """A variable for each member, of which one is not empty."""
        members = [(f, descriptor.fields_by_name.get(scrubbed(f.name) if self.form.scrub else f.name))
                   for f in schema.fields]  # fmt: skip
        variables = [self.name("v") for _ in members]
        results = [self.name("b") for _ in members]
        if not results:
            return []
        self.line(f"{' = '.join(results)} = b''")
        self.line(f"if {given} is not None:")
        self.depth += 1
        self.line(f"({', '.join(variables)},) = {given}")
        word = "if"
        for (each, field), variable, result in zip(members, variables, results, strict=True):
            self.line(f"{word} {variable} is not None:")
            self.depth += 1
            made = (
                "b''" if field is None else self.present(each.schema, field, variable, f"{path}.{each.name}", keep=True)
            )
            self.line(f"{result} = {made}")
            self.depth -= 1
            word = "elif"
        self.line("else:")
        self.line(f"    none_of({path!r})")
        self.depth -= 1
        return [
            (field.number, result) for (_, field), result in zip(members, results, strict=True) if field is not None
        ]

    def _value(self, schema: Schema, field: Any, given: str, path: str) -> str:
        """The expression of a field that may be null."""
        if schema.default is not None and self.form.defaults:
            self.line(f"if {given} is None: {given} = {self._constant(schema.default)}")
        null = "b''" if schema.optional or schema.default is not None else f"missing({path!r})"
        if schema.type not in (Type.STRUCT, Type.ARRAY, Type.MAP):
            return (
                f"({null} if {given} is None else {self.present(schema, field, given, path, keep=field.has_presence)})"
            )
        made = self.name("b")
        self.line(f"if {given} is None:")
        self.line(f"    {made} = {null}")
        self.line("else:")
        self.depth += 1
        self.line(f"{made} = {self.present(schema, field, given, path, keep=True)}")
        self.depth -= 1
        return made

    def present(self, schema: Schema, field: Any, given: str, path: str, *, keep: bool) -> str:
        """The expression of a value that is not null, behind its tag; `keep`: also if it is what a missing one is."""
        repeated = field.is_repeated
        if (schema.type in (Type.ARRAY, Type.MAP)) != repeated:
            raise self._unfit(schema, field, path)
        if schema.type is Type.ARRAY:
            return self._array(schema, field, given, path)
        if schema.type is Type.MAP:
            return self._map(schema, field, given, path)
        tag = _tag(field)
        if field.message_type is not None:
            return self._sized(tag, self._message(schema, field.message_type, given, path))
        raw = self._scalar(schema, field, given, path)
        if field.type in (_STRING, _BYTES):
            return self._text(tag, raw, keep, known=given if _is_repeated(field, path) else None)
        if _is_repeated(field, path) and not keep:
            return f"{self._constant(Known(lambda value: tag + number(value) if value else b''))}[{given}]"
        if keep:
            return f"{tag!r} + {raw}"
        if raw.startswith("(SHORT["):
            return f"(b'' if not {given} else {tag!r} + {raw})"
        return f"(b'' if (r := {raw}) == {_ZEROS.get(field.type, _ZERO)!r} else {tag!r} + r)"

    def _text(self, tag: bytes, raw: str, keep: bool, known: str | None = None) -> str:
        """`known`: the variable of a text that comes again and again."""
        if known is not None and not keep:
            return f"{self._constant(Known(lambda value: _text_bytes(tag, value)))}[{known}]"
        behind = f"{tag!r} + (SHORT[n] if (n := len(r)) < 16384 else number(n)) + r"
        if keep:
            return behind.replace("len(r)", f"len(r := {raw})")
        return f"({behind} if (r := {raw}) else b'')"

    def _sized(self, tag: bytes, body: str) -> str:
        return f"{tag!r} + (SHORT[n] if (n := len(r := {body})) < 16384 else number(n)) + r"

    def _message(self, schema: Schema, message: Any, given: str, path: str) -> str:
        """The expression of a message's bytes, without their length."""
        full = message.full_name
        if schema.name in LOGICAL:
            if full != LOGICAL[schema.name]:
                raise ConversionError(f"field {path!r} is {schema.name}, where the Protobuf schema has {full}")
            if schema.name == DECIMAL:
                return f"decimal({given}, {schema.scale})"
            return f"{_MESSAGES[schema.name]}({given})"
        if full in WRAPPED and schema.type is not Type.STRUCT:
            return f"({self.present(schema, message.fields_by_name['value'], given, path, keep=False)})"
        if schema.type is not Type.STRUCT:
            raise ConversionError(f"field {path!r} is {schema.type.name}, where the Protobuf schema has {full}")
        made = self.name("b")
        self.line(f"{made} = {self.struct(schema, message, given, path)}")
        return made

    def _array(self, schema: Schema, field: Any, given: str, path: str) -> str:
        element = schema.items
        assert element is not None
        item, items = self.name("v"), self.name("a")
        self.line(f"{items} = []")
        self.line(f"for {item} in {given}:")
        self.depth += 1
        self.line(f"if {item} is None: in_list({path!r})")
        tag = _tag(field)
        packed = field.is_packed
        if field.message_type is not None:
            made = self._sized(tag, self._message(element, field.message_type, item, path))
        elif field.type in (_STRING, _BYTES):
            made = self._text(tag, self._scalar(element, field, item, path), True)
        else:
            made = self._scalar(element, field, item, path)
            made = made if packed else f"{tag!r} + {made}"
        self.line(f"{items}.append({made})")
        self.depth -= 1
        if packed:
            whole = bytes(number(field.number << 3 | 2))
            return f"({self._sized(whole, f'join({items})')} if {items} else b'')"
        return f"join({items})"

    def _map(self, schema: Schema, field: Any, given: str, path: str) -> str:
        assert schema.keys is not None and schema.items is not None
        entry = field.message_type
        if entry is None or {"key", "value"} - set(entry.fields_by_name):
            raise self._unfit(schema, field, path)
        pair, items, key, value = self.name("p"), self.name("a"), self.name("v"), self.name("v")
        pairs = f"hashed({given})" if schema.keys.type is Type.STRING else f"{given}.items()"
        self.line(f"{items} = []")
        self.line(f"for {pair} in {pairs}:")
        self.depth += 1
        self.line(f"{key}, {value} = {pair}")
        parts = [
            self._value(part, entry.fields_by_name[name], variable, f"{path}{{}}")
            for name, part, variable in (("key", schema.keys, key), ("value", schema.items, value))
        ]
        self.line(f"{items}.append({self._sized(_tag(field), ' + '.join(f'({part})' for part in parts))})")
        self.depth -= 1
        return f"join({items})"

    def _unfit(self, schema: Schema, field: Any, path: str) -> ConversionError:
        there = "a list" if field.is_repeated else KINDS.get(field.type, "a message or an enum")
        return ConversionError(f"field {path!r} is {schema.type.name}, where the Protobuf schema has {there}")

    def _scalar(self, schema: Schema, field: Any, given: str, path: str) -> str:
        """The expression of a scalar's bytes; of text and bytes without their length."""
        if field.type == _ENUM_KIND:
            return self._symbol(schema, field.enum_type, given, path)
        kind = KINDS.get(field.type, "")
        there = SCALARS[kind].connect if kind else None
        if there is None or _FITTING.get(schema.type, schema.type) is not _FITTING.get(there, there):
            raise self._unfit(schema, field, path)
        match kind:
            case "string":
                return f"{given}.encode()"
            case "bytes":
                return given
            case "bool":
                return f"(b'\\1' if {given} else b'\\0')"
            case "double":
                return f"double({given})"
            case "float":
                return f"single({given})"
            case "sint32" | "sint64":
                return f"zigzag({given})"
            case "fixed32" | "sfixed32":
                return f"fixed32({given} & 0xffffffff)"
            case "fixed64" | "sfixed64":
                return f"fixed64({given} & 0xffffffffffffffff)"
        return f"(SHORT[{given}] if 0 <= {given} < 16384 else number({given}))"

    def _symbol(self, schema: Schema, enum: Any, given: str, path: str) -> str:
        if schema.type is not Type.STRING:
            return f"number({given})"
        prefix = (GENERAL_ENUM if self.form.general else ENUM) + "."
        numbers = {value.name: value.number for value in enum.values}
        numbers |= {key.removeprefix(prefix): int(tag) for key, tag in schema.parameters if key.startswith(prefix)}
        return f"{self._constant({name: number(tag) for name, tag in numbers.items()})}[{given}]"


def _text_bytes(tag: bytes, value: str) -> bytes:
    raw = value.encode()
    return tag + number(len(raw)) + raw if raw else b""


def _is_repeated(field: Any, path: str) -> bool:
    """Whether many rows are likely to have the same value: what a source says of itself, and times of commits."""
    part, _, name = path.rpartition(".")
    if field.type == _INT64:
        return name.startswith("ts_") or name == "server_id"
    return field.type == _STRING and (part == "source" or path == "op")


_INT64: Final = SCALARS["int64"].number
_STRING: Final = SCALARS["string"].number
_BYTES: Final = SCALARS["bytes"].number


def _tag(field: Any) -> bytes:
    if field.type == _GROUP:
        raise ConversionError(f"field {field.name!r} is a group, or delimited, in the Protobuf schema, which is not "
                              "written; make it an ordinary message")  # fmt: skip
    kind = KINDS.get(field.type)
    wire = 0 if field.type == _ENUM_KIND else 2 if kind is None else SCALARS[kind].wire
    return number(field.number << 3 | wire)
