"""How far a table was read, as Confluent's JDBC source keeps it, so that either takes over from the other.

Protocol 1 names the table in full, the older protocol 0 by its bare name; it is looked up, never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.dialect import TableName
from cdc.record import SourceOffset

INCREMENTING, TIMESTAMP, NANOS = "incrementing", "timestamp", "timestamp_nanos"
QUERY: Final = {"query": "query"}
KEYS: Final = (INCREMENTING, TIMESTAMP, NANOS)


def partition(table: TableName | None) -> dict[str, str]:
    """Of a table, or of the query; its keys stand in the order of the original's, on which the topic's key depends."""
    return dict(QUERY) if table is None else {"protocol": "1", "table": str(table)}


@dataclass(frozen=True)
class Position:
    """The last row that was read.

    Attributes:
        number: its incrementing column; None: that is not used, or nothing was read.
        micros: its timestamp in microseconds since 1970 in UTC; None likewise.
    """

    number: int | None = None
    micros: int | None = None

    def as_offset(self) -> dict[str, int]:
        found = {}
        if self.number is not None:
            found[INCREMENTING] = self.number
        if self.micros is not None:
            found[TIMESTAMP] = self.micros // 1000
            found[NANOS] = self.micros % 1_000_000 * 1000
        return found

    @classmethod
    def from_offset(cls, offset: Mapping[str, Any]) -> Position:
        """Raises: ValueError: it is none of ours."""
        for name in KEYS:
            if not isinstance(offset.get(name, 0), int) or isinstance(offset.get(name), bool):
                raise ValueError(f"{name} must be a whole number")
        millis, nanos = offset.get(TIMESTAMP), offset.get(NANOS)
        if millis is None:
            return cls(offset.get(INCREMENTING))
        micros = millis * 1000 if nanos is None else millis // 1000 * 1_000_000 + nanos // 1000
        return cls(offset.get(INCREMENTING), micros)


def stored(saved: Sequence[SourceOffset], table: TableName | None) -> Position | None:
    """Where to go on with a table or the query; None when nothing is stored of it."""
    wanted = [partition(table)] if table is None else [partition(table), {"table": table.name}]
    known = {tuple(sorted(of.items())): offset for of, offset in saved if offset}
    for candidate in wanted:
        if offset := known.get(tuple(sorted(candidate.items()))):
            return Position.from_offset(offset)
    return None
