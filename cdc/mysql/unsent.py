"""Rows and batches of the log that stand in no Poll yet: neighbours of one table and one operation go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cdc.changes import SourceRun, Sources
from cdc.mysql.log_tables import Shape
from cdc.mysql.reader_options import ReaderOptions
from cdc.mysql.source_info import SourceInfo
from cdc.record import Batch

_MAX_BYTES: Final = 16 << 20
"""Of rows events in one Poll, however few their rows."""
_ROW: Final = SourceInfo._fields.index("row")


class Unsent:
    """What the reader has read since its last Poll.

    Attributes:
        bytes: of the rows events.
        full: it is enough for a Poll.
    """

    __slots__ = ("_batches", "_count", "_now", "_options", "_rows", "_sources", "_waiting", "bytes", "full")

    def __init__(self, options: ReaderOptions, now: Callable[[], int]) -> None:
        self._options, self._now = options, now
        self._batches: list[Batch] = []
        self._waiting: tuple[Shape, str] | None = None
        self._rows: list[Any] = []
        self._sources: list[SourceRun] = []
        self._count, self.bytes, self.full = 0, 0, False

    def rows(
        self, shape: Shape, operation: str, images: list[Any], head: tuple[Any, ...], first: int,
        end: tuple[int | None, str | None],
    ) -> None:  # fmt: skip
        """Adds rows, of which the first is number `first` of its event; `head`, `first` and `end` are its source."""
        count = len(images)
        moving = ((_ROW, range(first, first + count)),) if count > 1 else ()
        self.run(shape, operation, images, SourceRun((*head, first, *end), count, moving))

    def run(self, shape: Shape, operation: str, images: list[Any], sources: SourceRun) -> None:
        """Adds rows with their sources."""
        waiting = (shape, operation)
        if waiting != self._waiting:
            self.flush()
            self._waiting = waiting
        self._sources.append(sources)
        self._rows += images
        self._count += len(images)
        self.full = self._count >= self._options.max_rows or self.bytes >= _MAX_BYTES

    @property
    def room(self) -> int:
        """How many more rows a Poll has room for without being full."""
        return self._options.max_rows - self._count - 1

    def would_fill(self, rows: int, size: int) -> bool:
        """Whether so many more rows, of events of so many bytes, are enough for a Poll."""
        return rows > self.room or self.bytes + size >= _MAX_BYTES

    def add(self, batches: Sequence[Batch]) -> None:
        transactions = self._options.transactions
        if transactions is not None:
            self._batches += transactions.take()
        self._batches += batches
        self._count += sum(map(len, batches))
        self.full = self._count >= self._options.max_rows

    def count_one(self) -> None:
        """A record that `ReaderOptions.transactions` holds."""
        self._count += 1
        self.full = self._count >= self._options.max_rows

    def flush(self) -> None:
        """Turns the rows that wait into batches."""
        if self._waiting is None:
            return
        (shape, operation), rows, sources = self._waiting, self._rows, self._sources
        self._waiting, self._rows, self._sources = None, [], []
        if rows:
            options = self._options
            if options.refill is not None and operation != "d":
                rows = options.refill(shape, operation, rows)
            blocks = None
            if options.transactions is not None:
                self._batches += options.transactions.take()
                blocks = options.transactions.blocks
            self._batches += shape.envelope.changes(operation, rows, Sources(sources), self._now(), blocks)

    def ended(self) -> list[Batch]:
        """All of it, to which more may be added; `forget` it when it stands in a Poll."""
        self.flush()
        if self._options.transactions is not None:
            self._batches += self._options.transactions.take()
        return self._batches

    def forget(self) -> None:
        self._batches, self._count, self.bytes, self.full = [], 0, 0, False
