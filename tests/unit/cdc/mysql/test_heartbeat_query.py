"""What becomes of a query that fails beside the log."""

from __future__ import annotations

from typing import Any

import pytest
from pymysql.err import OperationalError, ProgrammingError
from structlog.testing import capture_logs

from cdc.errors import SourceError
from cdc.mysql import heartbeat_query, wire

SETTINGS = wire.Settings(host="db", user="u")


class Answers:
    """A server whose statements end as listed; None is well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ends: Exception | None) -> None:
        self.ends, self.connected, self.closed = list(ends), 0, 0

        def connect(settings: Any, **options: Any) -> Answers:
            self.connected += 1
            return self

        monkeypatch.setattr(heartbeat_query, "Server", connect)

    def tried(self, sql: str) -> list[Any]:
        if sql == "UPDATE beat" and (error := self.ends.pop(0)) is not None:
            raise error
        return []

    def close(self) -> None:
        self.closed += 1


def test_a_lost_connection_is_said_once_and_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = OperationalError(2013, "Lost connection")
    server = Answers(monkeypatch, None, lost, lost, None)
    query = heartbeat_query.heartbeat_query(SETTINGS, "UPDATE beat")
    with capture_logs() as said:
        for _ in range(4):
            query.run()
    assert [(line["log_level"], line["event"]) for line in said] == [
        ("warning", "heartbeat.action.query failed; it is tried again with the next heartbeat"),
        ("info", "heartbeat.action.query runs again"),
    ]
    assert (server.connected, server.closed) == (3, 2)


def test_a_query_that_can_never_run_stops_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    Answers(monkeypatch, ProgrammingError(1064, "You have an error in your SQL syntax"))
    with pytest.raises(SourceError, match=r"heartbeat\.action\.query cannot run: .* \(1064\)"):
        heartbeat_query.heartbeat_query(SETTINGS, "UPDATE beat").run()
