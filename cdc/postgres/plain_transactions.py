"""Transactions of one change in a row, which the compiled twin knows by their frames: BEGIN, the change, COMMIT.

Where small transactions follow each other, most of the work is in the frames around the changes. What is not plain is
left to the reader, which takes it frame by frame; both leave the same behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from types import ModuleType
from typing import Any, Final, NamedTuple

from cdc.changes import SourceRun
from cdc.postgres.pgoutput import HEADER_SIZE
from cdc.postgres.source_info import SourceInfo, sequence

FRAMES: Final = 3
"""Of one plain transaction."""
_MOST: Final = 4096
"""Transactions looked for at a time; one where the last was not taken, so that no others are looked for in vain."""
_MOVING: Final = tuple(map(SourceInfo._fields.index, ("ts_ms", "sequence", "ts_us", "ts_ns", "tx_id", "lsn")))
"""What differs in `source` between such transactions."""
_COMMIT_LSN: Final = Struct(">Q").unpack_from


class Group(NamedTuple):
    """Transactions in a row that do the same to one table; an item of each list for each of them.

    Attributes:
        changes: the frames of the changes.
        micros: the commits, since 1970.
        ends: where the commits end.
    """

    changes: list[bytes]
    micros: list[int]
    xids: list[int]
    ends: list[int]

    def sources(self, first: SourceInfo, commit_lsn: int | None, lsns: Sequence[int]) -> SourceRun:
        """Of as many transactions as there are LSNs; `first` is of the first, which follows that of `commit_lsn`."""
        count = len(lsns)
        micros = self.micros[:count]
        commits = [commit_lsn, *self.ends[: count - 1]]
        columns: tuple[list[Any], ...] = (
            [each // 1000 for each in micros],
            list(map(sequence, commits, lsns)),
            micros,
            [each * 1000 for each in micros],
            self.xids[:count],
            list(lsns),
        )
        moving = ((place, column) for place, column in zip(_MOVING, columns, strict=True)
                  if column.count(column[0]) < count)  # fmt: skip
        return SourceRun(first, count, tuple(moving))


class PlainTransactions:
    """Finds them. `after`: transactions that commit there or before are left to the reader."""

    def __init__(self, twin: ModuleType, after: int) -> None:
        self._find, self._after, self._most = twin.postgres_transactions, after, 1

    def next(self, frames: Sequence[bytes], at: int) -> Group | None:
        """Those from frame `at` on, a BEGIN. To be told whether they were `taken`."""
        frame = frames[at]
        if len(frame) < HEADER_SIZE + 9 or _COMMIT_LSN(frame, HEADER_SIZE + 1)[0] <= self._after:
            return None
        group = Group._make(self._find(frames, at, self._most))
        return group if group.changes else None

    def taken(self, done: bool) -> None:
        self._most = min(2 * self._most, _MOST) if done else 1
