"""A table that is read in ranges of a number, by several sessions: what is left of it, and as an offset of its own.

The real connector's offset says one thing alone, up to where everything was read. So it is written when all ranges are;
until then this one stands beside it, of the partition `{"protocol": "1", "snapshot": "<full name>"}`, and is then
forgotten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.connector import Raw
from cdc.dialect import TableName
from cdc.errors import RequestError
from cdc.jdbc.offset import KEYS, QUERY, Position
from cdc.record import SourceOffset
from cdc.snapshot_offset import KeyRange, KeyValue, Left, members, told_in

SNAPSHOT: Final = "snapshot"
BOUND: Final = "bound"
MEMBERS: Final = (*KEYS, BOUND, "rows", "key", "ranges")
_PARTS_A_SESSION: Final = 4
"""More ranges than sessions, for some hold more rows than others."""
_HELD_MOST: Final = 20_000
"""So many rows of one number are held together, to begin none of them again after a restart."""


@dataclass
class Range:
    """Rows after a number, up to another; `after` moves on with the rows that were sent.

    Attributes:
        held: its newest rows, of which there may be more of the same number.
    """

    after: int | None = None
    upto: int | None = None
    ended: bool = False
    held: Sequence[Any] = ()

    def take(self, rows: Sequence[Any], number: Callable[[Any], int | None], *, whole: bool) -> Sequence[Any]:
        """More rows of it; gives those that go out now."""
        rows = [*self.held, *rows]
        count = len(rows) if whole else before_last(rows, number)
        if count:
            self.after = number(rows[count - 1])
        elif len(rows) > _HELD_MOST:
            count = len(rows)
        self.held, self.ended = rows[count:], whole
        return rows[:count]


@dataclass
class FirstRead:
    """What of a table is read, and what is left.

    Attributes:
        key: what the ranges are of; where it differs, the table is read anew.
        bound: the highest number, or the microseconds since 1970 before which timestamps lie; None: no bound.
        reached: the last row that was sent, in the order of the mode.
    """

    key: str
    bound: int | None
    ranges: list[Range] = field(default_factory=list)
    rows: int = 0
    reached: Position = field(default_factory=Position)

    def offset(self, table: TableName) -> SourceOffset:
        left = tuple(KeyRange(_text(each.after), _text(each.upto)) for each in self.ranges if not each.ended)
        bound = {} if self.bound is None else {BOUND: self.bound}
        told = members(Left(self.key, left, self.rows))
        return SourceOffset(partition(table), {**self.reached.as_offset(), **bound, **told})


def partition(table: TableName) -> dict[str, str]:
    return {"protocol": "1", SNAPSHOT: str(table)}


def begun(saved: Sequence[SourceOffset], table: TableName | None) -> FirstRead | None:
    """What an earlier start left of a table; None when it left nothing."""
    if table is None:
        return None
    wanted = partition(table)
    for of, offset in saved:
        if offset and dict(of) == wanted:
            return read(offset)
    return None


def read(offset: Mapping[str, Any]) -> FirstRead | None:
    """None: it was edited by hand, and wrongly, so that the table is to be read anew."""
    try:
        left, bound = told_in(offset), offset.get(BOUND)
        ranges = [Range(_number(each.after), _number(each.upto)) for each in left.ranges]
        return FirstRead(
            left.key, None if bound is None else int(bound), ranges, left.rows, Position.from_offset(offset)
        )
    except (ValueError, TypeError, AttributeError):
        return None


def check_offsets(config: Raw, offsets: Sequence[SourceOffset]) -> None:
    """Raises: RequestError: an offset that this source could not take up."""
    for of, offset in offsets:
        if SNAPSHOT in of:
            if offset is not None and (read(offset) is None or not offset.keys() <= set(MEMBERS)):
                raise RequestError(400, f"The offset of {dict(of)} cannot be read; forget it: set it to null")
            continue
        if "table" not in of and dict(of) != QUERY:
            raise RequestError(
                400, f"The partition {dict(of)} names no table; expected {{'protocol': '1', 'table': '<full name>'}}, "
                "or {'query': 'query'} for a connector with a query",
            )  # fmt: skip
        if offset is None:
            continue
        if unknown := [name for name in offset if name not in KEYS]:
            raise RequestError(400, f"The offset has the key {unknown[0]!r}; expected {', '.join(KEYS)}")
        try:
            Position.from_offset(offset)
        except ValueError as error:
            raise RequestError(400, f"The offset of {dict(of)} cannot be read: {error}") from error


def cut(low: int, high: int, sessions: int, least: int) -> list[int]:
    """Numbers that divide low…high evenly into ranges of at least so many numbers; none: it is not worth it."""
    parts = min(sessions * _PARTS_A_SESSION, (high - low) // least) if sessions > 1 else 1
    return [low + (high - low) * part // parts for part in range(1, parts)]


def between(cuts: Sequence[int], first: int | None, last: int | None) -> list[Range]:
    ends = [first, *cuts, last]
    return [Range(after, upto) for after, upto in itertools.pairwise(ends)]


def before_last(rows: Sequence[Any], value: Callable[[Any], Any]) -> int:
    """How many rows come before those of the last one's value."""
    last = value(rows[-1]) if rows else None
    return next((at + 1 for at in range(len(rows) - 2, -1, -1) if value(rows[at]) != last), 0)


def _text(number: int | None) -> KeyValue | None:
    return None if number is None else (str(number),)


def _number(value: KeyValue | None) -> int | None:
    return None if value is None else int(value[0])
