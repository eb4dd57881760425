"""Orders to and from records, and how tasks are spread over workers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connect_compat.assignment import (
    NOTHING,
    Leader,
    Orders,
    Run,
    digest,
    done_key,
    done_record,
    leaving_key,
    read,
    run_key,
    spread,
)
from connect_compat.worker import TaskId

WORKERS = st.lists(st.sampled_from("abcdef"), unique=True, min_size=1)
PLACED = st.dictionaries(
    st.builds(TaskId, st.sampled_from(["x", "y-1", "z"]), st.integers(0, 20)), st.sampled_from("abcdefgh"), max_size=40
)


@given(PLACED, WORKERS)
def test_tasks_are_spread_evenly_and_no_more_than_needed_move(placed: dict[TaskId, str], workers: list[str]) -> None:
    moves = spread(placed, workers)
    after = placed | moves
    load = Counter(dict.fromkeys(workers, 0)) + Counter() | Counter(after.values())
    counts = [load[worker] for worker in workers]
    assert set(after.values()) <= set(workers)
    assert max(counts) - min(counts) <= 1
    orphans = sum(worker not in workers for worker in placed.values())
    share = -(-len(placed) // len(workers))
    crowded = sum(max(0, Counter(placed.values())[worker] - share) for worker in workers)
    short = sum(max(0, len(placed) // len(workers) - Counter(placed.values())[worker]) for worker in workers)
    assert len(moves) <= max(orphans + crowded, short, orphans)
    assert all(placed[task] != worker for task, worker in moves.items())


@given(PLACED, WORKERS)
def test_an_even_spread_stays(placed: dict[TaskId, str], workers: list[str]) -> None:
    after = placed | spread(placed, workers)
    assert spread(after, workers) == {}


def test_without_workers_nothing_moves() -> None:
    assert spread({TaskId("x", 0): "a"}, []) == {}


def test_records_say_all_that_was_ordered() -> None:
    task, run = TaskId("my-source", 3), Run("h:1", 4, 2, digest({"a": "b"}), paused=True)
    found = read({
        "leader": Leader("h:1", 2).as_record(), run_key(task): run.as_record(),
        done_key(task): done_record(3), leaving_key("h:2"): b"{}", "else": b"{}",
    })  # fmt: skip
    assert found == Orders(Leader("h:1", 2), {task: run}, {task: 3}, frozenset({"h:2"}))


def test_what_a_replaced_leader_ordered_too_late_is_not_obeyed() -> None:
    task, other = TaskId("s", 0), TaskId("s", 1)
    old, new = Run("a", 1, 1, "d"), Run("b", 2, 2, "d")
    known = Orders(Leader("b", 2), {task: new, other: old}, {}, frozenset())
    late = Orders(Leader("b", 2), {task: Run("a", 3, 1, "d"), other: old, TaskId("s", 2): old}, {}, frozenset())
    assert late.following(known) == known
    assert late.following(NOTHING) == late
