"""The log of a real MySQL server: streamed by position and by GTID, restarted anywhere, and when the server goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable
from cdc.mysql import reader, streaming, wire
from cdc.mysql.failures import LogGone
from cdc.mysql.offset import Position
from cdc.record import Poll
from tests.mysql_log import MemoryTopic, Parts, records

DATABASE = f"a_log_{os.getpid()}"
SERVER_ID = 910_000 + os.getpid()
PATIENCE_SECONDS = 20.0


@pytest.fixture
def settings(mysql_address: tuple[str, int]) -> wire.Settings:
    return wire.Settings(host=mysql_address[0], port=mysql_address[1], user="cdc", password=Password("cdcpw"))


@pytest.fixture
def run(mysql: Any) -> Iterator[Callable[..., Any]]:
    """Runs statements in a database of the test's own; gives the last one's rows."""

    def execute(*statements: Any) -> Any:
        with mysql.cursor() as cursor:
            for statement in statements:
                cursor.execute(*(statement if isinstance(statement, tuple) else (statement,)))
            return cursor.fetchall()

    execute(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}")
    yield execute
    execute(f"DROP DATABASE IF EXISTS {DATABASE}")


def end_of_log(run: Callable[..., Any]) -> Position:
    file, pos, _, _, gtids = run("SHOW BINARY LOG STATUS")[0]
    return Position(file=file, pos=pos, gtids=gtids.replace("\n", ""))


def without_gtids(position: Position) -> Position:
    return Position(file=position.file, pos=position.pos)


def polls_until(
    settings: wire.Settings,
    start: Position,
    parts: Parts,
    done: Callable[[list[Any]], bool],
    server_id: int = SERVER_ID,
) -> list[Poll]:
    """Polls until their records are what the test waits for."""
    found: list[Poll] = []
    seen: list[Any] = []
    limit = time.monotonic() + PATIENCE_SECONDS
    for poll in streaming.stream(settings, server_id, start, parts.options, parts.history, parts.capture):
        found.append(poll)
        seen += records([poll])
        if done(seen):
            return found
        assert time.monotonic() < limit, f"{len(seen)} records in {PATIENCE_SECONDS} s"
    return found


def last_key(key: int) -> Callable[[list[Any]], bool]:
    return lambda seen: bool(seen) and seen[-1][1] == (key,)


def values(seen: list[Any]) -> list[Any]:
    """What must be equal however the log was reached: rows, table, place in the log."""
    return [
        (topic, key, value and (value[0], value[1], value[2][9], value[2][12:15], value[4]))
        for topic, key, value in seen
        if topic != "p"
    ]


CHANGES = (
    "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), j JSON)",
    "INSERT INTO t VALUES (1,'a','{\"x\": [1, 2]}'),(2,'b',NULL)",
    "UPDATE t SET v = 'c' WHERE id = 1",
    "UPDATE t SET id = 3 WHERE id = 2",
    "DELETE FROM t WHERE id = 1",
    "ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 7, DROP COLUMN j",
    "SET SESSION binlog_transaction_compression = ON",
    "START TRANSACTION",
    "INSERT INTO t VALUES (4,'d',1),(5,'e',2)",
    "UPDATE t SET n = n + 1",
    "DELETE FROM t WHERE id = 3",
    "COMMIT",
    "SET SESSION binlog_transaction_compression = OFF",
    "START TRANSACTION",
    "INSERT INTO t VALUES (6,'f',1)",
    "INSERT INTO t VALUES (7,'g',1),(8,'h',1),(9,'i',1)",
    "UPDATE t SET v = UPPER(v) WHERE id > 6",
    "DELETE FROM t WHERE id = 6",
    "COMMIT",
    "INSERT INTO t VALUES (99,'end',1)",
)


@pytest.mark.parametrize("by_gtid", [False, True], ids=["by position", "by GTID"])
def test_changes_are_streamed_and_a_restart_at_every_position_goes_on_there(
    settings: wire.Settings, run: Callable[..., Any], by_gtid: bool
) -> None:
    start = end_of_log(run) if by_gtid else without_gtids(end_of_log(run))
    run(*CHANGES)
    topic = MemoryTopic()
    polls = polls_until(settings, start, Parts(DATABASE, topic=topic, max_rows=1), last_key(99))
    whole = values(records(polls))
    assert [(value and value[4]) for _, _, value in whole] == [
        "c", "c", "u", "d", None, "c", "d", None, "c", "c", "u", "u", "u", "d", None, "c", "c", "c", "c", "u", "u", "u",
        "d", None, "c",
    ]  # fmt: skip
    assert whole[0][2] == (None, (1, "a", '{"x":[1,2]}'), "t", whole[0][2][3], "c")
    offsets = [(i, poll.offsets[0].offset) for i, poll in enumerate(polls) if poll.offsets]
    assert sum("event" in (offset or {}) for _, offset in offsets) >= 6
    for i, offset in offsets[:-1]:
        assert offset is not None
        parts = Parts(DATABASE, topic=MemoryTopic(list(topic.records)), upto=offset)
        again = polls_until(settings, Position.from_offset(offset), parts, last_key(99))
        assert values(records(polls[: i + 1])) + values(records(again)) == whole, offset


def test_a_change_arrives_at_once(settings: wire.Settings, run: Callable[..., Any]) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY)")
    start = end_of_log(run)
    parts = Parts(DATABASE)
    parts.history.apply("CREATE TABLE t (id INT PRIMARY KEY)", DATABASE, start.to_offset(), 0)
    stream = streaming.stream(settings, SERVER_ID, start, parts.options, parts.history, parts.capture)
    while not next(stream).idle:
        pass
    waits = []
    for key in range(5):
        run(f"INSERT INTO t VALUES ({key})")
        since = time.monotonic()
        while not records([poll := next(stream)]):
            assert time.monotonic() - since < PATIENCE_SECONDS
        waits.append(time.monotonic() - since)
        assert poll.idle, "nothing else waits: the runtime may make it durable now"
    stream.close()
    assert sorted(waits)[2] < 0.1


def test_a_transaction_of_many_rows_comes_in_polls_of_a_few_thousand(
    settings: wire.Settings, run: Callable[..., Any]
) -> None:
    start = end_of_log(run)
    run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100))", "START TRANSACTION")
    for first in range(0, 20_000, 1000):
        rows = ",".join(f"({key},'{'v' * (key % 90)}')" for key in range(first, first + 1000))
        run(f"INSERT INTO t VALUES {rows}")
    run("COMMIT", "INSERT INTO t VALUES (99999,'end')")
    polls = polls_until(settings, start, Parts(DATABASE), last_key(99999))
    keys = [key[0] for topic, key, _ in records(polls) if topic != "p"]
    assert keys == [*range(20_000), 99999]
    assert max(len(records([poll])) for poll in polls) < 6000
    middle = next(p.offsets[0].offset for p in polls if p.offsets and "event" in (p.offsets[0].offset or {}))
    assert middle is not None
    parts = Parts(DATABASE)
    parts.history.apply("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100))", DATABASE, {**middle, "pos": 4}, 0)
    again = [
        key[0] for _, key, _ in records(polls_until(settings, Position.from_offset(middle), parts, last_key(99999)))
    ]
    sent = [key[0] for topic, key, _ in records(polls[: _index(polls, middle) + 1]) if topic != "p"]
    assert sent + again == keys


def _index(polls: list[Poll], offset: Any) -> int:
    return next(i for i, poll in enumerate(polls) if poll.offsets and poll.offsets[0].offset == offset)


@pytest.mark.parametrize("mode", ["disabled", "required"])
def test_a_row_of_more_than_a_packet_arrives_whole(settings: wire.Settings, run: Callable[..., Any], mode: str) -> None:
    settings = wire.Settings(
        host=settings.host, port=settings.port, user="cdc", password=settings.password, ssl_mode=mode
    )
    start = end_of_log(run)
    run("CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)")
    big = bytes(range(256)) * (80 * 1024)
    run(("INSERT INTO t VALUES (1, %s)", (big,)), "INSERT INTO t VALUES (2, 'x')")
    found = [
        value for topic, _, value in records(polls_until(settings, start, Parts(DATABASE), last_key(2))) if topic != "p"
    ]
    assert found[0][1] == (1, big)
    assert found[1][1] == (2, b"x")


def test_a_connection_the_server_ends_is_an_outage_and_nothing_is_lost(
    settings: wire.Settings, run: Callable[..., Any]
) -> None:
    start = end_of_log(run)
    run("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    parts = Parts(DATABASE)
    packets = wire.Stream(settings, SERVER_ID + 1, start, None)
    log = reader.Reader(
        parts.options, parts.history, parts.capture, start, gtids=None, has_gtids=True, checksum=packets.checksum
    )
    seen: list[Poll] = []
    killed = False
    with pytest.raises(SourceUnavailable):
        for poll in log.polls(packets, packets.more):
            seen.append(poll)
            if last_key(1)(records(seen)) and not killed:
                run(f"KILL {packets.thread}")
                killed = True
    run("INSERT INTO t VALUES (2)")
    offset = next(poll.offsets[0].offset for poll in reversed(seen) if poll.offsets)
    assert offset is not None
    again = polls_until(settings, Position.from_offset(offset), parts, last_key(2), SERVER_ID + 1)
    assert [key for topic, key, _ in records(again) if topic != "p"] == [(2,)]


def test_a_log_that_is_not_there_is_told(settings: wire.Settings, run: Callable[..., Any]) -> None:
    parts = Parts(DATABASE)
    start = Position(file="nothing.000001", pos=4)
    with pytest.raises(LogGone, match=r"does not send its binary log from nothing\.000001 position 4 on: .*\(1236\)"):
        next(iter(streaming.stream(settings, SERVER_ID, start, parts.options, parts.history, parts.capture)))


def test_a_set_of_another_server_leaves_everything_of_this_one_to_be_sent(
    settings: wire.Settings, run: Callable[..., Any]
) -> None:
    run("SELECT 1")
    parts = Parts(DATABASE)
    start = Position(file="nothing.000001", pos=4, gtids="00000000-0000-0000-0000-0000000000ff:1-5")
    polls = streaming.stream(settings, SERVER_ID, start, parts.options, parts.history, parts.capture)
    assert next(polls) is not None
    polls.close()


def test_two_readers_of_one_server_id_are_told(settings: wire.Settings, run: Callable[..., Any]) -> None:
    start = end_of_log(run)
    first = wire.Stream(settings, SERVER_ID + 2, start, None)
    first.read()
    second = wire.Stream(settings, SERVER_ID + 2, start, None)
    second.read()
    with pytest.raises(SourceError, match=r"database\.server\.id"):
        for _ in range(20):
            first.read()
    first.close()
    second.close()


def test_a_user_who_may_not_replicate_is_told_what_to_grant(settings: wire.Settings, run: Callable[..., Any]) -> None:
    user = f"a_user_{os.getpid()}"
    run("SET SESSION sql_log_bin = 0", f"CREATE USER {user} IDENTIFIED BY 'pw'")
    try:
        weak = wire.Settings(host=settings.host, port=settings.port, user=user, password=Password("pw"))
        with pytest.raises(SourceError, match=rf"REPLICATION SLAVE, REPLICATION CLIENT ON \*\.\* TO '{user}'@'%'"):
            wire.Stream(weak, SERVER_ID, Position(file="binlog.000001", pos=4), None)
        wrong = wire.Settings(host=settings.host, port=settings.port, user=user, password=Password("no"))
        with pytest.raises(SourceError, match=r"1045.*database\.password"):
            wire.connect(wrong)
    finally:
        run(f"DROP USER {user}", "SET SESSION sql_log_bin = 1")
