"""Frames of rows: the generated decoders give what the decoder of single messages gives, and never misread damage."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.postgres.pgoutput import HEADER_SIZE, UNCHANGED, Delete, Insert, Update, decode
from cdc.postgres.row_decoder import PREFIX_END, Read, compile_rows
from tests.unit.cdc.postgres.test_pgoutput import values

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=300)
NUMBER = st.integers(-(2**31), 2**31).map(str)
READS = [
    Read(2, None, False, None, None), Read(0, int, True, -1, 0), Read(1, lambda text: text.upper(), False, None, None),
]  # fmt: skip
"""Of three columns, in another order than they stand in."""


def frame(body: bytes, lsn: int = 7) -> bytes:
    return b"w" + struct.pack(">QQq", lsn, lsn, 0) + body


def row(values: Any, *, key_only: bool = False) -> tuple[Any, ...]:
    number, name, text = values
    return text, -1 if number is None and key_only else int(number), None if name is None else name.upper()


def slow(found: bytes) -> Any:
    change = decode(found, start=HEADER_SIZE)
    match change:
        case Insert():
            return row(change.new)
        case Update():
            return None if change.old is None else row(change.old, key_only=change.old_kind == "K"), row(change.new)
        case Delete():
            return row(change.old, key_only=change.old_kind == "K")
    raise AssertionError(change)


def decoded(frames: list[bytes]) -> list[Any]:
    """By generated decoders alone; a frame that needs the slow way comes as None."""
    rows: list[Any] = []
    lsns: list[int] = []
    at = 0
    while at < len(frames):
        prefix = frames[at][HEADER_SIZE:PREFIX_END]
        at = compile_rows(prefix, 3, READS, lambda found: None)(frames, at, rows, lsns)
    assert lsns == [int.from_bytes(each[1:9], "big") for each in frames]
    return rows


FULL = st.tuples(NUMBER, st.none() | TEXT, st.none() | TEXT).map(lambda each: values(*each))
KEY = st.tuples(st.none() | NUMBER, st.none() | TEXT, st.none() | TEXT).map(lambda each: values(*each))
RELATION = struct.pack(">I", 5)
CHANGES = st.one_of(
    FULL.map(lambda new: b"I" + RELATION + b"N" + new),
    FULL.map(lambda new: b"U" + RELATION + b"N" + new),
    st.tuples(FULL, FULL).map(lambda both: b"U" + RELATION + b"O" + both[0] + b"N" + both[1]),
    st.tuples(KEY, FULL).map(lambda both: b"U" + RELATION + b"K" + both[0] + b"N" + both[1]),
    FULL.map(lambda old: b"D" + RELATION + b"O" + old),
    KEY.map(lambda old: b"D" + RELATION + b"K" + old),
)


@given(st.lists(CHANGES, max_size=8))
def test_every_row_is_as_the_decoder_of_single_messages_reads_it(changes: list[bytes]) -> None:
    frames = [frame(change, lsn) for lsn, change in enumerate(changes)]
    assert decoded(frames) == [slow(each) for each in frames]


@pytest.mark.parametrize("given", [("1", UNCHANGED, "x"), ("1", "n", UNCHANGED), (UNCHANGED, None, None),
                                   ("1", "x" * 70_000, None), ("1", None, "y" * (2 << 20))])  # fmt: skip
def test_what_is_not_usual_goes_the_slow_way(given: tuple[Any, ...]) -> None:
    usual = frame(b"I" + RELATION + b"N" + values("1", "a", "b"))
    assert decoded([usual, frame(b"I" + RELATION + b"N" + values(*given)), usual]) == [
        ("b", 1, "A"), None, ("b", 1, "A"),
    ]  # fmt: skip


def test_a_null_that_must_not_be_goes_the_slow_way() -> None:
    assert decoded([frame(b"I" + RELATION + b"N" + values(None, "a", "b"))]) == [None]


@given(CHANGES, st.data())
def test_bytes_that_were_changed_are_read_as_the_decoder_of_single_messages_reads_them(
    change: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(8, len(change) - 1))
    damaged = frame(change[:at] + data.draw(st.binary(max_size=3)) + change[at + data.draw(st.integers(0, 3)) :])
    [found] = decoded([damaged]) if len(damaged) >= PREFIX_END else [None]
    if found is None:
        return
    try:
        told = slow(damaged)
    except (DecodeError, ValueError):
        told = None
    assert found == told
