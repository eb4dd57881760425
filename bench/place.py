"""Where a case is measured: the servers, how much, and what is cleaned up behind it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from bench.backlog import SHAPES
from bench.broker import Broker
from bench.databases import DATABASES, MySql, Postgres
from bench.workers import KINDS, Worker, free_port, running
from services import registry
from services.__main__ import PORTS
from services.place import cache
from services.process import Process


def address(server: str) -> str:
    """Of the profile `bench`, or what TAILRACE_MYSQL and so on name."""
    return os.environ.get(f"TAILRACE_{server.upper()}", f"127.0.0.1:{PORTS['bench'][server]}")


@dataclass(frozen=True)
class Size:
    """How much is measured: rows of a drain, rounds that count, seconds at each rate of a latency case; by whom."""

    rows: int = 200_000
    runs: int = 5
    seconds: float = 4.0
    sides: Collection[str] = tuple(KINDS)

    def chosen(self, sides: Sequence[str]) -> list[str]:
        """Those of a case that are asked for."""
        return [side for side in sides if side in self.sides]


@dataclass(frozen=True)
class Place:
    """What the sides of a case share: names with `tag` in them belong to it alone."""

    tag: str
    broker: Broker
    stack: ExitStack

    def workers(self, names: Sequence[str]) -> list[Worker]:
        """They run until the case is over."""
        return [self.worker(name, self.stack) for name in names]

    def worker(self, name: str, stack: ExitStack) -> Worker:
        return stack.enter_context(running(name, f"{self.tag}-{name}", self.broker.address))

    def registry(self) -> str:
        """The address of a schema registry that runs until the case is over."""
        folder, port = cache() / "data" / "bench" / f"{self.tag}-registry", free_port()
        self.stack.callback(Process("registry", folder).wipe)
        registry.start(folder, port)
        return f"http://127.0.0.1:{port}{registry.PATH}"

    def database(self, source: str, shape: str = "orders") -> MySql | Postgres:
        host, port = address(source).split(":")
        database = DATABASES[source]((host, int(port)), self.tag, SHAPES[shape])
        self.stack.callback(database.drop)
        return database


@contextmanager
def place() -> Iterator[Place]:
    tag = "b" + uuid.uuid4().hex[:8]
    with closing(Broker(address("kafka"))) as broker:
        try:
            with ExitStack() as stack:
                yield Place(tag, broker, stack)
        finally:
            broker.clean(tag)
