"""`python -m bench.jdbc_source mysql|postgres host:port [rows]`: the JDBC source beside a bare cursor of its driver.

Both read the same table, by turns, in this process: the cursor runs `SELECT *` and fetches every row; the source reads
in the mode `bulk`, and `incrementing`, to batches of records. What counts is the ratio.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import psycopg
import pymysql

from cdc.jdbc.connector import JDBC_SOURCE
from cdc.record import SourceContext, Topic

ROWS = int(sys.argv[3]) if len(sys.argv) > 3 else 200_000
ROUNDS = 3
_COLUMNS = ("a INT NOT NULL, b BIGINT, name VARCHAR(40) NOT NULL, note TEXT, price DECIMAL(10,2) NOT NULL, "
            "qty SMALLINT NOT NULL, made {moment} NOT NULL, changed {moment} NOT NULL, d DATE NOT NULL, "
            "flag SMALLINT NOT NULL, score DOUBLE PRECISION")  # fmt: skip
_VALUES = ("i, i * 1000003, CONCAT('name ', i), CONCAT('a note of some length ', i), i % 1000 + 0.25, i % 100, "
           "{at}, {at}, '2024-03-01', i % 2, i + 0.5")  # fmt: skip
Connect = Callable[[], Any]


class _NoTopics:
    def open(self, name: str, client: Mapping[str, str]) -> Topic:
        raise AssertionError(name)


def mysql(host: str, port: int) -> tuple[Connect, str]:
    """The table filled; a new connection, and the JDBC URL."""

    def connect(database: str | None = "bench") -> Any:
        return pymysql.connect(
            host=host, port=port, user="app", password="apppw", database=database, autocommit=True, ssl_disabled=True
        )

    with closing(connect(None)) as made, made.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS bench")
        cursor.execute("DROP TABLE IF EXISTS bench.polled")
        columns = _COLUMNS.format(moment="DATETIME(3)")
        cursor.execute(f"CREATE TABLE bench.polled (id INT AUTO_INCREMENT PRIMARY KEY, {columns})")
        cursor.execute(f"SET SESSION cte_max_recursion_depth = {ROWS + 1}")
        values = _VALUES.format(at="'2024-03-01 12:00:00.123' + INTERVAL i SECOND")
        cursor.execute(
            "INSERT INTO bench.polled (a, b, name, note, price, qty, made, changed, d, flag, score) "
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT {values} FROM n"
        )
    return connect, f"jdbc:mysql://{host}:{port}/bench?useSSL=false"


def postgres(host: str, port: int) -> tuple[Connect, str]:
    def connect() -> Any:
        return psycopg.connect(
            host=host, port=port, user="app", password="apppw", dbname="app", autocommit=True, sslmode="disable"
        )

    with closing(connect()) as made:
        made.execute("DROP TABLE IF EXISTS polled")
        columns = _COLUMNS.format(moment="TIMESTAMP(3)")
        made.execute(f"CREATE TABLE polled (id SERIAL PRIMARY KEY, {columns})")
        values = _VALUES.format(at="TIMESTAMP '2024-03-01 12:00:00.123' + i * INTERVAL '1 second'")
        values = values.replace("'2024-03-01',", "DATE '2024-03-01',")
        made.execute(
            "INSERT INTO polled (a, b, name, note, price, qty, made, changed, d, flag, score) "
            f"SELECT {values} FROM generate_series(1, {ROWS}::bigint) i"
        )
        made.execute("ANALYZE polled")
    return connect, f"jdbc:postgresql://{host}:{port}/app?sslmode=disable"


def bare(connect: Connect) -> tuple[float, float]:
    """Rows a second, by the clock and by this process's CPU time."""
    with closing(connect()) as connection, closing(connection.cursor()) as cursor:
        began, used = time.perf_counter(), time.process_time()
        cursor.execute("SELECT * FROM polled")
        count = len(cursor.fetchall())
        return count / (time.perf_counter() - began), count / (time.process_time() - used)


def source(url: str, mode: str) -> tuple[float, float]:
    """The same, from the first batch on: what it asks of the catalog before does not grow with the table."""
    config = {"connection.url": url, "connection.user": "app", "connection.password": "apppw", "mode": mode,
              "table.whitelist": "polled", "topic.prefix": "bench-"}  # fmt: skip
    first, count, began, used = 0, 0, 0.0, 0.0
    with closing(JDBC_SOURCE.build(config, SourceContext("bench", 0, _NoTopics()))) as made:
        for poll in made.polls([]):
            count += sum(map(len, poll.batches))
            if not first and count:
                first, began, used = count, time.perf_counter(), time.process_time()
            if poll.idle:
                break
    assert count == ROWS
    return (count - first) / (time.perf_counter() - began), (count - first) / (time.process_time() - used)


def main(kind: str, address: str) -> None:
    host, _, port = address.partition(":")
    connect, url = {"mysql": mysql, "postgres": postgres}[kind](host, int(port))
    runs: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        runs.setdefault("bare cursor", []).append(bare(connect))
        for mode in ("bulk", "incrementing"):
            runs.setdefault(mode, []).append(source(url, mode))
    reference = [statistics.median(each) for each in zip(*runs["bare cursor"], strict=True)]
    for name, found in runs.items():
        clock, cpu = (statistics.median(each) for each in zip(*found, strict=True))
        print(f"{kind} {name:13} {clock:10,.0f} rows/s (ratio {clock / reference[0]:.2f}), "
              f"{cpu:10,.0f} rows a CPU second (ratio {cpu / reference[1]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:3])
