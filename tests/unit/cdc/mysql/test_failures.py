from __future__ import annotations

import ssl

import pytest
from pymysql.err import MySQLError, OperationalError

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.mysql.failures import dump_refused, failure
from cdc.mysql.wire import Settings

LOGIN = Settings(host="db", user="cdc", password=Password("secret"))
GRANT = (
    "run: GRANT SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'"
)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OperationalError(1045, "Access denied for user 'cdc'@'%'"), SourceError, "check database.user"),
        (OperationalError(1227, "Access denied; you need REPLICATION SLAVE"), SourceError, GRANT),
        (OperationalError(1142, "SELECT command denied"), SourceError, GRANT),
        (OperationalError(1130, "Host '10.0.0.9' is not allowed"), SourceError, "run: CREATE USER 'cdc'@'%'"),
        (OperationalError(3118, "Account is locked."), SourceError, "run: ALTER USER 'cdc'@'%' ACCOUNT UNLOCK"),
        (OperationalError(1862, "Your password has expired."), SourceError, "run: ALTER USER 'cdc'@'%' IDENTIFIED BY"),
        (OperationalError(2003, "Can't connect"), SourceUnavailable, "cdc@db:3306 does not answer"),
        (OperationalError(2003, "Can't connect"), SourceUnavailable, "database.hostname and database.port"),
        (OperationalError(2013, "Lost connection"), SourceUnavailable, "(2013)"),
        (OperationalError(1053, "Server shutdown in progress"), SourceUnavailable, "shutdown"),
        (OperationalError(1040, "Too many connections"), SourceUnavailable, "raise max_connections"),
        (ConnectionResetError(104, "reset"), SourceUnavailable, "reset"),
        (TimeoutError("timed out"), SourceUnavailable, "timed out"),
        (ssl.SSLError("bad certificate"), SourceError, "database.ssl.mode"),
        (OperationalError(2026, "SSL is required but the server doesn't support it"), SourceError, "no TLS"),
        (MySQLError(1236, "log event entry exceeded max_allowed_packet"), SourceError, "max_allowed_packet"),
        (MySQLError("odd"), SourceError, "odd"),
    ],
)
def test_errors_say_what_to_do(error: Exception, kind: type[TailraceError], words: str) -> None:
    told = failure(error, LOGIN)
    assert type(told) is kind
    assert words in str(told)
    assert str(told).startswith("cdc@db:3306")
    assert "secret" not in str(told)


def test_our_own_errors_are_kept() -> None:
    ours = SourceUnavailable("away")
    assert failure(ours) is ours


def test_the_server_id_that_is_in_use_is_named() -> None:
    told = dump_refused("cdc@db:3306", "A replica with the same server_uuid/server_id has connected", 77)
    assert "the same server id 77: " in str(told)
    assert "database.server.id" in str(told)
