"""A connection that sees the database at one moment, and tables that nobody alters while it reads them.

Source: PostgreSQL's manual, "SET TRANSACTION" (snapshots), "Explicit Locking", "TRUNCATE" and "ALTER TABLE": after them
an older view finds a table empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import psycopg
import structlog

from cdc.postgres.copy_out import Copy, copy_out
from cdc.postgres.wire import Session, failure, quoted
from cdc.table import TableId

_log = structlog.get_logger(__name__)
_GONE: Final = ("42P01", "3F000")
"""No such table; no such schema."""
_BLOCKED: Final = ("55P03", "40P01")
"""A lock that was not available in time; a deadlock."""
_SAVEPOINT: Final = "tailrace"
"""Going back to it frees a table for DDL, and keeps the view."""
_PIN: Final = """WITH RECURSIVE parts AS (SELECT %s::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i
  JOIN parts p ON p.oid = i.inhparent)
SELECT to_regclass(%s)::oid = %s::oid, c.relkind = 'r' AND NOT c.relhassubclass, pg_relation_filenode(c.oid)::text,
  (SELECT bool_or(pg_relation_filenode(p.oid) IS DISTINCT FROM nullif(p.relfilenode, 0)) FROM pg_class p JOIN parts
   USING (oid)),
  pg_relation_size(c.oid) / current_setting('block_size')::int,
  (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM pg_class c WHERE c.oid = %s"""


class Blocked(Exception):
    """A statement that alters the table is waiting or at work: worth another look in a moment."""


class Pinned(NamedTuple):
    """A table that nobody alters until the session frees it.

    Attributes:
        file: names what holds its rows: as long as it is the same, no row that nobody changed moves; None: several.
        pages: of that file.
        time_us: of the server's clock, since 1970.
    """

    file: str | None
    pages: int
    time_us: int


class ViewSession:
    """One connection; `begin` opens its view. Every method raises SourceUnavailable or SourceError."""

    def __init__(self, session: Session, level: str, *, keeps_locks: bool = False) -> None:
        """`keeps_locks`: tables are not freed for DDL before the end (`snapshot.locking.mode=shared`)."""
        self._session, self._level, self._keeps_locks = session, level, keeps_locks
        session.rows("SET synchronize_seqscans = off")
        session.rows("SET statement_timeout = 0")
        session.rows("SET idle_in_transaction_session_timeout = 0")
        self._is_bare = session.is_bare

    def begin(self, view: str | None = None) -> None:
        """Opens a view: an exported one, or of now."""
        # Only this level takes up a view that was exported; of one view, serializable reads the same.
        level = "REPEATABLE READ" if view is not None else self._level
        self._session.rows(f"BEGIN TRANSACTION ISOLATION LEVEL {level}, READ ONLY")
        if view is not None:
            self._session.rows(f"SET TRANSACTION SNAPSHOT '{view}'")
        self._session.rows("SELECT 1")

    def exported(self) -> str:
        """The name of this session's view, for others to take up."""
        return str(self._session.rows("SELECT pg_export_snapshot()")[0][0])

    def lock(self, tables: Sequence[TableId], timeout_ms: int) -> None:
        """Nobody alters the tables until the transaction ends; their rows may change."""
        self._session.rows(f"SET LOCAL lock_timeout = {timeout_ms}")
        self._session.rows(f"LOCK TABLE {', '.join(map(_quoted, tables))} IN ACCESS SHARE MODE")

    def ready(self) -> None:
        """What is locked from now on is freed by `free`. What waits longer for a lock is tried again."""
        self._session.rows("SET LOCAL lock_timeout = '1s'")
        self._session.rows(f"SAVEPOINT {_SAVEPOINT}")

    def free(self) -> None:
        if not self._keeps_locks:
            self._session.rows(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")

    def end(self) -> None:
        self._session.rows("ROLLBACK")

    def pin(self, oid: int, table: TableId) -> Pinned | None:
        """The table as it is now, until `free`; None when there is no such table (any more).

        When it was emptied or rewritten since the view was opened, the session gets a new view.
        Raises: Blocked.
        """
        name = _quoted(table)
        while True:
            try:
                self._session.tried(f"LOCK TABLE {name} IN ACCESS SHARE MODE")
                found = self._session.tried(_PIN, (oid, name, oid, oid))
            except psycopg.Error as error:
                self._back()
                if error.sqlstate in _GONE:
                    return None
                if error.sqlstate in _BLOCKED:
                    raise Blocked from error
                raise failure(error, self._session.settings) from error
            if not found or not found[0][0]:
                # Made after the view was opened, dropped, or another of that name.
                self.free()
                return None
            _, is_one, file, is_rewritten, pages, time_us = found[0]
            if not is_rewritten:
                return Pinned(file if is_one else None, pages, time_us)
            _log.info("a table was emptied or rewritten before it was read; it is read as it is now", table=str(table))
            self.end()
            self.begin()
            self.ready()

    def _back(self) -> None:
        self._session.rows(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")

    def copy(self, select_: str) -> Copy:
        return copy_out(self._session, select_, is_bare=self._is_bare)

    def close(self) -> None:
        self._session.close()


def _quoted(table: TableId) -> str:
    return f"{quoted(table.database)}.{quoted(table.name)}"
