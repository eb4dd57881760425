"""The connection to PostgreSQL: how to reach a server, log in, query; and its errors as ours."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable, TailraceError

_SESSION: Final = {
    "datestyle": "ISO, MDY", "intervalstyle": "iso_8601", "extra_float_digits": "1", "bytea_output": "hex",
    "timezone": "UTC", "client_encoding": "UTF8", "lc_monetary": "C", "standard_conforming_strings": "on",
    "xmlbinary": "base64",
}  # fmt: skip
"""Every session writes values in the same form: rows of a snapshot are text as rows of the WAL are."""
ANSWER_S: Final = 60
"""How long a server may take for the answer to a statement."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to reach a server. `ssl_mode` and the files are libpq's own."""

    host: str
    user: str
    database: str
    port: int = 5432
    password: Password | None = None
    ssl_mode: str = "prefer"
    ssl_cert: str | None = None
    ssl_key: str | None = None
    ssl_password: Password | None = None
    ssl_root_cert: str | None = None
    connect_timeout_s: int = 30
    keep_alive: bool = True

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    def conninfo(self, **more: str) -> dict[str, Any]:
        given = {
            "host": self.host, "port": self.port, "user": self.user, "dbname": self.database,
            "password": self.password.reveal() if self.password is not None else None,
            "sslmode": self.ssl_mode, "sslcert": self.ssl_cert, "sslkey": self.ssl_key,
            "sslpassword": self.ssl_password.reveal() if self.ssl_password is not None else None,
            "sslrootcert": self.ssl_root_cert, "connect_timeout": self.connect_timeout_s,
            "keepalives": int(self.keep_alive), "keepalives_idle": 30, "keepalives_interval": 10,
            "keepalives_count": 3, "application_name": "tailrace",
            "options": " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in _SESSION.items()),
        }  # fmt: skip
        return {name: value for name, value in (given | more).items() if value is not None}


class Session:
    """A connection for queries, in autocommit."""

    def __init__(self, settings: Settings, statements: Sequence[str] = ()) -> None:
        """Raises: SourceUnavailable, SourceError."""
        self.settings = settings
        try:
            self._connection = psycopg.connect(**settings.conninfo(), autocommit=True, row_factory=tuple_row)
            for statement in statements:
                self._connection.execute(statement.encode())
        except psycopg.Error as error:
            raise failure(error, settings) from error

    @property
    def name(self) -> str:
        """User and server, for messages."""
        return str(self.settings)

    @property
    def version(self) -> int:
        """As 170011."""
        return self._connection.info.server_version

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Raises: SourceUnavailable, SourceError."""
        try:
            cursor = self._connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as error:
            raise failure(error, self.settings) from error

    def texts(self, query: str) -> list[list[str | None]]:
        """The rows' values as the server prints them. Raises: SourceUnavailable, SourceError."""
        try:
            result = self._connection.execute(query.encode()).pgresult
        except psycopg.Error as error:
            raise failure(error, self.settings) from error
        assert result is not None
        found = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
        return [[None if value is None else bytes(value).decode() for value in row] for row in found]

    def tried(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The same as `rows`. Raises: psycopg.Error: for who wants to look at it."""
        cursor = self._connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description is not None else []

    @property
    def raw(self) -> pq.abc.PGconn:
        """For COPY."""
        return self._connection.pgconn

    @cached_property
    def is_bare(self) -> bool:
        """Whether nothing encrypts what the socket carries. Not to be asked first in a transaction that is to go on."""
        if self._connection.pgconn.ssl_in_use:
            return False
        try:
            return not self.tried("SELECT 1 FROM pg_stat_gssapi WHERE pid = pg_backend_pid() AND encrypted")
        except psycopg.Error:
            return False

    def close(self) -> None:
        self._connection.close()


def next_result(connection: pq.abc.PGconn, settings: Settings) -> pq.abc.PGresult | None:
    """As PQgetResult, which waits with the interpreter lock held: no thread of the process would run meanwhile.

    Raises: SourceUnavailable: the connection is gone, or nothing has come for 60 seconds.
    """
    if not has_result(connection, settings, ANSWER_S):
        raise SourceUnavailable(f"{settings} left a statement without an answer for {ANSWER_S} s")
    return connection.get_result()


def has_result(connection: pq.abc.PGconn, settings: Settings, seconds: float) -> bool:
    """Whether PQgetResult has one at once, or within so long. Raises: SourceUnavailable."""
    until = time.monotonic() + seconds
    while connection.is_busy():
        left = until - time.monotonic()
        if left <= 0:
            return False
        if select.select([connection.socket], [], [], left)[0]:
            consume(connection, settings)
    return True


def consume(connection: pq.abc.PGconn, settings: Settings) -> None:
    """Reads what has come. Raises: SourceUnavailable."""
    try:
        connection.consume_input()
    except psycopg.Error as error:
        raise failure(error, settings) from error


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


_AWAY: Final = ("08", "57P", "53")
"""SQLSTATE classes that pass by themselves: connection, shutdown, too few resources."""
_REMEDIES: Final = {
    "28P01": "check database.user and database.password",
    "28000": "check database.user, and that pg_hba.conf lets it in from here (also for replication)",
    "3D000": "check database.dbname",
    "42501": "run as a superuser: ALTER ROLE {user} REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA <schema> TO "
             "{user}",
}  # fmt: skip


def said(state: str, message: str, settings: Settings) -> TailraceError:
    """The error of an SQLSTATE and its text."""
    text = f"{settings}: {message} ({state})" if state else f"{settings}: {message}"
    if state == "55006" and "is active" in message:
        return SourceUnavailable(f"{text}; another reader uses the slot: stop it, or give this connector a slot.name "
                                 "of its own")  # fmt: skip
    if state.startswith(_AWAY):
        return SourceUnavailable(text)
    remedy = _REMEDIES.get(state)
    return SourceError(text if remedy is None else f"{text}; {remedy.format(user=settings.user)}")


def failure(error: psycopg.Error, settings: Settings) -> TailraceError:
    """What the driver raised, as our error."""
    state = error.sqlstate or ""
    message = (error.diag.message_primary or str(error)).strip()
    if not state and isinstance(error, psycopg.OperationalError):
        return login_failure(message, settings)
    return said(state, message, settings)


_LOGINS: Final = (
    ("password authentication failed", "28P01"), ("no password supplied", "28P01"), ("no pg_hba.conf entry", "28000"),
    ("does not exist", "3D000"),
)  # fmt: skip
_TLS: Final = (
    (
        "certificate verify failed",
        "database.sslrootcert must hold the certificate of the CA that signed the server's, "
        "and that must not have expired",
    ),
    ("does not match host name", "set database.hostname to a name of the certificate, or database.sslmode=verify-ca"),
    ("does not support SSL", "set database.sslmode=prefer, or ssl=on at the server"),
    ("private key file", "check database.sslkey, and database.sslpassword if that key is locked"),
    ("root certificate file", "check database.sslrootcert"),
    ("certificate file", "check database.sslcert"),
    ("valid client certificate", "set database.sslcert and database.sslkey"),
    ("certificate authentication failed", "database.sslcert must be of the user that logs in"),
    ("unknown ca", "the CA of database.sslcert must be in the server's ssl_ca_file"),
    ("SSL", "check database.sslmode, database.sslrootcert and database.sslcert"),
)
"""Words of libpq and OpenSSL -> what mends it; the first that fits."""


def login_failure(message: str, settings: Settings) -> TailraceError:
    """libpq tells what is wrong at login in words alone."""
    text = " ".join(message.split())
    for words, remedy in _TLS:
        if words in text and "pg_hba.conf" not in text:
            return SourceError(f"{settings}: {text}; {remedy}")
    for words, state in _LOGINS:
        if words in text and "could not" not in text:
            return said(state, text, settings)
    return SourceUnavailable(f"{settings} does not answer: {text}; check that the server runs, that it can be reached "
                             "from here, and database.hostname and database.port")  # fmt: skip
