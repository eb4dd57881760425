"""The state of an incremental snapshot."""

from __future__ import annotations

import pytest

from cdc.errors import SourceError
from cdc.incremental import EMPTY, SUCCEEDED, Incremental, Window, above, expanded, up_to
from cdc.java.objects import JavaValue
from cdc.signals import Condition, Execute, Stop

KNOWN = ("a.one", "a.two", "b.one")


def key(number: int) -> tuple[JavaValue, ...]:
    return (JavaValue("Integer", number),)


def begun(*tables: str) -> Incremental:
    state = Incremental()
    assert state.add(Execute("s", tables or ("a.one", "a.two")), KNOWN)
    assert state.next_chunk(KNOWN, lambda: "chunk")
    return state


def told(state: Incremental) -> list[tuple[str, str | None]]:
    notes, state.notes = state.notes, []
    return [(note.type, note.data.get("status")) for note in notes]


def test_a_table_is_read_chunk_by_chunk_until_one_is_empty() -> None:
    state = begun("a.one")
    state.maximum = key(3)
    assert state.window is not None
    state.window.fill([((1,), "one"), ((2,), "two")])
    state.scan(2, key(2))
    assert state.offset()["incremental_snapshot_primary_key"] == "aced000570"
    assert state.take_window() == ["one", "two"]
    assert state.sent == key(2)
    assert state.next_chunk(KNOWN)
    state.next_table(SUCCEEDED)
    assert not state.running
    assert state.offset() == {}
    assert told(state) == [("STARTED", None), ("IN_PROGRESS", None), ("TABLE_SCAN_COMPLETED", SUCCEEDED),
                           ("COMPLETED", None)]  # fmt: skip


def test_rows_that_the_log_changes_between_the_watermarks_are_dropped_before_and_after_they_are_read() -> None:
    window = Window("w", open=True)
    window.drop([(1,), (9,)])
    window.fill([((1,), "one"), ((2,), "two"), ((3,), "three")])
    window.drop([(3,)])
    assert window.rows == [((2,), "two")]


def test_what_is_stored_goes_on_after_the_last_key_that_was_sent() -> None:
    state = begun()
    state.maximum = key(300)
    assert state.window is not None
    state.window.fill([((200,), "row")])
    state.scan(1, key(200))
    state.take_window()
    again = Incremental(state.offset())
    assert (again.end, again.maximum, again.correlation) == (key(200), key(300), "s")
    assert [each.table for each in again.queue] == ["a.one", "a.two"]
    assert again.offset() == state.offset()


def test_a_condition_stands_in_parentheses_and_stays_as_it_is_over_restarts() -> None:
    state = Incremental()
    state.add(Execute("s", ("a.one",), conditions=(Condition("a.*", "x = 1 OR y"),)), KNOWN)
    again = Incremental(Incremental(state.offset()).offset())
    assert again.current.condition == "(x = 1 OR y)"


def test_a_stop_waits_for_the_window_and_goes_on_with_the_tables_that_are_left() -> None:
    state = begun("a.one", "a.two", "b.one")
    state.stop(Stop(("a.one", "b\\..*")))
    assert state.current.table == "a.one"
    assert state.next_chunk(KNOWN)
    assert [each.table for each in state.queue] == ["a.two"]
    note = state.notes[-1]
    assert (note.type, set(note.data["data_collections"].split(","))) == ("ABORTED", {"a.one", "b.one"})


def test_a_stop_of_all_ends_the_snapshot() -> None:
    state = begun()
    state.stop(Stop())
    assert not state.next_chunk(KNOWN)
    assert [type for type, _ in told(state)][-2:] == ["COMPLETED", "ABORTED"]


def test_a_pause_lasts_over_a_restart_until_it_is_resumed() -> None:
    state = begun()
    state.pause()
    again = Incremental(state.offset())
    assert not again.next_chunk(KNOWN)
    assert again.resume()
    assert again.next_chunk(KNOWN)
    assert [type for type, _ in told(again)] == ["RESUMED"]


def test_a_second_signal_queues_its_tables() -> None:
    state = begun("a.one")
    assert not state.add(Execute("t", ("b.one",)), KNOWN)
    state.next_table(EMPTY)
    assert state.current.table == "b.one"
    assert state.correlation == "t"


def test_a_pattern_names_every_table_that_it_matches_as_a_whole_and_a_name_unknown_itself() -> None:
    assert set(expanded(["a\\..*", "a.one", "c.none"], KNOWN)) == {"a.one", "a.two", "c.none"}


@pytest.mark.parametrize("member", ["primary_key", "maximum_key", "collections"])
def test_a_stored_state_that_cannot_be_read_is_refused_by_name(member: str) -> None:
    with pytest.raises(SourceError, match=f"incremental_snapshot_{member}"):
        Incremental({f"incremental_snapshot_{member}": "zz"})


def test_bounds_of_composite_keys_and_nulls() -> None:
    assert above([("`a`", False)], ["1"]) == "((`a` > 1))"
    assert above([("`a`", False), ("`b`", False)], ["1", "2"]) == "((`a` > 1) OR (`a` = 1 AND `b` > 2))"
    assert above([("`a`", True), ("`b`", False)], [None, "2"]) == (
        "((`a` IS NOT NULL) OR (`a` IS NULL AND `b` > 2))"
    )  # fmt: skip
    assert up_to([("`a`", True)], ["1"]) == "NOT COALESCE(((`a` > 1)), FALSE)"
