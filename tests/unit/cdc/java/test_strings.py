"""Strings as Java counts and serializes them; the expected values are Java's own."""

from __future__ import annotations

from cdc.java.strings import cut, serialized


def test_a_cut_counts_utf_16_units() -> None:
    assert cut("abcdef", 3) == "abc"
    assert cut("日本語", 2) == "日本"
    assert cut("a😀b", 3) == "a😀"
    assert cut("a😀b", 2) == "a"
    assert cut("", 0) == ""


def test_strings_are_serialized_in_modified_utf_8() -> None:
    assert serialized("ab") == bytes.fromhex("aced000574 0002 6162")
    assert serialized("\0é") == bytes.fromhex("aced000574 0004 c080 c3a9")
    assert serialized("😀") == bytes.fromhex("aced000574 0006 eda0bd edb880")
    assert serialized("x" * 65536).startswith(bytes.fromhex("aced00057c 0000000000010000 78"))
