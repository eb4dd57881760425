"""A whole Tailrace on real servers for tests: a MySQL table, a worker process, an index; everything killable."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymysql
from elasticsearch import Elasticsearch

from tests.server.index import documents
from tests.server.told import Truth, tells_everything, told
from tests.server.worker_process import WorkerProcess, wait_until
from tests.server.workload import Workload

Row = dict[str, Any]
_DEADLOCK = 1213


class Rig:
    """One database, one worker, one source, one sink. `kafka` None: the embedded log."""

    def __init__(self, folder: Path, mysql: tuple[str, int], elasticsearch: str, kafka: str | None = None) -> None:
        self.name = "rig" + uuid.uuid4().hex[:8]
        self.worker = WorkerProcess(folder, self.name, kafka)
        self.mysql_address = mysql
        self.elasticsearch_url = elasticsearch
        self.source, self.sink = f"{self.name}-source", f"{self.name}-sink"
        self.index = f"{self.name}.{self.name}.t"
        self.search = Elasticsearch(elasticsearch, request_timeout=30)
        self.database = self._connected()
        self.sql(f"CREATE DATABASE {self.name}")
        self.sql(f"USE {self.name}")
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v BIGINT NOT NULL, name VARCHAR(40), price DECIMAL(10,2))")
        self.sql("CREATE TABLE mark (id INT PRIMARY KEY)")
        self.truth = Truth(self.source_config(), self.sql)
        self.last_load: Workload | None = None

    def sql(self, statement: str) -> list[Row]:
        """The rows of a statement; repeated when a load's transactions and it stand in each other's way."""
        try:
            self.database.ping(reconnect=False)
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError):  # the server was restarted
            self.database = self._connected()
            self.database.select_db(self.name)
        while True:
            try:
                with self.database.cursor(pymysql.cursors.DictCursor) as cursor:
                    cursor.execute(statement)
                    return list(cursor.fetchall())
            except pymysql.err.OperationalError as error:
                if error.args[0] != _DEADLOCK:
                    raise

    def _connected(self) -> Any:
        host, port = self.mysql_address
        return pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4")

    def load(self, seed: int, **options: Any) -> Workload:
        """Writes that have begun; `finish` them."""
        load = self.last_load = Workload(self.mysql_address, self.name, seed, **options)
        load.start()
        return load

    def close(self) -> None:
        self.worker.close()
        if self.worker.kafka is not None:
            self.worker.forget()
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
            "schema.history.internal.kafka.bootstrap.servers": self.worker.kafka or "unused:9092",
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
        self.worker.put(self.source, source or self.source_config())
        self.worker.put(self.sink, sink or self.sink_config())

    def stream(self, environment: Mapping[str, str] | None = None, sink: Mapping[str, str] | None = None) -> None:
        """Starts all on the empty table; every later row is a change."""
        self.worker.start(environment)
        self.create(sink=sink)
        wait_until(self.is_streaming, "the end of the snapshot")
        wait_until(lambda: len(self.worker.tasks()) == 2, "both tasks", told=self.states)

    def is_streaming(self) -> bool:
        offsets = self.worker.call("GET", f"/connectors/{self.source}/offsets").json().get("offsets", [])
        return any("snapshot" not in {**each["partition"], **each["offset"]} for each in offsets)

    def works(self, connector: str) -> None:
        """Waits until a connector carries records, with a load running: the source writes some, the sink commits."""
        with self.worker.log() as log:
            if connector == self.sink:
                group = f"connect-{self.sink}"
                before = log.group_offsets(group)
                wait_until(lambda: log.group_offsets(group) != before, f"a commit of {group}", told=self.states)
            else:
                end = log.end_offsets(self.index)
                wait_until(lambda: log.end_offsets(self.index) != end, f"a record in {self.index}", told=self.states)

    def states(self) -> str:
        """For a failed test: what the connectors and the load are doing, and the end of the worker's log."""
        states = [json.dumps(self.worker.status(name)) for name in (self.source, self.sink)]
        offsets = self.worker.call("GET", f"/connectors/{self.source}/offsets").text
        load = self.last_load and (self.last_load.is_alive(), self.last_load.number, repr(self.last_load.failure))
        return f"{states}; {offsets}; load {load}\n{self.worker.said()}"

    # Crashes

    @property
    def crash_file(self) -> Path:
        return self.worker.folder / "crash"

    def crash_at(self, step: str) -> None:
        """Kills the next task that passes the step, when the worker was started to look at `crash_file`."""
        written = self.crash_file.with_suffix(".new")
        written.write_text(step)
        written.rename(self.crash_file)

    def deaths(self) -> int:
        """Tasks that died by SIGKILL so far and started again."""
        return self.worker.log_text().count("died by SIGKILL")

    def died_since(self, before: int) -> bool:
        return self.deaths() > before

    def restart_tasks(self) -> None:
        for name in (self.source, self.sink):
            answer = self.worker.call("POST", f"/connectors/{name}/tasks/0/restart")
            assert answer.status_code == 204, answer.text

    # What must hold

    def topic_tells_everything(self) -> None:
        """Each committed change of the table since the snapshot is in its topic, in order."""
        with self.worker.log() as log:
            values = [value for _, value in log.topic(self.index, {}).read()]
        tells_everything(list(told(values)), self.truth.changes(), exactly_once=self.worker.kafka is None)

    def transactions_are_whole(self) -> None:
        """Events count on over every restart, and END tells their number; on the embedded log nothing is told twice."""
        metadata, orders = f"{self.name}.transaction", defaultdict[str, list[int]](list)
        with self.worker.log() as log:
            marks = [json.loads(value)["payload"] for _, value in log.topic(metadata, {}).read()]
            for topic in log.topics():
                if topic.startswith(f"{self.name}.") and topic != metadata:
                    for _, value in log.topic(topic, {}).read():
                        block = json.loads(value)["payload"]["transaction"] if value else None
                        if block is not None:
                            orders[block["id"]].append(block["total_order"])
        ends = {mark["id"]: mark["event_count"] for mark in marks if mark["status"] == "END"}
        assert orders
        for id, found in orders.items():
            assert sorted(set(found)) == list(range(1, ends[id] + 1))
            if self.worker.kafka is None:
                assert found == sorted(set(found))
        if self.worker.kafka is None:
            assert len(marks) == 2 * len(ends)

    def table(self) -> dict[int, Row]:
        rows = self.sql("SELECT id, v, name, CAST(price AS DOUBLE) AS price FROM t")
        return {row["id"]: row for row in rows}

    def documents(self) -> dict[int, Row]:
        """Without the columns that a test added."""
        found = documents(self.search, self.index, source_includes=["id", "v", "name", "price"])
        return {int(id): row for id, row in found.items()}

    def index_equals_table(self, seconds: float = 60) -> None:
        try:
            wait_until(lambda: self.documents() == self.table(), "index equals table", seconds, every=0.2)
        except AssertionError:
            rows, documents = self.table(), self.documents()
            wrong = {key for key in rows.keys() | documents.keys() if rows.get(key) != documents.get(key)}
            shown = {key: (rows.get(key), documents.get(key)) for key in sorted(wrong)[:5]}
            raise AssertionError(f"{len(wrong)} rows differ, such as {shown}; {self.states()}") from None
