"""The PostgreSQL source on a real server: each change once over kills, slots that do not grow, gaps told."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.server.worker_process import WorkerProcess, wait_until

Database = psycopg.Connection[Any]


class Place:
    """A database, a worker on the embedded log and a connector, all of one name."""

    def __init__(self, folder: Path, address: tuple[str, int]) -> None:
        self.name = "pg" + uuid.uuid4().hex[:8]
        self.address = address
        self.server = self.connect("app")
        self.server.execute(f"CREATE DATABASE {self.name}".encode())
        self.database = self.connect(self.name)
        self.database.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, note TEXT)")
        self.worker = WorkerProcess(folder, self.name, None)
        self.worker.start()

    def connect(self, database: str) -> Database:
        host, port = self.address
        return psycopg.connect(host=host, port=port, user="app", password="apppw", dbname=database, autocommit=True)

    def config(self, **changes: str) -> dict[str, str]:
        host, port = self.address
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "database.hostname": host,
            "database.port": str(port), "database.user": "app", "database.password": "apppw",
            "database.dbname": self.name, "topic.prefix": self.name, "slot.name": self.name,
            "publication.name": self.name, "plugin.name": "pgoutput", "table.include.list": "public.t",
            "publication.autocreate.mode": "filtered", "status.update.interval.ms": "200",
            **{name.replace("_", "."): value for name, value in changes.items()},
        }  # fmt: skip

    def start(self, **changes: str) -> None:
        self.worker.put(self.name, self.config(**changes))
        wait_until(self.streams, f"the start of streaming; {self.worker.said()}")

    def slot(self, column: str) -> Any:
        query = f"SELECT {column} FROM pg_replication_slots WHERE slot_name = '{self.name}'"
        found = self.server.execute(query.encode()).fetchall()
        return found[0][0] if found else None

    def streams(self) -> bool:
        return bool(self.slot("active"))

    def task(self) -> dict[str, Any]:
        task: dict[str, Any] = self.worker.status(self.name)["tasks"][0]
        return task

    def state(self) -> str | None:
        """Of the task; None while there is none."""
        tasks = self.worker.status(self.name)["tasks"]
        return tasks[0]["state"] if tasks else None

    def kill(self) -> None:
        """SIGKILL to the task; returns when another streams."""
        pid, reader = self.worker.tasks()[f"{self.name}-0"], self.slot("active_pid")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.worker.tasks().get(f"{self.name}-0", pid) != pid, "another process", 60)
        try:
            wait_until(lambda: self.slot("active_pid") not in (None, reader), "streaming again", 30)
        except AssertionError:
            raise AssertionError(f"no stream after a kill: {self.worker.status(self.name)}") from None

    def events(self) -> list[tuple[str, int, int]]:
        """Operation, id and value of every event of the table; tombstones left out."""
        with self.worker.log() as log:
            values = [value for _, value in log.topic(f"{self.name}.public.t", {}).read()]
        payloads = [json.loads(value)["payload"] for value in values if value]
        rows = [(each["op"], each["after"] or each["before"]) for each in payloads]
        return [(op, row["id"], row["v"]) for op, row in rows]

    def close(self) -> None:
        self.worker.close()
        if self.slot("active_pid"):
            self.server.execute("SELECT pg_terminate_backend(%s, 5000)", (self.slot("active_pid"),))
        if self.slot("slot_name"):
            self.server.execute("SELECT pg_drop_replication_slot(%s)", (self.name,))
        self.database.close()
        self.server.execute(f"DROP DATABASE {self.name} WITH (FORCE)".encode())
        self.server.close()


@pytest.fixture
def place(tmp_path: Path, postgres_address: tuple[str, int]) -> Iterator[Place]:
    made = Place(tmp_path, postgres_address)
    yield made
    made.close()


def test_each_change_comes_once_and_in_order_whatever_is_killed(place: Place) -> None:
    place.database.execute("INSERT INTO t SELECT i, 0 FROM generate_series(1, 500) i")
    place.start()
    told: list[tuple[str, int, int]] = []
    load = threading.Thread(target=_load, args=(place.connect(place.name), told), daemon=True)
    load.start()
    seeded = random.Random(1)
    for _ in range(5):
        time.sleep(seeded.uniform(0.3, 1.2))
        place.kill()
    load.join()
    wait_until(lambda: len(place.events()) >= 500 + len(told), "as many events", 40, every=0.5)
    events = place.events()
    assert sorted(events[:500]) == [("r", id, 0) for id in range(1, 501)]
    assert events[500:] == told


def _load(database: Database, told: list[tuple[str, int, int]]) -> None:
    """Transactions of 1 to 2,000 rows, two of them open at a time would interleave: one writer keeps the order."""
    seeded, next_id = random.Random(2), 1000
    for _ in range(40):
        changes: list[tuple[str, int, int]] = []
        size = seeded.choice((1, 3, 50, 2000))
        with database.transaction(), database.cursor() as cursor:
            cursor.execute("INSERT INTO t SELECT i, 1 FROM generate_series(%s::int, %s::int) i",
                           (next_id, next_id + size - 1))  # fmt: skip
            changes += [("c", id, 1) for id in range(next_id, next_id + size)]
            cursor.execute("SAVEPOINT s")
            cursor.execute("UPDATE t SET v = -1 WHERE id = %s", (next_id,))
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            cursor.execute("UPDATE t SET v = 2 WHERE id = %s", (next_id,))
            cursor.execute("DELETE FROM t WHERE id = %s", (next_id,))
            changes += [("u", next_id, 2), ("d", next_id, 0)]
        next_id += size
        told += changes
    database.close()


def test_a_slot_does_not_grow_while_other_tables_are_written(place: Place) -> None:
    place.database.execute("CREATE TABLE other (id SERIAL, note TEXT)")
    place.start()
    place.database.execute("INSERT INTO t VALUES (1, 1)")
    wait_until(lambda: len(place.events()) == 1, "the first change")
    before = place.slot("confirmed_flush_lsn")
    for _ in range(20):
        place.database.execute("INSERT INTO other (note) SELECT repeat('x', 1000) FROM generate_series(1, 100)")
    ((written,),) = place.database.execute("SELECT pg_current_wal_lsn()").fetchall()

    def behind() -> Any:
        query = "SELECT pg_wal_lsn_diff(%s, %s)"
        return place.database.execute(query, (written, place.slot("confirmed_flush_lsn"))).fetchall()[0][0]

    wait_until(lambda: behind() <= 0, f"a slot that has moved on from {before}", 30)
    place.database.execute("INSERT INTO t VALUES (2, 2)")
    wait_until(lambda: len(place.events()) == 2, "the next change")


def test_a_slot_that_is_gone_is_told_and_a_new_snapshot_mends_it(place: Place) -> None:
    place.start()
    place.database.execute("INSERT INTO t VALUES (1, 1)")
    wait_until(lambda: len(place.events()) == 1, "the first change")
    assert place.worker.call("PUT", f"/connectors/{place.name}/stop").status_code == 204
    wait_until(lambda: not place.streams(), "the end of the task")
    place.server.execute("SELECT pg_drop_replication_slot(%s)", (place.name,))
    place.database.execute("INSERT INTO t VALUES (2, 2)")
    place.worker.call("PUT", f"/connectors/{place.name}/resume")
    wait_until(
        lambda: bool(place.worker.status(place.name)["tasks"]) and place.task()["state"] == "FAILED", "the error"
    )
    trace = place.task()["trace"]
    assert f"has no slot '{place.name}': of what changed since " in trace and "public.t" in trace
    assert f'PATCH /connectors/{place.name}/config with {{"snapshot.mode": "when_needed"}}' in trace
    mended = place.worker.call("PATCH", f"/connectors/{place.name}/config", {"snapshot.mode": "when_needed"})
    assert mended.status_code == 200, mended.text
    wait_until(lambda: [event[:2] for event in place.events()] == [("c", 1), ("r", 1), ("r", 2)], "the rows anew")


def test_a_server_that_cannot_be_read_says_how_to_mend_it(place: Place) -> None:
    place.server.execute(f"CREATE ROLE {place.name} LOGIN PASSWORD 'pw'".encode())
    try:
        config = place.config(database_user=place.name, database_password="pw")
        answer = place.worker.call("PUT", "/connector-plugins/PostgresConnector/config/validate",
                                   {"name": place.name, **config}).json()  # fmt: skip
        errors = {each["value"]["name"]: each["value"]["errors"] for each in answer["configs"]}
        told = " ".join(errors["database.user"])
        assert f'run: ALTER ROLE "{place.name}" REPLICATION' in told
        assert f'GRANT SELECT ON "public"."t" TO "{place.name}"' in told
        wrong = place.config(database_password="wrong")
        answer = place.worker.call("PUT", f"/connectors/{place.name}/config", wrong)
        assert answer.status_code == 400 and "check database.user and database.password" in answer.json()["message"]
    finally:
        place.server.execute(f"DROP ROLE {place.name}".encode())
