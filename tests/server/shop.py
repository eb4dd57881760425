"""A small database, the connectors on it as users write them, and what arrived: for tests of the whole."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch

from connect_compat.log import LogSettings, open_log
from tests.server.index import documents
from tests.server.worker_process import wait_until

Row = dict[str, Any]


class Shop:
    """Tables `goods` and `orders` of a database of its own; every topic, group and index begins with its `name`."""

    def __init__(self, mysql: tuple[str, int], elasticsearch: str, log: LogSettings) -> None:
        self.name = "shop" + uuid.uuid4().hex[:8]
        self.mysql, self.elasticsearch, self.log = mysql, elasticsearch, log
        self.goods, self.orders = f"{self.name}.{self.name}.goods", f"{self.name}.{self.name}.orders"
        self.search = Elasticsearch(elasticsearch, request_timeout=30)
        self.database: Any = pymysql.connect(host=mysql[0], port=mysql[1], user="app", password="apppw",
                                             autocommit=True)  # fmt: skip
        self.sql(f"CREATE DATABASE {self.name}")
        self.sql(f"USE {self.name}")
        self.sql("CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(40))")
        self.sql("CREATE TABLE orders (id INT PRIMARY KEY, good INT)")
        self.sql("INSERT INTO goods VALUES (1, 'axe'), (2, 'bow')")
        self.sql("INSERT INTO orders VALUES (1, 2)")

    def sql(self, statement: str) -> None:
        with self.database.cursor() as cursor:
            cursor.execute(statement)

    def close(self) -> None:
        self.sql(f"DROP DATABASE {self.name}")
        self.database.close()
        for index in self.search.indices.get(index=f"{self.name}*"):
            self.search.indices.delete(index=index)
        self.search.close()
        if self.log.path is None:
            forget(self.log.client["bootstrap.servers"], self.name)

    # Connectors

    def source(self, **more: str) -> dict[str, str]:
        """`more`: keys with `_` for `.`."""
        host, port = self.mysql
        return {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "tasks.max": "1",
            "database.hostname": host,
            "database.port": str(port),
            "database.user": "cdc",
            "database.password": "cdcpw",
            "database.server.id": str(int(self.name[4:], 16) % 2**30 + 1000),
            "topic.prefix": self.name,
            "database.include.list": self.name,
            "schema.history.internal.kafka.bootstrap.servers": self.log.client.get("bootstrap.servers", "unused:9092"),
            "schema.history.internal.kafka.topic": f"{self.name}-history",
            **{key.replace("_", "."): value for key, value in more.items()},
        }

    def sink(self, **more: str) -> dict[str, str]:
        return {
            "connector.class": "ElasticsearchSink",
            "topics": f"{self.goods},{self.orders}",
            "connection.url": self.elasticsearch,
            "behavior.on.null.values": "delete",
            "transforms": "unwrap",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            **{key.replace("_", "."): value for key, value in more.items()},
        }

    # What arrived

    def records(self, topic: str) -> list[tuple[Any, Any]]:
        """Keys and values as JSON; a topic that does not exist has none."""
        log = open_log(self.log)
        try:
            return [(json.loads(key) if key else None, json.loads(value) if value else None)
                    for key, value in log.topic(topic, {}).read()]  # fmt: skip
        finally:
            log.close()

    def headers(self, topic: str) -> list[list[tuple[str, bytes]]]:
        """Of each record, as bytes."""
        log = open_log(self.log)
        reader = log.reader(f"{self.name}-look", [topic], None, {})
        try:
            found = reader.read(1000, 5.0)
            return [[(name, value or b"") for name, value in record.headers] for record in found]
        finally:
            reader.close()
            log.close()

    def events(self, topic: str) -> list[tuple[str, Any]]:
        """Operation and key of each change event, tombstones left out."""
        return [(value["payload"]["op"], key["payload"]["id"]) for key, value in self.records(topic) if value]

    def sees(self, topic: str, *events: tuple[str, int]) -> None:
        """Waits until the topic holds exactly these."""
        try:
            wait_until(lambda: self.events(topic) == list(events), "", 30, every=0.1)
        except AssertionError:
            raise AssertionError(f"{topic} holds {self.events(topic)}, not {events}") from None

    def documents(self, index: str) -> dict[str, Row]:
        return documents(self.search, index)

    def finds(self, index: str, **documents: str) -> None:
        """Waits until the index of goods holds exactly these names, under ids written as `_1`."""
        wanted = {key.lstrip("_"): name for key, name in documents.items()}
        try:
            wait_until(lambda: self._names(index) == wanted, "", 30, every=0.1)
        except AssertionError:
            raise AssertionError(f"{index} holds {self.documents(index)}, not {wanted}") from None

    def _names(self, index: str) -> dict[str, Any]:
        return {key: row.get("name") for key, row in self.documents(index).items()}


def forget(broker: str, name: str) -> None:
    """Deletes the topics and groups that begin with a name, or with `connect-` and it."""
    admin = AdminClient({"bootstrap.servers": broker})
    topics = [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith(name)]
    listed = admin.list_consumer_groups().result(10).valid
    groups = [each.group_id for each in listed if each.group_id.removeprefix("connect-").startswith(name)]
    futures = [*(admin.delete_topics(topics) if topics else {}).values(),
               *(admin.delete_consumer_groups(groups) if groups else {}).values()]  # fmt: skip
    for future in futures:
        future.exception(10)


@contextmanager
def open_shop(mysql: tuple[str, int], elasticsearch: str, log: LogSettings) -> Iterator[Shop]:
    shop = Shop(mysql, elasticsearch, log)
    try:
        yield shop
    finally:
        shop.close()
