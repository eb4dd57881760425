"""A whole Tailrace on real servers for tests: MySQL table -> worker process -> index, with everything killable."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pymysql
import requests
from elasticsearch import Elasticsearch

Row = dict[str, Any]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(seen: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen():
            return
        time.sleep(0.05)
    raise AssertionError(f"not seen in {seconds:.0f} s: {what}")


class Rig:
    """One database, one worker, one source, one sink. `kafka` None: the embedded log."""

    def __init__(self, folder: Path, mysql: tuple[str, int], elasticsearch: str, kafka: str | None = None) -> None:
        self.name = "rig" + uuid.uuid4().hex[:8]
        self.folder = folder
        self.mysql_address = mysql
        self.kafka = kafka
        self.elasticsearch_url = elasticsearch
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.worker: subprocess.Popen[bytes] | None = None
        self.index = f"{self.name}.{self.name}.t"
        self.search = Elasticsearch(elasticsearch, request_timeout=30)
        self.database: Any = pymysql.connect(
            host=mysql[0], port=mysql[1], user="app", password="apppw", autocommit=True, charset="utf8mb4"
        )
        self.sql(f"CREATE DATABASE {self.name}")
        self.sql(f"USE {self.name}")
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v BIGINT NOT NULL, name VARCHAR(40), price DECIMAL(10,2))")

    def sql(self, statement: str, *values: Any) -> list[Row]:
        with self.database.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    # The worker

    def worker_properties(self) -> str:
        return f"""\
bootstrap.servers={self.kafka}
group.id={self.name}
listeners=http://127.0.0.1:{self.port}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms=1000
config.storage.topic={self.name}-configs
offset.storage.topic={self.name}-offsets
status.storage.topic={self.name}-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
"""

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts the worker and waits for its REST answer, unless the environment makes it crash."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tailrace = str(Path(sys.executable).with_name("tailrace"))
        if self.kafka is None:
            command = [tailrace, "--data", str(self.folder / "data"), "--port", str(self.port)]
        else:
            properties = self.folder / "worker.properties"
            properties.write_text(self.worker_properties())
            command = [tailrace, "distributed", str(properties)]
        with (self.folder / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True
            )
        wait_until(self.answers, f"an answer of the worker; it said:\n{self.said()}", 30)

    def answers(self) -> bool:
        if self.worker is not None and self.worker.poll() is not None:
            raise AssertionError(f"the worker ended with {self.worker.returncode}:\n{self.said()}")
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(self.url, timeout=5).status_code == 200
        return False

    def said(self) -> str:
        log = self.folder / "worker.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-40:]) if log.exists() else ""

    def tasks(self) -> list[int]:
        """Process ids of the worker's children."""
        assert self.worker is not None
        children = Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children")
        with contextlib.suppress(OSError):
            return [int(pid) for pid in children.read_text().split()]
        return []

    def kill_worker(self) -> None:
        """SIGKILL, and waits until its task processes have noticed."""
        assert self.worker is not None
        tasks = self.tasks()
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait(10)
        wait_until(lambda: not any(alive(pid) for pid in tasks), "the end of orphaned tasks", 20)
        self.worker = None

    def stop(self) -> int:
        assert self.worker is not None
        self.worker.terminate()
        code = self.worker.wait(30)
        self.worker = None
        return code

    def close(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.stop()
        self.sql(f"DROP DATABASE IF EXISTS {self.name}")
        self.database.close()
        self.search.indices.delete(index=self.index, ignore_unavailable=True)
        self.search.close()

    # The connectors

    def source_config(self, **changes: str) -> dict[str, str]:
        host, port = self.mysql_address
        return {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "database.hostname": host,
            "database.port": str(port),
            "database.user": "cdc",
            "database.password": "cdcpw",
            "database.server.id": str(int(self.name[3:], 16) % 2**30 + 1000),
            "topic.prefix": self.name,
            "database.include.list": self.name,
            "schema.history.internal.kafka.bootstrap.servers": self.kafka or "unused:9092",
            "schema.history.internal.kafka.topic": f"{self.name}-history",
            **{name.replace("_", "."): value for name, value in changes.items()},
        }

    def sink_config(self, **changes: str) -> dict[str, str]:
        return {
            "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
            "topics": self.index,
            "connection.url": self.elasticsearch_url,
            "behavior.on.null.values": "delete",
            "transforms": "unwrap",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            **{name.replace("_", "."): value for name, value in changes.items()},
        }

    def create(self, source: Mapping[str, str] | None = None, sink: Mapping[str, str] | None = None) -> None:
        for name, config in (("source", source or self.source_config()), ("sink", sink or self.sink_config())):
            answer = requests.put(f"{self.url}/connectors/{name}/config", json=config, timeout=60)
            assert answer.status_code in (200, 201), answer.text

    def status(self, name: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/connectors/{name}/status", timeout=10)
        return dict(answer.json())

    # What must hold

    def table(self) -> dict[int, Row]:
        rows = self.sql("SELECT id, v, name, CAST(price AS DOUBLE) AS price FROM t")
        return {row["id"]: row for row in rows}

    def documents(self) -> dict[int, Row]:
        self.search.indices.refresh(index=self.index, ignore_unavailable=True)
        found = self.search.search(index=self.index, size=10_000, ignore_unavailable=True)["hits"]["hits"]
        return {int(hit["_id"]): hit["_source"] for hit in found}

    def index_equals_table(self, seconds: float = 60) -> None:
        try:
            wait_until(lambda: self.documents() == self.table(), "index equals table", seconds)
        except AssertionError:
            rows, documents = self.table(), self.documents()
            wrong = {key for key in rows.keys() | documents.keys() if rows.get(key) != documents.get(key)}
            shown = {key: (rows.get(key), documents.get(key)) for key in sorted(wrong)[:5]}
            states = [json.dumps(self.status(name)) for name in ("source", "sink")] if self.worker else []
            raise AssertionError(f"{len(wrong)} rows differ, such as {shown}; {states}\n{self.said()}") from None


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
