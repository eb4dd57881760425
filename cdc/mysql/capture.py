"""What is captured and in which shape: the config's filters, and for a table its columns, key and envelope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

from cdc.envelope import EnvelopeSettings, TableEnvelope
from cdc.key_columns import key_columns
from cdc.masks import Mask, Masks
from cdc.mysql.config import MySqlConfig
from cdc.mysql.custom_converters import Conversion, CustomConverters
from cdc.mysql.snapshot_values import RawRow, compile_snapshot_rows, snapshot_select
from cdc.mysql.types import TypeOptions, field_schema
from cdc.naming import field_name_adjuster
from cdc.schema import Schema
from cdc.table import Column, Table, TableId, chosen, table_id

SYSTEM_DATABASES = frozenset(("mysql", "performance_schema", "sys", "information_schema"))


@dataclass(frozen=True, eq=False)
class Shape:
    """One version of one captured table. Compared by identity: one object a version.

    Attributes:
        columns: the columns of a row tuple in order: the captured ones, then those that only the key needs.
        masks: what becomes of each of them; empty: nothing of any.
        snapshot_masks: the same in a snapshot.
    """

    table: Table
    columns: tuple[Column, ...]
    envelope: TableEnvelope
    options: TypeOptions
    masks: tuple[Mask | None, ...] = ()
    snapshot_masks: tuple[Mask | None, ...] = ()

    @property
    def name(self) -> str:
        return str(self.table.id)

    @property
    def primary_key(self) -> tuple[str, ...]:
        return self.table.primary_key

    @cached_property
    def select_list(self) -> str:
        """What stands between SELECT and FROM in a snapshot."""
        return snapshot_select(self.table, self.columns)

    @cached_property
    def snapshot_rows(self) -> Callable[[Sequence[RawRow]], list[tuple[Any, ...]]]:
        """From that SELECT's raw rows to row tuples. Raises: DecodeError."""
        return compile_snapshot_rows(self.columns, self.options, self.snapshot_masks)


class Capture:
    """The filters of one connector, and the shapes of the tables that pass them.

    Attributes:
        signals: the tables of `signal.data.collection`, which pass whatever the lists say.
    """

    def __init__(
        self, config: MySqlConfig, settings: EnvelopeSettings, options: TypeOptions, masks: Masks[Column] | None = None,
        converters: CustomConverters | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._options, self._masks, self._converters = settings, options, masks, converters
        self._database = chosen(config.database_include or (), config.database_exclude or ())
        self._table = chosen(config.table_include or (), config.table_exclude or ())
        self._column = chosen(config.column_include or (), config.column_exclude or ())
        self._builtin = SYSTEM_DATABASES if config.ignore_builtin else frozenset[str]()
        self._key_columns = key_columns(config.key_columns)
        self._field_name = field_name_adjuster(settings.field_name_adjustment)
        self._shapes: dict[TableId, Shape] = {}
        self.signals = frozenset(map(table_id, config.signal_tables or ()))

    def database(self, name: str) -> bool:
        """Whether tables of the database may be captured."""
        return name not in self._builtin and self._database(name)

    def table(self, table: TableId) -> bool:
        wanted = self.database(table.database) and self._table(f"{table.database}.{table.name}")
        return wanted or table in self.signals

    def recorded(self, table: TableId) -> bool:
        """Whether the table may stand in the schema history at all."""
        return table.database not in self._builtin

    def shape(self, table: Table) -> Shape:
        """The shape of a captured table; the same object as long as the table is the same object."""
        known = self._shapes.get(table.id)
        if known is None or known.table is not table:
            known = self._shapes[table.id] = self._shaped(table)
        return known

    def _shaped(self, table: Table) -> Shape:
        name = f"{table.id.database}.{table.id.name}"
        keys = [c.name for wanted in self._key_columns for c in table.columns if wanted(f"{name}.{c.name}")]
        keys = list(dict.fromkeys(keys)) or [
            column.name for key in table.primary_key if (column := table.column(key)) is not None
        ]
        shown = tuple(column for column in table.columns if self._column(f"{name}.{column.name}"))
        masks = [self._masks.of(f"{name}.{column.name}", column) for column in shown] if self._masks else []
        # Keys are not masked: the column then stands in the row tuple a second time, as it is.
        plain = [column for column, mask in zip_longest(shown, masks) if mask is None or mask.change is None]
        hidden = tuple(column for column in table.columns if column.name in keys and column not in plain)
        envelope = TableEnvelope(
            self._settings,
            (table.id.database, table.id.name),
            self._fields(table, shown, masks),
            list(map(self._field_name, keys)),
            self._fields(table, hidden),
        )
        changes = (*masks, *(None for _ in hidden)) if any(mask is not None for mask in masks) else ()
        columns = (*shown, *hidden)
        if self._converters is None:
            return Shape(table, columns, envelope, self._options, changes, changes)
        conversions = [self._conversion(table, column) for column in columns]
        pairs = list(zip_longest(conversions, changes))
        log = [mask if made is None else _both(made.log, mask) for made, mask in pairs]
        snapshot = [mask if made is None else _both(made.snapshot, mask) for made, mask in pairs]
        decoded = tuple(made.decoded if made else column for made, column in zip(conversions, columns, strict=True))
        return Shape(table, decoded, envelope, self._options, tuple(log), tuple(snapshot))

    def _conversion(self, table: Table, column: Column) -> Conversion | None:
        return self._converters.of(table.id, column, self._options) if self._converters else None

    def _fields(
        self, table: Table, columns: Sequence[Column], masks: Sequence[Mask | None] = ()
    ) -> list[tuple[str, Schema]]:
        return [
            (
                self._field_name(column.name),
                field_schema(column, self._options, table.id, mask, self._conversion(table, column)),
            )
            for column, mask in zip_longest(columns, masks)
        ]


def _both(change: Callable[[Any], Any], mask: Mask | None) -> Mask:
    """A converter's change, then the mask's."""
    masked = mask.change if mask else None
    return Mask((), change if masked is None else lambda value: masked(change(value)))
