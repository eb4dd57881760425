"""A PostgreSQL database, a worker and a connector, all of one name; the task is a process that can be killed."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import psycopg

from tests.server.worker_process import WorkerProcess, wait_until

Database = psycopg.Connection[Any]


class Place:
    """`kafka` None: the embedded log. The table is `t (id, v, note)`, its topic `topic`."""

    def __init__(self, folder: Path, address: tuple[str, int], kafka: str | None = None) -> None:
        self.name = "pg" + uuid.uuid4().hex[:8]
        self.address = address
        self.server = self.connect("app")
        self.server.execute(f"CREATE DATABASE {self.name}".encode())
        self.database = self.connect(self.name)
        self.database.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, note TEXT)")
        self.topic = f"{self.name}.public.t"
        self.worker = WorkerProcess(folder, self.name, kafka)
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
            values = [value for _, value in log.topic(self.topic, {}).read()] if self.topic in log.topics() else []
        payloads = [json.loads(value)["payload"] for value in values if value]
        rows = [(each["op"], each["after"] or each["before"]) for each in payloads]
        return [(op, row["id"], row["v"]) for op, row in rows]

    def sent(self) -> int:
        """How many records the topic has."""
        with self.worker.log() as log:
            return sum(log.end_offsets(self.topic).values()) if self.topic in log.topics() else 0

    def offset(self) -> dict[str, Any]:
        """As it is saved; empty before the first."""
        offsets = self.worker.call("GET", f"/connectors/{self.name}/offsets").json().get("offsets", [])
        return dict(offsets[0]["offset"]) if offsets else {}

    def close(self) -> None:
        self.worker.close()
        if self.worker.kafka is not None:
            self.worker.forget()
        if self.slot("active_pid"):
            self.server.execute("SELECT pg_terminate_backend(%s, 5000)", (self.slot("active_pid"),))
        if self.slot("slot_name"):
            self.server.execute("SELECT pg_drop_replication_slot(%s)", (self.name,))
        self.database.close()
        self.server.execute(f"DROP DATABASE {self.name} WITH (FORCE)".encode())
        self.server.close()
