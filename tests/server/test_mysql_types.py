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
from cdc.mysql.ddl import Catalog
from cdc.mysql.offset import Position
from cdc.mysql.snapshot_values import compile_snapshot_rows, snapshot_select
from cdc.mysql.types import TypeOptions
from cdc.schema import to_single
from cdc.table import Table, TableId
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
        conv=encoders, init_command="SET SESSION time_zone = '+00:00'",
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


EXACT = """CREATE TABLE c_exact.t (
 id INT PRIMARY KEY, f FLOAT, f24 FLOAT(20), f2 FLOAT(9,2), d DOUBLE, d3 DOUBLE(12,3), bu BIGINT UNSIGNED NOT NULL,
 dz DECIMAL(9,3) ZEROFILL, v VECTOR(3), p POINT, pn POINT NOT NULL SRID 4326, g GEOMETRYCOLLECTION, y YEAR NOT NULL,
 bi BINARY(5) NOT NULL, bit1 BIT(1) NOT NULL, bit9 BIT(9) NOT NULL, l CHAR(20) CHARACTER SET latin1,
 k VARCHAR(20) CHARACTER SET koi8r, j VARCHAR(20) CHARACTER SET sjis, u2 VARCHAR(20) CHARACTER SET ucs2,
 e ENUM('ä','b') CHARACTER SET latin1, s SET('x','ß') CHARACTER SET latin1,
 dd DATE NOT NULL DEFAULT '2020-02-03', dt DATETIME(3) NOT NULL, t TIME(4), lt LONGTEXT, lb LONGBLOB
)"""
_EXACT_ROWS = (
    "(1, 16777200, 0.1, 1234567.89, 0.1, 123456789.125, 18446744073709551615, 1.5, STRING_TO_VECTOR('[1,-2.5,1e-7]'), "
    "ST_GeomFromText('POINT(1.5 -2)'), ST_GeomFromText('POINT(3 4)', 4326), "
    "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'), 1999, x'0100', b'1', b'100000001', "
    "'naïve €', 'мир', '日本', 'ü€', 'ä', 'x,ß', '0000-00-00', '0000-00-00', '-838:59:59', REPEAT('é', 70000), "
    "REPEAT('z', 70000))",
    "(2, -1.5e38, -0e0, -0.01, -0e0, -0.5, 0, 0, NULL, NULL, ST_GeomFromText('POINT(0 0)', 4326), NULL, 2155, "
    "'', b'0', b'0', '', '', '', '', '', '', '2024-02-00', '0099-12-31 23:59:59.999', '00:00:00.0001', '', '')",
    "(3, 1.5e-38, NULL, NULL, 5e-324, NULL, 9223372036854775808, NULL, NULL, NULL, "
    "ST_GeomFromText('POINT(0 0)', 4326), NULL, 1901, 'abcde', b'1', b'1', NULL, NULL, NULL, NULL, NULL, NULL, "
    "'9999-12-31', '1969-12-31 23:59:59.999', NULL, NULL, NULL)",
)


@pytest.mark.parametrize(
    "options",
    [
        TypeOptions(),
        TypeOptions(decimal="string", bigint_unsigned="precise", binary="hex", time_precision="isostring"),
        TypeOptions(decimal="double", binary="base64", time_precision="nanoseconds", adjust_years=False),
        TypeOptions(time_precision="connect"),
    ],
    ids=["defaults", "texts", "doubles", "connect"],
)
def test_snapshot_and_log_give_the_same_row(
    options: TypeOptions, mysql: Any, raw: Any, mysql_address: tuple[str, int]
) -> None:
    host, port = mysql_address
    settings = wire.Settings(host=host, port=port, user="cdc", password=Password("cdcpw"))
    catalog = Catalog()
    catalog.execute(EXACT, "c_exact")
    table = catalog.tables[TableId("c_exact", "t")]
    recorded = RecordedTable("exact", table, options, {})
    with mysql.cursor() as cursor, raw.cursor() as raw_cursor:
        cursor.execute("DROP DATABASE IF EXISTS c_exact")
        cursor.execute("SET SESSION sql_mode = ''")
        try:
            cursor.execute("CREATE DATABASE c_exact CHARACTER SET utf8mb4")
            cursor.execute(EXACT)
            start = position(cursor)
            cursor.execute(f"INSERT INTO c_exact.t VALUES {', '.join(_EXACT_ROWS)}")
            read = snapshot(raw_cursor, table, recorded)
            events = rows_events(settings, start, position(cursor), "c_exact")
        finally:
            cursor.execute("DROP DATABASE IF EXISTS c_exact")
    logged = [after for _, _, after in recorded.decoded(events["t"])]
    assert len(logged) == len(_EXACT_ROWS)
    # repr tells -0.0 from 0.0 and True from 1
    assert list(map(repr, read)) == list(map(repr, logged))
    assert read[0][1] == 16777200.0  # the server prints six digits of a FLOAT, and so many has a snapshot
    assert read[1][1] == to_single(-1.5e38)
    assert read[0][16:22] == ("naïve €", "мир", "日本", "ü€", "ä", "x,ß")
