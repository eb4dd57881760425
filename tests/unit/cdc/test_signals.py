"""What signals ask for."""

from __future__ import annotations

import pytest

from cdc.signals import (
    Condition,
    Execute,
    Log,
    Pause,
    Resume,
    SchemaChanges,
    Signal,
    Stop,
    Window,
    from_json,
    parse,
)


@pytest.mark.parametrize(
    ("type", "data", "asked"),
    [
        ("log", '{"message": "at {}"}', Log("at {}")),
        ("execute-snapshot", '{"data-collections": [" a.t "]}', Execute("1", ("a.t",))),
        ("execute-snapshot", '{"type": "blocking", "data-collections": ["a.t"]}', Execute("1", ("a.t",), True)),
        (
            "execute-snapshot",
            '{"data-collections": ["a.t"], "surrogate-key": "k", "additional-conditions": '
            '[{"data-collection": "a.t", "filter": "x = 1"}]}',
            Execute("1", ("a.t",), False, (Condition("a.t", "x = 1"),), "k"),
        ),
        (
            "execute-snapshot",
            '{"data-collections": ["a.t"], "additional-condition": "x = 1"}',
            Execute("1", ("a.t",), False, (Condition(".*", "x = 1"),)),
        ),
        ("stop-snapshot", '{"type": "INCREMENTAL"}', Stop()),
        ("stop-snapshot", '{"data-collections": ["a.t"]}', Stop(("a.t",))),
        ("pause-snapshot", None, Pause()),
        ("resume-snapshot", "", Resume()),
        ("schema-changes", '{"database": "a", "changes": [{"type": "DROP"}]}', SchemaChanges("a", ({"type": "DROP"},))),
        ("snapshot-window-open", '{"openWindowTimestamp": "x"}', Window("1", closes=False)),
        ("snapshot-window-close", None, Window("1", closes=True)),
    ],
)
def test_a_signal_asks_for_what_its_type_and_data_say(type: str, data: str | None, asked: object) -> None:
    assert parse(Signal("1", type, data)) == asked


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("restart", "{}"),
        ("log", "{"),
        ("log", "[]"),
        ("log", "{}"),
        ("execute-snapshot", "{}"),
        ("execute-snapshot", '{"data-collections": []}'),
        ("execute-snapshot", '{"data-collections": "a.t"}'),
        ("execute-snapshot", '{"data-collections": ["("]}'),
        ("execute-snapshot", '{"type": "full", "data-collections": ["a.t"]}'),
        ("execute-snapshot", '{"data-collections": ["a.t"], "additional-conditions": [{"filter": "x"}]}'),
        ("stop-snapshot", '{"type": "blocking"}'),
        ("schema-changes", '{"database": "a"}'),
        ("schema-changes", '{"changes": [{}]}'),
    ],
)
def test_a_signal_that_says_too_little_is_passed_over(type: str, data: str) -> None:
    assert parse(Signal("1", type, data)) is None


def test_a_condition_is_found_by_the_whole_name_in_any_case() -> None:
    wanted = Execute("1", ("a.*",), False, (Condition("a\\.T1", "x"), Condition("a\\..*", "y")))
    assert [wanted.filter(table) for table in ("a.t1", "a.t12", "b.t")] == ["x", "y", None]


def test_a_signal_as_json_may_hold_its_data_as_object_or_text() -> None:
    assert from_json('{"id": 7, "type": "log", "data": {"message": "x"}}') == Signal("7", "log", '{"message": "x"}')
    assert from_json(b'{"type": "log", "data": "{}"}') == Signal("", "log", "{}")
    assert from_json("log") is None
    assert from_json('{"id": "1"}') is None
