"""What is captured and in which shape: the config's filters, and for a table its columns, key, envelope and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from cdc.changes import Row
from cdc.envelope import EnvelopeSettings, TableEnvelope
from cdc.errors import ConversionError, DecodeError
from cdc.key_columns import key_columns
from cdc.masks import Mask, Masks
from cdc.naming import field_name_adjuster
from cdc.postgres import copy_rows
from cdc.postgres.catalog import PgColumn, PgTable, Types
from cdc.postgres.column_schema import Described, described, field_schema
from cdc.postgres.config import PostgresConfig
from cdc.postgres.native_rows import compile_native
from cdc.postgres.pgoutput import HEADER_SIZE, UNCHANGED, Delete, Insert, Update, Values, decode
from cdc.postgres.row_decoder import DAMAGE, Decode, Read, compile_rows
from cdc.postgres.types import Form, TypeOptions, form
from cdc.postgres.wire import quoted
from cdc.schema import Schema
from cdc.table import TableId, chosen, table_id

if TYPE_CHECKING:
    from cdc.native._hot import PostgresRows

_SYSTEM_TABLES: Final = frozenset(("spatial_ref_sys",))
"""Of extensions, and standing among a user's tables."""


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
            native = self._native
            if native is not None:
                found = partial(native.frames, prefix, self.one, DAMAGE)
            else:
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

    def copied(self, lines: bytes) -> list[Row]:
        """The rows of COPY's lines of the table itself. Raises: ConversionError."""
        if self._native is not None:
            with suppress(ValueError, TypeError, IndexError, OverflowError):
                return self._native.lines(lines)
        text = lines.decode()
        if self.table.columns and copy_rows.is_plain(text):
            with suppress(ValueError, TypeError, IndexError, OverflowError):  # the slow way tells the column
                return self._lines(text.split("\n")[:-1])
        return list(map(self.row, copy_rows.values(text)))

    @cached_property
    def _native(self) -> PostgresRows | None:
        return compile_native(len(self.table.columns), self.reads)

    @cached_property
    def _lines(self) -> copy_rows.Compiled:
        return copy_rows.compile_lines(len(self.table.columns), self.reads)

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
    def name(self) -> str:
        return str(self.table.id)

    @property
    def primary_key(self) -> tuple[str, ...]:
        return self.table.key

    @property
    def select(self) -> str:
        """The SELECT of all rows."""
        return f"{self.selected} FROM {quoted(self.table.id.database)}.{quoted(self.table.id.name)}"


class Capture:
    """The filters of one connector, and the shapes of the tables that pass them."""

    def __init__(
        self, config: PostgresConfig, settings: EnvelopeSettings, options: TypeOptions, types: Types | None = None,
        masks: Masks[Described] | None = None,
    ) -> None:  # fmt: skip
        """`types` is needed for shapes only."""
        self._settings, self._options, self._types, self._masks = settings, options, types, masks
        self._field_name = field_name_adjuster(settings.field_name_adjustment)
        self._schema = chosen(config.schema_include or (), config.schema_exclude or ())
        self._table = chosen(config.table_include or (), config.table_exclude or ())
        self._column = chosen(config.column_include or (), config.column_exclude or ())
        self._builtin = _SYSTEM_TABLES if config.ignore_builtin else frozenset[str]()
        self._key_columns = key_columns(config.key_columns)
        self._shapes: dict[int, Shape] = {}
        self.signals = frozenset(table_id(text) for text in config.signal_tables or ())

    def table(self, table: TableId) -> bool:
        wanted = self._schema(table.database) and self._table(str(table)) and table.name.lower() not in self._builtin
        return wanted or table in self.signals

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
        masks = [self._mask(name, column) for column in shown]
        # Keys are not masked: the column then stands in the row tuple a second time, as it is.
        plain = [column for column, mask in zip(shown, masks, strict=True) if mask is None or mask.change is None]
        hidden = tuple(column for column in known if column.name in keys and column not in plain)
        columns = (*shown, *hidden)
        fields = [self._field(table, *each, made) for each in zip_longest(columns, masks)]
        envelope = TableEnvelope(
            self._settings, (table.id.database, table.id.name), fields[: len(shown)],
            list(map(self._field_name, keys)), fields[len(shown) :],
        )  # fmt: skip
        schemas = [schema for _, schema in fields]
        places = [table.columns.index(column) for column in columns]
        forms = [
            _masked(_settled(made[column.name], column, schema), mask)
            for column, schema, mask in zip_longest(columns, schemas, masks)
        ]
        return Shape(
            table, columns, envelope,
            _compiled(table.id, columns, places, forms, partial=False),
            _compiled(table.id, columns, places, forms, partial=True),
            _toasted(columns, places, forms),
            [_read(*each) for each in zip(columns, places, forms, strict=True)],
        )  # fmt: skip

    def _mask(self, table: str, column: PgColumn) -> Mask | None:
        if not self._masks:
            return None
        assert self._types is not None
        return self._masks.of(f"{table}.{column.name}", described(column, self._options, self._types))

    def _field(self, table: PgTable, column: PgColumn, mask: Mask | None, made: dict[str, Form]) -> tuple[str, Schema]:
        assert self._types is not None
        schema = field_schema(column, made[column.name], self._options, self._types, table.id, mask)
        return self._field_name(column.name), schema


def _settled(made: Form, column: PgColumn, schema: Schema) -> Form:
    """What is not told of a NOT NULL column is its default."""
    if column.optional:
        return made
    return made._replace(absent=made.absent if schema.default is None else schema.default, nothing=made.absent)


def _masked(made: Form, mask: Mask | None) -> Form:
    if mask is None or mask.change is None:
        return made
    read, change = made.read, mask.change
    return Form(
        made.schema, change if read is None else lambda text: change(read(text)), change(made.absent),
        made.unchanged if type(made.unchanged) is bytes else change(made.unchanged), change(made.null),
        change(made.nothing),
    )  # fmt: skip


def _compiled(
    table: TableId, columns: Sequence[PgColumn], places: Sequence[int], forms: Sequence[Form], *, partial: bool
) -> Callable[[Values], Row]:  # fmt: skip
    """One tuple expression over the values: no loop over the columns of a row."""
    scope: dict[str, Any] = {}
    items = []
    for number, (column, place, made) in enumerate(zip(columns, places, forms, strict=True)):
        item = f"v[{place}]"
        if made.read is not None:
            scope[f"r{number}"] = made.read if column.optional else _never_null(made)
            item = f"r{number}({item})"
        if column.optional and made.null is not None:
            scope[f"n{number}"] = made.null
            item = f"n{number} if v[{place}] is None else {item}"
        elif column.optional:
            item = item if made.read is None else f"None if v[{place}] is None else {item}"
        elif partial:
            scope[f"a{number}"] = made.absent
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


def _read(column: PgColumn, place: int, made: Form) -> Read:
    null = made.null if column.optional else made.absent
    return Read(place, made.read, not column.optional, null, made.nothing)


def _never_null(made: Form) -> Callable[[str], Any]:
    """NaN in a NOT NULL column of a form that has none becomes what stands for nothing."""
    read, nothing = made.read, made.nothing
    assert read is not None

    def value(text: str) -> Any:
        found = read(text)
        return nothing if found is None else found

    return value


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


def _toasted(columns: Sequence[PgColumn], places: Sequence[int], forms: Sequence[Form]) -> Callable[[Values], Row]:
    """Rare, so column by column."""

    def convert(values: Values) -> Row:
        row = []
        for column, place, made in zip(columns, places, forms, strict=True):
            value = values[place]
            if value is UNCHANGED:
                value = made.unchanged
            elif value is not None and made.read is not None:
                value = made.read(value)
            if value is None:
                value = made.null if column.optional else made.absent
            row.append(value)
        return tuple(row)

    return convert
