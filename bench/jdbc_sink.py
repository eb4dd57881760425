"""The JDBC sink beside Debezium's: one topic of change events, drained into an empty table by upsert, batches of 3,000.

`python -m bench.jdbc_sink postgresql|mysql [ROWS [RUNS]]`. The servers are those of the `bench` profile, or what
TAILRACE_POSTGRES, TAILRACE_MYSQL and TAILRACE_KAFKA name. Rows are counted in the table.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pymysql
import requests
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.__main__ import PEER_PORT, address, tailrace_worker
from bench.sources import WORDS
from cdc.config import parse
from cdc.schema import FLOAT64, INT16, INT32, INT64, OPTIONAL_STRING, STRING, Schema, Type, decimal, struct
from connect_compat.converters.json import JsonConverter, JsonConverterConfig
from services import connect
from services.place import cache, say

BATCH: Final = 3000
KEY: Final = struct(("id", INT64), name="bench.shop.orders.Key")
ROW: Final = struct(
    ("id", INT64), ("customer_id", INT32), ("sku", STRING), ("qty", INT16), ("price", decimal(2, precision=12)),
    ("status", STRING), ("note", OPTIONAL_STRING), ("is_gift", INT16),
    ("created", Schema(Type.INT64, name="io.debezium.time.Timestamp", version=1)),
    ("updated", Schema(Type.STRING, name="io.debezium.time.ZonedTimestamp", version=1)),
    ("weight", FLOAT64.with_(optional=True)), ("body", OPTIONAL_STRING), optional=True, name="bench.shop.orders.Value",
)  # fmt: skip
ENVELOPE: Final = struct(("before", ROW), ("after", ROW), ("op", STRING), ("ts_ms", INT64.with_(optional=True)),
                         name="bench.shop.orders.Envelope")  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One drain: rows a second from the first row in the table to the last."""

    worker: str
    target: str
    run: int
    rows: int
    rows_a_second: int


def event(number: int, chance: random.Random) -> tuple[Any, ...]:
    note = None if number % 3 == 0 else " ".join(chance.choices(WORDS, k=3))
    after = (number, chance.randint(1, 10**6), f"SKU-{number:08d}", chance.randint(1, 100), chance.randint(1, 999_999),
             ("new", "paid", "shipped")[number % 3], note, number % 2, 1_768_000_000_123 + number * 1000,
             f"2026-02-{number % 28 + 1:02d}T11:00:{number % 60:02d}.123456Z",
             None if number % 5 == 0 else chance.random() * 100, " ".join(chance.choices(WORDS, k=18)))  # fmt: skip
    return None, after, "c", 1_768_000_000_000


def fill(kafka: str, topic: str, rows: int) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    config = parse(JsonConverterConfig, {})
    key, value, chance = JsonConverter(config, is_key=True), JsonConverter(config, is_key=False), random.Random(7)
    producer = Producer({"bootstrap.servers": kafka, "queue.buffering.max.messages": 2_000_000, "linger.ms": 50})
    for first in range(0, rows, 1000):
        numbers = range(first, min(first + 1000, rows))
        keys = key.encode(topic, KEY, [(number,) for number in numbers])
        values = value.encode(topic, ENVELOPE, [event(number, chance) for number in numbers])
        for one_key, one_value in zip(keys, values, strict=True):
            producer.produce(topic, one_value, one_key)
        producer.poll(0)
    producer.flush()


class Target:
    """The database that is written to; `app/apppw` may create there."""

    def __init__(self, kind: str) -> None:
        self.kind, where = kind, address("postgres" if kind == "postgresql" else "mysql")
        host, port = where.split(":")
        self.connection: Any
        if kind == "postgresql":
            self.url = f"jdbc:postgresql://{where}/app"
            self.connection = psycopg.connect(host=host, port=int(port), user="app", password="apppw", dbname="app",
                                              autocommit=True)  # fmt: skip
        else:
            self.connection = pymysql.connect(host=host, port=int(port), user="app", password="apppw", autocommit=True)
            self.sql("CREATE DATABASE IF NOT EXISTS bench_sink")
            self.sql("USE bench_sink")
            self.url = f"jdbc:mysql://{where}/bench_sink"

    def sql(self, statement: str) -> Any:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None

    def count(self, table: str) -> int:
        try:
            return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])
        except (psycopg.Error, pymysql.Error):  # not made yet
            return 0


def drain(url: str, worker: str, target: Target, topic: str, rows: int, run: int) -> Result:
    name, table = "s" + uuid.uuid4().hex[:8], "t" + uuid.uuid4().hex[:8]
    config = {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": topic,
        "connection.url": target.url, "connection.username": "app", "connection.password": "apppw",
        "insert.mode": "upsert", "primary.key.mode": "record_key", "schema.evolution": "basic",
        "collection.name.format": table, "batch.size": str(BATCH), "delete.enabled": "true",
        "consumer.override.max.poll.records": str(BATCH), "consumer.override.auto.offset.reset": "earliest",
        "consumer.override.fetch.max.bytes": "104857600", "consumer.override.max.partition.fetch.bytes": "52428800",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "true",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true",
    }  # fmt: skip
    requests.put(f"{url}/connectors/{name}/config", json=config, timeout=60).raise_for_status()
    rate = _watch(lambda: target.count(table), rows, f"{worker} into {target.kind}: {url}/connectors/{name}/status")
    requests.delete(f"{url}/connectors/{name}", timeout=60)
    time.sleep(1)
    target.sql(f"DROP TABLE {table}")
    return Result(worker, target.kind, run, rows, rate)


def _watch(count: Callable[[], int], rows: int, what: str) -> int:
    began, first, seen = time.time(), 0.0, 0
    while (now := count()) < rows:
        if now and not first:
            first, seen = time.time(), now
        if time.time() - began > 300:
            raise SystemExit(f"{what}: {now} of {rows} rows after 300 s")
        time.sleep(0.1)
    return round((rows - seen) / max(time.time() - (first or began), 0.1))


def main(arguments: list[str]) -> None:
    kind = arguments[0] if arguments else "postgresql"
    rows, runs = [int(n) for n in arguments[1:]] + [200_000, 3][len(arguments[1:]) :]
    target, topic, kafka = Target(kind), "bench-sink-" + uuid.uuid4().hex[:8], address("kafka")
    fill(kafka, topic, rows)
    folder = cache() / "data" / "bench-sink"
    connect.start(folder / "peer", PEER_PORT, kafka, connect.distributed("peer-sink"))
    try:
        theirs = [drain(f"http://127.0.0.1:{PEER_PORT}", "debezium", target, topic, rows, n) for n in range(runs)]
    finally:
        connect.stop(folder / "peer")
    with tailrace_worker(kafka, folder / "tailrace") as (url, _):
        ours = [drain(url, "tailrace", target, topic, rows, n) for n in range(runs)]
    for result in [*theirs, *ours]:
        say(json.dumps(asdict(result)))
    written = Path(__file__).parent / "results" / f"jdbc-sink-{kind}.json"
    written.write_text(json.dumps([asdict(result) for result in [*theirs, *ours]], indent=1) + "\n")
    a, b = (statistics.median(result.rows_a_second for result in each) for each in (ours, theirs))
    print(f"rows a second into {kind}: Tailrace {a:g}, Debezium {b:g}: {a / b:.2f} times")
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics([topic])[topic].result(30)


if __name__ == "__main__":
    main(sys.argv[1:])
