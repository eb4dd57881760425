"""SQL texts of each database: names, CREATE and ALTER TABLE, inserts, upserts, updates, deletions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from cdc.dialect import Dialect
from cdc.jdbc_url import MARIADB, MYSQL, SQLITE, SQLSERVER
from sinks.jdbc.columns import Form
from sinks.jdbc.rows import Place

_PARAMETERS: Final = {"sqlite": "?", "sqlserver": "%s", "mysql": "%s", "postgresql": "%s"}


class Table(NamedTuple):
    """A table's name as SQL has it, and its parts without quotes."""

    sql: str
    schema: str | None
    name: str


class Names(NamedTuple):
    """Identifiers of one database."""

    dialect: Dialect

    @property
    def database(self) -> str:
        """The dialect's name; MariaDB's SQL is MySQL's."""
        return MYSQL if self.dialect.name == MARIADB else self.dialect.name

    def quote(self, name: str) -> str:
        return self.dialect.quote(name)

    def table(self, text: str, *, folded: bool = False) -> Table:
        """Of `table`, `schema.table` or `catalog.schema.table`; `folded`: in lower case.

        A catalog is the database of the connection, but for SQL Server; it is left out. SQLite has no schemas either.
        Raises: ValueError.
        """
        parts = [part.lower() if folded else part for part in self.dialect.split(text)]
        if not parts or not all(parts):
            raise ValueError(f"{text!r} is no table name")
        if self.database != SQLSERVER:
            parts = parts[-1:] if self.database == SQLITE else parts[-2:]
        return Table(self.dialect.quoted(*parts), ".".join(parts[:-1]) or None, parts[-1])


def create_table(names: Names, table: Table, places: Iterable[Place], keys: Sequence[Place]) -> str:
    lines = [_definition(names, place, key=place in keys) for place in places]
    if keys:
        lines.append(f"PRIMARY KEY({', '.join(names.quote(place.column.name) for place in keys)})")
    return f"CREATE TABLE {table.sql} (\n" + ",\n".join(lines) + ")"


def add_columns(names: Names, table: Table, places: Sequence[Place]) -> list[str]:
    """ALTER TABLE statements; SQLite takes one column at a time."""
    made = [_definition(names, place, key=False) for place in places]
    match names.database:
        case "sqlite":
            return [f"ALTER TABLE {table.sql} ADD {each}" for each in made]
        case "sqlserver":
            return [f"ALTER TABLE {table.sql} ADD {', '.join(made)}"]
        case "oracle":
            return [f"ALTER TABLE {table.sql} ADD ({', '.join(made)})"]
    return [f"ALTER TABLE {table.sql} " + ", ".join(f"ADD {each}" for each in made)]


def _definition(names: Names, place: Place, *, key: bool) -> str:
    schema = place.column.schema
    default = _default(names, place)
    null = "NOT NULL" if key or not schema.optional else "NULL"
    if default is not None:
        null = f"DEFAULT {default}" + (" NOT NULL" if null == "NOT NULL" else "")
    return f"{names.quote(place.column.name)} {place.column.type} {null}"


_NO_DEFAULT: Final = re.compile(r"(?i)(tiny|medium|long)?(text|blob)|json|geometry")
_ZEROS: Final = re.compile(r"(\.\d*?)0+$")


def _default(names: Names, place: Place) -> str | None:
    """The literal of a field's default; None when there is none, or the column can have none."""
    column = place.column
    value = column.schema.default
    if value is None or (names.database == "mysql" and _NO_DEFAULT.match(column.type)):
        return None
    if column.convert is not None:
        try:
            value = column.convert(value)
        except (ValueError, TypeError, ArithmeticError):
            return None
    return _literal(names.database, column.form, value)


def _literal(database: str, form: Form, value: Any) -> str | None:
    if isinstance(value, date):
        return None
    if form is Form.BYTES:
        return {"postgresql": f"'\\x{value.hex()}'", "sqlserver": f"0x{value.hex()}"}.get(database, f"x'{value.hex()}'")
    text = str(value)
    if form is Form.NUMBER and database != "postgresql":
        return text
    if form is Form.PLAIN and ":" in text:
        text = _ZEROS.sub(r"\1", text).removesuffix(".")
    return "'" + text.replace("'", "''") + "'"


class Statements:
    """The statements of one table and one set of columns; parameters stand in the driver's own style."""

    def __init__(self, names: Names, table: Table, keys: Sequence[Place], others: Sequence[Place]) -> None:
        self.names, self.table = names, table.sql
        self.keys = [names.quote(place.column.name) for place in keys]
        self.others = [names.quote(place.column.name) for place in others]
        self.columns = [*self.keys, *self.others]

    def parameters(self, count: int, first: int = 1) -> list[str]:
        if self.names.database == "oracle":
            return [f":{i}" for i in range(first, first + count)]
        return [_PARAMETERS[self.names.database]] * count

    def insert_into(self) -> str:
        return f"INSERT INTO {self.table} ({','.join(self.columns)})"

    def insert(self) -> str:
        return f"{self.insert_into()} VALUES ({','.join(self.parameters(len(self.columns)))})"

    def on_duplicate_key(self) -> str:
        """MySQL's and MariaDB's end of an upsert."""
        changed = ",".join(f"{name}=VALUES({name})" for name in self.others or self.keys)
        return f" ON DUPLICATE KEY UPDATE {changed}"

    def on_conflict(self) -> str:
        """PostgreSQL's and SQLite's."""
        changed = ",".join(f"{name}=EXCLUDED.{name}" for name in self.others)
        return f" ON CONFLICT ({','.join(self.keys)}) DO " + (f"UPDATE SET {changed}" if changed else "NOTHING")

    def upsert(self, *, holdlock: bool = True) -> str:
        """One row by its key: parameters are keys, then the others."""
        match self.names.database:
            case "oracle" | "sqlserver":
                return self._merge(holdlock)
            case "mysql":
                return self.insert() + self.on_duplicate_key()
        return self.insert() + self.on_conflict()

    def _merge(self, holdlock: bool) -> str:
        oracle = self.names.database == "oracle"
        values = self.parameters(len(self.columns))
        given = ", ".join(f"{v} {'' if oracle else 'AS '}{n}" for v, n in zip(values, self.columns, strict=True))
        target = self.table if oracle else "target"
        same = " and ".join(f"{target}.{name}=incoming.{name}" for name in self.keys)
        into = self.table if oracle else f"{self.table}{' with (HOLDLOCK)' if holdlock else ''} AS target"
        using = f"(select {given} FROM dual) incoming" if oracle else f"(select {given}) AS incoming"
        changed = ",".join(f"{target}.{name}=incoming.{name}" for name in self.others)
        update = f" when matched then update set {changed}" if changed else ""
        return (
            f"merge into {into} using {using} on({same}){update} when not matched then insert"
            f"({','.join(self.columns)}) values({','.join(f'incoming.{name}' for name in self.columns)})"
            + ("" if oracle else ";")
        )

    def update(self) -> str:
        """Parameters are the others, then the keys."""
        values = self.parameters(len(self.columns))
        set_ = ",".join(f"{n}={v}" for n, v in zip(self.others, values, strict=False))
        where = self._where(values[len(self.others) :])
        return f"UPDATE {self.table} SET {set_}{where}"

    def delete(self) -> str:
        return f"DELETE FROM {self.table}{self._where(self.parameters(len(self.keys)))}"

    def _where(self, values: Sequence[str]) -> str:
        return " WHERE " + " AND ".join(f"{n}={v}" for n, v in zip(self.keys, values, strict=True))

    # PostgreSQL: from a table that COPY has filled

    def same_keys(self, loaded: str) -> str:
        return " AND ".join(f"{self.table}.{name}={loaded}.{name}" for name in self.keys)

    def from_loaded(self, loaded: str) -> str:
        columns = ",".join(self.columns)
        return f"INSERT INTO {self.table} ({columns}) SELECT {columns} FROM {loaded}"

    def update_from(self, loaded: str) -> str:
        set_ = ",".join(f"{name}={loaded}.{name}" for name in self.others)
        return f"UPDATE {self.table} SET {set_} FROM {loaded} WHERE {self.same_keys(loaded)}"

    def delete_from(self, loaded: str) -> str:
        return f"DELETE FROM {self.table} USING {loaded} WHERE {self.same_keys(loaded)}"


def truncate(names: Names, table: Table) -> str:
    return f"DELETE FROM {table.sql}" if names.database == "sqlite" else f"TRUNCATE TABLE {table.sql}"


def savepoint(database: str) -> tuple[str, str, str | None]:
    """The statements that set one, go back to it, and forget it."""
    if database == "sqlserver":
        return "SAVE TRANSACTION tailrace_row", "ROLLBACK TRANSACTION tailrace_row", None
    forget = None if database == "oracle" else "RELEASE SAVEPOINT tailrace_row"
    return "SAVEPOINT tailrace_row", "ROLLBACK TO SAVEPOINT tailrace_row", forget
