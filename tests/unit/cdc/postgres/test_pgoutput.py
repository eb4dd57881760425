"""pgoutput messages: every kind, values of every kind, and damage that is told instead of misread."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.postgres import pgoutput
from cdc.postgres.pgoutput import EPOCH_US, UNCHANGED, decode

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


def values(*given: str | object | None) -> bytes:
    made = struct.pack(">h", len(given))
    for value in given:
        if value is None:
            made += b"n"
        elif value is UNCHANGED:
            made += b"u"
        else:
            raw = str(value).encode()
            made += b"t" + struct.pack(">I", len(raw)) + raw
    return made


def test_a_transaction_begins_and_ends_with_its_places_and_its_time() -> None:
    assert decode(b"B" + struct.pack(">QqI", 7, 5, 99)) == pgoutput.Begin(7, EPOCH_US + 5, 99)
    assert decode(b"C\0" + struct.pack(">QQq", 7, 8, 5)) == pgoutput.Commit(7, 8, EPOCH_US + 5)
    assert decode(b"O" + struct.pack(">Q", 3) + b"other\0") == pgoutput.Origin(3, "other")


def test_a_relation_tells_its_columns_and_its_identity() -> None:
    columns = b"\1id\0" + struct.pack(">Ii", 23, -1) + b"\0name\0" + struct.pack(">Ii", 1043, 14)
    message = b"R" + struct.pack(">I", 16400) + b"public\0goods\0f" + struct.pack(">h", 2) + columns
    assert decode(message) == pgoutput.Relation(16400, "public", "goods", "f", (
        pgoutput.RelationColumn("id", 23, -1, True), pgoutput.RelationColumn("name", 1043, 14, False),
    ))  # fmt: skip


def test_changes_hold_texts_nulls_and_what_was_not_touched() -> None:
    relation = struct.pack(">I", 5)
    assert decode(b"I" + relation + b"N" + values("1", None)) == pgoutput.Insert(5, ["1", None])
    assert decode(b"U" + relation + b"N" + values("1", UNCHANGED)) == pgoutput.Update(5, None, None, ["1", UNCHANGED])
    update = b"U" + relation + b"K" + values("0", None) + b"N" + values("1", "x")
    assert decode(update) == pgoutput.Update(5, "K", ["0", None], ["1", "x"])
    assert decode(b"D" + relation + b"O" + values("1", "x")) == pgoutput.Delete(5, "O", ["1", "x"])
    assert decode(b"T" + struct.pack(">IBII", 2, 1, 5, 6)) == pgoutput.Truncate((5, 6), 1)
    assert decode(b"M\1" + struct.pack(">Q", 4) + b"p\0" + struct.pack(">I", 3) + b"abc") == pgoutput.Message(
        True, 4, "p", b"abc"
    )
    assert decode(b"Y" + relation + b"\0int4\0") == pgoutput.TypeName(5, "pg_catalog", "int4")


def test_parts_of_open_transactions_carry_their_transaction() -> None:
    assert decode(b"S" + struct.pack(">IB", 9, 1)) == pgoutput.StreamStart(9, True)
    assert decode(b"E") == pgoutput.StreamStop()
    assert decode(b"c" + struct.pack(">IBQQq", 9, 0, 1, 2, 3)) == pgoutput.StreamCommit(9, 1, 2, EPOCH_US + 3)
    assert decode(b"A" + struct.pack(">II", 9, 10)) == pgoutput.StreamAbort(9, 10)
    streamed = b"I" + struct.pack(">II", 9, 5) + b"N" + values("1")
    assert decode(streamed, streamed=True) == pgoutput.Insert(5, ["1"])


@given(st.lists(st.one_of(TEXT, st.none(), st.just(UNCHANGED)), max_size=12))
def test_any_values_come_back(given: list[str | object | None]) -> None:
    decoded = decode(b"I" + struct.pack(">I", 1) + b"N" + values(*given))
    assert isinstance(decoded, pgoutput.Insert) and decoded.new == given


@given(st.lists(st.one_of(TEXT, st.none()), min_size=1, max_size=6), st.data())
def test_a_message_that_was_cut_is_refused(given: list[str | None], data: st.DataObject) -> None:
    whole = b"I" + struct.pack(">I", 1) + b"N" + values(*given)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(DecodeError):
        decode(whole[:cut])


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode(message)
