"""CPU time an event of each stage of a task, compiled and in pure Python: what there is to make faster.

A process of its own opens the real source where the backlog begins, and carries it through the real converter to the
real producer, as a task does; it adds up its thread's CPU time by stage. `python -m bench.stages` is that process.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar

from bench.backlog import SHAPES, inserts
from bench.databases import Database
from bench.place import Place, Size
from bench.rounds import Figures, Run, rounds
from bench.workers import KINDS
from cdc.config import parse
from cdc.record import Source, SourceContext, SourceOffset
from connect_compat.connector_config import ErrorKeys
from connect_compat.log import Log, LogSettings
from connect_compat.log.kafka import KafkaLog
from connect_compat.pipeline import SourcePipeline
from connect_compat.plugins import Kind, Plugins
from connect_compat.progress import Control
from connect_compat.source_task import LogTopics
from connect_compat.task_plugins import task_plugins

P = ParamSpec("P")
T = TypeVar("T")
_JSON: Final = "org.apache.kafka.connect.json.JsonConverter"
_PLAIN_JSON: Final = {
    "key.converter": _JSON, "value.converter": _JSON,
    "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
}  # fmt: skip


class Stages:
    """Adds up CPU seconds of this thread by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.thread_time()
        result = work(*args, **kwargs)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - began
        return result


@dataclass(frozen=True)
class Work:
    """What the process is told: `rows` 0: only to find out where the log is now."""

    config: Mapping[str, str]
    kafka: str
    rows: int = 0
    resume: Sequence[Any] = field(default_factory=list)


def opened(work: Work, log: Log) -> Source:
    plugin = Plugins().get(work.config["connector.class"], Kind.SOURCE).load()
    source: Source = plugin.build(work.config, SourceContext(work.config["name"], 0, LogTopics(log)))
    return source


def position(work: Work, log: Log) -> list[SourceOffset]:
    """The first that the source tells."""
    with closing(opened(work, log)) as source:
        return next(list(poll.offsets) for poll in source.polls([]) if poll.offsets)


def carried(work: Work, log: Log) -> dict[str, float]:
    """Microseconds an event, from the second poll on: what comes before does not grow with the backlog."""
    pipeline = SourcePipeline(task_plugins(work.config), parse(ErrorKeys, work.config), Control())
    stages, count = Stages(), 0
    with closing(log.appender(work.config["name"], 0, {})) as appender, closing(opened(work, log)) as source:
        polls = iter(source.polls([SourceOffset(*each) for each in work.resume]))
        left = work.rows - next(size for poll in polls if (size := sum(map(len, poll.batches))))
        gc.freeze()
        everything, this_thread = time.process_time(), time.thread_time()
        while count < left:
            poll = stages("source_us", next, polls)
            encoded = stages("converter_us", pipeline, poll.batches)
            stages("producer_us", appender.append, encoded, ())
            count += sum(map(len, encoded))
        stages("flush_us", appender.flush)
        stages.seconds["thread_us"] = time.thread_time() - this_thread
        stages.seconds["process_us"] = time.process_time() - everything
    return {name: seconds / count * 1e6 for name, seconds in stages.seconds.items()}


def ask(work: Work, environment: Mapping[str, str]) -> Any:
    """What a new process finds."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.stages"], input=json.dumps(vars(work)), stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment}, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])  # the source may log before


@dataclass(frozen=True)
class Staged:
    """A side: one way through the backlog, from the same position again and again."""

    name: str
    work: Work
    database: Database

    def measure(self) -> Figures:
        self.database.rewind(self.name)
        found: Figures = ask(self.work, KINDS[self.name].environment)
        return found


@dataclass(frozen=True, kw_only=True)
class StagesCase:
    """Compiled and pure Python."""

    about: str
    source: str
    per_transaction: int = 1000
    sides: Sequence[str] = ("tailrace", "python")

    def rows(self, size: Size) -> int:
        return size.rows // 3

    def seconds(self, size: Size) -> float:
        return 10 + self.rows(size) / 15_000 + (size.runs + 1) * 2 * (4 + self.rows(size) / 50_000)

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        rows, database = self.rows(size), place.database(self.source)
        sides = []
        for side in size.chosen(self.sides):
            name = f"{place.tag}-{side}"
            config = database.config(side, place.broker.address) | _PLAIN_JSON | {
                "name": name, "topic.prefix": name, "snapshot.mode": "no_data",
            }  # fmt: skip
            place.stack.callback(database.forget, side)
            work = Work(config, place.broker.address)
            place.broker.make(f"{name}.{place.tag}.orders")
            sides.append(Staged(side, Work(config, work.kafka, rows, ask(work, KINDS[side].environment)), database))
        database.write(inserts(database.table, SHAPES["orders"], rows, self.per_transaction))
        yield from rounds(sides, size.runs)


def main() -> None:
    work = Work(**json.load(sys.stdin))
    with closing(KafkaLog(LogSettings(client={"bootstrap.servers": work.kafka}))) as log:
        print(json.dumps(carried(work, log) if work.rows else position(work, log)))


if __name__ == "__main__":
    main()
