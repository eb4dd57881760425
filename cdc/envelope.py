"""Rows of one table version and where they come from, to batches of Debezium's key, envelope, headers and tombstones.

Source: Debezium 3.5.0.Final: `Envelope`, `TableSchemaBuilder`, `RelationalChangeRecordEmitter`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.changes import Changes, Row, Rows, Sources
from cdc.masks import PARAMETERS as MASKED
from cdc.naming import schema_name_adjuster
from cdc.record import Batch, Header, Headers
from cdc.schema import INT64, OPTIONAL_INT64, STRING, Schema, struct
from cdc.topic_naming import TopicNaming

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

Blocks = Callable[[str, Sequence[Row]], "list[Row] | None"]
"""(`db.table`, the events' `source` blocks) -> their `transaction` blocks; None: they have none.

See `cdc.transactions`."""
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
        field_name_adjustment: `field.name.adjustment.mode`: the same.
        headers: the context headers every record carries; see `context_headers`.
        naming: names topics and schemas; None: as Debezium does by default.
        skipped: letters of c and d, where `skipped.operations` holds for the halves of a row whose key changed too.
        skip_unchanged: `skip.messages.without.change`: no event for an update that changes nothing of what is shown.
    """

    prefix: str
    source: Schema
    tombstones: bool = True
    name_adjustment: str = "none"
    field_name_adjustment: str = "none"
    headers: Headers = ()
    naming: TopicNaming | None = None
    skip_unchanged: bool = False
    skipped: frozenset[str] = frozenset()


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
        key_only: columns that stand in the key but, being excluded or masked there, not like this in the row.
    """

    settings: EnvelopeSettings
    names: tuple[str, str]
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
        naming = settings.naming or TopicNaming(settings.prefix)
        name = naming.topic(*self.names)
        columns = [*self.fields, *self.key_only]
        last = {column: i for i, (column, _) in enumerate(columns)}
        places = [last[wanted] for wanted in self.key]
        row = struct(*self.fields, name=adjust(name + ".Value"), optional=True)
        self._set("topic", name)
        self._set("row_schema", row)
        keys = [(column, _as_key(schema)) for column, schema in map(columns.__getitem__, places)]
        constant = None
        if naming.key_field is not None:
            keys.append((naming.key_field, STRING))
            constant = naming.key_value(*self.names)
        self._set("key_schema", struct(*keys, name=adjust(name + ".Key")) if keys else None)
        self._set("value_schema", _envelope(row, settings.source, adjust(name + ".Envelope")))
        self._set("_keys", _compile_keys(places, constant))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def reads(self, rows: Rows, sources: Sequence[Row], now: int) -> list[Batch]:
        """Rows of a snapshot, op `r`."""
        return self._inserted(rows, sources, now, "r")

    def changes(
        self, operation: str, rows: Sequence[Any], sources: Sequence[Row], now: int, blocks: Blocks | None = None
    ) -> list[Batch]:
        """Rows that an operation, c, u or d, left or took; pairs of them for u."""
        make = {"c": self.creates, "u": self.updates, "d": self.deletes}[operation]
        return make(rows, sources, now, blocks)

    def creates(self, rows: Rows, sources: Sequence[Row], now: int, blocks: Blocks | None = None) -> list[Batch]:
        """Inserted rows, op `c`."""
        return self._inserted(rows, sources, now, "c", blocks)

    def updates(self, pairs: Pairs, sources: Sequence[Row], now: int, blocks: Blocks | None = None) -> list[Batch]:
        """Rows as (before, after), op `u`; before is None where the source does not say.

        A row whose key changed becomes a delete of the old key with the header `__debezium.newkey`, its tombstone,
        and a create of the new key with the header `__debezium.oldkey`, in the place of the update.
        """
        if self.settings.skip_unchanged:
            pairs, sources = self._changed(pairs, sources)
            if not pairs:
                return []
        new_keys = self._keys([after for _, after in pairs])
        if self.key:
            old_keys = self._keys([before or after for before, after in pairs])
            if old_keys != new_keys:
                return self._moves(pairs, sources, now, (old_keys, new_keys), blocks)
        if "u" in self.settings.skipped:
            return []
        before, after = zip(*self._shown_pairs(pairs), strict=True)
        values = Changes(
            before, after, Sources.of(sources), _rest("u", now), transactions=self._blocks(blocks, sources)
        )
        return self._batch(new_keys, values)

    def deletes(self, rows: Rows, sources: Sequence[Row], now: int, blocks: Blocks | None = None) -> list[Batch]:
        """Deleted rows, op `d`, each followed by its tombstone when those are on."""
        keys: Sequence[Row | None] = self._keys(rows)
        if self.settings.tombstones:
            keys = [key for key in keys for _ in (0, 1)]
        values = Changes(
            self._shown(rows), None, Sources.of(sources), _rest("d", now), tombstones=self.settings.tombstones,
            transactions=self._blocks(blocks, sources),
        )  # fmt: skip
        return self._batch(keys, values)

    def truncates(self, sources: Sequence[Row], now: int, blocks: Blocks | None = None) -> list[Batch]:
        """A truncated table, op `t`: neither key nor row."""
        transactions = self._blocks(blocks, sources)
        values = Changes(None, None, Sources.of(sources), _rest("t", now), transactions=transactions)
        headers = [self.settings.headers] * len(values)
        return [Batch(self.topic, None, self.value_schema, [None] * len(values), values, headers)]

    def _inserted(
        self, rows: Rows, sources: Sequence[Row], now: int, op: str, blocks: Blocks | None = None
    ) -> list[Batch]:
        transactions = self._blocks(blocks, sources)
        values = Changes(None, self._shown(rows), Sources.of(sources), _rest(op, now), transactions=transactions)
        return self._batch(self._keys(rows), values)

    def _blocks(self, blocks: Blocks | None, sources: Sequence[Row]) -> list[Row] | None:
        return None if blocks is None else blocks(".".join(self.names), sources)

    def _changed(self, pairs: Pairs, sources: Sequence[Row]) -> tuple[Pairs, Sequence[Row]]:
        """The updates that change what is shown. NaN and the like do not stand in a table."""
        kept = [i for i, (before, after) in enumerate(self._shown_pairs(pairs)) if before != after]
        if len(kept) == len(pairs):
            return pairs, sources
        blocks = list(sources)
        return [pairs[i] for i in kept], [blocks[i] for i in kept]

    def _moves(
        self,
        pairs: Pairs,
        sources: Sequence[Row],
        now: int,
        keys: tuple[Sequence[Row | None], Sequence[Row | None]],
        blocks: Blocks | None,
    ) -> list[Batch]:
        """Updates of which some change the key."""
        usual, schema, skipped = self.settings.headers, self.key_schema, self.settings.skipped

        def rest(op: str, source: Row) -> Row:
            block = self._blocks(blocks, [source])
            return _rest(op, now) if block is None else (block[0], *_rest(op, now)[1:])

        records: list[tuple[Row | None, Row | None, Headers]] = []
        for (before, after), old, new, source in zip(self._shown_pairs(pairs), *keys, sources, strict=True):
            if old == new:
                if "u" not in skipped:
                    records.append((new, (before, after, source, *rest("u", source)), usual))
                continue
            if "d" not in skipped:
                moved_to = (Header(NEW_KEY, schema, new), *usual)
                records.append((old, (before, None, source, *rest("d", source)), moved_to))
                if self.settings.tombstones:
                    records.append((old, None, moved_to))
            if "c" not in skipped:
                moved_from = (Header(OLD_KEY, schema, old), *usual)
                records.append((new, (None, after, source, *rest("c", source)), moved_from))
        if not records:
            return []
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


def _as_key(schema: Schema) -> Schema:
    """Only the row's schema tells source types (`column.propagate.source.type`) and masks."""
    kept = tuple(pair for pair in schema.parameters if not pair[0].startswith(SOURCE_COLUMN) and pair[0] not in MASKED)
    return schema if kept == schema.parameters else schema.with_(parameters=kept)


def _compile_keys(places: Sequence[int], constant: str | None) -> Callable[[Iterable[Row]], list[Row | None]]:
    """One comprehension over the rows: no call for each row. `constant` is the last member of every key."""
    members = [f"row[{i}]" for i in places] + ([] if constant is None else [repr(constant)])
    key = "(" + "".join(f"{member}, " for member in members) + ")" if members else "None"
    compiled: Callable[[Iterable[Row]], list[Row | None]] = eval(f"lambda rows: [{key} for row in rows]")
    return compiled
