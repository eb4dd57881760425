"""TABLE_MAP events and the schema history -> for each table number of the log, how its rows are decoded and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

import structlog

from cdc.envelope import TableEnvelope
from cdc.errors import SourceError
from cdc.masks import Mask
from cdc.mysql import binlog
from cdc.mysql.binlog import Kind, Rows, TableMap
from cdc.mysql.flavor import MYSQL, Flavor
from cdc.mysql.logged_table import logged_table
from cdc.mysql.mariadb_tables import current_rows, is_sequence, with_period
from cdc.mysql.native_rows import Decode
from cdc.mysql.row_decoder import TwinDecode, compile_rows
from cdc.mysql.table_fit import fits
from cdc.mysql.types import TypeOptions
from cdc.table import Column, Table, TableId

Choose = Callable[[Table | None], Table | None]
"""What the server has of a table now -> the table to go on with; None: there is none."""
_log = structlog.get_logger(__name__)
_LAYOUT: Final = binlog.HEADER_SIZE + 8
"""Where in a rows event table number and flags end: what follows up to the rows is alike for all of a table."""
_NUMBER: Final = slice(binlog.HEADER_SIZE, binlog.HEADER_SIZE + 6)
"""Where in a rows event the table's number stands."""
_REMEMBERED: Final = 10_000
"""Distinct TABLE_MAP events kept; one takes some KiB."""


class Shape(Protocol):
    """One version of a captured table; see `cdc.mysql.capture`."""

    @property
    def table(self) -> Table: ...

    @property
    def options(self) -> TypeOptions: ...

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def masks(self) -> tuple[Mask | None, ...]: ...

    @property
    def envelope(self) -> TableEnvelope: ...

    @property
    def name(self) -> str: ...

    @property
    def primary_key(self) -> tuple[str, ...]: ...


class Captured(Protocol):
    """The connector's filters; see `cdc.mysql.capture`."""

    def database(self, name: str) -> bool: ...

    def table(self, table: TableId) -> bool: ...

    def shape(self, table: Table) -> Shape: ...


class LogTable:
    """One captured table as one TABLE_MAP describes it."""

    __slots__ = ("_compiled", "_map", "_options", "_period", "_usual", "_whole", "id", "known", "shape", "table")

    def __init__(
        self, known: Table, table: Table, shape: Shape, table_map: TableMap, options: TypeOptions,
        whole: str, period: Column | None = None,
    ) -> None:  # fmt: skip
        """`known` is the history's table; `table` is it too unless the log has other columns.

        `whole` is the statement that has rows logged whole; `period` the column that tells until when a row was current
        (MariaDB's system versioning).
        """
        self.id, self.known, self.table, self.shape = table.id, known, table, shape
        self._map, self._options, self._period, self._whole = table_map, options, period, whole
        self._compiled: dict[tuple[Kind, bytes | None, bytes | None], Decode] = {}
        # Event type -> what stood before the rows last time, where they began, and their decoder.
        self._usual: dict[int, tuple[bytes, int, Decode]] = {}

    def decode(self, event: bytes, end: int) -> list[Any]:
        """Row tuples of a rows event, or for an update pairs of them. `end` is where the event's checksum begins.

        Raises: DecodeError: damaged bytes; SourceError: columns that are captured do not stand in the rows.
        """
        usual = self._usual.get(event[4])
        if usual is None or not event.startswith(usual[0], _LAYOUT):
            rows = binlog.decode(event, checksum=end < len(event))[1]
            assert isinstance(rows, Rows)
            usual = self._usual[event[4]] = (event[_LAYOUT : rows.start], rows.start, self._decoder(rows))
        return usual[2](event, usual[1], end)

    def singles(self, events: list[bytes], at: int, most: int, checksum: int) -> list[Any]:
        """The rows of the events from number `at` on, so many at most, while each has one row and the usual form."""
        usual = self._usual.get(events[at][4])
        if usual is None or self._period is not None or not isinstance(usual[2], TwinDecode):
            return []
        return usual[2].singles(events, at, most, usual[0], _LAYOUT, checksum)

    def _decoder(self, rows: Rows) -> Decode:
        images = (rows.kind, rows.before_present, rows.after_present)
        decode = self._compiled.get(images)
        if decode is None:
            self._require_whole(rows)
            columns, masks = self.shape.columns, self.shape.masks
            if self._period is not None:
                columns, masks = (*columns, self._period), (*masks, None)
            decode = compile_rows(self.table, self._map, self._options, columns, rows, masks)
            self._compiled[images] = decode
        return decode

    def current(self, operation: str, images: list[Any]) -> tuple[str, list[Any]]:
        """What an event did to the rows as they are now; all that it did unless the table is versioned."""
        return (operation, images) if self._period is None else current_rows(operation, images)

    def _require_whole(self, rows: Rows) -> None:
        """Debezium fails on such rows too. A null in place of a value that is not known would be wrong data."""
        # What an update leaves out of the row after stands in the row before.
        whole = rows.after_present if rows.before_present is None else rows.before_present
        there = int.from_bytes(whole or b"", "little")
        wanted = {column.name for column in self.shape.columns}
        lacking = [
            column.name for i, column in enumerate(self.table.columns) if column.name in wanted and not there >> i & 1
        ]
        if lacking:
            raise SourceError(
                f"rows of {self.id} came without {', '.join(lacking)}: the session that wrote them did not have "
                f"binlog_row_image=FULL. Run: {self._whole}; reconnect all clients; then reset the connector's "
                "offsets, so that a new snapshot reads what is missing"
            )


class LogTables:
    """Table numbers as they are now; None stands for a table whose rows are passed over."""

    def __init__(
        self, known: Mapping[TableId, Table], captured: Captured, options: TypeOptions, *, inconsistent: str,
        learn: Callable[[TableId, Choose], bool] = lambda id, choose: False,
        doubts: Mapping[TableId, SourceError] = MappingProxyType({}), flavor: Flavor = MYSQL,
    ) -> None:  # fmt: skip
        """
        Args:
            known: the history's tables.
            inconsistent: inconsistent.schema.handling.mode.
            learn: asks the server for a table, and puts what is chosen among the known ones; False: nothing was.
            doubts: tables that changed in a way that was not understood, each with what to say of it.
        """
        self._known, self._captured, self._options, self._inconsistent = known, captured, options, inconsistent
        self._learn, self._doubts = learn, doubts
        self._whole = flavor.keeping("binlog_row_image", "FULL")
        self._by_number: dict[bytes, LogTable | None] = {}
        self._by_event: dict[bytes, tuple[bytes, LogTable | None]] = {}

    def seen(self, body: bytes) -> bool:
        """Whether a TABLE_MAP with this body was taken since the last change of a table, and is in force again."""
        found = self._by_event.get(body)
        if found is None:
            return False
        self._by_number[found[0]] = found[1]
        return True

    def add(self, body: bytes, table_map: TableMap, where: str) -> None:
        """A TABLE_MAP not seen yet. Raises: SourceError: a captured table that does not fit its history."""
        table = self._made(table_map, where)
        if len(self._by_event) >= _REMEMBERED:
            self._by_event.clear()
        number = table_map.table_id.to_bytes(6, "little")
        self._by_event[body] = (number, table)
        self._by_number[number] = table

    def of(self, event: bytes) -> LogTable | None:
        """The table of a rows event."""
        return self._by_number.get(event[_NUMBER])

    def changed(self) -> None:
        """A statement may have changed tables: those that it did are made anew."""
        self._by_event = {
            body: (number, table)
            for body, (number, table) in self._by_event.items()
            if table is not None and self._known.get(table.id) is table.known
        }

    def rotated(self) -> None:
        """Another file: its table numbers are its own."""
        self._by_event.clear()
        self._by_number.clear()

    def _made(self, table_map: TableMap, where: str) -> LogTable | None:
        id = TableId(table_map.database, table_map.table)
        if not self._captured.table(id):
            return None
        known = self._known.get(id)
        if known is None and is_sequence(table_map):
            return None
        if known is None and self._inconsistent == "fail" and self._learn(id, partial(_logged, table_map, ())):
            _log.info("a table that the history lacks is taken as the log and the server have it", table=str(id),
                      at=where)  # fmt: skip
            known = self._known.get(id)
        if known is None:
            self._tell_unknown(id, where)
            return None
        if (versioned := with_period(known, table_map)) is not None:
            shape = self._captured.shape(known)
            return LogTable(known, versioned, shape, table_map, self._options, self._whole, versioned.columns[-1])
        known, table = self._settled(known, table_map, where)
        return LogTable(known, table, self._captured.shape(table), table_map, self._options, self._whole)

    def _settled(self, known: Table, table_map: TableMap, where: str) -> tuple[Table, Table]:
        """The history's table and that of the log. One that does not fit, or is in doubt, is read from the server.

        Raises: SourceError: nor does what the server has now fit the rows.
        """
        doubt = self._doubts.get(known.id)
        try:
            if doubt is None:
                return known, settled(known, table_map, where)
        except SourceError as error:
            doubt = error
        if self._learn(known.id, partial(_logged, table_map, (known,))):
            _log.warning("a table that changed in an unknown way is taken as the log and the server have it",
                         table=str(known.id), at=where)  # fmt: skip
            known = self._known[known.id]
        elif doubt is not None and (table_map.names is None or not fits(known, table_map)):
            raise doubt
        return known, settled(known, table_map, where)

    def _tell_unknown(self, id: TableId, where: str) -> None:
        message = (
            f"rows of {id} at {where}, but the schema history does not know that table; rebuild the history with a "
            "new snapshot (snapshot.mode=recovery), or pass such rows over with inconsistent.schema.handling.mode=warn"
        )
        if self._inconsistent == "fail":
            raise SourceError(message)
        if self._inconsistent == "warn":
            _log.warning(message)


def _logged(table_map: TableMap, known: tuple[Table, ...], found: Table | None) -> Table | None:
    """The table as the log tells it, else what the server has now when that fits the log."""
    if table_map.names is not None:
        return logged_table(table_map, known if found is None else (found, *known))
    return found if found is not None and fits(found, table_map) else None


def settled(table: Table, table_map: TableMap, where: str) -> Table:
    """The table with the columns that stand in the log, in the log's order.

    Raises: SourceError: the log has other columns than the history, or does not name them.
    """
    width, names = len(table_map.column_types), table_map.names
    if names is None:
        if width == len(table.columns):
            return table
        raise SourceError(
            f"rows of {table.id} at {where} have {width} columns but the schema history has {len(table.columns)}: a "
            "statement that changed it is missing there; rebuild the history with a new snapshot "
            "(snapshot.mode=recovery). SET GLOBAL binlog_row_metadata=FULL lets such a table be checked by name"
        )
    if [column.name.lower() for column in table.columns] == [name.lower() for name in names]:
        return table
    columns = [table.column(name) for name in names]
    missing = [name for name, column in zip(names, columns, strict=True) if column is None]
    if missing:
        raise SourceError(
            f"rows of {table.id} at {where} have columns that the schema history does not know: {', '.join(missing)}; "
            "rebuild the history with a new snapshot (snapshot.mode=recovery)"
        )
    _log.warning("a table's columns differ from its history; taking those of the log", table=str(table.id), at=where)
    found = tuple(replace(c, position=i + 1) for i, c in enumerate(columns) if c is not None)
    keys = {name.lower() for name in names}
    return replace(table, columns=found, primary_key=tuple(k for k in table.primary_key if k.lower() in keys))
