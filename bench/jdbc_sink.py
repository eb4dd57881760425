"""The JDBC sink beside Debezium's: one topic of change events, upserted into an empty table."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import pymysql
from confluent_kafka import Producer

from bench.backlog import WORDS
from bench.connector import Connector
from bench.drain import Watch
from bench.place import Place, Size, address
from bench.rounds import Figures, Run, rounds
from bench.workers import Worker
from cdc.config import parse
from cdc.schema import FLOAT64, INT16, INT32, INT64, OPTIONAL_STRING, STRING, Schema, Type, decimal, struct
from connect_compat.converters.json import JsonConverter, JsonConverterConfig

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


def event(number: int, chance: random.Random) -> tuple[Any, ...]:
    note = None if number % 3 == 0 else " ".join(chance.choices(WORDS, k=3))
    after = (number, chance.randint(1, 10**6), f"SKU-{number:08d}", chance.randint(1, 100), chance.randint(1, 999_999),
             ("new", "paid", "shipped")[number % 3], note, number % 2, 1_768_000_000_123 + number * 1000,
             f"2026-02-{number % 28 + 1:02d}T11:00:{number % 60:02d}.123456Z",
             None if number % 5 == 0 else chance.random() * 100, " ".join(chance.choices(WORDS, k=18)))  # fmt: skip
    return None, after, "c", 1_768_000_000_000


def fill(kafka: str, topic: str, rows: int) -> None:
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

    def __init__(self, source: str, tag: str) -> None:
        self.tag, where = tag, address(source)
        host, port = where.split(":")
        self.connection: Any
        if source == "postgres":
            self.url = f"jdbc:postgresql://{where}/app?currentSchema={tag}"
            self.connection = psycopg.connect(host=host, port=int(port), user="app", password="apppw", dbname="app",
                                              autocommit=True)  # fmt: skip
        else:
            self.url = f"jdbc:mysql://{where}/{tag}"
            self.connection = pymysql.connect(host=host, port=int(port), user="app", password="apppw", autocommit=True)
        self.sql(f"CREATE SCHEMA {tag}")

    def sql(self, statement: str) -> Any:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None

    def count(self, table: str) -> int:
        """Rows come in the order of their ids, which begin at 0."""
        try:
            return int(self.sql(f"SELECT coalesce(max(id) + 1, 0) FROM {self.tag}.{table}")[0][0])
        except (psycopg.Error, pymysql.Error):  # not made yet
            return 0

    def close(self) -> None:
        self.sql(f"DROP SCHEMA {self.tag}" + (" CASCADE" if "postgresql" in self.url else ""))
        self.connection.close()


@dataclass(frozen=True)
class JdbcSink:
    """A side: each measurement is a new connector into a new table."""

    worker: Worker
    target: Target
    topic: str
    rows: int

    @property
    def name(self) -> str:
        return self.worker.name

    def measure(self) -> Figures:
        table = "t" + uuid.uuid4().hex[:8]
        connector = Connector(self.worker, table)
        watch = Watch(self.worker, connector, lambda: self.target.count(table), self.rows)
        found = watch.figures(lambda: connector.create(self._config(table)))
        connector.stop()
        connector.delete()
        return found

    def _config(self, table: str) -> dict[str, str]:
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": self.topic,
            "connection.url": self.target.url, "connection.username": "app", "connection.password": "apppw",
            "insert.mode": "upsert", "primary.key.mode": "record_key", "schema.evolution": "basic",
            "collection.name.format": table, "batch.size": str(BATCH), "delete.enabled": "true",
            "consumer.override.max.poll.records": str(BATCH), "consumer.override.auto.offset.reset": "earliest",
            "consumer.override.fetch.max.bytes": "104857600", "consumer.override.max.partition.fetch.bytes": "52428800",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "true",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true",
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class JdbcSinkCase:
    """One topic into new tables of one database."""

    about: str
    source: str
    sides: Sequence[str] = ("tailrace", "untuned")

    def rows(self, size: Size) -> int:
        return size.rows // 5

    def seconds(self, size: Size) -> float:
        return 60 + (size.runs + 1) * len(size.chosen(self.sides)) * (5 + self.rows(size) / 5000)

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        topic, rows = f"{place.tag}-events", self.rows(size)
        fill(place.broker.address, topic, rows)
        target = place.stack.enter_context(closing(Target(self.source, place.tag)))
        workers = place.workers(size.chosen(self.sides))
        yield from rounds([JdbcSink(worker, target, topic, rows) for worker in workers], size.runs)
