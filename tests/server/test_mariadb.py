"""MariaDB beyond what is recorded from Debezium: its own types and tables, compressed logs, restarts, purged logs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from cdc.errors import SourceError
from cdc.mariadb.connector import MARIADB
from cdc.mysql.connector import MYSQL
from connect_compat.crash_points import VARIABLE
from tests.server.in_process import Connector
from tests.server.worker_process import WorkerProcess, wait_until

DATABASE = "d_maria"
Run = Callable[[str], Any]

TABLES = (
    "CREATE TABLE squeezed (id INT PRIMARY KEY, a VARCHAR(1000) COMPRESSED, b TEXT COMPRESSED, c BLOB COMPRESSED, "
    "d VARBINARY(500) COMPRESSED, e MEDIUMTEXT COMPRESSED CHARACTER SET latin1)",
    "CREATE TABLE addresses (id INT PRIMARY KEY, four INET4, six INET6, u UUID, "
    "home INET4 NOT NULL DEFAULT '127.0.0.1')",
    "CREATE TABLE counted (id INT PRIMARY KEY, packed BLOB, p BIGINT AS (5) PERSISTENT, v INT AS (7) VIRTUAL)",
    "CREATE SEQUENCE numbers",
)
ROWS = (
    "INSERT INTO squeezed VALUES ({0}1, REPEAT('ab', 300), REPEAT('é', 500), REPEAT('x', 1000), REPEAT('y', 200), "
    "REPEAT('ü', 300)), ({0}2, 'short', 's', 'b', 'v', 't'), ({0}3, NULL, NULL, NULL, NULL, NULL), "
    "({0}4, '', '', '', '', '')",
    "SELECT NEXTVAL(numbers)",
    "INSERT INTO addresses (id, four, six, u) VALUES "
    "({0}1, '10.0.0.0', '::1', '00000000-0000-0000-0000-000000000000'), "
    "({0}2, '0.0.0.0', '::ffff:1.2.3.4', '123e4567-e89b-12d3-a456-426655440000'), "
    "({0}3, '255.255.255.255', '::1.2.3.4', '0197e1b0-7d3c-7000-8000-0123456789ab'), "
    "({0}4, NULL, '1:0:0:2:0:0:0:3', NULL), ({0}5, NULL, 'fe80::', NULL), ({0}6, NULL, '::', NULL)",
    "INSERT INTO counted (id, packed) VALUES ({0}1, COLUMN_CREATE('a', 1, 'b', 'x'))",
)


@pytest.fixture
def run(mariadb: Any) -> Iterator[Run]:
    """Runs SQL with an empty database at hand."""

    def execute(sql: str) -> Any:
        with mariadb.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    execute(f"CREATE DATABASE {DATABASE}")
    mariadb.select_db(DATABASE)
    yield execute
    execute("SET GLOBAL log_bin_compress = 0")
    execute(f"DROP DATABASE IF EXISTS {DATABASE}")


@pytest.fixture
def config(mariadb_address: tuple[str, int]) -> dict[str, str]:
    host, port = mariadb_address
    return {
        "topic.prefix": "d", "database.hostname": host, "database.port": str(port), "database.user": "cdc",
        "database.password": "cdcpw", "database.server.id": "184700", "database.include.list": DATABASE,
        "schema.history.internal.kafka.topic": "d-history",
        "schema.history.internal.store.only.captured.tables.ddl": "true",
    }  # fmt: skip


@pytest.fixture
def connector(config: dict[str, str], run: Run) -> Connector:
    return Connector(config, declared=MARIADB)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain log", "compressed log"])
def test_the_log_shows_every_value_as_the_snapshot_does(
    connector: Connector, run: Run, mariadb_address: tuple[str, int], compressed: bool
) -> None:
    for sql in (*TABLES, *(rows.format(1) for rows in ROWS)):
        run(sql)
    assert MARIADB.check(connector.config) == []
    connector.snapshot()
    run(f"SET GLOBAL log_bin_compress = {int(compressed)}, log_bin_compress_min_len = 10")
    host, port = mariadb_address
    with (
        pymysql.connect(host=host, port=port, user="app", password="apppw", database=DATABASE) as writer,
        writer.cursor() as cursor,
    ):
        for rows in ROWS:
            cursor.execute(rows.format(2))
        writer.commit()
    connector.until(lambda: any(event.op == "c" and event.table == "counted" for event in connector.events))
    read = {(event.table, event.after[0] % 10): event.after[1:] for event in connector.events if event.op == "r"}
    logged = {(event.table, event.after[0] % 10): event.after[1:] for event in connector.events if event.op == "c"}
    assert len(logged) == 11
    assert logged == read
    assert logged["addresses", 2] == ("0.0.0.0", "::ffff:1.2.3.4", "123e4567-e89b-12d3-a456-426655440000", "127.0.0.1")
    assert logged["squeezed", 1][:2] == ("ab" * 300, "é" * 500)


def test_a_versioned_table_is_told_as_its_current_rows(connector: Connector, run: Run) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING")
    run("INSERT INTO t VALUES (1, 1), (2, 2)")
    run("DELETE FROM t WHERE id = 2")
    connector.snapshot()
    run("INSERT INTO t VALUES (3, 3), (4, 4)")
    run("UPDATE t SET v = v + 10")
    run("DELETE FROM t WHERE id IN (1, 4)")
    run("ALTER TABLE t DROP SYSTEM VERSIONING")
    run("DELETE FROM t")
    connector.until(lambda: not connector.rows("t"))
    assert [(event.op, event.before, event.after) for event in connector.events] == [
        ("r", None, (1, 1)), ("c", None, (3, 3)), ("c", None, (4, 4)),
        ("u", (1, 1), (1, 11)), ("u", (3, 3), (3, 13)), ("u", (4, 4), (4, 14)),
        ("d", (1, 11), None), ("d", (4, 14), None), ("d", (3, 13), None),
    ]  # fmt: skip


def test_a_start_goes_on_by_gtid_and_by_position(connector: Connector, run: Run) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY)")
    connector.snapshot()
    run("INSERT INTO t VALUES (1)")
    connector.until(lambda: 1 in connector.rows("t"))
    offset = dict(connector.offsets[-1].offset or {})
    assert offset["gtids"] == run("SELECT @@global.gtid_binlog_pos")[0][0]
    run("FLUSH BINARY LOGS")
    run("ALTER TABLE t ADD COLUMN v INT")
    run("INSERT INTO t VALUES (2, 2)")
    connector.until(lambda: 2 in connector.rows("t"))
    run("INSERT INTO t VALUES (3, 3)")
    connector.until(lambda: 3 in connector.rows("t"), gtid__ignore__on__recovery="true")
    del offset["gtids"]
    connector.offsets.append(connector.offsets[-1]._replace(offset=offset))
    before = len(connector.events)
    connector.until(lambda: len(connector.events) == before + 2)
    assert [event.after for event in connector.events] == [(1,), (2, 2), (3, 3), (2, 2), (3, 3)]
    assert (connector.offsets[-1].offset or {})["gtids"] == run("SELECT @@global.gtid_binlog_pos")[0][0]


def test_a_purged_log_is_told_with_what_is_lost(connector: Connector, run: Run) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY)")
    connector.snapshot()
    run("INSERT INTO t VALUES (1)")
    lost = run("SELECT @@global.gtid_binlog_pos")[0][0]
    run("FLUSH BINARY LOGS")
    for (reader,) in run("SELECT id FROM information_schema.processlist WHERE command = 'Binlog Dump'"):
        run(f"KILL {reader}")  # a file that somebody still reads is not purged
    wait_until(lambda: _purged(run), "the log purged")
    with pytest.raises(SourceError, match=rf"it purged the transactions .*{lost}.*, which were not read"):
        connector.until(lambda: False, 10)
    connector.until(lambda: 1 in connector.rows("t"), snapshot__mode="when_needed")


def _purged(run: Run) -> bool:
    run(f"PURGE BINARY LOGS TO '{run('SHOW MASTER STATUS')[0][0]}'")
    return len(run("SHOW BINARY LOGS")) == 1


def test_each_connector_says_what_the_other_product_is_to_it(
    config: dict[str, str], run: Run, mysql_address: tuple[str, int]
) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY)")
    host, port = mysql_address
    (problem,) = MARIADB.check(config | {"database.hostname": host, "database.port": str(port)})
    assert "is MySQL; set connector.class=io.debezium.connector.mysql.MySqlConnector" in problem.message
    connector = Connector(config)
    assert MYSQL.check(config) == []
    connector.snapshot()
    run("INSERT INTO t VALUES (1)")
    connector.until(lambda: 1 in connector.rows("t"))
    run("INSERT INTO t VALUES (2)")
    connector.until(lambda: 2 in connector.rows("t"))
    assert [event.after for event in connector.events] == [(1,), (2,)]
    assert "gtids" not in (connector.offsets[-1].offset or {})


def test_kill_9_in_the_middle_of_transactions_loses_and_repeats_nothing(
    config: dict[str, str], run: Run, tmp_path: Path
) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100))")
    worker = WorkerProcess(tmp_path, f"maria{time.time_ns()}", None)
    worker.flush_ms = 1
    small = config | {"connector.class": MARIADB.class_name, "max.batch.size": "3"}
    try:
        worker.start({VARIABLE: "source:appended:12"})
        worker.put("maria", small)
        wait_until(lambda: bool(worker.call("GET", "/connectors/maria/offsets").json().get("offsets")), "an offset")
        for first in range(0, 300, 100):
            run("START TRANSACTION")
            for start in range(first, first + 100, 5):
                run("INSERT INTO t VALUES " + ", ".join(f"({id}, 'v{id}')" for id in range(start, start + 5)))
            run("COMMIT")
        wait_until(lambda: worker.log_text().count("died by SIGKILL") >= 2, "two deaths")
        worker.kill()
        worker.start()
        worker.put("maria", small)
        with worker.log() as log:
            topic = f"d.{DATABASE}.t"
            wait_until(lambda: topic in log.topics() and sum(log.end_offsets(topic).values()) >= 300, "every row")
            time.sleep(1)
            values = [value for _, value in log.topic(topic, {}).read()]
    finally:
        worker.close()
    assert [json.loads(value)["payload"]["after"]["id"] for value in values if value] == list(range(300))
