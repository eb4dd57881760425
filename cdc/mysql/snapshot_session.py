"""A connection that sees the server at one moment: what a snapshot reads over, and the definitions that go with it.

Source: MySQL's manual, "Metadata Locking", "Online DDL Limitations": a table that was rebuilt after a consistent view
was opened cannot be read in it (ER_TABLE_DEF_CHANGED).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import structlog
from pymysql.err import MySQLError

from cdc.errors import SourceUnavailable
from cdc.keys.texts import statements
from cdc.mysql import wire
from cdc.mysql.config import MySqlConfig
from cdc.mysql.key_ranges import Described, Key, walkable
from cdc.mysql.rows import RawRow, Select
from cdc.mysql.server import Server, quoted
from cdc.snapshot_offset import KeyValue
from cdc.table import TableId

_log = structlog.get_logger(__name__)
_NO_SUCH_TABLE: Final = 1146
_NO_SUCH_DATABASE: Final = 1049
_TABLE_CHANGED: Final = 1412
_LOCK_WAIT_TIMEOUT: Final = 1205
_SAVEPOINT: Final = "tailrace"
"""Going back to it frees a table for DDL, and keeps the consistent view."""
_COUNTER: Final = re.compile(r" AUTO_INCREMENT=\d+")


class Blocked(Exception):
    """A statement that alters the table is waiting or at work: worth another look in a moment."""


class Pinned(NamedTuple):
    """A table that nobody alters until the session frees it; `is_large`: it has as many rows as was asked for."""

    ddl: str
    seconds: int
    is_large: bool


class Session:
    """One connection; `begin` opens its view. Every method raises SourceUnavailable or SourceError."""

    def __init__(self, settings: wire.Settings, config: MySqlConfig) -> None:
        timeout_s = config.query_timeout_ms // 1000 or None
        self.server = Server(settings, read_timeout=timeout_s)
        try:
            run_initial_statements(self.server, config.initial_statements)
            # An empty sql_mode: names come in backticks, CHAR values unpadded. The server must not give up on us
            # while the log is away, nor cut a long SELECT short.
            self.server.run(
                "SET SESSION sql_mode = '', time_zone = '+00:00', net_write_timeout = 28800, wait_timeout = 28800, "
                # What waits longer for a table is tried again, and others are read meanwhile.
                "lock_wait_timeout = 1"
            )
            # Estimates are always fresh elsewhere than in MySQL 8 and later, where it knows neither it has no limit.
            for sql in (self.server.flavor.unlimited, "SET SESSION information_schema_stats_expiry = 0"):
                with contextlib.suppress(MySQLError):
                    self.server.tried(sql)
            self.server.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        self.server.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        self.server.run(f"SAVEPOINT {_SAVEPOINT}")

    def free(self) -> None:
        """Lets DDL go on at the tables read so far."""
        self.server.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")

    def close(self) -> None:
        self.server.close()

    def pin(self, table: TableId, large: int) -> Pinned | None:
        """The table as it is now, until `free`; None when there is no such table (any more).

        When it was rebuilt since the session's view was opened, the session gets a new view.
        Raises: Blocked.
        """
        name = quoted(*table)
        # The server's own estimate says 0 for a while after a table was filled. Touching rows also tells whether the
        # view can still read the table, and keeps DDL away from it.
        sql = f"SELECT UNIX_TIMESTAMP(), COUNT(*) FROM (SELECT 1 FROM {name} LIMIT {max(1, large)}) AS some"
        while True:
            try:
                seconds, rows = self.server.tried(sql)[0]
                ddl = self.server.tried(f"SHOW CREATE TABLE {name}")[0][1]
            except (MySQLError, OSError) as error:
                if error.args[:1] in ((_NO_SUCH_TABLE,), (_NO_SUCH_DATABASE,)):
                    return None
                if error.args[:1] == (_LOCK_WAIT_TIMEOUT,):
                    raise Blocked from error
                if error.args[:1] != (_TABLE_CHANGED,):
                    raise wire.failure(error, self.server.settings) from error
                _log.info("a table was altered before it was read; it is read as it is now", table=str(table))
                self.server.run("ROLLBACK")
                self.begin()
            else:
                return Pinned(str(ddl), int(seconds), rows >= large)

    def definition(self, table: TableId) -> str | None:
        """SHOW CREATE TABLE; None for a table that was dropped since it was listed, which a lock prevents."""
        try:
            return str(self.server.tried(f"SHOW CREATE TABLE {quoted(*table)}")[0][1])
        except (MySQLError, OSError) as error:
            if error.args[:1] in ((_NO_SUCH_TABLE,), (_NO_SUCH_DATABASE,)):
                return None
            if error.args[:1] == (_LOCK_WAIT_TIMEOUT,):
                raise SourceUnavailable(
                    f"{self.server.settings}: a statement that alters {table} is at work; the snapshot tries again"
                ) from error
            raise wire.failure(error, self.server.settings) from error

    def key(self, table: TableId) -> Key | None:
        """The primary key when the table can be read along it."""
        sql = (
            "SELECT s.column_name, c.data_type, c.column_type, c.character_set_name, c.collation_name, s.sub_part "
            "FROM information_schema.statistics s JOIN information_schema.columns c ON c.table_schema = s.table_schema "
            "AND c.table_name = s.table_name AND c.column_name = s.column_name "
            "WHERE s.table_schema = %s AND s.table_name = %s AND s.index_name = 'PRIMARY' ORDER BY s.seq_in_index"
        )
        return walkable([Described(*row) for row in self.server.run(sql, *table)])

    def bounds(self, table: TableId, key: Key, parts: int, rows: int) -> Sequence[KeyValue]:
        """Key values that divide a table of about so many rows into parts of about the same size."""
        read = key.reader([column.name for column in key.columns])
        origin = f"FROM {quoted(*table)} FORCE INDEX (PRIMARY)"
        names = key.order
        if read is None or parts < 2:
            return ()
        ends = [self._raw(f"SELECT {names} {origin} ORDER BY {_ordered(key, way)} LIMIT 1") for way in ("ASC", "DESC")]
        if not all(ends):
            return ()
        evenly = key.evenly(read(ends[0]), read(ends[1]), parts)
        if evenly is not None:
            return evenly
        if rows < parts:
            return ()
        places = [rows * part // parts for part in range(1, parts)]
        found = [self._raw(f"SELECT {names} {origin} ORDER BY {key.order} LIMIT 1 OFFSET {place}") for place in places]
        return [read(row) for row in found if row]

    def _raw(self, sql: str) -> RawRow:
        """The first row, as the wire has it; empty without one."""
        select = Select(self.server.connection, self.server.settings, sql)
        rows = [row for chunk in select.chunks(2) for row in chunk]
        return rows[0] if rows else ()


def without_counter(ddl: str) -> str:
    """A definition without the next AUTO_INCREMENT, which every insert changes."""
    return _COUNTER.sub("", ddl)


def run_initial_statements(server: Server, text: str | None) -> None:
    """`database.initial.statements`."""
    for statement in statements(text):
        server.run(statement)


def _ordered(key: Key, way: str) -> str:
    return ", ".join(f"{quoted(column.name)} {way}" for column in key.columns)
