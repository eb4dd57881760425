"""What starting a JDBC source would mean: the tables of its first round and their sizes."""

from __future__ import annotations

from collections.abc import Iterator

from cdc.config import parse
from cdc.connector import Raw
from cdc.database import database
from cdc.jdbc.checks import look, warned
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.session import Session
from cdc.jdbc.sizes import sizes
from cdc.jdbc.statements import BULK, INCREMENTING
from cdc.outlook import Outlook, TableSize


def outlook(raw: Raw) -> Outlook:
    """Raises: ConfigError, SourceUnavailable, SourceError."""
    config = parse(JdbcSourceConfig, raw)
    where = database(raw, quoting=config.quoting, known_as=config.dialect_name)
    found = look(config, where)
    session = Session(where, config.isolation)
    try:
        known = sizes(session, found.tables)
    finally:
        session.close()
    read = [known.get(table) or TableSize(str(table), 0, 0) for table in found.tables]
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
