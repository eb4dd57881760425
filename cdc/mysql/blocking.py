"""A blocking snapshot: while the log stands still, the tables a signal names are read as an initial snapshot reads.

Source: Debezium 3.5.0.Final, `RelationalSnapshotChangeEventSource.getBlockingSnapshottingTask`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import structlog

from cdc.mysql.ddl import Catalog
from cdc.mysql.offset import Position
from cdc.mysql.snapshot import Context, Snapshot, Task
from cdc.mysql.snapshot_session import Session
from cdc.record import Poll
from cdc.signals import Execute
from cdc.table import TableId

_log = structlog.get_logger(__name__)


def polls(context: Context, wanted: Execute, at: Position, task: Task) -> Iterator[Poll]:
    """Polls of the rows. None but the last has an offset: what is cut short is asked for again by the same signal.

    Args:
        at: where the log stands, and is read on afterwards.
        task: what else there is to be known.
    Raises: SourceUnavailable, SourceError.
    """
    tables, are_recorded = _tables(context, wanted)
    if not tables:
        _log.warning("a blocking snapshot finds none of its tables among those that are captured: list them in "
                     "table.include.list", wanted=list(wanted.tables))  # fmt: skip
        return
    filters = {str(table): filter for table in tables if (filter := wanted.filter(str(table)))}
    context = replace(context, overrides={**context.overrides, **filters})
    # A definition that the log has yet to tell of must not be recorded as that at its position.
    task = replace(task, only=tables, at=at) if are_recorded else replace(task, only=tables, since=at)
    for poll in Snapshot(context, task).polls():
        under_way = any("snapshot" in (each.offset or ()) for each in poll.offsets)
        yield replace(poll, offsets=()) if under_way else poll


def _tables(context: Context, wanted: Execute) -> tuple[list[TableId], bool]:
    """The captured tables that are asked for, and whether all are on the server as the history has them."""
    session = Session(context.settings, context.config)
    try:
        found = [table for table in session.server.tables() if context.capture.table(table) and wanted.asks(table)]
        return found, all(_is_recorded(context, session, table) for table in found)
    finally:
        session.close()


def _is_recorded(context: Context, session: Session, table: TableId) -> bool:
    ddl = session.definition(table)
    if ddl is None:
        return True
    catalog = Catalog(comments=context.config.schema_comments)
    catalog.execute(ddl, table.database)
    return catalog.tables.get(table) == context.history.tables.get(table)
