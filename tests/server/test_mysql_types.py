"""The recorded type cases again on the server at hand: its snapshot and its log give what Debezium recorded."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from cdc.config import Password
from cdc.mysql import binlog, wire
from cdc.mysql.offset import Position
from cdc.mysql.snapshot_values import SESSION, compile_snapshot_rows, snapshot_select
from cdc.table import Table
from tests.recorded_types import FOLDER, RecordedTable, tables

CASES = sorted(path.stem for path in FOLDER.glob("*.json"))
ROWS_EVENTS = (30, 31, 32)
TABLE_MAP = 19
RECORDED = tables()


@pytest.fixture
def raw(mysql_address: tuple[str, int]) -> Iterator[Any]:
    """A connection that gives every value as the server's bytes."""
    host, port = mysql_address
    encoders: dict[Any, Any] = dict(pymysql.converters.encoders)
    connection = pymysql.connect(
        host=host, port=port, user="app", password="apppw", charset="utf8mb4", autocommit=True, use_unicode=False,
        conv=encoders, init_command=SESSION,
    )  # fmt: skip
    yield connection
    connection.close()


def rows_events(settings: wire.Settings, start: Position, end: Position, database: str) -> dict[str, list[str]]:
    """TABLE_MAP and rows events between two positions, by table."""
    found: dict[str, list[str]] = {}
    names: dict[int, tuple[str, bytes]] = {}
    stream = wire.Stream(settings, 77_311, start, None)
    try:
        for events in stream:
            for event in events:
                header = binlog.header(event)
                if header.type in (TABLE_MAP, *ROWS_EVENTS):
                    _, body = binlog.decode(event, checksum=True)
                    if isinstance(body, binlog.TableMap):
                        names[body.table_id] = (body.table if body.database == database else "", event)
                    elif isinstance(body, binlog.Rows) and (name := names[body.table_id])[0]:
                        found.setdefault(name[0], []).extend(b64encode(e).decode() for e in (name[1], event))
                if header.next_position >= end.pos:
                    return found
    finally:
        stream.close()
    raise AssertionError("the stream ended")


def position(cursor: Any) -> Position:
    cursor.execute("SHOW BINARY LOG STATUS")
    file, pos, *_ = cursor.fetchone()
    return Position(file=file, pos=pos)


def snapshot(cursor: Any, table: Table, recorded: RecordedTable) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT {snapshot_select(table, table.columns)} FROM `{table.id.database}`.`{table.id.name}`")
    return compile_snapshot_rows(table.columns, recorded.options)(cursor.fetchall())


@pytest.mark.parametrize("case", CASES)
def test_snapshot_and_log_of_a_real_server_are_debeziums(
    case: str, mysql: Any, raw: Any, mysql_address: tuple[str, int]
) -> None:
    content = json.loads(Path(FOLDER / f"{case}.json").read_text("utf-8"))
    mine = [recorded for recorded in RECORDED if recorded.case == case]
    host, port = mysql_address
    settings = wire.Settings(host=host, port=port, user="cdc", password=Password("cdcpw"))
    database = content["database"]
    with mysql.cursor() as cursor, raw.cursor() as raw_cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        try:
            for statement in content["setup"]:
                cursor.execute(statement)
            rows = {str(r): snapshot(raw_cursor, r.table, r) for r in mine}
            start = position(cursor)
            for statement in content["changes"]:
                cursor.execute(statement)
            events = rows_events(settings, start, position(cursor), database)
        finally:
            cursor.execute(f"DROP DATABASE IF EXISTS {database}")
    for recorded in mine:
        assert [recorded.shown(row) for row in rows[str(recorded)]] == [
            recorded.expected(row) for row in recorded.content["snapshot"]
        ]
        changes = recorded.decoded(events.get(recorded.table.id.name, []))
        assert [[op, recorded.shown(before), recorded.shown(after)] for op, before, after in changes] == [
            [op, recorded.expected(before), recorded.expected(after)] for op, before, after in recorded.content["log"]
        ]
