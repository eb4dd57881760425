"""The databases whose backlog is drained: how the table is made and filled, and the connector that reads it."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from typing import Any, Protocol

import psycopg
import pymysql

TABLE = """CREATE TABLE orders (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL, sku VARCHAR(40) NOT NULL,
  qty SMALLINT NOT NULL, price DECIMAL(12,2) NOT NULL, status ENUM('new','paid','shipped') NOT NULL,
  note VARCHAR(255) NULL, is_gift TINYINT(1) NOT NULL, created DATETIME(3) NOT NULL,
  updated TIMESTAMP(6) NOT NULL, weight DOUBLE NULL, body TEXT)"""
POSTGRES_TABLE = """CREATE TABLE {schema}.orders (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id INT NOT NULL, sku VARCHAR(40) NOT NULL,
  qty SMALLINT NOT NULL, price NUMERIC(12,2) NOT NULL, status TEXT NOT NULL, note VARCHAR(255) NULL,
  is_gift BOOLEAN NOT NULL, created TIMESTAMP(3) NOT NULL, updated TIMESTAMPTZ(6) NOT NULL,
  weight DOUBLE PRECISION NULL, body TEXT)"""
COLUMNS = "customer_id,sku,qty,price,status,note,is_gift,created,updated,weight,body"
WORDS = [uuid.UUID(int=random.Random(i).getrandbits(128)).hex[: 3 + i % 9] for i in range(4000)]


def row(number: int, chance: random.Random) -> str:
    """A row's SQL values, all columns but `id`; the same for the same number and seed."""
    note = "NULL" if number % 3 == 0 else "'" + " ".join(chance.choices(WORDS, k=3)) + "'"
    weight = "NULL" if number % 5 == 0 else repr(chance.random() * 100)
    minute, day = f"{number % 60:02d}", f"{number % 28 + 1:02d}"
    return (
        f"({chance.randint(1, 10**6)},'SKU-{number:08d}',{chance.randint(1, 100)},"
        f"{chance.randint(1, 9999)}.{chance.randint(0, 99):02d},'{('new', 'paid', 'shipped')[number % 3]}',{note},"
        f"'{number % 2}','2026-01-{day} 10:{minute}:{minute}.123','2026-02-{day} 11:{minute}:{minute}.123456',"
        f"{weight},'{' '.join(chance.choices(WORDS, k=18))}')"
    )


def inserts(table: str, rows: int, per_transaction: int) -> Iterator[str]:
    """One statement a transaction."""
    chance = random.Random(7)
    for first in range(0, rows, per_transaction):
        made = ",".join(row(number, chance) for number in range(first, min(first + per_transaction, rows)))
        yield f"INSERT INTO {table}({COLUMNS}) VALUES {made}"


class Database(Protocol):
    """One table, empty at first. `rewinds`: its log can be read again, so one backlog serves every run."""

    name: str
    rewinds: bool

    def config(self, kafka: str) -> dict[str, str]: ...

    def fill(self, rows: int, per_transaction: int) -> None: ...

    def drop(self) -> None: ...


class MySql:
    name, rewinds = "mysql", True

    def __init__(self, address: tuple[str, int], tag: str) -> None:
        self._address, self._tag = address, tag
        host, port = address
        self._connection: Any = pymysql.connect(host=host, port=port, user="app", password="apppw")
        self._run(f"CREATE DATABASE {tag}", f"USE {tag}", TABLE)

    def _run(self, *statements: str) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        self._connection.commit()

    def config(self, kafka: str) -> dict[str, str]:
        host, port = self._address
        return {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "database.hostname": host, "database.port": str(port), "database.user": "app", "database.password": "apppw",
            "database.server.id": str(random.randint(10**5, 10**6)), "database.include.list": self._tag,
            "schema.history.internal.kafka.bootstrap.servers": kafka,
            "schema.history.internal.kafka.topic": f"{self._tag}-history", "include.schema.changes": "false",
        }  # fmt: skip

    def fill(self, rows: int, per_transaction: int) -> None:
        for statement in inserts("orders", rows, per_transaction):
            self._run(statement)

    def drop(self) -> None:
        self._run(f"DROP DATABASE {self._tag}")
        self._connection.close()


class Postgres:
    name, rewinds = "postgres", False

    def __init__(self, address: tuple[str, int], tag: str) -> None:
        self._address, self._tag = address, tag
        host, port = address
        self._connection = psycopg.connect(
            host=host, port=port, user="app", password="apppw", dbname="app", autocommit=True
        )
        self._run(f"CREATE SCHEMA {tag}")
        self._run(POSTGRES_TABLE.format(schema=tag))

    def _run(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def config(self, kafka: str) -> dict[str, str]:
        host, port = self._address
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput",
            "database.hostname": host, "database.port": str(port), "database.user": "app", "database.password": "apppw",
            "database.dbname": "app", "slot.name": self._tag, "publication.name": self._tag,
            "publication.autocreate.mode": "filtered", "schema.include.list": self._tag,
        }  # fmt: skip

    def fill(self, rows: int, per_transaction: int) -> None:
        for statement in inserts(f"{self._tag}.orders", rows, per_transaction):
            self._run(statement)

    def drop(self) -> None:
        time.sleep(2)  # until the server has noticed that the reader is gone
        self._run(f"SELECT pg_drop_replication_slot('{self._tag}')")
        self._run(f"DROP PUBLICATION {self._tag}")
        self._run(f"DROP SCHEMA {self._tag} CASCADE")
        self._connection.close()


DATABASES: dict[str, type[MySql] | type[Postgres]] = {"mysql": MySql, "postgres": Postgres}
