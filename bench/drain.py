"""Change events a second through a worker, of a backlog in the log and of a snapshot; CPU and memory meanwhile.

Records are counted at the broker, CPU and memory are those of the worker and all its children.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count as numbers
from typing import Final

from bench.broker import Broker
from bench.connector import Connector
from bench.databases import Database
from bench.processes import cpu_s, pss_mib
from bench.rounds import Figures
from bench.workers import Worker

_LOOK_S: Final = 0.02
_MEMORY_S: Final = 0.5
_PATIENCE_S: Final = 400


@dataclass
class Watch:
    """Follows a worker from `start` until `wanted` records are in a topic."""

    worker: Worker
    connector: Connector
    count: Callable[[], int]
    wanted: int
    _memory: list[tuple[int, float]] = field(default_factory=list)

    def figures(self, start: Callable[[], None]) -> Figures:
        pid = self.worker.pid
        cpu_before, began = cpu_s(pid), time.monotonic()
        start()
        first, seen, cpu_first = self._until(1, began)
        last, _, cpu_last = self._until(self.wanted, began)
        self._memory.append((self.wanted, pss_mib(pid)))
        whole = {"cpu_s_per_million": (cpu_last - cpu_before) / self.wanted * 1e6}
        if seen * 2 > self.wanted:  # too little is left to be timed alone
            first_of_all, left = began, self.wanted
        else:
            first_of_all, left = first, self.wanted - seen
            whole["streaming_cpu_s_per_million"] = (cpu_last - cpu_first) / left * 1e6
        return whole | {
            "events_a_second": left / (last - first_of_all),
            "first_s": first - began,
            "peak_pss_mib": max(mib for _, mib in self._memory),
            **{f"pss_mib_at_{percent}": self._memory_at(percent) for percent in (25, 50, 75, 100)},
        }

    def _until(self, wanted: int, began: float) -> tuple[float, int, float]:
        """When that many records were there, how many exactly, and the CPU seconds until then."""
        looked = checked = 0.0
        while True:
            done, now = self.count(), time.monotonic()
            if done >= wanted:
                return now, done, cpu_s(self.worker.pid)
            if now - looked > _MEMORY_S:
                looked = now
                self._memory.append((done, pss_mib(self.worker.pid)))
            if now - checked > 5:
                checked = now
                self.connector.check()
            if now - began > _PATIENCE_S:
                raise SystemExit(f"{self.worker.name}: {done} of {wanted} records after {_PATIENCE_S} s")
            time.sleep(_LOOK_S)

    def _memory_at(self, percent: int) -> float:
        """When that share of the records was there."""
        return next(mib for done, mib in self._memory if done * 100 >= self.wanted * percent)


class Drain:
    """A side: the backlog of a database, from the same position again and again."""

    def __init__(self, worker: Worker, broker: Broker, database: Database, rows: int,
                 settings: Mapping[str, str]) -> None:  # fmt: skip
        """Its offset is stored, and it is stopped: what is written from now on is the backlog."""
        self.name, self._worker, self._broker, self._database, self._rows = worker.name, worker, broker, database, rows
        prefix = f"{database.tag}-{worker.name}"
        self.topic = f"{prefix}.{database.tag}.orders"
        self.connector = Connector(worker, prefix)
        self.connector.create(
            database.config(worker.name, broker.address)
            | {"tasks.max": "1", "topic.prefix": prefix, "snapshot.mode": "no_data", "heartbeat.interval.ms": "500"}
            | {**worker.settings, **settings}
        )
        self._offsets = self.connector.offsets()
        self.connector.stop()

    def measure(self) -> Figures:
        self._database.rewind(self.name)
        self.connector.rewind(self._offsets)
        count = self._broker.count(self.topic)
        found = Watch(self._worker, self.connector, count, self._rows).figures(self.connector.resume)
        self.connector.stop()
        return found

    def close(self) -> None:
        self.connector.delete()
        self._database.forget(self.name)


class Snapshot:
    """A side: the initial snapshot of a table, by a new connector each time."""

    def __init__(self, worker: Worker, broker: Broker, database: Database, rows: int) -> None:
        self.name, self._worker, self._broker, self._database, self._rows = worker.name, worker, broker, database, rows
        self._numbers = numbers()

    def measure(self) -> Figures:
        who = f"{self.name}{next(self._numbers)}"
        prefix = f"{self._database.tag}-{who}"
        connector = Connector(self._worker, prefix)
        config = self._database.config(who, self._broker.address) | {
            "tasks.max": "1", "topic.prefix": prefix, "snapshot.mode": "initial", **self._worker.settings,
        }  # fmt: skip
        count = self._broker.count(f"{prefix}.{self._database.tag}.orders")
        watch = Watch(self._worker, connector, count, self._rows)
        found = watch.figures(lambda: connector.create(config))
        connector.stop()
        connector.delete()
        self._database.forget(who)
        return found
