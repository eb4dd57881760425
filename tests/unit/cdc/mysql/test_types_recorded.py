"""Recorded bytes of a real server become exactly what Debezium 3.5.0.Final made of them."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from cdc.mysql.snapshot_values import compile_snapshot_rows
from tests.recorded_types import RecordedTable, description, tables
from tests.twins import KINDS, twin

TABLES = tables()
every_table = pytest.mark.parametrize("recorded", TABLES, ids=str)


def test_there_are_recorded_tables() -> None:
    assert len(TABLES) >= 20


@every_table
def test_the_schema_of_every_column_is_debeziums(recorded: RecordedTable) -> None:
    shown = [
        description(schema, column.name)
        for column, schema in zip(recorded.table.columns, recorded.schemas, strict=True)
    ]
    assert json.dumps(shown) == json.dumps(recorded.content["fields"])


@pytest.mark.parametrize("kind", KINDS)
@every_table
def test_changes_in_the_log_are_debeziums(recorded: RecordedTable, kind: str) -> None:
    changes = recorded.decoded(recorded.content["raw_log"]["changes"], twin(kind))
    shown = [[op, recorded.shown(before), recorded.shown(after)] for op, before, after in changes]
    assert shown == [
        [op, recorded.expected(before), recorded.expected(after)] for op, before, after in recorded.content["log"]
    ]


@pytest.mark.parametrize("kind", KINDS)
@every_table
def test_snapshot_rows_are_debeziums(recorded: RecordedTable, kind: str) -> None:
    read = compile_snapshot_rows(recorded.table.columns, recorded.options, twin=twin(kind))
    raw = [
        tuple(None if value is None else b64decode(value) for value in row) for row in recorded.content["raw_snapshot"]
    ]
    rows = read(raw)
    assert [recorded.shown(row) for row in rows] == list(map(recorded.expected, recorded.content["snapshot"]))
    assert [read([row])[0] for row in raw] == rows


SHOWN_DIFFERENTLY = {
    # Debezium's snapshots show these unlike its streams: server's JSON text, shortest fractions, zero dates, year 0.
    "types_string-jsons": {"j"},
    "types_temporal-t": {"ts0", "ts3", "ts6", "y"},
}


@every_table
def test_a_row_is_the_same_from_the_snapshot_as_from_the_log(recorded: RecordedTable) -> None:
    inserted = recorded.decoded(recorded.content["raw_log"]["setup"])
    differing = SHOWN_DIFFERENTLY.get(str(recorded), set[str]())
    for (op, _, row), snapshot in zip(inserted, recorded.content["snapshot"], strict=True):
        shown, expected = recorded.shown(row), recorded.expected(snapshot)
        assert op == "c" and shown is not None and expected is not None
        assert {key for key in shown if shown[key] != expected[key]} <= differing
