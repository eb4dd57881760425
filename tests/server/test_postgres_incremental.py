"""Incremental snapshots of PostgreSQL: under load, cut short anywhere, over every type of key, across DDL, blocking."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from cdc.postgres.connector import POSTGRES
from cdc.postgres.source_info import SourceInfo
from tests.server.in_process import Connector

Run = Callable[..., Any]
NAME = "d_incremental"


def _login(address: tuple[str, int]) -> dict[str, Any]:
    return {"host": address[0], "port": address[1], "user": "app", "password": "apppw", "autocommit": True}


@pytest.fixture
def run(postgres_address: tuple[str, int]) -> Iterator[Run]:
    """Runs statements in a database that holds the signal table alone; it goes with its slot."""
    login = _login(postgres_address)
    with psycopg.connect(dbname="app", **login) as server:
        _drop(server)
        server.execute(f"CREATE DATABASE {NAME}".encode())
        with psycopg.connect(dbname=NAME, **login) as database:

            def execute(*statements: str) -> Any:
                cursor: Any = None
                for sql in statements:
                    cursor = database.execute(sql.encode())
                return cursor.fetchall() if cursor.description else None

            execute("CREATE TABLE signals (id VARCHAR(42), type VARCHAR(32), data VARCHAR(2048))",
                    "ALTER TABLE signals REPLICA IDENTITY FULL")  # fmt: skip
            yield execute
        _drop(server)


def _drop(server: psycopg.Connection[Any]) -> None:
    for _ in range(50):
        if not server.execute(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{NAME}' AND active".encode()
                              ).fetchall():  # fmt: skip
            break
        time.sleep(0.1)
    drop = f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{NAME}'"
    server.execute(drop.encode())
    server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)".encode())


@pytest.fixture
def connector(postgres_address: tuple[str, int], run: Run) -> Connector:
    return Connector({
        "topic.prefix": "d", "database.hostname": postgres_address[0], "database.port": str(postgres_address[1]),
        "database.user": "app", "database.password": "apppw", "database.dbname": NAME, "slot.name": NAME,
        "publication.name": NAME, "snapshot.mode": "no_data", "signal.data.collection": "public.signals",
        "incremental.snapshot.chunk.size": "7", "plugin.name": "pgoutput", "status.update.interval.ms": "200",
    }, declared=POSTGRES, block=SourceInfo)  # fmt: skip


def signal(run: Run, *tables: str, **data: Any) -> None:
    text = json.dumps({"data-collections": [f"public.{table}" for table in tables], **data})
    run(f"INSERT INTO signals VALUES ('s', 'execute-snapshot', '{text}')")


def is_over(connector: Connector) -> bool:
    return "incremental_snapshot_collections" not in (connector.offsets[-1].offset or {})


class Load(threading.Thread):
    """Random changes of the tables `a` (id) and `b` (k, n), until stopped."""

    def __init__(self, address: tuple[str, int], seed: int) -> None:
        super().__init__(daemon=True)
        self._random, self._login, self.stopped = random.Random(seed), _login(address), threading.Event()

    def run(self) -> None:
        with psycopg.connect(dbname=NAME, **self._login) as connection:
            while not self.stopped.wait(0.002):
                for statement in self._statements():
                    connection.execute(statement.encode())

    def _statements(self) -> list[str]:
        pick = self._random
        id, other, value = pick.randrange(400), pick.randrange(400), pick.randrange(10**6)
        key = f"k = 'k{id % 20}' AND n = {id}.5"
        return pick.choice([
            [f"INSERT INTO a VALUES ({id}, {value}) ON CONFLICT (id) DO UPDATE SET v = {value}"],
            [f"UPDATE a SET v = {value} WHERE id BETWEEN {id} AND {id + 5}"],
            [f"DELETE FROM a WHERE id = {id}"],
            [f"UPDATE a SET id = {other} WHERE id = {id} AND NOT EXISTS (SELECT FROM a WHERE id = {other})"],
            [f"INSERT INTO b VALUES ('k{id % 20}', {id}.5, {value}) ON CONFLICT (k, n) DO UPDATE SET v = {value}"],
            [f"UPDATE b SET v = {value} WHERE {key}"],
            [f"DELETE FROM b WHERE {key}"],
            ["BEGIN", f"UPDATE a SET v = {value} WHERE id = {id}", f"UPDATE b SET v = {value} WHERE {key}", "COMMIT"],
        ])  # fmt: skip


@pytest.mark.parametrize("mode", ["insert_insert", "insert_delete", "read_only"])
def test_under_load_and_cut_short_at_any_point_the_topics_end_as_the_tables(
    connector: Connector, run: Run, postgres_address: tuple[str, int], mode: str
) -> None:
    connector.config |= (
        {"read.only": "true"} if mode == "read_only" else {"incremental.snapshot.watermarking.strategy": mode}
    )
    run(
        "CREATE TABLE a (id INT PRIMARY KEY, v INT)",
        "CREATE TABLE b (k VARCHAR(9), n NUMERIC(9,1), v INT, PRIMARY KEY (k, n))",
        "CREATE TABLE done (id INT PRIMARY KEY)",
        "INSERT INTO a SELECT n, 0 FROM generate_series(0, 398, 2) n",
        "INSERT INTO b SELECT 'k' || n % 20, n + 0.5, 0 FROM generate_series(0, 398, 2) n",
    )
    connector.until(lambda: bool(connector.offsets))
    pick, load = random.Random(mode), Load(postgres_address, 7)
    load.start()
    signal(run, "a", "b")
    for _ in range(5):
        left = pick.randrange(3, 15)
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
    assert ends_as(connector, "b", 2) == {(k, int(n * 10)): v for k, n, v in run("SELECT * FROM b")}


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
    "k_int": ("SMALLINT", ["-3", "0", "5", "32767"]),
    "k_big": ("BIGINT", ["-9223372036854775808", "0", "9223372036854775807"]),
    "k_decimal": ("NUMERIC(30,10)", ["-1.5", "0", "0.0000000001", "99999999999999999999.9999999999"]),
    "k_free": ("NUMERIC", ["-1e30", "0", "1e-20", "'NaN'"]),
    "k_float": ("REAL", ["-0.1", "0.1", "0.2", "1e20"]),
    "k_double": ("DOUBLE PRECISION", ["-0.1", "0.1", "1e-300", "1e300", "'infinity'"]),
    "k_text": ("TEXT", ["'B'", "'a'", "'é'", "'it''s'", r"'x\y'", "''", "E'a\tb\nc'", r"'\N'"]),
    "k_padded": ("CHAR(5)", ["'é'", "'ü'", "'a'"]),
    "k_bytes": ("BYTEA", [r"'\x00'", r"'\x0001'", r"'\xff'", r"'\x27'"]),
    "k_enum": ("mood", ["'sad'", "'ok'", "'it''s'"]),
    "k_domain": ("positive", ["1", "2", "30"]),
    "k_bool": ("BOOLEAN", ["true", "false"]),
    "k_uuid": ("UUID", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000001'"]),
    "k_date": ("DATE", ["'0001-01-01'", "'1969-12-31'", "'2024-02-29'", "'infinity'", "'0044-03-15 BC'"]),
    "k_time": ("TIME", ["'00:00:00'", "'00:00:00.000001'", "'24:00:00'"]),
    "k_timestamp": ("TIMESTAMP", ["'1000-01-01'", "'2024-02-29 00:00:00.000001'", "'-infinity'", "'9999-12-31'"]),
    "k_instant": ("TIMESTAMPTZ", ["'1970-01-01 00:00:01+02'", "'2024-01-01 00:00:00.5+00'", "'infinity'"]),
    "k_interval": ("INTERVAL", ["'1 day'", "'25 hours'", "'-1 month'"]),
    "k_inet": ("INET", ["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"]),
}


def test_tables_are_read_by_keys_of_every_type_each_row_once(connector: Connector, run: Run) -> None:
    connector.config["incremental.snapshot.chunk.size"] = "1"
    connector.config["message.key.columns"] = "public.nulls:n,id"
    run("CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s')", "CREATE DOMAIN positive AS INT CHECK (VALUE > 0)")
    for name, (type_, values) in KEYS.items():
        run(f"CREATE TABLE {name} (k {type_} NOT NULL PRIMARY KEY, v INT)")
        run(*(f"INSERT INTO {name} VALUES ({value}, {number})" for number, value in enumerate(values)))
    run("CREATE TABLE nulls (n INT, id INT NOT NULL)", "INSERT INTO nulls VALUES (NULL, 1), (NULL, 2), (1, 1), (1, 2)")
    run("CREATE TABLE bare (n INT, v INT)", "INSERT INTO bare VALUES (1, 0), (2, 1), (3, 2)")
    connector.until(lambda: bool(connector.offsets))
    signal(run, "k_.*", "nulls")
    connector.until(lambda: bool(connector.events) and is_over(connector), 100)
    signal(run, "bare", **{"surrogate-key": "n"})
    connector.until(lambda: sum(event.table == "bare" for event in connector.events) == 3 and is_over(connector))
    read = [(event.table, event.after[-1]) for event in connector.events if event.op == "r"]
    assert sorted(read) == sorted([
        *((name, number) for name, (_, values) in KEYS.items() for number in range(len(values))),
        ("nulls", 1), ("nulls", 1), ("nulls", 2), ("nulls", 2), ("bare", 0), ("bare", 1), ("bare", 2),
    ])  # fmt: skip


def test_altered_meanwhile_then_read_by_a_blocking_snapshot(connector: Connector, run: Run) -> None:
    connector.config["incremental.snapshot.chunk.size"] = "2"
    run(
        "CREATE TABLE a (id INT PRIMARY KEY, v INT, gone INT)",
        "INSERT INTO a SELECT n, n, 0 FROM generate_series(0, 8) n",
    )
    connector.until(lambda: bool(connector.offsets))
    signal(run, "a")
    altered = False
    for _ in connector.start():
        sent = sum(event.op == "r" for event in connector.events)
        if sent >= 3 and not altered:
            altered = True
            run("ALTER TABLE a ADD COLUMN w INT DEFAULT 5, DROP COLUMN gone", "UPDATE a SET v = 90 WHERE id = 8")
        if altered and is_over(connector) and sent >= 9:
            break
    state = {event.after[0]: event.after[1:] for event in connector.events if event.table == "a"}
    assert state[8] == (90, 5) and len(state) == 9
    connector.events.clear()
    signal(run, "a", type="blocking")
    run("INSERT INTO a VALUES (9, 9, 9)")
    connector.until(
        lambda: bool(connector.events) and connector.events[-1].op == "c" and connector.events[-1].table == "a"
    )
    read = [event for event in connector.events if event.op == "r"]
    assert [event.after[0] for event in read] in ([*range(8), 8], [*range(8), 8, 9])
    assert (read[0].marker, read[-1].marker) == ("first", "last")
