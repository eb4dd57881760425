"""The connection that `heartbeat.action.query` runs over."""

from __future__ import annotations

from typing import Final

from pymysql.err import MySQLError

from cdc.errors import SourceError, SourceUnavailable
from cdc.heartbeat_query import PATIENCE_S, HeartbeatQuery
from cdc.mysql import wire
from cdc.mysql.failures import numbered
from cdc.mysql.server import Server

_FOR_GOOD: Final = frozenset((1044, 1046, 1049, 1064, 1142, 1143, 1227, 1370))
"""Errors that stop Debezium too: the query is wrong (SQLSTATE 42000, 3D000), and no retry makes it right."""


def heartbeat_query(settings: wire.Settings, sql: str) -> HeartbeatQuery:
    return HeartbeatQuery(lambda: _Connection(settings), sql)


class _Connection:
    """As `cdc.heartbeat_query.Runs` says."""

    def __init__(self, settings: wire.Settings) -> None:
        self._settings = settings
        self._server = Server(settings, read_timeout=2 * PATIENCE_S)
        self.run(f"SET SESSION lock_wait_timeout = {PATIENCE_S}, innodb_lock_wait_timeout = {PATIENCE_S}")

    def run(self, sql: str) -> None:
        try:
            self._server.tried(sql)
        except MySQLError as error:
            number, text = numbered(error)
            if number in _FOR_GOOD:
                raise SourceError(
                    f"{self._settings}: heartbeat.action.query cannot run: {text} ({number}); correct the query, or "
                    "give the user the rights that it needs"
                ) from error
            raise SourceUnavailable(f"{self._settings}: {text} ({number})") from error
        except OSError as error:
            raise SourceUnavailable(f"{self._settings}: {error}") from error

    def close(self) -> None:
        self._server.close()
