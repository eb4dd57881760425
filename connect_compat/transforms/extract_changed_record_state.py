"""Which fields of a row a change event changed, and which it did not, as headers.

Source: Debezium 3.5.0.Final, `ExtractChangedRecordState`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cdc.config import UNGROUPED, Importance, key
from cdc.record import Batch, Header, Headers
from cdc.schema import OPTIONAL_STRING, Schema, Type, array
from connect_compat.transforms.change_events import is_envelope
from connect_compat.transforms.side import Each, is_null


@dataclass(frozen=True, kw_only=True)
class ExtractChangedRecordStateConfig:
    """What the headers are called."""

    LAYOUT = UNGROUPED
    changed: str | None = key(
        "header.changed.name", default=None, importance=Importance.LOW, width="LONG",
        label="Header change name.",
        doc="Specify the header changed name, default is null which means not send changes to header.")  # fmt: skip
    unchanged: str | None = key(
        "header.unchanged.name", default=None, importance=Importance.LOW, width="LONG",
        label="Header unchanged name.",
        doc="Specify the header unchanged name of schema, default is null which means not send changes "
            "to header.")  # fmt: skip


class ExtractChangedRecordState:
    CLASS_NAME = "io.debezium.transforms.ExtractChangedRecordState"
    CONFIG = ExtractChangedRecordStateConfig

    def __init__(self, config: ExtractChangedRecordStateConfig) -> None:
        self._names = [
            (name, array(OPTIONAL_STRING, optional=True, name=name), side)
            for side, name in enumerate((config.changed, config.unchanged))
            if name and name.strip()
        ]
        self._shape = lru_cache(maxsize=1000)(_compared)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_envelope(schema) or not self._names:
            return [batch]
        compare, known = self._shape(schema), dict[Any, Headers]()
        headers: list[Headers] = []
        for old, value in zip(batch.headers, batch.values, strict=True):
            if is_null(value):
                headers.append(old)
                continue
            found = compare(value)
            if (new := known.get((id(old), found))) is None:
                added = (Header(name, kind, list(found[side])) for name, kind, side in self._names)
                new = known[id(old), found] = (*old, *added)
            headers.append(new)
        return [replace(batch, headers=headers)]


def _compared(schema: Schema) -> Each:
    """A function from an envelope to the names of the fields that changed, and of those that did not."""
    after_at, before_at = schema.index("after"), schema.index("before")
    row = None if after_at is None else schema.fields[after_at].schema
    if after_at is None or before_at is None or row is None:
        return lambda value: ((), ())
    names = [field.name for field in row.fields]
    floats = [at for at, field in enumerate(row.fields) if field.schema.type in (Type.FLOAT32, Type.FLOAT64)]

    def compare(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
        after, before = value[after_at], value[before_at]
        if after is None or before is None:
            return (), ()
        same = [one == other for one, other in zip(after, before, strict=True)]
        for at in floats:
            same[at] = repr(after[at]) == repr(before[at])  # NaN equals itself and -0.0 is not 0.0, as in Java.
        return (
            tuple(name for name, equal in zip(names, same, strict=True) if not equal),
            tuple(name for name, equal in zip(names, same, strict=True) if equal),
        )

    return compare
