"""Change events of one table, with what neighbours have in common told once; who does not care iterates over tuples.

The events of one rows event of a log, or of one chunk of a snapshot, differ in their rows and in a member or two of
`source`: a converter that knows it writes the rest once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, repeat
from typing import Any, NamedTuple, overload

Row = tuple[Any, ...]
"""A struct value; see `cdc.schema`."""
Rows = Sequence[Row]


class SourceRun(NamedTuple):
    """The `source` blocks of `length` neighbours.

    Attributes:
        source: the first of them.
        moving: the members, whole numbers or texts, that differ from one to the next: place in the block, and the
            values. They stand in the order of their places.
    """

    source: Row
    length: int
    moving: tuple[tuple[int, Sequence[Any]], ...] = ()

    @staticmethod
    def told(source: Row, places: Sequence[int], columns: Sequence[Sequence[Any]]) -> SourceRun:
        """Of neighbours whose members at `places` are told, a column a place; `source` is the first."""
        length = len(columns[0])
        moving = ((place, column) for place, column in zip(places, columns, strict=True)
                  if column.count(column[0]) < length)  # fmt: skip
        return SourceRun(source, length, tuple(moving))

    def blocks(self) -> Iterator[Row]:
        if not self.moving:
            return repeat(self.source, self.length)
        return map(self._block, zip(*(values for _, values in self.moving), strict=True))

    def _block(self, values: Row) -> Row:
        block = list(self.source)
        for (place, _), value in zip(self.moving, values, strict=True):
            block[place] = value
        return tuple(block)


class Sources(Sequence[Row]):
    """One `source` block a row, in runs."""

    def __init__(self, runs: Sequence[SourceRun]) -> None:
        self.runs = runs
        self._length = sum(run.length for run in runs)

    @staticmethod
    def of(blocks: Sequence[Row]) -> Sources:
        """Neighbours that are the same object become a run."""
        if isinstance(blocks, Sources):
            return blocks
        runs = (list(same) for _, same in groupby(blocks, key=id))
        return Sources([SourceRun(same[0], len(same)) for same in runs])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row]:
        return (block for run in self.runs for block in run.blocks())

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return list(self)[index]


class Changes(Sequence["Row | None"]):
    """Envelopes: (before, after, source, then what `rest` says); nobody mutates them.

    Attributes:
        before, after: a row for each event; None when all of them have null there.
        rest: what follows `source` in every envelope.
        tombstones: each event is followed by a null.
        transactions: for each event what stands in place of the first member of `rest`; None: that one in all.
    """

    def __init__(
        self, before: Sequence[Row | None] | None, after: Rows | None, sources: Sources, rest: Row, *,
        tombstones: bool = False, transactions: Rows | None = None,
    ) -> None:  # fmt: skip
        """Raises: ValueError: not as many rows as `source` blocks."""
        if any(rows is not None and len(rows) != len(sources) for rows in (before, after, transactions)):
            raise ValueError(f"{len(sources)} source blocks for another number of rows")
        self.before, self.after, self.sources, self.rest = before, after, sources, rest
        self.tombstones, self.transactions = tombstones, transactions

    def __len__(self) -> int:
        return len(self.sources) * (2 if self.tombstones else 1)

    def __iter__(self) -> Iterator[Row | None]:
        return iter(self._envelopes)

    @cached_property
    def _envelopes(self) -> list[Row | None]:
        nulls, rest = [None] * len(self.sources), self.rest
        rows = zip(self.before or nulls, self.after or nulls, self.sources, strict=True)
        if self.transactions is None:
            events = [(before, after, source, *rest) for before, after, source in rows]
        else:
            ends = ((block, *rest[1:]) for block in self.transactions)
            events = [(*row, *end) for row, end in zip(rows, ends, strict=True)]
        return [each for event in events for each in (event, None)] if self.tombstones else list(events)

    @overload
    def __getitem__(self, index: int) -> Row | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row | None]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row | None] | None:
        return self._envelopes[index]
