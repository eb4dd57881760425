"""What tells a change event from other records, and where its parts stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Schema, Type


def is_envelope(schema: Schema | None) -> bool:
    """Whether values of the schema are change events, by its name as Debezium tells it."""
    return schema is not None and (schema.name or "").endswith(".Envelope") and schema.type is Type.STRUCT


def is_schema_change(schema: Schema | None) -> bool:
    """Whether values of the schema are records of a schema-change topic."""
    return schema is not None and (schema.name or "").endswith((".SchemaChangeValue", ".SchemaChangeKey"))


def reader(schema: Schema, *path: str) -> Callable[[Any], Any] | None:
    """A function from a struct's tuple to the value at `path`, a null being the field's default as in `Struct.get`.

    None: there is no such field. The value is None when a struct on the way is null.
    """
    expression = "v"
    names: dict[str, Any] = {}
    for number, step in enumerate(path):
        at = schema.index(step) if schema.type is Type.STRUCT else None
        if at is None:
            return None
        schema = schema.fields[at].schema
        expression = f"(None if (s{number} := {expression}) is None else s{number}[{at}])" if number else f"v[{at}]"
        if schema.default is not None:
            names[f"d{number}"] = schema.default
            expression = f"(d{number} if (t{number} := {expression}) is None else t{number})"
    made: Callable[[Any], Any] = eval(f"lambda v: {expression}", names)
    return made


def needed(schema: Schema, name: str, kind: Type, transform: str) -> Callable[[Any], Any]:
    """A reader of a field that must be there and of that type. Raises: TransformError."""
    read = reader(schema, name)
    field = schema.field(name)
    if read is None or field is None:
        raise TransformError(
            f"{transform}: {name} is not a valid field name; the fields are {', '.join(f.name for f in schema.fields)}"
        )
    if field.schema.type is not kind:
        raise TransformError(f"{transform}: field '{name}' is not of type {kind.name}, it is {field.schema.type.name}")
    return read


def split(batch: Batch, marks: Sequence[Any]) -> list[tuple[Any, Batch]]:
    """The batch by mark, in the order in which the marks come first; records of one mark keep their order."""
    places: dict[Any, list[int]] = {}
    for at, mark in enumerate(marks):
        places.setdefault(mark, []).append(at)
    if len(places) == 1:
        return [(marks[0], batch)]
    return [(mark, batch.pick(wanted)) for mark, wanted in places.items()]
