"""Offsets in the form of Confluent's JDBC source."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.dialect import TableName
from cdc.errors import RequestError
from cdc.jdbc.first_read import check_offsets
from cdc.jdbc.offset import Position, partition, stored
from cdc.record import SourceOffset

TABLE = TableName("shop", None, "orders")


def test_an_offset_has_the_members_of_its_mode_in_the_original_s_order() -> None:
    position = Position(7, 1_700_000_000_123_456)
    offset = position.as_offset()
    assert list(offset.items()) == [
        ("incrementing", 7), ("timestamp", 1_700_000_000_123), ("timestamp_nanos", 123_456_000),
    ]  # fmt: skip
    assert Position.from_offset(offset) == position
    assert Position(7).as_offset() == {"incrementing": 7}
    assert Position.from_offset({"timestamp": 1500}) == Position(None, 1_500_000)
    before = Position(None, -1_500_000)
    assert Position.from_offset(before.as_offset()) == before


def test_a_table_is_found_by_its_full_name_then_by_the_older_bare_one() -> None:
    assert list(partition(TABLE).items()) == [("protocol", "1"), ("table", "shop.orders")]
    old = SourceOffset({"table": "orders"}, {"incrementing": 3})
    new = SourceOffset({"table": "shop.orders", "protocol": "1"}, {"incrementing": 9})
    assert stored([old], TABLE) == Position(3)
    assert stored([old, new], TABLE) == Position(9)
    assert stored([SourceOffset({"table": "orders"}, None)], TABLE) is None
    assert stored([SourceOffset({"query": "query"}, {"incrementing": 1})], None) == Position(1)


@pytest.mark.parametrize(
    ("of", "offset"),
    [({"file": "x"}, None), ({"table": "orders"}, {"incrementing": "7"}), ({"table": "orders"}, {"pos": 7}),
     ({"query": "query"}, {"timestamp": True})],
)  # fmt: skip
def test_an_offset_it_could_not_read_is_refused(of: dict[str, str], offset: dict[str, Any] | None) -> None:
    with pytest.raises(RequestError):
        check_offsets({}, [SourceOffset(of, offset)])


def test_an_offset_it_can_read_is_taken() -> None:
    check_offsets({}, [SourceOffset(partition(TABLE), {"incrementing": 7}), SourceOffset({"table": "x"}, None)])
