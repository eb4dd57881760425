"""A task of a JDBC source: its tables, each in its turn, and a look now and then for new and dropped ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from cdc.database import Database
from cdc.dialect import TableName
from cdc.errors import SourceError, SourceUnavailable
from cdc.jdbc import tables
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.horizon import WAIT_S
from cdc.jdbc.moments import to_moment, to_wall
from cdc.jdbc.offset import Position, stored
from cdc.jdbc.reading import Reads, TableReader
from cdc.jdbc.session import Session
from cdc.jdbc.statements import Select, of_table
from cdc.record import Poll, SourceOffset

_IDLE_S: Final = 0.5
NOWHERE: Final = Position()
_log = structlog.get_logger(__name__)


class JdbcSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: JdbcSourceConfig, where: Database) -> None:
        self._config, self._database = config, where
        self._session: Session | None = None
        self._readers: dict[TableName | None, TableReader] = {}
        self._due: dict[TableName | None, float] = {}
        self._positions: dict[TableName | None, Position] = {}
        self._look_at = 0.0
        self._nothing_said = False

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        """See `Source`."""
        self._session = self._opened()
        while True:
            if time.monotonic() >= self._look_at:
                self._look(resume)
            for table in self._ripe():
                yield from self._round(table)
            yield Poll(idle=True)
            next_at = min([self._look_at, *self._due.values()])
            time.sleep(min(_IDLE_S, max(0.0, next_at - time.monotonic())))

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """Nothing to forget: the tables stay as they are."""

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        if self._session is not None:
            self._session.close()

    def _opened(self) -> Session:
        return Session(self._database, self._config.isolation, self._config.batch_rows)

    def _ripe(self) -> list[TableName | None]:
        """What is due, that which waited longest first."""
        now = time.monotonic()
        return sorted((table for table, at in self._due.items() if at <= now), key=lambda table: self._due[table])

    def _round(self, table: TableName | None) -> Iterator[Poll]:
        reader = self._readers[table]
        try:
            yield from reader.polls()
        except SourceUnavailable:
            raise
        except SourceError:
            if table is None and self._config.query_masked:
                raise SourceError("query.masked: the database refuses the query; its words would show it, so run the "
                                  "query by hand, correct it, and restart the task") from None  # fmt: skip
            if table is None or not self._dropped(table):
                raise
            return
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
                position = self._positions.get(table) or stored(resume, table) or self._beginning(self._session)
                self._readers[table] = self._reader(self._session, table, position)
                self._due[table] = 0.0
        if not wanted and not self._nothing_said:
            self._nothing_said = True
            _log.warning(f"{self._database}: this task has no table to read now; it looks again every "
                         f"{self._config.table_poll_ms} ms (table.poll.interval.ms)")  # fmt: skip

    def _forget(self, table: TableName | None) -> None:
        _log.warning(
            f"{table} is gone and is not read any more; it is taken up again where it was left when it is back"
        )
        reader = self._readers.pop(table)
        self._positions[table] = reader.position
        reader.close()
        del self._due[table]

    def _dropped(self, table: TableName) -> bool:
        """Whether a round failed because its table is gone; the connection is a new one then."""
        assert self._session is not None
        self._session.close()
        self._session = self._opened()
        there = table in tables.found(self._session, self._config)
        if there:
            return False
        self._forget(table)
        self._positions |= {each: reader.position for each, reader in self._readers.items()}
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._due.clear()
        self._look_at = 0.0
        return True

    def _reader(self, session: Session, table: TableName | None, position: Position) -> TableReader:
        return TableReader(session, self._config, reads(self._config, session, table, position))

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
