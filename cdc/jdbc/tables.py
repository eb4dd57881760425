"""Which tables of a database a connector reads, which of its tasks reads which, and by which columns."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import inspect
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import SAWarning

from cdc.database import Database
from cdc.dialect import TableName
from cdc.errors import SourceError
from cdc.java.regex import compile_java
from cdc.jdbc.columns import Definition
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.session import Session

_OWN: Final = {
    "mysql": ("information_schema", "mysql", "performance_schema", "sys"),
    "postgresql": ("information_schema", "pg_catalog", "pg_toast"),
    "sqlserver": ("information_schema", "sys", "guest"),
}
_PARTITIONED: Final = """SELECT n.nspname::text, c.relname::text FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p'"""

_MYSQL_COLUMNS: Final = """SELECT column_name, is_nullable, extra FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"""
"""SQLAlchemy takes every column of a view for nullable."""


@contextmanager
def _quietly() -> Iterator[None]:
    """Without SQLAlchemy's warnings of types that it does not know; only names are asked of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


def like(pattern: str) -> Callable[[str], bool]:
    """A SQL pattern: `%` any text, `_` any letter, a backslash before either takes its meaning away."""
    parts = re.split(r"(\\[%_\\]|%|_)", pattern)
    made = "".join({"%": ".*", "_": "."}.get(part, re.escape(part.removeprefix("\\"))) for part in parts if part)
    compiled = re.compile(made, re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None


def wanted(config: JdbcSourceConfig, database: Database) -> Callable[[TableName], bool]:
    """The filter of the lists of tables; without any every table is wanted."""
    if config.include:
        include = [compile_java(pattern) for pattern in config.include]
        exclude = [compile_java(pattern) for pattern in config.exclude]

        def matches(table: TableName) -> bool:
            name = str(table)
            return any(each.fullmatch(name) for each in include) and not any(each.fullmatch(name) for each in exclude)

        return matches
    listed = set(config.whitelist or config.blacklist)
    if not listed:
        return lambda table: True
    always = database.dialect.quoting("ALWAYS")

    def named(table: TableName) -> bool:
        return bool(listed & {table.name, str(table), always.table(table)})

    return named if config.whitelist else lambda table: not named(table)


def found(session: Session, config: JdbcSourceConfig) -> list[TableName]:
    """Every table there is that the config wants, by name. Raises: SourceUnavailable, SourceError."""
    with session.failures(), _quietly():
        every = list(dict.fromkeys(_every(session, inspect(session.database.engine), config)))
    return sorted(filter(wanted(config, session.database), every), key=str)


def _every(session: Session, look: Inspector, config: JdbcSourceConfig) -> Iterator[TableName]:
    database, kinds = session.database, {kind.upper() for kind in config.table_types}
    partitioned = set()
    if database.kind == "postgresql" and "PARTITIONED TABLE" not in kinds:
        partitioned = {(schema, name) for schema, name in session.all(_PARTITIONED)}
    for schema in _schemas(look, config, database):
        names: list[str] = []
        if kinds & {"TABLE", "PARTITIONED TABLE"}:
            names += look.get_table_names(schema)
        if "VIEW" in kinds:
            names += look.get_view_names(schema)
        if "MATERIALIZED VIEW" in kinds:
            names += look.get_materialized_view_names(schema)
        for name in names:
            if (schema, name) not in partitioned:
                yield _full(database, schema, name)


def _schemas(look: Inspector, config: JdbcSourceConfig, database: Database) -> list[str | None]:
    """What SQLAlchemy calls schemas: for MySQL they are the catalogs of JDBC."""
    own = _OWN.get("mysql" if database.kind == "mariadb" else database.kind, ())
    if database.kind in ("sqlite",):
        return [None]
    is_mysql = database.kind in ("mysql", "mariadb")
    pattern = config.catalog_pattern if is_mysql else config.schema_pattern
    if pattern is None and is_mysql and database.url.database:
        return [database.url.database]
    if pattern is None and database.kind == "oracle":
        return [look.default_schema_name]
    matches = like(pattern if pattern is not None else "%")
    # What a driver tells in Oracle's lower case would have to be told in upper case again.
    return [name for name in look.get_schema_names() if name.lower() not in own and matches(name)]


def _full(database: Database, schema: str | None, name: str) -> TableName:
    """As the JDBC driver of that database names it."""
    if database.kind in ("mysql", "mariadb"):
        return TableName(schema, None, name)
    if database.kind == "sqlserver":
        return TableName(database.url.database, schema, name)
    if database.kind == "oracle":
        return TableName(None, _stored(schema), _stored(name) or name)
    return TableName(None, schema, name)


def _stored(name: str | None) -> str | None:
    """SQLAlchemy tells names that Oracle keeps in upper case in lower case."""
    return name.upper() if name is not None and name == name.lower() else name


def definitions(session: Session, table: TableName) -> list[Definition]:
    """The columns of a table in their order. Raises: SourceUnavailable, SourceError."""
    name, schema = _as_sqlalchemy(session.database, table)
    if session.database.kind in ("mysql", "mariadb"):
        return [Definition(column, null == "YES", "auto_increment" in extra.lower())
                for column, null, extra in session.all(_MYSQL_COLUMNS, (schema, name))]  # fmt: skip
    with session.failures(), _quietly():
        look = inspect(session.database.engine)
        columns = look.get_columns(name, schema)
        keys = look.get_pk_constraint(name, schema)["constrained_columns"]
    kind = session.database.kind
    return [
        Definition(each["name"], bool(each["nullable"]) and each["name"] not in keys, _numbers_itself(kind, each, keys))
        for each in columns
    ]


def primary_key(session: Session, table: TableName) -> list[str]:
    """The columns of its primary key, if it has one. Raises: SourceUnavailable, SourceError."""
    name, schema = _as_sqlalchemy(session.database, table)
    with session.failures(), _quietly():
        found: list[str] = inspect(session.database.engine).get_pk_constraint(name, schema)["constrained_columns"]
    return found


def key_of(session: Session, table: TableName) -> list[str]:
    """The same. Raises: SourceUnavailable; SourceError: it has none."""
    keys = primary_key(session, table)
    if not keys:
        raise SourceError(f"tailrace.delete.detection.interval.ms: the table {table} has no primary key, so nobody can "
                          "tell which of its rows are gone; add one, or set it to 0")  # fmt: skip
    return keys


def _as_sqlalchemy(database: Database, table: TableName) -> tuple[str, str | None]:
    """Name and schema, in the words of SQLAlchemy."""
    schema = table.catalog if database.kind in ("mysql", "mariadb") else table.schema
    if database.kind != "oracle":
        return table.name, schema
    return _told(table.name), None if schema is None else _told(schema)


def _told(name: str) -> str:
    return name.lower() if name.isupper() else name


def _numbers_itself(kind: str, column: Any, keys: Sequence[str]) -> bool:
    if kind == "sqlite":  # there an INTEGER PRIMARY KEY is the row's number
        return keys == [column["name"]] and str(column["type"]) == "INTEGER"
    return column.get("autoincrement") is True or column.get("identity") is not None


def shared(config: JdbcSourceConfig, tables: Sequence[TableName]) -> list[TableName]:
    """Those of this task. A table stays with its task when others come and go."""
    count, number = config.task_count, config.task_number
    listed = {name: at for at, name in enumerate(config.whitelist)}

    def place(table: TableName) -> int:
        at = listed.get(str(table), listed.get(table.name))
        return zlib.crc32(str(table).encode()) if at is None else at

    return [table for table in tables if place(table) % count == number]


def mapped(listed: Sequence[str], table: TableName, key: str) -> str:
    """What a mapping of the form `regex:columns` says of a table. Raises: SourceError: not exactly one matches."""
    pairs = [(pattern.strip(), columns.strip()) for pattern, _, columns in (each.rpartition(":") for each in listed)]
    matching = [columns for pattern, columns in pairs if compile_java(pattern).fullmatch(str(table))]
    if len(matching) != 1:
        said = "matches more than one of the" if matching else "does not match any of the"
        raise SourceError(f"{key}: the table {table} {said} regular expressions; let it match exactly one")
    return matching[0]


def incrementing_of(config: JdbcSourceConfig, table: TableName, columns: Sequence[Definition]) -> str:
    """The incrementing column of a table. Raises: SourceError: none is told, and none counts by itself."""
    named = config.incrementing
    if config.incrementing_mapping:
        named = mapped(config.incrementing_mapping, table, "incrementing.column.mapping")
    if not named:
        automatic = [column.name for column in columns if column.auto_increment]
        if not automatic:
            raise SourceError(
                f"incrementing.column.name is empty and the table {table} has no auto-increment column; name the "
                "column whose numbers only grow, or use another mode"
            )
        return automatic[0]
    return _real(named, table, columns, "incrementing.column.name")


def timestamps_of(config: JdbcSourceConfig, table: TableName, columns: Sequence[Definition]) -> list[str]:
    """The timestamp columns of a table. Raises: SourceError."""
    named: Sequence[str] = config.timestamps
    if config.timestamps_mapping:
        named = mapped(config.timestamps_mapping, table, "timestamp.columns.mapping").strip("[]").split("|")
    return [_real(each.strip(), table, columns, "timestamp.column.name") for each in named]


def _real(name: str, table: TableName, columns: Sequence[Definition], key: str) -> str:
    """As the table spells it. Raises: SourceError: it has no such column."""
    exact = [column.name for column in columns if column.name == name]
    same = exact or [column.name for column in columns if column.name.lower() == name.lower()]
    if len(same) != 1:
        raise SourceError(
            f"{key}: the table {table} has no column {name}; it has {', '.join(column.name for column in columns)}"
        )
    return same[0]


def nullable_problem(
    config: JdbcSourceConfig, table: TableName, columns: Sequence[Definition]
) -> tuple[str, str] | None:  # fmt: skip
    """The key and a sentence, when validate.non.null forbids the columns. Raises: SourceError."""
    if not config.validate_non_null:
        return None
    null = {column.name for column in columns if column.nullable}
    remedy = "make it NOT NULL, or set validate.non.null=false: rows in which it is null are never read then"
    if config.by_number and (number := incrementing_of(config, table, columns)) in null:
        return "incrementing.column.name", (
            f"Cannot make incremental queries using incrementing column {number} on {table} because this column is "
            f"nullable; {remedy}"
        )
    moments = timestamps_of(config, table, columns) if config.by_time else []
    if moments and null.issuperset(moments):
        return "timestamp.column.name", (
            f"Cannot make incremental queries using timestamp columns {','.join(moments)} on {table} because all of "
            f"these columns are nullable; {remedy}"
        )
    return None
