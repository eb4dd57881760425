"""Frames of the WAL -> Polls of change events in commit order, each with the position to restart from.

Source: Debezium 3.5.0.Final, `PostgresStreamingChangeEventSource`, `PostgresOffsetContext`, and its recorded events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.changes import SourceRun, Sources
from cdc.errors import DecodeError
from cdc.heartbeat import Heartbeat
from cdc.postgres import pgoutput
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import Queries, Types, announced
from cdc.postgres.messages import LogicalMessages
from cdc.postgres.offset import Position
from cdc.postgres.pgoutput import UNCHANGED
from cdc.postgres.source_info import CONNECTOR, LSN_PLACE, SEQUENCE_PLACE, SourceInfo, sequence
from cdc.postgres.wire import Frame, Replication
from cdc.record import Batch, Poll, SourceOffset
from cdc.source_block import VERSION
from cdc.table import Predicate, TableId

_WAIT_S: Final = 0.5
_SETTLED_US: Final = 500_000
"""The catalog is asked for a table no sooner after a commit: what several ALTERs in a row leave is what is described,
as with Debezium, whose reader rests so long between looks at a quiet log."""


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """What the config says of streaming.

    Attributes:
        prefix, database: `topic.prefix`, `database.dbname`.
        skipped: `skipped.operations`, letters of c, u, d, t.
        messages: None leaves logical messages out; `message_prefix` is asked with a message's prefix.
        status_s: seconds between reports to the server.
        reports: whether the server is told what is durable (`lsn.flush.mode`).
        max_records: a Poll ends with the message that reaches so many.
    """

    prefix: str
    database: str
    skipped: frozenset[str] = frozenset("t")
    messages: LogicalMessages | None = None
    message_prefix: Predicate = lambda prefix: True
    heartbeat: Heartbeat | None = None
    status_s: float = 10.0
    reports: bool = True
    max_records: int = 4096


class Reader:
    """The state of one pass through the WAL. Clock readings are nanoseconds since 1970."""

    def __init__(
        self, options: ReaderOptions, capture: Capture, ask: Queries, types: Types, start: Position, *,
        now: Callable[[], int] = time.time_ns, pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._options, self._capture, self._ask, self._types, self._now = options, capture, ask, types, now
        self._pause = pause
        self._start = start.with_(snapshot=None, last_snapshot_record=False, snapshot_completed=False)
        self._position = self._start
        self._skip_of, self._skip = start.commit_of, start.event
        self._skip_until = _foreign_stop(start)
        self._begin: pgoutput.Begin | None = None
        self._origin: pgoutput.Origin | None = None
        self._changes = 0
        self._lsn = start.lsn
        self._shapes: dict[int, Shape | None] = {}
        self._batches: list[Batch] = []
        self._group: tuple[Shape, str] | None = None
        self._rows: list[Any] = []
        self._lsns: list[int] = []
        self._count = 0
        self._told: dict[str, Any] | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            pgoutput.Begin: self._on_begin, pgoutput.Commit: self._on_commit, pgoutput.Origin: self._on_origin,
            pgoutput.Relation: self._on_relation, pgoutput.TypeName: self._on_type, pgoutput.Insert: self._on_insert,
            pgoutput.Update: self._on_update, pgoutput.Delete: self._on_delete, pgoutput.Truncate: self._on_truncate,
            pgoutput.Message: self._on_message,
        }  # fmt: skip

    def poll(self, frames: Sequence[Frame], *, idle: bool, passed: int = 0) -> Poll:
        """`passed`: how far the server is after the frames; what lies between holds nothing of ours.

        Raises: DecodeError, ConversionError, SourceUnavailable, SourceError.
        """
        decode, handlers = pgoutput.decode, self._handlers
        for lsn, message in frames:
            self._lsn = lsn
            decoded = decode(message)
            try:
                handler = handlers[type(decoded)]
            except KeyError:
                raise DecodeError(f"pgoutput message {message[:1]!r} was not asked for") from None
            handler(decoded)
        self._flush()
        if self._begin is None and passed > self._position.start:
            self._position = self._position.with_(lsn=passed, processed_lsn=passed, commit_lsn=passed)
        if self._options.heartbeat is not None:
            beat = self._options.heartbeat.beat(self._now())
            if beat is not None:
                self._batches.append(beat)
        offset = self.position().to_offset()
        moved = bool(self._batches) or offset != self._told
        self._told = offset
        batches, self._batches, self._count = self._batches, [], 0
        return Poll(batches, [SourceOffset({"server": self._options.prefix}, offset)] if moved else (), idle)

    def position(self) -> Position:
        """From where a restart sends exactly what does not stand in the Polls until now."""
        if self._begin is None:
            return self._position
        if self._skip_until is not None or self._changes < self._skip:
            return self._start
        return self._position.with_(event=self._changes, commit_of=self._begin.commit_lsn)

    def _on_begin(self, begin: pgoutput.Begin) -> None:
        self._begin, self._origin, self._changes = begin, None, 0
        self._moved("BEGIN")
        if begin.commit_lsn != self._skip_of:
            self._skip = 0

    def _on_commit(self, commit: pgoutput.Commit) -> None:
        self._flush()
        self._begin, self._skip, self._skip_until = None, 0, None
        self._position = self._position.with_(
            lsn=self._lsn, processed_lsn=self._lsn, commit_lsn=commit.end_lsn, time_us=commit.time_us,
            message="COMMIT", event=0, commit_of=0,
        )  # fmt: skip

    def _on_origin(self, origin: pgoutput.Origin) -> None:
        self._flush()
        self._origin = origin

    def _on_relation(self, relation: pgoutput.Relation) -> None:
        self._flush()
        id = TableId(relation.schema, relation.table)
        if not self._capture.table(id):
            self._shapes[relation.oid] = None
            return
        self._settle()
        self._shapes[relation.oid] = self._capture.shape(announced(self._ask, self._types, relation))

    def _settle(self) -> None:
        if self._begin is not None:
            left_us = self._begin.time_us + _SETTLED_US - self._now() // 1000
            if 0 < left_us <= _SETTLED_US:
                self._pause(left_us / 1_000_000)

    def _on_type(self, type_: pgoutput.TypeName) -> None:
        if self._types[type_.oid] is None or self._types.changed(type_.oid, type_.name):
            self._types.refresh()

    def _on_insert(self, insert: pgoutput.Insert) -> None:
        shape = self._taken(insert.relation, "INSERT")
        if shape is not None and "c" not in self._options.skipped:
            self._add(shape, "c", shape.row(insert.new))

    def _on_update(self, update: pgoutput.Update) -> None:
        shape = self._taken(update.relation, "UPDATE")
        if shape is None or "u" in self._options.skipped:
            return
        new, old = update.new, update.old
        before = None
        if old is not None:
            before = shape.row(old) if update.old_kind == "O" else shape.partial(old)
        if UNCHANGED in new and update.old_kind == "O" and old is not None:
            new = [was if value is UNCHANGED else value for value, was in zip(new, old, strict=True)]
        self._add(shape, "u", (before, shape.toasted(new) if UNCHANGED in new else shape.row(new)))

    def _on_delete(self, delete: pgoutput.Delete) -> None:
        shape = self._taken(delete.relation, "DELETE")
        if shape is not None and "d" not in self._options.skipped:
            self._add(shape, "d", shape.row(delete.old) if delete.old_kind == "O" else shape.partial(delete.old))

    def _on_truncate(self, truncate: pgoutput.Truncate) -> None:
        for relation in truncate.relations:
            shape = self._taken(relation, "TRUNCATE")
            if shape is not None and "t" not in self._options.skipped:
                self._add(shape, "t", ())

    def _on_message(self, message: pgoutput.Message) -> None:
        if message.transactional:
            self._changes += 1
            if self._skips():
                return
        self._flush()
        self._moved("MESSAGE")
        if not message.transactional:
            self._position = self._position.with_(processed_lsn=self._lsn)
        made = self._options.messages
        if made is not None and self._options.message_prefix(message.prefix):
            source = self._source("", "")
            if not message.transactional:
                source = source._replace(tx_id=None)
            self._batches.append(made.batch(message.prefix, message.content, source, self._now()))

    def _taken(self, relation: int, kind: str) -> Shape | None:
        """Counts a change; its table's shape when it is to be sent."""
        self._changes += 1
        if self._skips():
            return None
        self._moved(kind)
        try:
            return self._shapes[relation]
        except KeyError:
            raise DecodeError(f"a change of relation {relation}, which was not announced") from None

    def _skips(self) -> bool:
        """Whether the change was sent before the restart."""
        if self._skip_until is not None:
            if self._lsn == self._skip_until:
                self._skip_until = None
            return True
        return self._changes <= self._skip

    def _moved(self, kind: str) -> None:
        begin = self._begin
        self._position = self._position.with_(
            lsn=self._lsn, message=kind,
            **({} if begin is None else {"tx_id": begin.xid, "time_us": begin.time_us}),
        )  # fmt: skip

    def _add(self, shape: Shape, op: str, row: Any) -> None:
        group = self._group
        if group is None or group[0] is not shape or group[1] != op:
            self._flush()
            self._group = (shape, op)
        self._rows.append(row)
        self._lsns.append(self._lsn)
        self._count += 1

    def _flush(self) -> None:
        """The rows that wait, as batches: neighbours of one table and operation within a transaction."""
        if self._group is None:
            return
        (shape, op), rows, lsns = self._group, self._rows, self._lsns
        self._group, self._rows, self._lsns = None, [], []
        now, envelope = self._now(), shape.envelope
        first = self._source(shape.table.id.database, shape.table.id.name, lsns[0])
        commit = self._position.commit_lsn
        moving: tuple[tuple[int, Sequence[Any]], ...] = ()
        if len(lsns) > 1:
            moving = ((SEQUENCE_PLACE, [sequence(commit, lsn) for lsn in lsns]), (LSN_PLACE, lsns))
        sources = Sources([SourceRun(first, len(rows), moving)])
        match op:
            case "c":
                self._batches += envelope.creates(rows, sources, now)
            case "u":
                self._batches += envelope.updates(rows, sources, now)
            case "d":
                self._batches += envelope.deletes(rows, sources, now)
            case "t":
                self._batches += envelope.truncates(sources, now)

    def _source(self, schema: str, table: str, lsn: int | None = None) -> SourceInfo:
        time_us, at = self._position.time_us or 0, self._lsn if lsn is None else lsn
        return SourceInfo(
            version=VERSION, connector=CONNECTOR, name=self._options.prefix, ts_ms=time_us // 1000, snapshot=None,
            db=self._options.database, sequence=sequence(self._position.commit_lsn, at), ts_us=time_us,
            ts_ns=time_us * 1000, schema=schema, table=table, tx_id=self._position.tx_id, lsn=at, xmin=None,
            origin=None if self._origin is None else self._origin.name,
            origin_lsn=None if self._origin is None else self._origin.lsn,
        )  # fmt: skip


def _foreign_stop(start: Position) -> int | None:
    """Debezium tells no count of changes: those up to the last one's LSN are done in the transaction it stood in."""
    if start.event or start.message in (None, "BEGIN", "COMMIT") or start.lsn == start.commit_lsn:
        return None
    return start.lsn if start.lsn != start.processed_lsn else None


def stream(
    replication: Replication, reader: Reader, options: ReaderOptions, durable: Callable[[], int]
) -> Iterator[Poll]:
    """Polls for ever. `durable`: up to where records stand in the log for good.

    Raises: SourceUnavailable, SourceError, DecodeError, ConversionError.
    """
    while True:
        received = replication.read(options.max_records, _WAIT_S)
        idle = len(received.frames) < options.max_records
        poll = reader.poll(received.frames, idle=idle, passed=received.server_lsn)
        yield poll
        if options.reports:
            replication.report(durable(), options.status_s)
