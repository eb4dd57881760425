"""A snapshot of large tables that is stopped and goes on: nothing is read twice, nothing is missing, DDL or not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from cdc.record import Poll
from tests.server.in_process import Connector
from tests.server.own_database import Run, own_database, source_config

DATABASE = "d_resumed"
Literal = Callable[[int], str]
QUOTED = ("ä", "Ö", "ß", "''", r"\\", "x", "~", " ", "Z")
KEYS: dict[str, tuple[str, Literal]] = {
    "whole": ("id BIGINT UNSIGNED PRIMARY KEY", lambda n: str(n * 614891469123651720)),
    "negative": ("id DECIMAL(12,3) PRIMARY KEY", lambda n: f"{n - 15}.125"),
    "latin": ("id VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY",
              lambda n: f"'{QUOTED[n % 9]}{n:02}'"),
    "utf": ("id VARCHAR(20) CHARACTER SET utf16 PRIMARY KEY", lambda n: f"'{'日本語äÖ'[n % 5]}{n:02}'"),
    "raw": ("id VARBINARY(9) PRIMARY KEY", lambda n: f"x'{(n * 8) % 256:02x}00{n:02x}'"),
    "moment": ("id DATETIME(3) PRIMARY KEY", lambda n: f"'2026-01-{n % 28 + 1:02} 03:04:{n:02}.250'"),
    "pair": ("a INT, id CHAR(3), PRIMARY KEY (id, a)", lambda n: f"{n % 7}, 'k{n % 5}'"),
    "triple": ("a DATE, b TINYINT, c BINARY(2), PRIMARY KEY (b, a, c)",
               lambda n: f"'2026-02-{n % 3 + 1:02}', {n % 4}, x'{n:02x}ff'"),
}  # fmt: skip
"""Primary keys and the literal of number n of 30; no two are equal."""

DDL = (
    "RENAME TABLE f TO moved",
    "DROP TABLE g",
    "CREATE TABLE made (id INT PRIMARY KEY, v INT)",
    "INSERT INTO made VALUES (1, 1)",
    "ALTER TABLE h DROP PRIMARY KEY, ADD PRIMARY KEY (v, id)",
    "ALTER TABLE e RENAME COLUMN v TO renamed",
    "ALTER TABLE c ADD COLUMN w INT, ALGORITHM=INSTANT",
    "ALTER TABLE b ADD COLUMN w VARCHAR(9) NOT NULL DEFAULT 'w', ALGORITHM=COPY",
    "UPDATE b SET w = 'x', v = 1 WHERE id = 40",
    "DELETE FROM moved WHERE id = 3",
)


@pytest.fixture
def run(mysql_address: tuple[str, int]) -> Iterator[Run]:
    with own_database(mysql_address, DATABASE) as run:
        yield run


@pytest.fixture(params=["1", "3"])
def threads(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connector(mysql_address: tuple[str, int], run: Run, threads: str) -> Connector:
    return Connector(source_config(
        mysql_address, DATABASE, snapshot__fetch__size="4", tailrace__snapshot__resume__min__rows="1",
        snapshot__max__threads=threads, schema__history__internal__store__only__captured__tables__ddl="true",
    ))  # fmt: skip


def numbers(run: Run, table: str, first: int, last: int, value: int = 0) -> None:
    run(f"INSERT INTO {table} VALUES {', '.join(f'({n}, {value})' for n in range(first, last + 1))}")


def until_rows(connector: Connector, rows: int) -> Iterator[Poll]:
    """A start that is under way, and has sent so many rows."""
    polls = connector.start()
    for _ in polls:
        if len(connector.events) >= rows or connector.is_streaming():
            return polls
    raise AssertionError(f"ended after {len(connector.events)} rows")


def close(polls: Iterator[Poll]) -> None:
    polls.close()  # type: ignore[attr-defined]


def test_keys_of_every_kind_are_walked_along_whatever_the_place_it_stops_at(connector: Connector, run: Run) -> None:
    for name, (columns, value) in KEYS.items():
        run(f"CREATE TABLE {name} ({columns})")
        run(f"INSERT INTO {name} VALUES {', '.join(f'({value(n)})' for n in range(30))}")
    chance, starts = random.Random(7), 0
    while not connector.is_streaming():
        close(until_rows(connector, len(connector.events) + chance.randrange(1, 40)))
        starts += 1
    counts = Counter(event.table for event in connector.events)
    assert starts > 8
    # A row that was kept back as perhaps the last is read again.
    assert dict.fromkeys(KEYS, 30) == counts, counts
    for name in KEYS:
        assert len({event.after for event in connector.events if event.table == name}) == 30
    assert connector.tables == {}


def test_markers_stand_where_debezium_has_them_across_sessions(connector: Connector, run: Run) -> None:
    for table, rows in (("a", 20), ("b", 0), ("c", 1), ("e", 30), ("f", 0)):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY, v INT)")
        if rows:
            numbers(run, table, 1, rows)
    connector.snapshot()
    assert Counter(event.table for event in connector.events) == {"a": 20, "c": 1, "e": 30}
    assert connector.events[0].marker == "first" and connector.events[-1].marker == "last"
    markers = [event.marker for event in connector.events]
    assert markers.count("first") == markers.count("last") == 1
    for table in "ace":
        of_table = [event.marker for event in connector.events if event.table == table]
        inner = {"first", "last", "first_in_data_collection", "last_in_data_collection"}
        assert not inner & set(of_table[1:-1]) and of_table[-1] in ("last", "last_in_data_collection")
        assert len(of_table) == 1 or of_table[0] in ("first", "first_in_data_collection")


def test_changes_while_it_was_stopped_end_in_the_state_of_the_table(connector: Connector, run: Run) -> None:
    for table in "abc":
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY, v INT)")
        numbers(run, table, 1, 60)
    chance, value = random.Random(11), 0
    while not connector.is_streaming():
        close(until_rows(connector, len(connector.events) + chance.randrange(1, 50)))
        for _ in range(6):
            table, key, value = chance.choice("abc"), chance.randrange(1, 80), value + 1
            run(chance.choice((
                f"DELETE FROM {table} WHERE id = {key}", f"REPLACE INTO {table} VALUES ({key}, {value})",
                f"UPDATE IGNORE {table} SET id = {chance.randrange(1, 90)}, v = {value} WHERE id = {key}",
            )))  # fmt: skip
    run("INSERT INTO c VALUES (1000, 1)")
    connector.until(lambda: connector.events[-1].after == (1000, 1))
    assert sum(event.op == "r" for event in connector.events) < 3 * 75
    for table in "abc":
        assert connector.rows(table) == {key: (v,) for key, v in run(f"SELECT * FROM {table}")}


@pytest.mark.parametrize("locking", ["minimal", "none"])
def test_tables_altered_renamed_dropped_and_made_in_the_middle_are_settled(
    connector: Connector, run: Run, locking: str
) -> None:
    connector.config["snapshot.locking.mode"] = locking
    for table in ("a", "b", "c", "e", "f", "g", "h"):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY, v INT)")
        numbers(run, table, 1, 40)
    polls = until_rows(connector, 5)
    altering = Thread(target=run, args=DDL)
    altering.start()
    # Only table a is being read, so nobody makes these statements wait.
    altering.join(60)
    assert not altering.is_alive()
    for _ in polls:
        if connector.is_streaming():
            break
    run("INSERT INTO made VALUES (2, 2)")
    for _ in polls:
        if connector.events[-1].after == (2, 2) and connector.events[-1].op == "c":
            break
    close(polls)
    for table in ("a", "b", "c", "e", "moved", "made", "h"):
        assert connector.rows(table) == {key: tuple(rest) for key, *rest in run(f"SELECT * FROM {table}")}, table


def test_a_table_whose_key_changed_while_it_was_stopped_is_read_anew(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)")
    numbers(run, "a", 1, 40)
    close(until_rows(connector, 12))
    run("ALTER TABLE a MODIFY id VARCHAR(9)", "INSERT INTO a VALUES ('x', 1)")
    connector.events.clear()
    connector.until(lambda: bool(connector.events) and connector.events[-1].op == "c")
    assert {event.after[0] for event in connector.events} == {*map(str, range(1, 41)), "x"}


def test_a_table_included_later_is_streamed_from_then_on(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, name VARCHAR(9))")
    connector.config["table.include.list"] = f"{DATABASE}.a"
    connector.snapshot()
    run("INSERT INTO b VALUES (1, 'before')")
    connector.config["table.include.list"] = f"{DATABASE}.a,{DATABASE}.b"
    run("ALTER TABLE b ADD COLUMN w INT", "INSERT INTO b VALUES (2, 'later', 3)")
    connector.until(lambda: bool(connector.events) and connector.events[-1].after == (2, "later", 3))
    run("INSERT INTO b VALUES (3, 'again', 4)")
    connector.until(lambda: connector.events[-1].after == (3, "again", 4))
