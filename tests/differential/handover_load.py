"""The servers that a connector is handed over on, and the load on them meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
import pymysql

from tests.differential.servers import CLASSES

DATABASE = "handover"
"""Of PostgreSQL also the schema."""
SNAPSHOT = 60000
"""Rows of a snapshot that is cut short."""
BIG = 3000
"""Rows of a transaction that takes a while: some legs end inside of one."""


class Statements(Protocol):
    """What a load consists of."""

    def setup(self) -> list[str]: ...
    def big_setup(self) -> list[str]:
        """Makes the first table as long as `SNAPSHOT`."""

    def small(self, number: int) -> list[str]: ...
    def change(self, number: int) -> list[str]: ...
    def big(self) -> list[str]: ...


class Load:
    """Writes to the server until it is told to end: small and big transactions, and statements on tables."""

    def __init__(self, connection: Any, statements: Statements) -> None:
        self._connection, self._statements = connection, statements
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.failure: Exception | None = None

    def setup(self) -> None:
        self._run(self._statements.setup())

    def setup_big(self) -> None:
        self._run([*self._statements.setup(), *self._statements.big_setup()])

    @contextmanager
    def running(self, *, writes: bool = True) -> Iterator[None]:
        """Ends with a row in `done`."""
        if writes:
            self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            if writes:
                self._thread.join(60)
            if self.failure is None:
                self._run([f"INSERT INTO {DATABASE}.done VALUES (1)"])
            self._connection.close()

    def _write(self) -> None:
        number = 0
        try:
            while not self._over.wait(0.1):
                number += 1
                self._run(self._statements.small(number))
                if number % 7 == 0:
                    self._run(self._statements.change(number))
                if number % 20 == 0:
                    self._run(self._statements.big())
        except (pymysql.Error, psycopg.Error) as error:
            self.failure = error

    def _run(self, statements: list[str]) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


class Server(Protocol):
    """Where a connector is handed over."""

    def load(self) -> Load: ...
    def config(self, prefix: str, number: int, kafka: str) -> dict[str, str]:
        """`number` tells connectors apart."""


@dataclass
class MySql:
    """MySQL or MariaDB."""

    host: str
    port: int
    mariadb: bool

    def load(self) -> Load:
        connection = pymysql.connect(host=self.host, port=self.port, user="app", password="apppw", autocommit=True)
        return Load(connection, self)

    def config(self, prefix: str, number: int, kafka: str) -> dict[str, str]:
        return {
            "connector.class": CLASSES[self.mariadb],
            "database.hostname": self.host,
            "database.port": str(self.port),
            "database.user": "app",
            "database.password": "apppw",
            "database.server.id": str(6600 + number),
            "database.include.list": DATABASE,
            "schema.history.internal.kafka.bootstrap.servers": kafka,
            "schema.history.internal.kafka.topic": f"{prefix}-history",
        }

    def setup(self) -> list[str]:
        return [
            f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}",
            "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40) DEFAULT 'x', e ENUM('a','b''c'))",
            "CREATE TABLE b (id INT PRIMARY KEY, n DECIMAL(10,2) NOT NULL DEFAULT 1.5, ts TIMESTAMP NULL)",
            "CREATE TABLE done (id INT PRIMARY KEY)", "INSERT INTO a (v) VALUES ('first')",
            "INSERT INTO b VALUES (0, 1, NULL)",
        ]  # fmt: skip

    def big_setup(self) -> list[str]:
        many = ",".join(["('row')"] * (SNAPSHOT // 10))
        return ["TRUNCATE a", *[f"INSERT INTO a (v) VALUES {many}"] * 10]

    def small(self, number: int) -> list[str]:
        return [
            "BEGIN", f"INSERT INTO a (v) VALUES ('n{number}'), ('m{number}')",
            f"UPDATE a SET v = CONCAT('u', id) WHERE id % 5 = {number % 5} ORDER BY id DESC LIMIT 3",
            f"REPLACE INTO b (id, n) VALUES ({number % 50}, {number})", "COMMIT",
            f"DELETE FROM b WHERE id = {number * 7 % 50}",
        ]  # fmt: skip

    def change(self, number: int) -> list[str]:
        return [
            f"ALTER TABLE a ADD c{number} INT DEFAULT {number}", f"RENAME TABLE b TO r{number}",
            f"UPDATE r{number} SET n = n + 1 ORDER BY id LIMIT 2", f"RENAME TABLE r{number} TO b",
            f"CREATE TABLE t{number} (id INT PRIMARY KEY) COMMENT 'of {number}'",
            f"INSERT INTO t{number} VALUES ({number})", f"DROP TABLE t{number}",
        ]  # fmt: skip

    def big(self) -> list[str]:
        return ["BEGIN", *(["INSERT INTO a (v) VALUES " + ",".join(["('big')"] * (BIG // 10))] * 10), "COMMIT"]


@dataclass
class Postgres:
    """PostgreSQL, in a database of its own. Statements on tables that are read are waited for: both sides ask the
    catalog, which tells no past."""

    host: str
    port: int

    def load(self) -> Load:
        login: dict[str, Any] = {"host": self.host, "port": self.port, "user": "app", "password": "apppw"}
        with psycopg.connect(dbname="app", autocommit=True, **login) as server:
            own = "FROM pg_replication_slots WHERE database = 'handover'"
            server.execute(f"SELECT pg_terminate_backend(active_pid, 5000) {own} AND active_pid IS NOT NULL".encode())
            server.execute(f"SELECT pg_drop_replication_slot(slot_name) {own}".encode())
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
            server.execute(f"CREATE DATABASE {DATABASE}".encode())
        options = f"-c search_path={DATABASE}"
        return Load(psycopg.connect(dbname=DATABASE, autocommit=True, options=options, **login), self)

    def config(self, prefix: str, number: int, kafka: str) -> dict[str, str]:
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "plugin.name": "pgoutput",
            "database.hostname": self.host,
            "database.port": str(self.port),
            "database.user": "app",
            "database.password": "apppw",
            "database.dbname": DATABASE,
            "slot.name": prefix,
            "publication.name": prefix,
            "status.update.interval.ms": "500",
        }

    def setup(self) -> list[str]:
        return [
            f"CREATE SCHEMA {DATABASE}", "CREATE TABLE a (id SERIAL PRIMARY KEY, v TEXT DEFAULT 'x', n NUMERIC)",
            "CREATE TABLE b (id INT PRIMARY KEY, n NUMERIC(10,2) NOT NULL DEFAULT 1.5, ts TIMESTAMPTZ)",
            "ALTER TABLE b REPLICA IDENTITY FULL", "CREATE TABLE done (id INT PRIMARY KEY)",
            "INSERT INTO a (v) VALUES ('first')", "INSERT INTO b VALUES (0, 1, NULL)",
        ]  # fmt: skip

    def big_setup(self) -> list[str]:
        return ["TRUNCATE a", f"INSERT INTO a (v) SELECT 'row' FROM generate_series(1, {SNAPSHOT})"]

    def small(self, number: int) -> list[str]:
        return [
            "BEGIN", f"INSERT INTO a (v) VALUES ('n{number}'), ('m{number}')",
            f"UPDATE a SET v = 'u' || id WHERE id IN (SELECT id FROM a WHERE id % 5 = {number % 5} "
            "ORDER BY id DESC LIMIT 3)", "SAVEPOINT s", f"DELETE FROM a WHERE id = {number}", "ROLLBACK TO SAVEPOINT s",
            f"INSERT INTO b (id, n) VALUES ({number % 50}, {number}) ON CONFLICT (id) DO UPDATE SET n = {number}",
            "COMMIT", f"DELETE FROM b WHERE id = {number * 7 % 50}",
        ]  # fmt: skip

    def change(self, number: int) -> list[str]:
        told = ["SELECT pg_logical_emit_message(true, 'p', 'in a transaction')",
                "SELECT pg_logical_emit_message(false, 'p', 'beside')"]  # fmt: skip
        if number % 28:
            return told
        return [*told, f"CREATE TABLE t{number} (id INT PRIMARY KEY)", f"INSERT INTO t{number} VALUES ({number})"]

    def big(self) -> list[str]:
        return [f"INSERT INTO a (v) SELECT 'big' FROM generate_series(1, {BIG})"]
