"""Several sessions that read at once, over SQLite."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cdc.database import database
from cdc.errors import SourceError
from cdc.jdbc.session import Query, Session
from cdc.jdbc.sessions import Sessions

QUERY = Query("SELECT * FROM t", None)


def sessions(tmp_path: Path, count: int) -> Sessions:
    file = tmp_path / "t.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        made.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(100)])
        made.commit()
    where = database({"connection.url": f"jdbc:sqlite:{file}"})
    return Sessions(lambda: Session(where, size=7), count)


def _named() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("session ")]


def test_each_statement_s_rows_come_in_their_order_and_statements_may_be_more_than_sessions(tmp_path: Path) -> None:
    several = sessions(tmp_path, 3)
    parts = [("SELECT id FROM t WHERE id >= ? AND id < ? ORDER BY id", (at, at + 20)) for at in range(0, 100, 20)]
    for _ in range(2):  # they may be used again
        found: dict[int, list[Any]] = {}
        for fetched in several.read(parts, QUERY):
            if fetched is not None:
                found.setdefault(fetched.number, []).extend(row[0] for row in fetched.rows)
        assert found == {at: list(range(at * 20, at * 20 + 20)) for at in range(5)}
    several.close()


def test_an_error_of_one_is_raised_and_closing_ends_them_all(tmp_path: Path) -> None:
    several = sessions(tmp_path, 2)
    with pytest.raises(SourceError, match="no such column"):
        list(several.read([("SELECT id FROM t", ()), ("SELECT nowhere FROM t", ())], QUERY))
    several.close()
    end = time.monotonic() + 10
    while _named() and time.monotonic() < end:
        time.sleep(0.05)
    assert _named() == []
