"""Packets of the binary log -> Polls of change events in commit order, each with the position to restart from.

Source: Debezium 3.5.0.Final, `BinlogStreamingChangeEventSource`, `BinlogOffsetContext`, and its recorded events.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from zlib import crc32

import structlog

from cdc.changes import SourceRun, Sources
from cdc.envelope import Blocks
from cdc.errors import DecodeError, SourceError
from cdc.heartbeat import Heartbeat
from cdc.mysql import binlog, mariadb_events, schema_change, transaction
from cdc.mysql.binlog import (
    FormatDescription,
    Gtid,
    Kind,
    PreviousGtids,
    Query,
    Rotate,
    RowsQuery,
    TableMap,
    TransactionPayload,
)
from cdc.mysql.domain_gtids import origin
from cdc.mysql.failures import DamagedEvent
from cdc.mysql.flavor import MARIADB, MYSQL, Flavor
from cdc.mysql.log_tables import Captured, Choose, LogTable, LogTables, Shape
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.mysql.resumed import Begun, Resumed
from cdc.mysql.schema_change import SchemaChange
from cdc.mysql.source_info import SourceInfo
from cdc.mysql.type_family import TypeOptions
from cdc.record import Batch, Headers, Poll, SourceOffset
from cdc.source_block import VERSION
from cdc.table import Column, Predicate, Table, TableId
from cdc.transactions import Transactions

_log = structlog.get_logger(__name__)
_MAX_BYTES: Final = 16 << 20
"""Of rows events in one Poll, however few their rows."""
_LETTERS: Final = {Kind.WRITE: "c", Kind.UPDATE: "u", Kind.DELETE: "d", Kind.PARTIAL_UPDATE: "u"}
_OPERATIONS: Final = {number: _LETTERS[kind] for number, kind in binlog.ROWS.items()}
_HEARTBEATS: Final = (binlog.HEARTBEAT, binlog.HEARTBEAT_V2)
_unpack_header: Final = binlog.HEADER.unpack_from
_PATIENCE_SECONDS: Final = 0.1
"""How long the log waits for a chunk of an incremental snapshot when it has nothing to say itself."""
_ROW: Final = SourceInfo._fields.index("row")
_DML: Final = ("INSERT ", "UPDATE ", "DELETE ", "REPLACE ")


class Statements(Protocol):
    """What the reader needs of the schema history; see `cdc.mysql.history`."""

    @property
    def tables(self) -> Mapping[TableId, Table]: ...

    @property
    def doubts(self) -> Mapping[TableId, SourceError]: ...

    def apply(
        self, sql: str, database: str | None, position: Mapping[str, Any], ts_ms: int, sql_mode: int = 0
    ) -> list[SchemaChange]: ...


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """What the config says of streaming.

    Attributes:
        prefix: `topic.prefix`.
        headers: the context headers every record carries.
        skipped: `skipped.operations`, letters of c, u, d, t.
        schema_changes: `include.schema.changes`.
        include_query: `include.query`.
        inconsistent: `inconsistent.schema.handling.mode`.
        learn: records a table that the history lacks at an offset, as it is chosen; False when none is.
        undecodable: `event.processing.failure.handling.mode`: what becomes of rows events that cannot be decoded.
        origin: the filter of `gtid.source.includes` and `.excludes`, asked with a server UUID (MariaDB:
            `domain-server`); None: all.
        filter_dml: `gtid.source.filter.dml.events`.
        ignore_gtids: `gtid.ignore.on.recovery`: restart by file and position.
        heartbeat: None sends none.
        transactions: writes transaction metadata; None writes none.
        ignored: `schema.history.internal.ddl.filter`: statements to pass over; None: none more than usual.
        refill: fills in what changed rows lack (`post.processors`); None: nothing does.
        max_rows: a Poll ends with the event that reaches so many rows.
    """

    prefix: str
    types: TypeOptions
    headers: Headers = ()
    skipped: frozenset[str] = frozenset("t")
    schema_changes: bool = True
    include_query: bool = False
    inconsistent: str = "fail"
    undecodable: str = "fail"
    learn: Callable[[TableId, Mapping[str, Any], Choose], bool] = lambda id, offset, choose: False
    origin: Callable[[str], bool] | None = None
    filter_dml: bool = True
    ignore_gtids: bool = False
    heartbeat: Heartbeat | None = None
    transactions: Transactions | None = None
    ignored: Predicate | None = None
    refill: Callable[[Shape, str, Sequence[Any]], list[Any]] | None = None
    max_rows: int = 4096
    flavor: Flavor = MYSQL


class Watch(Protocol):
    """Signals and incremental snapshots; see `cdc.mysql.watch`."""

    place: Any
    redefined: bool
    tables: frozenset[TableId]
    signals: frozenset[TableId]

    @property
    def blocking(self) -> object: ...

    @property
    def busy(self) -> bool: ...

    def start(self, *, has_marks: bool = True) -> None: ...

    def signal(self, columns: Sequence[Column], operation: str, row: Any) -> list[Batch]: ...

    def changed(self, columns: Sequence[Column], images: Iterable[Any], *, pairs: bool) -> None: ...

    def advance(self, patience: float) -> bool: ...

    def take(self) -> list[Batch]: ...

    def taken(self) -> bool: ...

    def offset(self) -> Mapping[str, Any]: ...


class Reader:
    """The state of one pass through the log: where it stands, what transaction is open, what waits to be sent.

    Clock readings are nanoseconds since 1970.
    """

    __slots__ = (
        "_alone",
        "_batches",
        "_bytes",
        "_captured",
        "_checksum",
        "_count",
        "_done_gtids",
        "_end",
        "_event",
        "_file",
        "_full",
        "_gtid",
        "_gtid_at",
        "_handlers",
        "_has_gtids",
        "_history",
        "_in_transaction",
        "_last_offset",
        "_micros",
        "_now",
        "_options",
        "_partition",
        "_query",
        "_restart",
        "_resume",
        "_resumed",
        "_row",
        "_rows",
        "_sent",
        "_server",
        "_server_id",
        "_signal_thread",
        "_sources",
        "_start",
        "_tables",
        "_thread",
        "_told",
        "_transactions",
        "_ts_sec",
        "_unwanted",
        "_waiting",
        "_watch",
    )  # fmt: skip

    def __init__(
        self,
        options: ReaderOptions,
        history: Statements,
        captured: Captured,
        start: Position,
        *,
        gtids: Gtids | None,
        has_gtids: bool,
        checksum: bool,
        server: str | None = None,
        gtid: bytes | None = None,
        now: Callable[[], int] = time.time_ns,
        watch: Watch | None = None,
    ) -> None:
        """`gtids` are the transactions done before the first that comes, None when that is not known.

        `has_gtids` says that the server runs with gtid_mode=ON: its GTID events then give the time of a change.
        `server` is its UUID; `gtid` is the GTID event of the transaction that `start` stands in, where it is not sent.
        """
        self._options, self._history, self._captured, self._now = options, history, captured, now
        self._tables = LogTables(
            history.tables, captured, options.types, inconsistent=options.inconsistent,
            learn=lambda id, choose: options.learn(id, self.position().to_offset(), choose), doubts=history.doubts,
            flavor=options.flavor,
        )  # fmt: skip
        self._partition = {"server": options.prefix}
        self._server = server
        self._checksum, self._has_gtids = binlog.CHECKSUM_SIZE if checksum else 0, has_gtids
        self._done_gtids = None if gtids is None else gtids.tally()
        # A restart in the middle of a transaction: what of it was sent, until that was passed over.
        self._resume: Resumed | None = Resumed(start) if start.event or start.row else None
        # The same while that transaction is open; and the rows sent of any that is, None when that is not known.
        self._resumed: Resumed | None = None
        self._sent: int | None = 0
        self._file, self._start, self._end = start.file, start.pos, start.pos
        self._restart = (start.file, start.pos)
        self._server_id, self._ts_sec = start.server_id, start.ts_sec
        self._in_transaction, self._event, self._alone = False, 0, False
        self._gtid: str | None = None
        self._gtid_at = 0
        self._micros: int | None = None
        self._unwanted = False
        self._transactions = options.transactions
        self._thread: int | None = None
        self._query: str | None = None
        self._row = 0
        self._batches: list[Batch] = []
        self._waiting: tuple[Shape, str] | None = None
        self._rows: list[Any] = []
        self._sources: list[SourceRun] = []
        self._count, self._bytes, self._full = 0, 0, False
        self._last_offset: dict[str, Any] | None = None
        self._told: set[tuple[str, str | None]] = set()
        self._handlers: dict[int, Callable[[bytes, int], None]] = {
            binlog.QUERY: self._on_query, binlog.ROTATE: self._on_rotate, binlog.XID: self._on_commit,
            binlog.FORMAT_DESCRIPTION: self._on_format, binlog.TABLE_MAP: self._on_table_map,
            binlog.INCIDENT: self._on_incident, binlog.HEARTBEAT: self._on_heartbeat,
            binlog.HEARTBEAT_V2: self._on_heartbeat, binlog.GTID: self._on_gtid, binlog.ANONYMOUS_GTID: self._on_gtid,
            binlog.GTID_TAGGED: self._on_gtid, binlog.PREVIOUS_GTIDS: self._on_previous_gtids,
            binlog.XA_PREPARE: self._on_commit, mariadb_events.GTID: self._on_domain_gtid,
            mariadb_events.GTID_LIST: self._on_gtid_list, **dict.fromkeys(binlog.ROWS, self._on_rows),
        }  # fmt: skip
        self._watch = watch
        self._signal_thread: int | None = None
        if watch is not None:
            watch.place.position, watch.place.source, watch.place.done = self.position, self._beside, self.gtids
        if gtid is not None:
            self._on_gtid(gtid, _unpack_header(gtid)[0])
        if options.transactions is not None:
            self._handlers[binlog.XID] = self._on_xid
        if options.include_query:
            self._handlers[binlog.ROWS_QUERY] = self._on_rows_query
            self._handlers[mariadb_events.ANNOTATE_ROWS] = self._on_annotation

    # From packets to Polls

    def polls(self, packets: Iterable[Sequence[bytes]], more: Callable[[], bool] = lambda: False) -> Iterator[Poll]:
        """One Poll or more for each list of events; a list may be empty.

        Args:
            more: whether further events wait at this moment.
        Raises: DecodeError, SourceError, and what `packets` raises.
        """
        for events in packets:
            yield from self._filled(events)
            if self._watch is not None:
                yield from self._watched(self._watch, more)
            yield self._poll(idle=not more())
            if self._stops():
                return

    def _watched(self, watch: Watch, more: Callable[[], bool]) -> Iterator[Poll]:
        """Reads chunks of an incremental snapshot while the log has nothing to say, and a step when it has."""
        while watch.blocking is None:
            quiet = not more()
            advanced = watch.advance(_PATIENCE_SECONDS if quiet else 0)
            self._renew(watch)
            if advanced:
                yield self._poll(idle=False)
            if not quiet or not watch.busy:
                return

    def _stops(self) -> bool:
        """A blocking snapshot was asked for."""
        return self._watch is not None and self._watch.blocking is not None

    def _renew(self, watch: Watch) -> None:
        if watch.redefined:
            watch.redefined = False
            self._tables.changed()

    def _filled(self, events: Iterable[bytes]) -> Iterator[Poll]:
        """The Polls that are full before the events end."""
        for event in events:
            if not self._take(event):
                yield from self._filled(self._unpacked(event))
                if self._stops():
                    return
            if self._full:
                yield self._poll(idle=False)
                if self._stops():
                    return

    def _unpacked(self, event: bytes) -> Iterator[bytes]:
        """The events in a compressed transaction, which have no checksum of their own."""
        checksum, self._checksum = self._checksum, 0  # of the whole; it was checked
        payload = self._decode(event)
        yield from payload.events() if isinstance(payload, TransactionPayload) else ()
        self._checksum = checksum

    def _take(self, event: bytes) -> bool:
        """False when the event is nothing by itself: a compressed transaction, whose events are to be taken."""
        try:
            timestamp, kind, server_id, size, end, _ = _unpack_header(event)
        except struct.error:
            size = -1
        if size != len(event):
            raise DamagedEvent(f"{self._file}:{self._end}: {binlog.wrong_size(event)}", crc32(event))
        if self._checksum and kind != binlog.FORMAT_DESCRIPTION:
            found = binlog.checksum_of(event) if kind == binlog.TRANSACTION_PAYLOAD else crc32(event)
            if found != binlog.INTACT:
                raise DamagedEvent(f"the binary log event at {self._file}:{self._end} has a wrong checksum", found)
        self._server_id = server_id
        if end:
            self._start, self._end = end - size, end
        if kind == binlog.TRANSACTION_PAYLOAD:
            return False
        if kind in mariadb_events.COMPRESSED:
            event = self._uncompressed(event)
            kind = event[4]
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(event, timestamp)
        if self._in_transaction:
            if kind not in _HEARTBEATS:
                self._event += 1
            if self._resumed is not None and self._event > self._resumed.event and not self._resumed.by_rows:
                self._resume = self._resumed = None
        else:
            self._restart = (self._file, self._end)
        if not self._has_gtids and timestamp:
            self._micros = timestamp * 1_000_000
        return True

    def _poll(self, *, idle: bool) -> Poll:
        self._flush()
        if self._transactions is not None:
            self._batches += self._transactions.take()
        if self._options.heartbeat is not None:
            beat = self._options.heartbeat.beat(self._now())
            if beat is not None:
                self._batches.append(beat)
        offset = self.position().to_offset()
        moved = False
        if self._watch is not None:
            self._batches += self._watch.take()
            offset |= self._watch.offset()
            moved = self._watch.taken()
        moved = moved or bool(self._batches) or offset != self._last_offset
        if self._stops():
            moved = False  # the signal is read again when its snapshot is cut short
        self._last_offset = offset
        poll = Poll(self._batches, [SourceOffset(self._partition, offset)] if moved else (), idle)
        self._batches, self._count, self._bytes, self._full = [], 0, 0, False
        return poll

    def rest(self) -> Poll:
        """What was read before an error."""
        return self._poll(idle=False)

    def gtids(self) -> Gtids | None:
        """What a server need not send to a reader that goes on from `position`."""
        return None if self._done_gtids is None else self._done_gtids.done()

    def position(self) -> Position:
        """From where a restart sends exactly what does not stand in the Polls until now."""
        if self._resume is not None:
            position = self._resume.position
            return replace(position, gtids=self._gtids_done() or position.gtids)
        if not self._in_transaction:
            return self._position(0)
        return replace(self._position(self._event), server=self._server, gtid=self._gtid, rows=self._sent)

    def _position(self, event: int) -> Position:
        file, pos = self._restart
        return Position(
            file=file, pos=pos, event=event, gtids=self._gtids_done(), server_id=self._server_id, ts_sec=self._ts_sec,
            transaction={} if self._transactions is None else self._transactions.offset,
        )  # fmt: skip

    def _gtids_done(self) -> str | None:
        done = self.gtids()
        return None if done is None else str(done) or None

    def _uncompressed(self, event: bytes) -> bytes:
        try:
            return mariadb_events.uncompressed(event, checksum=self._checksum > 0)
        except DecodeError as error:
            raise DecodeError(f"{self._where()}: {error}") from error

    def _where(self) -> str:
        return f"{self._file}:{self._start}"

    # Where the log stands

    def _decode(self, event: bytes) -> binlog.Event:
        try:
            return binlog.decode(event, checksum=self._checksum > 0)[1]
        except DecodeError as error:
            raise DecodeError(f"{self._file}: {error}") from error

    def _on_rotate(self, event: bytes, timestamp: int) -> None:
        rotate = self._decode(event)
        if isinstance(rotate, Rotate):
            self._tables.rotated()
            self._file, self._start, self._end = rotate.file, rotate.position, rotate.position
            self._in_transaction = False

    def _on_format(self, event: bytes, timestamp: int) -> None:
        described = self._decode(event)
        if isinstance(described, FormatDescription):
            # It ends in a checksum of its own; one without any, sent from the middle of a file, in a stale one.
            with_checksum = event[: -binlog.CHECKSUM_SIZE - 1] + b"\1" + event[-binlog.CHECKSUM_SIZE :]
            if described.checksum is not (crc32(with_checksum) == binlog.INTACT):
                raise DamagedEvent(f"the description of {self._file} has a wrong checksum", crc32(event))
            self._checksum = binlog.CHECKSUM_SIZE if described.checksum else 0

    def _on_heartbeat(self, event: bytes, timestamp: int) -> None:
        beat = self._decode(event)
        if isinstance(beat, binlog.Heartbeat) and beat.position:
            self._end = beat.position

    def _on_incident(self, event: bytes, timestamp: int) -> None:
        _log.warning("the server logged an incident: changes may be missing from its binary log", at=self._where())

    def _on_previous_gtids(self, event: bytes, timestamp: int) -> None:
        """Tells what is done when the offset did not: this stands first in each file."""
        previous = self._decode(event)
        if self._done_gtids is None and self._has_gtids and isinstance(previous, PreviousGtids):
            self._done_gtids = GtidSet.parse(previous.gtids).tally()

    # Transactions

    def _on_gtid(self, event: bytes, timestamp: int) -> None:
        self._gtid_at = self._start
        if not self._has_gtids:
            return
        usual = transaction.gtid(event)
        if usual is not None:
            self._gtid, micros = usual
        else:
            begun = self._decode(event)
            if not isinstance(begun, Gtid):
                return
            self._gtid, micros = begun.gtid, begun.original_commit_timestamp
        self._micros = micros or timestamp * 1_000_000
        origin = self._options.origin
        if origin is not None and self._options.filter_dml:
            self._unwanted = self._gtid is not None and not origin(self._gtid.partition(":")[0])

    def _on_gtid_list(self, event: bytes, timestamp: int) -> None:
        """MariaDB's way to tell what is done when the offset did not."""
        if self._done_gtids is None and self._options.flavor is MARIADB:
            self._done_gtids = mariadb_events.gtid_list(event, len(event) - self._checksum).tally()

    def _on_domain_gtid(self, event: bytes, timestamp: int) -> None:
        """MariaDB's transactions begin with this, and there is no BEGIN."""
        begun, self._gtid_at = mariadb_events.gtid(event), self._start
        if self._options.flavor is MARIADB:  # as Debezium's MySQL connector has it, which reads MariaDB by position
            self._gtid = f"{begun.domain}-{self._server_id}-{begun.number}"
        self._begin(None, timestamp)
        self._alone = begun.alone
        if self._transactions is not None:
            self._note_begin(self._transactions)
        wanted = self._options.origin
        if wanted is not None and self._options.filter_dml:
            self._unwanted = not wanted(origin(begun.domain, self._server_id))

    def _begin(self, thread: int | None, timestamp: int) -> None:
        self._restart = (self._file, self._start)
        self._in_transaction, self._event, self._thread, self._sent = True, 0, thread, 0
        if self._resume is not None:
            self._resumes(self._resume)
        if self._micros is None:
            self._micros = timestamp * 1_000_000

    def _resumes(self, cut: Resumed) -> None:
        """A transaction begins while one that was cut in two is awaited."""
        begun = cut.begun(self._server, self._file, range(self._gtid_at, self._start + 1), self._gtid)
        if begun is Begun.SAME:
            self._resumed, self._sent = cut, cut.sent
        if begun is Begun.UNKNOWN:
            _log.warning("the stored offset stands in the middle of a transaction of another server and does not say "
                         "how many rows were sent: the transaction is sent again", at=self._where())  # fmt: skip
            if self._transactions is not None:
                self._transactions.forget()
        if begun is Begun.UNKNOWN or cut.is_over:
            self._resume = self._resumed = None

    def _passed(self, resumed: Resumed, rows: int) -> int:
        """How many of the next rows were sent before."""
        first = resumed.skipped(rows)
        if resumed.is_over:
            self._resume = self._resumed = None
        return first

    def _note_begin(self, transactions: Transactions) -> None:
        self._flush()
        transactions.begin(self._gtid or f"file={self._file},pos={self._start}", (self._micros or 0) // 1000)
        self._count_one()

    def _on_xid(self, event: bytes, timestamp: int) -> None:
        if self._transactions is not None:
            self._flush()
            self._transactions.end((self._micros or 0) // 1000)
            self._count_one()
        self._on_commit(event, timestamp)

    def _on_commit(self, event: bytes, timestamp: int) -> None:
        self._in_transaction, self._event, self._thread, self._query = False, 0, None, None
        self._unwanted = self._alone = False
        if self._resumed is not None:
            self._resume = self._resumed = None
        if self._done_gtids is not None and self._gtid is not None:
            self._done_gtids.add(self._gtid)

    def _on_query(self, event: bytes, timestamp: int) -> None:
        thread = transaction.begin(event, len(event) - self._checksum)
        if thread is not None:
            self._begin(thread, timestamp)
            if self._transactions is not None:
                self._note_begin(self._transactions)
            return
        query = self._decode(event)
        if not isinstance(query, Query):
            return
        sql = query.sql.strip()
        start = sql[:9].upper()
        if start == "BEGIN":
            self._begin(query.thread_id, timestamp)
            if self._transactions is not None:
                self._note_begin(self._transactions)
        elif start.startswith("XA START"):
            if self._in_transaction:  # MariaDB's has begun with its GTID
                return
            # Debezium names no thread of an XA transaction, and sends its rows when it is prepared.
            self._begin(None, timestamp)
        elif start == "COMMIT":
            self._on_xid(event, timestamp)
        elif start == "ROLLBACK":
            if self._transactions is not None:
                self._flush()
                self._transactions.drop()
            self._on_commit(event, timestamp)
        elif start.startswith(_DML):
            self._tell_lost(query.database)
        elif start == "XA ROLLBA":
            _log.warning("an XA transaction was rolled back after it was prepared: its rows were sent; compare its "
                         "tables with their topics", statement=sql, at=self._where())  # fmt: skip
        elif not start.startswith("XA ") and not self._is_ignored(sql):
            self._statement(query, sql, timestamp)
        if (self._alone or not self._in_transaction) and start not in ("COMMIT", "ROLLBACK"):
            self._on_commit(event, timestamp)

    def _is_ignored(self, sql: str) -> bool:
        ignored = self._options.ignored
        return ignored is not None and sql[:8].upper() != "TRUNCATE" and ignored(sql)

    # Statements

    def _tell_lost(self, database: str | None) -> None:
        """Once for a database in each file of the log. As Debezium has it, reading goes on."""
        place = (self._file, database)
        if place in self._told or (database and not self._captured.database(database)):
            return
        self._told.add(place)
        _log.warning(
            "changes were logged as statements, not as rows, and are lost: run: "
            f"{self._options.flavor.keeping('binlog_format', 'ROW')}; "
            "reconnect all clients; then reset the connector's offsets, so that a new snapshot reads what is missing",
            at=self._where(), **({"database": database} if database else {}),
        )  # fmt: skip

    def _statement(self, query: Query, sql: str, timestamp: int) -> None:
        """DDL: the history first, then the records of the schema-change topic."""
        resumed = self._resumed
        if resumed is not None and not resumed.by_rows and self._event < resumed.event:
            return
        if self._in_transaction and sql[:6].upper() == "CREATE":  # CREATE TABLE ... SELECT counts as a row
            if self._sent is not None:
                self._sent += 1
            if resumed is not None and self._passed(resumed, 1):
                return
        self._flush()
        if self._micros is None:
            self._micros = timestamp * 1_000_000
        micros = self._micros // 1000 * 1000
        self._ts_sec = micros // 1_000_000
        if not self._in_transaction:
            self._restart = (self._file, self._end)
        position = self._position(self._event if self._in_transaction else 0).to_offset()
        changes = self._history.apply(sql, query.database, position, self._now() // 1_000_000, query.sql_mode)
        if changes:
            self._tables.changed()
        emitted: list[tuple[SchemaChange, SourceInfo]] = []
        for change in changes:
            if change.kind is schema_change.Kind.TRUNCATE:
                self._truncate(change, micros)
            else:
                emitted.append((change, self._source(micros, change.database, change.source_table)))
        if emitted and self._options.schema_changes:
            self._add([schema_change.batch(emitted, self._options.prefix, self._options.headers)])

    def _truncate(self, change: SchemaChange, micros: int) -> None:
        for id in change.tables:
            table = self._history.tables.get(id)
            if "t" not in self._options.skipped and table is not None and self._captured.table(id):
                source = self._source(micros, id.database, id.name)
                self._add(self._captured.shape(table).envelope.truncates([source], self._now(), self._blocks))

    @property
    def _blocks(self) -> Blocks | None:
        return None if self._transactions is None else self._transactions.blocks

    def _add(self, batches: Sequence[Batch]) -> None:
        if self._transactions is not None:
            self._batches += self._transactions.take()
        self._batches += batches
        self._count += sum(map(len, batches))
        self._full = self._count >= self._options.max_rows

    def _count_one(self) -> None:
        self._count += 1
        self._full = self._count >= self._options.max_rows

    def _source(self, micros: int, database: str, table: str | None) -> SourceInfo:
        head = self._source_head(micros, database, table)
        return SourceInfo._make((*head, self._row, self._thread, self._query))

    def _beside(self, micros: int, database: str, table: str | None) -> SourceInfo:
        """The source of what is sent beside the log; between transactions the thread is that of the last signal."""
        source = self._source(micros, database, table)
        return source if source.thread is not None else source._replace(thread=self._signal_thread)

    def _source_head(self, micros: int, database: str, table: str | None) -> tuple[Any, ...]:
        """A `source` block up to `row`, which alone changes from row to row."""
        options = self._options
        return (
            VERSION, options.flavor.name, options.prefix, micros // 1000, None, database, None, micros, micros * 1000,
            table, self._server_id, self._gtid, self._file, self._start,
        )  # fmt: skip

    # Rows

    def _on_table_map(self, event: bytes, timestamp: int) -> None:
        body = event[binlog.HEADER_SIZE : len(event) - self._checksum]
        if not self._tables.seen(body):
            table_map = self._decode(event)
            if isinstance(table_map, TableMap):
                self._tables.add(body, table_map, self._where())

    def _on_rows_query(self, event: bytes, timestamp: int) -> None:
        query = self._decode(event)
        if isinstance(query, RowsQuery):
            self._query = query.sql

    def _on_annotation(self, event: bytes, timestamp: int) -> None:
        self._query = mariadb_events.annotation(event, len(event) - self._checksum)

    def _on_rows(self, event: bytes, timestamp: int) -> None:
        resumed, first = self._resumed, 0
        if resumed is not None and not resumed.by_rows and self._event < resumed.event:
            return
        operation, table = _OPERATIONS[event[4]], self._tables.of(event)
        if table is None or self._unwanted:
            return
        watch = self._watch
        if watch is not None and not (watch.tables and table.id in watch.tables):
            watch = None
        if operation in self._options.skipped and (watch is None or table.id not in watch.signals):
            return
        try:
            images = table.decode(event, len(event) - self._checksum)
        except (DecodeError, SourceError) as error:
            if self._options.undecodable == "fail" or isinstance(error, SourceError):
                raise type(error)(f"{self._where()}: {error}") from error
            self._passed_over(error)
            return
        operation, images = table.current(operation, images)
        self._bytes += len(event)
        if self._sent is not None:
            self._sent += len(images)
        if resumed is not None:
            first = self._passed(resumed, len(images))
        if watch is not None:
            self._show(watch, table, operation, images, first)
        elif len(images) > first:
            self._send(table, operation, images[first:] if first else images, first)

    def _show(self, watch: Watch, table: LogTable, operation: str, images: list[Any], first: int) -> None:
        """Rows that the watch has to see: those of a signal table one by one, for what they ask for goes out first."""
        columns = table.shape.columns
        if table.id in watch.signals:
            for number in range(first, len(images)):
                self._flush()
                self._row, self._signal_thread = number, self._thread
                self._add(watch.signal(columns, operation, images[number]))
                self._renew(watch)
                if operation not in self._options.skipped:
                    self._send(table, operation, [images[number]], number)
            self._full = True
        else:
            watch.changed(columns, images, pairs=operation == "u")
            self._send(table, operation, images[first:] if first else images, first)

    def _passed_over(self, error: DecodeError) -> None:
        """Rows that are lost because `event.processing.failure.handling.mode` says so."""
        if self._options.undecodable == "warn":
            _log.warning("a rows event cannot be decoded and is passed over", at=self._where(), reason=str(error))

    def _send(self, table: LogTable, operation: str, images: list[Any], first: int) -> None:
        """Adds rows, of which the first is number `first` of its event, to those that wait."""
        waiting = (table.shape, operation)
        if waiting != self._waiting:
            self._flush()
            self._waiting = waiting
        micros, count = self._micros or 0, len(images)
        head = self._source_head(micros, table.id.database, table.id.name)
        moving = ((_ROW, range(first, first + count)),) if count > 1 else ()
        self._sources.append(SourceRun((*head, first, self._thread, self._query), count, moving))
        self._rows += images
        self._count += count
        self._full = self._count >= self._options.max_rows or self._bytes >= _MAX_BYTES
        self._row, self._ts_sec = first + count - 1, micros // 1_000_000

    def _flush(self) -> None:
        """Turns the rows that wait into batches: neighbours of one table and one operation together."""
        if self._waiting is None:
            return
        (shape, operation), rows, sources = self._waiting, self._rows, self._sources
        self._waiting, self._rows, self._sources = None, [], []
        if rows:
            envelope = shape.envelope
            if self._options.refill is not None and operation != "d":
                rows = self._options.refill(shape, operation, rows)
            make = {"c": envelope.creates, "u": envelope.updates, "d": envelope.deletes}[operation]
            if self._transactions is not None:
                self._batches += self._transactions.take()
            self._batches += make(rows, Sources(sources), self._now(), self._blocks)
