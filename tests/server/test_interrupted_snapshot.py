"""A snapshot that is cut short and taken again: the log is read from the first attempt's position, in its shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.server.in_process import Connector, MemoryTopic
from tests.server.own_database import Run, own_database, source_config
from tests.server.private_mysql import PrivateMySql

DATABASE = "d_interrupted"
ONLY_CAPTURED = "schema.history.internal.store.only.captured.tables.ddl"


@pytest.fixture(scope="module")
def without_gtids(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    server = PrivateMySql(tmp_path_factory.mktemp("mysql"))
    server.start("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
    yield "127.0.0.1", server.port
    server.close()


@pytest.fixture(params=["gtids", "file and position"])
def server(request: pytest.FixtureRequest, mysql_address: tuple[str, int]) -> tuple[str, int]:
    if request.param == "gtids":
        return mysql_address
    address: tuple[str, int] = request.getfixturevalue("without_gtids")
    return address


@pytest.fixture
def run(server: tuple[str, int]) -> Iterator[Run]:
    with own_database(server, DATABASE) as run:
        yield run


@pytest.fixture
def connector(server: tuple[str, int], run: Run) -> Connector:
    return Connector(source_config(server, DATABASE, snapshot__fetch__size="1"))


def cut_short(connector: Connector, events: int) -> dict[str, Any]:
    """One start, ended when it has sent so many records; the offset it left."""
    connector.events.clear()
    connector.until(lambda: len(connector.events) >= events)
    offset = connector.offsets[-1].offset
    assert offset is not None
    return dict(offset)


def place(offset: Any) -> tuple[Any, ...]:
    return offset["file"], offset["pos"], offset.get("gtids")


def finished(connector: Connector, run: Run, table: str = "a") -> bool:
    return connector.rows(table) == {key: tuple(rest) for key, *rest in run(f"SELECT * FROM {table}")}


def test_a_row_that_was_sent_and_deleted_between_two_attempts_is_deleted_in_the_end(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 1), (3, 1), (4, 1)")
    first = cut_short(connector, 2)
    assert first["snapshot"] == "INITIAL"
    sent = list(connector.events)
    run("DELETE FROM a WHERE id = 1", "UPDATE a SET v = 2 WHERE id = 3", "INSERT INTO a VALUES (5, 2)")
    connector.until(lambda: len(connector.events) >= 2 + 4 + 3)
    again = connector.events[2:]
    assert [(event.op, (event.after or event.before)[0]) for event in again] == [
        ("r", 2), ("r", 3), ("r", 4), ("r", 5), ("d", 1), ("u", 3), ("c", 5),
    ]  # fmt: skip
    assert [event.op for event in sent] == ["r", "r"]
    assert finished(connector, run)


def test_the_first_attempts_position_stays_however_often_the_snapshot_is_cut_short(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2), (3), (4), (5), (6), (7), (8)")
    first = cut_short(connector, 3)
    for attempt in range(1, 4):
        run(f"DELETE FROM a WHERE id = {attempt}", f"INSERT INTO a VALUES ({100 + attempt})")
        offset = cut_short(connector, 2)
        assert (place(offset), offset["snapshot"]) == (place(first), "INITIAL")
    records = len(connector.history.records)
    connector.events.clear()
    connector.until(lambda: len(connector.events) >= 8 + 6)
    assert [event.op for event in connector.events[8:]] == ["d", "c"] * 3
    assert len(connector.history.records) == records
    assert "snapshot" not in (connector.offsets[-1].offset or {})


def test_until_the_last_row_the_offset_is_the_first_attempts_and_then_it_moves_on(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2), (3)")
    first = cut_short(connector, 1)
    run("INSERT INTO a VALUES (4)")
    connector.snapshot()
    assert place(connector.offsets[-1].offset) == place(first)
    connector.until(lambda: connector.events[-1].op == "c")
    assert place(connector.offsets[-1].offset) != place(first)


@pytest.mark.parametrize("only_captured", ["false", "true"])
def test_rows_between_two_attempts_are_read_in_the_shape_they_were_written(
    connector: Connector, run: Run, only_captured: str
) -> None:
    connector.config[ONLY_CAPTURED] = only_captured
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 1), (3, 1)")
    cut_short(connector, 2)
    run(
        "UPDATE a SET v = 2 WHERE id = 2",
        "ALTER TABLE a ADD COLUMN name VARCHAR(9) NOT NULL DEFAULT 'x' AFTER id, DROP COLUMN v, ADD COLUMN w INT",
        "INSERT INTO a VALUES (4, 'four', 4)",
        "DELETE FROM a WHERE id = 1",
    )
    connector.events.clear()
    connector.until(lambda: len(connector.events) >= 3 + 3)
    assert [(event.op, event.before, event.after) for event in connector.events] == [
        ("r", None, (2, "x", None)),
        ("r", None, (3, "x", None)),
        ("r", None, (4, "four", 4)),
        ("u", (2, 1), (2, 2)),
        ("c", None, (4, "four", 4)),
        ("d", (1, "x", None), None),
    ]


def test_a_restart_anywhere_after_the_second_attempt_knows_the_shapes(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2), (3)")
    cut_short(connector, 2)
    run("DELETE FROM a WHERE id = 1", "ALTER TABLE a ADD COLUMN v INT", "INSERT INTO a VALUES (4, 4)",
        "ALTER TABLE a RENAME COLUMN v TO w", "RENAME TABLE a TO b", "INSERT INTO b VALUES (5, 5)",
        "CREATE TABLE a (x VARCHAR(3) PRIMARY KEY)", "INSERT INTO a VALUES ('six')")  # fmt: skip
    connector.events.clear()
    at = len(connector.offsets)
    connector.until(lambda: sent_last(connector, "six"))
    expected = [event for event in connector.events if event.op != "r"]
    assert [(event.table, event.op, event.after or event.before) for event in expected] == [
        ("a", "d", (1,)), ("a", "c", (4, 4)), ("b", "c", (5, 5)), ("a", "c", ("six",)),
    ]  # fmt: skip
    saved = connector.offsets[at:]
    for stop in range(len(saved)):
        if "snapshot" not in (saved[stop].offset or {}):
            again = Connector(connector.config, connector.history, [saved[stop]])
            run("REPLACE INTO a VALUES ('end')")
            again.until(partial(sent_last, again, "end"))
            run("DELETE FROM a WHERE x = 'end'")


def sent_last(connector: Connector, key: str) -> bool:
    return [(event.op, event.after) for event in connector.events[-1:]] == [("c", (key,))]


def test_a_table_captured_since_the_first_attempt_is_streamed_too(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
    run("CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO b VALUES (1)")
    connector.config |= {ONLY_CAPTURED: "true", "table.include.list": f"{DATABASE}.a"}
    cut_short(connector, 1)
    connector.config["table.include.list"] = f"{DATABASE}.a,{DATABASE}.b"
    run("INSERT INTO b VALUES (2)")
    connector.events.clear()
    connector.until(lambda: len(connector.events) >= 5)
    assert [(event.table, event.op, event.after) for event in connector.events] == [
        ("a", "r", (1,)), ("a", "r", (2,)), ("b", "r", (1,)), ("b", "r", (2,)), ("b", "c", (2,)),
    ]  # fmt: skip
    run("INSERT INTO b VALUES (3)")
    connector.until(lambda: connector.events[-1].after == (3,))


def test_no_data_goes_on_from_where_it_was_cut_short(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    connector.config["snapshot.mode"] = "no_data"
    connector.until(lambda: bool(connector.offsets))
    assert connector.offsets[-1].offset is not None and connector.offsets[-1].offset["snapshot"] == "INITIAL"
    run("INSERT INTO a VALUES (1)")
    connector.until(lambda: bool(connector.events))
    assert [(event.op, event.after) for event in connector.events] == [("c", (1,))]


@pytest.mark.parametrize("lost", ["log", "history"])
def test_without_the_first_attempts_log_or_history_the_snapshot_begins_anew_and_says_what_that_means(
    connector: Connector, run: Run, lost: str
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
    offset = cut_short(connector, 1)
    if lost == "log":
        unknown = "12345678-1234-1234-1234-123456789012:1-9"
        gone = {**offset, "file": "gone.000001"} | ({"gtids": unknown} if "gtids" in offset else {})
        connector.offsets.append(connector.offsets[-1]._replace(offset=gone))
    else:
        connector.history = MemoryTopic()
    run("ALTER TABLE a ADD COLUMN v INT", "DELETE FROM a WHERE id = 1")
    connector.events.clear()
    with capture_logs() as logs:
        connector.snapshot()
    warnings = [each for each in logs if "interrupted" in each["event"]]
    assert len(warnings) == 1 and warnings[0]["log_level"] == "warning"
    reason = "has no gone.000001|does not know the transactions" if lost == "log" else "topic d-history is empty"
    assert re.search(reason, warnings[0]["reason"])
    assert place(connector.offsets[-1].offset) != place(offset)
    run("INSERT INTO a VALUES (3, 3)")
    connector.until(lambda: connector.events[-1].op == "c")
    assert [(event.op, event.after) for event in connector.events] == [("r", (2, None)), ("c", (3, 3))]


def test_an_attempt_that_sent_no_row_leaves_no_offset_before_its_definitions_are_recorded(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
    polls = connector.start()
    for poll in polls:
        if poll.offsets:
            assert poll.idle, "the offset is to be saved before the first row is sent"
            break
    assert not connector.events
    assert any(b"CREATE TABLE `a`" in value for _, value in connector.history.records)
    polls.close()  # type: ignore[attr-defined]
