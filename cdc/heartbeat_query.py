"""`heartbeat.action.query`: SQL that runs with each heartbeat, over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import structlog

from cdc.errors import SourceUnavailable

_log = structlog.get_logger(__name__)
PATIENCE_S: Final = 5
"""The log is not read while the query runs: it may wait no longer for a lock."""


class Runs(Protocol):
    """A connection for the query."""

    def run(self, sql: str) -> None:
        """Raises: SourceUnavailable: worth another try; SourceError: the server refuses it for good."""

    def close(self) -> None: ...


class HeartbeatQuery:
    """Connects when it first runs, and again after the connection was lost."""

    def __init__(self, connect: Callable[[], Runs], sql: str) -> None:
        """`connect` raises as `Runs.run` does."""
        self._connect, self._sql = connect, sql
        self._connection: Runs | None = None
        self._failing = False

    def run(self) -> None:
        """What fails is said once and tried again with the next heartbeat.

        Raises: SourceError: the server refuses the query for good.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.run(self._sql)
        except SourceUnavailable as error:
            self.close()
            if not self._failing:
                _log.warning("heartbeat.action.query failed; it is tried again with the next heartbeat",
                             reason=str(error))  # fmt: skip
            self._failing = True
        else:
            if self._failing:
                _log.info("heartbeat.action.query runs again")
            self._failing = False

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
