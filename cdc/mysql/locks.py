"""The lock under which a snapshot learns its position and the table definitions, held as briefly as can be.

One connection holds the lock, another opens the consistent snapshot while it is held: so the lock can go as soon
as the definitions are read, table locks too. Source: MySQL's manual, "FLUSH Statement", "LOCK TABLES".
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Final

from pymysql.err import MySQLError

from cdc.errors import SourceError, SourceUnavailable
from cdc.mysql import wire
from cdc.mysql.server import Server, quoted
from cdc.table import TableId

_GLOBAL: Final = {
    "minimal": "FLUSH TABLES WITH READ LOCK",
    "extended": "FLUSH TABLES WITH READ LOCK",
    "minimal_percona": "LOCK TABLES FOR BACKUP",
    "minimal_percona_no_table_locks": "LOCK TABLES FOR BACKUP",
}
_LOCK_WAIT_TIMEOUT: Final = 1205
_KEEP_ALIVE_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 30
"""A server that has not answered so long after the lock's own time limit is away."""


class ReadLock:
    """A read lock by one of `snapshot.locking.mode`'s ways, on a connection of its own.

    Attributes:
        held_ms: how long writers were kept out; set by `release`.
    """

    def __init__(self, settings: wire.Settings, mode: str, timeout_ms: int) -> None:
        self._settings, self._mode, self._timeout_s = settings, mode, max(1, timeout_ms // 1000)
        self._holder: Server | None = None
        self._since = self._touched = time.monotonic()
        self.held_ms = 0

    @property
    def is_kept(self) -> bool:
        """Whether the mode keeps the lock until every row is read."""
        return self._mode == "extended"

    @property
    def is_held(self) -> bool:
        return self._holder is not None

    def take(self, tables: Sequence[TableId]) -> None:
        """Locks the server, or the tables when it refuses that; nothing in mode `none`.

        Raises: SourceUnavailable: somebody holds a lock for longer than snapshot.lock.timeout.ms;
            SourceError: neither lock is permitted.
        """
        if self._mode not in _GLOBAL:
            return
        self._holder = Server(self._settings, read_timeout=self._timeout_s + _GRACE_SECONDS)
        self._holder.run(f"SET SESSION lock_wait_timeout = {self._timeout_s}")
        refusals = []
        for sql in self._ways(tables):
            try:
                self._holder.tried(sql)
            except (MySQLError, OSError) as error:
                refusals.append(error)
            else:
                self._since = self._touched = time.monotonic()
                return
        raise self._refused(refusals)

    def _ways(self, tables: Sequence[TableId]) -> list[str]:
        ways = [_GLOBAL[self._mode]]
        if tables and self._mode != "minimal_percona_no_table_locks":
            ways.append(f"FLUSH TABLES {', '.join(quoted(*table) for table in tables)} WITH READ LOCK")
            ways.append(f"LOCK TABLES {', '.join(quoted(*table) + ' READ' for table in tables)}")
        return ways

    def _refused(self, refusals: Sequence[Exception]) -> SourceError:
        texts = "; ".join(str(error.args[1] if len(error.args) > 1 else error) for error in refusals)
        if any(error.args[:1] == (_LOCK_WAIT_TIMEOUT,) for error in refusals):
            return SourceUnavailable(
                f"{self._settings}: no read lock within {self._timeout_s} s (snapshot.lock.timeout.ms): {texts}. A "
                "long transaction or a backup holds the tables: SHOW PROCESSLIST tells which; the snapshot tries again"
            )
        if isinstance(unavailable := wire.failure(refusals[-1], self._settings), SourceUnavailable):
            return unavailable
        return SourceError(
            f"{self._settings}: a read lock is not permitted: {texts}. Run: GRANT RELOAD, LOCK TABLES ON *.* TO "
            f"'{self._settings.user}'@'%'; or set snapshot.locking.mode=none while nothing alters tables"
        )

    def keep_alive(self) -> None:
        """To be called now and then while the lock is kept: a silent connection would be closed by the server."""
        if self._holder is not None and time.monotonic() - self._touched > _KEEP_ALIVE_SECONDS:
            self._holder.run("SELECT 1")
            self._touched = time.monotonic()

    def release(self) -> None:
        """Lets writers go on; harmless when nothing is locked."""
        holder, self._holder = self._holder, None
        if holder is None:
            return
        with contextlib.suppress(MySQLError, OSError):
            holder.tried("UNLOCK TABLES")
        self.held_ms = int((time.monotonic() - self._since) * 1000)
        holder.close()
