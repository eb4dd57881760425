"""Structs whose members stand in order and are what their schema says are taken over whole; all others are not."""

from __future__ import annotations

from cdc.schema import BYTES, FLOAT64, INT64, OPTIONAL_STRING, STRING, decimal, struct
from connect_compat.converters.json_read import compile_decode

FLAT = struct(("id", INT64), ("name", OPTIONAL_STRING.with_(default="?")), ("x", FLOAT64))


def test_what_was_taken_over_once_is_so_again_and_nothing_else() -> None:
    decode = compile_decode(FLAT, defaults=True)
    for _ in range(3):
        assert decode({"id": 1, "name": "a", "x": 0.5}) == (1, "a", 0.5)
        assert decode({"name": "a", "id": 1, "x": 0.5}) == (1, "a", 0.5)
        assert decode({"id": 1, "name": None, "x": 0.5}) == (1, "?", 0.5)
        assert decode({"id": 1, "name": "a", "x": 2}) == (1, "a", 2.0)
        assert decode({"id": 1, "name": "a", "x": 0.5, "y": 1}) == (1, "a", 0.5)
        assert decode({"id": 1, "x": 0.5}) == (1, "?", 0.5)


def test_members_that_are_converted_always_are() -> None:
    decode = compile_decode(struct(("d", decimal(2)), ("b", BYTES), ("s", STRING)), defaults=True)
    assert [decode({"d": number, "b": "", "s": "x"}) for number in (0, 0, 5)] == [
        (0, b"", "x"),
        (0, b"", "x"),
        (500, b"", "x"),
    ]
