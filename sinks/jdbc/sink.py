"""Batches to rows: read, joined by table, written in one transaction; a bad row is found and returned alone.

The last state of each key counts: within one `put` a row is written once. Records may come again: upserts, updates and
deletions end in the same rows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy.engine import Connection, Engine

from cdc.database import Database, told
from cdc.errors import TargetError, TargetUnavailable
from cdc.jdbc_url import MYSQL, POSTGRES, SQLITE
from cdc.record import Batch, Rejected
from sinks.jdbc.columns import Target
from sinks.jdbc.failures import Meaning, meaning
from sinks.jdbc.offsets import Partition, StoredOffsets
from sinks.jdbc.rows import Place, Row
from sinks.jdbc.settings import Settings
from sinks.jdbc.shapes import Changes, Entry, Reader, Shape, Unfit
from sinks.jdbc.statements import Names, savepoint, truncate
from sinks.jdbc.tables import Tables, extensions
from sinks.jdbc.writers import Writer, writer

_TRIES: Final = 4
_PAUSE_S: Final = 0.05
_UNKNOWN_ZONE: Final = 1298
_log = structlog.get_logger(__name__)


class JdbcSink:
    """Writes one task's batches."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._session: _Session | None = None

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Raises: TargetUnavailable: nothing is written, repeat all; TargetError: a human is needed."""
        with self._errors():
            session = self._open()
            rejected: list[Rejected] = []
            changes = _joined([each for batch in batches for each in session.reader.read(batch, rejected)])
            changes = session.ready(changes, rejected)
            if changes or self._settings.offsets_table:
                self._written(session, batches, changes, rejected)
            return rejected

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> _Session:
        if self._session is None:
            self._session = _Session(self._database, self._settings)
        return self._session

    def _written(
        self, session: _Session, batches: Sequence[Batch], changes: list[Changes], rejected: list[Rejected]
    ) -> None:
        """At most a few times: after a deadlock, and after a look at the tables when a statement does not fit them."""
        looked = False
        for attempt in range(_TRIES):
            try:
                session.transaction(batches, changes)
                return
            except Exception as error:
                what = meaning(error)
                if what is Meaning.AWAY or attempt == _TRIES - 1 or (what is Meaning.OTHER and looked):
                    raise
                session.roll_back()
            if what is Meaning.CONFLICT:
                time.sleep(_PAUSE_S * 2**attempt)
                continue
            looked = True
            session.look_again(changes, rejected)
            if what is Meaning.ROW:
                refused: list[Rejected] = []
                session.transaction(batches, changes, refused)
                rejected += refused
                return

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What drivers raise becomes our errors; the connection is given up, for its state is not known."""
        try:
            yield
        except TargetError:
            self.close()
            raise
        except Exception as error:
            self.close()
            where = f"{self._database}"
            what = meaning(error)
            if what in (Meaning.AWAY, Meaning.CONFLICT):
                raise TargetUnavailable(f"{where} does not take the rows: {told(error)}") from error
            raise TargetError(f"{where} cannot be written to: {told(error)}; {self._remedy()}") from error

    def _remedy(self) -> str:
        user = self._database.user or "the user"
        return (f"see that {user} may connect, SELECT, INSERT, UPDATE and DELETE (to create tables: CREATE, to add "
                "columns: ALTER), and that the columns are what the records need")  # fmt: skip


class _Session:
    """One connection, and all that was made for it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine = database.engine
        self._names = Names(database.dialect)
        target = Target(self._names.database, extensions(self._engine, self._names, settings), settings)
        self.reader = Reader(target)
        self.tables = Tables(self._engine, self._names, settings)
        self._offsets = None
        if settings.offsets_table:
            self._offsets = StoredOffsets(self._engine, self._names, settings.offsets_table, settings.connector)
            self._offsets.create()
        self._writers: dict[tuple[Shape, tuple[bool, ...]], Writer] = {}
        self._connection: Connection = self._engine.connect()
        raw: Any = self._connection.connection.dbapi_connection
        self._raw = raw
        self._cursor: Any = raw.cursor()
        self._save, self._restore, self._forget_save = savepoint(self._names.database)
        self._set_up(settings.zone.key.replace("'", ""))
        raw.commit()

    def _set_up(self, zone: str) -> None:
        """MySQL's literals are written without backslashes; instants in columns that shift them are of our zone."""
        if self._names.database == POSTGRES:
            self._cursor.execute(f"SET TIME ZONE '{zone}'")
        if self._names.database != MYSQL:
            return
        self._cursor.execute("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_BACKSLASH_ESCAPES')")
        try:
            self._cursor.execute(f"SET SESSION time_zone = '{'+00:00' if zone == 'UTC' else zone}'")
        except Exception as error:
            if error.args[:1] != (_UNKNOWN_ZONE,):
                raise
            _log.warning("the server does not know the time zone: moments in TIMESTAMP columns are shifted (DATETIME "
                         "columns are right); load its zones with mysql_tzinfo_to_sql", zone=zone)  # fmt: skip

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.invalidate()
        with contextlib.suppress(Exception):
            self._connection.close()

    def roll_back(self) -> None:
        self._raw.rollback()

    def ready(self, changes: Sequence[Changes], rejected: list[Rejected]) -> list[Changes]:
        """Those whose tables are there as they must be; the records of others are rejected."""
        kept = []
        for each in changes:
            try:
                self.tables.ensure(each.shape)
                kept.append(each)
            except Unfit as unfit:
                rejected += [Rejected(entry.batch, entry.at, str(unfit)) for entry in each.entries]
        return kept

    def look_again(self, changes: Sequence[Changes], rejected: list[Rejected]) -> None:
        """The tables may have been changed by others."""
        self.tables.forget()
        self._writers.clear()
        refused = len(rejected)
        ready = self.ready(changes, rejected)
        if len(rejected) > refused:
            for each in changes:
                each.entries = each.entries if each in ready else []

    def transaction(
        self, batches: Sequence[Batch], changes: Sequence[Changes], refused: list[Rejected] | None = None
    ) -> None:
        """Writes all and commits. With `refused` bad rows are looked for and put there; without they raise."""
        if self._names.database == SQLITE:
            self._cursor.execute("BEGIN IMMEDIATE")
        ends = _ends(batches) if self._offsets else {}
        stored = self._offsets.read(self._cursor, ends) if self._offsets else {}
        for each in changes:
            due = each if not stored else _after(each, stored)
            if due.truncate is not None:
                self._cursor.execute(truncate(self._names, self.tables.named(due.shape)))
            if refused is None:
                self._apply(due.shape, due.entries)
            elif due.entries:
                self._halves(due.shape, due.entries, refused)
        if self._offsets:
            self._offsets.write(self._cursor, stored, ends)
        self._raw.commit()

    def _halves(self, shape: Shape, entries: Sequence[Entry], refused: list[Rejected]) -> None:
        """Writes what can be written, in order."""
        self._cursor.execute(self._save)
        try:
            self._apply(shape, entries)
        except Exception as error:
            if meaning(error) is not Meaning.ROW:
                raise
            self._cursor.execute(self._restore)
            if len(entries) == 1:
                entry = entries[0]
                words = f"table {self.tables.named(shape).sql} refused the row: {told(error)}"
                refused.append(Rejected(entry.batch, entry.at, words))
                return
            middle = len(entries) // 2
            self._halves(shape, entries[:middle], refused)
            self._halves(shape, entries[middle:], refused)
        else:
            if self._forget_save:
                self._cursor.execute(self._forget_save)

    def _apply(self, shape: Shape, entries: Sequence[Entry]) -> None:
        if not shape.keys or self._settings.insert == "insert":
            for part in _alternating(entries):
                self._write(shape, part)
        else:
            self._write(shape, _last_states(shape, entries))

    def _write(self, shape: Shape, entries: Sequence[Entry]) -> None:
        """Deletions first: their rows may hold what is unique in others."""
        if deleted := [entry.key for entry in entries if entry.row is None]:
            self._writer(shape).delete(self._cursor, deleted)
        rows: list[Row] = [(entry.key, entry.row) for entry in entries if entry.row is not None]
        partial: dict[tuple[bool, ...], list[Row]] = {}
        if shape.unavailable:
            rows, partial = _told_apart(shape, rows)
        if rows:
            self._writer(shape).write(self._cursor, rows)
        for absent, some in partial.items():
            self._writer(shape, absent).change(self._cursor, some)

    def _writer(self, shape: Shape, absent: tuple[bool, ...] = ()) -> Writer:
        """The one for all columns, or without those that are `absent`."""
        known = self._writers.get((shape, absent))
        if known is None:
            others: Sequence[Place] = shape.others
            if absent:
                others = [place for place, gone in zip(others, absent, strict=True) if not gone]
            known = writer(self._names, self.tables.named(shape), shape.keys, others, self._settings)
            known.prepare(self._cursor)
            self._writers[shape, absent] = known
        return known


def _joined(changes: Sequence[Changes]) -> list[Changes]:
    """Neighbours of one table and shape as one. A deletion fits any shape with its key."""
    made: list[Changes] = []
    last: dict[str, int] = {}
    for each in changes:
        at = last.get(each.shape.table)
        open_ = None if at is None or each.truncate is not None else made[at]
        if open_ is None or at is None or not _fits(open_.shape, each.shape):
            if each.entries or each.truncate is not None:
                last[each.shape.table] = len(made)
                made.append(each)
        else:
            shape = each.shape if open_.shape.only_deletes else open_.shape
            made[at] = replace(open_, shape=shape, entries=open_.entries + each.entries)
    return made


def _fits(one: Shape, other: Shape) -> bool:
    return one is other or ((one.only_deletes or other.only_deletes) and one.has_keys_of(other))


def _ends(batches: Sequence[Batch]) -> dict[Partition, int]:
    """The last offset of each partition."""
    found: dict[Partition, int] = {}
    for batch in batches:
        if batch.offsets and batch.partition is not None:
            at = (batch.topic, batch.partition)
            found[at] = max(found.get(at, -1), batch.offsets[-1])
    return found


def _after(changes: Changes, stored: dict[Partition, int]) -> Changes:
    """Without what the target holds already."""

    def is_new(entry: Entry) -> bool:
        batch = entry.batch
        return (batch.offsets or (0,))[entry.at] > stored.get((batch.topic, batch.partition or 0), -1)

    emptied = changes.truncate if changes.truncate is not None and is_new(changes.truncate) else None
    return replace(changes, entries=list(filter(is_new, changes.entries)), truncate=emptied)


def _alternating(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Runs of rows and of deletions, in order."""
    start = 0
    for at in range(1, len(entries) + 1):
        if at == len(entries) or (entries[at].row is None) != (entries[start].row is None):
            if entries:
                yield entries[start:at]
            start = at


def _last_states(shape: Shape, entries: Sequence[Entry]) -> Sequence[Entry]:
    """One entry a key. What the last does not tell is taken from the one before, if that tells it."""
    key: Callable[[Entry], Any] = lambda entry: entry.key  # noqa: E731
    try:
        last: dict[Any, Entry] = {entry.key: entry for entry in entries}
    except TypeError:  # a list in the key
        key = lambda entry: repr(entry.key)  # noqa: E731
        last = {key(entry): entry for entry in entries}
    if len(last) == len(entries):
        return entries
    if shape.unavailable and any(entry.row is not None and _lacks(shape, entry.row) for entry in entries):
        last = {}
        for entry in entries:
            known = last.get(key(entry))
            if known is not None and known.row is not None and entry.row is not None:
                pairs = zip(known.row, entry.row, strict=True)
                entry = entry._replace(row=tuple([old if new in shape.unavailable else new for old, new in pairs]))
            last[key(entry)] = entry
    return list(last.values())


def _lacks(shape: Shape, row: tuple[Any, ...]) -> bool:
    return any(value in row for value in shape.unavailable)


def _told_apart(shape: Shape, rows: Sequence[Row]) -> tuple[list[Row], dict[tuple[bool, ...], list[Row]]]:
    """Whole rows, and by the columns that they do not tell the others."""
    whole: list[Row] = []
    partial: dict[tuple[bool, ...], list[Row]] = {}
    unavailable = shape.unavailable
    for key, row in rows:
        for value in unavailable:
            if value in row:
                absent = tuple([row[place.at] in unavailable for place in shape.others])
                (partial.setdefault(absent, []) if any(absent) else whole).append((key, row))
                break
        else:
            whole.append((key, row))
    return whole, partial
