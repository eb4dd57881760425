"""Statements that fill a backlog: the rows asked for, in transactions of the size asked for."""

from __future__ import annotations

import pytest

from bench.backlog import SHAPES, UPDATED_ROWS, inserts, updates
from bench.databases import batches


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_has_a_value_for_each_column(shape: str) -> None:
    (statement,) = inserts("t", SHAPES[shape], 1, 1)
    columns, values = statement.split(" VALUES ")
    assert columns.count(",") == values.count(",")


def test_transactions_hold_so_many_rows_and_the_last_one_the_rest() -> None:
    found = list(inserts("t", SHAPES["payload"], 5, 2))
    assert [statement.count("('") for statement in found] == [2, 2, 1]


def test_the_same_rows_come_each_time() -> None:
    assert list(inserts("t", SHAPES["orders"], 4, 2)) == list(inserts("t", SHAPES["orders"], 4, 2))


def test_updates_begin_again_with_the_first_row() -> None:
    found = list(updates("t", UPDATED_ROWS + 1500, 1000))
    assert found[0].endswith("BETWEEN 1 AND 1000")
    assert found[-2].endswith("BETWEEN 1 AND 1000")
    assert found[-1].endswith("BETWEEN 1001 AND 1500")


def test_small_statements_go_together_and_none_is_lost() -> None:
    statements = ["x" * 90_000] * 5
    assert [len(some) for some in batches(statements)] == [3, 2]
    assert [len(some) for some in batches(["y" * 300_000] * 2)] == [1, 1]
