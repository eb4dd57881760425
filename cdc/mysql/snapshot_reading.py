"""Rows of many tables over one session or several -> batches with Debezium's snapshot markers, and what is left.

Large tables are read along their primary key, so that a snapshot that was stopped goes on behind the last row it sent;
with several sessions in ranges of it at once. The sessions' sockets are read in turn by one thread: the servers' work
and the network overlap, and decoding would not become faster by more threads of one interpreter.
"""

from __future__ import annotations

import itertools
import select
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from cdc.errors import SourceUnavailable
from cdc.mysql.capture import Shape
from cdc.mysql.ddl import Catalog
from cdc.mysql.key_ranges import Key
from cdc.mysql.rows import RawRow, Select
from cdc.mysql.server import quoted
from cdc.mysql.snapshot_session import Blocked, Pinned, Session, without_counter
from cdc.mysql.source_info import SourceInfo
from cdc.snapshot_markers import MARKERS, Chunk, Newest, TableRows
from cdc.snapshot_offset import KeyRange, KeyValue, Left
from cdc.snapshot_report import SnapshotReport
from cdc.table import Table, TableId

_log = structlog.get_logger(__name__)
_IDLE_SECONDS: Final = 0.5


@dataclass
class _Range:
    """Part of a table; `after` moves on with the rows that were sent."""

    after: KeyValue | None = None
    upto: KeyValue | None = None
    ended: bool = False


@dataclass
class _Table:
    """A table that is being read.

    Attributes:
        out: its rows on their way out.
        held: key and range of the row that is kept back.
        contended: somebody waits to alter it; until it is free no other session begins with it.
    """

    id: TableId
    ddl: str
    key: Key | None
    ranges: list[_Range]
    waiting: deque[_Range]
    out: TableRows
    rows: int
    held: tuple[KeyValue | None, _Range] | None = None
    contended: bool = False

    def left(self) -> Left | None:
        """What was not sent yet; None where that cannot be told."""
        if self.key is None:
            return None
        held = None if self.held is None else self.held[1]
        ranges = [KeyRange(part.after, part.upto) for part in self.ranges if not part.ended or part is held]
        return Left(self.key.signature, tuple(ranges), self.rows) if ranges else None


@dataclass
class _Work:
    """A range that a session is reading."""

    session: Session
    table: _Table
    part: _Range
    shape: Shape
    sources: Mapping[str, SourceInfo]
    select: Select
    chunks: Iterator[list[RawRow]]
    key_of: Callable[[RawRow], KeyValue] | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be read, and how.

    Attributes:
        tables: in the order they are begun.
        known: the definitions that a fresh snapshot recorded, as text and as table.
        left: what an earlier attempt left of tables it began.
        estimates: rows of each table, as far as the server knows.
        overrides: SELECT statements by `db.table`.
        large: rows from which on a table is read along its primary key, in `parts` ranges.
        walks_all: smaller tables are read along it too, as Debezium does where it divides tables into chunks.
        resumed: an earlier attempt sent records.
    """

    tables: Sequence[TableId]
    known: Mapping[TableId, tuple[str, Table]]
    left: Mapping[TableId, Left]
    estimates: Mapping[TableId, int]
    overrides: Mapping[str, str]
    large: int
    walks_all: bool
    parts: int
    rows_per_chunk: int
    resumed: bool = False


class Reading:
    """One pass over the tables.

    Attributes:
        vanished: a table was gone, or renamed, before it was read whole.
        seconds: the server's clock when the newest table was begun.
    """

    def __init__(
        self,
        wanted: Wanted,
        sessions: Sequence[Session],
        newest: Newest,
        report: SnapshotReport[TableId],
        *,
        shape: Callable[[Table], Shape],
        source: Callable[[int, str, TableId], SourceInfo],
        clock_ns: Callable[[], int],
    ) -> None:
        """`source` makes a source block from nanoseconds, marker and table."""
        self._wanted, self._idle, self._newest, self._report = wanted, deque(sessions), newest, report
        self._shape, self._source, self._clock_ns = shape, source, clock_ns
        self._tables = deque(enumerate(wanted.tables))
        self._open: deque[_Table] = deque()
        self._catalog = Catalog()
        self._ends: deque[Chunk] = deque()
        self._led = False
        self.vanished = False
        self.seconds = 0

    def chunks(self) -> Iterator[Chunk]:
        """At least one every half second. Raises: SourceUnavailable, SourceError, DecodeError."""
        busy: list[_Work] = []
        while True:
            while self._idle and (self._led or not busy):
                session = self._idle.popleft()
                work = self._next(session)
                if work is None:
                    self._idle.append(session)
                    break
                busy.append(work)
            yield from self._finished()
            if not busy:
                if not self._tables:
                    return
                yield Chunk()
            ready = list(busy) if len(busy) == 1 else [work for work in busy if work.select.ready()]
            if (
                busy
                and not ready
                and not select.select([work.select.socket for work in busy], [], [], _IDLE_SECONDS)[0]
            ):
                yield Chunk()
            for work in ready:
                raw = next(work.chunks, None)
                if raw is not None:
                    yield self._sent(work, raw) if raw else Chunk()
                    continue
                busy.remove(work)
                work.session.free()
                work.part.ended = True
                work.table.contended = False
                self._idle.append(work.session)
                self._ended(work.table)
                yield from self._finished()

    def _finished(self) -> Iterator[Chunk]:
        while self._ends:
            yield self._ends.popleft()

    # What to read

    def _next(self, session: Session) -> _Work | None:
        """The session's next range: of a table that is begun, else of the next one."""
        for table in list(self._open):
            if table.waiting and not table.contended:
                try:
                    pinned = self._pinned(session, table.id)
                except Blocked:
                    # Who waits for the table waits for another session of ours: that one reads the rest.
                    table.contended = True
                    continue
                work = self._started(session, table, pinned)
                if work is not None:
                    return work
                self._ended(table)
        for _ in range(len(self._tables)):
            number, id = self._tables.popleft()
            try:
                pinned = self._pinned(session, id)
            except Blocked:
                self._tables.append((number, id))
                continue
            work = self._begun(session, number, id, pinned)
            if work is not None:
                return work
        return None

    def _begun(self, session: Session, number: int, id: TableId, pinned: Pinned | None) -> _Work | None:
        """The first range of a table; None when there is nothing of it to read."""
        self._report.begins(id)
        if pinned is not None:
            table = self._opened(session, id, pinned, is_first=number == 0 and not self._wanted.resumed)
            work = self._started(session, table, pinned)
            if work is not None:
                self._open.append(table)
                return work
        session.free()
        self._led = True
        self._report.ends(id)
        return None

    def _opened(self, session: Session, id: TableId, pinned: Pinned, *, is_first: bool) -> _Table:
        left = self._wanted.left.get(id)
        key, ranges = self._ranges(session, id, left, is_large=pinned.is_large)
        begun = left is not None and key is not None and left.key == key.signature
        rows = left.rows if left is not None and begun else 0
        self._report.begins(id, rows)
        out = TableRows(is_first=is_first, begun=begun)
        return _Table(id, pinned.ddl, key, ranges, deque(ranges), out, rows)

    def _pinned(self, session: Session, id: TableId) -> Pinned | None:
        pinned = session.pin(id, self._wanted.large)
        if pinned is None:
            self.vanished = True
            _log.info("a table was dropped or renamed before it was read", table=str(id))
        return pinned

    def _ranges(
        self, session: Session, id: TableId, left: Left | None, *, is_large: bool
    ) -> tuple[Key | None, list[_Range]]:
        wanted = self._wanted
        walks = str(id) not in wanted.overrides and (is_large or wanted.walks_all or left is not None)
        key = session.key(id) if walks else None
        if key is None:
            return None, [_Range()]
        if left is not None and left.key == key.signature:
            return key, [_Range(*part) for part in left.ranges]
        parts = wanted.parts if is_large else 1
        bounds = [None, *session.bounds(id, key, parts, wanted.estimates.get(id, 0)), None]
        return key, [_Range(after, upto) for after, upto in itertools.pairwise(bounds)]

    def _started(self, session: Session, table: _Table, pinned: Pinned | None) -> _Work | None:
        """None when the table is gone, or its definition is not understood."""
        known = None if pinned is None else self._definition(table.id, pinned.ddl)
        if pinned is None or known is None:
            if pinned is not None:
                _log.warning("a table's definition was not understood; its rows are not read", table=str(table.id))
            while table.waiting:
                table.waiting.popleft().ended = True
            return None
        shape = self._shape(known)
        key_of = None
        if table.key is not None:
            if without_counter(pinned.ddl) != without_counter(table.ddl) and session.key(table.id) != table.key:
                raise SourceUnavailable(f"the primary key of {table.id} was altered while it was read; it is read anew")
            key_of = table.key.reader([column.name for column in shape.columns])
        self.seconds = pinned.seconds
        ns = pinned.seconds * 1_000_000_000
        sources = {marker: self._source(ns, marker, table.id) for marker in MARKERS}
        part = table.waiting.popleft()
        chosen = Select(session.server.connection, session.server.settings, self._statement(table, shape, part))
        if key_of is None:
            table.key = None  # its columns are not selected: where reading stands cannot be told
        return _Work(session, table, part, shape, sources, chosen, chosen.chunks(self._wanted.rows_per_chunk), key_of)

    def _definition(self, id: TableId, ddl: str) -> Table | None:
        """The recorded table while the server's is still the same, else the server's."""
        recorded = self._wanted.known.get(id)
        if recorded is not None and without_counter(recorded[0]) == without_counter(ddl):
            return recorded[1]
        self._catalog.execute(ddl, id.database)
        return self._catalog.tables.get(id)

    def _statement(self, table: _Table, shape: Shape, part: _Range) -> str:
        """The SELECT of a range; an override stands in the place of the table, so columns come as always."""
        database, name = table.id
        override = self._wanted.overrides.get(f"{database}.{name}")
        if override is not None:
            return f"SELECT {shape.select_list} FROM ({override.strip().rstrip(';')}) AS {quoted(name)}"
        selected = f"SELECT {shape.select_list} FROM {quoted(database, name)}"
        if table.key is None:
            return selected
        where = table.key.condition(part.after, part.upto)
        return f"{selected} FORCE INDEX (PRIMARY) WHERE {where} ORDER BY {table.key.order}"

    # What was read

    def _sent(self, work: _Work, raw: Sequence[RawRow]) -> Chunk:
        """All but the newest row of the table: it may be the last."""
        table, held = work.table, work.table.held
        rows = work.shape.snapshot_rows(raw)
        table.rows += len(rows)
        self._report.scanned(table.id, len(rows))
        batches, left = self._newest.out()
        if held is not None and held[0] is not None:
            held[1].after = held[0]  # it goes out now: its range begins behind it
        if work.key_of is not None and len(raw) > 1:
            work.part.after = work.key_of(raw[-2])
        table.held = (work.key_of(raw[-1]) if work.key_of else None, work.part)
        batches += table.out.add(work.shape, rows, work.sources, self._clock_ns())
        if (now := table.left()) is not None and table.out.begun:
            left[table.id] = now
        self._led = self._led or table.out.begun
        return Chunk(batches, left)

    def _ended(self, table: _Table) -> None:
        """A range has ended; with the last of them, the table: its newest row is kept, the one before it goes out."""
        if any(not part.ended for part in table.ranges):
            return
        self._led = True
        self._open.remove(table)
        self._report.ends(table.id)
        done = {table.id: Left("", (), table.rows)}
        closed = table.out.close()
        if closed is None:
            self._ends.append(Chunk((), done))
            return
        batches, left = self._newest.out()
        make, marker = closed
        self._newest.keep(lambda marker: make(marker, self._clock_ns()), marker, done)
        if batches or left:
            self._ends.append(Chunk(batches, left))
