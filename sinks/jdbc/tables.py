"""Tables as the records need them: looked up once, created and given columns where the config allows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from sinks.jdbc.failures import Meaning, meaning
from sinks.jdbc.kinds import Extensions
from sinks.jdbc.rows import Place
from sinks.jdbc.settings import Settings
from sinks.jdbc.shapes import Shape, Unfit
from sinks.jdbc.statements import Names, Table, add_columns, create_table

_log = structlog.get_logger(__name__)


class Tables:
    """Sees to the tables of one task. What it found is kept until `forget`."""

    def __init__(self, engine: Engine, names: Names, settings: Settings) -> None:
        self._engine, self._names, self._settings = engine, names, settings
        self._fit: set[Shape] = set()
        self._columns: dict[Table, set[str]] = {}

    def named(self, shape: Shape) -> Table:
        """Raises: Unfit: the format and the topic give no name of a table."""
        try:
            folded = self._settings.folded and self._names.database == "postgresql"
            return self._names.table(shape.table, folded=folded)
        except ValueError as error:
            raise Unfit(f"{error}: correct the format of the table's name") from error

    def forget(self) -> None:
        self._fit.clear()
        self._columns.clear()

    def ensure(self, shape: Shape) -> None:
        """The table is there with the columns of the shape.

        Raises: Unfit: it is not, and may not be made so; what the driver raises.
        """
        if shape in self._fit:
            return
        table = self.named(shape)
        columns = self._columns.get(table)
        with self._engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            if columns is None:
                columns = self._found(connection, table)
            if columns is None:
                columns = self._created(connection, table, shape)
            if missing := self._missing(shape, columns):
                columns = self._evolved(connection, table, missing)
        self._columns[table] = columns
        self._fit.add(shape)

    def _missing(self, shape: Shape, columns: set[str]) -> list[Place]:
        fold = str if self._settings.quoted else str.lower
        there = set(map(fold, columns))
        return [place for place in shape.places if fold(place.column.name) not in there]

    def _found(self, connection: Connection, table: Table) -> set[str] | None:
        """The names of the table's columns; None: there is no such table (or view, where the config takes views)."""
        looker: Any = inspect(connection)
        names = [table.name] if self._settings.quoted else [table.name, table.name.lower(), table.name.upper()]
        for name in dict.fromkeys(names):
            try:
                return {str(column["name"]) for column in looker.get_columns(name, schema=table.schema)}
            except NoSuchTableError:
                continue
        return None

    def _created(self, connection: Connection, table: Table, shape: Shape) -> set[str]:
        if not self._settings.create:
            key, value = ("schema.evolution", "basic") if self._settings.hibernate else ("auto.create", "true")
            raise Unfit(f"Table {table.sql} is missing and auto-creation is disabled: create it, or set {key}={value}")
        if shape.only_deletes:
            return {place.column.name for place in shape.keys}
        places = sorted(shape.places, key=lambda place: shape.order.index(place.column.name))
        try:
            self._run(connection, create_table(self._names, table, places, shape.keys))
            _log.info("table created", table=table.sql)
        except DBAPIError as error:  # another task was faster
            found = self._found(connection, table) if meaning(error) is Meaning.OTHER else None
            if found is None:
                raise
            return found
        return {place.column.name for place in places}

    def _evolved(self, connection: Connection, table: Table, missing: list[Place]) -> set[str]:
        settings, named = self._settings, ", ".join(place.column.name for place in missing)
        if not settings.evolve:
            key, value = ("schema.evolution", "basic") if settings.hibernate else ("auto.evolve", "true")
            raise Unfit(f"Table {table.sql} is missing fields ({named}) and auto-evolution is disabled: add columns "
                        f"for them, or set {key}={value}")  # fmt: skip
        for place in missing:
            schema = place.column.schema
            if not schema.optional and schema.default is None:
                raise Unfit(f"Cannot ALTER TABLE {table.sql} to add missing field {place.column.name}, as the field is "
                            "not optional and does not have a default value: add the column by hand")  # fmt: skip
        try:
            for statement in add_columns(self._names, table, missing):
                self._run(connection, statement)
            _log.info("columns added", table=table.sql, columns=named)
        except DBAPIError:
            if {place.column.name for place in missing} - (self._found(connection, table) or set()):
                raise
        return self._found(connection, table) or set()

    def _run(self, connection: Connection, statement: str) -> None:
        # Without parameters a percent sign in a name is only that.
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def extensions(engine: Engine, names: Names, settings: Settings) -> Extensions:
    """Types that PostgreSQL has only by extensions."""
    if names.database != "postgresql":
        return Extensions()
    with engine.connect() as connection:
        rows: Iterable[Any] = connection.execute(
            text("SELECT t.typname, n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
                 "WHERE t.typname IN ('geometry', 'vector') AND t.typtype = 'b'")
        )  # fmt: skip
        found = dict[str, str](map(tuple, rows))
    wanted = settings.postgis if settings.postgis in found.values() else found.get("geometry", "")
    return Extensions(names.dialect.quoted(wanted) if "geometry" in found else "", "vector" in found)
