"""Batches to changes of tables: what a record means (row, deletion, truncation), its key, and its columns.

A record is flat (its value is the row, null deletes it) or a Debezium envelope, which is told by its schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
import structlog

from cdc.record import NULL, Batch, Rejected
from cdc.schema import INT32, INT64, STRING, Field, Schema, Type
from sinks.jdbc.columns import Target, column
from sinks.jdbc.kinds import NoColumnType
from sinks.jdbc.rows import Place
from sinks.jdbc.settings import Settings

_log = structlog.get_logger(__name__)
_KAFKA: Final = ("__connect_topic", "__connect_partition", "__connect_offset")
_SOURCE: Final = re.compile(r"\$\{source\.(.*?)\}")


class Entry(NamedTuple):
    """One change: the row's key, the record's struct (None: a deletion), and which record said so."""

    key: tuple[Any, ...]
    row: tuple[Any, ...] | None
    batch: Batch
    at: int


@dataclass(frozen=True, eq=False)
class Shape:
    """The columns of a table's changes.

    Attributes:
        table: as the config's format and the topic give it.
        only_deletes: nothing is known but the key.
        unavailable: values that stand for what the source's log does not hold.
        order: names of all columns as a new table has them.
    """

    table: str
    keys: tuple[Place, ...]
    others: tuple[Place, ...]
    only_deletes: bool = False
    unavailable: tuple[Any, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        return self.keys + self.others

    def has_keys_of(self, other: Shape) -> bool:
        return [place.column[:2] for place in self.keys] == [place.column[:2] for place in other.keys]


@dataclass
class Changes:
    """Changes of one table in order, all of one shape; `truncate`: what says that the table is emptied before them."""

    shape: Shape
    entries: list[Entry]
    truncate: Entry | None = None


class Unfit(Exception):
    """Records of a shape that no table can take; says why."""


class Reader:
    """Reads batches for one task; what depends on schemas is made once."""

    def __init__(self, target: Target) -> None:
        self._target, self._settings = target, target.settings
        self._shapes: dict[tuple[Any, ...], Shape | Unfit] = {}
        self._enveloped: set[str] = set()
        self._warned = False

    def read(self, batch: Batch, rejected: list[Rejected]) -> Iterator[Changes]:
        for (table, headers), indexes in self._routes(batch):
            try:
                if table is not None:
                    yield from self._changes(batch, table, headers, indexes, rejected)
            except Unfit as unfit:
                rejected += [Rejected(batch, i, f"{unfit}{_found(batch, i)}") for i in indexes]

    def _routes(self, batch: Batch) -> list[tuple[tuple[str | None, tuple[Field, ...]], Sequence[int]]]:
        """The records of each table; for keys in headers, of each form of these too."""
        settings, every = self._settings, range(len(batch))
        table = settings.table.replace("${topic}", batch.topic if settings.dots else batch.topic.replace(".", "_"))
        if settings.keys != "record_header" and "${source." not in table:
            return [((table, ()), every)]
        found: dict[tuple[str | None, tuple[Field, ...]], list[int]] = {}
        for i in every:
            headers: tuple[Field, ...] = ()
            if settings.keys == "record_header":
                headers = tuple(
                    Field(h.name, h.schema or STRING)
                    for h in batch.headers[i]
                    if not settings.key_fields or h.name in settings.key_fields
                )
            name = self._sourced(table, batch, i) if "${source." in table else table
            found.setdefault((name, headers), []).append(i)
        return list(found.items())

    def _sourced(self, table: str, batch: Batch, index: int) -> str | None:
        """The table's name with what the envelope's `source` says; None, and a warning, for what is no envelope."""
        value, schema = batch.values[index], batch.value_schema
        at = schema.index("source") if schema is not None and _is_envelope(schema) else None
        if value is None or value is NULL or schema is None or at is None:
            if not self._warned and value is not None:
                self._warned = True
                _log.warning("records without a source are left out", topic=batch.topic, format=self._settings.table)
            return None
        source = schema.fields[at].schema

        def told(match: re.Match[str]) -> str:
            field = source.index(match[1])
            if field is None:
                raise Unfit(f"{match[0]} of the table's name format is no field of `source`")
            return str(value[at][field])

        return _SOURCE.sub(told, table)

    def _changes(
        self, batch: Batch, table: str, headers: tuple[Field, ...], indexes: Sequence[int], rejected: list[Rejected]
    ) -> Iterator[Changes]:
        settings, schema = self._settings, batch.value_schema
        if schema is None and any(batch.values[i] is not None for i in indexes):
            raise Unfit(
                f"Sink connector '{settings.connector}' is configured with 'insert.mode={settings.insert}' and "
                f"'pk.mode={settings.keys}' and therefore requires records with a non-null Struct value and non-null "
                "Struct schema: use a converter that carries schemas (value.converter.schemas.enable=true)"
            )
        envelope = schema is not None and _is_envelope(schema)
        if envelope:
            self._enveloped.add(batch.topic)
        shape = self._shape(batch, table, headers, envelope)
        key_of = _key_of(batch, shape, settings)
        op_at, after_at = _places(schema) if envelope and schema is not None else (0, 0)
        wrap = schema is not None and schema.type is not Type.STRUCT
        entries: list[Entry] = []
        truncate: Entry | None = None
        for i in indexes:
            value = batch.values[i]
            row: Any = None
            if value is None or value is NULL:
                if not self._deletes(batch, i, rejected):
                    continue
            elif wrap:
                row = (value,)
            elif envelope:
                op = value[op_at]
                if op == "t":
                    if settings.truncates:
                        yield Changes(shape, entries, truncate)
                        entries, truncate = [], Entry((), None, batch, i)
                    continue
                if op == "d":
                    if not settings.deletes:
                        continue
                elif op == "m":
                    continue
                else:
                    row = value[after_at]
            else:
                row = value
            key = key_of(i, row)
            if key is None or (row is None and not shape.keys):
                rejected.append(Rejected(batch, i, self._no_key(batch, i)))
                continue
            entries.append(Entry(key, row, batch, i))
        yield Changes(shape, entries, truncate)

    def _deletes(self, batch: Batch, index: int, rejected: list[Rejected]) -> bool:
        """Whether a record without a value deletes a row; if it may not be there at all it is refused."""
        settings = self._settings
        if settings.deletes:
            return True
        key_name = (batch.key_schema.name or "") if batch.key_schema is not None else ""
        if not settings.lenient and batch.topic not in self._enveloped and not key_name.endswith(".Key"):
            rejected.append(
                Rejected(
                    batch,
                    index,
                    f"Sink connector '{settings.connector}' is configured with 'delete.enabled=false' and therefore "
                    f"requires records with a non-null Struct value and non-null Struct schema{_found(batch, index)}: "
                    "set delete.enabled=true and pk.mode=record_key",
                )
            )
        return False

    def _no_key(self, batch: Batch, index: int) -> str:
        return (
            f"Sink connector '{self._settings.connector}' is configured with "
            f"'delete.enabled={str(self._settings.deletes).lower()}' and 'pk.mode={self._settings.keys}' and therefore "
            f"requires records with a non-null key and non-null Struct or primitive key schema{_found(batch, index)}"
        )

    def _shape(self, batch: Batch, table: str, headers: tuple[Field, ...], envelope: bool) -> Shape:
        known = (table, batch.topic, batch.key_schema, batch.value_schema, headers)
        shape = self._shapes.get(known)
        if shape is None:
            try:
                shape = self._made(batch, table, headers, envelope)
            except (Unfit, NoColumnType) as error:
                shape = Unfit(str(error))
            self._shapes[known] = shape
        if isinstance(shape, Unfit):
            raise shape
        return shape

    def _made(self, batch: Batch, table: str, headers: tuple[Field, ...], envelope: bool) -> Shape:
        settings = self._settings
        row = _row_fields(batch.value_schema, envelope, settings)
        keys = _key_fields(batch, row or (), headers, settings, table)
        named = {field.name for _, _, field in keys}
        others = [
            ("r", at, field)
            for at, field in enumerate(row or ())
            if field.name not in named and _wanted(field.name, batch.topic, settings)
        ]
        if row is not None and not keys and not others:
            raise Unfit(f"no fields are left to write into table {table!r}: look at the lists of fields and keys")
        made = [self._place(*each, keys=len(keys)) for each in keys]
        unavailable = _unavailable([field.schema for _, _, field in others], settings.placeholder)
        rest = [self._place(*each) for each in others]
        order = [place.column.name for place in (*made, *rest)]
        if not settings.hibernate and settings.keys != "kafka":
            first = [self._name(field) for field in row or () if self._name(field) in order]
            order = [*first, *sorted(name for name in order if name not in first)]
        return Shape(table, tuple(made), tuple(rest), row is None, unavailable, tuple(order))

    def _name(self, field: Field) -> str:
        return field.name.lower() if self._settings.folded else field.name

    def _place(self, source: str, at: int, field: Field, *, keys: int = 0) -> Place:
        made = column(self._name(field), field.schema, self._target, field=field.name, keys=keys)
        absent = field.schema.default if self._settings.defaults else None
        return Place(made, source, at, absent)


def _found(batch: Batch, index: int) -> str:
    offset = batch.offsets[index] if batch.offsets else None
    timestamp = batch.timestamps[index] if batch.timestamps else None
    value = batch.values[index]
    kind = "null" if value is None else {dict: "HashMap"}.get(type(value), type(value).__name__)
    schema = "null" if batch.value_schema is None else batch.value_schema.type.name.lower()
    return (f", but found record at (topic='{batch.topic}',partition={batch.partition},offset={offset},"
            f"timestamp={timestamp}) with a {kind} value and {schema} value schema")  # fmt: skip


def _is_envelope(schema: Schema) -> bool:
    if schema.type is not Type.STRUCT or schema.index("op") is None or schema.index("after") is None:
        return False
    return schema.name is None or schema.name.endswith("Envelope")


def _places(schema: Schema) -> tuple[int, int]:
    return schema.index("op") or 0, schema.index("after") or 0


def _row_fields(schema: Schema | None, envelope: bool, settings: Settings) -> tuple[Field, ...] | None:
    """The fields of the struct that rows are made of; None when only deletions are known."""
    if schema is None:
        return None
    if "SchemaChangeValue" in (schema.name or ""):
        raise Unfit("Schema change records are not supported by JDBC connector. Adjust `topics` or `topics.regex` to "
                    "exclude schema change topic.")  # fmt: skip
    if envelope:
        return schema.fields[schema.index("after") or 0].schema.fields
    if schema.type is Type.STRUCT:
        return schema.fields
    if schema.type is Type.STRING and not settings.hibernate:
        return (Field(settings.string_column, schema),)
    raise Unfit(f"the value is a {schema.type.name}, and a table needs a Struct: make one of it with the transform "
                "org.apache.kafka.connect.transforms.HoistField$Value")  # fmt: skip


def _wanted(name: str, topic: str, settings: Settings) -> bool:
    if settings.exclude:
        return name not in settings.exclude and f"{topic}:{name}" not in settings.exclude
    return not settings.include or name in settings.include or f"{topic}:{name}" in settings.include


_Sourced = tuple[str, int, Field]


def _key_fields(
    batch: Batch, row: Sequence[Field], headers: tuple[Field, ...], settings: Settings, table: str
) -> list[_Sourced]:
    """The fields of the key in the order of `Entry.key`."""
    names = settings.key_fields
    match settings.keys:
        case "none":
            return []
        case "kafka":
            schemas = (STRING, INT32, INT64)
            return [("k", i, Field(n, s)) for i, (n, s) in enumerate(zip(names or _KAFKA, schemas, strict=True))]
        case "record_header":
            if not headers:
                raise Unfit("Configured primary key mode 'record_header' cannot have empty message headers")
            return [("k", i, field) for i, field in enumerate(headers)]
        case "record_value":
            fields: Sequence[Field] = row
        case _:
            schema = batch.key_schema
            if schema is None:
                raise Unfit(f"PK mode for table '{table}' is RECORD_KEY, but record key schema is missing")
            if schema.type is not Type.STRUCT:
                if len(names) != 1:
                    raise Unfit(f"Need exactly one PK column defined since the key schema for records is a primitive "
                                f"type, defined columns are: {list(names)}")  # fmt: skip
                return [("k", 0, Field(names[0], schema.with_(optional=False)))]
            fields = schema.fields
    known = {field.name: field for field in fields}
    if missing := [name for name in names if name not in known]:
        where = settings.keys.replace("_", " ")
        raise Unfit(f"PK mode for table '{table}' is {settings.keys.upper()} with configured PK fields {list(names)}, "
                    f"but {where} schema does not contain field: {missing[0]}")  # fmt: skip
    chosen = [known[name] for name in names] if names else [
        field for field in fields if not settings.hibernate or _wanted(field.name, batch.topic, settings)
    ]  # fmt: skip
    return [("k", i, field) for i, field in enumerate(chosen)]


def _key_of(batch: Batch, shape: Shape, settings: Settings) -> Callable[[int, Any], tuple[Any, ...] | None]:
    keys = batch.keys
    names = [place.column.schema for place in shape.keys]
    match settings.keys:
        case "none":
            return lambda i, row: ()
        case "kafka":
            offsets: Sequence[int | None] = batch.offsets or (None,) * len(batch)
            return lambda i, row: (batch.topic, batch.partition, offsets[i])
        case "record_header":
            wanted = settings.key_fields
            return lambda i, row: tuple([h.value for h in batch.headers[i] if not wanted or h.name in wanted])
        case "record_value":
            fields = _row_fields(batch.value_schema, _enveloped(batch), settings) or ()
            return _picked(fields, settings, batch.topic, of_row=True, keys=keys)
    schema = batch.key_schema
    if schema is None or schema.type is not Type.STRUCT:
        return lambda i, row: None if keys[i] is None or keys[i] is NULL else (keys[i],)
    if not settings.key_fields and len(names) == len(schema.fields):
        return lambda i, row: None if keys[i] is NULL else keys[i]
    return _picked(schema.fields, settings, batch.topic, of_row=False, keys=keys)


def _enveloped(batch: Batch) -> bool:
    return batch.value_schema is not None and _is_envelope(batch.value_schema)


def _picked(
    fields: Sequence[Field], settings: Settings, topic: str, *, of_row: bool, keys: Sequence[Any]
) -> Callable[[int, Any], tuple[Any, ...] | None]:
    order = [field.name for field in fields]
    wanted = settings.key_fields or [
        name for name in order if not settings.hibernate or _wanted(name, topic, settings)
    ]  # fmt: skip
    at = [order.index(name) for name in wanted]

    def picked(i: int, row: Any) -> tuple[Any, ...] | None:
        whole = row if of_row else keys[i]
        return None if whole is None or whole is NULL else tuple([whole[j] for j in at])

    return picked


def _unavailable(schemas: Sequence[Schema], word: str) -> tuple[Any, ...]:
    """What stands in fields of these schemas for a value that the source's log does not hold."""
    raw = word.encode()
    signed = [byte - 256 if byte > 127 else byte for byte in raw]
    found: list[Any] = []
    for schema in schemas:
        items = schema.items.type if schema.items is not None else None
        match schema.type:
            case Type.STRING:
                found += [word, orjson.dumps({word: word}).decode()] if (schema.name or "").endswith("Json") else [word]
            case Type.BYTES if schema.name is None:
                found.append(raw)
            case Type.ARRAY if items is Type.STRING:
                found += [[word], [str(UUID(bytes=md5(raw, usedforsecurity=False).digest(), version=3))]]
            case Type.ARRAY if items is Type.BYTES:
                found.append([raw])
            case Type.ARRAY if items in (Type.INT32, Type.INT64):
                found.append(signed)
            case Type.MAP:
                found.append({word: word})
    return tuple(each for i, each in enumerate(found) if each not in found[:i])
