"""A task of a JDBC source: its tables, each in its turn, and a look now and then for new and dropped ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from cdc.database import Database
from cdc.dialect import TableName
from cdc.errors import SourceError, SourceUnavailable
from cdc.jdbc import tables
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.first_read import FirstRead, begun
from cdc.jdbc.first_read import partition as of_ranges
from cdc.jdbc.horizon import WAIT_S
from cdc.jdbc.moments import to_moment, to_wall
from cdc.jdbc.offset import Position, stored
from cdc.jdbc.progress import Progress, estimates
from cdc.jdbc.reading import Reads, TableReader
from cdc.jdbc.session import Session
from cdc.jdbc.sessions import Sessions
from cdc.jdbc.statements import BULK, Select, of_table
from cdc.record import Poll, SourceOffset

_IDLE_S: Final = 0.5
NOWHERE: Final = Position()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Left:
    """Where a table was left; `unread`: its first read has not ended."""

    position: Position
    unread: bool = False
    begun: FirstRead | None = None


class JdbcSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: JdbcSourceConfig, where: Database, report: MutableMapping[str, Any]) -> None:
        self._config, self._database = config, where
        self._session: Session | None = None
        self._sessions: Sessions | None = None
        self._progress = Progress(report)
        self._estimates: dict[TableName, int] = {}
        self._readers: dict[TableName | None, TableReader] = {}
        self._due: dict[TableName | None, float] = {}
        self._left: dict[TableName | None, _Left] = {}
        self._unread: set[TableName | None] = set()
        self._stale: list[SourceOffset] = []
        self._look_at = 0.0
        self._nothing_said = False

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        """See `Source`."""
        self._session = self._opened()
        while True:
            if time.monotonic() >= self._look_at:
                self._look(resume)
            ripe = self._ripe()
            self._progress.expect({table: self._estimates.get(table, 0) for table in self._whole(ripe)})
            for table in ripe:
                yield from self._round(table)
            self._rest()
            forgotten, self._stale = self._stale, []
            yield Poll((), forgotten, idle=True)
            next_at = min([self._look_at, *self._due.values()])
            time.sleep(min(_IDLE_S, max(0.0, next_at - time.monotonic())))

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """Nothing to forget: the tables stay as they are."""

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._rest()
        if self._session is not None:
            self._session.close()

    def _rest(self) -> None:
        """Ranges of tables are not read for a while."""
        if self._sessions is not None:
            self._sessions.close()
            self._sessions = None

    def _several(self) -> Sessions:
        if self._sessions is None:
            self._sessions = Sessions(self._opened, self._config.sessions)
        return self._sessions

    def _opened(self) -> Session:
        return Session(self._database, self._config.isolation, self._config.batch_rows)

    def _ripe(self) -> list[TableName | None]:
        """What is due, that which waited longest first."""
        now = time.monotonic()
        return sorted((table for table, at in self._due.items() if at <= now), key=lambda table: self._due[table])

    def _round(self, table: TableName | None) -> Iterator[Poll]:
        reader = self._readers.get(table)
        if reader is None:  # gone with another table's connection
            return
        if table is not None:
            self._progress.begins(table, reader.begun.rows if reader.begun is not None else 0)
        try:
            for poll in reader.polls():
                if table is not None:
                    self._progress.scanned(table, sum(map(len, poll.batches)))
                yield poll
        except SourceUnavailable:
            raise
        except SourceError:
            if table is None and self._config.query_masked:
                raise SourceError("query.masked: the database refuses the query; its words would show it, so run the "
                                  "query by hand, correct it, and restart the task") from None  # fmt: skip
            if table is None or not self._dropped(table):
                raise
            return
        if not reader.waits:
            self._unread.discard(table)
            if table is not None:
                self._progress.ends(table)
        pause = WAIT_S if reader.waits else self._config.poll_ms / 1000
        self._due[table] = time.monotonic() + pause

    # Tables

    def _look(self, resume: Sequence[SourceOffset]) -> None:
        """Readers for what there is now."""
        assert self._session is not None
        self._look_at = time.monotonic() + self._config.table_poll_ms / 1000
        wanted: list[TableName | None] = [None]
        if not self._config.text:
            wanted = [*tables.shared(self._config, tables.found(self._session, self._config))]
        for gone in self._readers.keys() - set(wanted):
            self._forget(gone)
        for table in wanted:
            if table not in self._readers:
                self._begin(self._session, table, self._left.get(table) or self._stored(self._session, resume, table))
        if whole := self._whole(wanted):
            self._estimates = estimates(self._session, whole)
        if not wanted and not self._nothing_said:
            self._nothing_said = True
            _log.warning(f"{self._database}: this task has no table to read now; it looks again every "
                         f"{self._config.table_poll_ms} ms (table.poll.interval.ms)")  # fmt: skip

    def _forget(self, table: TableName | None) -> None:
        _log.warning(
            f"{table} is gone and is not read any more; it is taken up again where it was left when it is back"
        )
        reader = self._readers.pop(table)
        self._left[table] = _Left(reader.position, table in self._unread)
        reader.close()
        del self._due[table]
        if table is not None:
            self._progress.ends(table)

    def _dropped(self, table: TableName) -> bool:
        """Whether a round failed because its table is gone; the connection is a new one then."""
        assert self._session is not None
        self._session.close()
        self._rest()
        self._session = self._opened()
        there = table in tables.found(self._session, self._config)
        if there:
            return False
        self._forget(table)
        self._left |= {
            each: _Left(reader.position, each in self._unread, reader.begun) for each, reader in self._readers.items()
        }
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._due.clear()
        self._look_at = 0.0
        return True

    def _begin(self, session: Session, table: TableName | None, left: _Left) -> None:
        config = self._config
        found = reads(config, session, table, left.position)
        goes_on = left.begun is not None and (left.unread or config.mode == BULK)
        whole = config.mode == BULK or (left.unread and config.initial_ms != -1)
        if goes_on or (whole and config.sessions > 1):
            found = replace(found, walk=walk(config, session, found), begun=left.begun if goes_on else None)
        reader = self._readers[table] = TableReader(session, config, found, self._several)
        if left.begun is not None and reader.begun is None and table is not None:
            self._stale.append(SourceOffset(of_ranges(table), None))
        if left.unread:
            self._unread.add(table)
        self._due[table] = 0.0

    def _stored(self, session: Session, resume: Sequence[SourceOffset], table: TableName | None) -> _Left:
        """By an earlier start, of this connector or of the original."""
        known = stored(resume, table)
        return _Left(known or self._beginning(session), known is None, begun(resume, table))

    def _whole(self, listed: Sequence[TableName | None]) -> list[TableName]:
        """Those whose next round reads the whole table."""
        every = self._config.mode == BULK
        return [table for table in listed if table is not None and (every or table in self._unread)]

    def _beginning(self, session: Session) -> Position:
        """timestamp.initial, or everything."""
        initial = self._config.initial_ms
        if initial is None or not self._config.by_time:
            return Position()
        if initial != -1:
            return Position(None, initial * 1000)
        zone = self._config.zone()
        wall = session.product.now(session.one(session.product.NOW), to_wall(zone) if zone else None)
        return Position(None, to_moment(zone)(wall) if zone else wall)


def reads(config: JdbcSourceConfig, session: Session, table: TableName | None, position: Position = NOWHERE) -> Reads:
    """What of a table, or of the query, is read how. Raises: SourceUnavailable, SourceError."""
    dialect = session.database.dialect
    number: str | None = None
    times: Sequence[str] = ()
    if table is None:
        base, topic = config.text, config.topic_prefix
        number, times = (config.incrementing or None) if config.by_number else None, config.timestamps
    else:
        base, topic = of_table(dialect, table), config.topic_prefix + table.name
        columns = tables.definitions(session, table) if config.by_number or config.by_time else []
        if wrong := tables.nullable_problem(config, table, columns):
            raise SourceError(wrong[1])
        number = tables.incrementing_of(config, table, columns) if config.by_number else None
        times = tables.timestamps_of(config, table, columns) if config.by_time else ()
    select = Select(
        dialect, base, config.mode, session.product.MARK, number, times if config.by_time else (), config.suffix.strip()
    )  # fmt: skip
    keys: Sequence[str] = ()
    if table is not None and config.delete_look_ms:
        keys = tables.key_of(session, table)
    return Reads(table, select, topic, position, keys)


def walk(config: JdbcSourceConfig, session: Session, found: Reads) -> str | None:
    """The column along which a table can be read in ranges: none of its rows has a null there."""
    if found.table is None or config.suffix.strip():
        return None
    number = found.select.incrementing
    if number is None:
        key = tables.primary_key(session, found.table)
        return key[0] if len(key) == 1 else None
    columns = tables.definitions(session, found.table)
    return number if any(column.name == number and not column.nullable for column in columns) else None
