"""A Connect schema to lines of Python: struct values taken apart, and the dict literals that orjson writes for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cdc.errors import ConversionError
from cdc.json.schema import BASE64_PAIRS, base64_text, decimal_base64, decimal_number, plain
from cdc.json.text import double_json, float_json, jackson
from cdc.record import NULL
from cdc.schema import DECIMAL, Field, Schema, Type

_TEXTUAL: Final = (Type.STRING, Type.MAP)


@dataclass(frozen=True)
class Form:
    """How values are written. `numeric`: Decimals as numbers; `defaults`: a null becomes its schema's default."""

    numeric: bool
    defaults: bool


def _missing() -> Any:
    raise ConversionError("a required value is null")


def has_text(schema: Schema) -> bool:
    """Whether its JSON may hold characters that need a second look, or names that do."""
    return schema.type in _TEXTUAL or any(
        part is not None and has_text(part) for part in (schema.items, *(f.schema for f in schema.fields))
    ) or any(not f.name.isascii() or "\\" in f.name for f in schema.fields)  # fmt: skip


def _decimal(value: str) -> str:
    """The expression of a Decimal as base64: most amounts of money take three bytes, and those no call."""
    return f"(PAIRS[{value} >> 12] + PAIRS[{value} & 4095] if 32768 <= {value} < 8388608 else decimal({value}))"


class Code:
    """The source of one function, as it grows; values it refers to are its globals."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.lines: list[str] = []
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
            "PAIRS": BASE64_PAIRS,
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

    def required(self, schema: Schema) -> bool:
        """Whether a null is a fault."""
        return not schema.optional and not (self.form.defaults and schema.default is not None)

    def default(self, schema: Schema) -> Any:
        """What orjson is given for a null that is no fault."""
        return plain(schema, schema.default, numeric=self.form.numeric) if self.form.defaults else None

    def names(self, schema: Schema) -> list[str]:
        """A new variable for each member of a struct."""
        return [self.name("v") for _ in schema.fields]

    @staticmethod
    def unpacked(names: Sequence[str]) -> str:
        """The target that takes a tuple apart."""
        return f"({' '.join(name + ',' for name in names)})"

    def unpack(self, schema: Schema, value: str) -> list[str]:
        names = self.names(schema)
        self.line(f"{self.unpacked(names)} = {value}")
        return names

    def check(self, fields: Sequence[Field], names: Sequence[str]) -> None:
        needed = [n for f, n in zip(fields, names, strict=True) if self.required(f.schema)]
        if needed:
            self.line(f"if {' or '.join(f'{n} is None' for n in needed)}: missing()")

    def struct(self, schema: Schema, value: str) -> str:
        """Writes the lines that take the tuple `value` apart; the dict literal of it."""
        names = self.unpack(schema, value)
        self.check(schema.fields, names)
        return self.literal(schema.fields, names)

    def literal(self, fields: Sequence[Field], names: Sequence[str]) -> str:
        members = [f"{f.name!r}: {self.member(f.schema, n)}" for f, n in zip(fields, names, strict=True)]
        return "{" + ", ".join(members) + "}"

    def member(self, schema: Schema, value: str) -> str:
        """The expression of a struct member whose null was refused already where it must not be."""
        if schema.type is not Type.STRUCT:
            return self._filled(schema, value) if not self.required(schema) else self.present(schema, value)
        if self.required(schema):
            return self.struct(schema, value)
        made = self.name("m")
        self.line(f"if {value} is None: {made} = {self.constant(self.default(schema))}")
        self.open("else:")
        self.line(f"{made} = {self.struct(schema, value)}")
        self.close()
        return made

    def filled(self, schema: Schema, value: str) -> str:
        """The expression of a value that may be null."""
        if self.required(schema):
            return f"(missing() if {value} is None else {self.present(schema, value)})"
        return self._filled(schema, value)

    def _filled(self, schema: Schema, value: str) -> str:
        default, present = self.default(schema), self.present(schema, value)
        if default is None and present == value:
            return value
        return f"({'None' if default is None else self.constant(default)} if {value} is None else {present})"

    def present(self, schema: Schema, value: str) -> str:
        """The expression of a value that is not null."""
        match schema.type:
            case Type.FLOAT64:
                return f"({value} if 0.001 <= {value} < 1e7 else double({value}))"
            case Type.FLOAT32:
                return f"single({value})"
            case Type.BYTES if schema.name == DECIMAL:
                return f"number({value}, {schema.scale})" if self.form.numeric else _decimal(value)
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

    def dumped(self, schema: Schema, expression: str) -> str:
        """Writes the line that makes bytes of an expression; their name."""
        text = self.name("t")
        self.line(f"{text} = dumps({expression})")
        if has_text(schema):
            self.line(f"if 92 in {text} or not {text}.isascii(): {text} = jackson({text})")
        return text
