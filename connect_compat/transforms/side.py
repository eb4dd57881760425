"""The half of a record that a transform works on, key or value; and the batch with that half changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from itertools import groupby
from typing import Any

from cdc.errors import TransformError
from cdc.record import NULL, Batch
from cdc.schema import Schema, Type

Rows = Callable[[Schema | None, Sequence[Any]], tuple[Schema | None, Sequence[Any]]]
"""Schema and items, none of them null, to schema and items."""
Each = Callable[[Any], Any]


class Side(Enum):
    KEY = "Key"
    VALUE = "Value"

    def schema(self, batch: Batch) -> Schema | None:
        return batch.key_schema if self is Side.KEY else batch.value_schema

    def items(self, batch: Batch) -> Sequence[Any]:
        return batch.keys if self is Side.KEY else batch.values

    def put(self, batch: Batch, schema: Schema | None, items: Sequence[Any]) -> Batch:
        if self is Side.KEY:
            return replace(batch, key_schema=schema, keys=items)
        return replace(batch, value_schema=schema, values=items)


def is_null(item: Any) -> bool:
    return item is None or item is NULL


def changed(batch: Batch, side: Side, rows: Rows) -> list[Batch]:
    """The batch with its rows changed and its nulls as they are: a null under a schema keeps the old schema."""
    schema, items = side.schema(batch), side.items(batch)
    present = [item for item in items if item is not None and item is not NULL]
    if len(present) == len(items):
        return [side.put(batch, *rows(schema, items))]
    if not present:
        return [batch]
    if not any(item is NULL for item in items):
        new_schema, made = rows(schema, present)
        following = iter(made)
        return [side.put(batch, new_schema, [None if item is None else next(following) for item in items])]
    return [out for part in runs(batch, [item is NULL for item in items]) for out in changed(part, side, rows)]


def runs(batch: Batch, marks: Sequence[Any]) -> list[Batch]:
    """The batch cut where the mark changes, so that the order stays."""
    if len(set(marks)) == 1:
        return [batch]
    return [batch.pick(list(run)) for _, run in groupby(range(len(batch)), key=marks.__getitem__)]


def need_struct(schema: Schema, purpose: str) -> Schema:
    """Raises: TransformError in the words of Kafka Connect."""
    if schema.type is not Type.STRUCT:
        raise TransformError(f"Only Struct objects supported for [{purpose}], found: {schema.type.name}")
    return schema


def need_maps(items: Sequence[Any], purpose: str) -> Sequence[dict[Any, Any]]:
    """Raises: TransformError in the words of Kafka Connect."""
    for item in items:
        if not isinstance(item, dict):
            raise TransformError(
                f"Only Map objects supported in absence of schema for [{purpose}], found: {type(item).__name__}"
            )
    return items


def refuse_nulls(items: Sequence[Any], purpose: str, transform: str) -> None:
    """Raises: TransformError: a null where the transform needs a value."""
    if any(is_null(item) for item in items):
        raise TransformError(
            f"Only Struct or Map objects supported for [{purpose}], found: null; keep tombstones away from {transform} "
            "with a RecordIsTombstone predicate and negate=true"
        )
