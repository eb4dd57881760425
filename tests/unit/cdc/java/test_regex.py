"""Java's regular expressions and replacements; more cases stand with RegexRouter's recordings."""

from __future__ import annotations

import pytest

from cdc.java.regex import compile_java, java_regex, replaced


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "wanted"),
    [
        (r"(?<db>\w+)\.(?<t>\w+)", "${t}-${db}", "shop.orders", "orders-shop"),
        (r"\Qa.b\E(.*)", "$1", "a.bc", "c"),
        (r"\Qa.b\E(.*)", "$1", "axbc", None),
        (r"[\p{Lower}_]+", "x", "a_b", "x"),
        (r"\p{Upper}\p{Digit}\z", "x", "A1", "x"),
        (r"[(?<]+", "x", "(?<", "x"),
        (r"\w", "x", "é", None),
        (r"(a)|(b)", "[$1$2]", "b", "[b]"),
        (r"(?<!x)a", r"\$1\\", "a", r"$1\ ".strip()),
        (r"a", "$0$0", "a", "aa"),
    ],
)
def test_a_match_is_replaced_as_in_java(pattern: str, replacement: str, text: str, wanted: str | None) -> None:
    assert replaced(compile_java(pattern), replacement, text) == wanted


@pytest.mark.parametrize("pattern", ["(", r"\p{Klingon}", "[a"])
def test_what_is_no_regular_expression_is_refused(pattern: str) -> None:
    assert "not a regular expression" in (java_regex(pattern) or "")


def test_a_group_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(IndexError):
        replaced(compile_java("a"), "$1", "a")
