"""A whole Tailrace on real servers for tests: a MySQL table, a worker process, an index; everything killable."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymysql
from elasticsearch import Elasticsearch

from tests.server.worker_process import WorkerProcess, wait_until

Row = dict[str, Any]


class Rig:
    """One database, one worker, one source, one sink. `kafka` None: the embedded log."""

    def __init__(self, folder: Path, mysql: tuple[str, int], elasticsearch: str, kafka: str | None = None) -> None:
        self.name = "rig" + uuid.uuid4().hex[:8]
        self.worker = WorkerProcess(folder, self.name, kafka)
        self.mysql_address = mysql
        self.elasticsearch_url = elasticsearch
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

    def close(self) -> None:
        self.worker.close()
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
        self.worker.put("source", source or self.source_config())
        self.worker.put("sink", sink or self.sink_config())

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
            states = [json.dumps(self.worker.status(name)) for name in ("source", "sink")]
            raise AssertionError(f"{len(wrong)} rows differ, such as {shown}; {states}\n{self.worker.said()}") from None
