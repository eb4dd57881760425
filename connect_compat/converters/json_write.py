"""A Connect schema to one generated function: a batch of values in, JsonConverter's bytes out.

The function is straight-line code: it unpacks each tuple, builds one dict literal, and lets orjson write it. Of a
change event's envelope only the row and what moves with it is written each time; runs of members whose values are the
same objects as in the record before (`source` but its position, `op`, the clock readings) keep their bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import DECIMAL, Field, Schema, Type
from connect_compat.converters.json_schema import base64_text, decimal_base64, decimal_number, plain
from connect_compat.converters.json_text import double_json, float_json, jackson

Encode = Callable[[Sequence[Any]], list[bytes | None]]
_MOVING: Final = frozenset({"pos", "row", "lsn", "change_lsn", "event_serial_no", "ord"})
"""Members of a source block that differ from record to record."""
_TEXTUAL: Final = (Type.STRING, Type.MAP)


@dataclass(frozen=True)
class Form:
    """How values are written. `numeric`: Decimals as numbers; `defaults`: a null becomes its schema's default."""

    numeric: bool
    defaults: bool


def _missing() -> Any:
    raise ConversionError("a required value is null")


def compile_encode(schema: Schema, form: Form, before: bytes = b"", after: bytes = b"") -> Encode:
    """`before` and `after` stand around each value's JSON. The function raises whatever a wrong value provokes;
    `find_fault` then tells what is wrong."""
    code = _Code(form)
    code.open("def encode(rows):")
    code.line("out = []; add = out.append")
    start = len(code.lines)
    code.open("for v in rows:")
    code.line("if v is None: add(None); continue")
    code.line(f"if v is NULL: add({_null(code, schema, before, after)}); continue")
    if _is_envelope(schema):
        text = code.envelope(schema, before, after)
        code.lines[start:start] = [f"    {name} = out" for name in code.remembered]
    elif schema.type is Type.STRUCT:
        text = code.wrapped(code.dumped(schema, code.struct(schema, "v")), before, after)
    else:
        text = code.wrapped(code.dumped(schema, code.filled(schema, "v")), before, after)
    code.line(f"add({text})")
    code.close()
    code.line("return out")
    encode: Encode = code.run("encode")
    return encode


def _null(code: _Code, schema: Schema, before: bytes, after: bytes) -> str:
    if schema.default is not None and code.form.defaults:
        value = jackson(orjson.dumps(plain(schema, schema.default, numeric=code.form.numeric)))
        return code.constant(before + value + after)
    return code.constant(before + b"null" + after) if schema.optional else "missing()"


def _is_envelope(schema: Schema) -> bool:
    source = schema.field("source")
    return (
        (schema.name or "").endswith(".Envelope")
        and source is not None
        and source.schema.type is Type.STRUCT
        and not source.schema.optional
        and bool(source.schema.fields)
    )


def _has_text(schema: Schema) -> bool:
    """Whether its JSON may hold characters that need a second look, or names that do."""
    return schema.type in _TEXTUAL or any(
        part is not None and _has_text(part) for part in (schema.items, *(f.schema for f in schema.fields))
    ) or any(not f.name.isascii() or "\\" in f.name for f in schema.fields)  # fmt: skip


class _Code:
    """The source of one function, as it grows; values it refers to are its globals."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.lines: list[str] = []
        self.remembered: list[str] = []
        self._depth = 0
        self._count = 0
        self._functions: list[str] = []
        self._globals: dict[str, Any] = {
            "NULL": NULL,
            "dumps": orjson.dumps,
            "jackson": jackson,
            "double": double_json,
            "single": float_json,
            "base64": base64_text,
            "decimal": decimal_base64,
            "number": decimal_number,
            "missing": _missing,
        }

    def line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def open(self, text: str) -> None:
        self.line(text)
        self._depth += 1

    def close(self) -> None:
        self._depth -= 1

    def name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, value: Any) -> str:
        name = self.name("k")
        self._globals[name] = value
        return name

    def run(self, name: str) -> Any:
        source = "\n".join([*self._functions, *self.lines])
        exec(compile(source, "<json writer>", "exec"), self._globals)
        return self._globals[name]

    def _required(self, schema: Schema) -> bool:
        return not schema.optional and not (self.form.defaults and schema.default is not None)

    def _default(self, schema: Schema) -> Any:
        return plain(schema, schema.default, numeric=self.form.numeric) if self.form.defaults else None

    def _unpack(self, schema: Schema, value: str) -> list[str]:
        names = [self.name("v") for _ in schema.fields]
        self.line(f"({' '.join(name + ',' for name in names)}) = {value}")
        return names

    def _check(self, fields: Sequence[Field], names: Sequence[str]) -> None:
        needed = [n for f, n in zip(fields, names, strict=True) if self._required(f.schema)]
        if needed:
            self.line(f"if {' or '.join(f'{n} is None' for n in needed)}: missing()")

    def struct(self, schema: Schema, value: str) -> str:
        """Writes the lines that take the tuple `value` apart; the dict literal of it."""
        names = self._unpack(schema, value)
        self._check(schema.fields, names)
        return self._literal(schema.fields, names)

    def _literal(self, fields: Sequence[Field], names: Sequence[str]) -> str:
        members = [f"{f.name!r}: {self._member(f.schema, n)}" for f, n in zip(fields, names, strict=True)]
        return "{" + ", ".join(members) + "}"

    def _member(self, schema: Schema, value: str) -> str:
        """The expression of a struct member whose null was refused already where it must not be."""
        if schema.type is not Type.STRUCT:
            return self._filled(schema, value) if not self._required(schema) else self._present(schema, value)
        if self._required(schema):
            return self.struct(schema, value)
        made = self.name("m")
        self.line(f"if {value} is None: {made} = {self.constant(self._default(schema))}")
        self.open("else:")
        self.line(f"{made} = {self.struct(schema, value)}")
        self.close()
        return made

    def filled(self, schema: Schema, value: str) -> str:
        """The expression of a value that may be null."""
        if self._required(schema):
            return f"(missing() if {value} is None else {self._present(schema, value)})"
        return self._filled(schema, value)

    def _filled(self, schema: Schema, value: str) -> str:
        default, present = self._default(schema), self._present(schema, value)
        if default is None and present == value:
            return value
        return f"({'None' if default is None else self.constant(default)} if {value} is None else {present})"

    def _present(self, schema: Schema, value: str) -> str:
        """The expression of a value that is not null."""
        match schema.type:
            case Type.FLOAT64:
                return f"({value} if 0.001 <= {value} < 1e7 else double({value}))"
            case Type.FLOAT32:
                return f"single({value})"
            case Type.BYTES if schema.name == DECIMAL:
                return f"number({value}, {schema.scale})" if self.form.numeric else f"decimal({value})"
            case Type.BYTES:
                return f"base64({value})"
            case Type.STRUCT:
                return f"{self._function(schema)}({value})"
            case Type.ARRAY if schema.items is not None:
                item = self.name("i")
                inner = self.filled(schema.items, item)
                return value if inner == item else f"[{inner} for {item} in {value}]"
            case Type.MAP if schema.keys is not None and schema.items is not None:
                key, item = self.name("k"), self.name("i")
                pair = self.filled(schema.keys, key), self.filled(schema.items, item)
                if schema.keys.type is Type.STRING:
                    return f"{{{pair[0]}: {pair[1]} for {key}, {item} in {value}.items()}}"
                return f"[[{pair[0]}, {pair[1]}] for {key}, {item} in {value}.items()]"
            case _:
                return value

    def _function(self, schema: Schema) -> str:
        """The name of a function that makes the dict of one struct inside an array or a map."""
        name = self.name("f")
        lines, self.lines, depth, self._depth = self.lines, [], self._depth, 0
        self.open(f"def {name}(v):")
        self.line(f"return {self.struct(schema, 'v')}")
        self._functions += self.lines
        self.lines, self._depth = lines, depth
        return name

    def dumped(self, schema: Schema, expression: str, cut: str = "") -> str:
        """Writes the line that makes bytes of an expression; their name."""
        text = self.name("t")
        self.line(f"{text} = dumps({expression}){cut}")
        if _has_text(schema):
            self.line(f"if 92 in {text} or not {text}.isascii(): {text} = jackson({text})")
        return text

    def wrapped(self, text: str, before: bytes, after: bytes) -> str:
        """The expression of bytes between two constants.

        Even between empty ones it makes a copy: orjson's own short results keep the large buffers they were cut from.
        """
        return f"b'%b%b%b' % ({self.constant(before)}, {text}, {self.constant(after)})"

    def envelope(self, schema: Schema, before: bytes, after: bytes) -> str:
        """The expression of an envelope's bytes; writes the lines before it."""
        names = self._unpack(schema, "v")
        structs = [(f, n) for f, n in zip(schema.fields, names, strict=True) if f.schema.type is Type.STRUCT]
        self._check([f for f, _ in structs], [n for _, n in structs])
        pieces = _Pieces()
        run: list[tuple[Field, str]] = []
        for field, name in zip(schema.fields, names, strict=True):
            inner = field.schema
            if inner.type is not Type.STRUCT:
                run.append((field, name))
                continue
            self._flush(run, pieces)
            pieces.constant(orjson.dumps(field.name) + b":")
            if field.name == "source":
                pieces.constant(b"{")
                self._source(inner, name, pieces)
                pieces.constant(b"},")
            else:
                pieces.variable(self._optional_struct(inner, name))
                pieces.constant(b",")
        self._flush(run, pieces)
        pieces.trim()
        pieces.constant(b"}" + after)
        return f"{self.constant(pieces.format)} % ({self.constant(before + b'{')}, {', '.join(pieces.names)},)"

    def _optional_struct(self, schema: Schema, value: str) -> str:
        text = self.name("s")
        if not self._required(schema):
            null = jackson(orjson.dumps(self._default(schema)))
            self.line(f"if {value} is None: {text} = {self.constant(null)}")
            self.open("else:")
            self.line(f"{text} = {self.dumped(schema, self.struct(schema, value))}")
            self.close()
        else:
            self.line(f"{text} = {self.dumped(schema, self.struct(schema, value))}")
        return text

    def _source(self, schema: Schema, value: str, pieces: _Pieces) -> None:
        names = self._unpack(schema, value)
        run: list[tuple[Field, str]] = []
        moving = False
        for field, name in zip(schema.fields, names, strict=True):
            if (field.name in _MOVING) is not moving:
                self._flush(run, pieces, moving=moving)
                moving = not moving
            run.append((field, name))
        self._flush(run, pieces, moving=moving)
        pieces.trim()

    def _flush(self, run: list[tuple[Field, str]], pieces: _Pieces, *, moving: bool = False) -> None:
        """Writes the lines that make the bytes of a run of members, `"a":1,"b":2,`, and empties it."""
        if not run:
            return
        fields, names = [f for f, _ in run], [n for _, n in run]
        text = self.name("r")
        if not moving:
            last = [self.name("last") for _ in run]
            self.remembered += [text, *last]
            self.open(f"if {' or '.join(f'{n} is not {p}' for n, p in zip(names, last, strict=True))}:")
        self._check(fields, names)
        struct = Schema(Type.STRUCT, fields=tuple(fields))
        self.line(f"{text} = {self.dumped(struct, self._literal(fields, names), '[1:-1]')}")
        if not moving:
            self.line("; ".join(f"{p} = {n}" for n, p in zip(names, last, strict=True)))
            self.close()
        pieces.variable(text)
        pieces.constant(b",")
        run.clear()


class _Pieces:
    """Constant bytes and the names of variable ones, in order, as one bytes format."""

    def __init__(self) -> None:
        self.format = b"%b"
        self.names: list[str] = []

    def constant(self, text: bytes) -> None:
        self.format += jackson(text).replace(b"%", b"%%")

    def variable(self, name: str) -> None:
        self.format += b"%b"
        self.names.append(name)

    def trim(self) -> None:
        """Takes the last comma back."""
        self.format = self.format.removesuffix(b",")
