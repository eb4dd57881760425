"""Fields renamed by style, with a prefix and a suffix: those of keys, of rows, and of `before` and `after` of events.

Source: Debezium 3.5.0.Final, `FieldNameTransformation`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.record import NULL, Batch
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.change_events import is_envelope
from connect_compat.transforms.naming_style import STYLES, known_style
from connect_compat.transforms.side import Each, Side, is_null, runs


@dataclass(frozen=True, kw_only=True)
class FieldNameTransformationConfig:
    """What becomes of a name."""

    LAYOUT = UNGROUPED
    prefix: str = key("column.naming.prefix", default="", importance=Importance.LOW, label="Column Name Prefix",
                      doc="Optional prefix to add to column names.")  # fmt: skip
    suffix: str = key("column.naming.suffix", default="", importance=Importance.LOW, label="Column Name Suffix",
                      doc="Optional suffix to add to column names.")  # fmt: skip
    style: str = key("column.naming.style", default="default", importance=Importance.LOW, check=known_style,
                     label="Column Naming Style",
                     doc="The style of column naming: UPPERCASE, lowercase, snake_case, camelCase, "
                         "kebab-case.")  # fmt: skip


class FieldNameTransformation:
    CLASS_NAME = "io.debezium.connector.jdbc.transforms.FieldNameTransformation"
    CONFIG = FieldNameTransformationConfig

    def __init__(self, config: FieldNameTransformationConfig) -> None:
        self._prefix, self._suffix, self._style = config.prefix, config.suffix, STYLES[config.style.lower()]
        self._renamed = lru_cache(maxsize=1000)(self._rename)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        """A tombstone keeps its key as it is; so does a record whose value is no struct."""
        if batch.value_schema is None or batch.value_schema.type is not Type.STRUCT:
            return [batch]
        parts = runs(batch, [value is None for value in batch.values])
        return [part if part.values[0] is None else self._both(part) for part in parts]

    def _both(self, batch: Batch) -> Batch:
        for side in Side:
            schema = side.schema(batch)
            if schema is not None and schema.type is Type.STRUCT:
                made, change = self._renamed(schema, side is Side.VALUE and is_envelope(schema))
                if is_envelope(schema) and side is Side.VALUE and any(value is NULL for value in batch.values):
                    raise TransformError("FieldNameTransformation finds a null where a change event must stand")
                batch = side.put(batch, made, [item if is_null(item) else change(item) for item in side.items(batch)])
        return batch

    def _rename(self, schema: Schema, is_event: bool) -> tuple[Schema, Each]:
        if not is_event:
            fields = [Field(f"{self._prefix}{self._style(f.name)}{self._suffix}", f.schema) for f in schema.fields]
            twice = next((f.name for f in fields if sum(f.name == other.name for other in fields) > 1), None)
            if twice is not None:
                raise TransformError(f"FieldNameTransformation would give two fields the name {twice!r}")
            return schema.with_(fields=tuple(fields)), _filling(schema, {})
        inner = {f.name: self._rename(f.schema, False) for f in schema.fields if f.name in ("before", "after")}
        fields = [Field(f.name, inner[f.name][0]) if f.name in inner else f for f in schema.fields]
        return schema.with_(fields=tuple(fields)), _filling(schema, {name: each for name, (_, each) in inner.items()})


def _filling(schema: Schema, inner: dict[str, Each]) -> Each:
    """A function from a struct: nulls take their fields' defaults, for that is what Debezium reads."""
    parts = [
        (at, field.schema.default, inner.get(field.name))
        for at, field in enumerate(schema.fields)
        if field.schema.default is not None or field.name in inner
    ]

    def filled(value: Any) -> Any:
        members = list(value)
        for at, default, change in parts:
            item = default if members[at] is None else members[at]
            members[at] = item if item is None or change is None else change(item)
        return tuple(members)

    return filled if parts else lambda value: value
