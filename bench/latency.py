"""Milliseconds from a commit to the record in a consumer's hands, at fixed rates that do not wait for anybody.

A process of its own commits a transaction every 10 ms, whatever becomes of the others; the time at which it was due
stands in its rows. A late commit is therefore latency too: nothing is left out because something before it was slow.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from bench.backlog import SHAPES, inserts
from bench.databases import DATABASES, Database
from bench.drain import Drain
from bench.place import Place, Size
from bench.rounds import Figures, Run, turn
from services.place import say

TICKS_A_SECOND: Final = 100
PERCENTS: Final = (25, 50, 75, 90)
SHARES: Final = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
_TIME: Final = b'"note":"@'
_DIGITS: Final = 16
WARM_S: Final = 1.0
PATIENCE_S: Final = 15.0
_SEED_ROWS: Final = 2000


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


def statement(table: str, rows: int, due: float) -> str:
    """Copies of the table's first rows, with the time in microseconds."""
    columns = SHAPES["orders"].columns
    copied = columns.replace("note", f"'@{round(due * 1e6):0{_DIGITS}}'")
    return f"INSERT INTO {table}({columns}) SELECT {copied} FROM {table} WHERE id <= {rows}"


@dataclass(frozen=True)
class Load:
    """`rows` in each of `ticks` transactions, `TICKS_A_SECOND` of them a second."""

    source: str
    address: tuple[str, int]
    table: str
    rows: int
    ticks: int

    @property
    def records(self) -> int:
        return self.rows * self.ticks

    @property
    def seconds(self) -> float:
        return self.ticks / TICKS_A_SECOND


def write(load: Load, told: Connection) -> None:
    """A process: tells when it begins, writes the load, and tells how many seconds late each commit was."""
    late = []
    with closing(DATABASES[load.source].connect(load.address)) as connection, connection.cursor() as cursor:
        told.send(start := time.time() + 0.2)
        for tick in range(load.ticks):
            due = start + tick / TICKS_A_SECOND
            cursor.execute("BEGIN")
            cursor.execute(statement(load.table, load.rows, due))
            time.sleep(max(due - time.time(), 0))
            late.append(time.time() - due)
            cursor.execute("COMMIT")
    told.send(late)


def arrivals(consumer: Consumer, load: Load, start: float) -> list[tuple[float, float]]:
    """(seconds from the start when it was due, seconds until it was here) of each record, as far as patience goes."""
    found: list[tuple[float, float]] = []
    until = start + load.seconds + PATIENCE_S
    while len(found) < load.records and time.time() < until:
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        now, value = time.time(), message.value() or b""
        at = value.find(_TIME) + len(_TIME)
        if at >= len(_TIME) and (due := int(value[at : at + _DIGITS]) / 1e6) > start - 1e-3:
            found.append((due - start, now - due))
    return found


def summary(load: Load, found: Sequence[tuple[float, float]], late: Sequence[float]) -> Figures:
    """What did not come is as late as patience is long, at least. The first second does not count."""
    missing = load.records - len(found)
    all_ms = [1000 * seconds for due, seconds in found if due >= WARM_S] + [1000 * PATIENCE_S] * missing
    return {
        "rate": float(load.rows * TICKS_A_SECOND),
        **{name: percentile(all_ms, share) for name, share in SHARES.items()},
        "late_ms": 1000 * percentile(late, 0.99),
        "missing": float(missing),
    }


@dataclass(frozen=True, kw_only=True)
class LatencyCase:
    """At shares of what the last of the sides drains."""

    about: str
    source: str
    sides: Sequence[str] = ("tailrace", "tuned")

    def rows(self, size: Size) -> int:
        return size.rows // 2

    def seconds(self, size: Size) -> float:
        each = len(PERCENTS) * (size.seconds + 2.5) + 5
        return 60 + self.rows(size) / 5000 + size.runs * len(size.chosen(self.sides)) * each

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        database, rows = place.database(self.source), self.rows(size)
        database.write(inserts(database.table, SHAPES["orders"], _SEED_ROWS, 1000))
        drains = [
            place.stack.enter_context(closing(Drain(worker, place.broker, database, rows, {})))
            for worker in place.workers(size.chosen(self.sides))
        ]
        database.write(inserts(database.table, SHAPES["orders"], rows, 1000))
        for drain in drains:
            drain.measure()
        capacity = drains[-1].measure()["events_a_second"]
        say(f"   capacity {capacity:,.0f} events a second")
        meter = Meter(place, self, database, size.seconds)
        with database.without_sync():
            for number in range(size.runs):
                for drain in turn(drains, number):
                    for percent, figures in meter.measure(drain, capacity):
                        yield Run(drain.name, number, figures, f"{percent}%")


class Meter:
    """Puts loads on one connector after the other; the others are stopped meanwhile, and catch up before their turn."""

    def __init__(self, place: Place, case: LatencyCase, database: Database, seconds: float) -> None:
        self._broker, self._source, self._database, self._seconds = place.broker, case.source, database, seconds
        self._written = 0
        self._seen: dict[str, int] = {}

    def measure(self, drain: Drain, capacity: float) -> Iterator[tuple[int, Figures]]:
        drain.connector.resume()
        missed = self._written - self._seen.get(drain.topic, 0)
        self._wait(drain, self._broker.end(drain.topic) + missed)
        for percent in PERCENTS:
            yield percent, self._under(drain, min(max(round(capacity * percent / 100 / TICKS_A_SECOND), 1), _SEED_ROWS))
        self._seen[drain.topic] = self._written
        drain.connector.stop()

    def _wait(self, drain: Drain, end: int) -> None:
        patience = time.monotonic() + 120
        while self._broker.end(drain.topic) < end:
            if time.monotonic() > patience:
                raise SystemExit(f"{drain.name} has not caught up within 120 s")
            time.sleep(0.1)

    def _under(self, drain: Drain, rows: int) -> Figures:
        begin, ticks = self._broker.end(drain.topic), round((self._seconds + WARM_S) * TICKS_A_SECOND)
        consumer = Consumer({"bootstrap.servers": self._broker.address, "group.id": "bench", "fetch.wait.max.ms": 100,
                             "enable.auto.commit": False})  # fmt: skip
        consumer.assign([TopicPartition(drain.topic, 0, begin)])
        load = Load(self._source, self._database.address, self._database.table, rows, ticks)
        mine, its = multiprocessing.get_context("spawn").Pipe(duplex=False)
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(load, its))
        writer.start()
        found = arrivals(consumer, load, mine.recv())
        late = mine.recv()
        writer.join()
        consumer.close()
        self._written += load.records
        self._wait(drain, begin + load.records)
        return summary(load, found, late)
