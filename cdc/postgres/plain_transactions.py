"""Transactions of one change in a row, known by their frames: BEGIN, the change, COMMIT.

Where small transactions follow each other, most of the work is in the frames around the changes. What is not plain is
left to the reader, which takes it frame by frame; both leave the same behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from types import ModuleType
from typing import Any, Final, NamedTuple

from cdc.changes import SourceRun
from cdc.postgres.pgoutput import EPOCH_US, HEADER_SIZE
from cdc.postgres.row_decoder import PREFIX_END
from cdc.postgres.source_info import SourceInfo, sequence

FRAMES: Final = 3
"""Of one plain transaction."""
_MOST: Final = 4096
"""Transactions looked for at a time; one where the last was not taken, so that no others are looked for in vain."""
_MOVING: Final = tuple(map(SourceInfo._fields.index, ("ts_ms", "sequence", "ts_us", "ts_ns", "tx_id", "lsn")))
"""What differs in `source` between such transactions."""
_BEGIN, _COMMIT = b"BC"
_CHANGES: Final = b"IUD"
_BEGIN_SIZE: Final = HEADER_SIZE + 21
_COMMIT_SIZE: Final = HEADER_SIZE + 26
_LSN: Final = Struct(">Q").unpack_from
_TIME_AND_XID: Final = Struct(">qI").unpack_from


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
        columns: tuple[Sequence[Any], ...] = (
            [each // 1000 for each in micros],
            list(map(sequence, commits, lsns)),
            micros,
            [each * 1000 for each in micros],
            self.xids[:count],
            lsns,
        )
        return SourceRun.told(first, _MOVING, columns)


class PlainTransactions:
    """Finds them. `after`: transactions that commit there or before are left to the reader."""

    def __init__(self, twin: ModuleType | None, after: int) -> None:
        self._find = find if twin is None else twin.postgres_transactions
        self._after, self._most = after, 1

    def next(self, frames: Sequence[bytes], at: int) -> Group | None:
        """Those from frame `at` on, a BEGIN. To be told whether they were `taken`."""
        frame = frames[at]
        if len(frame) < HEADER_SIZE + 9 or _LSN(frame, HEADER_SIZE + 1)[0] <= self._after:
            return None
        group = Group._make(self._find(frames, at, self._most))
        return group if group.changes else None

    def taken(self, done: bool) -> None:
        self._most = min(2 * self._most, _MOST) if done else 1


def find(frames: Sequence[bytes], at: int, most: int) -> tuple[list[bytes], list[int], list[int], list[int]]:
    """The items of a `Group`: plain transactions from frame `at` on, so many at most, whose changes begin alike."""
    changes: list[bytes] = []
    micros: list[int] = []
    xids: list[int] = []
    ends: list[int] = []
    prefix = frames[at + 1][HEADER_SIZE:PREFIX_END] if at + 1 < len(frames) else b""
    if len(prefix) < PREFIX_END - HEADER_SIZE or prefix[0] not in _CHANGES:
        most = 0
    for first in range(at, min(len(frames), at + most * FRAMES) - FRAMES + 1, FRAMES):
        begin, change, commit = frames[first : first + FRAMES]
        if len(begin) != _BEGIN_SIZE or begin[HEADER_SIZE] != _BEGIN or change[HEADER_SIZE:PREFIX_END] != prefix:
            break
        if len(commit) != _COMMIT_SIZE or commit[HEADER_SIZE] != _COMMIT:
            break
        time_us, xid = _TIME_AND_XID(begin, HEADER_SIZE + 9)
        changes.append(change)
        micros.append(time_us + EPOCH_US)
        xids.append(xid)
        ends += _LSN(commit, HEADER_SIZE + 10)
    return changes, micros, xids, ends
