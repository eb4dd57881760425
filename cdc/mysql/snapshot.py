"""The initial read: lock, position, table definitions, unlock, then every row, as batches with the snapshot's position.

Order and texts are those of Debezium 3.5.0.Final's `BinlogSnapshotChangeEventSource`. A snapshot that was cut short
is done again from its start: its offset says `snapshot` until the last record. The offset goes out, alone, after the
definitions and before the first row: where rows were sent, an offset tells from where their deletes must be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import structlog
from pymysql.err import MySQLError

from cdc.errors import SourceError
from cdc.mysql import schema_change, wire
from cdc.mysql.capture import Capture, Shape, in_order
from cdc.mysql.config import MySqlConfig
from cdc.mysql.history import History
from cdc.mysql.locks import ReadLock
from cdc.mysql.offset import Position
from cdc.mysql.rows import Select
from cdc.mysql.schema_change import Kind, SchemaChange
from cdc.mysql.server import Server, quoted
from cdc.mysql.source_info import VERSION, SourceInfo
from cdc.record import Batch, Headers, Poll, SourceOffset, Topic
from cdc.table import Table, TableId, any_of

_log = structlog.get_logger(__name__)

ROWS_PER_POLL: Final = 2000
_CHANGES_PER_POLL: Final = 500
_NO_SUCH_TABLE: Final = 1146
_SAVEPOINT: Final = "tailrace"
"""Going back to it frees a table that was read for DDL, and keeps the consistent snapshot."""


class HeldTopic:
    """A history topic whose appends wait for `flush`: a snapshot writes its many small records together."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._waiting: list[tuple[bytes | None, bytes]] | None = None

    def exists(self) -> bool:
        return self._topic.exists()

    def create(self) -> None:
        self._topic.create()

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        if self._waiting is None:
            self._topic.append(records)
        else:
            self._waiting += records

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return self._topic.read()

    def hold(self) -> None:
        """From now on `append` only remembers."""
        self._waiting = []

    def flush(self) -> None:
        """Durable on return."""
        if self._waiting:
            self._topic.append(self._waiting)
            self._waiting = []

    def release(self) -> None:
        """Writes what waits; `append` is durable again."""
        self.flush()
        self._waiting = None


class UnkeptTopic:
    """The history of a snapshot that is taken again: its definitions serve to read rows, and are forgotten."""

    def exists(self) -> bool:
        return False

    def create(self) -> None: ...

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None: ...

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a snapshot works with. `overrides` are SELECT statements by `db.table`."""

    config: MySqlConfig
    settings: wire.Settings
    capture: Capture
    history: History
    topic: HeldTopic
    headers: Headers
    overrides: Mapping[str, str] = field(default_factory=dict)
    report: MutableMapping[str, Any] = field(default_factory=dict)
    clock_ns: Callable[[], int] = time.time_ns


class _Definition(NamedTuple):
    table: TableId
    ddl: str


class _Held(NamedTuple):
    """The newest record: it goes out when the next one comes, or as the last. `batches` makes it for a marker."""

    batches: Callable[[str], Sequence[Batch]]
    marker: str


class Snapshot:
    """One snapshot. `polls` may be run once; `position` is where streaming begins after it."""

    def __init__(
        self, context: Context, *, rows: bool, at: Position | None = None, since: Position | None = None
    ) -> None:
        """
        Args:
            rows: read rows too, not only definitions.
            at: keep this position instead of the server's own.
            since: where an attempt began that was cut short; the log is to be read from there.
        """
        self._context, self._with_rows, self._at, self._since = context, rows, at, since
        self._held: _Held | None = None
        self._ts_sec = context.clock_ns() // 1_000_000_000
        self._position: Position | None = None
        config = context.config
        self._lock = ReadLock(context.settings, config.locking_mode, config.lock_timeout_ms)

    @property
    def position(self) -> Position:
        """Raises: ValueError: `polls` has not come so far."""
        return replace(self._since or self._read_at, ts_sec=self._ts_sec, snapshot=None)

    @property
    def tables(self) -> Mapping[TableId, Table]:
        """Every table whose definition was read."""
        return self._context.history.tables

    @property
    def _read_at(self) -> Position:
        if self._position is None:
            raise ValueError("the snapshot has no position yet")
        return self._position

    def polls(self) -> Iterator[Poll]:
        """Raises: SourceUnavailable: begin again; SourceError."""
        reader = self._open()
        try:
            captured, definitions = self._locked(reader)
            yield from self._describe(reader, definitions)
            if self._with_rows:
                yield from self._read(reader, self._by_row_count(reader, captured))
        finally:
            self._lock.release()
            reader.close()
            self._context.report["snapshot.running"] = False
        yield self._end()

    def _open(self) -> Server:
        config = self._context.config
        self._context.report["snapshot.running"] = True
        timeout_s = config.query_timeout_ms // 1000 or None
        reader = Server(self._context.settings, read_timeout=timeout_s)
        try:
            run_initial_statements(reader, config.initial_statements)
            # An empty sql_mode: names come in backticks, CHAR values unpadded. The server must not give up on us
            # while the log is away, nor cut a long SELECT short.
            reader.run(
                "SET SESSION sql_mode = '', time_zone = '+00:00', net_write_timeout = 28800, wait_timeout = 28800, "
                f"lock_wait_timeout = {max(1, config.lock_timeout_ms // 1000)}"
            )
            if not reader.is_mariadb():
                reader.run("SET SESSION max_execution_time = 0")
            reader.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        except BaseException:
            reader.close()
            raise
        return reader

    # Under the lock

    def _locked(self, reader: Server) -> tuple[list[TableId], list[_Definition]]:
        """Opens the consistent snapshot; gives the tables to read and the definitions to record."""
        self._lock.take([table for table in in_order(reader.tables(), ()) if self._context.capture.table(table)])
        # The position comes first: where nothing is locked a row may come twice, but none is missed.
        position = self._at or reader.position()
        self._position = position
        reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        reader.run(f"SAVEPOINT {_SAVEPOINT}")
        captured, recorded = self._tables(reader)
        definitions = [found for table in recorded if (found := _definition(reader, table)) is not None]
        reader.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        if not self._lock.is_kept:
            self._lock.release()
            self._context.report["snapshot.lock.ms"] = self._lock.held_ms
        return captured, definitions

    def _tables(self, reader: Server) -> tuple[list[TableId], list[TableId]]:
        """The tables whose rows are read, and those whose definitions are recorded, each in order."""
        config, capture = self._context.config, self._context.capture
        seen = [table for table in reader.tables() if capture.recorded(table)]
        captured = [table for table in seen if capture.table(table)]
        self._guard(captured)
        if config.only_captured_tables:
            recorded = captured
        elif config.only_captured_databases:
            recorded = [table for table in seen if capture.database(table.database)]
        else:
            recorded = seen
        if config.snapshot_tables:
            chosen = any_of(config.snapshot_tables)
            captured = [table for table in captured if chosen(str(table))]
        patterns = config.table_include or ()
        return in_order(captured, patterns), in_order(recorded, patterns if config.only_captured_tables else ())

    def _guard(self, captured: Sequence[TableId]) -> None:
        config = self._context.config
        if not 0 < config.guardrail_max < len(captured):
            return
        text = (
            f"{len(captured)} tables are captured and guardrail.collections.max is {config.guardrail_max}; narrow "
            "table.include.list or raise the limit"
        )
        if config.guardrail_action == "fail":
            raise SourceError(text)
        _log.warning(text)

    def _by_row_count(self, reader: Server, tables: Sequence[TableId]) -> Sequence[TableId]:
        order = self._context.config.tables_by_row_count
        counts = reader.row_counts(tables)
        self._context.report["snapshot.rows.estimated"] = sum(counts.values())
        if order == "disabled":
            return tables
        return sorted(tables, key=lambda table: counts.get(table, 0), reverse=order == "descending")

    # Definitions

    def _describe(self, reader: Server, definitions: Sequence[_Definition]) -> Iterator[Poll]:
        """Every definition into the history, and as schema changes."""
        self._context.topic.hold()
        changes: list[SchemaChange] = []
        for database, ddl in _statements(reader, definitions):
            changes += self._applied(database, ddl)
            if len(changes) >= _CHANGES_PER_POLL:
                yield Poll(self._recorded(changes))
                changes = []
        last = self._recorded(changes) if changes else []
        self._context.topic.release()
        yield Poll(last, [self._saved(self._offset())], idle=True)

    def _applied(self, database: str, ddl: str) -> list[SchemaChange]:
        now_ms = self._context.clock_ns() // 1_000_000
        return self._context.history.apply(ddl, database, self._offset().to_offset(), now_ms)

    def _recorded(self, changes: Sequence[SchemaChange]) -> list[Batch]:
        """Durable in the history first: who reads the schema-change topic may rely on it."""
        self._context.topic.flush()
        batches: list[Batch] = []
        if self._context.config.schema_changes:
            shown = [change for change in changes if change.kind is not Kind.TRUNCATE]
            batches += self._unheld()
            if shown[:-1]:
                batches.append(self._change_batch(shown[:-1], "true"))
            if shown:
                self._hold_change(shown[-1])
        return batches

    def _hold_change(self, change: SchemaChange) -> None:
        self._held = _Held(lambda marker: [self._change_batch([change], marker)], "true")

    def _change_batch(self, changes: Sequence[SchemaChange], marker: str) -> Batch:
        context = self._context
        pairs = []
        for change in changes:
            name = change.tables[0].name if change.tables else None
            pairs.append((change, self._source(context.clock_ns(), marker, change.database, name)))
        return schema_change.batch(pairs, context.config.topic_prefix, context.headers)

    # Rows

    def _read(self, reader: Server, tables: Sequence[TableId]) -> Iterator[Poll]:
        report = self._context.report
        report.update({"snapshot.tables": len(tables), "snapshot.rows": 0})
        for number, table in enumerate(tables):
            report.update({"snapshot.tables.remaining": len(tables) - number, "snapshot.table": str(table)})
            known = self._context.history.tables.get(table)
            if known is None:
                _log.warning("a table's definition was not understood; its rows are not read", table=str(table))
                continue
            yield from self._rows(reader, self._context.capture.shape(known), first_table=number == 0)
            reader.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        report.update({"snapshot.tables.remaining": 0, "snapshot.table": None})

    def _rows(self, reader: Server, shape: Shape, *, first_table: bool) -> Iterator[Poll]:
        """One table. The newest row is always kept back: it may be the last."""
        context = self._context
        database, name = shape.table.id
        self._ts_sec = reader.seconds()
        sources = {
            marker: self._source(self._ts_sec * 1_000_000_000, marker, database, name)
            for marker in ("first", "first_in_data_collection", "true", "last_in_data_collection", "last")
        }
        usual, begun, newest = sources["true"], False, None
        convert = shape.snapshot_rows
        select = Select(reader.connection, context.settings, self._statement(shape))
        for raw in select.chunks(context.config.snapshot_fetch_size or ROWS_PER_POLL):
            self._lock.keep_alive()
            if not raw:
                yield Poll()
                continue
            rows = convert(raw)
            self._scanned(len(rows))
            batches = self._unheld() if newest is None else []
            rows = rows if newest is None else [newest, *rows]
            newest = rows.pop()
            if rows:
                origins = [usual] * len(rows)
                if not begun:
                    origins[0] = sources["first" if first_table else "first_in_data_collection"]
                    begun = True
                batches = [*batches, *shape.envelope.reads(rows, origins, context.clock_ns())]
            yield self._poll(batches)
        if newest is not None:
            self._hold_row(shape, newest, sources, "first" if first_table and not begun else "last_in_data_collection")

    def _hold_row(self, shape: Shape, row: Any, sources: Mapping[str, SourceInfo], marker: str) -> None:
        self._held = _Held(
            lambda marker: shape.envelope.reads([row], [sources[marker]], self._context.clock_ns()), marker
        )

    def _statement(self, shape: Shape) -> str:
        """The SELECT of a table; an override stands in the place of the table, so columns come as always."""
        database, name = shape.table.id
        override = self._context.overrides.get(f"{database}.{name}")
        origin = quoted(database, name) if override is None else f"({override.strip().rstrip(';')}) AS {quoted(name)}"
        return f"SELECT {shape.select_list} FROM {origin}"

    def _scanned(self, rows: int) -> None:
        report = self._context.report
        report["snapshot.rows"] += rows
        estimated = report.get("snapshot.rows.estimated") or 0
        if estimated:
            report["snapshot.percent"] = min(99, report["snapshot.rows"] * 100 // estimated)

    # What goes out

    def _source(self, ns: int, marker: str, database: str, table: str | None) -> SourceInfo:
        position = self._read_at
        return SourceInfo(
            VERSION, "mysql", self._context.config.topic_prefix, ns // 1_000_000, marker, database, None,
            ns // 1_000, ns, table, 0, None, position.file, position.pos, 0, None, None,
        )  # fmt: skip

    def _offset(self) -> Position:
        return replace(self.position, snapshot="INITIAL")

    def _saved(self, position: Position) -> SourceOffset:
        return SourceOffset({"server": self._context.config.topic_prefix}, position.to_offset())

    def _poll(self, batches: Sequence[Batch]) -> Poll:
        return Poll(batches, [self._saved(self._offset())])

    def _unheld(self) -> list[Batch]:
        held, self._held = self._held, None
        return [] if held is None else list(held.batches(held.marker))

    def _end(self) -> Poll:
        """The newest record as the last, and the offset without its `snapshot` member."""
        held, self._held = self._held, None
        self._context.report["snapshot.percent"] = 100
        batches = [] if held is None else held.batches("last")
        return Poll(batches, [self._saved(self.position)], idle=True)


def run_initial_statements(server: Server, text: str | None) -> None:
    """`database.initial.statements`: separated by `;`, where `;;` is a semicolon."""
    for statement in (text or "").replace(";;", "\0").split(";"):
        if statement.strip():
            server.run(statement.replace("\0", ";").strip())


def _definition(reader: Server, table: TableId) -> _Definition | None:
    """None for a table that was dropped since it was listed, which a lock prevents."""
    try:
        return _Definition(table, str(reader.tried(f"SHOW CREATE TABLE {quoted(*table)}")[0][1]))
    except (MySQLError, OSError) as error:
        if error.args[:1] == (_NO_SUCH_TABLE,):
            return None
        raise wire.failure(error, reader.settings) from error


def _statements(reader: Server, definitions: Sequence[_Definition]) -> Iterator[tuple[str, str]]:
    """(database, statement) of everything that describes the server, in Debezium's order."""
    yield "", reader.charset_statement()
    for table, _ in definitions:
        yield table.database, f"DROP TABLE IF EXISTS {quoted(*table)}"
    locales = reader.locales()
    by_database: dict[str, list[str]] = {}
    for table, ddl in definitions:
        by_database.setdefault(table.database, []).append(ddl)
    for database, texts in by_database.items():
        yield database, f"DROP DATABASE IF EXISTS {quoted(database)}"
        default = locales.get(database)
        yield database, f"CREATE DATABASE {quoted(database)}{default.ddl() if default is not None else ''}"
        yield database, f"USE {quoted(database)}"
        for ddl in texts:
            yield database, ddl
