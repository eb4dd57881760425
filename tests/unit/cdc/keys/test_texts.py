"""Texts of keys that hold several things."""

from __future__ import annotations

from cdc.keys.texts import names, patterns, statements


def test_names_are_separated_by_commas() -> None:
    assert names(" a.b ,, c") == ["a.b", "c"]
    assert names(None) == []


def test_a_comma_within_an_expression_is_escaped() -> None:
    assert patterns("a, b{1\\,2} ,,c") == ["a", "b{1,2}", "c"]


def test_two_semicolons_are_one_within_a_statement() -> None:
    assert statements("SET a = ';;'; ; SET b = 1;") == ["SET a = ';'", "SET b = 1"]
    assert statements(None) == []
