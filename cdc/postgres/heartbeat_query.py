"""The connection that `heartbeat.action.query` runs over."""

from __future__ import annotations

from cdc.errors import SourceError, SourceUnavailable
from cdc.heartbeat_query import PATIENCE_S, HeartbeatQuery
from cdc.postgres.wire import Session, Settings


def heartbeat_query(settings: Settings, sql: str) -> HeartbeatQuery:
    return HeartbeatQuery(lambda: _Connection(settings), sql)


class _Connection:
    """As `cdc.heartbeat_query.Runs` says. A table that is missing stops the task, as it stops Debezium's."""

    def __init__(self, settings: Settings) -> None:
        self._session = Session(
            settings, (f"SET lock_timeout = '{PATIENCE_S}s'", f"SET statement_timeout = '{2 * PATIENCE_S}s'")
        )

    def run(self, sql: str) -> None:
        try:
            self._session.rows(sql)
        except SourceUnavailable:
            raise
        except SourceError as error:
            if "(42P01)" in str(error):
                raise SourceError(f"heartbeat.action.query cannot run: {error}; create the table, or correct the "
                                  "query") from error  # fmt: skip
            raise SourceUnavailable(str(error)) from error

    def close(self) -> None:
        self._session.close()
