"""A Connect schema to the shape by which the compiled twin writes its values, if there is a twin.

What the shape refuses (values of another type, nulls where none may stand) or gives to a function (numbers with an
exponent, maps) is decided by the generated functions of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from cdc.json.code import Code, Form
from cdc.json.text import jackson
from cdc.native import hot
from cdc.schema import DECIMAL, Schema, Type

_OPS: Final = {
    Type.INT8: "whole", Type.INT16: "whole", Type.INT32: "whole", Type.INT64: "whole", Type.FLOAT32: "single",
    Type.FLOAT64: "double", Type.BOOLEAN: "boolean", Type.STRING: "string", Type.BYTES: "blob",
    Type.ARRAY: "array", Type.MAP: "other", Type.STRUCT: "struct",
}  # fmt: skip
_CALLED: Final = ("single", "double", "decimal", "other")
Part = tuple[str, int, bytes, bytes | None, Callable[[Any], bytes] | None, int, tuple[Any, ...]]
"""See `Shape` in cdc/native/shapes.c."""


def compile_shape(schema: Schema, form: Form) -> Any:
    """A `Shape`, or None without a twin."""
    return None if hot is None else hot.Shape(_part(schema, form, 0, b""))


def _part(schema: Schema, form: Form, at: int, ahead: bytes) -> Part:
    code = Code(form)
    null = None if code.required(schema) else ahead + jackson(orjson.dumps(code.default(schema)))
    op = _op(schema, form)
    parts: list[Part] = []
    if op == "array" and schema.items is not None:
        parts = [_part(schema.items, form, 0, b"")]
    elif op == "struct":
        names = [(b"," if i else b"{") + jackson(orjson.dumps(f.name)) + b":" for i, f in enumerate(schema.fields)]
        parts = [_part(field.schema, form, i, names[i]) for i, field in enumerate(schema.fields)]
    call = _compile_text(schema, form) if op in _CALLED else None
    return f"json {op}", at, ahead, null, call, len(schema.fields), tuple(parts)


def _op(schema: Schema, form: Form) -> str:
    if schema.name == DECIMAL and schema.type is Type.BYTES:
        return "other" if form.numeric else "decimal"
    names = {field.name for field in schema.fields}
    if (schema.type is Type.ARRAY and schema.items is None) or len(names) < len(schema.fields):
        return "other"
    return _OPS[schema.type]


def _compile_text(schema: Schema, form: Form) -> Callable[[Any], bytes]:
    """A function from one value, which is not null, to its JSON."""
    code = Code(form)
    code.open("def write(v):")
    code.line(f"return {code.dumped(schema, code.present(schema, 'v'))}")
    write: Callable[[Any], bytes] = code.run("write")
    return write
