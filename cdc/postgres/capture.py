"""What is captured and in which shape: the config's filters, and for a table its columns, key, envelope and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdc.changes import Row
from cdc.envelope import EnvelopeSettings, TableEnvelope
from cdc.errors import ConversionError, DecodeError
from cdc.key_columns import key_columns
from cdc.postgres.catalog import PgColumn, PgTable, Types
from cdc.postgres.column_schema import field_schema
from cdc.postgres.config import PostgresConfig
from cdc.postgres.pgoutput import HEADER_SIZE, UNCHANGED, Delete, Insert, Update, Values, decode
from cdc.postgres.row_decoder import Decode, Read, compile_rows
from cdc.postgres.types import Form, TypeOptions, form
from cdc.postgres.wire import quoted
from cdc.schema import Schema
from cdc.table import TableId, chosen, table_id


@dataclass(frozen=True, eq=False)
class Shape:
    """One version of one captured table. Compared by identity: one object a version.

    Attributes:
        columns: the columns of a row tuple in order: the captured ones, then those that only the key needs.
        row: the values of all columns of the table to a row tuple. Raises: ConversionError.
        partial: the same, where values that are not told come as null though their column is NOT NULL.
        toasted: the same, where some values are `UNCHANGED`.
    """

    table: PgTable
    columns: tuple[PgColumn, ...]
    envelope: TableEnvelope
    row: Callable[[Values], Row]
    partial: Callable[[Values], Row]
    toasted: Callable[[Values], Row]
    reads: Sequence[Read]
    _decoders: dict[bytes, Decode] = field(default_factory=dict)

    def decoder(self, prefix: bytes) -> Decode:
        """Of the frames that begin with `prefix` (see row_decoder), which are compiled once."""
        found = self._decoders.get(prefix)
        if found is None:
            found = compile_rows(prefix, len(self.table.columns), self.reads, self.one)
            self._decoders[prefix] = found
        return found

    def one(self, frame: bytes) -> Any:
        """The row of one frame, of an update the pair (before or None, after). Raises: DecodeError, ConversionError."""
        change = decode(frame, start=HEADER_SIZE)
        if isinstance(change, Insert):
            return self.row(self._complete(change.new))
        if isinstance(change, Update):
            return self._pair(change)
        assert isinstance(change, Delete)
        old = self._complete(change.old)
        return self.row(old) if change.old_kind == "O" else self.partial(old)

    def _pair(self, change: Update) -> tuple[Row | None, Row]:
        new, before = self._complete(change.new), None
        if change.old is not None:
            old = self._complete(change.old)
            before = self.row(old) if change.old_kind == "O" else self.partial(old)
            if UNCHANGED in new and change.old_kind == "O":
                new = [was if value is UNCHANGED else value for value, was in zip(new, old, strict=True)]
        return before, self.toasted(new) if UNCHANGED in new else self.row(new)

    def _complete(self, values: Values) -> Values:
        if len(values) != len(self.table.columns):
            raise DecodeError(f"a row of {self.table.id} has {len(values)} values, and the table "
                              f"{len(self.table.columns)} columns")  # fmt: skip
        return values

    @property
    def selected(self) -> str:
        """How a SELECT begins that gives rows for `row`."""
        return "SELECT " + ", ".join(quoted(column.name) for column in self.table.columns)

    @property
    def select(self) -> str:
        """The SELECT of all rows."""
        return f"{self.selected} FROM {quoted(self.table.id.database)}.{quoted(self.table.id.name)}"


class Capture:
    """The filters of one connector, and the shapes of the tables that pass them."""

    def __init__(
        self, config: PostgresConfig, settings: EnvelopeSettings, options: TypeOptions, types: Types | None = None
    ) -> None:
        """`types` is needed for shapes only."""
        self._settings, self._options, self._types = settings, options, types
        self._schema = chosen(config.schema_include or (), config.schema_exclude or ())
        self._table = chosen(config.table_include or (), config.table_exclude or ())
        self._column = chosen(config.column_include or (), config.column_exclude or ())
        self._key_columns = key_columns(config.key_columns)
        self._shapes: dict[int, Shape] = {}
        self.signals = frozenset(table_id(text) for text in config.signal_tables or ())

    def table(self, table: TableId) -> bool:
        return (self._schema(table.database) and self._table(str(table))) or table in self.signals

    def shape(self, table: PgTable) -> Shape:
        """The shape of a captured table; the same object as long as the table is described alike."""
        known = self._shapes.get(table.oid)
        if known is None or (known.table.id, known.table.columns, known.table.key) != (
            table.id,
            table.columns,
            table.key,
        ):
            known = self._shapes[table.oid] = self._shaped(table)
        return known

    def _shaped(self, table: PgTable) -> Shape:
        assert self._types is not None
        name = str(table.id)
        made: dict[str, Form] = {}
        for column in table.columns:
            found = form(column.type, column.modifier, self._options, self._types)
            if found is not None:
                made[column.name] = found
        known = [column for column in table.columns if column.name in made]
        keys = [c.name for wanted in self._key_columns for c in known if wanted(f"{name}.{c.name}")]
        keys = list(dict.fromkeys(keys)) or [key for key in table.key if key in made]
        shown = tuple(column for column in known if self._column(f"{name}.{column.name}"))
        hidden = tuple(column for column in known if column.name in keys and column not in shown)
        fields = self._fields(table, shown, made)
        envelope = TableEnvelope(
            self._settings, (table.id.database, table.id.name), fields, keys, self._fields(table, hidden, made)
        )
        columns = (*shown, *hidden)
        schemas = [schema for _, schema in (*fields, *self._fields(table, hidden, made))]
        places = [table.columns.index(column) for column in columns]
        forms = [made[column.name] for column in columns]
        return Shape(
            table, columns, envelope,
            _compiled(table.id, columns, places, forms, schemas, partial=False),
            _compiled(table.id, columns, places, forms, schemas, partial=True),
            _toasted(columns, places, forms, schemas),
            [_read(*each) for each in zip(columns, places, forms, schemas, strict=True)],
        )  # fmt: skip

    def _fields(self, table: PgTable, columns: Sequence[PgColumn], made: dict[str, Form]) -> list[tuple[str, Schema]]:
        assert self._types is not None
        return [(c.name, field_schema(c, made[c.name], self._options, self._types, table.id)) for c in columns]


def _compiled(
    table: TableId, columns: Sequence[PgColumn], places: Sequence[int], forms: Sequence[Form],
    schemas: Sequence[Schema], *, partial: bool,
) -> Callable[[Values], Row]:  # fmt: skip
    """One tuple expression over the values: no loop over the columns of a row."""
    scope: dict[str, Any] = {}
    items = []
    for number, (column, place, made) in enumerate(zip(columns, places, forms, strict=True)):
        item = f"v[{place}]"
        if made.read is not None:
            scope[f"r{number}"] = made.read if column.optional else _never_null(made)
            item = f"r{number}({item})"
        if column.optional:
            item = item if made.read is None else f"None if v[{place}] is None else {item}"
        elif partial:
            scope[f"a{number}"] = _absent(made, schemas[number])
            item = f"a{number} if v[{place}] is None else {item}"
        items.append(item)
    body = "(" + "".join(f"{item}, " for item in items) + ")"
    convert: Callable[[Values], Row] = eval(f"lambda v: {body}", scope)

    def checked(values: Values) -> Row:
        try:
            return convert(values)
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise ConversionError(
                f"a value of {table} cannot be read: {_culprit(columns, places, forms, values)}"
            ) from error

    return checked


def _read(column: PgColumn, place: int, made: Form, schema: Schema) -> Read:
    absent = None if column.optional else _absent(made, schema)
    return Read(place, made.read, not column.optional, absent, made.absent)


def _never_null(made: Form) -> Callable[[str], Any]:
    """NaN in a NOT NULL column of a form that has none becomes what stands for nothing."""
    read, absent = made.read, made.absent
    assert read is not None

    def value(text: str) -> Any:
        found = read(text)
        return absent if found is None else found

    return value


def _absent(made: Form, schema: Schema) -> Any:
    return made.absent if schema.default is None else schema.default


def _culprit(columns: Sequence[PgColumn], places: Sequence[int], forms: Sequence[Form], values: Values) -> str:
    for column, place, made in zip(columns, places, forms, strict=True):
        if made.read is None:
            continue
        try:
            if values[place] is not None and values[place] is not UNCHANGED:
                made.read(values[place])
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            return f"column {column.name} of type {column.type.name}: {type(error).__name__}"
    return "a NOT NULL column came without a value"


def _toasted(
    columns: Sequence[PgColumn], places: Sequence[int], forms: Sequence[Form], schemas: Sequence[Schema]
) -> Callable[[Values], Row]:
    """Rare, so column by column."""

    def convert(values: Values) -> Row:
        row = []
        for column, place, made, schema in zip(columns, places, forms, schemas, strict=True):
            value = values[place]
            if value is UNCHANGED:
                value = made.unchanged
            elif value is not None and made.read is not None:
                value = made.read(value)
            if value is None and not column.optional:
                value = _absent(made, schema)
            row.append(value)
        return tuple(row)

    return convert
