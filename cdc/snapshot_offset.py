"""What a snapshot has read of each table, as offsets of their own beside the connector's; and back.

The connector's own offset stays Debezium's to the letter. A table's has the partition `{"server": …, "snapshot":
"db.table"}`, names the position the snapshot began at (`begun_at`: those members of the connector's offset that tell
it), and is forgotten when the snapshot ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdc.record import SourceOffset
from cdc.table import TableId

_SNAPSHOT: Final = "snapshot"
KeyValue = tuple[str, ...]
"""What rows of a table are walked along, as texts: the columns of a key, or a place in the file."""


class KeyRange(NamedTuple):
    """The rows after a key value up to another; None: from the first, to the last."""

    after: KeyValue | None = None
    upto: KeyValue | None = None


@dataclass(frozen=True)
class Left:
    """What is left of a table that was begun.

    Attributes:
        key: signature of the key that `ranges` speak of.
        ranges: what was not read; empty: nothing is left.
        rows: rows read.
    """

    key: str
    ranges: tuple[KeyRange, ...]
    rows: int


def partition(prefix: str, table: TableId) -> dict[str, str]:
    return {"server": prefix, _SNAPSHOT: str(table)}


def saved(prefix: str, begun_at: Mapping[str, Any], table: TableId, left: Left) -> SourceOffset:
    return SourceOffset(partition(prefix, table), {**begun_at, **members(left)})


def members(left: Left) -> dict[str, Any]:
    """What an offset tells of it."""
    told: dict[str, Any] = {"rows": left.rows}
    if left.ranges:
        told |= {"key": left.key, "ranges": json.dumps(left.ranges, separators=(",", ":"))}
    return told


def told_in(offset: Mapping[str, Any]) -> Left:
    """The same back. Raises: ValueError, TypeError, AttributeError: it was edited by hand, and wrongly."""
    ranges = tuple(_range(pair) for pair in json.loads(offset.get("ranges") or "[]"))
    return Left(str(offset.get("key") or ""), ranges, int(offset.get("rows") or 0))


def left_of(prefix: str, begun_at: Mapping[str, Any] | None, offsets: Iterable[SourceOffset]) -> dict[str, Left]:
    """By `db.table`, what the snapshot that began at a position left of each table it saved something of."""
    found: dict[str, Left] = {}
    for of, offset in offsets:
        table = _table(prefix, of)
        if table is None or offset is None or begun_at is None:
            continue
        if any(offset.get(name) != value for name, value in begun_at.items()):
            continue
        try:
            found[table] = told_in(offset)
        except (ValueError, TypeError, AttributeError):
            continue  # edited by hand: that table is read from its start
    return found


def partitions(prefix: str, offsets: Iterable[SourceOffset]) -> list[Mapping[str, Any]]:
    """Of what was saved of tables in any snapshot of this connector."""
    return [of for of, offset in offsets if offset is not None and _table(prefix, of) is not None]


def _table(prefix: str, of: Mapping[str, Any]) -> str | None:
    table = of.get(_SNAPSHOT)
    return table if len(of) == 2 and of.get("server") == prefix and isinstance(table, str) else None


def _range(pair: Sequence[Any]) -> KeyRange:
    after, upto = (None if value is None else tuple(map(str, value)) for value in pair)
    return KeyRange(after, upto)
