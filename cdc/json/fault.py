"""Values that a converter could not write, to the words for what is wrong with the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cdc.record import NULL
from cdc.schema import DECIMAL, Schema, Type

_CLASSES: Final[dict[Type, tuple[type, ...]]] = {
    Type.INT8: (int,),
    Type.INT16: (int,),
    Type.INT32: (int,),
    Type.INT64: (int,),
    Type.FLOAT32: (float,),
    Type.FLOAT64: (float,),
    Type.BOOLEAN: (bool,),
    Type.STRING: (str,),
    Type.BYTES: (bytes, bytearray, memoryview),
    Type.ARRAY: (list, tuple),
    Type.MAP: (dict,),
    Type.STRUCT: (tuple, list),
}


def find_fault(schema: Schema, values: Sequence[Any], *, defaults: bool) -> str | None:
    """Names the field and what stands there, never the value itself. None when nothing is found.

    `defaults`: a null takes its schema's default.
    """
    faults = (_fault(schema, None if v is NULL else v, "", defaults) for v in values if v is not None)
    return next((fault for fault in faults if fault), None)


def _fault(schema: Schema, value: Any, path: str, defaults: bool) -> str | None:
    where = f"field {path!r}" if path else "the value"
    if value is None:
        allowed = schema.optional or (defaults and schema.default is not None)
        return None if allowed else f"{where} is null but required and has no default value"
    kinds: tuple[type, ...] = (int,) if schema.name == DECIMAL else _CLASSES[schema.type]
    if not isinstance(value, kinds):
        return f"{where} is a {type(value).__name__} where {schema.name or schema.type.name} must stand"
    return _inside(schema, value, path, where, defaults)


def _inside(schema: Schema, value: Any, path: str, where: str, defaults: bool) -> str | None:
    match schema.type:
        case Type.STRUCT:
            if len(value) != len(schema.fields):
                return f"{where} has {len(value)} members but its schema has {len(schema.fields)}"
            parts = [(f.schema, v, f"{path}.{f.name}".lstrip(".")) for f, v in zip(schema.fields, value, strict=True)]
        case Type.ARRAY if schema.items is not None:
            parts = [(schema.items, v, f"{path}[{i}]") for i, v in enumerate(value)]
        case Type.MAP if schema.keys is not None and schema.items is not None:
            parts = [(schema.keys, k, f"{path}{{}}") for k in value] + [
                (schema.items, v, f"{path}{{}}") for v in value.values()
            ]
        case Type.STRING:
            return _unwritable(value, where)
        case Type.INT64 if not -(2**63) <= value < 2**63:
            return f"{where} does not fit 64 bits"
        case _:
            return None
    return next((fault for part in parts if (fault := _fault(*part, defaults))), None)


def _unwritable(value: str, where: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{where} holds half of a surrogate pair, which no UTF-8 text can"
    return None
