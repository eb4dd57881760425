"""Expressions in JavaScript, and what neither language has; Groovy's are among the recorded cases of the transforms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import TransformError
from cdc.record import Header
from cdc.schema import INT32, OPTIONAL_STRING, STRING, array, decimal, struct
from connect_compat.expressions import Record, compiled

ROW = struct(("id", INT32), ("name", OPTIONAL_STRING), ("price", decimal(2)), ("tags", array(STRING)))
VALUE = struct(("op", STRING), ("before", ROW.with_(optional=True)), ("after", ROW.with_(optional=True)))
RECORD = Record(
    "shop.orders", None, None, VALUE, ("c", None, (7, "ann", 1050, ["a", "b"])), (Header("source-system", STRING, "x"),)
)


def script(source: str, record: Record = RECORD) -> Any:
    return compiled(source, script=True)(record)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("value.op === 'c' && value.after.id === 7", True),
        ("value.after.id == '7'", True),
        ("value.after.id === '7'", False),
        ("value.nope == null", True),
        ("value.nope === undefined", True),
        ("value.before == null ? 'new' : 'old'", "new"),
        ("value.after.name || 'nobody'", "ann"),
        ("['c', 'u'].includes(value.op)", True),
        ("value.after.name.length", 3),
        ("/n+$/.test(value.after.name)", True),
        ("`t-${value.op}-${value.after.id}`", "t-c-7"),
        ("value.after.price > 10.4", True),
        ("value.after.tags[1]", "b"),
        ("value.after.id / 2", 3.5),
        ("header['source-system'].value == 'x'", True),
        ("!value.after.name", False),
        ("topic.startsWith('shop') // a comment", True),
    ],
)  # fmt: skip
def test_javascript_means_what_it_means_in_a_browser(source: str, wanted: Any) -> None:
    assert script(source) == wanted


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("value.op = 'c'", "character 10"), ("def x = 1", "character 7"), ("while (true) {}", "character 14"),
        ("new java.io.File('x')", "character 5"), ("value.op == ", "the end"), ("(value.op", "')' is missing"),
        ("System.exit(1)", "no 'System'"), ("value.getClass()", "no method getClass()"),
        ("value.op == 'c", "character 13"),
        ("value.op.execute()", "no method execute()"), ("this.x", "no 'this'"), ("", "the end"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_script", [True, False])
def test_what_is_no_expression_is_refused_where_it_stands(source: str, where: str, is_script: bool) -> None:
    with pytest.raises(ValueError, match=where.replace("(", r"\(").replace(")", r"\)")):
        compiled(source, script=is_script)


def test_a_null_on_the_way_names_the_property_and_the_remedy() -> None:
    with pytest.raises(TransformError, match=r"'id' on null object; write \?\."):
        script("value.before.id")
    assert script("value.before?.id") is None


@given(st.text(alphabet="value.op()[]'\"?:&|!=<>+-*/%0123456789 abc${}`~\\", max_size=40))
def test_any_text_is_read_or_refused(source: str) -> None:
    for is_script in (True, False):
        try:
            expression = compiled(source, script=is_script)
        except ValueError:
            continue
        try:
            expression(RECORD)
        except TransformError:
            continue
