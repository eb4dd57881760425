"""Change events in runs iterate as the envelopes they stand for."""

from __future__ import annotations

import pytest

from cdc.changes import Changes, SourceRun, Sources

REST = (None, "c", 1, 2, 3)
SOURCES = Sources([SourceRun(("a", 5, 0), 2, ((1, (5, 6)), (2, range(2)))), SourceRun(("b", 9, 4), 1)])
BLOCKS = [("a", 5, 0), ("a", 6, 1), ("b", 9, 4)]


def test_sources_are_one_block_a_row() -> None:
    assert (list(SOURCES), len(SOURCES), SOURCES[1], SOURCES[1:]) == (BLOCKS, 3, BLOCKS[1], BLOCKS[1:])


def test_neighbours_that_are_the_same_object_become_a_run() -> None:
    usual, other = (str(1),), (str(1),)
    assert Sources.of([usual, usual, other, usual]).runs == [
        SourceRun(usual, 2), SourceRun(other, 1), SourceRun(usual, 1),
    ]  # fmt: skip
    assert Sources.of(SOURCES) is SOURCES


def test_envelopes_are_before_after_source_and_the_rest() -> None:
    changes = Changes(None, [(1,), (2,), (3,)], SOURCES, REST)
    expected = [(None, (i + 1,), block, *REST) for i, block in enumerate(BLOCKS)]
    assert (list(changes), len(changes), changes[2], changes[:2]) == (expected, 3, expected[2], expected[:2])
    updates = Changes([None, (1,), (2,)], [(1,), (2,), (3,)], SOURCES, REST)
    assert [event and event[:2] for event in updates] == [(None, (1,)), ((1,), (2,)), ((2,), (3,))]


def test_each_delete_is_followed_by_its_tombstone() -> None:
    changes = Changes([(1,), (2,), (3,)], None, SOURCES, REST, tombstones=True)
    assert len(changes) == 6
    assert list(changes)[1::2] == [None] * 3
    assert [event and event[0] for event in changes][::2] == [(1,), (2,), (3,)]


def test_rows_without_a_source_are_refused() -> None:
    with pytest.raises(ValueError, match="3 source blocks"):
        Changes(None, [(1,)], SOURCES, REST)
