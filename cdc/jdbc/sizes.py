"""Rows and bytes of tables, as the database itself estimates them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Final

from cdc.dialect import TableName
from cdc.errors import SourceError
from cdc.jdbc.session import Session
from cdc.outlook import TableSize

_MYSQL: Final = """SELECT table_schema, table_name, COALESCE(table_rows, 0), COALESCE(data_length, 0)
FROM information_schema.tables"""
_SIZES: Final = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "postgresql": """SELECT n.nspname::text, c.relname::text, GREATEST(c.reltuples, 0)::bigint,
  pg_table_size(c.oid)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm')""",
}
"""Home, table, rows, bytes."""


def sizes(session: Session, tables: Iterable[TableName]) -> dict[TableName, TableSize]:
    """Of those it knows something of. Raises: SourceUnavailable, SourceError."""
    kind = session.database.kind
    if kind not in _SIZES:
        return {}
    if kind == "mysql":  # estimates may be a day old otherwise
        with contextlib.suppress(SourceError):
            session.all("SET SESSION information_schema_stats_expiry = 0")
    known = {(home, name): (int(rows), int(size)) for home, name, rows, size in session.all(_SIZES[kind])}
    found = {table: known.get((table.schema or table.catalog, table.name)) for table in tables}
    return {table: TableSize(str(table), *size) for table, size in found.items() if size is not None}
