"""What starting a JDBC source would mean: the tables of its first round and their sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cdc.config import parse
from cdc.connector import Raw
from cdc.database import database
from cdc.dialect import TableName
from cdc.jdbc.checks import look, warned
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.session import Session
from cdc.jdbc.statements import BULK, INCREMENTING
from cdc.outlook import Outlook, TableSize

_MYSQL: Final = """SELECT table_schema, table_name, COALESCE(table_rows, 0), COALESCE(data_length, 0)
FROM information_schema.tables"""
_SIZES: Final = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "postgresql": """SELECT n.nspname::text, c.relname::text, GREATEST(c.reltuples, 0)::bigint,
  pg_table_size(c.oid)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm')""",
}
"""The server's own estimates: home, table, rows, bytes."""


def outlook(raw: Raw) -> Outlook:
    """Raises: ConfigError, SourceUnavailable, SourceError."""
    config = parse(JdbcSourceConfig, raw)
    where = database(raw, quoting=config.quoting, known_as=config.dialect_name)
    found = look(config, where)
    session = Session(where, config.isolation)
    try:
        known = session.all(_SIZES[where.kind]) if where.kind in _SIZES else []
    finally:
        session.close()
    sizes = {(home, name): (int(rows), int(size)) for home, name, rows, size in known}
    read = [TableSize(str(table), *sizes.get(_at(table), (0, 0))) for table in found.tables]
    read.sort(key=lambda table: -table.bytes)
    facts = [("mode", config.mode), ("poll.interval.ms", str(config.poll_ms))]
    return Outlook(read, 1, [*warned(config, where), *found.warnings, *_unseen(config)], facts)


def _unseen(config: JdbcSourceConfig) -> Iterator[str]:
    """What polling cannot see, whatever is set."""
    if config.mode != BULK and not config.delete_look_ms:
        yield (
            "rows that are deleted are not noticed; a connector that reads the database's log notices them, and "
            "tailrace.delete.detection.interval.ms finds them by comparing keys"
        )
    if config.mode == INCREMENTING:
        yield "rows that are updated are not noticed; mode=timestamp+incrementing notices them"


def _at(table: TableName) -> tuple[str | None, str]:
    return table.schema or table.catalog, table.name
