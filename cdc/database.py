"""A JDBC URL and a login in, a SQLAlchemy engine and its dialect out; what drivers raise becomes our errors.

Only here are database drivers of the JDBC connectors imported, each when it is used.
"""

from __future__ import annotations

import importlib
import socket
import sqlite3
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cdc.config import Password
from cdc.dialect import ALWAYS, Dialect, dialect_named
from cdc.driver_arguments import Arguments, arguments
from cdc.errors import ConfigError, Problem
from cdc.jdbc_url import MARIADB, MYSQL, ORACLE, POSTGRES, SQLITE, SQLSERVER, BadUrl, JdbcUrl, parse_jdbc_url

PREFIX: Final = "connection."
_OWN: Final = ("url", "user", "password", "attempts", "backoff.ms")
_MODULES: Final = {
    MYSQL: "pymysql", MARIADB: "pymysql", POSTGRES: "psycopg", SQLITE: "sqlite3", ORACLE: "oracledb",
    SQLSERVER: "pymssql",
}  # fmt: skip
_EXTRAS: Final = {ORACLE: "oracle", SQLSERVER: "sqlserver"}
_AWAY_MYSQL: Final = (1040, 1042, 1043, 1053, 1158, 1159, 1160, 1161, 1203, 1226, 2002, 2003, 2006, 2013, 2055, 3169,
                      4031)  # fmt: skip
"""Server away, going away, full, or the connection lost."""
_AWAY_STATES: Final = ("08", "53", "57P")
"""SQLSTATE classes of PostgreSQL: connection, resources, operator's intervention (shutdown, cannot connect now)."""
_AWAY_ORACLE: Final = ("ORA-01033", "ORA-01034", "ORA-01089", "ORA-01090", "ORA-03113", "ORA-03114", "ORA-03135",
                       "ORA-12170", "ORA-12514", "ORA-12528", "ORA-12541", "ORA-12543", "ORA-12545", "DPY-1001",
                       "DPY-4011", "DPY-6005")  # fmt: skip
_AWAY_SQLSERVER: Final = ("20002", "20003", "20004", "20006", "20009", "20047", "40613", "40197", "40501")


@dataclass(frozen=True)
class Database:
    """One database, not yet connected to.

    Attributes:
        engine: without a pool: a connection is opened when asked for, and closed when given back.
        schema: where the URL says that tables without a schema are.
        warnings: parameters that nobody knows, one sentence each.
    """

    engine: Engine
    dialect: Dialect
    url: JdbcUrl
    user: str | None
    schema: str | None
    warnings: Sequence[str]

    @property
    def kind(self) -> str:
        """One of the names in `cdc.jdbc_url`; MySQL and MariaDB are told apart by the URL alone."""
        return self.dialect.name

    def __str__(self) -> str:
        return f"{self.dialect.name} at {self.url}"


def database(
    raw: Mapping[str, str], *, quoting: str = ALWAYS, known_as: str = "", own: Sequence[str] = _OWN
) -> Database:
    """The database that `connection.url`, `.user`, `.password` and the other `connection.*` of a config name.

    Args:
        quoting: quote.sql.identifiers.
        known_as: dialect.name.
        own: what below `connection.` is the connector's own; the rest goes to the driver.
    Raises: ConfigError: the URL, or a driver that is not installed.
    """
    given = {
        name.removeprefix(PREFIX): text
        for name, text in raw.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in own
    }
    user, password = raw.get("connection.user"), raw.get("connection.password")
    secret = password.reveal() if isinstance(password, Password) else password
    try:
        url = parse_jdbc_url(raw.get("connection.url", ""))
        dialect = dialect_named(known_as, url.dialect)
        made = arguments(url, user or None, secret, given)
    except BadUrl as error:
        raise ConfigError([_wrong("connection.url", error)]) from error
    except ValueError as error:
        raise ConfigError([_wrong("dialect.name", error)]) from error
    engine = _engine(dialect, made)
    login = made.attempts[0].get("user")
    return Database(engine, dialect.quoting(quoting), url, login, made.schema, tuple(made.warnings))


def _wrong(key: str, error: Exception) -> Problem:
    return Problem(key, f"Invalid value for configuration {key}: {error}")


def _engine(dialect: Dialect, made: Arguments) -> Engine:
    """Raises: ConfigError: the driver is not installed."""
    module = _driver(dialect.name)
    opening: Callable[..., Any] = module.connect
    if dialect.name in (MYSQL, MARIADB):
        opening = _mysql_opening(opening, made.ssl_mode)
    elif dialect.name == SQLITE:
        opening = _sqlite_opening(opening)

    def connect() -> Any:
        """To the first host that answers."""
        *others, last = made.attempts
        for attempt in others:
            try:
                return opening(**attempt)
            except (module.Error, OSError):
                continue
        return opening(**last)

    engine = create_engine(URL.create(dialect.driver), creator=connect, poolclass=NullPool)
    if made.statements:
        event.listen(engine, "connect", _run(made.statements))
    return engine


def _driver(name: str) -> Any:
    try:
        return importlib.import_module(_MODULES[name])
    except ImportError as error:
        extra = _EXTRAS.get(name)
        remedy = f"run: pip install 'tailrace[{extra}]'" if extra else f"run: pip install {_MODULES[name]}"
        problem = f"the driver for {name} ({_MODULES[name]}) is not installed; {remedy}"
        raise ConfigError([Problem("connection.url", f"connection.url: {problem}")]) from error


def _run(statements: Sequence[str]) -> Callable[[Any, Any], None]:
    def opened(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    return opened


def _mysql_opening(opening: Callable[..., Any], mode: str) -> Callable[..., Any]:
    """`preferred` goes on without TLS when the server has none, or none that we speak."""

    def connect(**given: Any) -> Any:
        if mode == "disabled":
            return _kept_alive(opening(**given, ssl_disabled=True))
        try:
            return _kept_alive(opening(**given))
        except Exception as error:
            cause = getattr(error, "original_exception", error)
            if mode != "preferred" or not (isinstance(cause, ssl.SSLError) or "SSL is required" in str(error)):
                raise
        return _kept_alive(opening(**{**given, "ssl": None}, ssl_disabled=True))

    return connect


def _kept_alive(connection: Any) -> Any:
    """So that a server that vanished without a word is noticed within a minute, also by one that only waits for it."""
    sock = connection._sock
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return connection


def _sqlite_opening(opening: Callable[..., Any]) -> Callable[..., Any]:
    """A file that is not there is an error, never a new, empty database of a wrong name."""

    def connect(**given: Any) -> Any:
        path = str(given["database"]).removeprefix("file:").partition("?")[0]
        if not Path(path).parent.is_dir():
            raise sqlite3.OperationalError(f"the folder of {path} does not exist")
        return opening(**given)

    return connect


def is_away(error: BaseException) -> bool:
    """Whether a driver's error means that the database is away or busy, so that waiting helps.

    Deadlocks and lock timeouts are not meant: see `is_conflict`.
    """
    cause = getattr(error, "orig", None) or error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    number = cause.args[0] if cause.args else None
    if isinstance(number, int) and number in _AWAY_MYSQL:
        return True
    if isinstance(cause, ssl.SSLError):
        return False
    if isinstance(cause, ConnectionError | TimeoutError) or (type(cause) is OSError and cause.errno is not None):
        return True
    module = type(cause).__module__.partition(".")[0]
    if module == "psycopg":
        state = getattr(cause, "sqlstate", None)
        if state is not None:
            return str(state).startswith(_AWAY_STATES)
        lost = any(each.__name__ == "OperationalError" for each in type(cause).__mro__)
        return (lost and not _refused_postgres(str(cause))) or "closed" in str(cause)
    text = str(cause)
    if module == "sqlite3":
        return "locked" in text or "busy" in text
    if module == "oracledb":
        return any(code in text for code in _AWAY_ORACLE)
    if module in ("pymssql", "_mssql"):
        return any(code in text for code in _AWAY_SQLSERVER)
    return False


def _refused_postgres(text: str) -> bool:
    """A login that libpq reports without SQLSTATE: the server is there, and does not let us in."""
    lower = text.lower()
    if "starting up" in lower or "shutting down" in lower or "too many" in lower or "remaining connection" in lower:
        return False
    return any(sign in lower for sign in ("authentication", "no password", "does not exist", "pg_hba.conf",
                                          "certificate", "does not support ssl", "permission denied"))  # fmt: skip


def is_conflict(error: BaseException) -> bool:
    """Whether the database ended a transaction in favour of another (deadlock, lock timeout): do it again."""
    cause = getattr(error, "orig", None) or error
    number = cause.args[0] if cause.args else None
    if number in (1205, 1213) or getattr(cause, "sqlstate", None) in ("40001", "40P01", "55P03"):
        return True
    text = str(cause)
    return any(code in text for code in ("ORA-00060", "ORA-08177", "1205, b'", "deadlock victim"))


def told(error: BaseException) -> str:
    """A driver's error in one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    if len(cause.args) >= 2 and isinstance(cause.args[0], int):
        text = cause.args[1].decode("utf-8", "replace") if isinstance(cause.args[1], bytes) else str(cause.args[1])
        return f"{' '.join(text.split())} ({cause.args[0]})"
    return " ".join(str(cause).split()) or type(cause).__name__
