"""One connection on which a scenario runs: keeps the statements that the server took, and knows the tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pymysql

NAME = re.compile(r"[A-Za-z_]\w*")
RESERVED = frozenset(("order", "key", "select"))


@dataclass(frozen=True)
class Column:
    """As `information_schema` has it."""

    name: str
    type: str
    nullable: bool
    generated: bool
    counted: bool


@dataclass(frozen=True)
class Table:
    """`keys`: columns by the name of their unique or other key."""

    database: str
    name: str
    columns: tuple[Column, ...]
    keys: dict[str, tuple[str, ...]]

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns of the primary key, else of a unique key, else none."""
        return self.keys.get("PRIMARY", ())

    def __str__(self) -> str:
        return f"{named(self.database)}.{named(self.name)}"


def named(identifier: str) -> str:
    """An identifier, quoted where it must be."""
    plain = NAME.fullmatch(identifier) and identifier not in RESERVED
    return identifier if plain else "`" + identifier.replace("`", "``") + "`"


class Session:
    """`taken` holds what the server took, in order; a statement it refuses leaves no trace."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = pymysql.connect(
            host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4"
        )
        self.is_mariadb = "MariaDB" in str(self._execute("SELECT version()"))
        self.taken: list[str] = []
        self.refused: list[tuple[str, str]] = []

    def run(self, statement: str) -> bool:
        """Whether the server took it."""
        try:
            self._execute(statement)
        except (pymysql.Error, UnicodeError) as error:
            self.refused.append((statement, str(error)))
            return False
        self.taken.append(statement)
        return True

    def replay(self, statements: list[str]) -> None:
        """A statement that is refused because another one is missing is passed over."""
        for statement in statements:
            self.run(statement)

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def drop_databases(self, start: str) -> None:
        """All whose names begin so."""
        for (name,) in self._execute("SHOW DATABASES"):
            if name.startswith(start):
                self.run(f"DROP DATABASE `{name}`")

    def log_readers(self) -> frozenset[int]:
        """Connections that stream the binary log."""
        found = self._execute("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")
        return frozenset(id for (id,) in found)

    def names(self, database: str) -> list[str]:
        """Its base tables."""
        found = self._execute(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema='{database}' "
            "AND table_type='BASE TABLE' ORDER BY table_name"
        )
        return [name for (name,) in found]

    def table(self, database: str, name: str) -> Table | None:
        """None: there is none."""
        literal = name.replace("'", "''")
        place = f"table_schema='{database}' AND BINARY table_name='{literal}'"
        kind = "IF(srs_id IS NULL, column_type, CONCAT(column_type, ' srid ', srs_id))"
        if self.is_mariadb:
            kind = "column_type"
        columns = tuple(
            Column(column, kind, nullable == "YES", "GENERATED" in extra.replace("DEFAULT_GENERATED", ""),
                   "auto_increment" in extra)
            for column, kind, nullable, extra in self._execute(
                f"SELECT column_name, {kind}, is_nullable, extra FROM information_schema.columns WHERE {place} "
                "ORDER BY ordinal_position"
            )
        )  # fmt: skip
        keys: dict[str, tuple[str, ...]] = {}
        for key, column in self._execute(
            f"SELECT index_name, column_name FROM information_schema.statistics WHERE {place} "
            "AND column_name IS NOT NULL ORDER BY index_name, seq_in_index"
        ):
            keys[key] = (*keys.get(key, ()), column)
        return Table(database, name, columns, keys) if columns else None

    def close(self) -> None:
        self._connection.close()
