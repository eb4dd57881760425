"""Which rows are read again, and what becomes of them; a recorded case is in tests/golden/mysql/reselect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cdc.changes import Row
from cdc.errors import ConfigError, SourceError
from cdc.mysql import reselect
from cdc.mysql.capture import Shape
from cdc.reselect import CLASS_NAME, Reselect, ReselectConfig, configured, unread
from tests.unit.cdc.mysql.test_capture import capture, table

PLACEHOLDER = "__debezium_unavailable_value"


def shape(**given: str) -> Shape:
    return capture(**given).shape(table("id", "a", "b"))


class Table:
    """What the server holds, by key; remembers the keys of each query."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: dict[Row, Row]) -> None:
        self.asked: list[list[Row]] = []

        def run(query: Any, server: Any, keys: Sequence[Row]) -> dict[Row, Row]:
            self.asked.append(list(keys))
            return {key: rows[key] for key in keys if key in rows}

        monkeypatch.setattr(reselect.Lookup, "run", run)


class Connection:
    def run(self, sql: str) -> list[Row]:
        return []

    def close(self) -> None: ...


def processor(**given: Any) -> Reselect[Any, Any]:
    server = reselect.asked(PLACEHOLDER, Connection)  # type: ignore[arg-type]
    return Reselect(ReselectConfig(**(DEFAULTS | given)), server)


DEFAULTS: dict[str, Any] = {
    "include": None, "exclude": None, "unavailable": True, "nulls": True, "by_event_key": False, "on_error": "warn",
}  # fmt: skip


def test_rows_that_lack_the_same_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Table(monkeypatch, {(1,): (11,), (3,): (33,)})
    filled = processor(include="inv\\.t:a").fill(shape(), [(1, None, 5), (2, 7, None), (3, None, 6)])
    assert filled == [(1, 11, 5), (2, 7, None), (3, 33, 6)]
    assert server.asked == [[(1,), (3,)]]


def test_a_placeholder_is_filled_and_nulls_stay_when_only_those_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    Table(monkeypatch, {(1,): (9,)})
    assert processor(nulls=False).fill(shape(), [(1, PLACEHOLDER, None)]) == [(1, 9, None)]


def test_a_row_that_is_gone_stays_as_it_is_or_stops_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    Table(monkeypatch, {})
    assert processor().fill(shape(), [(1, None, 5)]) == [(1, None, 5)]
    with pytest.raises(SourceError, match=r"reselect\.error\.handling\.mode=warn"):
        processor(on_error="fail").fill(shape(), [(1, None, 5)])


def test_a_table_without_key_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Table(monkeypatch, {})
    keyless = capture().shape(table("a", key=()))
    assert processor().fill(keyless, [(None,)]) == [(None,)]
    assert server.asked == []


def test_rows_are_found_by_the_events_key_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Table(monkeypatch, {(5,): (1,)})
    keyed = capture(message_key_columns="inv.t:b").shape(table("id", "a", "b"))
    assert processor(by_event_key=True).fill(keyed, [(1, None, 5)]) == [(1, 1, 5)]
    assert server.asked == [[(5,)]]


@pytest.mark.parametrize("prefix", ["re.", "post.processors.re."])
def test_a_processor_is_configured_below_its_name(prefix: str) -> None:
    raw = {prefix + "type": CLASS_NAME, prefix + "reselect.null.values": "false"}
    (config,) = configured("re", raw)
    assert not config.nulls
    assert configured(None, raw) == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [({}, "post.processors lists re, so re.type must be set"), ({"re.type": "org.example.P"}, "no Java runs here")],
)
def test_other_processors_are_refused(raw: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        configured("re", raw)


def test_a_key_that_a_processor_does_not_know_is_told_with_the_nearest() -> None:
    raw = {"re.type": CLASS_NAME, "re.reselect.null.valus": "false"}
    assert unread("re", raw) == [
        "reselect.null.valus is not a setting of the post processor re; did you mean reselect.null.values?"
    ]
