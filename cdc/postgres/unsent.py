"""Changes of the WAL that stand in no Poll yet: neighbours of one table and one operation go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cdc.changes import SourceRun, Sources
from cdc.envelope import Blocks
from cdc.postgres.capture import Shape
from cdc.postgres.reader_options import ReaderOptions
from cdc.postgres.row_decoder import Decode
from cdc.postgres.source_info import LSN_PLACE, SEQUENCE_PLACE, SourceInfo, sequence_start
from cdc.record import Batch
from cdc.table import TableId


class Run(NamedTuple):
    """What frames of one prefix are: changes of one kind to one table.

    Attributes:
        decode: None where they are not sent.
        signals: the table is one of signals; `decode` gives them also where they are not `sent`.
    """

    shape: Shape | None
    op: str
    kind: str
    decode: Decode | None
    signals: bool
    sent: bool


class Unsent:
    """The rows that wait, and their LSNs, which who decodes them adds; the last of them may have no `source` yet."""

    def __init__(self, options: ReaderOptions, now: Callable[[], int]) -> None:
        self._options, self._now = options, now
        self._run: Run | None = None
        self._sources: list[SourceRun] = []
        self._told = 0
        self.rows: list[Any] = []
        self.lsns: list[int] = []

    def fits(self, run: Run) -> bool:
        """Whether rows of `run` may follow those that wait."""
        return self._run is not None and self._run.shape is run.shape and self._run.op == run.op

    def begin(self, run: Run) -> None:
        """Rows of `run` come; nothing waits."""
        self._run = run

    def add(self, sources: SourceRun) -> None:
        """The `source` of the rows that have none yet."""
        self._sources.append(sources)
        self._told = len(self.lsns)

    def end(self, source: Callable[[TableId, int], SourceInfo], commit_lsn: int | None) -> None:
        """The rows that have no `source` yet are all of one transaction, which follows that of `commit_lsn`."""
        first, lsns = self._told, self.lsns
        count = len(lsns) - first
        if not count or self._run is None or self._run.shape is None:
            return
        moving: tuple[tuple[int, Sequence[Any]], ...] = ()
        if count > 1:
            lsns = lsns[first:]
            start = sequence_start(commit_lsn)
            moving = ((SEQUENCE_PLACE, [f'{start}{lsn}"]' for lsn in lsns]), (LSN_PLACE, lsns))
            first = 0
        self.add(SourceRun(source(self._run.shape.table.id, lsns[first]), count, moving))

    def flush(self, blocks: Blocks | None) -> list[Batch]:
        """What waits, all of which has its `source`."""
        run, rows, sources = self._run, self.rows, Sources(self._sources)
        self._run, self.rows, self.lsns, self._sources, self._told = None, [], [], [], 0
        if run is None or run.shape is None or not rows:
            return []
        if self._options.refill is not None and run.op != "d":
            rows = self._options.refill(run.shape, run.op, rows)
        return run.shape.envelope.changes(run.op, rows, sources, self._now(), blocks)
