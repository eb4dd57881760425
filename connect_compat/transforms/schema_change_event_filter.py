"""Records of schema-change topics left out by what they do: CREATE, ALTER, DROP, TRUNCATE, DATABASE.

Source: Debezium 3.5.0.Final, `SchemaChangeEventFilter`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Schema
from connect_compat.transforms.change_events import is_schema_change
from connect_compat.transforms.side import Each, is_null

_KINDS: Final = ("CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE")


def _kinds(value: str) -> str | None:
    wrong = [part for part in (part.strip() for part in value.split(",")) if part not in _KINDS]
    return f"{wrong[0]!r} is not one of {', '.join(_KINDS)}" if wrong else None


@dataclass(frozen=True, kw_only=True)
class SchemaChangeEventFilterConfig:
    """What is left out."""

    LAYOUT = UNGROUPED
    excluded: str = key(
        "schema.change.event.exclude.list", default=None, needed=True, check=_kinds, importance=Importance.HIGH,
        width="SHORT", label="Schema change event exclude list",
        doc="Support filtering during DDL synchronization")  # fmt: skip


class SchemaChangeEventFilter:
    CLASS_NAME = "io.debezium.transforms.SchemaChangeEventFilter"
    CONFIG = SchemaChangeEventFilterConfig

    def __init__(self, config: SchemaChangeEventFilterConfig) -> None:
        self._excluded = frozenset(part.strip() for part in config.excluded.split(","))
        self._shape = lru_cache(maxsize=100)(_kind_of)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_schema_change(schema):
            return [batch]
        kind, excluded = self._shape(schema), self._excluded
        kept = [
            at
            for at, value in enumerate(batch.values)
            if is_null(value) or ((found := kind(value)) is not None and found not in excluded)
        ]
        if len(kept) == len(batch):
            return [batch]
        return [batch.pick(kept)] if kept else []


def _kind_of(schema: Schema) -> Each:
    """A function from a record of the topic to what it does; None when it does not say."""
    at = schema.index("tableChanges")
    changes = None if at is None else schema.fields[at].schema.items
    kind_at = None if changes is None else changes.index("type")
    if kind_at is None:
        raise TransformError(f"SchemaChangeEventFilter: {schema.name} has no tableChanges with a type; keep other "
                             "records away from it with a TopicNameMatches predicate")  # fmt: skip

    def kind(value: Any) -> str | None:
        listed = value[at]
        if listed is None:
            return None
        return str(listed[0][kind_at]) if listed else "DATABASE"

    return kind
