"""Strings as Java counts, hashes, orders and serializes them; the expected values are Java's own."""

from __future__ import annotations

from cdc.java.strings import cut, hash_code, in_hash_order, serialized, table_size


def test_a_cut_counts_utf_16_units() -> None:
    assert cut("abcdef", 3) == "abc"
    assert cut("日本語", 2) == "日本"
    assert cut("a😀b", 3) == "a😀"
    assert cut("a😀b", 2) == "a"
    assert cut("", 0) == ""


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
    assert [table_size(n) for n in (0, 12, 13, 24, 25)] == [16, 16, 32, 32, 64]
    assert table_size(1, 64) == 64


def test_strings_are_serialized_in_modified_utf_8() -> None:
    assert serialized("ab") == bytes.fromhex("aced000574 0002 6162")
    assert serialized("\0é") == bytes.fromhex("aced000574 0004 c080 c3a9")
    assert serialized("😀") == bytes.fromhex("aced000574 0006 eda0bd edb880")
    assert serialized("x" * 65536).startswith(bytes.fromhex("aced00057c 0000000000010000 78"))
