"""What starting a MySQL or MariaDB source would mean: its snapshot's size, and how long the binary log is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cdc.config import parse
from cdc.connector import Raw
from cdc.mysql import parts
from cdc.mysql.checks import look
from cdc.mysql.config import MySqlConfig
from cdc.mysql.server import Server
from cdc.mysql.unsupported import warned
from cdc.outlook import Outlook, TableSize
from cdc.table import TableId

_DAY_S: Final = 86_400
_NO_ROWS: Final = ("no_data", "schema_only", "recovery", "schema_only_recovery", "never")
_KEPT: Final = ("binlog_expire_logs_seconds", "expire_logs_days")
_KEYLESS: Final = ("{} has no primary or unique key, so its records have no key, and sinks cannot update or "
                   "delete by it; add one, or name columns in message.key.columns")  # fmt: skip
_SIZES: Final = """SELECT table_schema, table_name, COALESCE(table_rows, 0), COALESCE(data_length, 0),
  EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = t.table_schema
    AND s.table_name = t.table_name AND s.non_unique = 0)
FROM information_schema.tables t WHERE table_type = 'BASE TABLE'"""


def outlook(declared: type[MySqlConfig], raw: Raw) -> Outlook:
    """Raises: ConfigError, SourceUnavailable, SourceError."""
    config = parse(declared, raw)
    capture = parts.capture(config, raw)
    server = Server(parts.settings(config))
    try:
        findings = look(server, config, capture)
        kept = server.variables(*_KEPT)
        rows = [(TableId(database, name), *rest) for database, name, *rest in server.run(_SIZES)]
    finally:
        server.close()
    captured = [row for row in rows if capture.table(row[0])]
    read = [] if config.snapshot_mode in _NO_ROWS else captured
    sizes = [TableSize(str(table), int(count), int(size)) for table, count, size, _ in read]
    warnings = [
        *warned(config, raw),
        *findings.warnings,
        *(_KEYLESS.format(table) for table, _, _, keyed in captured if not keyed),
        *_short(kept),
    ]  # fmt: skip
    sizes.sort(key=lambda table: -table.bytes)
    return Outlook(sizes, config.snapshot_threads, warnings, [*sorted(findings.facts.items()), *sorted(kept.items())])


def _short(kept: dict[str, str]) -> Iterator[str]:
    seconds = int(kept.get("binlog_expire_logs_seconds") or 0) or int(float(kept.get("expire_logs_days") or 0) * _DAY_S)
    if 0 < seconds < _DAY_S:
        yield (
            f"the binary log is kept for {seconds} s: an outage of the connector that lasts longer loses changes; run: "
            "SET GLOBAL binlog_expire_logs_seconds = 259200, and set it in the server's option file"
        )
