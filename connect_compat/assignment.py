"""Who runs what in a group of workers: the leader's orders as records of one compacted topic, and how tasks are spread.

leader           {"worker", "epoch"}: who gives orders; each new leader has a higher epoch
run-<connector>-<task>   a Run: the order
done-<connector>-<task>  {"run"}: the worker that had this run has stopped it
leaving-<worker>         the worker gives its tasks away before it ends
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connect_compat.worker import TaskId

Worker = str
"""A worker as statuses name it, `host:port`."""


@dataclass(frozen=True)
class Run:
    """An order: this worker runs this task.

    Attributes:
        number: tells the run from others of the task; the greater is the later.
        epoch: of the leader that ordered it.
        digest: of the task's config; another config is another run.
        stopped: the worker must stop it and say so; only then may another have it.
    """

    worker: Worker
    number: int
    epoch: int
    digest: str
    paused: bool = False
    stopped: bool = False

    def as_record(self) -> bytes:
        return orjson.dumps(self)


@dataclass(frozen=True)
class Leader:
    worker: Worker
    epoch: int

    def as_record(self) -> bytes:
        return orjson.dumps(self)


@dataclass(frozen=True)
class Orders:
    """All that stands in the topic."""

    leader: Leader | None
    runs: Mapping[TaskId, Run]
    done: Mapping[TaskId, int]
    leaving: frozenset[Worker]

    def following(self, before: Orders) -> Orders:
        """These, but what a leader that was replaced wrote too late stays as it was before."""
        epoch = self.leader.epoch if self.leader else 0
        late = {task for task, run in self.runs.items() if run.epoch < epoch and before.runs.get(task) != run}
        if not late or before.leader is None or before.leader.epoch < epoch:
            return self
        kept = {task: before.runs[task] for task in late if task in before.runs}
        return replace(self, runs={**{task: run for task, run in self.runs.items() if task not in late}, **kept})


NOTHING = Orders(None, {}, {}, frozenset())


def run_key(task: TaskId) -> str:
    return f"run-{task.connector}-{task.task}"


def done_key(task: TaskId) -> str:
    return f"done-{task.connector}-{task.task}"


def done_record(number: int) -> bytes:
    return orjson.dumps({"run": number})


def leaving_key(worker: Worker) -> str:
    return f"leaving-{worker}"


def read(entries: Mapping[str, bytes]) -> Orders:
    """The orders in the records of the topic; what is not ours is passed over."""
    leader: Leader | None = None
    runs: dict[TaskId, Run] = {}
    done: dict[TaskId, int] = {}
    leaving = set()
    for key, raw in entries.items():
        kind, _, rest = key.partition("-")
        value: dict[str, Any] = orjson.loads(raw)
        if key == "leader":
            leader = Leader(value["worker"], value["epoch"])
        elif kind == "run":
            runs[_task(rest)] = Run(**value)
        elif kind == "done":
            done[_task(rest)] = value["run"]
        elif kind == "leaving":
            leaving.add(rest)
    return Orders(leader, runs, done, frozenset(leaving))


def _task(text: str) -> TaskId:
    connector, _, number = text.rpartition("-")
    return TaskId(connector, int(number))


def digest(config: Mapping[str, str]) -> str:
    return hashlib.sha256(orjson.dumps(dict(config), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def load(runs: Mapping[TaskId, Run]) -> Counter[Worker]:
    """How many tasks each worker has."""
    return Counter(run.worker for run in runs.values() if not run.stopped)


def least_loaded(loads: Mapping[Worker, int], workers: Collection[Worker]) -> Worker:
    return min(sorted(workers), key=lambda worker: loads.get(worker, 0))


def spread(placed: Mapping[TaskId, Worker], workers: Collection[Worker]) -> dict[TaskId, Worker]:
    """The tasks that must move, and where to: off workers that are gone, then as few as make the rest even."""
    if not workers:
        return {}
    loads = Counter(dict.fromkeys(workers, 0))
    loads.update(worker for worker in placed.values() if worker in loads)
    moves: dict[TaskId, Worker] = {}
    for task in sorted(task for task, worker in placed.items() if worker not in loads):
        moves[task] = least_loaded(loads, workers)
        loads[moves[task]] += 1
    while True:
        fullest = max(sorted(workers), key=lambda worker: loads[worker])
        emptiest = least_loaded(loads, workers)
        if loads[fullest] - loads[emptiest] < 2:
            return moves
        task = max(task for task in placed if moves.get(task, placed[task]) == fullest)
        moves[task] = emptiest
        loads[fullest] -= 1
        loads[emptiest] += 1
