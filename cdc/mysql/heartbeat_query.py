"""`heartbeat.action.query`: SQL that runs with each heartbeat, over a connection of its own."""

from __future__ import annotations

from typing import Final

import structlog
from pymysql.err import MySQLError

from cdc.errors import SourceError, SourceUnavailable
from cdc.mysql import wire
from cdc.mysql.failures import numbered
from cdc.mysql.server import Server

_log = structlog.get_logger(__name__)
_SECONDS: Final = 5
"""The log is not read while the query runs: it may wait no longer for a lock."""
_FOR_GOOD: Final = frozenset((1044, 1046, 1049, 1064, 1142, 1143, 1227, 1370))
"""Errors that stop Debezium too: the query is wrong (SQLSTATE 42000, 3D000), and no retry makes it right."""


class HeartbeatQuery:
    """Connects when it first runs, and again after the connection was lost."""

    def __init__(self, settings: wire.Settings, sql: str) -> None:
        self._settings, self._sql = settings, sql
        self._server: Server | None = None
        self._failing = False

    def run(self) -> None:
        """What fails is said once and tried again with the next heartbeat.

        Raises: SourceError: the server refuses the query for good.
        """
        try:
            server = self._connected()
            server.tried(self._sql)
        except (MySQLError, OSError, SourceUnavailable) as error:
            self._failed(error)
        else:
            if self._failing:
                _log.info("heartbeat.action.query runs again")
            self._failing = False

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _connected(self) -> Server:
        if self._server is None:
            server = Server(self._settings, read_timeout=2 * _SECONDS)
            self._server = server
            server.tried(f"SET SESSION lock_wait_timeout = {_SECONDS}, innodb_lock_wait_timeout = {_SECONDS}")
        return self._server

    def _failed(self, error: Exception) -> None:
        self.close()
        number, text = numbered(error) if isinstance(error, MySQLError) else (0, str(error))
        if number in _FOR_GOOD:
            raise SourceError(
                f"{self._settings}: heartbeat.action.query cannot run: {text} ({number}); correct the query, or give "
                "the user the rights that it needs"
            ) from error
        if not self._failing:
            _log.warning(
                "heartbeat.action.query failed; it is tried again with the next heartbeat",
                server=str(self._settings), reason=text, number=number or None,
            )  # fmt: skip
        self._failing = True
