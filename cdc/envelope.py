"""Rows of one table version and where they come from, to batches of Debezium's key, envelope, headers and tombstones.

Source: Debezium 3.5.0.Final: `Envelope`, `TableSchemaBuilder`, `RelationalChangeRecordEmitter`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdc.changes import Changes, Row, Rows, Sources
from cdc.naming import schema_name_adjuster, topic_name
from cdc.record import Batch, Header, Headers
from cdc.schema import INT64, OPTIONAL_INT64, STRING, Schema, struct

NEW_KEY: Final = "__debezium.newkey"
OLD_KEY: Final = "__debezium.oldkey"
SOURCE_COLUMN: Final = "__debezium.source.column."
"""What the parameters of `column.propagate.source.type` begin with."""

TRANSACTION: Final = struct(
    ("id", STRING),
    ("total_order", INT64),
    ("data_collection_order", INT64),
    name="event.block",
    version=1,
    optional=True,
)

Pairs = Sequence[tuple[Row | None, Row]]
Named = Sequence[tuple[str, Schema]]


@dataclass(frozen=True, kw_only=True)
class EnvelopeSettings:
    """What all tables of one connector share.

    Attributes:
        prefix: `topic.prefix`, the first part of every topic and schema name.
        source: schema of the `source` block.
        tombstones: `tombstones.on.delete`.
        name_adjustment: `schema.name.adjustment.mode`: none, avro or avro_unicode.
        headers: the context headers every record carries; see `context_headers`.
        delimiter: `topic.delimiter`.
    """

    prefix: str
    source: Schema
    tombstones: bool = True
    name_adjustment: str = "none"
    headers: Headers = ()
    delimiter: str = "."


def context_headers(prefix: str, task: int, connector: str, run_id: str) -> Headers:
    """The four `__debezium.context.*` headers; `connector` is `mysql` or `postgresql`, `run_id` is a start's UUID."""
    values = {"connectorLogicalName": prefix, "taskId": str(task), "connectorName": connector, "runId": run_id}
    return tuple(Header(f"__debezium.context.{name}", STRING, value) for name, value in values.items())


@dataclass(frozen=True, eq=False)
class TableEnvelope:
    """Makes the batches of one version of one table.

    `rows` are tuples in the order of `fields`, followed by those of `key_only`. `sources` has one value of the source
    schema a row. `now` is one reading of the clock, in nanoseconds since 1970.

    Attributes:
        names: what follows the prefix in topic and schema names: (database, table) or (schema, table).
        fields: the columns of the row as (name, schema).
        key: names of the key columns in key order; empty: records have a null key.
        key_only: columns that stand in the key but, being excluded, not in the row.
    """

    settings: EnvelopeSettings
    names: tuple[str, ...]
    fields: Named
    key: Sequence[str]
    key_only: Named = ()

    topic: str = field(init=False)
    key_schema: Schema | None = field(init=False)
    row_schema: Schema = field(init=False)
    value_schema: Schema = field(init=False)
    _keys: Callable[[Iterable[Row]], list[Row | None]] = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        adjust = schema_name_adjuster(settings.name_adjustment)
        name = ".".join((settings.prefix, *self.names))
        columns = [*self.fields, *self.key_only]
        places = [next(i for i, (column, _) in enumerate(columns) if column == wanted) for wanted in self.key]
        row = struct(*self.fields, name=adjust(name + ".Value"), optional=True)
        self._set("topic", topic_name(settings.prefix, *self.names, delimiter=settings.delimiter))
        self._set("row_schema", row)
        keys = [(column, _without_source_type(schema)) for column, schema in map(columns.__getitem__, places)]
        self._set("key_schema", struct(*keys, name=adjust(name + ".Key")) if keys else None)
        self._set("value_schema", _envelope(row, settings.source, adjust(name + ".Envelope")))
        self._set("_keys", _compile_keys(places))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def reads(self, rows: Rows, sources: Sequence[Row], now: int) -> list[Batch]:
        """Rows of a snapshot, op `r`."""
        return self._inserted(rows, sources, now, "r")

    def creates(self, rows: Rows, sources: Sequence[Row], now: int) -> list[Batch]:
        """Inserted rows, op `c`."""
        return self._inserted(rows, sources, now, "c")

    def updates(self, pairs: Pairs, sources: Sequence[Row], now: int) -> list[Batch]:
        """Rows as (before, after), op `u`; before is None where the source does not say.

        A row whose key changed becomes a delete of the old key with the header `__debezium.newkey`, its tombstone,
        and a create of the new key with the header `__debezium.oldkey`, in the place of the update.
        """
        new_keys = self._keys([after for _, after in pairs])
        if self.key:
            old_keys = self._keys([before or after for before, after in pairs])
            if old_keys != new_keys:
                return self._moves(pairs, sources, now, (old_keys, new_keys))
        before, after = zip(*self._shown_pairs(pairs), strict=True)
        return self._batch(new_keys, Changes(before, after, Sources.of(sources), _rest("u", now)))

    def deletes(self, rows: Rows, sources: Sequence[Row], now: int) -> list[Batch]:
        """Deleted rows, op `d`, each followed by its tombstone when those are on."""
        keys: Sequence[Row | None] = self._keys(rows)
        if self.settings.tombstones:
            keys = [key for key in keys for _ in (0, 1)]
        values = Changes(
            self._shown(rows), None, Sources.of(sources), _rest("d", now), tombstones=self.settings.tombstones
        )
        return self._batch(keys, values)

    def truncates(self, sources: Sequence[Row], now: int) -> list[Batch]:
        """A truncated table, op `t`: neither key nor row."""
        values = Changes(None, None, Sources.of(sources), _rest("t", now))
        headers = [self.settings.headers] * len(values)
        return [Batch(self.topic, None, self.value_schema, [None] * len(values), values, headers)]

    def _inserted(self, rows: Rows, sources: Sequence[Row], now: int, op: str) -> list[Batch]:
        return self._batch(self._keys(rows), Changes(None, self._shown(rows), Sources.of(sources), _rest(op, now)))

    def _moves(
        self, pairs: Pairs, sources: Sequence[Row], now: int, keys: tuple[Sequence[Row | None], Sequence[Row | None]]
    ) -> list[Batch]:
        """Updates of which some change the key."""
        usual, schema = self.settings.headers, self.key_schema
        records: list[tuple[Row | None, Row | None, Headers]] = []
        for (before, after), old, new, source in zip(self._shown_pairs(pairs), *keys, sources, strict=True):
            if old == new:
                records.append((new, (before, after, source, *_rest("u", now)), usual))
                continue
            moved_to = (Header(NEW_KEY, schema, new), *usual)
            records.append((old, (before, None, source, *_rest("d", now)), moved_to))
            if self.settings.tombstones:
                records.append((old, None, moved_to))
            moved_from = (Header(OLD_KEY, schema, old), *usual)
            records.append((new, (None, after, source, *_rest("c", now)), moved_from))
        all_keys, values, headers = zip(*records, strict=True)
        return [Batch(self.topic, schema, self.value_schema, all_keys, values, headers)]

    def _shown(self, rows: Rows) -> Rows:
        """The rows without columns that only the key holds."""
        if not self.key_only:
            return rows
        width = len(self.fields)
        return [row[:width] for row in rows]

    def _shown_pairs(self, pairs: Pairs) -> Pairs:
        if not self.key_only:
            return pairs
        width = len(self.fields)
        return [(before and before[:width], after[:width]) for before, after in pairs]

    def _batch(self, keys: Sequence[Row | None], values: Sequence[Row | None]) -> list[Batch]:
        headers = [self.settings.headers] * len(values)
        return [Batch(self.topic, self.key_schema, self.value_schema, keys, values, headers)]


def _rest(op: str, now: int) -> Row:
    """What follows `source` in an envelope: no transaction block, the operation, the clock's reading thrice."""
    return (None, op, now // 1_000_000, now // 1_000, now)


def _envelope(row: Schema, source: Schema, name: str) -> Schema:
    return struct(
        ("before", row),
        ("after", row),
        ("source", source),
        ("transaction", TRANSACTION),
        ("op", STRING),
        ("ts_ms", OPTIONAL_INT64),
        ("ts_us", OPTIONAL_INT64),
        ("ts_ns", OPTIONAL_INT64),
        name=name,
        version=2,
    )


def _without_source_type(schema: Schema) -> Schema:
    """`column.propagate.source.type` adds its parameters to the row's schema only."""
    kept = tuple(pair for pair in schema.parameters if not pair[0].startswith(SOURCE_COLUMN))
    return schema if kept == schema.parameters else schema.with_(parameters=kept)


def _compile_keys(places: Sequence[int]) -> Callable[[Iterable[Row]], list[Row | None]]:
    """One comprehension over the rows: no call for each row."""
    key = "(" + "".join(f"row[{i}], " for i in places) + ")" if places else "None"
    compiled: Callable[[Iterable[Row]], list[Row | None]] = eval(f"lambda rows: [{key} for row in rows]")
    return compiled
