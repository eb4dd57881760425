"""Positions and GTID sets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import SourceError
from cdc.mysql.offset import GtidSet, GtidTally, Position

A = "bb072509-e54b-11f1-8f06-02fc00000001"
B = "cc072509-e54b-11f1-8f06-02fc00000001"
numbers = st.sets(st.integers(1, 40))


def of(wanted: set[int]) -> GtidSet:
    gtids = GtidSet()
    for number in wanted:
        gtids = gtids.add(f"{A}:{number}")
    return gtids


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        (f"{A}:1-5", f"{A}:1-5"),
        (f"{A.upper()}:7:1-3:4-5", f"{A}:1-5:7"),
        (f"{B}:2,\n{A}:1-1", f"{A}:1,{B}:2"),
        (f"{A}:tag_1:1-3", f"{A}:tag_1:1-3"),
        (f"{A}:1-5:tag_1:1-3:5:b:9", f"{A}:1-5:b:9:tag_1:1-3:5"),
        (f" {A}:5-4 , ", ""),
    ],
)
def test_a_set_is_written_in_the_servers_canonical_form(text: str, canonical: str) -> None:
    assert str(GtidSet.parse(text)) == canonical


@pytest.mark.parametrize("text", ["x", A, f"{A}:", f"{A}:1-", f"{A}:-1", f"{A}:1-2:9x", "bb07:1-2"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        GtidSet.parse(text)


@given(numbers, numbers)
def test_sets_of_transactions_behave_as_sets(left: set[int], right: set[int]) -> None:
    assert of(left).union(of(right)) == of(left | right)
    assert of(left).minus(of(right)) == of(left - right)
    assert of(left).contains(of(right)) == (left >= right)
    assert GtidSet.parse(str(of(left))) == of(left)
    assert hash(of(left | right)) == hash(of(right).union(of(left)))


def test_a_transaction_is_added_where_it_belongs() -> None:
    gtids = GtidSet.parse(f"{A}:1-5,{B}:1").add(f"{A}:6").add(f"{A}:9").add(f"{A}:tag:1").add(f"{B}:2")
    assert str(gtids) == f"{A}:1-6:9:tag:1,{B}:1-2"
    assert gtids.contains(f"{A}:9")
    assert not gtids.contains(f"{A}:8")
    assert not gtids.contains(f"{B}:tag:1")
    assert str(gtids.only(lambda uuid: uuid == B)) == f"{B}:1-2"


@given(st.lists(st.tuples(st.sampled_from([A, B, f"{A}:tag"]), st.integers(1, 12))), numbers, st.integers(0, 5))
def test_a_tally_adds_as_a_set_does(added: list[tuple[str, int]], done: set[int], asked: int) -> None:
    gtids, tally = of(done), GtidTally(of(done))
    for i, (origin, number) in enumerate(added):
        gtids = gtids.add(f"{origin}:{number}")
        tally.add(f"{origin}:{number}")
        if i == asked:
            assert tally.done() == gtids
    assert tally.done() == gtids
    assert tally.done() == gtids


FULL = {
    "ts_sec": 1795231694, "file": "binlog.000001", "pos": 600976783, "gtids": f"{A}:1-61459", "row": 2,
    "server_id": 184054, "event": 1, "snapshot": "INITIAL",
}  # fmt: skip


def test_an_offset_has_debeziums_members_in_debeziums_order() -> None:
    offset = Position.from_offset(FULL).to_offset()
    assert list(offset.items()) == list(FULL.items())


def test_members_that_say_nothing_are_left_out() -> None:
    assert Position(file="b.1", pos=4).to_offset() == {"file": "b.1", "pos": 4}


@given(
    st.builds(
        Position,
        file=st.just("binlog.000009"),
        pos=st.integers(4, 2**40),
        event=st.integers(0, 10**6),
        row=st.integers(0, 10**6),
        gtids=st.sampled_from([None, f"{A}:1-7"]),
        server_id=st.integers(0, 2**32 - 1),
        ts_sec=st.none() | st.integers(0, 2**40),
        snapshot=st.sampled_from([None, "INITIAL"]),
    )
)
def test_a_stored_position_comes_back(position: Position) -> None:
    assert Position.from_offset(position.to_offset()) == position


@pytest.mark.parametrize(
    ("offset", "position"),
    [
        ({"file": "b.1", "pos": "154", "snapshot": True}, Position(file="b.1", pos=154, snapshot="INITIAL")),
        ({"file": "b.1", "snapshot": "false"}, Position(file="b.1", pos=4)),
        ({"file": "b.1", "gtids": f"{A}:1-2,\n{B}:3"}, Position(file="b.1", pos=4, gtids=f"{A}:1-2,{B}:3")),
        ({"file": "b.1", "gtids": "", "row": None}, Position(file="b.1", pos=4)),
    ],
)
def test_offsets_of_older_releases_and_of_users_are_read(offset: dict[str, Any], position: Position) -> None:
    assert Position.from_offset(offset) == position


@pytest.mark.parametrize(
    "offset", [{}, {"pos": 4}, {"file": ""}, {"file": "b.1", "pos": "x"}, {"file": "b.1", "row": -1}]
)
def test_an_offset_that_cannot_be_used_is_refused_with_its_values(offset: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match="offset"):
        Position.from_offset(offset)


@pytest.mark.parametrize("kind", ["BLOCKING", "INCREMENTAL"])
def test_a_snapshot_beside_the_log_leaves_a_position_of_the_log(kind: str) -> None:
    assert Position.from_offset({"file": "binlog.1", "pos": 4, "snapshot": kind}).snapshot is None
