"""A blocking snapshot: while the WAL stands still, the tables a signal names are read as an initial snapshot reads.

Source: Debezium 3.5.0.Final, `RelationalSnapshotChangeEventSource.getBlockingSnapshottingTask`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import structlog

from cdc.postgres import catalog
from cdc.postgres.offset import Position
from cdc.postgres.snapshot import Context, Snapshot, Task
from cdc.postgres.source_info import SourceInfo
from cdc.record import Poll
from cdc.signals import Execute

_log = structlog.get_logger(__name__)


def polls(context: Context, wanted: Execute, at: Position, origin: SourceInfo) -> Iterator[Poll]:
    """Polls of the rows, none with an offset: what is cut short is asked for again by the same signal.

    Args:
        at: where the WAL stands, and is read on afterwards.
        origin: of the event that the rows say to come of.
    Raises: SourceUnavailable, SourceError.
    """
    tables = [table.id for table in catalog.captured(context.ask, context.capture) if wanted.asks(table.id)]
    if not tables:
        _log.warning("a blocking snapshot finds none of its tables among those that are captured: list them in "
                     "table.include.list", wanted=list(wanted.tables))  # fmt: skip
        return
    filters = {str(table): filter for table in tables if (filter := wanted.filter(str(table)))}
    context = replace(context, overrides={**context.overrides, **filters})
    yield from Snapshot(context, Task(only=tables, since=at, origin=origin)).polls()
