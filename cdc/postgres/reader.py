"""Frames of the WAL -> Polls of change events in commit order, each with the position to restart from.

Source: Debezium 3.5.0.Final, `PostgresStreamingChangeEventSource`, `PostgresOffsetContext`, and its recorded events.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple

import structlog

from cdc.changes import Row, SourceRun, Sources
from cdc.envelope import Blocks
from cdc.errors import ConversionError, DecodeError
from cdc.postgres import pgoutput
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import Queries, Types, announced
from cdc.postgres.messages import MESSAGE_ID
from cdc.postgres.offset import Position
from cdc.postgres.open_transactions import Kept, OpenTransactions
from cdc.postgres.pgoutput import EPOCH_US, HEADER_SIZE
from cdc.postgres.plain_transactions import FRAMES, Group, PlainTransactions
from cdc.postgres.reader_options import ReaderOptions
from cdc.postgres.row_decoder import PREFIX_END, Decode
from cdc.postgres.source_info import CONNECTOR, SourceInfo, sequence
from cdc.postgres.unsent import Run, Unsent
from cdc.record import Batch, Poll, SourceOffset
from cdc.source_block import VERSION
from cdc.table import TableId
from cdc.watch import Watch

_log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 0.5
"""How long a chunk of an incremental snapshot is waited for while the WAL is quiet."""
_SETTLED_US: Final = 500_000
"""A table that changed is described as it is so long after the commit, not sooner: what several ALTERs in a row leave
is what is described, as with Debezium, whose reader rests so long between looks at a quiet log."""
_CHANGES: Final = {ord("I"): ("c", "INSERT"), ord("U"): ("u", "UPDATE"), ord("D"): ("d", "DELETE")}
_BEGIN, _STREAM_STOP, _ORIGIN, _RELATION = b"BEOR"
_PART_ENDS: Final = b"EPp"
_DESCRIBES: Final = b"RY"
_ALL: Final = 2**63
"""Changes to skip of a transaction that is done."""
_NO_TABLE: Final = TableId("", "")
_BEHIND_US: Final = 1_000_000
_LSN: Final = Struct(">Q").unpack_from
_CLOCK: Final = Struct(">q").unpack_from
_XID: Final = Struct(">I").unpack_from


class OriginInPart(Exception):
    """A transaction from elsewhere comes in parts: where it stands there is told only when it comes whole."""


class _Decided(NamedTuple):
    """A transaction whose frames were kept was committed."""

    xid: int
    commit: pgoutput.Commit
    lsn: int


class Reader:
    """The state of one pass through the WAL. Clock readings are nanoseconds since 1970.

    Attributes:
        sent: the position after the last Poll.
    """

    def __init__(
        self, options: ReaderOptions, capture: Capture, ask: Queries, types: Types, start: Position, *,
        now: Callable[[], int] = time.time_ns, pause: Callable[[float], None] = time.sleep,
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        self._watch = watch
        if watch is not None:
            watch.place.position, watch.place.source = self.position, self._beside
            watch.place.done = self._done_lsn
        self._options, self._capture, self._ask, self._types, self._now = options, capture, ask, types, now
        self._pause, self._transactions = pause, options.transactions
        self._start = start.with_(snapshot=None, last_snapshot_record=False, snapshot_completed=False)
        self.sent = self._start
        self._tx_id, self._time_us, self._xmin = start.tx_id, start.time_us, start.xmin
        self._server_us = 0
        self._skip = 0
        self._skip_until = start.stop
        self._held = start.held_lsn
        self._is_before_open = bool(start.event)
        self._begin: pgoutput.Begin | None = None
        self._origin: pgoutput.Origin | None = None
        self._lsn, self._message = start.lsn, start.message
        self._done, self._commit, self._processed = start.start, start.commit_lsn, start.processed_lsn
        self._changes = 0
        self._shapes: dict[int, Shape | None] = {}
        self._announced: dict[int, int] = {}
        self._runs: dict[bytes, Run] = {}
        self._open = OpenTransactions()
        self._part: tuple[int, Kept, bool] | None = None
        self._decided: _Decided | None = None
        self._frames = 0
        self._batches: list[Batch] = []
        self._unsent = Unsent(options, now)
        self._plain: PlainTransactions | None = None
        if options.transactions is None:
            self._plain = PlainTransactions(options.twin, max(start.start - 1, start.commit_of))
        self._told: dict[str, Any] | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            pgoutput.Begin: self._on_begin, pgoutput.Commit: self._on_commit, pgoutput.Origin: self._on_origin,
            pgoutput.Relation: self._on_relation, pgoutput.TypeName: self._on_type,
            pgoutput.Truncate: self._on_truncate, pgoutput.Message: self._on_message,
            pgoutput.StreamStart: self._on_part, pgoutput.StreamCommit: self._on_stream_commit,
            pgoutput.StreamAbort: self._on_stream_abort, pgoutput.BeginPrepare: self._on_begin_prepare,
            pgoutput.Prepare: self._on_prepare, pgoutput.CommitPrepared: self._on_commit_prepared,
            pgoutput.RollbackPrepared: self._on_rollback_prepared,
        }  # fmt: skip

    def polls(self, frames: Sequence[bytes], *, idle: bool, passed: int = 0) -> Iterator[Poll]:
        """`passed`: how far the server is after the frames; what lies between holds nothing of ours.

        More than one when a transaction is decided whose frames were kept.
        Raises: DecodeError, ConversionError, SourceUnavailable, SourceError.
        """
        at = 0
        if frames:
            self._server_us = _CLOCK(frames[-1], 17)[0] + EPOCH_US
        while at < len(frames) and not self.stops:
            at = self._walk(frames, at)
            if self._decided is not None:
                yield from self._kept_polls(self._decided)
        self._catches_up(passed)
        if self._begin is None and passed > self._done and not self.stops:
            self._lsn = self._processed = self._done = passed
        yield self._poll(idle)

    @property
    def stops(self) -> bool:
        """A blocking snapshot was asked for: `position` tells from where what follows is read again."""
        return self._watch is not None and self._watch.blocking is not None

    @property
    def behind(self) -> bool:
        """By the server's clock, what it sent last was committed a while before: more is ready than comes up."""
        return self._server_us - (self._time_us or 0) > _BEHIND_US

    @property
    def waits(self) -> bool:
        """For the server to tell how far it is."""
        return self._watch is not None and self._watch.waits

    def watched(self, more: Callable[[], bool]) -> Iterator[Poll]:
        """Reads chunks of an incremental snapshot while the log has nothing to say, and a step when it has."""
        watch = self._watch
        while watch is not None and watch.blocking is None:
            quiet = not more()
            if watch.advance(_PATIENCE_S if quiet else 0):
                yield self._poll(idle=False)
            if not quiet or not watch.busy:
                return

    def _kept_polls(self, decided: _Decided) -> Iterator[Poll]:
        self._decided = None
        kept = self._open.get(decided.xid)
        if kept is None:
            raise DecodeError(f"the end of transaction {decided.xid} came, and not its changes")
        commit = decided.commit
        self._lsn = kept.lsn
        shapes, announced = dict(self._shapes), dict(self._announced)
        self._on_begin(pgoutput.Begin(commit.commit_lsn, commit.time_us, decided.xid))
        for chunk in kept.chunks(self._options.max_records):
            self._walk(chunk, 0)
            yield self._poll(idle=False)
            if self.stops:
                return
        self._announced = announced
        for oid, number in kept.relations.items():
            if number > announced.get(oid, 0):
                announced[oid] = number
            else:  # announced anew while the transaction was open: later changes are of that form
                self._shapes[oid] = shapes[oid]
        self._runs.clear()
        self._open.drop(decided.xid)
        self._lsn = decided.lsn
        self._on_commit(commit)

    @property
    def _blocks(self) -> Blocks | None:
        return None if self._transactions is None else self._transactions.blocks

    def _poll(self, idle: bool) -> Poll:
        self._flush()
        if self._transactions is not None:
            self._batches += self._transactions.take()
        if self._options.heartbeat is not None:
            beat = self._options.heartbeat.beat(self._now())
            if beat is not None:
                self._batches.append(beat)
        self.sent = self.position()
        offset, moved = self.sent.to_offset(), False
        if self._watch is not None:
            self._batches += self._watch.take()
            offset |= self._watch.offset()
            moved = self._watch.taken()
        moved = (moved or bool(self._batches) or offset != self._told) and not self.stops
        self._told = offset
        batches, self._batches = self._batches, []
        return Poll(batches, [SourceOffset({"server": self._options.prefix}, offset)] if moved else (), idle)

    def close(self) -> None:
        self._open.close()

    def position(self) -> Position:
        """From where a restart sends exactly what does not stand in the Polls until now."""
        begin, start = self._begin, self._start
        if begin is not None and (self._skip_until is not None or self._changes < self._skip):
            return start
        event, commit_of = (start.event, start.commit_of) if self._is_before_open else (0, 0)
        if begin is not None:
            event, commit_of = self._changes, begin.commit_lsn
        in_changes = begin is not None and self._message != "BEGIN"
        return self._start.with_(
            lsn=self._lsn, processed_lsn=self._lsn if in_changes else self._processed, commit_lsn=self._commit,
            tx_id=self._tx_id, time_us=self._time_us, xmin=self._xmin,
            done_lsn=self._done, message=self._message, event=event, commit_of=commit_of,
            held_lsn=min(filter(None, (self._open.prepared_lsn, self._held)), default=None),
            transaction={} if self._transactions is None else self._transactions.offset,
        )  # fmt: skip

    def _walk(self, frames: Sequence[bytes], at: int) -> int:
        """Up to the end of the frames, or after one that decides a transaction."""
        runs = self._runs
        while at < len(frames):
            frame = frames[at]
            if self._part is not None:
                self._keep(frame, *self._part)
            elif (run := runs.get(frame[HEADER_SIZE:PREFIX_END])) is not None:
                at = self._changed(run, frames, at)
                continue
            elif frame[HEADER_SIZE] in _CHANGES:
                self._learn(frame)
                continue
            elif frame[HEADER_SIZE] == _BEGIN and (taken := self._take_plain(frames, at)):
                at += taken
                continue
            else:
                self._frames += 1
                (self._lsn,) = _LSN(frame, 1)
                self._catches_up(self._lsn)
                self._handle(pgoutput.decode(frame, start=HEADER_SIZE))
                if self._decided is not None:
                    return at + 1
            at += 1
        return at

    def _catches_up(self, lsn: int) -> None:
        """What was prepared before the start has come again once the server is as far as it was then."""
        if self._held is not None and lsn >= self._start.start:
            self._held = None

    def _handle(self, decoded: pgoutput.Decoded) -> None:
        try:
            handler = self._handlers[type(decoded)]
        except KeyError:
            raise DecodeError(f"pgoutput message {decoded!r} where there is none") from None
        handler(decoded)

    def _learn(self, frame: bytes) -> None:
        """What frames that begin so are, as long as no relation is announced anew. Raises: DecodeError."""
        prefix = frame[HEADER_SIZE:PREFIX_END]
        if len(frame) < PREFIX_END or prefix[5:6] not in (b"N", b"K", b"O"):
            raise DecodeError(f"pgoutput message {prefix[:1]!r} of {len(frame) - HEADER_SIZE} bytes holds no row")
        op, kind = _CHANGES[prefix[0]]
        shape = self._shape(int.from_bytes(prefix[1:5], "big"))
        sent = shape is not None and (op not in self._options.skipped or (op == "u" and bool(shape.envelope.key)))
        signals = shape is not None and self._watch is not None and shape.table.id in self._watch.signals
        decode = shape.decoder(prefix) if shape is not None and (sent or signals) else None
        self._runs[prefix] = Run(shape, op, kind, decode, signals, sent)

    def _shape(self, relation: int) -> Shape | None:
        try:
            return self._shapes[relation]
        except KeyError:
            raise DecodeError(f"a change of relation {relation}, which was not announced") from None

    def _changed(self, run: Run, frames: Sequence[bytes], at: int) -> int:
        """Changes of one kind from `at` on; the index of the first that is not."""
        if self._skips():
            (self._lsn,) = _LSN(frames[at], 1)
            self._skipped()
            return at + 1
        if run.signals:
            return self._signalled(run, frames, at)
        first = at
        if run.decode is None:
            prefix = frames[at][HEADER_SIZE:PREFIX_END]
            while at < len(frames) and frames[at][HEADER_SIZE:PREFIX_END] == prefix:
                at += 1
            (self._lsn,) = _LSN(frames[at - 1], 1)
        else:
            self._goes_on_with(run)
            before = len(self._unsent.rows)
            at = self._decoded(run.decode, frames, at)
            if self._watch is not None and run.shape is not None and self._is_watched(run):
                self._watch.changed(run.shape.columns, self._unsent.rows[before:], pairs=run.op == "u")
        self._changes += at - first
        self._message = run.kind
        return at

    def _goes_on_with(self, run: Run) -> None:
        if not self._unsent.fits(run):
            self._flush()
            self._unsent.begin(run)

    def _is_watched(self, run: Run) -> bool:
        return self._watch is not None and run.shape is not None and run.shape.table.id in self._watch.tables

    def _take_plain(self, frames: Sequence[bytes], at: int) -> int:
        """How many frames from the BEGIN at `at` on were taken as plain transactions."""
        plain = self._plain
        if plain is None or self._begin is not None or self._skip_until is not None or self._held is not None:
            return 0
        group = plain.next(frames, at)
        if group is None:
            return 0
        run, done = self._runs.get(group.changes[0][HEADER_SIZE:PREFIX_END]), 0
        if run is not None and not run.signals and not self._is_watched(run):
            done = len(group.changes) if run.decode is None else self._take_rows(run, run.decode, group)
        plain.taken(done > 0)
        if run is None or not done:
            return 0
        self._frames += done * (FRAMES - 1)
        self._committed(frames[at + done * FRAMES - 1], group, done)
        return done * FRAMES

    def _take_rows(self, run: Run, decode: Decode, group: Group) -> int:
        """How many changes were taken: those before the first whose values cannot be read."""
        self._goes_on_with(run)
        unsent = self._unsent
        before = len(unsent.rows)
        with contextlib.suppress(ConversionError):
            decode(group.changes, 0, unsent.rows, unsent.lsns)
        del unsent.lsns[len(unsent.rows) :]
        lsns = unsent.lsns[before:]
        if lsns and run.shape is not None:
            self._starts(group.xids[0], group.micros[0])
            unsent.add(group.sources(self._source(run.shape.table.id, lsns[0]), self._commit, lsns))
        return len(lsns)

    def _committed(self, frame: bytes, group: Group, done: int) -> None:
        """So many transactions of a group are done; `frame` is the COMMIT of the last."""
        self._starts(group.xids[done - 1], group.micros[done - 1])
        self._message, self._is_before_open = "COMMIT", False
        (self._lsn,) = _LSN(frame, 1)
        self._processed = self._lsn
        self._commit = self._done = group.ends[done - 1]

    def _starts(self, xid: int, time_us: int) -> None:
        """What `source` tells of a transaction."""
        self._origin, self._tx_id, self._time_us, self._xmin = None, xid, time_us, self._options.xmin()

    def _signalled(self, run: Run, frames: Sequence[bytes], at: int) -> int:
        """A row of a signal table, by itself: what it asks for goes out first."""
        watch, shape = self._watch, run.shape
        assert watch is not None and shape is not None and run.decode is not None
        self._flush()
        rows: list[Any] = []
        lsns: list[int] = []
        run.decode(frames[at : at + 1], 0, rows, lsns)
        (self._lsn,) = lsns
        self._changes += 1
        self._message = run.kind
        self._batches += watch.signal(shape.columns, run.op, rows[0])
        if run.sent:
            self._unsent.begin(run)
            self._unsent.rows, self._unsent.lsns = rows, lsns
            self._flush()
        # What follows is read again after a blocking snapshot, or seen by what the signal asked for.
        return len(frames) if watch.blocking is not None else at + 1

    def _decoded(self, decode: Decode, frames: Sequence[bytes], at: int) -> int:
        """Raises: ConversionError: values cannot be read, and the config does not leave such changes out."""
        lsns = self._unsent.lsns
        before = len(lsns)
        try:
            at = decode(frames, at, self._unsent.rows, lsns)
            self._lsn = lsns[-1]
        except ConversionError as error:
            if self._options.on_failure == "fail":
                raise
            at += len(lsns) - before
            self._lsn = lsns.pop()
            if self._options.on_failure == "warn":
                _log.warning("a change is left out", lsn=self._lsn, reason=str(error))
        return at

    def _skips(self) -> bool:
        """Whether the next change was sent before the restart."""
        return self._changes < self._skip or self._skip_until is not None

    def _skipped(self) -> None:
        self._changes += 1
        if self._lsn == self._skip_until:
            self._skip_until = None

    def _on_begin(self, begin: pgoutput.Begin) -> None:
        self._begin, self._changes, self._message = begin, 0, "BEGIN"
        self._starts(begin.xid, begin.time_us)
        start = self._start
        if begin.commit_lsn < start.start:
            self._skip = _ALL
        else:
            self._skip = start.event if begin.commit_lsn == start.commit_of else 0
            self._is_before_open = False
        if start.tx_id not in (None, begin.xid):
            self._skip_until = None
        if self._transactions is not None and self._skip != _ALL:
            self._flush()
            self._transactions.begin(str(begin.xid), begin.time_us // 1000, self._source(_NO_TABLE, self._lsn))

    def _on_commit(self, commit: pgoutput.Commit) -> None:
        self._unsent.end(self._source, self._commit)
        if self._transactions is not None and self._skip != _ALL:
            self._flush()
            self._transactions.end(commit.time_us // 1000, self._source(_NO_TABLE, self._lsn))
        self._begin, self._skip_until, self._message = None, None, "COMMIT"
        if self._skip != _ALL:
            self._processed = self._lsn
            self._commit = self._done = commit.end_lsn

    def _on_origin(self, origin: pgoutput.Origin) -> None:
        self._origin = origin

    def _on_relation(self, relation: pgoutput.Relation) -> None:
        self._flush()
        self._runs.clear()
        id = TableId(relation.schema, relation.table)
        self._announced[relation.oid] = self._frames
        if not self._capture.table(id):
            self._shapes[relation.oid] = None
            return
        shape = self._capture.shape(announced(self._ask, self._types, relation))
        # The server announces a table also when ANALYZE has looked at it: then nothing is waited for.
        if shape is not self._shapes.get(relation.oid) and self._settle():
            shape = self._capture.shape(announced(self._ask, self._types, relation))
        self._shapes[relation.oid] = shape

    def _settle(self) -> bool:
        """Waits until a while after the commit; whether there was need to."""
        if self._begin is None:
            return False
        left_us = self._begin.time_us + _SETTLED_US - self._now() // 1000
        if not 0 < left_us <= _SETTLED_US:
            return False
        self._pause(left_us / 1_000_000)
        return True

    def _on_type(self, type_: pgoutput.TypeName) -> None:
        if self._types[type_.oid] is None or self._types.changed(type_.oid, type_.name):
            self._types.refresh()

    def _on_truncate(self, truncate: pgoutput.Truncate) -> None:
        for relation in truncate.relations:
            if self._skips():
                self._skipped()
                continue
            self._changes += 1
            self._message = "TRUNCATE"
            shape = self._shape(relation)
            if shape is not None and "t" not in self._options.skipped:
                self._flush()
                sources = Sources([SourceRun(self._source(shape.table.id, self._lsn), 1)])
                self._batches += shape.envelope.truncates(sources, self._now(), self._blocks)

    def _on_message(self, message: pgoutput.Message) -> None:
        if message.transactional:
            if self._skips():
                self._skipped()
                return
            self._changes += 1
        elif self._lsn < self._start.start:
            return
        self._flush()
        self._message = "MESSAGE"
        if not message.transactional:
            self._processed = self._commit = self._lsn
            self._done = self._lsn + 1
        made = self._options.messages
        if made is not None and self._options.message_prefix(message.prefix):
            source = self._source(_NO_TABLE, self._lsn)
            if not message.transactional:
                source = source._replace(tx_id=None)
            block = self._message_block(source) if message.transactional else None
            self._batches.append(made.batch(message.prefix, message.content, source, self._now(), block))

    def _message_block(self, source: SourceInfo) -> Row | None:
        """Debezium counts each message as a table of its own, named by a Java object's address."""
        blocks = self._transactions and self._transactions.blocks(f"{MESSAGE_ID}@{source.lsn:x}", [source])
        return blocks[0] if blocks else None

    def _keep(self, frame: bytes, xid: int, kept: Kept, streamed: bool) -> None:
        """A frame of a transaction that is not decided yet."""
        self._frames += 1
        kind = frame[HEADER_SIZE]
        if kind in _PART_ENDS:
            self._part = None
            if kind != _STREAM_STOP:
                self._handle(pgoutput.decode(frame, start=HEADER_SIZE))
            return
        subtransaction = xid
        if streamed and kind == _ORIGIN:
            raise OriginInPart
        if streamed:
            (subtransaction,) = _XID(frame, HEADER_SIZE + 1)
            frame = frame[: HEADER_SIZE + 1] + frame[HEADER_SIZE + 5 :]
        elif kind in _DESCRIBES:  # told once for all transactions, whatever becomes of this one
            self._handle(pgoutput.decode(frame, start=HEADER_SIZE))
            return
        if kind == _RELATION:
            (relation,) = _XID(frame, HEADER_SIZE + 1)
            kept.relations[relation] = self._frames
        kept.add(frame, subtransaction)

    def _on_part(self, start: pgoutput.StreamStart) -> None:
        self._part = start.xid, self._open.begin(start.xid, self._lsn), True

    def _on_stream_abort(self, abort: pgoutput.StreamAbort) -> None:
        self._open.undo(abort.xid, abort.sub_xid)

    def _on_stream_commit(self, commit: pgoutput.StreamCommit) -> None:
        self._decided = _Decided(commit.xid, pgoutput.Commit(*commit[1:]), self._lsn)

    def _on_begin_prepare(self, begin: pgoutput.BeginPrepare) -> None:
        self._part = begin.xid, self._open.begin(begin.xid, self._lsn), False

    def _on_prepare(self, prepare: pgoutput.Prepare) -> None:
        kept = self._open.get(prepare.xid)
        if kept is not None:
            kept.prepared_lsn = prepare.prepare_lsn

    def _on_commit_prepared(self, commit: pgoutput.CommitPrepared) -> None:
        if self._open.get(commit.xid) is not None or commit.commit_lsn >= self._start.start:
            self._decided = _Decided(commit.xid, pgoutput.Commit(*commit[:3]), self._lsn)

    def _on_rollback_prepared(self, rollback: pgoutput.RollbackPrepared) -> None:
        self._open.drop(rollback.xid)

    def _flush(self) -> None:
        """The rows that wait, as batches."""
        self._unsent.end(self._source, self._commit)
        self._batches += self._unsent.flush(self._blocks)

    def _done_lsn(self) -> int:
        """All that was committed before is handled."""
        return self._done

    def _beside(self, micros: int, schema: str, table: str | None) -> SourceInfo:
        """Of a record that is not of the WAL, made while the reader stands where it does."""
        return self._source(TableId(schema, table or ""), self._lsn)._replace(ts_ms=micros // 1000, ts_us=micros)

    def _source(self, table: TableId, lsn: int) -> SourceInfo:
        options, origin, time_us = self._options, self._origin, self._time_us or 0
        return SourceInfo(
            VERSION, CONNECTOR, options.prefix, time_us // 1000, None, options.database,
            sequence(self._commit, lsn), time_us, time_us * 1000, table.database, table.name, self._tx_id, lsn,
            self._xmin, None if origin is None else origin.name, None if origin is None else origin.lsn,
        )  # fmt: skip
