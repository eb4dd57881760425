"""Change events to the row they leave behind: the envelope's `after`, a null or a mark for a deleted row.

Source: Debezium 3.5.0.Final, `ExtractNewRecordState`, by what it gives; `drop.tombstones` and `delete.handling.mode` as
Debezium 1.9 had them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.record import NULL, Batch, Header, Headers
from cdc.schema import OPTIONAL_STRING, STRING, Field, Schema, Type
from connect_compat.transforms.drop_fields import DropFields
from connect_compat.transforms.envelope_fields import Reference, references
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Each, runs

LOW: Final = Importance.LOW
_MODES: Final = ("drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone")
_ADDS: Final = (
    "Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms fields. Optionally "
    "one can also map new field name like version:VERSION,connector:CONNECTOR,source.ts_ms:EVENT_TIMESTAMP."
    "Please note that the new field name is case-sensitive."
)


@dataclass(frozen=True, kw_only=True)
class ExtractNewRecordStateConfig:
    """What becomes of deleted rows, and what is added to, or taken from, the row."""

    LAYOUT = UNGROUPED
    mode: str = key(
        "delete.tombstone.handling.mode", default="tombstone", values=_MODES,
        label="Handle delete and tombstone records",
        doc="How to handle delete records. Options are: drop - Remove the delete event and tombstone from the stream."
            "tombstone (default) - For each delete event, leave only a tombstone in the stream."
            "rewrite - Remove tombstone from the record, and add a `__deleted` field with the value `true`."
            "rewrite-with-tombstone - Retain tombstone in record and add a `__deleted` field with the value `true`."
            "delete-to-tombstone - Convert delete events to tombstone events and drop tombstone events.")  # fmt: skip
    route_by: str = key(
        "route.by.field", default="", importance=LOW, width="LONG", label="Route by field name",
        doc="The column which determines how the events will be routed, the value will replace the topic "
            "name.")  # fmt: skip
    field_prefix: str = key("add.fields.prefix", default="__", importance=LOW, width="SHORT",
                            label="Field prefix to be added to each field.",
                            doc="Adds this prefix to each field listed.")  # fmt: skip
    fields: tuple[str, ...] = key(
        "add.fields", default=(), importance=LOW, width="LONG",
        label="Adds the specified field(s) to the message if they exist.",
        doc=f"Adds each field listed, prefixed with __ (or __<struct>_ if the struct is specified). {_ADDS}",
    )  # fmt: skip
    header_prefix: str = key("add.headers.prefix", default="__", importance=LOW, width="SHORT",
                             label="Header prefix to be added to each header.",
                             doc="Adds this prefix listed to each header.")  # fmt: skip
    headers: tuple[str, ...] = key(
        "add.headers", default=(), importance=LOW, width="LONG",
        label="Adds the specified fields to the header if they exist.",
        doc=f"Adds each field listed to the header,  __ (or __<struct>_ if the struct is specified). {_ADDS}",
    )  # fmt: skip
    drop_header: str | None = key(
        "drop.fields.header.name", default=None, importance=LOW, width="SHORT",
        label="Specifies a header that contains a list of field names to be removed",
        doc="Specifies the name of a header that contains a list of fields to be removed from the event "
            "value.")  # fmt: skip
    drop_from_key: bool = key(
        "drop.fields.from.key", default=False, importance=LOW, width="SHORT",
        label="Specifies whether the fields to be dropped should also be omitted from the key",
        doc="Specifies whether to apply the drop fields behavior to the event key as well as the value. Default "
            "behavior is to only remove fields from the event value, not the key.")  # fmt: skip
    drop_compatibly: bool = key(
        "drop.fields.keep.schema.compatible", default=True, importance=LOW, width="SHORT",
        label="Specifies if fields are dropped, will the event's schemas be compatible",
        doc="Controls the output event's schema compatibility when using the drop fields feature. `true`: dropped "
            "fields are removed if the schema indicates its optional leaving the schemas unchanged, `false`: dropped "
            "fields are removed from the key/value schemas, regardless of optionality.")  # fmt: skip
    old_drop_tombstones: bool | None = key("drop.tombstones", default=None, internal=True,
                                           doc="Debezium 1.x and 2.x: remove tombstones.")  # fmt: skip
    old_mode: str | None = key("delete.handling.mode", default=None, values=("drop", "rewrite", "none"), internal=True,
                               doc="Debezium 1.x and 2.x: what becomes of delete events.")  # fmt: skip


class _Drop:
    """Stands for a record that goes away."""


DROP: Final = _Drop()
_DELETED: Final = {
    "drop": DROP, "tombstone": NULL, "delete-to-tombstone": None, "none": NULL,
    "rewrite": "rewrite", "rewrite-with-tombstone": "rewrite",
}  # fmt: skip


@dataclass(frozen=True)
class _Shape:
    """What depends on the envelope's schema.

    Attributes:
        row: schema of what is left of an insert or an update.
        deleted: schema of the null that is left of a delete.
        extract: an envelope to the row, NULL, None or DROP.
        topic: an envelope to the topic of its record; None: the topic stays.
        added: what each new header is called, its schema, and a function to its values.
    """

    row: Schema
    deleted: Schema
    extract: Each
    topic: Each | None
    added: tuple[tuple[tuple[str, Schema], ...], Each]


class ExtractNewRecordState:
    CLASS_NAME = "io.debezium.transforms.ExtractNewRecordState"
    CONFIG = ExtractNewRecordStateConfig

    def __init__(self, config: ExtractNewRecordStateConfig) -> None:
        self._config = config
        mode = config.mode
        self._keep_tombstones = mode == "rewrite-with-tombstone"
        if mode == "tombstone" and (config.old_mode is not None or config.old_drop_tombstones is not None):
            mode = config.old_mode or "drop"
            self._keep_tombstones = config.old_drop_tombstones is False
        self._deleted: Any = _DELETED[mode]
        self._fields = references(config.fields, config.field_prefix)
        self._headers = references(config.headers, config.header_prefix)
        self._op_headers = tuple(Header(ref.name, STRING, "d") for ref in self._headers if ref.path == ("op",))
        self._drop_fields = (
            DropFields(config.drop_header, keys=config.drop_from_key, compatibly=config.drop_compatibly)
            if config.drop_header
            else None
        )
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not (schema.name or "").endswith("Envelope") or schema.field("after") is None:
            return self._others(batch)
        shape = self._shape(schema)
        extract = shape.extract
        values = [extract(value) for value in batch.values]
        out = replace(batch, value_schema=shape.row, values=values)
        if self._headers:
            out = replace(out, headers=self._with_headers(batch, shape))
        topics = None if shape.topic is None else [batch.topic if v is None else shape.topic(v) for v in batch.values]
        kept = [at for at, value in enumerate(values) if value is not DROP]
        if len(kept) < len(values):
            out = out.pick(kept)
            topics = None if topics is None else [topics[at] for at in kept]
        return self._parts(out, shape, topics) if kept else []

    def _others(self, batch: Batch) -> Sequence[Batch]:
        """Records that are no change events stay as they are; tombstones have no schema that could tell."""
        if self._keep_tombstones and not self._op_headers:
            return [batch]
        kept = [
            at
            for at, value in enumerate(batch.values)
            if (value is not None and value is not NULL) or self._keep_tombstones
        ]
        out = batch if len(kept) == len(batch) else batch.pick(kept)
        if self._keep_tombstones:
            marked = [
                (*headers, *self._op_headers) if value is None else headers
                for headers, value in zip(out.headers, out.values, strict=True)
            ]
            out = replace(out, headers=marked)
        return [out] if kept else []

    def _parts(self, out: Batch, shape: _Shape, topics: Sequence[str] | None) -> Sequence[Batch]:
        """One batch for each run of one topic and one schema."""
        parts = [out]
        if topics is not None:
            at = iter(topics)
            parts = [replace(part, topic=next(at)) for part in out.singles()] if len(set(topics)) > 1 else [
                replace(out, topic=topics[0])
            ]  # fmt: skip
        if self._deleted is NULL:
            parts = [run for part in parts for run in runs(part, [value is NULL for value in part.values])]
            parts = [replace(p, value_schema=shape.deleted) if p.values[0] is NULL else p for p in parts]
        if self._drop_fields is not None:
            parts = [dropped for part in parts for dropped in self._drop_fields.apply(part)]
        return parts

    def _with_headers(self, batch: Batch, shape: _Shape) -> list[Headers]:
        """The old headers and the added ones; equal ones stay one object."""
        names, read = shape.added
        known: dict[tuple[int, Any], Headers] = {}
        out: list[Headers] = []
        for old, value in zip(batch.headers, batch.values, strict=True):
            added = None if value is None else read(value)
            headers = known.get((id(old), added))
            if headers is None:
                new = self._op_headers if added is None else tuple(
                    Header(name, schema, item) for (name, schema), item in zip(names, added, strict=True)
                )  # fmt: skip
                headers = known[id(old), added] = (*old, *new)
            out.append(headers)
        return out

    def _compile(self, schema: Schema) -> _Shape:
        after_at, before_at = schema.index("after") or 0, schema.index("before")
        row = schema.fields[after_at].schema
        if row.type is not Type.STRUCT:
            raise TransformError(f"ExtractNewRecordState: 'after' of {schema.name} is not a struct")
        rewrite = self._deleted == "rewrite"
        added = [ref for ref in self._fields if ref.schema_in(schema) is not None]
        fields = [*row.fields]
        fields += [Field("__deleted", OPTIONAL_STRING)] if rewrite else []
        fields += [Field(ref.name, ref.optional_in(schema)) for ref in added]
        _refuse_twice(fields)
        live, dead = self._makers(schema, row, added)
        deleted = dead if rewrite else None
        left: Any = None if rewrite else self._deleted
        tombstone = None if self._keep_tombstones else DROP

        def extract(value: Any) -> Any:
            if value is None:
                return tombstone
            after = value[after_at]
            if after is not None:
                return live(value) if live else after
            if before_at is None or value[before_at] is None:
                return DROP
            return deleted(value) if deleted else left

        new = row.with_(optional=False, fields=tuple(fields))
        return _Shape(new, row, extract, self._router(row, after_at, before_at), self._header_reader(schema))

    def _makers(self, schema: Schema, row: Schema, added: Sequence[Reference]) -> tuple[Each | None, Each | None]:
        """Functions from an envelope to the row after it, and to the row before it; None: the row as it is."""
        if self._deleted != "rewrite" and not added:
            return None, None
        extra = [(ref.expression_in(schema), None) for ref in added]
        made: list[Each | None] = []
        for side, mark in (("after", "false"), ("before", "true")):
            at = schema.index(side)
            if at is None:
                made.append(None)
                continue
            members: list[tuple[str, Any]] = [
                (f"v[{at}][{i}]", field.schema.default if self._deleted == "rewrite" else None)
                for i, field in enumerate(row.fields)
            ]
            marks = [(repr(mark), None)] if self._deleted == "rewrite" else []
            made.append(tuple_of([*members, *marks, *extra]))
        return made[0], made[1]

    def _router(self, row: Schema, after_at: int, before_at: int | None) -> Each | None:
        name = self._config.route_by
        if not name:
            return None
        at = row.index(name)
        if at is None:
            raise TransformError(f"{name} is not a valid field name; route.by.field must be one of "
                                 f"{', '.join(field.name for field in row.fields)}")  # fmt: skip

        def topic(value: Any) -> str:
            old = None if before_at is None else value[before_at]
            found = (value[after_at] or old or {at: ""})[at]
            if found is None:
                raise TransformError(f"route.by.field: {name!r} is null, and a null is no topic")
            return str(found)

        return topic

    def _header_reader(self, schema: Schema) -> tuple[tuple[tuple[str, Schema], ...], Each]:
        present = [ref for ref in self._headers if ref.schema_in(schema) is not None]
        read: Callable[[Any], Any] = tuple_of([(ref.expression_in(schema), None) for ref in present])
        return tuple((ref.name, ref.optional_in(schema)) for ref in present), read


def _refuse_twice(fields: Sequence[Field]) -> None:
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise TransformError(f"Cannot create field because of field name duplication {name}; "
                                 "set add.fields.prefix or give it another name")  # fmt: skip
