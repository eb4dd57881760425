"""Latencies: percentiles by nearest rank, and nothing that was late or did not come is left out."""

from __future__ import annotations

import pytest

from bench.latency import PATIENCE_S, TICKS_A_SECOND, WARM_S, Load, percentile, statement, summary


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert percentile([*range(100, 0, -1)], share) == expected


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.99) == 7.0


def load(seconds: int) -> Load:
    return Load("mysql", ("127.0.0.1", 1), "t", 1, seconds * TICKS_A_SECOND)


def test_the_first_second_does_not_count() -> None:
    slow = [(tick / TICKS_A_SECOND, 5.0) for tick in range(TICKS_A_SECOND)]
    fast = [(WARM_S + tick / TICKS_A_SECOND, 0.003) for tick in range(TICKS_A_SECOND)]
    found = summary(load(2), slow + fast, [0.001])
    assert (found["p50_ms"], found["p999_ms"], found["missing"]) == (3.0, 3.0, 0)
    assert (found["rate"], found["late_ms"]) == (TICKS_A_SECOND, 1.0)


def test_a_record_that_did_not_come_is_as_late_as_one_waited_for_it() -> None:
    found = summary(load(2), [(1.5, 0.003)], [0.0])
    assert found["missing"] == 2 * TICKS_A_SECOND - 1
    assert found["p50_ms"] == 1000 * PATIENCE_S


def test_a_transaction_carries_the_time_at_which_it_was_due() -> None:
    made = statement("t", 30, 1_700_000_000.25)
    assert "'@1700000000250000'" in made
    assert made.endswith("FROM t WHERE id <= 30")
