"""The initial read: lock, position, table definitions, unlock, then every row, as batches with the snapshot's position.

Order and texts are those of Debezium 3.5.0.Final's `BinlogSnapshotChangeEventSource`. The connector's offset says
`snapshot` until the last record. It goes out, alone, after the definitions and before the first row: where rows were
sent, an offset tells from where their deletes must be read. A snapshot that was cut short goes on with what is left
(docs/decisions/0010-a-stopped-snapshot-goes-on-where-it-was.md).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import structlog

from cdc.java.order import in_hash_order, joined_buckets
from cdc.mysql import schema_change, wire
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.held_topic import HeldTopic
from cdc.mysql.history import History
from cdc.mysql.locks import ReadLock
from cdc.mysql.offset import Position
from cdc.mysql.schema_change import Kind, SchemaChange
from cdc.mysql.server import Server, quoted
from cdc.mysql.snapshot_reading import Reading, Wanted
from cdc.mysql.snapshot_session import Session, without_counter
from cdc.mysql.source_info import SourceInfo
from cdc.notifications import INITIAL, Notification, Notifications
from cdc.record import Batch, Headers, Poll, SourceOffset
from cdc.snapshot_markers import Newest
from cdc.snapshot_offset import Left, saved
from cdc.snapshot_report import SnapshotReport
from cdc.source_block import VERSION
from cdc.table import TableId, any_of, in_order

_log = structlog.get_logger(__name__)

ROWS_PER_POLL: Final = 2000
_CHANGES_PER_POLL: Final = 500
_LOOKS: Final = 20
"""How often definitions are looked at again when nothing keeps DDL away from them."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a snapshot works with. `overrides` are SELECT statements by `db.table`."""

    config: MySqlConfig
    settings: wire.Settings
    capture: Capture
    history: History
    topic: HeldTopic
    headers: Headers
    notifications: Notifications
    overrides: Mapping[str, str] = field(default_factory=dict)
    report: MutableMapping[str, Any] = field(default_factory=dict)
    clock_ns: Callable[[], int] = time.time_ns


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one snapshot is to do.

    Attributes:
        rows: read rows too, not only definitions.
        at: keep this position instead of the server's own.
        since: where an attempt began that was cut short: the log is to be read from there, in the shapes recorded
            then, so no definitions are recorded again.
        left: what that attempt left of the tables it began, by `db.table`.
        only: these tables alone (a blocking snapshot); None: all that the config names.
        origin: of which event of the log the rows say to come; None: of the snapshot's position.
        recorded_at: the offset that definitions are recorded with; None: the snapshot's.
        saved: partitions of the tables' own offsets, of any attempt: they are forgotten at the end.
    """

    rows: bool = True
    at: Position | None = None
    since: Position | None = None
    left: Mapping[str, Left] = field(default_factory=dict)
    only: Sequence[TableId] | None = None
    origin: SourceInfo | None = None
    recorded_at: Mapping[str, Any] | None = None
    saved: Sequence[Mapping[str, Any]] = ()


class _Definition(NamedTuple):
    table: TableId
    ddl: str


class Snapshot:
    """One snapshot. `polls` may be run once; `position` is where streaming begins after it."""

    def __init__(self, context: Context, task: Task) -> None:
        self._context, self._task = context, task
        self._newest = Newest()
        self._ts_sec = context.clock_ns() // 1_000_000_000
        self._position: Position | None = None
        self._saves_tables = bool(task.left)
        self._partitions = {str(dict(of)): of for of in task.saved}
        config = context.config
        self._lock = ReadLock(context.settings, config.locking_mode, config.lock_timeout_ms)
        self._kind = "INITIAL" if task.only is None else "BLOCKING"

    @property
    def position(self) -> Position:
        """Raises: ValueError: `polls` has not come so far."""
        return replace(self._task.since or self._read_at, ts_sec=self._ts_sec, snapshot=None)

    @property
    def _read_at(self) -> Position:
        if self._position is None:
            raise ValueError("the snapshot has no position yet")
        return self._position

    @property
    def recorded(self) -> Mapping[str, Any]:
        """The offset that definitions were recorded with. Raises: ValueError: `polls` has not come so far."""
        return self._offset().to_offset()

    def polls(self) -> Iterator[Poll]:
        """Raises: SourceUnavailable: begin again; SourceError."""
        self._context.report["snapshot.running"] = True
        yield Poll(self._told("STARTED"))
        sessions: list[Session] = []
        try:
            sessions += (Session(self._context.settings, self._context.config) for _ in range(self._threads()))
            if self._task.since is None:
                tables, definitions = self._locked(sessions)
                yield from self._describe(sessions[0].server, definitions)
            else:
                tables, definitions = self._again(sessions), []
                yield Poll((), [self._saved(self._offset())], idle=True)
            if self._task.rows:
                yield from self._read(sessions, tables, definitions)
        finally:
            self._lock.release()
            for session in sessions:
                session.close()
            self._context.report["snapshot.running"] = False
            self._context.report.pop("snapshot", None)
        yield self._end()

    def _told(self, type: str) -> list[Batch]:
        return self._context.notifications.batches([Notification(INITIAL, type)])

    def _threads(self) -> int:
        return self._context.config.snapshot_threads if self._task.rows else 1

    # The moment that is read

    def _locked(self, sessions: Sequence[Session]) -> tuple[list[TableId], list[_Definition]]:
        """Opens the consistent views; gives the tables to read and the definitions to record."""
        reader = sessions[0]
        self._lock.take(self._listed(reader.server)[0])
        definitions: list[_Definition] | None = None
        for _ in range(_LOOKS):
            # The position comes first: where nothing is locked a row may come twice, but none is missed.
            self._position = self._task.at or reader.server.position()
            for session in sessions:
                session.begin()
            tables, recorded = self._listed(reader.server)
            found = [
                _Definition(table, ddl) for table in recorded if (ddl := reader.definition(table)) is not None
            ]  # fmt: skip
            reader.free()
            if self._lock.is_held or _same(found, definitions):
                break
            # Nothing keeps DDL away: these are the definitions at the position if they are still the same after it.
            definitions = found
        else:
            _log.warning("tables were altered all the time; statements after the snapshot's position may not fit")
        if not self._lock.is_kept:
            self._lock.release()
            self._context.report["snapshot.lock.ms"] = self._lock.held_ms
        return tables, found

    def _again(self, sessions: Sequence[Session]) -> list[TableId]:
        """The tables that are left. Nothing is locked: changes since the first position are read from the log."""
        self._position = sessions[0].server.position()
        for session in sessions:
            session.begin()
        tables, _ = self._listed(sessions[0].server)
        return [table for table in tables if self._is_left(table)]

    def _is_left(self, table: TableId) -> bool:
        left = self._task.left.get(str(table))
        return left is None or bool(left.ranges)

    def _listed(self, server: Server) -> tuple[list[TableId], list[TableId]]:
        """The tables whose rows are read, and those whose definitions are recorded, each in order."""
        config, capture = self._context.config, self._context.capture
        seen = [table for table in server.tables() if capture.recorded(table)]
        captured = [table for table in seen if capture.table(table)]
        patterns = [*(config.table_include or ()), *map(re.escape, map(str, capture.signals))]
        patterns = patterns if config.table_include else []
        if self._task.only is not None:
            wanted = in_order([table for table in captured if table in set(self._task.only)], patterns)
            return wanted, wanted
        if config.snapshot_tables:
            chosen = any_of(config.snapshot_tables)
            captured = [table for table in captured if chosen(str(table))]
        captured = in_order(captured, patterns)
        if config.only_captured_tables:
            return captured, captured
        if config.only_captured_databases:
            seen = [table for table in seen if capture.database(table.database)]
        return captured, in_order(seen, ())

    # Definitions

    def _describe(self, reader: Server, definitions: Sequence[_Definition]) -> Iterator[Poll]:
        """Every definition into the history, and as schema changes."""
        self._context.topic.hold()
        changes: list[SchemaChange] = []
        locked = self._context.config.locking_mode != "none"
        for database, ddl in _statements(reader, definitions, whole=self._task.only is None, locked=locked):
            changes += self._applied(database, ddl)
            if len(changes) >= _CHANGES_PER_POLL:
                yield Poll(self._recorded(changes))
                changes = []
        last = self._recorded(changes) if changes else []
        self._context.topic.release()
        yield Poll(last, [self._saved(self._offset())], idle=True)

    def _applied(self, database: str, ddl: str) -> list[SchemaChange]:
        now_ms = self._context.clock_ns() // 1_000_000
        return self._context.history.apply(ddl, database, self._task.recorded_at or self._offset().to_offset(), now_ms)

    def _recorded(self, changes: Sequence[SchemaChange]) -> list[Batch]:
        """Durable in the history first: who reads the schema-change topic may rely on it."""
        self._context.topic.flush()
        batches: list[Batch] = []
        if self._context.config.schema_changes:
            shown = [change for change in changes if change.kind is not Kind.TRUNCATE]
            batches += self._newest.out()[0]
            if shown[:-1]:
                batches.append(self._change_batch(shown[:-1], "true"))
            if shown:
                newest = shown[-1]
                self._newest.keep(lambda marker: [self._change_batch([newest], marker)], "true")
        return batches

    def _change_batch(self, changes: Sequence[SchemaChange], marker: str) -> Batch:
        context = self._context
        pairs = []
        for change in changes:
            name = change.tables[0].name if change.tables else None
            pairs.append((change, self._source(context.clock_ns(), marker, change.database, name)))
        return schema_change.batch(pairs, context.config.topic_prefix, context.headers)

    # Rows

    def _read(
        self, sessions: Sequence[Session], tables: Sequence[TableId], definitions: Sequence[_Definition]
    ) -> Iterator[Poll]:
        listed, captured = set(tables), tables
        tables = [table for table in tables if table not in self._context.capture.signals]
        if tables and self._context.notifications.has_topic:
            # As in Debezium: a notification pushes out the definition that might have been the last record.
            yield Poll(self._newest.out()[0])
        while tables:
            report, reading = self._reading(sessions, tables, definitions, captured)
            for chunk in reading.chunks():
                self._lock.keep_alive()
                self._ts_sec = reading.seconds or self._ts_sec
                batches = [*chunk.batches, *self._context.notifications.batches(report.taken_notes())]
                if batches or chunk.left:
                    yield Poll(batches, [self._saved(self._offset()), *self._tables_saved(chunk.left)])
                else:
                    yield Poll()
            if last := self._context.notifications.batches(report.taken_notes()):
                yield Poll(last)
            if not reading.vanished:
                return
            # It may have been renamed: what is new now is read too, in a view of now.
            for session in sessions:
                session.server.run("ROLLBACK")
                session.begin()
            found = self._listed(sessions[0].server)[0]
            tables = [table for table in found if table not in listed]
            listed |= set(tables)

    def _reading(
        self,
        sessions: Sequence[Session],
        tables: Sequence[TableId],
        definitions: Sequence[_Definition],
        captured: Sequence[TableId],
    ) -> tuple[SnapshotReport[TableId], Reading]:
        context, config = self._context, self._context.config
        estimates = sessions[0].server.row_counts(tables)
        expected = {table: estimates.get(table, 0) for table in tables}
        if config.tables_by_row_count != "disabled":
            descending = config.tables_by_row_count == "descending"
            tables = sorted(tables, key=lambda table: expected[table], reverse=descending)
        recorded = context.history.tables
        parts = 1 if config.legacy_snapshot_threads else len(sessions) * config.snapshot_threads_multiplier
        wanted = Wanted(
            tables=tables,
            known={each.table: (each.ddl, recorded[each.table]) for each in definitions if each.table in recorded},
            left={table: left for table in tables if (left := self._task.left.get(str(table))) is not None},
            estimates=expected,
            overrides=context.overrides,
            large=config.resume_from_rows,
            walks_all=parts > 1,
            parts=parts,
            rows_per_chunk=config.snapshot_fetch_size or ROWS_PER_POLL,
            resumed=bool(self._task.left),
        )
        report = SnapshotReport(context.report, expected, captured=captured)
        return report, Reading(
            wanted, sessions, self._newest, report, shape=context.capture.shape, clock_ns=context.clock_ns,
            source=self._of_row,
        )  # fmt: skip

    # What goes out

    def _of_row(self, ns: int, marker: str, table: TableId) -> SourceInfo:
        made, origin = self._source(ns, marker, *table), self._task.origin
        if origin is None:
            return made
        return origin._replace(
            ts_ms=made.ts_ms, snapshot=marker, db=made.db, ts_us=made.ts_us, ts_ns=ns, table=made.table
        )  # fmt: skip

    def _source(self, ns: int, marker: str, database: str, table: str | None) -> SourceInfo:
        position, context = self._read_at, self._context
        return SourceInfo(
            VERSION, context.settings.flavor.name, context.config.topic_prefix, ns // 1_000_000, marker, database,
            None, ns // 1_000, ns, table, 0, None, position.file, position.pos, 0, None, None,
        )  # fmt: skip

    def _offset(self) -> Position:
        return replace(self.position, snapshot=self._kind)

    def _saved(self, position: Position) -> SourceOffset:
        return SourceOffset({"server": self._context.config.topic_prefix}, position.to_offset())

    def _tables_saved(self, left: Mapping[TableId, Left]) -> list[SourceOffset]:
        """From the first large table on; a blocking snapshot is taken again by who asked for it."""
        self._saves_tables = self._saves_tables or any(of_table.ranges for of_table in left.values())
        if not self._saves_tables or self._task.only is not None:
            return []
        prefix, position = self._context.config.topic_prefix, self.position
        offsets = [saved(prefix, position.began, table, of_table) for table, of_table in left.items()]
        self._partitions.update((str(each.partition), each.partition) for each in offsets)
        return offsets

    def _end(self) -> Poll:
        """The newest record as the last, and the offset without its `snapshot` member."""
        batches, _ = self._newest.out("last")
        self._context.report["snapshot.percent"] = 100
        forgotten = [SourceOffset(of, None) for of in self._partitions.values()]
        return Poll([*batches, *self._told("COMPLETED")], [self._saved(self.position), *forgotten], idle=True)


def _same(found: Sequence[_Definition], before: Sequence[_Definition] | None) -> bool:
    return before is not None and [(each.table, without_counter(each.ddl)) for each in found] == [
        (each.table, without_counter(each.ddl)) for each in before
    ]


def _statements(
    reader: Server, definitions: Sequence[_Definition], *, whole: bool, locked: bool
) -> Iterator[tuple[str, str]]:
    """(database, statement) of everything that describes the server, or of tables alone, in Debezium's order."""
    if whole:
        yield "", reader.charset_statement()
    for table, _ in definitions:
        yield table.database, f"DROP TABLE IF EXISTS {quoted(*table)}"
    locales = reader.locales()
    texts = dict(definitions)
    by_database: dict[str, list[TableId]] = {}
    for table in texts:
        by_database.setdefault(table.database, []).append(table)
    for database, tables in by_database.items():
        if whole:
            yield database, f"DROP DATABASE IF EXISTS {quoted(database)}"
            default = locales.get(database)
            yield database, f"CREATE DATABASE {quoted(database)}{default.ddl() if default is not None else ''}"
            yield database, f"USE {quoted(database)}"
        # Debezium reads them with several threads where nothing is locked, and joins what they found.
        for table in tables if locked else in_hash_order(tables, joined_buckets(len(tables))):
            yield database, texts[table]
