"""A pair of a Connect and an Avro schema to the shape by which the compiled twin writes values, if there is a twin.

What the shape refuses (values of another type, nulls where none may stand) is decided by the functions of `write.py`,
which also write what is rare: maps, symbols of an enum, and decimals of a fixed size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cdc.avro.bytes import blob, number
from cdc.avro.schema import AvroForm
from cdc.avro.types import Avro
from cdc.avro.write import branch, compile_writer, default, places
from cdc.native import hot
from cdc.schema import DECIMAL, Schema, Type, decimal_bytes

_OPS: Final = {
    (Type.INT8, "int"): "whole", (Type.INT8, "long"): "whole", (Type.INT16, "int"): "whole",
    (Type.INT16, "long"): "whole", (Type.INT32, "int"): "whole", (Type.INT32, "long"): "whole",
    (Type.INT64, "long"): "whole", (Type.FLOAT32, "float"): "single", (Type.FLOAT32, "double"): "double",
    (Type.FLOAT64, "double"): "double", (Type.BOOLEAN, "boolean"): "boolean", (Type.STRING, "string"): "string",
    (Type.BYTES, "bytes"): "blob", (Type.ARRAY, "array"): "array", (Type.STRUCT, "record"): "struct",
}  # fmt: skip
Part = tuple[str, int, bytes, bytes | None, Callable[[Any], bytes] | None, int, tuple[Any, ...]]
"""See `Shape` in cdc/native/shapes.c."""


def compile_shape(schema: Schema, avro: Avro, form: AvroForm) -> Any:
    """A `Shape`, or None without a twin. Raises: ConversionError: as `compile_writer`."""
    return None if hot is None else hot.Shape(_part(schema, avro, form, 0, ""))


def _part(schema: Schema, avro: Avro, form: AvroForm, at: int, path: str) -> Part:
    null = _null(schema, avro, form)
    ahead, chosen = b"", avro
    if avro.kind == "union":
        index, chosen = branch(schema, avro, path)
        ahead = number(index)
    op = _OPS.get((schema.type, chosen.kind), "other")
    if op == "other":
        return "avro other", at, b"", null, compile_writer(schema, avro, form), 0, ()
    parts: tuple[Part, ...] = ()
    call = None
    if op == "array" and schema.items is not None:
        parts = (_part(schema.items, chosen.inner(), form, 0, path),)
    elif op == "struct":
        parts = _members(schema, chosen, form, path)
    elif op == "blob" and schema.name == DECIMAL:
        op, call = "decimal", _decimal
    return f"avro {op}", at, ahead, null, call, len(schema.fields), parts


def _members(schema: Schema, avro: Avro, form: AvroForm, path: str) -> tuple[Part, ...]:
    """In the order of the Avro schema."""
    at = places(schema, form)
    parts: list[Part] = []
    for field in avro.fields:
        below = f"{path}.{field.name}" if path else field.name
        index = at.get(field.name)
        if index is None:
            parts.append(("avro other", -1, default(field, below), None, None, 0, ()))
        else:
            parts.append(_part(schema.fields[index].schema, field.type, form, index, below))
    return tuple(parts)


def _null(schema: Schema, avro: Avro, form: AvroForm) -> bytes | None:
    """What stands for a null; None where none may stand, or a default cannot be written."""
    if form.defaults and schema.default is not None:
        try:
            return compile_writer(schema, avro, form)(schema.default)
        except Exception:  # the reference tells, once a null comes
            return None
    kinds = [each.kind for each in avro.branches]
    return number(kinds.index("null")) if avro.kind == "union" and "null" in kinds else None


def _decimal(unscaled: int) -> bytes:
    return blob(decimal_bytes(unscaled))
