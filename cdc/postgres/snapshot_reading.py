"""Rows of many tables over one session or several -> batches with Debezium's snapshot markers, and what is left.

A table is read in parts, which are ranges of its file's pages: a snapshot that was stopped goes on with the parts that
are left, and several sessions read parts of a table at once. The sessions' sockets are read in turn by one thread:
decoding would not become faster by more threads of one interpreter.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog

from cdc.postgres import copy_rows
from cdc.postgres.capture import Shape
from cdc.postgres.catalog import Found
from cdc.postgres.copy_out import Copy
from cdc.postgres.snapshot_session import Blocked, Pinned, ViewSession
from cdc.postgres.wire import quoted
from cdc.snapshot_markers import MARKERS, Chunk, Newest, TableRows
from cdc.snapshot_offset import KeyRange, Left
from cdc.snapshot_report import SnapshotReport
from cdc.table import TableId
from cdc.watched import key_names

_log = structlog.get_logger(__name__)
_IDLE_SECONDS: Final = 0.5


class Part(NamedTuple):
    """Pages of a table's file, from one up to another (None: to its end, and what has no pages)."""

    first: int = 0
    end: int | None = None


@dataclass
class _Table:
    """A table that is being read.

    Attributes:
        file: what the parts are pages of; None: it is read whole.
        reading: parts that sessions are at.
        held: the part of the newest row, which is kept back.
        contended: somebody waits to alter it; until it is free no other session begins with it.
    """

    found: Found
    shape: Shape
    origins: Mapping[str, tuple[Any, ...]]
    file: str | None
    waiting: deque[Part]
    out: TableRows
    rows: int
    reading: list[Part]
    held: Part | None = None
    contended: bool = False

    def left(self) -> Left | None:
        """What was not sent yet; None where that cannot be told."""
        if self.file is None:
            return None
        parts = sorted({*self.waiting, *self.reading, *([self.held] if self.held is not None else ())})
        return Left(self.file, tuple(_joined(parts)), self.rows) if parts else None


@dataclass
class _Work:
    """A part that a session is reading."""

    session: ViewSession
    table: _Table
    part: Part
    copy: Copy
    chunks: Iterator[bytes]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be read, and how.

    Attributes:
        tables: in the order they are begun.
        left: what an earlier attempt left of tables it began, by `schema.table`.
        overrides: SELECT statements by `schema.table`.
        pages: of a part.
        rows_per_chunk: rows of a poll.
        by_key: what is read in one part is read in the order of its key.
        resumed: an earlier attempt sent records.
    """

    tables: Sequence[Found]
    left: Mapping[str, Left]
    overrides: Mapping[str, str]
    pages: int
    rows_per_chunk: int
    by_key: bool = False
    resumed: bool = False


class Reading:
    """One pass over the tables.

    Attributes:
        vanished: a table was gone, or renamed, before it was read whole.
    """

    def __init__(
        self, wanted: Wanted, sessions: Sequence[ViewSession], newest: Newest, report: SnapshotReport[TableId], *,
        shape: Callable[[Found], Shape], source: Callable[[int, str, TableId], tuple[Any, ...]],
        clock_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        """`shape` gives a table's shape as it is now, the same object as long as it is the same.

        `source` makes a source block from microseconds, marker and table.
        """
        self._wanted, self._idle, self._newest, self._report = wanted, deque(sessions), newest, report
        self._shape, self._source, self._clock_ns = shape, source, clock_ns
        self._tables = deque(enumerate(wanted.tables))
        self._open: deque[_Table] = deque()
        self._ends: deque[Chunk] = deque()
        self._led = False
        self.vanished = False

    def chunks(self) -> Iterator[Chunk]:
        """At least one every half second. Raises: SourceUnavailable, SourceError, ConversionError."""
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
                if not self._tables and not self._open:
                    return
                yield Chunk()
            ready = list(busy) if len(busy) == 1 else [work for work in busy if work.copy.ready()]
            if busy and not ready and not select.select([w.copy.socket for w in busy], [], [], _IDLE_SECONDS)[0]:
                yield Chunk()
            for work in ready:
                lines = next(work.chunks, None)
                if lines is not None:
                    yield self._sent(work, lines) if lines else Chunk()
                    continue
                busy.remove(work)
                work.session.free()
                work.table.reading.remove(work.part)
                work.table.contended = False
                self._idle.append(work.session)
                self._ended(work.table)
                yield from self._finished()

    def _finished(self) -> Iterator[Chunk]:
        while self._ends:
            yield self._ends.popleft()

    # What to read

    def _next(self, session: ViewSession) -> _Work | None:
        """The session's next part: of a table that is begun, else of the next one."""
        for table in list(self._open):
            if table.waiting and not table.contended:
                try:
                    pinned = self._pinned(session, table.found)
                except Blocked:
                    # Who waits for the table waits for another session of ours, if one reads it: that reads the rest.
                    table.contended = bool(table.reading)
                    continue
                if self._goes_on(table, pinned):
                    return self._started(session, table)
                self._ended(table)
        for _ in range(len(self._tables)):
            number, found = self._tables.popleft()
            try:
                pinned = self._pinned(session, found)
            except Blocked:
                self._tables.append((number, found))
                continue
            self._report.begins(found.id)
            if pinned is None:
                self._led = True
                self._report.ends(found.id)
                continue
            table = self._opened(found, pinned, is_first=number == 0 and not self._wanted.resumed)
            if table.waiting:
                self._open.append(table)
                return self._started(session, table)
            session.free()
        return None

    def _pinned(self, session: ViewSession, found: Found) -> Pinned | None:
        pinned = session.pin(found.oid, found.id)
        if pinned is None:
            self.vanished = True
            _log.info("a table was dropped or renamed before it was read", table=str(found.id))
        return pinned

    def _opened(self, found: Found, pinned: Pinned, *, is_first: bool) -> _Table:
        left = self._wanted.left.get(str(found.id))
        # Pages are walked only where they stay the same: neither a SELECT of the user's own nor several files.
        file = pinned.file if str(found.id) not in self._wanted.overrides else None
        begun = left is not None and file is not None and left.key == file
        rows = left.rows if left is not None and begun else 0
        parts = _parts(pinned.pages, self._wanted.pages) if file is not None else [Part()]
        if left is not None and begun:
            parts = [part for each in left.ranges for part in _cut(each, self._wanted.pages, pinned.pages)]
        self._report.begins(found.id, rows)
        return _Table(
            found, self._shape(found), self._origins(found, pinned), file, deque(parts),
            TableRows(is_first=is_first, begun=begun), rows, [],
        )  # fmt: skip

    def _goes_on(self, table: _Table, pinned: Pinned | None) -> bool:
        """Whether a table that was begun can be read on, in the shape it has now."""
        if pinned is None:
            table.waiting.clear()
            return False
        table.shape = self._shape(table.found)
        if pinned.file != table.file:
            # Its rows stand elsewhere now: it is read anew, in a view that sees them.
            table.file = pinned.file
            table.waiting = deque(_parts(pinned.pages, self._wanted.pages) if pinned.file is not None else [Part()])
        return True

    def _started(self, session: ViewSession, table: _Table) -> _Work:
        part = table.waiting.popleft()
        table.reading.append(part)
        copy = session.copy(self._statement(table, part))
        return _Work(session, table, part, copy, copy.chunks(self._wanted.rows_per_chunk))

    def _statement(self, table: _Table, part: Part) -> str:
        """The SELECT of a part; an override stands in the place of the table, so columns come as always."""
        id = table.found.id
        override = self._wanted.overrides.get(str(id))
        if override is not None:
            return f"{table.shape.selected} FROM ({override.strip().rstrip(';')}) AS {quoted(id.name)}"
        selected = table.shape.select
        bounds = [f"ctid >= '({part.first},0)'::tid"] if part.first else []
        if part.end is not None:
            bounds.append(f"ctid < '({part.end},0)'::tid")
        if bounds:
            return f"{selected} WHERE {' AND '.join(bounds)}"
        key = ", ".join(map(quoted, key_names(table.shape))) if self._wanted.by_key else ""
        return f"{selected} ORDER BY {key}" if key else selected

    def _origins(self, found: Found, pinned: Pinned) -> Mapping[str, tuple[Any, ...]]:
        return {marker: self._source(pinned.time_us, marker, found.id) for marker in MARKERS}

    # What was read

    def _sent(self, work: _Work, lines: bytes) -> Chunk:
        """All but the newest row of the table: it may be the last."""
        table = work.table
        if str(table.found.id) in self._wanted.overrides:  # a null may stand in any column
            rows = list(map(table.shape.row, copy_rows.values(lines.decode())))
        else:
            rows = table.shape.copied(lines)
        table.rows += len(rows)
        self._report.scanned(table.found.id, len(rows))
        batches, left = self._newest.out()
        moved, table.held = table.held not in (None, work.part), work.part
        batches += table.out.add(table.shape, rows, table.origins, self._clock_ns())
        if moved and (now := table.left()) is not None:
            left[table.found.id] = now
        self._led = self._led or table.out.begun
        return Chunk(batches, left)

    def _ended(self, table: _Table) -> None:
        """A part has ended; with the last of them, the table: its newest row is kept, the one before it goes out."""
        if table.waiting or table.reading:
            return
        self._led = True
        self._open.remove(table)
        id = table.found.id
        self._report.ends(id)
        done = {id: Left("", (), table.rows)}
        closed = table.out.close()
        if closed is None:
            self._ends.append(Chunk((), done))
            return
        batches, left = self._newest.out()
        make, marker = closed
        self._newest.keep(lambda marker: make(marker, self._clock_ns()), marker, done)
        if batches or left:
            self._ends.append(Chunk(batches, left))


def _parts(pages: int, size: int) -> list[Part]:
    return _cut(KeyRange(), size, pages)


def _cut(left: KeyRange, size: int, pages: int) -> list[Part]:
    """The parts of a range; that which goes to the end of a file has no end, for the file grows."""
    first = int(left.after[0]) if left.after is not None else 0
    end = int(left.upto[0]) if left.upto is not None else max(pages, first + 1)
    starts = list(range(first, end, size))
    parts = [Part(start, min(start + size, end)) for start in starts]
    return parts if left.upto is not None else [*parts[:-1], Part(starts[-1])]


def _joined(parts: Sequence[Part]) -> Iterator[KeyRange]:
    """Neighbours as one range."""
    first, end = parts[0]
    for part in parts[1:]:
        if part.first != end:
            yield _range(first, end)
            first = part.first
        end = part.end
    yield _range(first, end)


def _range(first: int, end: int | None) -> KeyRange:
    return KeyRange((str(first),) if first else None, None if end is None else (str(end),))
