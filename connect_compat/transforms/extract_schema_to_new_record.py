"""Change events with a further field that describes the columns of their table.

Source: Debezium 3.5.0.Final, `ExtractSchemaToNewRecord`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import OPTIONAL_INT32, OPTIONAL_STRING, STRING, Field, Schema, array, struct
from connect_compat.no_settings import NoSettings
from connect_compat.transforms.change_events import is_envelope, reader
from connect_compat.transforms.side import is_null, runs

_COLUMN: Final = struct(
    ("name", STRING), ("typeName", STRING), ("length", OPTIONAL_INT32), ("scale", OPTIONAL_INT32),
    ("comment", OPTIONAL_STRING), name="io.debezium.connector.source.schema.Column", version=1,
)  # fmt: skip
_TABLE: Final = struct(("columns", array(_COLUMN)), name="io.debezium.connector.source.schema.Table", version=1)
_SCHEMA: Final = struct(("id", STRING), ("table", _TABLE), name="io.debezium.connector.source.Schema", version=1)
_PARAMETER: Final = "__debezium.source.column."


class _Described(NamedTuple):
    """`defaults`: what each field of an event is when it is null; `block`: the value of the new field."""

    schema: Schema
    defaults: tuple[Any, ...]
    block: Any


class ExtractSchemaToNewRecord:
    CLASS_NAME = "io.debezium.transforms.ExtractSchemaToNewRecord"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings) -> None:
        self._known: dict[Schema, _Described] = {}

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_envelope(schema):
            return [batch]
        sides = [read for name in ("after", "before") if (read := reader(schema, name)) is not None]
        marks = [not is_null(value) and any(read(value) is not None for read in sides) for value in batch.values]
        out, at = [], 0
        for part in runs(batch, marks):
            out.append(self._with_schema(part, schema) if marks[at] else part)
            at += len(part)
        return out

    def _with_schema(self, batch: Batch, schema: Schema) -> Batch:
        known = self._known.get(schema)
        if known is None:
            known = self._known[schema] = _described(schema, batch.values[0])
        defaults, block = known.defaults, known.block
        values = [
            (*(default if item is None else item for item, default in zip(value, defaults, strict=True)), block)
            for value in batch.values
        ]
        return replace(batch, value_schema=known.schema, values=values)


def _described(schema: Schema, value: Any) -> _Described:
    table = reader(schema, "source", "table")
    after = schema.field("after")
    if table is None or after is None:
        raise TransformError("ExtractSchemaToNewRecord: the event has no source.table or no after")
    columns = [_column(field.name, field.schema) for field in after.schema.fields]
    made = schema.with_(default=None, fields=(*schema.fields, Field("sourceSchema", _SCHEMA)))
    return _Described(made, tuple(field.schema.default for field in schema.fields), (table(value), (columns,)))


def _column(name: str, schema: Schema) -> Any:
    def said(word: str) -> str | None:
        return schema.parameter(_PARAMETER + word)

    if said("name") is None or said("type") is None:
        raise TransformError(f"field {name!r} does not say of which column it is: Ensure that enable configurations "
                             '"column.propagate.source.type" or "datatype.propagate.source.type" and the value is set '
                             'to ".*"')  # fmt: skip
    length, scale = said("length"), said("scale")
    return (said("name"), said("type"), None if length is None else int(length), None if scale is None else int(scale),
            said("comment"))  # fmt: skip
