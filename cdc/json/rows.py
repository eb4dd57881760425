"""Rows of one struct schema to JSON texts, many in one call of orjson.

An array of objects is cut apart where one ends and the next begins: `},{"id":`. Inside a string the quote of such a
place would be escaped; and where it ends a string, no letter follows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import orjson

from cdc.changes import Rows
from cdc.json.code import Code, Form, has_text
from cdc.schema import Schema, Type

_CHUNK: Final = 128
"""Rows written at once: few enough to stay in the processor's cache."""
_NESTING: Final = (Type.STRUCT, Type.ARRAY, Type.MAP)


class Texts(NamedTuple):
    """`write` gives a text for each tuple; with `start` before and `end` after it, it is the row's JSON.

    `write` raises for a null, and whatever a wrong value provokes.
    """

    start: bytes
    write: Callable[[Rows], list[bytes]]
    end: bytes


def compile_texts(schema: Schema, form: Form) -> Texts:
    fields = schema.fields
    plain = fields and all(field.schema.type not in _NESTING for field in fields)
    if not plain or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", fields[0].name):
        return Texts(b"", _compile_each(schema, form), b"")
    start = b"{" + orjson.dumps(fields[0].name) + b":"
    write = _compile_all(schema, form, start)
    return Texts(
        start, lambda rows: [text for at in range(0, len(rows), _CHUNK) for text in write(rows[at : at + _CHUNK])], b"}"
    )


def _compile_each(schema: Schema, form: Form) -> Callable[[Rows], list[bytes]]:
    code = Code(form)
    code.open("def write(rows):")
    code.line("out = []; add = out.append")
    code.open("for v in rows:")
    code.line(f"add({code.dumped(schema, code.struct(schema, 'v'))})")
    code.close()
    code.line("return out")
    write: Callable[[Rows], list[bytes]] = code.run("write")
    return write


def _compile_all(schema: Schema, form: Form, start: bytes) -> Callable[[Rows], list[bytes]]:
    code = Code(form)
    code.open("def write(rows):")
    code.line("out = []; add = out.append")
    names = code.names(schema)
    code.open(f"for {code.unpacked(names)} in rows:")
    code.check(schema.fields, names)
    code.line(f"add({code.literal(schema.fields, names)})")
    code.close()
    code.line("text = dumps(out)")
    if has_text(schema):
        code.line("if 92 in text or not text.isascii(): text = jackson(text)")
    code.line(f"return text[{len(start) + 1}:-2].split({code.constant(b'},' + start)})")
    write: Callable[[Rows], list[bytes]] = code.run("write")
    return write
