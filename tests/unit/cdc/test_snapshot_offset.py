"""What is left of tables in a snapshot, as offsets keep it."""

from __future__ import annotations

from cdc.record import SourceOffset
from cdc.snapshot_offset import KeyRange, Left, left_of, partitions, saved
from cdc.table import TableId

BEGUN = {"file": "log.000007", "pos": 4}


def test_what_is_left_of_a_table_is_kept_beside_the_connectors_offset() -> None:
    left = Left("id int unsigned", (KeyRange(("5",), ("9",)), KeyRange(("20",), None)), 12)
    offset = saved("shop", BEGUN, TableId("inv", "a.b"), left)
    assert dict(offset.partition) == {"server": "shop", "snapshot": "inv.a.b"}
    assert all(isinstance(value, str | int) for value in (offset.offset or {}).values())
    done = saved("shop", BEGUN, TableId("inv", "c"), Left("", (), 3))
    found = left_of("shop", BEGUN, [offset, done])
    assert found == {"inv.a.b": left, "inv.c": Left("", (), 3)}
    assert partitions("shop", [offset, SourceOffset({"server": "shop"}, {"file": "x"})]) == [offset.partition]


def test_what_another_snapshot_or_connector_left_does_not_count() -> None:
    offset = saved("shop", BEGUN, TableId("inv", "a"), Left("", (), 3))
    assert left_of("shop", {"file": "log.000007", "pos": 5}, [offset]) == {}
    assert left_of("other", BEGUN, [offset]) == {}
    broken = SourceOffset(offset.partition, {**(offset.offset or {}), "ranges": "[[1"})
    assert left_of("shop", BEGUN, [broken]) == {}
