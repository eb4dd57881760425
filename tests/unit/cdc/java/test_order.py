"""The order in which Java reads hash maps of texts; the expected values are Java's own."""

from __future__ import annotations

from cdc.java.order import hash_code, in_hash_order, map_buckets


def test_hash_codes_are_javas() -> None:
    assert hash_code("hello") == 99162322
    assert hash_code("") == 0
    assert hash_code("😀") == 0xD83D * 31 + 0xDE00


def test_a_hash_map_tells_its_keys_by_bucket() -> None:
    """Recorded from Debezium: the members of an offset, and tables of one transaction."""
    offset = ["server_id", "gtids", "file", "pos", "event", "row", "ts_sec", "snapshot"]
    assert in_hash_order(offset) == ["ts_sec", "file", "pos", "gtids", "row", "server_id", "event", "snapshot"]
    assert in_hash_order(["gtx.a", "gtx.b", "gtx.nokey"]) == ["gtx.nokey", "gtx.b", "gtx.a"]


def test_a_hash_map_doubles_past_three_quarters_and_never_shrinks() -> None:
    assert [map_buckets(n) for n in (0, 12, 13, 24, 25)] == [16, 16, 32, 32, 64]
    assert map_buckets(1, 64) == 64
