"""Connector configs, target states, task configs and statuses: Kafka Connect's own records to and from two stores.

Keys and JSON members are Kafka Connect's, byte for byte, so that a real cluster can take over the topics, or hand
them over. What is held here is read by any thread and written by the herder's only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import orjson

from connect_compat.log import Store

Config = Mapping[str, str]


class Target(Enum):
    """What a user wants of a connector."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class State(Enum):
    """What a connector or task does, as its status says."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"


P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def _writing(method: Callable[P, T]) -> Callable[P, T]:
    """One writer or refresh of an object at a time: what is read anew must not undo what is being written."""

    @wraps(method)
    def alone(*args: P.args, **more: P.kwargs) -> T:
        with args[0].writing:  # type: ignore[attr-defined]
            return method(*args, **more)

    return alone


class MemoryStore:
    """A store that is gone with the process: standalone mode, where files on the command line are the configs."""

    def __init__(self) -> None:
        self._entries: dict[str, bytes] = {}

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        for key, value in entries:
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value

    def all(self) -> Mapping[str, bytes]:
        return dict(self._entries)


class Gathering:
    """A store whose writes may be gathered: what is put within `together` is written in one go at its end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: list[tuple[str, bytes | None]] | None = None

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        with self._lock:
            if self._kept is not None:
                self._kept += entries
                return
        self._store.put(entries)

    def all(self) -> Mapping[str, bytes]:
        return self._store.all()

    @contextmanager
    def together(self) -> Iterator[None]:
        """One thread at a time. Raises, at its end: whatever writing raises."""
        with self._lock:
            self._kept = []
        try:
            yield
        finally:
            with self._lock:
                kept, self._kept = self._kept, None
            if kept:
                self._store.put(kept)


class Configs:
    """The config topic: which connectors there are, their configs, targets and task configs."""

    def __init__(self, store: Store) -> None:
        self._store = Gathering(store)
        self.together = self._store.together
        self.writing = threading.RLock()
        self._connectors: dict[str, Config] = {}
        self._targets: dict[str, Target] = {}
        self._tasks: dict[str, dict[int, Config]] = {}
        self._commits: dict[str, int] = {}
        self._levels: dict[str, str] = {}
        self._read: Mapping[str, bytes] = {}
        self.refresh()
        self._levels.clear()  # what was said to the workers of an earlier day is not said to this one

    @_writing
    def refresh(self) -> None:
        """Takes in what other workers have written."""
        found = self._store.all()
        for key, value in _news(self._read, found):
            self._take(key, value)
        self._read = found

    def _take(self, key: str, value: Mapping[str, Any] | None) -> None:
        if key.startswith("connector-"):
            _put_or_pop(self._connectors, key.removeprefix("connector-"), value and value["properties"])
        elif key.startswith("target-state-"):
            target = value and Target(value.get("state.v2") or value["state"])
            _put_or_pop(self._targets, key.removeprefix("target-state-"), target or None)
        elif key.startswith("commit-"):
            _put_or_pop(self._commits, key.removeprefix("commit-"), None if value is None else int(value["tasks"]))
        elif key.startswith("task-"):
            name, _, number = key.removeprefix("task-").rpartition("-")
            if number.isdigit():
                _put_or_pop(self._tasks.setdefault(name, {}), int(number), value and value["properties"])
        elif key.startswith("logger-cluster-") and value:
            self._levels[key.removeprefix("logger-cluster-")] = value["level"]

    def new_levels(self) -> dict[str, str]:
        """Levels of loggers that were told to all workers since the last call."""
        with self.writing:
            new, self._levels = self._levels, {}
        return new

    def names(self) -> list[str]:
        return sorted(self._connectors)

    def __contains__(self, name: str) -> bool:
        return name in self._connectors

    def config(self, name: str) -> Config | None:
        return self._connectors.get(name)

    def target(self, name: str) -> Target:
        return self._targets.get(name, Target.STARTED)

    def tasks(self, name: str) -> list[Config]:
        """The committed task configs; none when a commit names one that is not there: they must be made anew."""
        written = self._tasks.get(name, {})
        count = self._commits.get(name, 0) if name in self._connectors else 0
        return [written[number] for number in range(count)] if all(n in written for n in range(count)) else []

    def has_task_record(self, name: str, task: int) -> bool:
        """Whether a config was ever written for the task; it stays when the connector is stopped."""
        return name in self._connectors and task in self._tasks.get(name, {})

    @_writing
    def put_connector(self, name: str, config: Config, target: Target | None = None) -> None:
        """The target first, so that a connector created stopped never runs. `target` None leaves it as it is."""
        if name not in self._connectors:
            self._forget_tasks_of_a_former(name)
        if target is not None:
            self.put_target(name, target)
        self._put(f"connector-{name}", {"properties": dict(config)})
        self._connectors[name] = dict(config)

    def _forget_tasks_of_a_former(self, name: str) -> None:
        """A deleted connector leaves its task records behind; a new one of its name must not start with them."""
        if self._commits.get(name):
            self._put(f"commit-{name}", {"tasks": 0})
        self._commits.pop(name, None)
        self._tasks.pop(name, None)

    @_writing
    def put_target(self, name: str, target: Target) -> None:
        old = "STARTED" if target is Target.STARTED else "PAUSED"
        self._put(f"target-state-{name}", {"state": old, "state.v2": target.value})
        self._targets[name] = target

    @_writing
    def put_tasks(self, name: str, configs: Sequence[Config]) -> None:
        """Every task record, then the commit that makes them count."""
        tasks = [(f"task-{name}-{number}", {"properties": dict(config)}) for number, config in enumerate(configs)]
        commit = (f"commit-{name}", {"tasks": len(configs)})
        self._store.put([(key, orjson.dumps(value)) for key, value in (*tasks, commit)])
        self._tasks.setdefault(name, {}).update(enumerate(map(dict, configs)))
        self._commits[name] = len(configs)

    def put_restart(self, name: str, *, include_tasks: bool, only_failed: bool) -> None:
        self._put(f"restart-connector-{name}", {"include-tasks": include_tasks, "only-failed": only_failed})

    def put_logger(self, namespace: str, level: str) -> None:
        self._put(f"logger-cluster-{namespace}", {"level": level})

    @_writing
    def delete(self, name: str) -> None:
        """Task and commit records stay, as in Kafka Connect; without the connector's they mean nothing."""
        self._store.put([(f"connector-{name}", None), (f"target-state-{name}", None)])
        self._connectors.pop(name, None)
        self._targets.pop(name, None)

    def _put(self, key: str, value: Mapping[str, Any]) -> None:
        self._store.put([(key, orjson.dumps(value))])


@dataclass(frozen=True)
class Status:
    """What is known of a connector or task. `version` is that of its plugin, None while it does not run."""

    state: State
    worker_id: str
    generation: int
    trace: str | None = None
    version: str | None = None

    def as_record(self) -> bytes:
        return orjson.dumps({
            "state": self.state.value, "trace": self.trace, "worker_id": self.worker_id,
            "generation": self.generation, "version": self.version,
        })  # fmt: skip


def _status(value: Mapping[str, Any]) -> Status:
    return Status(State(value["state"]), str(value["worker_id"]), int(value.get("generation") or 0),
                  value.get("trace"), value.get("version"))  # fmt: skip


class Statuses:
    """The status topic: what each connector and task does, and which topics a connector uses."""

    def __init__(self, store: Store) -> None:
        self._store = Gathering(store)
        self.together = self._store.together
        self.writing = threading.RLock()
        self._connectors: dict[str, Status] = {}
        self._tasks: dict[str, dict[int, Status]] = {}
        self._topics: dict[str, set[str]] = {}
        self._read: Mapping[str, bytes] = {}
        self.refresh()

    @_writing
    def refresh(self) -> None:
        """Takes in what other workers have written."""
        found = self._store.all()
        for key, value in _news(self._read, found):
            self._take(key, value)
        self._read = found

    def _take(self, key: str, value: Mapping[str, Any] | None) -> None:
        status = _status(value) if value and not key.startswith("status-topic-") else None
        if key.startswith("status-connector-"):
            _put_or_pop(self._connectors, key.removeprefix("status-connector-"), status)
        elif key.startswith("status-task-"):
            name, _, number = key.removeprefix("status-task-").rpartition("-")
            if number.isdigit():
                _put_or_pop(self._tasks.setdefault(name, {}), int(number), status)
        elif key.startswith("status-topic-"):
            topic, _, name = key.removeprefix("status-topic-").partition(":connector-")
            known = self._topics.get(name, set())
            self._topics[name] = known | {topic} if value else known - {topic}

    def newest_generation(self) -> int:
        """The highest a worker wrote; a new worker goes on from there."""
        tasks = (status for by_number in self._tasks.values() for status in by_number.values())
        return max((status.generation for status in (*self._connectors.values(), *tasks)), default=0)

    def names(self) -> set[str]:
        """Everything a status or topic is recorded for."""
        some = [name for known in (self._tasks, self._topics) for name, found in list(known.items()) if found]
        return {*self._connectors, *some}

    def connector(self, name: str) -> Status | None:
        return self._connectors.get(name)

    def tasks(self, name: str) -> dict[int, Status]:
        """By number, in order."""
        return dict(sorted(self._tasks.get(name, {}).items()))

    def topics(self, name: str) -> list[str]:
        return sorted(self._topics.get(name, ()))

    @_writing
    def put_connector(self, name: str, status: Status) -> None:
        self._connectors[name] = status
        self._store.put([(f"status-connector-{name}", status.as_record())])

    @_writing
    def put_task(self, name: str, task: int, status: Status) -> None:
        self.put_all({(name, task): status})

    @_writing
    def put_all(self, tasks: Mapping[tuple[str, int], Status]) -> None:
        """Statuses of several tasks, in one go."""
        for (name, task), status in tasks.items():
            self._tasks.setdefault(name, {})[task] = status
        if tasks:
            self._store.put([(f"status-task-{name}-{task}", status.as_record())
                             for (name, task), status in tasks.items()])  # fmt: skip

    @_writing
    def put_topics(self, name: str, task: int, topics: Sequence[str], now_ms: int) -> None:
        """Records the topics that were not known yet."""
        known = self._topics.setdefault(name, set())
        new = [topic for topic in topics if topic not in known]
        self._store.put([(_topic_key(topic, name), orjson.dumps({"topic": {
            "name": topic, "connector": name, "task": task, "discoverTimestamp": now_ms,
        }})) for topic in new])  # fmt: skip
        self._topics[name] = known | set(new)

    @_writing
    def reset_topics(self, name: str) -> None:
        self._store.put([(_topic_key(topic, name), None) for topic in self.topics(name)])
        self._topics.pop(name, None)

    @_writing
    def delete_tasks(self, name: str, numbers: Sequence[int]) -> None:
        self._store.put([(f"status-task-{name}-{number}", None) for number in numbers])
        for number in numbers:
            self._tasks.get(name, {}).pop(number, None)

    @_writing
    def delete(self, name: str) -> None:
        """Topics, tasks, connector: in that order."""
        self.reset_topics(name)
        self.delete_tasks(name, list(self.tasks(name)))
        self._store.put([(f"status-connector-{name}", None)])
        self._connectors.pop(name, None)
        self._tasks.pop(name, None)


def _topic_key(topic: str, connector: str) -> str:
    return f"status-topic-{topic}:connector-{connector}"


def _news(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """What was written between two readings of a store; None for what is gone or cannot be understood."""
    for key in before.keys() - now.keys():
        yield key, None
    for key, raw in now.items():
        if before.get(key) is not raw:
            value = orjson.loads(raw)
            yield key, value if isinstance(value, dict) else None


def _put_or_pop(known: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        known.pop(key, None)
    else:
        known[key] = value
