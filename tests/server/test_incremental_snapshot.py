"""Incremental snapshots on a real server: under load, cut short anywhere, over every type of key, across DDL."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from connect_compat.log import TopicSpec
from tests.server.in_process import Connector
from tests.server.own_database import Run, own_database, source_config
from tests.server.worker_process import WorkerProcess, wait_until

DATABASE = "d_incremental"


@pytest.fixture
def run(mysql_address: tuple[str, int]) -> Iterator[Run]:
    """Runs statements in a database that holds the signal table alone."""
    with own_database(mysql_address, DATABASE) as run:
        run("CREATE TABLE signals (id VARCHAR(42), type VARCHAR(32), data VARCHAR(2048))",
            "SET time_zone = '+00:00'")  # fmt: skip
        yield run


@pytest.fixture
def connector(mysql_address: tuple[str, int], run: Run) -> Connector:
    return Connector(source_config(
        mysql_address, DATABASE, database__user="app", database__password="apppw", snapshot__mode="no_data",
        signal__data__collection=f"{DATABASE}.signals", incremental__snapshot__chunk__size="7",
    ))  # fmt: skip


def signal(run: Run, *tables: str, **data: Any) -> None:
    text = json.dumps({"data-collections": [f"{DATABASE}.{table}" for table in tables], **data})
    run(f"INSERT INTO signals VALUES ('s', 'execute-snapshot', '{text}')")


def is_over(connector: Connector) -> bool:
    return "incremental_snapshot_collections" not in (connector.offsets[-1].offset or {})


class Load(threading.Thread):
    """Random changes of the tables `a` (id) and `b` (k, n), until stopped."""

    def __init__(self, address: tuple[str, int], seed: int) -> None:
        super().__init__(daemon=True)
        self._random, self._address, self.stopped = random.Random(seed), address, threading.Event()

    def run(self) -> None:
        host, port = self._address
        connection: Any = pymysql.connect(
            host=host, port=port, user="app", password="apppw", database=DATABASE, autocommit=True
        )
        with connection, connection.cursor() as cursor:
            while not self.stopped.wait(0.001):
                for statement in self._statements():
                    cursor.execute(statement)

    def _statements(self) -> list[str]:
        pick = self._random
        id, other, value = pick.randrange(400), pick.randrange(400), pick.randrange(10**6)
        key = f"k = 'K{id % 20}' AND n = {2**63 + id}"
        return pick.choice([
            [f"REPLACE INTO a VALUES ({id}, {value})"],
            [f"UPDATE a SET v = {value} WHERE id BETWEEN {id} AND {id + 5}"],
            [f"DELETE FROM a WHERE id = {id}"],
            [f"UPDATE IGNORE a SET id = {other} WHERE id = {id}"],
            [f"REPLACE INTO b VALUES ('k{id % 20}', {2**63 + id}, {value})"],
            [f"UPDATE b SET v = {value} WHERE {key}"],
            [f"DELETE FROM b WHERE {key}"],
            ["BEGIN", f"UPDATE a SET v = {value} WHERE id = {id}", f"UPDATE b SET v = {value} WHERE {key}", "COMMIT"],
        ])  # fmt: skip


@pytest.mark.parametrize("mode", ["insert_insert", "insert_delete", "read_only"])
def test_under_load_and_cut_short_at_any_point_the_topics_end_as_the_tables(
    connector: Connector, run: Run, mysql_address: tuple[str, int], mode: str
) -> None:
    connector.config |= (
        {"read.only": "true"} if mode == "read_only" else {"incremental.snapshot.watermarking.strategy": mode}
    )
    rows = ", ".join(f"({id}, 0)" for id in range(0, 400, 2))
    pairs = ", ".join(f"('k{id % 20}', {2**63 + id}, 0)" for id in range(0, 400, 2))
    run(
        "CREATE TABLE a (id INT PRIMARY KEY, v INT)",
        "CREATE TABLE b (k VARCHAR(9), n BIGINT UNSIGNED, v INT, PRIMARY KEY (k, n))",
        "CREATE TABLE done (id INT PRIMARY KEY)",
        f"INSERT INTO a VALUES {rows}", f"INSERT INTO b VALUES {pairs}",
    )  # fmt: skip
    connector.snapshot()
    pick, load = random.Random(mode), Load(mysql_address, 7)
    load.start()
    signal(run, "a", "b")
    for _ in range(5):
        left = pick.randrange(5, 25)
        for _ in connector.start():
            left -= 1
            if not left:
                break
        del connector.offsets[max(1, len(connector.offsets) - pick.randrange(3)) :]  # records came, their offset not
    connector.until(lambda: is_over(connector) and len(connector.events) > 400, 60)
    load.stopped.set()
    load.join()
    run("INSERT INTO done VALUES (1)")
    connector.until(lambda: connector.events[-1].table == "done", 60)
    assert ends_as(connector, "a", 1) == {(id,): v for id, v in run("SELECT * FROM a")}
    of_b = {(k.lower(), n): v for (k, n), v in ends_as(connector, "b", 2).items()}
    assert of_b == {(k.lower(), n - 2**64): v for k, n, v in run("SELECT * FROM b")}


def ends_as(connector: Connector, table: str, width: int) -> dict[Any, Any]:
    """The last state of each key; `width` columns are the key."""
    found: dict[Any, Any] = {}
    for event in connector.events:
        if event.table == table:
            if event.before is not None:
                found.pop(event.before[:width], None)
            if event.after is not None:
                found[event.after[:width]] = event.after[width]
    return found


KEYS = {
    "k_int": ("k MEDIUMINT", ["-3", "0", "5", "7", "8388607"]),
    "k_unsigned": ("k BIGINT UNSIGNED", ["0", "9223372036854775807", "9223372036854775808", "18446744073709551615"]),
    "k_decimal": ("k DECIMAL(30,10)", ["-1.5", "0", "0.0000000001", "99999999999999999999.9999999999"]),
    "k_float": ("k FLOAT", ["-0.1", "0.1", "0.2", "1e20"]),
    "k_double": ("k DOUBLE", ["-0.1", "0.1", "1e-300", "1e300"]),
    "k_bit": ("k BIT(12)", ["b'0'", "b'1'", "b'11'", "b'111111111111'"]),
    "k_ci": ("k VARCHAR(9) COLLATE utf8mb4_0900_ai_ci", ["'B'", "'a'", "'é'", "'it''s'", "'x\\\\y'", "''"]),
    "k_latin": ("k CHAR(5) CHARACTER SET latin1", ["'é'", "'ü'", "'a'", "'ß'"]),
    "k_binary": ("k VARBINARY(4)", ["x'00'", "x'0001'", "x'ff'", "x'27'"]),
    "k_fixed": ("k BINARY(2)", ["x'00'", "x'0100'", "x'ff'", "x'2701'"]),
    "k_enum": ("k ENUM('z','b','a','it''s')", ["'a'", "'b'", "'z'", "'it''s'"]),
    "k_set": ("k SET('z','b','a')", ["''", "'z,a'", "'b'", "'a'"]),
    "k_date": ("k DATE", ["'1000-01-01'", "'1969-12-31'", "'2024-02-29'", "'9999-12-31'"]),
    "k_datetime": ("k DATETIME(6)", ["'1000-01-01'", "'2024-02-29 00:00:00.000001'", "'2024-02-29'", "'9999-12-31'"]),
    "k_timestamp": ("k TIMESTAMP(6)", ["'1970-01-01 00:00:01'", "'2024-01-01 00:00:00.5'", "'2024-01-01'"]),
    "k_time": ("k TIME(6)", ["'-838:59:59'", "'-00:00:00.000001'", "'00:00:00'", "'838:59:59'"]),
    "k_year": ("k YEAR", ["1901", "2000", "2024", "2155"]),
}


def test_tables_are_read_by_keys_of_every_type_each_row_once(connector: Connector, run: Run) -> None:
    connector.config["incremental.snapshot.chunk.size"] = "1"
    connector.config["message.key.columns"] = f"{DATABASE}.nulls:n,id"
    for name, (column, values) in KEYS.items():
        run(f"CREATE TABLE {name} ({column} NOT NULL PRIMARY KEY, v INT)")
        run(*(f"INSERT INTO {name} VALUES ({value}, {number})" for number, value in enumerate(values)))
    run("CREATE TABLE nulls (n INT, id INT NOT NULL)", "INSERT INTO nulls VALUES (NULL, 1), (NULL, 2), (1, 1), (1, 2)")
    run("CREATE TABLE bare (n INT, v INT)", "INSERT INTO bare VALUES (1, 0), (2, 1), (3, 2)")
    connector.snapshot()
    signal(run, "k_.*", "nulls")
    connector.until(lambda: bool(connector.events) and is_over(connector), 60)
    signal(run, "bare", **{"surrogate-key": "n"})
    connector.until(lambda: sum(event.table == "bare" for event in connector.events) == 3 and is_over(connector))
    read = [(event.table, event.after[-1]) for event in connector.events if event.op == "r"]
    assert sorted(read) == sorted([
        *((name, number) for name, (_, values) in KEYS.items() for number in range(len(values))),
        ("nulls", 1), ("nulls", 1), ("nulls", 2), ("nulls", 2), ("bare", 0), ("bare", 1), ("bare", 2),
    ])  # fmt: skip


def test_a_table_that_is_altered_meanwhile_is_read_in_its_new_shape(connector: Connector, run: Run) -> None:
    connector.config["incremental.snapshot.chunk.size"] = "2"
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT, gone INT)")
    run("INSERT INTO a VALUES " + ", ".join(f"({id}, {id}, 0)" for id in range(9)))
    connector.snapshot()
    signal(run, "a")
    altered = False
    for _ in connector.start():
        sent = sum(event.op == "r" for event in connector.events)
        if sent >= 3 and not altered:
            altered = True
            run(
                "ALTER TABLE a ADD COLUMN w INT DEFAULT 5 AFTER id, DROP COLUMN gone",
                "UPDATE a SET v = 90 WHERE id = 8",
            )
        if altered and is_over(connector) and sent >= 9:
            break
    state = {event.after[0]: event.after[1:] for event in connector.events if event.table == "a"}
    assert state[8] == (5, 90)
    assert {id: row[-1] for id, row in state.items() if len(row) == 2 and id > 5} == {6: 6, 7: 7, 8: 90}
    assert sorted(state) == list(range(9))


def test_a_table_that_a_signal_defines_anew_meanwhile_is_read_in_that_shape(connector: Connector, run: Run) -> None:
    """Its change is in no log: the server alone has it, and the signal tells."""
    connector.config["incremental.snapshot.chunk.size"] = "2"
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)")
    run("INSERT INTO a VALUES " + ", ".join(f"({id}, {id})" for id in range(9)))
    connector.snapshot()
    known = next(
        change for _, record in connector.history.records for change in json.loads(record)["tableChanges"]
        if change["id"].endswith('."a"') and change["type"] == "CREATE"
    )  # fmt: skip
    added = {**known["table"]["columns"][1], "name": "w", "position": 3}
    table = {**known["table"], "columns": [*known["table"]["columns"], added]}
    told = json.dumps({"database": DATABASE, "schema": "", "changes": [{**known, "type": "ALTER", "table": table}]})
    signal(run, "a")
    altered = False
    for _ in connector.start():
        sent = sum(event.op == "r" for event in connector.events)
        if sent >= 3 and not altered:
            altered = True
            run(
                "SET SESSION sql_log_bin = 0", "ALTER TABLE a ADD COLUMN w INT DEFAULT 5", "SET SESSION sql_log_bin = 1"
            )
            run(
                f"INSERT INTO signals VALUES ('c', 'schema-changes', '{told}')",
                "UPDATE a SET v = 90, w = 6 WHERE id = 8",
            )
        if altered and is_over(connector) and sent >= 9:
            break
    state = {event.after[0]: event.after[1:] for event in connector.events if event.table == "a"}
    assert state[8] == (90, 6) and sorted(state) == list(range(9))
    assert {id: row for id, row in state.items() if id in (6, 7)} == {6: (6, 5), 7: (7, 5)}
    # A start later goes on from the history that the signal was recorded in.
    run("UPDATE a SET w = 7 WHERE id = 1")
    connector.until(lambda: connector.events[-1].after == (1, 1, 7))


def test_a_blocking_snapshot_that_is_cut_short_is_taken_again_and_the_log_goes_on(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO b VALUES (1)")
    connector.config["snapshot.fetch.size"] = "1"
    connector.snapshot()
    signal(run, "a", type="blocking")
    run("UPDATE a SET v = 20 WHERE id = 2")
    connector.until(lambda: any(event.op == "r" for event in connector.events))
    connector.events.clear()
    connector.until(lambda: bool(connector.events) and connector.events[-1].op == "u")
    assert [(event.op, event.after[:2], event.marker) for event in connector.events if event.table == "a"] == [
        ("r", (1, 1), "first"), ("r", (2, 20), "true"), ("r", (3, 3), "last"), ("u", (2, 20), None),
    ]  # fmt: skip


@pytest.mark.parametrize("log_kind", ["embedded", "kafka"])
def test_a_signal_comes_from_a_file_a_topic_and_rest_and_is_forgotten_when_it_is_carried_out(
    run: Run, mysql_address: tuple[str, int], tmp_path: Path, kafka: str, log_kind: str
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2), (3)")
    name, signals = f"sig{time.time_ns()}", tmp_path / "signals.txt"
    worker = WorkerProcess(tmp_path, name, kafka if log_kind == "kafka" else None)
    worker.start()
    try:
        worker.put("d", {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector", "topic.prefix": name,
            "database.hostname": mysql_address[0], "database.port": str(mysql_address[1]), "database.user": "app",
            "database.password": "apppw", "database.server.id": "184506", "database.include.list": DATABASE,
            "snapshot.mode": "no_data", "signal.data.collection": f"{DATABASE}.signals",
            "schema.history.internal.kafka.topic": f"{name}-history", "signal.enabled.channels": "source,file,kafka",
            "signal.kafka.bootstrap.servers": kafka,
            "signal.kafka.topic": f"{name}-orders", "signal.file": str(signals), "signal.poll.interval.ms": "100",
        })  # fmt: skip
        asked = {"id": "x", "type": "execute-snapshot", "data": {"data-collections": [f"{DATABASE}.a"]}}
        wait_until(lambda: _streams(worker), "streaming")

        topic = f"{name}.{DATABASE}.a"

        def rows() -> int:
            with worker.log() as log:
                return sum(log.end_offsets(topic).values()) if topic in log.topics() else 0

        assert worker.call("POST", "/connectors/d/signal", asked).status_code == 204
        wait_until(lambda: rows() == 3, "the rows that REST asked for")
        signals.write_text(json.dumps(asked) + "\n")
        wait_until(lambda: rows() == 6 and not signals.read_text(), "the rows that the file asked for")
        with worker.log() as log:
            log.create_topics([TopicSpec(f"{name}-orders", 1)])
            for key in ("other", name):
                log.topic(f"{name}-orders", {}).append([(key.encode(), json.dumps(asked).encode())])
        wait_until(lambda: rows() == 9, f"the rows that the topic asked for; {worker.said()}")
        assert worker.call("POST", "/connectors/d/signal", {"id": "x"}).status_code == 400
        assert worker.call("PUT", "/connectors/d/pause").status_code == 202
        wait_until(lambda: worker.status("d")["tasks"][0]["state"] == "PAUSED", "the pause")
        refused = worker.call("POST", "/connectors/d/signal", asked)
        assert (refused.status_code, "PAUSED" in refused.json()["message"]) == (409, True)
        assert worker.call("PUT", "/connectors/d/resume").status_code == 202
        worker.kill()
        worker.start()
        wait_until(lambda: _streams(worker), "streaming again")
        time.sleep(1)
        assert rows() == 9
    finally:
        worker.close()
        if log_kind == "kafka":
            worker.forget()


def _streams(worker: WorkerProcess) -> bool:
    offsets = worker.call("GET", "/connectors/d/offsets").json()["offsets"]
    running = [task["state"] for task in worker.status("d")["tasks"]] == ["RUNNING"]
    return running and bool(offsets) and "snapshot" not in offsets[-1]["offset"]
