"""The initial read: every row of the captured tables in one view, as batches with the view's position.

Order and markers are those of Debezium 3.5.0.Final's `PostgresSnapshotChangeEventSource`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from cdc.changes import SourceRun, Sources
from cdc.postgres import catalog
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import Found, Types
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import Position
from cdc.postgres.source_info import CONNECTOR, SourceInfo, sequence
from cdc.postgres.wire import Session, quoted
from cdc.record import Batch, Poll, SourceOffset
from cdc.source_block import VERSION
from cdc.table import TableId, any_of, in_order

_log = structlog.get_logger(__name__)
ROWS_PER_POLL: Final = 2000
_LEVELS: Final = {
    "serializable": "SERIALIZABLE", "repeatable_read": "REPEATABLE READ", "read_committed": "READ COMMITTED",
    "read_uncommitted": "READ UNCOMMITTED",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One pass over the tables.

    Attributes:
        session: reads the rows; its transaction is opened and closed here.
        view: name of an exported snapshot; None: a view of its own.
        lsn: what the rows' `source` says, and where streaming begins.
        rows: False: nothing is read, only the position told.
    """

    config: PostgresConfig
    session: Session
    capture: Capture
    types: Types
    lsn: int
    view: str | None
    rows: bool = True
    overrides: Mapping[str, str] = field(default_factory=dict)
    report: MutableMapping[str, Any] = field(default_factory=dict)
    now: Callable[[], int] = time.time_ns

    def polls(self) -> Iterator[Poll]:
        # Only this level takes up a view that was exported; of one view, serializable reads the same.
        level = "REPEATABLE READ" if self.view is not None else _LEVELS[self.config.isolation]
        self.session.rows(f"BEGIN TRANSACTION ISOLATION LEVEL {level}, READ ONLY")
        if self.view is not None:
            self.session.rows(f"SET TRANSACTION SNAPSHOT '{self.view}'")
        ((tx_id, time_us),) = self.session.rows(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, "
            "(extract(epoch FROM now()) * 1000000)::bigint"
        )
        found = self._found()
        self._lock(found)
        position = Position(lsn=self.lsn, tx_id=tx_id, time_us=time_us, snapshot="INITIAL")
        if self.rows and found:
            yield Poll([], self._offset(position))
            yield from self._read(found, position)
        self.session.rows("COMMIT")
        over = position.with_(last_snapshot_record=True, snapshot_completed=True)
        yield Poll([], self._offset(over), idle=True)

    @property
    def position(self) -> Position:
        """Where streaming goes on."""
        return Position(lsn=self.lsn)

    def _found(self) -> list[Found]:
        every = {table.id: table for table in catalog.tables(self.session) if self.capture.table(table.id)}
        ordered = in_order(list(every), self.config.table_include or ())
        if self.config.tables_by_row_count != "disabled":
            ordered.sort(key=lambda id: every[id].estimate, reverse=self.config.tables_by_row_count == "descending")
        wanted = any_of(self.config.snapshot_tables) if self.config.snapshot_tables else lambda name: True
        return [every[id] for id in ordered if wanted(str(id))]

    def _lock(self, found: Sequence[Found]) -> None:
        if self.config.locking_mode != "shared" or not found:
            return
        self.session.rows(f"SET LOCAL lock_timeout = {self.config.lock_timeout_ms}")
        names = ", ".join(f"{quoted(table.id.database)}.{quoted(table.id.name)}" for table in found)
        self.session.rows(f"LOCK TABLE {names} IN ACCESS SHARE MODE")

    def _read(self, found: Sequence[Found], position: Position) -> Iterator[Poll]:
        """The rows of all tables; one chunk is held back, since the last record of all is marked."""
        held: tuple[Shape, list[Any], bool] | None = None
        first = True
        for number, table in enumerate(found, 1):
            shape = self.capture.shape(catalog.described(self.session, self.types, table.oid, table.id))
            _log.info("reading table", table=str(table.id), number=number, of=len(found))
            self.report["snapshot"] = {"table": str(table.id), "number": number, "of": len(found)}
            opening = True
            for rows in self._chunks(shape):
                if held is not None:
                    yield self._poll(held, position, first, closes=opening)
                    first = False
                held, opening = (shape, rows, opening), False
        if held is not None:
            yield self._poll(held, position, first, closes=True, last=True)
        self.report.pop("snapshot", None)

    def _chunks(self, shape: Shape) -> Iterator[list[Any]]:
        rows: list[Any] = []
        for values in self.session.copied(self.overrides.get(str(shape.table.id), shape.select).rstrip("; \n")):
            rows.append(shape.row(values))
            if len(rows) == ROWS_PER_POLL:
                yield rows
                rows = []
        if rows:
            yield rows

    def _poll(
        self, held: tuple[Shape, list[Any], bool], position: Position, first: bool, *, closes: bool, last: bool = False
    ) -> Poll:
        """`closes`: the chunk is its table's last; `last`: of all."""
        shape, rows, opens = held
        marks = ["true"] * len(rows)
        if opens:
            marks[0] = "first_in_data_collection"
        if closes:
            marks[-1] = "last_in_data_collection"
        if first:
            marks[0] = "first"
        if last:
            marks[-1] = "last"
        runs: list[SourceRun] = []
        start = 0
        for index in range(1, len(marks) + 1):
            if index == len(marks) or marks[index] != marks[start]:
                runs.append(SourceRun(self._source(shape.table.id, marks[start], position), index - start))
                start = index
        batches: list[Batch] = shape.envelope.reads(rows, Sources(runs), self.now())
        return Poll(batches, self._offset(position))

    def _source(self, table: TableId, mark: str, position: Position) -> SourceInfo:
        time_us = position.time_us or 0
        return SourceInfo(
            version=VERSION, connector=CONNECTOR, name=self.config.topic_prefix, ts_ms=time_us // 1000, snapshot=mark,
            db=self.config.database, sequence=sequence(None, self.lsn), ts_us=time_us, ts_ns=time_us * 1000,
            schema=table.database, table=table.name, tx_id=position.tx_id, lsn=self.lsn, xmin=None, origin=None,
            origin_lsn=None,
        )  # fmt: skip

    def _offset(self, position: Position) -> list[SourceOffset]:
        return [SourceOffset({"server": self.config.topic_prefix}, position.to_offset())]
