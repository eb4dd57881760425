"""The initial read: every row of the captured tables in one view, as batches with the view's position.

Order and markers are those of Debezium 3.5.0.Final's `PostgresSnapshotChangeEventSource`. The connector's offset says
`snapshot` until the last record. It goes out, alone, before the first row. A snapshot that was cut short goes on with
what is left (docs/decisions/0010-a-stopped-snapshot-goes-on-where-it-was.md).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.errors import SourceError, SourceUnavailable
from cdc.notifications import INITIAL, Notification, Notifications
from cdc.postgres import catalog
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import Found, Types
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import Position, lsn_of
from cdc.postgres.snapshot_reading import Reading, Wanted
from cdc.postgres.snapshot_session import ViewSession
from cdc.postgres.source_info import CONNECTOR, SourceInfo, sequence
from cdc.postgres.wire import Session
from cdc.record import Batch, Poll, SourceOffset
from cdc.snapshot_markers import Newest
from cdc.snapshot_offset import Left, saved
from cdc.snapshot_report import SnapshotReport
from cdc.source_block import VERSION
from cdc.table import TableId, any_of, in_order

ROWS_PER_POLL: Final = 2000
_ROWS_OF_A_PAGE: Final = 60
"""Expected of a table that nobody has counted."""
_LEVELS: Final = {
    "serializable": "SERIALIZABLE", "repeatable_read": "REPEATABLE READ", "read_committed": "READ COMMITTED",
    "read_uncommitted": "READ UNCOMMITTED",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a snapshot works with.

    Attributes:
        ask: a session outside of every view: definitions are read over it once nobody can change them.
        open: opens a session to read rows over.
        overrides: SELECT statements by `schema.table`.
    """

    config: PostgresConfig
    capture: Capture
    types: Types
    ask: Session
    open: Callable[[], Session]
    notifications: Notifications
    overrides: Mapping[str, str] = field(default_factory=dict)
    report: MutableMapping[str, Any] = field(default_factory=dict)
    clock_ns: Callable[[], int] = time.time_ns


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one snapshot is to do.

    Attributes:
        view, lsn: an exported view and where it stands in the WAL; None: a view and position of now.
        timeline: of the server.
        since: the WAL is to be read from there: an attempt that was cut short began there, or a start with an offset.
        left: what that attempt left of the tables it began, by `schema.table`.
        only: these tables alone (a blocking snapshot); None: all that the config names.
        origin: of which event of the WAL the rows say to come; None: of the view's position.
        saved: partitions of the tables' own offsets, of any attempt: they are forgotten at the end.
    """

    view: str | None = None
    lsn: int | None = None
    timeline: int | None = None
    since: Position | None = None
    left: Mapping[str, Left] = field(default_factory=dict)
    only: Sequence[TableId] | None = None
    origin: SourceInfo | None = None
    saved: Sequence[Mapping[str, Any]] = ()


class Snapshot:
    """One snapshot. `polls` may be run once; `position` is where streaming begins after it."""

    def __init__(self, context: Context, task: Task) -> None:
        self._context, self._task = context, task
        self._newest = Newest()
        self._lsn, self._tx_id, self._time_us = 0, 0, 0
        self._saves_tables = bool(task.left)
        self._partitions = {str(dict(of)): of for of in task.saved}

    @property
    def position(self) -> Position:
        """Where streaming goes on."""
        if self._task.since is not None:
            return self._task.since.with_(snapshot=None, last_snapshot_record=False, snapshot_completed=False)
        return Position(lsn=self._lsn, tx_id=self._tx_id, time_us=self._time_us, timeline=self._task.timeline)

    def polls(self) -> Iterator[Poll]:
        """Raises: SourceUnavailable: begin again; SourceError."""
        context, task = self._context, self._task
        context.report["snapshot.running"] = True
        yield Poll(self._told("STARTED"))
        sessions: list[ViewSession] = []
        try:
            self._open(sessions)
            if task.only is None:
                yield Poll((), [self._saved()], idle=True)
            yield from self._read(sessions)
        finally:
            for session in sessions:
                with suppress(SourceError, SourceUnavailable):
                    session.close()
            context.report["snapshot.running"] = False
            context.report.pop("snapshot", None)
        yield self._end()

    def _told(self, type: str) -> list[Batch]:
        return self._context.notifications.batches([Notification(INITIAL, type)])

    # The moment that is read

    def _open(self, sessions: list[ViewSession]) -> None:
        """The sessions, all with one view where the isolation level knows views."""
        context, config = self._context, self._context.config
        level, keeps = _LEVELS[config.isolation], config.locking_mode == "shared"
        # The position comes first: a change that the view has too may come twice, but none is missed.
        ((lsn, self._tx_id, self._time_us),) = context.ask.rows(
            "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text, "
            "pg_snapshot_xmax(pg_current_snapshot())::text::bigint, (extract(epoch FROM now()) * 1000000)::bigint"
        )
        self._lsn = lsn_of(lsn) if self._task.lsn is None else self._task.lsn
        view = self._task.view
        for _ in range(config.snapshot_threads):
            session = ViewSession(context.open(), level, keeps_locks=keeps)
            sessions.append(session)
            session.begin(view)
            if view is None and config.snapshot_threads > 1 and level in ("SERIALIZABLE", "REPEATABLE READ"):
                view = session.exported()
        tables = self._wanted()
        for session in sessions:
            if keeps and tables:
                session.lock([table.id for table in tables], config.lock_timeout_ms)
            session.ready()

    def _listed(self) -> list[Found]:
        """The tables in the order in which their rows are read, with those of signals."""
        config, capture = self._context.config, self._context.capture
        every = {table.id: table for table in catalog.tables(self._context.ask) if capture.table(table.id)}
        if self._task.only is not None:
            every = {id: table for id, table in every.items() if id in set(self._task.only)}
        elif config.snapshot_tables:
            chosen = any_of(config.snapshot_tables)
            every = {id: table for id, table in every.items() if chosen(str(id))}
        patterns = [*(config.table_include or ()), *map(re.escape, map(str, capture.signals))]
        return [every[id] for id in in_order(list(every), patterns if config.table_include else ())]

    def _wanted(self, listed: Sequence[Found] | None = None) -> list[Found]:
        """Those that are read, and are not yet."""
        found = self._listed() if listed is None else listed
        left = self._task.left
        tables = [table for table in found if table.id not in self._context.capture.signals]
        tables = [table for table in tables if str(table.id) not in left or left[str(table.id)].ranges]
        order = self._context.config.tables_by_row_count
        if order != "disabled":
            tables.sort(key=lambda table: table.estimate, reverse=order == "descending")
        return tables

    # Rows

    def _read(self, sessions: Sequence[ViewSession]) -> Iterator[Poll]:
        listed = self._listed()
        tables, oids = self._wanted(listed), {table.oid for table in listed}
        names = {table.id for table in listed}
        while tables:
            report, reading = self._reading(sessions, tables, listed)
            for chunk in reading.chunks():
                batches = [*chunk.batches, *self._context.notifications.batches(report.taken_notes())]
                yield Poll(batches, self._offsets(chunk.left)) if batches or chunk.left else Poll()
            if last := self._context.notifications.batches(report.taken_notes()):
                yield Poll(last)
            if not reading.vanished:
                return
            # It may have been renamed: what is new now is read too, in a view of now.
            for session in sessions:
                session.end()
                session.begin()
                session.ready()
            listed = self._listed()
            tables = [t for t in self._wanted(listed) if t.id not in names or t.oid not in oids]
            oids |= {table.oid for table in tables}
            names |= {table.id for table in tables}

    def _reading(
        self, sessions: Sequence[ViewSession], tables: Sequence[Found], listed: Sequence[Found]
    ) -> tuple[SnapshotReport[TableId], Reading]:
        context, config = self._context, self._context.config
        pages = dict(context.ask.rows(
            "SELECT oid, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class WHERE oid = ANY(%s)",
            ([table.oid for table in tables],),
        ))  # fmt: skip
        expected = {
            table.id: table.estimate if table.estimate >= 0 else (pages.get(table.oid) or 0) * _ROWS_OF_A_PAGE
            for table in tables
        }
        report = SnapshotReport(context.report, expected, captured=[table.id for table in listed])
        wanted = Wanted(
            tables=tables, left=self._task.left, overrides=context.overrides, pages=config.snapshot_pages,
            rows_per_chunk=config.snapshot_fetch_size or ROWS_PER_POLL, resumed=bool(self._task.left),
            # As Debezium does where it divides tables into chunks.
            by_key=max(config.snapshot_threads, config.snapshot_threads_multiplier) > 1
            and not config.legacy_snapshot_threads,
        )  # fmt: skip
        return report, Reading(
            wanted, sessions, self._newest, report, shape=self._shape, source=self._source, clock_ns=context.clock_ns
        )

    def _shape(self, found: Found) -> Shape:
        context = self._context
        return context.capture.shape(catalog.described(context.ask, context.types, found.oid, found.id))

    # What goes out

    def _source(self, time_us: int, marker: str, table: TableId) -> SourceInfo:
        # All rows of a first snapshot say its moment; those of one that was cut short, when they were read.
        origin, config = self._task.origin, self._context.config
        time_us = self._time_us if origin is None else time_us
        if origin is not None:
            return origin._replace(
                ts_ms=time_us // 1000, snapshot=marker, ts_us=time_us, ts_ns=time_us * 1000, schema=table.database,
                table=table.name,
            )  # fmt: skip
        return SourceInfo(
            version=VERSION, connector=CONNECTOR, name=config.topic_prefix, ts_ms=time_us // 1000, snapshot=marker,
            db=config.database, sequence=sequence(None, self._lsn), ts_us=time_us, ts_ns=time_us * 1000,
            schema=table.database, table=table.name, tx_id=self._tx_id, lsn=self._lsn, xmin=None, origin=None,
            origin_lsn=None,
        )  # fmt: skip

    def _offsets(self, left: Mapping[TableId, Left]) -> list[SourceOffset]:
        """A blocking snapshot is taken again by who asked for it."""
        return [] if self._task.only is not None else [self._saved(), *self._tables_saved(left)]

    def _saved(self, **over: bool) -> SourceOffset:
        offset = self.position.with_(snapshot="INITIAL", **over).to_offset()
        return SourceOffset({"server": self._context.config.topic_prefix}, offset)

    def _tables_saved(self, left: Mapping[TableId, Left]) -> list[SourceOffset]:
        """From the first table of several parts on: a small snapshot is simply taken again."""
        self._saves_tables = self._saves_tables or any(of_table.ranges for of_table in left.values())
        if not self._saves_tables:
            return []
        prefix, began = self._context.config.topic_prefix, self.position.began
        offsets = [saved(prefix, began, table, of_table) for table, of_table in left.items()]
        self._partitions.update((str(each.partition), each.partition) for each in offsets)
        return offsets

    def _end(self) -> Poll:
        """The newest record as the last, and the offset of a snapshot that is over."""
        batches, _ = self._newest.out("last")
        self._context.report["snapshot.percent"] = 100
        batches += self._told("COMPLETED")
        if self._task.only is not None:
            return Poll(batches)
        over = self._saved(last_snapshot_record=True, snapshot_completed=True)
        forgotten = [SourceOffset(of, None) for of in self._partitions.values()]
        return Poll(batches, [over, *forgotten], idle=True)
