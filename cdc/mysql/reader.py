"""Packets of the binary log -> Polls of change events in commit order, each with the position to restart from.

Source: Debezium 3.5.0.Final, `BinlogStreamingChangeEventSource`, `BinlogOffsetContext`, and its recorded events.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final
from zlib import crc32

import structlog

from cdc.errors import DecodeError, SourceError
from cdc.mysql import binlog, mariadb_events, schema_change, transaction
from cdc.mysql.binlog import (
    FormatDescription,
    Gtid,
    PreviousGtids,
    Query,
    Rotate,
    RowsQuery,
    TableMap,
    TransactionPayload,
)
from cdc.mysql.domain_gtids import origin
from cdc.mysql.failures import DamagedEvent
from cdc.mysql.flavor import MARIADB
from cdc.mysql.log_place import LogPlace
from cdc.mysql.log_tables import Captured, LogTable, LogTables
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.mysql.plain_transactions import PlainTransactions
from cdc.mysql.reader_options import OPERATIONS, ReaderOptions, Statements
from cdc.mysql.schema_change import SchemaChange
from cdc.mysql.source_info import SourceInfo
from cdc.mysql.unsent import Unsent
from cdc.record import Poll, SourceOffset
from cdc.source_block import VERSION
from cdc.transactions import Transactions
from cdc.watch import Watch

_log = structlog.get_logger(__name__)
_HEARTBEATS: Final = (binlog.HEARTBEAT, binlog.HEARTBEAT_V2)
_unpack_header: Final = binlog.HEADER.unpack_from
_PATIENCE_SECONDS: Final = 0.1
"""How long the log waits for a chunk of an incremental snapshot when it has nothing to say itself."""
_DML: Final = ("INSERT ", "UPDATE ", "DELETE ", "REPLACE ")


class Reader:
    """The state of one pass through the log: where it stands, what transaction is open, what waits to be sent.

    Clock readings are nanoseconds since 1970.
    """

    __slots__ = (
        "_alone", "_captured", "_checksum", "_handlers", "_has_gtids", "_history", "_last_offset", "_micros",
        "_now", "_options", "_partition", "_plain", "_query", "_row", "_signal_thread", "_tables", "_thread", "_told",
        "_transactions", "_unsent", "_unwanted", "_watch", "at",
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
            learn=lambda id, choose: options.learn(id, self.at.position().to_offset(), choose), doubts=history.doubts,
            flavor=options.flavor,
        )  # fmt: skip
        self._partition = {"server": options.prefix}
        self._checksum, self._has_gtids = binlog.CHECKSUM_SIZE if checksum else 0, has_gtids
        self.at = LogPlace(start, gtids, server, options.transactions)
        self._alone = False
        self._micros: int | None = None
        self._unwanted = False
        self._transactions = options.transactions
        self._thread: int | None = None
        self._query: str | None = None
        self._row = 0
        self._unsent = Unsent(options, now)
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
        self._plain: PlainTransactions | None = None
        told = options.transactions is not None or options.include_query or options.origin is not None
        if options.twin is not None and has_gtids and not told:
            self._plain = PlainTransactions(options.twin, options, self.at, self._tables, self._unsent, watch)
        if watch is not None:
            watch.place.position, watch.place.source, watch.place.done = self.at.position, self._beside, self.at.gtids
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
        if self._plain is not None and isinstance(events, list):
            events = self._others(self._plain, events)
        for event in events:
            if not self._take(event):
                yield from self._filled(self._unpacked(event))
                if self._stops():
                    return
            if self._unsent.full:
                yield self._poll(idle=False)
                if self._stops():
                    return

    def _others(self, plain: PlainTransactions, events: list[bytes]) -> Iterator[bytes]:
        """The events that stand in no plain transaction; those are taken here."""
        at = 0
        while at < len(events):
            plain.row = self._row
            if taken := plain.take(events, at, checksum=self._checksum > 0):
                at += taken
                self._micros, self._row = plain.micros, plain.row
            else:
                yield events[at]
                at += 1

    def _unpacked(self, event: bytes) -> Iterator[bytes]:
        """The events in a compressed transaction, which have no checksum of their own."""
        checksum, self._checksum = self._checksum, 0  # of the whole; it was checked
        payload = self._decode(event)
        yield from payload.events() if isinstance(payload, TransactionPayload) else ()
        self._checksum = checksum

    def _take(self, event: bytes) -> bool:
        """False when the event is nothing by itself: a compressed transaction, whose events are to be taken."""
        at = self.at
        try:
            timestamp, kind, server_id, size, end, _ = _unpack_header(event)
        except struct.error:
            size = -1
        if size != len(event):
            raise DamagedEvent(f"{at.file}:{at.end}: {binlog.wrong_size(event)}", crc32(event))
        if self._checksum and kind != binlog.FORMAT_DESCRIPTION:
            found = binlog.checksum_of(event) if kind == binlog.TRANSACTION_PAYLOAD else crc32(event)
            if found != binlog.INTACT:
                raise DamagedEvent(f"the binary log event at {at.file}:{at.end} has a wrong checksum", found)
        at.server_id = server_id
        if end:
            at.start, at.end = end - size, end
        if kind == binlog.TRANSACTION_PAYLOAD:
            return False
        if kind in mariadb_events.COMPRESSED:
            event = self._uncompressed(event)
            kind = event[4]
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(event, timestamp)
        if at.in_transaction:
            if kind not in _HEARTBEATS:
                at.event += 1
            resumed = at.resumed
            if resumed is not None and at.event > resumed.event and not resumed.by_rows:
                at.resume = at.resumed = None
        else:
            at.restart = (at.file, at.end)
        if not self._has_gtids and timestamp:
            self._micros = timestamp * 1_000_000
        return True

    def _poll(self, *, idle: bool) -> Poll:
        batches = self._unsent.ended()
        if self._options.heartbeat is not None:
            beat = self._options.heartbeat.beat(self._now())
            if beat is not None:
                batches.append(beat)
        offset = self.at.position().to_offset()
        moved = False
        if self._watch is not None:
            batches += self._watch.take()
            offset |= self._watch.offset()
            moved = self._watch.taken()
        moved = moved or bool(batches) or offset != self._last_offset
        if self._stops():
            moved = False  # the signal is read again when its snapshot is cut short
        self._last_offset = offset
        self._unsent.forget()
        return Poll(batches, [SourceOffset(self._partition, offset)] if moved else (), idle)

    def rest(self) -> Poll:
        """What was read before an error."""
        return self._poll(idle=False)

    def _uncompressed(self, event: bytes) -> bytes:
        try:
            return mariadb_events.uncompressed(event, checksum=self._checksum > 0)
        except DecodeError as error:
            raise DecodeError(f"{self.at}: {error}") from error

    # Where the log stands

    def _decode(self, event: bytes) -> binlog.Event:
        try:
            return binlog.decode(event, checksum=self._checksum > 0)[1]
        except DecodeError as error:
            raise DecodeError(f"{self.at.file}: {error}") from error

    def _on_rotate(self, event: bytes, timestamp: int) -> None:
        rotate = self._decode(event)
        if isinstance(rotate, Rotate):
            self._tables.rotated()
            self.at.rotate(rotate.file, rotate.position)

    def _on_format(self, event: bytes, timestamp: int) -> None:
        described = self._decode(event)
        if isinstance(described, FormatDescription):
            # It ends in a checksum of its own; one without any, sent from the middle of a file, in a stale one.
            with_checksum = event[: -binlog.CHECKSUM_SIZE - 1] + b"\1" + event[-binlog.CHECKSUM_SIZE :]
            if described.checksum is not (crc32(with_checksum) == binlog.INTACT):
                raise DamagedEvent(f"the description of {self.at.file} has a wrong checksum", crc32(event))
            self._checksum = binlog.CHECKSUM_SIZE if described.checksum else 0

    def _on_heartbeat(self, event: bytes, timestamp: int) -> None:
        beat = self._decode(event)
        if isinstance(beat, binlog.Heartbeat) and beat.position:
            self.at.end = beat.position

    def _on_incident(self, event: bytes, timestamp: int) -> None:
        _log.warning("the server logged an incident: changes may be missing from its binary log", at=str(self.at))

    def _on_previous_gtids(self, event: bytes, timestamp: int) -> None:
        """Tells what is done when the offset did not: this stands first in each file."""
        previous = self._decode(event)
        if self.at.done is None and self._has_gtids and isinstance(previous, PreviousGtids):
            self.at.done = GtidSet.parse(previous.gtids).tally()

    # Transactions

    def _on_gtid(self, event: bytes, timestamp: int) -> None:
        self.at.gtid_at = self.at.start
        if not self._has_gtids:
            return
        usual = transaction.gtid(event)
        if usual is not None:
            self.at.gtid, micros = usual
        else:
            begun = self._decode(event)
            if not isinstance(begun, Gtid):
                return
            self.at.gtid, micros = begun.gtid, begun.original_commit_timestamp
        self._micros = micros or timestamp * 1_000_000
        origin = self._options.origin
        if origin is not None and self._options.filter_dml:
            self._unwanted = self.at.gtid is not None and not origin(self.at.gtid.partition(":")[0])

    def _on_gtid_list(self, event: bytes, timestamp: int) -> None:
        """MariaDB's way to tell what is done when the offset did not."""
        if self.at.done is None and self._options.flavor is MARIADB:
            self.at.done = mariadb_events.gtid_list(event, len(event) - self._checksum).tally()

    def _on_domain_gtid(self, event: bytes, timestamp: int) -> None:
        """MariaDB's transactions begin with this, and there is no BEGIN."""
        begun, self.at.gtid_at = mariadb_events.gtid(event), self.at.start
        if self._options.flavor is MARIADB:  # as Debezium's MySQL connector has it, which reads MariaDB by position
            self.at.gtid = f"{begun.domain}-{self.at.server_id}-{begun.number}"
        self._begin(None, timestamp)
        self._alone = begun.alone
        if self._transactions is not None:
            self._note_begin(self._transactions)
        wanted = self._options.origin
        if wanted is not None and self._options.filter_dml:
            self._unwanted = not wanted(origin(begun.domain, self.at.server_id))

    def _begin(self, thread: int | None, timestamp: int) -> None:
        self.at.begin()
        self._thread = thread
        if self._micros is None:
            self._micros = timestamp * 1_000_000

    def _note_begin(self, transactions: Transactions) -> None:
        self._unsent.flush()
        transactions.begin(self.at.gtid or f"file={self.at.file},pos={self.at.start}", (self._micros or 0) // 1000)
        self._unsent.count_one()

    def _on_xid(self, event: bytes, timestamp: int) -> None:
        if self._transactions is not None:
            self._unsent.flush()
            self._transactions.end((self._micros or 0) // 1000)
            self._unsent.count_one()
        self._on_commit(event, timestamp)

    def _on_commit(self, event: bytes, timestamp: int) -> None:
        self.at.commit()
        self._thread = self._query = None
        self._unwanted = self._alone = False

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
            if self.at.in_transaction:  # MariaDB's has begun with its GTID
                return
            # Debezium names no thread of an XA transaction, and sends its rows when it is prepared.
            self._begin(None, timestamp)
        elif start == "COMMIT":
            self._on_xid(event, timestamp)
        elif start == "ROLLBACK":
            if self._transactions is not None:
                self._unsent.flush()
                self._transactions.drop()
            self._on_commit(event, timestamp)
        elif start.startswith(_DML):
            self._tell_lost(query.database)
        elif start == "XA ROLLBA":
            _log.warning("an XA transaction was rolled back after it was prepared: its rows were sent; compare its "
                         "tables with their topics", statement=sql, at=str(self.at))  # fmt: skip
        elif not start.startswith("XA ") and not self._is_ignored(sql):
            self._statement(query, sql, timestamp)
        if (self._alone or not self.at.in_transaction) and start not in ("COMMIT", "ROLLBACK"):
            self._on_commit(event, timestamp)

    def _is_ignored(self, sql: str) -> bool:
        ignored = self._options.ignored
        return ignored is not None and sql[:8].upper() != "TRUNCATE" and ignored(sql)

    # Statements

    def _tell_lost(self, database: str | None) -> None:
        """Once for a database in each file of the log. As Debezium has it, reading goes on."""
        place = (self.at.file, database)
        if place in self._told or (database and not self._captured.database(database)):
            return
        self._told.add(place)
        _log.warning(
            "changes were logged as statements, not as rows, and are lost: run: "
            f"{self._options.flavor.keeping('binlog_format', 'ROW')}; "
            "reconnect all clients; then reset the connector's offsets, so that a new snapshot reads what is missing",
            at=str(self.at), **({"database": database} if database else {}),
        )  # fmt: skip

    def _statement(self, query: Query, sql: str, timestamp: int) -> None:
        """DDL: the history first, then the records of the schema-change topic."""
        resumed = self.at.resumed
        if resumed is not None and not resumed.by_rows and self.at.event < resumed.event:
            return
        if self.at.in_transaction and sql[:6].upper() == "CREATE":  # CREATE TABLE ... SELECT counts as a row
            if self.at.sent is not None:
                self.at.sent += 1
            if resumed is not None and self.at.passed(resumed, 1):
                return
        self._unsent.flush()
        if self._micros is None:
            self._micros = timestamp * 1_000_000
        micros = self._micros // 1000 * 1000
        self.at.ts_sec = micros // 1_000_000
        if not self.at.in_transaction:
            self.at.restart = (self.at.file, self.at.end)
        position = self.at.before(self.at.event if self.at.in_transaction else 0).to_offset()
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
            self._unsent.add([schema_change.batch(emitted, self._options.prefix, self._options.headers)])

    def _truncate(self, change: SchemaChange, micros: int) -> None:
        blocks = None if self._transactions is None else self._transactions.blocks
        for id in change.tables:
            table = self._history.tables.get(id)
            if "t" not in self._options.skipped and table is not None and self._captured.table(id):
                source = self._source(micros, id.database, id.name)
                self._unsent.add(self._captured.shape(table).envelope.truncates([source], self._now(), blocks))

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
            table, self.at.server_id, self.at.gtid, self.at.file, self.at.start,
        )  # fmt: skip

    # Rows

    def _on_table_map(self, event: bytes, timestamp: int) -> None:
        body = event[binlog.HEADER_SIZE : len(event) - self._checksum]
        if not self._tables.seen(body):
            table_map = self._decode(event)
            if isinstance(table_map, TableMap):
                self._tables.add(body, table_map, str(self.at))

    def _on_rows_query(self, event: bytes, timestamp: int) -> None:
        query = self._decode(event)
        if isinstance(query, RowsQuery):
            self._query = query.sql

    def _on_annotation(self, event: bytes, timestamp: int) -> None:
        self._query = mariadb_events.annotation(event, len(event) - self._checksum)

    def _on_rows(self, event: bytes, timestamp: int) -> None:
        resumed, first = self.at.resumed, 0
        if resumed is not None and not resumed.by_rows and self.at.event < resumed.event:
            return
        operation, table = OPERATIONS[event[4]], self._tables.of(event)
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
                raise type(error)(f"{self.at}: {error}") from error
            self._passed_over(error)
            return
        operation, images = table.current(operation, images)
        self._unsent.bytes += len(event)
        if self.at.sent is not None:
            self.at.sent += len(images)
        if resumed is not None:
            first = self.at.passed(resumed, len(images))
        if watch is not None:
            self._show(watch, table, operation, images, first)
        elif len(images) > first:
            self._send(table, operation, images[first:] if first else images, first)

    def _show(self, watch: Watch, table: LogTable, operation: str, images: list[Any], first: int) -> None:
        """Rows that the watch has to see: those of a signal table one by one, for what they ask for goes out first."""
        columns = table.shape.columns
        if table.id in watch.signals:
            for number in range(first, len(images)):
                self._unsent.flush()
                self._row, self._signal_thread = number, self._thread
                self._unsent.add(watch.signal(columns, operation, images[number]))
                self._renew(watch)
                if operation not in self._options.skipped:
                    self._send(table, operation, [images[number]], number)
            self._unsent.full = True
        else:
            watch.changed(columns, images, pairs=operation == "u")
            self._send(table, operation, images[first:] if first else images, first)

    def _passed_over(self, error: DecodeError) -> None:
        """Rows that are lost because `event.processing.failure.handling.mode` says so."""
        if self._options.undecodable == "warn":
            _log.warning("a rows event cannot be decoded and is passed over", at=str(self.at), reason=str(error))

    def _send(self, table: LogTable, operation: str, images: list[Any], first: int) -> None:
        """Adds rows, of which the first is number `first` of its event, to those that wait."""
        micros = self._micros or 0
        head = self._source_head(micros, table.id.database, table.id.name)
        self._unsent.rows(table.shape, operation, images, head, first, (self._thread, self._query))
        self._row, self.at.ts_sec = first + len(images) - 1, micros // 1_000_000
