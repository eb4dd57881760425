"""A snapshot of PostgreSQL tables, stopped, goes on: nothing is missing, DDL or not, on any number of sessions."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest

from cdc.postgres.connector import POSTGRES
from cdc.postgres.source_info import SourceInfo
from cdc.record import Poll
from tests.server.in_process import Connector

Run = Callable[..., Any]
DDL = (
    "ALTER TABLE f RENAME TO moved",
    "DROP TABLE g",
    "CREATE TABLE made (id INT PRIMARY KEY, v INT, pad TEXT)",
    "INSERT INTO made VALUES (1, 1, '')",
    "ALTER TABLE e RENAME COLUMN v TO renamed",
    "ALTER TABLE c ADD COLUMN w INT",
    "ALTER TABLE b ALTER COLUMN v TYPE BIGINT, ADD COLUMN w FLOAT DEFAULT random()",
    "UPDATE b SET v = 9 WHERE id = 40",
    "TRUNCATE h",
    "INSERT INTO h VALUES (7, 7, '')",
    "DELETE FROM moved WHERE id = 3",
)


@pytest.fixture
def run(postgres_address: tuple[str, int]) -> Iterator[Run]:
    """Runs statements in an empty database, which goes with its slot."""
    host, port = postgres_address
    login: dict[str, Any] = {"host": host, "port": port, "user": "app", "password": "apppw", "autocommit": True}
    with psycopg.connect(dbname="app", **login) as server:
        _drop(server)
        server.execute("CREATE DATABASE d_snapshot")
        with psycopg.connect(dbname="d_snapshot", **login) as database:

            def execute(*statements: str) -> Any:
                cursor: Any = None
                for sql in statements:
                    cursor = database.execute(sql.encode())
                return cursor.fetchall() if cursor.description else None

            yield execute
        _drop(server)


def _drop(server: psycopg.Connection[Any]) -> None:
    for _ in range(50):
        busy = server.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE 'd_snapshot%' AND active")
        if not busy.fetchall():
            break
        time.sleep(0.1)
    server.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'd_snapshot'"
    )
    server.execute("DROP DATABASE IF EXISTS d_snapshot WITH (FORCE)")


@pytest.fixture(params=["1", "3"])
def threads(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connector(postgres_address: tuple[str, int], run: Run, threads: str) -> Connector:
    return Connector({
        "topic.prefix": "d", "database.hostname": postgres_address[0], "database.port": str(postgres_address[1]),
        "database.user": "app", "database.password": "apppw", "database.dbname": "d_snapshot",
        "slot.name": "d_snapshot", "publication.name": "d_snapshot", "skipped.operations": "none",
        "snapshot.fetch.size": "7", "tailrace.snapshot.part.pages": "1", "snapshot.max.threads": threads,
    }, declared=POSTGRES, block=SourceInfo)  # fmt: skip


def table(run: Run, name: str, rows: int) -> None:
    """About 30 rows a page."""
    run(f"CREATE TABLE {name} (id INT PRIMARY KEY, v INT, pad TEXT)", f"ALTER TABLE {name} REPLICA IDENTITY FULL",
        f"INSERT INTO {name} SELECT n, 0, repeat('x', 220) FROM generate_series(1, {rows}) n")  # fmt: skip


def until_rows(connector: Connector, rows: int) -> Iterator[Poll]:
    """A start that is under way, and has sent so many rows."""
    polls = connector.start()
    for _ in polls:
        if len(connector.events) >= rows or connector.is_streaming():
            return polls
    raise AssertionError(f"ended after {len(connector.events)} rows")


def close(polls: Iterator[Poll]) -> None:
    polls.close()  # type: ignore[attr-defined]


def test_markers_stand_where_debezium_has_them_across_sessions(connector: Connector, run: Run) -> None:
    for name, rows in (("a", 100), ("b", 0), ("c", 1), ("e", 150), ("f", 0)):
        table(run, name, rows)
    connector.snapshot()
    assert Counter(event.table for event in connector.events) == {"a": 100, "c": 1, "e": 150}
    assert connector.events[0].marker == "first" and connector.events[-1].marker == "last"
    markers = [event.marker for event in connector.events]
    assert markers.count("first") == markers.count("last") == 1
    for name in "ace":
        of_table = [event.marker for event in connector.events if event.table == name]
        inner = {"first", "last", "first_in_data_collection", "last_in_data_collection"}
        assert not inner & set(of_table[1:-1]) and of_table[-1] in ("last", "last_in_data_collection")
        assert len(of_table) == 1 or of_table[0] in ("first", "first_in_data_collection")


def test_changes_while_it_was_stopped_end_in_the_state_of_the_table(connector: Connector, run: Run) -> None:
    for name in "abc":
        table(run, name, 200)
    run("CREATE TABLE keyless (v INT, pad TEXT)", "ALTER TABLE keyless REPLICA IDENTITY FULL",
        "INSERT INTO keyless SELECT n, repeat('x', 220) FROM generate_series(1, 200) n")  # fmt: skip
    chance, value, starts = random.Random(11), 0, 0
    while not connector.is_streaming():
        close(until_rows(connector, len(connector.events) + chance.randrange(40, 150)))
        starts += 1
        for _ in range(6):
            name, key, value = chance.choice("abc"), chance.randrange(1, 230), value + 1
            run(chance.choice((
                f"DELETE FROM {name} WHERE id = {key}",
                f"INSERT INTO {name} VALUES ({key}, {value}, '') ON CONFLICT (id) DO UPDATE SET v = {value}",
                f"UPDATE {name} SET id = id + 1000, v = {value} WHERE id = {key}",
            )))  # fmt: skip
    run("INSERT INTO c VALUES (5000, 1, '')")
    connector.until(lambda: connector.events[-1].after == (5000, 1, ""))
    read = sum(event.op == "r" for event in connector.events)
    # A part is about 33 rows; each session was at one, and one row is kept back as perhaps the last.
    assert starts > 4 and read <= 800 + starts * 4 * 33, (starts, read)
    for name in "abc":
        state = {key: rest[0] for key, rest in connector.rows(name).items()}
        assert state == dict(run(f"SELECT id, v FROM {name}")), name
    assert {event.after[0] for event in connector.events if event.table == "keyless"} == set(range(1, 201))
    assert connector.tables == {}


def test_tables_altered_renamed_emptied_dropped_and_made_in_the_middle_are_settled(
    connector: Connector, run: Run
) -> None:
    for name in ("a", "b", "c", "e", "f", "g", "h"):
        table(run, name, 120)
    polls = until_rows(connector, 20)
    altering = Thread(target=run, args=DDL)
    altering.start()
    for _ in polls:
        # A table that is being read at this moment makes its ALTER wait.
        altering.join(0.05)
        if connector.is_streaming() and not altering.is_alive():
            break
    run("INSERT INTO made VALUES (2, 2, '')")
    for _ in polls:
        if connector.events[-1].after == (2, 2, "") and connector.events[-1].op == "c":
            break
    close(polls)
    state = state_of(connector)
    for name in ("a", "b", "c", "e", "moved", "made", "h"):
        value = "renamed" if name == "e" else "v"
        assert state.get(name, {}) == dict(run(f"SELECT id, {value} FROM {name}")), name


def state_of(connector: Connector) -> dict[str, dict[int, int]]:
    """Every table as its events say, truncated tables emptied."""
    state: dict[str, dict[int, int]] = {}
    for event in connector.events:
        rows = state.setdefault(event.table, {})
        if event.op == "t":
            rows.clear()
        if event.before is not None:
            rows.pop(event.before[0], None)
        if event.after is not None:
            rows[event.after[0]] = event.after[1]
    return state


def test_a_table_whose_rows_moved_while_it_was_stopped_is_read_anew(connector: Connector, run: Run) -> None:
    table(run, "a", 200)
    close(until_rows(connector, 120))
    assert connector.tables
    run("DELETE FROM a WHERE id < 20", "VACUUM FULL a")
    connector.events.clear()
    connector.snapshot()
    assert {event.after[0] for event in connector.events} == set(range(20, 201))


def test_a_start_of_always_tells_what_was_deleted_before_it(connector: Connector, run: Run) -> None:
    table(run, "a", 10)
    connector.snapshot(snapshot__mode="always")
    run("DELETE FROM a WHERE id = 4", "INSERT INTO a VALUES (11, 1, '')")
    connector.until(lambda: connector.events[-1].after == (11, 1, "") and connector.events[-1].op == "c",
                    snapshot__mode="always")  # fmt: skip
    assert sum(event.op == "r" for event in connector.events) == 20
    assert 4 not in connector.rows("a")
