"""What starting a PostgreSQL source would mean: its snapshot's size, tables whose updates it would break, WAL kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cdc.outlook import Outlook, TableSize
from cdc.postgres.catalog import Found
from cdc.postgres.checks import Findings
from cdc.postgres.config import PostgresConfig
from cdc.postgres.wire import Session, quoted
from cdc.table import TableId

_NO_ROWS: Final = ("no_data", "never")
_SIZES: Final = """SELECT n.nspname, c.relname, GREATEST(c.reltuples, 0)::bigint, pg_table_size(c.oid),
  c.relreplident::text, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"""
_KEPT: Final = ("max_slot_wal_keep_size", "idle_replication_slot_timeout", "wal_level", "server_version")


def outlook(session: Session, config: PostgresConfig, captured: Sequence[Found], findings: Findings) -> Outlook:
    """Raises: SourceUnavailable, SourceError."""
    wanted = {table.id for table in captured}
    rows = [row for row in session.rows(_SIZES) if TableId(row[0], row[1]) in wanted]
    kept = session.rows("SELECT name, setting || COALESCE(' ' || unit, '') FROM pg_settings WHERE name = ANY(%s)",
                        (list(_KEPT),))  # fmt: skip
    read = [] if config.snapshot_mode in _NO_ROWS else rows
    sizes = [TableSize(f"{schema}.{name}", int(count), int(size)) for schema, name, count, size, *_ in read]
    sizes.sort(key=lambda table: -table.bytes)
    warnings = [*findings.warnings, *_breaks(rows)]
    return Outlook(sizes, config.snapshot_threads, warnings, sorted(kept))


def _breaks(rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """PostgreSQL refuses UPDATE and DELETE of a published table that has nothing to tell its rows by."""
    for schema, name, _, _, identity, keyed in rows:
        if identity == "n" or (identity == "d" and not keyed):
            yield (
                f"{schema}.{name} has no primary key to tell its rows by: once it is published, PostgreSQL refuses "
                f"UPDATE and DELETE on it; run: ALTER TABLE {quoted(schema)}.{quoted(name)} REPLICA IDENTITY FULL"
            )
