"""The socket to PostgreSQL: log in, query, copy out, and read the WAL as frames. The only I/O of the reader.

Source: PostgreSQL's manual, "Streaming Replication Protocol"; libpq's COPY functions through psycopg's `pq`.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.postgres.offset import lsn_text
from cdc.postgres.pgoutput import EPOCH_US

_SESSION: Final = {
    "datestyle": "ISO, MDY", "intervalstyle": "iso_8601", "extra_float_digits": "1", "bytea_output": "hex",
    "timezone": "UTC", "client_encoding": "UTF8", "lc_monetary": "C", "standard_conforming_strings": "on",
    "xmlbinary": "base64",
}  # fmt: skip
"""Every session writes values in the same form: rows of a snapshot are text as rows of the WAL are."""
_MOST_BYTES: Final = 16 << 20
"""Frames of large rows are handed on when they are so many bytes."""
_SILENCE_S: Final = 0.002
_GATHER_S: Final = 0.002
_GATHER_BEHIND_S: Final = 0.05
"""A server sends message by message; many at once are less work for all that follow, and come later."""
_KEEP_ALIVE: Final = struct.Struct(">QqB").unpack_from
_ANSWER_S: Final = 60
_STATUS: Final = struct.Struct(">cQQQqB").pack


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


Texts = tuple[str | None, ...]


class Received(NamedTuple):
    """What one read gave.

    `server_lsn`: how far the server is, when it said so after the last frame; else 0. `silent`: nothing more came.
    A frame is one pgoutput message after `pgoutput.HEADER_SIZE` bytes, of which 1 to 8 are its LSN.
    """

    frames: list[bytes]
    server_lsn: int
    silent: bool


class Replication:
    """A walsender session: creates a slot, then streams from it."""

    def __init__(self, settings: Settings, silence_s: float = 60) -> None:
        """`silence_s`: how long a server may say nothing while it is asked; its own receivers wait as long.

        Raises: SourceUnavailable, SourceError.
        """
        self._settings, self._silence_s = settings, silence_s
        try:  # not PGconn.connect, which would hold every thread of the process up
            self._session = psycopg.connect(**settings.conninfo(replication="database"), autocommit=True)
        except psycopg.Error as error:
            raise failure(error, settings) from error
        self._connection = self._session.pgconn
        self._reported = self._heard = time.monotonic()
        self._command = ""

    def execute(self, command: str) -> list[Texts]:
        """A replication command's rows. Raises: SourceUnavailable, SourceError."""
        self.begin(command)
        rows = self.answer(_ANSWER_S)
        if rows is None:
            raise SourceUnavailable(f"{self._settings} did not answer {command} within {_ANSWER_S} s")
        return rows

    def begin(self, command: str) -> None:
        """Sends a replication command that may take long; `answer` has its rows. Raises: SourceUnavailable."""
        self._command = command
        try:
            self._connection.send_query(command.encode())
        except psycopg.Error as error:
            raise failure(error, self._settings) from error

    def answer(self, seconds: float) -> list[Texts] | None:
        """None: the server is not done after so long. Raises: SourceUnavailable, SourceError."""
        if not _has_result(self._connection, self._settings, seconds):
            return None
        rows = self._rows(next_result(self._connection, self._settings), self._command)
        while next_result(self._connection, self._settings) is not None:
            pass
        return rows

    def _rows(self, result: pq.abc.PGresult | None, command: str) -> list[Texts]:
        if result is None or result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise self._refused(result, command)
        return [
            tuple(None if (value := result.get_value(row, column)) is None else value.decode()
                  for column in range(result.nfields))
            for row in range(result.ntuples)
        ]  # fmt: skip

    def start(self, slot: str, lsn: int, options: Mapping[str, str]) -> None:
        """Raises: SourceUnavailable, SourceError: the slot is in use, gone, or lost its WAL."""
        given = ", ".join(f"{quoted(name)} '{value.replace(chr(39), chr(39) * 2)}'" for name, value in options.items())
        command = f"START_REPLICATION SLOT {quoted(slot)} LOGICAL {lsn_text(lsn)} ({given})"
        self.begin(command)
        result = next_result(self._connection, self._settings)
        if result is None or result.status != pq.ExecStatus.COPY_BOTH:
            raise self._refused(result, command)
        self._connection.nonblocking = 1

    def read(self, most: int, seconds: float, *, behind: bool = False) -> Received:
        """Up to `most` frames, or as many as come until the server is silent; waits `seconds` for the first.

        `behind`: nobody waits for what comes next, so that more is gathered.
        Raises: SourceUnavailable: the connection is gone; SourceError: the server ended the stream.
        """
        frames: list[bytes] = []
        server_lsn, said_at, room, until, silent = 0, 0, _MOST_BYTES, 0.0, False
        connection, add = self._connection, frames.append
        more, gather = connection.get_copy_data, _GATHER_BEHIND_S if behind else _GATHER_S
        while len(frames) < most and room > 0:
            size, data = more(1)
            if size > 0:
                kind = data[0]
                if kind == 0x77:  # w
                    add(bytes(data))
                    room -= size
                elif kind == 0x6B:  # k
                    server_lsn, _, asked = _KEEP_ALIVE(data, 1)
                    said_at = len(frames)
                    if asked:
                        self._reported = 0.0
                continue
            if size < 0:
                raise self._ended()
            if frames or server_lsn:
                until, seconds = until or time.monotonic() + gather, _SILENCE_S
                if time.monotonic() > until:
                    break
            if not select.select([connection.socket], [], [], seconds)[0]:
                self._miss()
                silent = True
                break
            self._heard = time.monotonic()
            _consume(self._connection, self._settings)
        return Received(frames, server_lsn if said_at == len(frames) else 0, silent)

    def has_more(self) -> bool:
        """Whether something has come since the last `read`."""
        return bool(select.select([self._connection.socket], [], [], 0)[0])

    def _miss(self) -> None:
        """Raises: SourceUnavailable: the connection is dead although nothing says so."""
        silent = time.monotonic() - self._heard
        if silent > self._silence_s:
            raise SourceUnavailable(f"{self._settings} has said nothing for {silent:.0f} s although it was asked; the "
                                    "connection is given up")  # fmt: skip

    def report(self, lsn: int, every_s: float, *, now: bool = False) -> None:
        """Tells the server what is durable: it may forget what stands before (0: nothing). At most once in `every_s`.

        The server is asked how far it is: where it passes over what is not for us, it says so only when asked.
        """
        clock = time.monotonic()
        if not now and clock - self._reported < every_s:
            return
        self._reported = clock
        status = _STATUS(b"r", lsn, lsn, lsn, time.time_ns() // 1000 - EPOCH_US, 1)
        try:
            self._connection.put_copy_data(status)
            self._connection.flush()
        except psycopg.Error as error:
            raise failure(error, self._settings) from error

    def _ended(self) -> TailraceError:
        result = next_result(self._connection, self._settings)
        if result is None or result.status == pq.ExecStatus.COMMAND_OK:
            return SourceUnavailable(f"{self._settings} ended the replication stream")
        return self._refused(result, "the replication stream")

    def _refused(self, result: pq.abc.PGresult | None, command: str) -> TailraceError:
        if result is None or self._connection.status != pq.ConnStatus.OK:
            return SourceUnavailable(f"{self._settings} closed the connection during {command}")
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        primary = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        return said(state, primary or result.get_error_message("utf-8").strip(), self._settings)

    def close(self) -> None:
        self._session.close()


def next_result(connection: pq.abc.PGconn, settings: Settings) -> pq.abc.PGresult | None:
    """As PQgetResult, which waits with the interpreter lock held: no thread of the process would run meanwhile.

    Raises: SourceUnavailable: the connection is gone, or nothing has come for 60 seconds.
    """
    if not _has_result(connection, settings, _ANSWER_S):
        raise SourceUnavailable(f"{settings} left a statement without an answer for {_ANSWER_S} s")
    return connection.get_result()


def _has_result(connection: pq.abc.PGconn, settings: Settings, seconds: float) -> bool:
    """Whether a result is there, or comes within so long."""
    until = time.monotonic() + seconds
    while connection.is_busy():
        left = until - time.monotonic()
        if left <= 0:
            return False
        if select.select([connection.socket], [], [], left)[0]:
            _consume(connection, settings)
    return True


def _consume(connection: pq.abc.PGconn, settings: Settings) -> None:
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
