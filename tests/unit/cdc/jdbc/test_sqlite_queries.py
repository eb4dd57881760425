"""Queries on SQLite: their columns have the types that the tables declare."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cdc.database import database
from cdc.jdbc.columns import Kind
from cdc.jdbc.session import Query, Session


def test_a_column_of_a_query_has_its_declared_type_and_one_without_goes_by_its_values(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP, price DECIMAL(10,2))")
        made.execute("INSERT INTO t VALUES (1, '2024-01-01 00:00:00', 1.5)")
    session = Session(database({"connection.url": f"jdbc:sqlite:{file}"}))
    base = "SELECT id, at AS moment, price, id * 2 AS twice, id FROM t WHERE at LIKE '%';"
    for text in (base, f"SELECT * FROM ({base.rstrip(';')}) q WHERE 1 = 0"):
        result = session.rows(text, (), Query(base, None))
        rows = result.fetch()
        kinds = [column.kind for column in result.columns]
        unknown = Kind.INTEGER if rows else Kind.TEXT
        assert kinds == [Kind.INTEGER, Kind.TIMESTAMP, Kind.DECIMAL, unknown, Kind.INTEGER]
        result.close()
    session.close()
