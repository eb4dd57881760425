"""docs/benchmarks.md shows what the results in bench/results give: medians, spreads, ratios, and what must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import results, tables
from bench.cases import CASES, MAIN
from bench.results import Result
from bench.rounds import Figures, Run
from bench.tables import GOALS, MustHold, cell, must_hold, number, table


def result(**figures: list[float]) -> Result:
    """`side__figure`: its value in each round."""
    runs: list[Run] = []
    for name, values in figures.items():
        side, figure = name.split("__")
        runs += [Run(side, at, {figure: value}) for at, value in enumerate(values)]
    machine = {"cpu": "an abacus", "cores": 2, "memory_gib": 1, "kernel": "6", "load_before": 0.1}
    return Result("mysql-1000", 1000, "2026-01-01 00:00", 1, machine, {"Python": "3.11"}, runs)


def test_the_page_shows_what_the_results_give() -> None:
    page = tables.PAGE.read_text()
    assert page == tables.page(page, results.load()), "run: python -m bench.tables"


def test_the_page_has_a_place_for_every_case() -> None:
    page = tables.PAGE.read_text()
    assert [name for name in CASES if f"<!-- bench: {name} -->" not in page] == []


def test_every_goal_is_about_a_case_that_is_measured_when_none_is_named() -> None:
    assert {goal.case for goal in GOALS} <= set(MAIN) <= set(CASES)


def test_a_cell_is_the_median_with_the_least_and_the_most() -> None:
    assert cell([3.0, 100_000.0, 20.0]) == "20 (3–100,000)"
    assert cell([2.5]) == "2.5"
    assert cell([]) == ""


@pytest.mark.parametrize(("value", "shown"), [(0.0694, "0.0694"), (18.84, "18.8"), (151.6, "152"), (65790.4, "65,790")])
def test_numbers_have_three_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_table_has_a_column_a_side_and_the_ratio_of_medians() -> None:
    made = table(result(tuned__events_a_second=[10, 30, 20], tailrace__events_a_second=[80, 90, 70]))
    assert made.splitlines()[:3] == [
        "| | Tailrace | Debezium tuned | ratio |",
        "|---|---|---|---|",
        "| events a second | 80 (70–90) | 20 (10–30) | 4.00 |",
    ]


def test_without_a_peer_there_is_no_ratio() -> None:
    assert table(result(tailrace__events_a_second=[80])).startswith(
        "| | Tailrace |\n|---|---|\n| events a second | 80 |\n"
    )


@pytest.mark.parametrize(("most", "state"), [(False, "ok"), (True, "**not**")])
def test_a_goal_is_a_ratio_of_medians(most: bool, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = MustHold("times", "mysql-1000", "events_a_second", 3.5, most=most)
    monkeypatch.setattr(tables, "GOALS", [goal])
    found = {"mysql-1000": result(tuned__events_a_second=[10, 30, 20], tailrace__events_a_second=[80])}
    assert must_hold(found).splitlines()[-1] == f"| times | 4 | {'at most' if most else 'at least'} 3.5 | {state} |"
    assert must_hold({}).endswith("| not measured |")


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    figures: Figures = {"events_a_second": 123.456}
    written = Result(
        "x", 1, "2026-01-01 00:00", 2.0, {"cpu": "c"}, {"Python": "3"}, [Run("tailrace", 0, figures, "50%")]
    )
    results.save(written, tmp_path)
    assert results.load(tmp_path) == {"x": written}
