"""Transaction metadata: BEGIN and END records, the `transaction` block of events, and what an offset keeps of both.

Source: Debezium 3.5.0.Final, `TransactionMonitor`, `TransactionContext`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cdc.changes import Row
from cdc.java.order import in_hash_order, map_buckets
from cdc.naming import schema_name_adjuster
from cdc.record import Batch
from cdc.schema import INT64, OPTIONAL_INT64, STRING, Schema, array, struct

ID: Final = "transaction_id"
ORDER: Final = "transaction_data_collection_order_"
"""Members of an offset: the open transaction, and how many events of each table (the name follows) it has had."""

_COLLECTION: Final = struct(
    ("data_collection", STRING), ("event_count", INT64), name="event.collection", version=1, optional=True
)


class Transactions:
    """The transaction that is open, and the records of the transaction topic that were not taken yet."""

    def __init__(
        self, topic: str, name_adjustment: str = "none", offset: Mapping[str, Any] | None = None, *,
        shown: Callable[[str, Row], str] | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            offset: where the last run ended: in the middle of a transaction it tells that one's counts.
            shown: what a transaction's id becomes where an event of that `source` block shows it.
        """
        self._shown = shown
        adjust = schema_name_adjuster(name_adjustment)
        name = "io.debezium.connector.common.TransactionMetadata"
        self.topic = topic
        self._key_schema: Schema = struct(("id", STRING), name=adjust(name + "Key"), version=1)
        self._value_schema: Schema = struct(
            ("status", STRING), ("id", STRING), ("event_count", OPTIONAL_INT64),
            ("data_collections", array(_COLLECTION, optional=True)), ("ts_ms", INT64),
            name=adjust(name + "Value"), version=1,
        )  # fmt: skip
        self._id, self._counts = stored(offset or {})
        self._begun = self._id
        self._size = map_buckets(len(self._counts))
        self._marks: list[Row] = []

    def begin(self, id: str, ts_ms: int, source: Row = ()) -> None:
        """A transaction that the last run left open goes on; it has had its BEGIN record."""
        if id != self._begun:
            self._id, self._counts = id, {}
            self._marks.append(("BEGIN", self._named(id, source), None, None, ts_ms))
        self._begun = None

    def _named(self, id: str, source: Row) -> str:
        return id if self._shown is None else self._shown(id, source)

    def end(self, ts_ms: int, source: Row = ()) -> None:
        if self._id is None:
            return
        # The map that Debezium counts in keeps its size from one transaction to the next.
        self._size = map_buckets(len(self._counts), self._size)
        counts = [(table, self._counts[table]) for table in in_hash_order(self._counts, self._size)]
        self._marks.append(("END", self._named(self._id, source), sum(self._counts.values()), counts, ts_ms))
        self.drop()

    def drop(self) -> None:
        """The transaction ends without an END record, as one that is rolled back."""
        self._id, self._counts = None, {}

    def forget(self) -> None:
        """The transaction that the last run left open is sent again from its beginning."""
        self._begun = None
        self.drop()

    def blocks(self, table: str, sources: Sequence[Row]) -> list[Row] | None:
        """The `transaction` blocks of a table's next events, one a `source` block; None outside of a transaction."""
        id, shown = self._id, self._shown
        if id is None:
            return None
        before, of_table = sum(self._counts.values()), self._counts.get(table, 0)
        self._counts[table] = of_table + len(sources)
        if shown is None:
            return [(id, before + i, of_table + i) for i in range(1, len(sources) + 1)]
        return [(shown(id, source), before + i, of_table + i) for i, source in enumerate(sources, 1)]

    def take(self) -> list[Batch]:
        """The records since the last time."""
        if not self._marks:
            return []
        marks, self._marks = self._marks, []
        keys = [(mark[1],) for mark in marks]
        return [Batch(self.topic, self._key_schema, self._value_schema, keys, marks, [()] * len(marks))]

    @property
    def offset(self) -> Mapping[str, Any]:
        """The members that belong into an offset now."""
        if self._id is None:
            return {}
        return {ID: self._id, **{ORDER + table: count for table, count in self._counts.items()}}


def members(offset: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of an offset that tell of an open transaction."""
    return {name: value for name, value in offset.items() if name == ID or name.startswith(ORDER)}


def stored(offset: Mapping[str, Any]) -> tuple[str | None, dict[str, int]]:
    """The open transaction of an offset, and its counts by table."""
    id = offset.get(ID)
    if id is None:
        return None, {}
    return str(id), {name.removeprefix(ORDER): int(count) for name, count in offset.items() if name.startswith(ORDER)}
