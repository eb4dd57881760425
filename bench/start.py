"""Seconds from the start of a worker's process to its answer over REST, and to the first record of a new connector."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.backlog import SHAPES, inserts
from bench.connector import Connector
from bench.databases import Database
from bench.drain import Watch
from bench.place import Place, Size
from bench.processes import pss_mib
from bench.rounds import Figures, Run, rounds


@dataclass(frozen=True)
class Start:
    """A side: a new worker each time, and on it a connector with a table of one row to snapshot."""

    name: str
    place: Place
    database: Database

    def measure(self) -> Figures:
        who = f"{self.name}{uuid.uuid4().hex[:6]}"
        prefix = f"{self.place.tag}-{who}"
        count = self.place.broker.count(f"{prefix}.{self.place.tag}.orders")
        began = time.monotonic()
        with ExitStack() as stack:
            worker = self.place.worker(self.name, stack)
            rest_s, idle_mib = time.monotonic() - began, pss_mib(worker.pid)
            connector = Connector(worker, prefix)
            config = self.database.config(who, self.place.broker.address) | {
                "tasks.max": "1", "topic.prefix": prefix, "snapshot.mode": "initial", **worker.settings,
            }  # fmt: skip
            Watch(worker, connector, count, 1).figures(lambda: connector.create(config))
            record_s = time.monotonic() - began
            connector.stop()
            connector.delete()
        self.database.forget(who)
        return {"rest_s": rest_s, "record_s": record_s, "idle_pss_mib": idle_mib}


@dataclass(frozen=True, kw_only=True)
class StartCase:
    """Worker, connector and first record."""

    about: str = "start of a worker to its first record"
    source: str = "mysql"
    sides: Sequence[str] = ("tailrace", "untuned")

    def rows(self, size: Size) -> int:
        return 1

    def seconds(self, size: Size) -> float:
        return 10 + (size.runs + 1) * len(size.chosen(self.sides)) * 15

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        database = place.database(self.source)
        database.write(inserts(database.table, SHAPES["orders"], 1, 1))
        yield from rounds([Start(name, place, database) for name in size.chosen(self.sides)], size.runs)
