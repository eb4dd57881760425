"""A Connect schema to one generated function: a batch of values in, JsonConverter's bytes out.

The function is straight-line code: it unpacks each tuple, builds one dict literal, and lets orjson write it. Structs of
plain members are written many at a time and cut apart; change events, a run at a time (changes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from cdc.changes import Changes
from cdc.json.changes import compile_changes
from cdc.json.code import Code, Form
from cdc.json.rows import compile_texts
from cdc.json.schema import plain
from cdc.json.shape import compile_shape
from cdc.json.text import jackson
from cdc.schema import Schema, Type

Encode = Callable[[Sequence[Any]], list[bytes | None]]


def compile_encode(schema: Schema, form: Form, before: bytes = b"", after: bytes = b"") -> Encode:
    """`before` and `after` stand around each value's JSON. The function raises whatever a wrong value provokes;
    `find_fault` then tells what is wrong."""
    one_by_one = _compile_one_by_one(schema, form, before, after)
    if schema.type is not Type.STRUCT:
        return one_by_one
    shape = compile_shape(schema, form)
    python: Encode = _compile_together(schema, form, before, after)
    changes = compile_changes(schema, form, before, after)

    def fast(values: Sequence[Any]) -> list[bytes | None]:
        if shape is not None:
            try:
                return shape.rows(before, values, after)  # type: ignore[no-any-return]
            except Exception:  # the reference says what is wrong, if anything is
                pass
        return python(values)

    def encode(values: Sequence[Any]) -> list[bytes | None]:
        try:
            return changes(values) if changes is not None and isinstance(values, Changes) else fast(values)
        except Exception:  # a null for a whole value, or what really is wrong
            return one_by_one(values)

    return encode


def _compile_together(schema: Schema, form: Form, before: bytes, after: bytes) -> Encode:
    """For tuples alone."""
    texts = compile_texts(schema, form)
    shape = (before + texts.start).replace(b"%", b"%%") + b"%b" + (texts.end + after).replace(b"%", b"%%")
    return lambda rows: [shape % text for text in texts.write(rows)]


def _compile_one_by_one(schema: Schema, form: Form, before: bytes, after: bytes) -> Encode:
    code = Code(form)
    code.open("def encode(rows):")
    code.line("out = []; add = out.append")
    code.open("for v in rows:")
    code.line("if v is None: add(None); continue")
    code.line(f"if v is NULL: add({_null(code, schema, before, after)}); continue")
    text = code.dumped(schema, code.struct(schema, "v") if schema.type is Type.STRUCT else code.filled(schema, "v"))
    # Even between empty ones it makes a copy: orjson's own short results keep the large buffers they were cut from.
    code.line(f"add(b'%b%b%b' % ({code.constant(before)}, {text}, {code.constant(after)}))")
    code.close()
    code.line("return out")
    encode: Encode = code.run("encode")
    return encode


def _null(code: Code, schema: Schema, before: bytes, after: bytes) -> str:
    if schema.default is not None and code.form.defaults:
        value = jackson(orjson.dumps(plain(schema, schema.default, numeric=code.form.numeric)))
        return code.constant(before + value + after)
    return code.constant(before + b"null" + after) if schema.optional else "missing()"
