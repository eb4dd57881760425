"""What the wires allow: sides that move the same bytes and do nothing with them."""

from __future__ import annotations

import os
import random
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import Producer
from pymysql.cursors import SSCursor

from bench.broker import Broker
from bench.databases import MySql, Postgres
from bench.rounds import Figures
from cdc.mysql.offset import Position
from cdc.mysql.wire import dump_request
from connect_compat.log.kafka_settings import producer_settings

_SILENCE_S: Final = 1.0
_PRODUCED: Final = 1000


def _received(sock: socket.socket) -> tuple[int, float]:
    """Bytes until nothing comes for a while, and the seconds until the last of them."""
    room = bytearray(1 << 18)
    size, began, last = 0, time.monotonic(), 0.0
    while select.select([sock], [], [], 30.0 if not size else _SILENCE_S)[0]:
        size += sock.recv_into(room)
        last = time.monotonic()
    return size, last - began


def _rates(rows: int, size: int, seconds: float) -> Figures:
    return {"events_a_second": rows / seconds, "mb_a_second": size / seconds / 1e6}


class RawBinlog:
    """The binary log's bytes through a Python socket, from where the backlog begins."""

    name = "raw"

    def __init__(self, database: MySql, rows: int) -> None:
        self._database, self._rows = database, rows
        file, at = database.position()
        self._start = Position(file=file, pos=at)

    def measure(self) -> Figures:
        connection = self._database.connect(self._database.address)
        with connection.cursor() as cursor:
            cursor.execute("SET @source_binlog_checksum = 'CRC32', @source_heartbeat_period = 60000000000")
        connection._execute_command(*dump_request(random.randint(10**5, 10**9), self._start, None))
        size, seconds = _received(connection._sock)
        connection._force_close()
        return _rates(self._rows, size, seconds)

    def close(self) -> None: ...


class RawWal:
    """The bytes that pgoutput sends through a Python socket, from where the backlog begins."""

    name = "raw"

    def __init__(self, database: Postgres, rows: int) -> None:
        self._database, self._rows, self._slot = database, rows, database.name(self.name)
        database.connection.execute(f"CREATE PUBLICATION {self._slot} FOR TABLE {database.table}".encode())

    def measure(self) -> Figures:
        self._database.rewind(self.name)
        with self._database.connect(self._database.address, replication="database") as connection:
            connection.pgconn.send_query(
                f"START_REPLICATION SLOT {self._slot} LOGICAL 0/0 "
                f"(proto_version '1', publication_names '{self._slot}')".encode()
            )
            connection.pgconn.get_result()
            with socket.socket(fileno=os.dup(connection.pgconn.socket)) as sock:
                size, seconds = _received(sock)
            connection.pgconn.finish()
        return _rates(self._rows, size, seconds)

    def close(self) -> None:
        self._database.forget(self.name)


class ProduceBatch:
    """librdkafka's `produce_batch` with the keys and values that Tailrace wrote, and its settings."""

    name = "produce_batch"

    def __init__(self, broker: Broker, made: str, topic: str, rows: int) -> None:
        """`made`: where the records are found at the first measurement."""
        self._broker, self._made, self._topic, self._rows = broker, made, topic, rows
        self._records: Sequence[dict[str, Any]] = ()

    def measure(self) -> Figures:
        self._records = self._records or [
            {"key": key, "value": value, "partition": 0} for key, value in self._broker.records(self._made, self._rows)
        ]
        producer = Producer(producer_settings({"bootstrap.servers": self._broker.address}))
        producer.list_topics(self._topic, 10)
        used, began, size = time.process_time(), time.monotonic(), len(self._records)
        for first in range(0, size, _PRODUCED):
            self._produce(producer, list(self._records[first : first + _PRODUCED]))
        producer.flush()
        return {
            "events_a_second": size / (time.monotonic() - began),
            "cpu_s_per_million": (time.process_time() - used) / size * 1e6,
        }

    def _produce(self, producer: Any, some: list[dict[str, Any]]) -> None:
        """Again what the full queue did not take."""
        while producer.produce_batch(self._topic, some) < len(some):
            some = [record for record in some if record.pop("_error", None)]
            producer.poll(0.005)


class Query:
    """All rows of a table by a bare cursor of the driver, or COPY."""

    def __init__(self, name: str, rows: int, read: Callable[[], int]) -> None:
        self.name, self._rows, self._read = name, rows, read

    def measure(self) -> Figures:
        began = time.monotonic()
        size = self._read()
        return {"events_a_second": self._rows / (time.monotonic() - began)} | ({"bytes": size} if size else {})


def queries(database: MySql | Postgres, rows: int) -> list[Query]:
    if isinstance(database, MySql):
        return [Query("cursor", rows, lambda: _mysql_cursor(database))]
    return [Query("cursor", rows, lambda: _cursor(database)), Query("copy", rows, lambda: _copy(database))]


def _read(cursor: Any, statement: str | bytes) -> int:
    """Reads all rows; gives 0, for their bytes are not counted."""
    cursor.execute(statement)
    while cursor.fetchmany(10_000):
        pass
    return 0


def _mysql_cursor(database: MySql) -> int:
    with database.connect(database.address) as connection, connection.cursor(SSCursor) as cursor:
        return _read(cursor, f"SELECT * FROM {database.table}")


def _cursor(database: Postgres) -> int:
    with (
        database.connect(database.address) as connection,
        connection.transaction(),
        connection.cursor("bench") as cursor,
    ):
        return _read(cursor, f"SELECT * FROM {database.table}".encode())


def _copy(database: Postgres) -> int:
    with (
        database.connect(database.address) as connection,
        connection.cursor().copy(f"COPY {database.table} TO STDOUT".encode()) as copy,
    ):
        return sum(map(len, copy))
