"""A connection for reading: rows of a SELECT as the driver gives them, a part at a time, with their columns.

What differs between databases stands in one module each (`Product`); rows go past SQLAlchemy, straight from the driver.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cdc.database import Database, is_away, is_conflict, told
from cdc.dialect import TableName
from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.jdbc.columns import Column

Transactions = frozenset[str]
PRODUCTS: Final = {
    "mysql": "mysql", "mariadb": "mysql", "postgresql": "postgres", "sqlite": "sqlite", "oracle": "oracle",
    "sqlserver": "sqlserver",
}  # fmt: skip
"""Dialect -> module of this package."""


class Product(Protocol):
    """How one database is read: what the modules named above hold, as plain functions and values."""

    MARK: str
    """A parameter in SQL; `:n` stands for numbered ones."""
    NOW: str
    """Selects the current time."""
    FUNCTIONS: Mapping[str, Any]
    """What the forms of its columns call."""

    def begin(self, raw: Any, isolation: str) -> None:
        """Makes a new connection ready: autocommit, values as the forms expect them, the isolation level."""

    def cursor(self, raw: Any) -> Any:
        """One that keeps no more rows in memory than are fetched."""

    def columns(self, session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> Sequence[Column]:
        """Of the result that the cursor stands in; `rows` are its first."""

    def ended(self, raw: Any, cursor: Any, *, whole: bool) -> None:
        """The result is not needed any more; `whole`: it was read to its end."""

    def now(self, value: Any, to_wall: Any) -> int:
        """What NOW selected, in microseconds of the wall clock; `to_wall` is that of db.timezone for a moment."""

    def parameter(self, wall: int, moment: int, zoned: bool, digits: int) -> Any:
        """A timestamp as a parameter, from both its wall clock and its moment in microseconds."""

    def open_transactions(self, session: Session, *, writers: bool) -> Transactions | None:
        """Names of the transactions that are open in other sessions; None when the database does not tell.

        `writers`: only those that may have written already.
        """

    LACKING: str
    """What to do when it does not tell."""


@dataclass(frozen=True)
class Query:
    """What a SELECT reads from: a table, or only a text."""

    base: str
    table: TableName | None


class Result:
    """The rows of one SELECT. Close it, also when it was not read to its end."""

    def __init__(self, session: Session, cursor: Any, query: Query, size: int) -> None:
        self._session, self._cursor, self._query, self._size = session, cursor, query, size
        self._first: Sequence[Any] | None = None
        self.whole = False
        self.columns: Sequence[Column] = ()

    def fetch(self) -> Sequence[Any]:
        """The next rows; none at the end. `columns` are theirs."""
        with self._session.failures():
            rows: Sequence[Any] = self._cursor.fetchmany(self._size)
            if not self.columns or self._session.product.FUNCTIONS.get("dynamic"):
                self.columns = self._session.product.columns(self._session, self._cursor, self._query, rows)
        self.whole = len(rows) < self._size
        return rows

    def close(self) -> None:
        self._session.ended(self._cursor, whole=self.whole)


class Session:
    """One connection, opened when it is made. Every method raises SourceUnavailable or SourceError."""

    def __init__(self, database: Database, isolation: str = "DEFAULT", size: int = 1000) -> None:
        self.database, self._size = database, size
        self.product: Product = product(database.kind)
        self._broken = False
        with self.failures():
            self._kept = database.engine.raw_connection()
            self.raw: Any = self._kept.driver_connection
            self.product.begin(self.raw, isolation)

    def failures(self) -> _Failures:
        return _Failures(self.database)

    def rows(self, sql: str, parameters: Sequence[Any], query: Query) -> Result:
        with self.failures():
            cursor = self.product.cursor(self.raw)
            if parameters:
                cursor.execute(sql, tuple(parameters))
            else:
                cursor.execute(sql)
        return Result(self, cursor, query, self._size)

    def ended(self, cursor: Any, *, whole: bool) -> None:
        with self.failures():
            self.product.ended(self.raw, cursor, whole=whole)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Every row of a small result."""
        with self.failures():
            cursor = self.raw.cursor()
            try:
                if parameters:
                    cursor.execute(sql, tuple(parameters))
                else:
                    cursor.execute(sql)
                return list(cursor.fetchall())
            finally:
                cursor.close()

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first value of the first row; None when there is no row."""
        found = self.all(sql, parameters)
        return found[0][0] if found else None

    def close(self) -> None:
        """Never waits: rows not read are not read to their end."""
        closing = getattr(self.raw, "_force_close", None) or self.raw.close
        try:
            closing()
        except Exception:
            return
        finally:
            self._kept.detach()


class _Failures:
    """What a driver raises within becomes one of our errors, with the remedy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, TailraceError):
            raise failure(error, self._database) from error


def product(kind: str) -> Product:
    """The module of a database; its driver is imported there at the latest."""
    found: Any = importlib.import_module(f"cdc.jdbc.{PRODUCTS[kind]}")
    return found  # type: ignore[no-any-return]


def failure(error: Exception, database: Database) -> SourceError:
    """A driver's error as one of ours that says what to do."""
    if is_away(error):
        return SourceUnavailable(
            f"{database} does not answer: {told(error)}; check that it runs, that it can be reached from here, and "
            "connection.url"
        )
    if is_conflict(error):
        return SourceUnavailable(f"{database} ended a statement in favour of another session: {told(error)}")
    text = told(error)
    refused = any(sign in text.lower() for sign in ("access denied", "password", "login failed", "ora-01017", "28p01"))
    if refused:
        user = database.user or "(none)"
        return SourceError(f"{database} refuses the login of user {user}: {text}; correct connection.user and "
                           "connection.password, or grant the user access")  # fmt: skip
    return SourceError(f"{database}: {text}")
