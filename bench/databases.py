"""The databases whose changes are captured: table, backlog, the connector that reads it, and its way back."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, Protocol

import psycopg
import pymysql
from pymysql.constants import CLIENT

from bench.backlog import Shape

_MANY_BYTES: Final = 200_000
"""Small statements go to the server many at a time: each is a transaction nevertheless."""


class Database(Protocol):
    """A schema `tag` with one table `orders`. Connectors are told apart by `who`."""

    address: tuple[str, int]
    tag: str
    table: str

    def config(self, who: str, kafka: str) -> dict[str, str]: ...

    def write(self, statements: Iterable[str]) -> None:
        """Each in a transaction of its own."""

    def without_sync(self) -> AbstractContextManager[None]:
        """Meanwhile commits do not wait for the disk, which is none of what is measured."""

    def rewind(self, who: str) -> None:
        """The log begins again where it was when the table was made. Offsets are the worker's."""

    def forget(self, who: str) -> None:
        """Of a connector that is no more."""

    def drop(self) -> None: ...


def batches(statements: Iterable[str]) -> Iterator[list[str]]:
    """Up to `_MANY_BYTES` together, at least one."""
    some: list[str] = []
    size = 0
    for statement in statements:
        some.append(statement)
        size += len(statement)
        if size > _MANY_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def connect_mysql(address: tuple[str, int]) -> Any:
    """With autocommit; takes several statements at a time."""
    host, port = address
    return pymysql.connect(
        host=host, port=port, user="app", password="apppw", autocommit=True, ssl_disabled=True,
        client_flag=CLIENT.MULTI_STATEMENTS,
    )  # fmt: skip


def connect_postgres(address: tuple[str, int], **more: Any) -> psycopg.Connection[Any]:
    """With autocommit."""
    host, port = address
    return psycopg.connect(
        host=host, port=port, user="app", password="apppw", dbname="app", autocommit=True, sslmode="disable", **more
    )


class MySql:
    connect = staticmethod(connect_mysql)

    def __init__(self, address: tuple[str, int], tag: str, shape: Shape) -> None:
        self.address, self.tag, self.table = address, tag, f"{tag}.orders"
        self.connection = self.connect(address)
        self._run(f"CREATE DATABASE {tag}")
        self._run(f"CREATE TABLE {self.table} (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, {shape.mysql})")

    def _run(self, statement: str) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetchall()
            while cursor.nextset():
                pass
        return found

    def config(self, who: str, kafka: str) -> dict[str, str]:
        host, port = self.address
        return {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "database.hostname": host, "database.port": str(port), "database.user": "app", "database.password": "apppw",
            "database.server.id": str(random.randint(10**5, 10**9)), "database.include.list": self.tag,
            "schema.history.internal.kafka.bootstrap.servers": kafka,
            "schema.history.internal.kafka.topic": f"{self.tag}-{who}-history", "include.schema.changes": "false",
        }  # fmt: skip

    def write(self, statements: Iterable[str]) -> None:
        with self.without_sync():
            for some in batches(statements):
                self._run(";".join(some))

    @contextmanager
    def without_sync(self) -> Iterator[None]:
        names = ("sync_binlog", "innodb_flush_log_at_trx_commit")
        ((*before,),) = self._run(f"SELECT {','.join(f'@@global.{name}' for name in names)}")
        self._run(";".join(f"SET GLOBAL {name} = 0" for name in names))
        try:
            yield
        finally:
            self._run(";".join(f"SET GLOBAL {name} = {value}" for name, value in zip(names, before, strict=True)))

    def position(self) -> tuple[str, int]:
        """File and position at the end of the binary log."""
        ((file, at, *_),) = self._run("SHOW BINARY LOG STATUS")
        return file, at

    def rewind(self, who: str) -> None: ...

    def forget(self, who: str) -> None: ...

    def drop(self) -> None:
        self._run(f"DROP DATABASE {self.tag}")
        self.connection.close()


class Postgres:
    """A slot that nobody reads keeps the WAL; its copies begin where it does, so one backlog serves every run."""

    connect = staticmethod(connect_postgres)

    def __init__(self, address: tuple[str, int], tag: str, shape: Shape) -> None:
        self.address, self.tag, self.table = address, tag, f"{tag}.orders"
        self.connection = self.connect(address)
        self._run(f"CREATE SCHEMA {tag}")
        self._run(f"CREATE TABLE {self.table} (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {shape.postgres})")
        self._run(f"SELECT pg_create_logical_replication_slot('{tag}', 'pgoutput')")

    def _run(self, statement: str) -> None:
        self.connection.execute(statement.encode())

    def name(self, who: str) -> str:
        """Of its slot and publication."""
        return f"{self.tag}_{who}"

    def config(self, who: str, kafka: str) -> dict[str, str]:
        host, port = self.address
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput",
            "database.hostname": host, "database.port": str(port), "database.user": "app", "database.password": "apppw",
            "database.dbname": "app", "slot.name": self.name(who), "publication.name": self.name(who),
            "publication.autocreate.mode": "filtered", "schema.include.list": self.tag,
        }  # fmt: skip

    def write(self, statements: Iterable[str]) -> None:
        """The table's statistics are up to date then: without, a query for its first rows reads all of it."""
        for some in batches(statements):
            self._run("".join(f"BEGIN;{statement};COMMIT;" for statement in some))
        self._run(f"VACUUM ANALYZE {self.table}")

    def without_sync(self) -> AbstractContextManager[None]:
        return nullcontext()  # fsync is off there

    def rewind(self, who: str) -> None:
        self._drop_slot(self.name(who))
        self._run(f"SELECT pg_copy_logical_replication_slot('{self.tag}', '{self.name(who)}')")

    def _drop_slot(self, slot: str) -> None:
        """The server notices only after a while that a reader is gone."""
        for _ in range(100):
            found = self.connection.execute("SELECT active FROM pg_replication_slots WHERE slot_name = %s", (slot,))
            state = found.fetchone()
            if state is None:
                return
            if not state[0]:
                break
            time.sleep(0.1)
        self._run(f"SELECT pg_drop_replication_slot('{slot}')")

    def forget(self, who: str) -> None:
        self._drop_slot(self.name(who))
        self._run(f"DROP PUBLICATION IF EXISTS {self.name(who)}")

    def drop(self) -> None:
        self._drop_slot(self.tag)
        self._run(f"DROP SCHEMA {self.tag} CASCADE")
        self.connection.close()


DATABASES: Final[Mapping[str, type[MySql] | type[Postgres]]] = {"mysql": MySql, "postgres": Postgres}
