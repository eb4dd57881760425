"""Whether a record may go into a file of another schema, and how: Confluent's `schema.compatibility`.

NONE            another schema begins another file
BACKWARD, FULL  older records take the file's schema; a newer one begins another file
FORWARD         newer records take the file's schema; an older one begins another file
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from cdc.record import NULL
from cdc.schema import Schema, Type
from sinks.s3.formats import Unfit

_PROMOTED: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64)
Project = Callable[[Any], Any]


class Compatibility(Enum):
    NONE = "NONE"
    BACKWARD = "BACKWARD"
    FORWARD = "FORWARD"
    FULL = "FULL"

    def fits(self, schema: Schema | None, current: Schema | None) -> bool:
        """Whether records of `schema` may follow in a file of `current`. Raises: Unfit: a schema without a version."""
        if schema == current:
            return True
        if self is Compatibility.NONE or schema is None or current is None:
            return False
        if schema.version is None or current.version is None:
            raise Unfit(f"Schema version required for {self.value} compatibility; set schema.compatibility=NONE or use "
                        "a converter that gives schemas a version, such as AvroConverter")  # fmt: skip
        newer = schema.version > current.version
        older = schema.version < current.version
        return _alike(schema, current) and not (older if self is Compatibility.FORWARD else newer)


def _alike(schema: Schema, current: Schema) -> bool:
    """Whether each value of `schema` has a form in `current`."""
    promoted = (
        schema.type in _PROMOTED
        and current.type in _PROMOTED
        and _PROMOTED.index(schema.type) <= _PROMOTED.index(current.type)
    )
    if schema.type is not current.type and not promoted:
        return False
    if schema.name != current.name or schema.parameters != current.parameters:
        return False
    if schema.optional and not current.optional and current.default is None:
        return False
    if schema.type is Type.STRUCT:
        return _fields_alike(schema, current)
    inner = ((schema.keys, current.keys), (schema.items, current.items))
    return all(mine is None or its is None or _alike(mine, its) for mine, its in inner)


def _fields_alike(schema: Schema, current: Schema) -> bool:
    for field in current.fields:
        own = schema.field(field.name)
        if own is None:
            if not field.schema.optional and field.schema.default is None:
                return False
        elif not _alike(own.schema, field.schema):
            return False
    return True


@lru_cache(maxsize=512)
def projection(schema: Schema, current: Schema) -> Project:
    """From a value of `schema` to one of `current`, which it fits."""
    match schema.type:
        case Type.STRUCT:
            makers = [_member(schema, field.name, field.schema) for field in current.fields]
            return lambda row: row if row is None or row is NULL else tuple([make(row) for make in makers])
        case Type.ARRAY if schema.items is not None and current.items is not None:
            item = projection(schema.items, current.items)
            return lambda values: None if values is None else [item(value) for value in values]
        case Type.MAP if schema.items is not None and current.items is not None:
            item = projection(schema.items, current.items)
            return lambda entries: None if entries is None else {key: item(value) for key, value in entries.items()}
    if schema.type is not current.type and current.type in (Type.FLOAT32, Type.FLOAT64):
        return lambda value: None if value is None else float(value)
    return lambda value: value


def _member(schema: Schema, name: str, wanted: Schema) -> Project:
    at = schema.index(name)
    if at is None:
        default = wanted.default
        return lambda row: default
    inner = projection(schema.fields[at].schema, wanted)
    return lambda row: inner(row[at])
