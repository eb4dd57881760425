"""One connection on which a scenario of PostgreSQL runs: keeps what the server took, and knows the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True)
class Column:
    """As the catalog has it. `type` is what `postgres_types.VALUES` calls it."""

    name: str
    type: str
    generated: bool


@dataclass(frozen=True)
class Table:
    """`key`: of the primary key."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __str__(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_COLUMNS = """SELECT a.attname, upper(format_type(a.atttypid, a.atttypmod)), a.attgenerated::text <> '' OR
  a.attidentity = 'a' FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_KEY = """SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY a.attnum"""
_NAMES = {
    "CHARACTER VARYING": "VARCHAR", "CHARACTER": "CHAR", "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIME WITHOUT TIME ZONE": "TIME", "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TIME WITH TIME ZONE": "TIMETZ",
    "BIT VARYING": "VARBIT",
}  # fmt: skip


class PostgresSession:
    """`taken` holds what the server took, in order; a statement it refuses leaves no trace."""

    def __init__(self, host: str, port: int, database: str = "app") -> None:
        self._connection = psycopg.connect(
            host=host, port=port, user="app", password="apppw", dbname=database, autocommit=True
        )
        self.taken: list[str] = []

    def run(self, statement: str) -> bool:
        """Whether the server took it."""
        try:
            self._connection.execute(statement.encode())
        except psycopg.Error:
            return False
        self.taken.append(statement)
        return True

    def replay(self, statements: list[str]) -> None:
        """A statement that is refused because another one is missing is passed over."""
        for statement in statements:
            self.run(statement)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), parameters or None).fetchall()

    def drop_databases(self, start: str) -> None:
        """All whose names begin so, with their slots."""
        like = start + "%"
        for slot, pid in self.rows(
            "SELECT slot_name, active_pid FROM pg_replication_slots WHERE database LIKE %s", like
        ):
            if pid is not None:
                self.rows("SELECT pg_terminate_backend(%s, 5000)", pid)
            self.rows("SELECT pg_drop_replication_slot(%s)", slot)
        for (name,) in self.rows("SELECT datname FROM pg_database WHERE datname LIKE %s", like):
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def log_readers(self) -> frozenset[int]:
        return frozenset(pid for (pid,) in self.rows("SELECT active_pid FROM pg_replication_slots WHERE active"))

    def tables(self, schema: str) -> list[Table]:
        found = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", schema)
        return [self._table(schema, name) for (name,) in found]

    def _table(self, schema: str, name: str) -> Table:
        place = f"{quoted(schema)}.{quoted(name)}"
        columns = tuple(Column(column, _called(type_), made) for column, type_, made in self.rows(_COLUMNS, place))
        return Table(schema, name, columns, tuple(key for (key,) in self.rows(_KEY, place)))

    def close(self) -> None:
        self._connection.close()


def _called(told: str) -> str:
    """`TIMESTAMP(3) WITHOUT TIME ZONE` -> `TIMESTAMP(3)`."""
    array = "[]" if told.endswith("[]") else ""
    told = told.removesuffix("[]")
    size = ""
    if "(" in told:
        head, _, rest = told.partition("(")
        inner, _, tail = rest.partition(")")
        told, size = (head + tail).strip(), f"({inner})"
    told = _NAMES.get(told, told)
    if told in ("MOOD", "POSITIVE"):
        told = told.lower()
    if told in ("CHAR", "BIT") and size == "(1)":
        size = ""
    return told + size + array
