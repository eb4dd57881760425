"""The order of tables."""

from __future__ import annotations

from cdc.table import TableId, in_order


def test_tables_are_read_in_the_order_of_the_include_list() -> None:
    tables = [TableId("b", "x"), TableId("a", "z"), TableId("a", "y")]
    assert in_order(tables, ["b\\..*", "a\\..*"]) == [TableId("b", "x"), TableId("a", "y"), TableId("a", "z")]
    assert in_order(tables, []) == [TableId("a", "y"), TableId("a", "z"), TableId("b", "x")]


def test_names_compare_as_java_strings_do() -> None:
    # "db-x.t" before "db.t": a hyphen is less than the point; and astral characters before U+E000.
    tables = [TableId("db", "t"), TableId("db-x", "t"), TableId("\ue000", "t"), TableId("\U0001f600", "t")]
    assert in_order(tables, []) == [
        TableId("db-x", "t"), TableId("db", "t"), TableId("\U0001f600", "t"), TableId("\ue000", "t"),
    ]  # fmt: skip
