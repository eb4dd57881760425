"""Runs of tasks: what a connector's tasks are started and stopped through, and the form that runs them on this machine.

A run is one life of a task, from its start until it is stopped, restarts of its process included.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from connect_compat.connector_config import with_worker_converters
from connect_compat.log import LogSettings
from connect_compat.plugins import CONNECTORS, Plugins
from connect_compat.state import Config, Configs, State, Status, Statuses
from connect_compat.worker import TaskId, TaskSpec, TaskView


class Tasks(Protocol):
    """Runs tasks: worker.py's Worker."""

    def start_task(self, spec: TaskSpec, *, paused: bool = False) -> None: ...

    def ask_to_stop(self) -> None: ...

    def stop_tasks(self, ids: Iterable[TaskId]) -> None: ...

    def pause_task(self, which: TaskId) -> None: ...

    def resume_task(self, which: TaskId) -> None: ...

    def signal_task(self, which: TaskId, signal: str, timeout_s: float) -> bool: ...

    def set_level(self, logger: str, level: int) -> None: ...

    def view(self, which: TaskId) -> TaskView: ...

    def health(self) -> list[TaskView]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Place:
    """Which worker this is, as its statuses say."""

    worker_id: str
    generation: int
    raw: Mapping[str, str]
    """The worker's properties: the converters there are the defaults of the connectors'."""
    log: LogSettings


class Runs(Protocol):
    """Where the tasks of connectors run: here, or on the workers of a group. Called by one thread."""

    def running(self, name: str) -> list[int]:
        """Numbers of the connector's tasks that were started and not stopped since, in order."""

    def start(self, name: str, number: int, config: Config, *, paused: bool) -> None:
        """A new run. It must not be running."""

    def stop(self, name: str, numbers: Sequence[int], *, restarting: bool = False) -> None:
        """Gone on return, and their statuses say so, or RESTARTING; a failed one keeps saying that it failed."""

    def pause(self, name: str) -> None: ...

    def resume(self, name: str) -> None: ...

    def together(self) -> AbstractContextManager[None]:
        """Runs started meanwhile may start only at its end."""


@dataclass
class LocalRuns:
    """Runs on this machine, and the statuses that tell of them. Any thread but for `start` and `stop` of one task."""

    tasks: Tasks
    configs: Configs
    statuses: Statuses
    plugins: Plugins
    place: Place
    now_ms: Callable[[], int]
    shared: bool = False
    """Whether other workers may run the same tasks at other times; their statuses are left alone."""
    stood_still: Callable[[], bool] = lambda: False
    """Whether what runs here may be another worker's by now: then its statuses are that worker's to tell."""
    _running: dict[str, dict[int, object]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def running(self, name: str) -> list[int]:
        with self._lock:
            return sorted(self._running.get(name, ()))

    def start(self, name: str, number: int, config: Config, *, paused: bool) -> None:
        with self._lock:
            self._running.setdefault(name, {})[number] = object()
        spec = TaskSpec(name, number, with_worker_converters(config, self.place.raw), self.place.raw, self.place.log)
        self.tasks.start_task(spec, paused=paused)

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def tasks_here(self) -> list[TaskId]:
        with self._lock:
            return [TaskId(name, number) for name, numbers in self._running.items() for number in numbers]

    def stop(self, name: str, numbers: Sequence[int], *, restarting: bool = False) -> None:
        self.stop_all([TaskId(name, number) for number in numbers])
        for number in numbers if restarting else ():
            self._say(name, number, State.RESTARTING)

    def stop_all(self, tasks: Sequence[TaskId], *, silent: bool = False) -> None:
        """Gone on return, all within the time that one may take. `silent`: their statuses stay as they are."""
        if not tasks:
            return
        self.tasks.stop_tasks(tasks)
        with self._lock:
            for name, number in tasks:
                self._running.get(name, {}).pop(number, None)
        ended = {} if silent else {task: self.statuses.tasks(task.connector).get(task.task) for task in tasks}
        mine = [
            task for task, status in ended.items()
            if status is not None and status.state is not State.FAILED
            and (not self.shared or status.worker_id == self.place.worker_id)
        ]  # fmt: skip
        unassigned = Status(State.UNASSIGNED, self.place.worker_id, self.place.generation)
        self.statuses.put_all(dict.fromkeys(mine, unassigned))

    def pause(self, name: str) -> None:
        for number in self.running(name):
            self.set_paused(TaskId(name, number), paused=True)

    def resume(self, name: str) -> None:
        for number in self.running(name):
            self.set_paused(TaskId(name, number), paused=False)

    def set_paused(self, which: TaskId, *, paused: bool) -> None:
        (self.tasks.pause_task if paused else self.tasks.resume_task)(which)

    def token(self, name: str, number: int) -> object:
        """What tells this run of a task from the one before; None when it does not run. From any thread."""
        with self._lock:
            return self._running.get(name, {}).get(number)

    def reported(self, name: str, number: int, token: object, state: State, trace: str | None) -> None:
        """A report of a run that was stopped meanwhile is nobody's; UNASSIGNED is said by whoever stops a task."""
        if token is None or self.token(name, number) is not token or state is State.UNASSIGNED or self.stood_still():
            return
        known, place = self.statuses.tasks(name).get(number), self.place
        here = known is not None and (known.worker_id, known.generation) == (place.worker_id, place.generation)
        if known is None or not here or (known.state, known.trace) != (state, trace):
            version = None if state is State.RESTARTING else version_of(self.configs, self.plugins, name)
            self._say(name, number, state, trace=trace, version=version)

    def tell_again(self, tasks: Container[TaskId]) -> None:
        """What these tasks do, where a status names another worker: one that believed to have them still wrote it."""
        for view in self.tasks.health():
            name, number = view.id
            known = self.statuses.tasks(name).get(number)
            if view.id in tasks and (known is None or known.worker_id != self.place.worker_id):
                self.reported(name, number, self.token(name, number), State(view.state), view.trace)

    def uses(self, name: str, number: int, token: object, topics: Sequence[str]) -> None:
        """Topics that a task says it reads or writes; one that was stopped meanwhile has used them all the same."""
        if token is not None and name in self.configs:
            self.statuses.put_topics(name, number, topics, self.now_ms())

    def _say(self, name: str, number: int, state: State, **more: Any) -> None:
        self.statuses.put_task(name, number, Status(state, self.place.worker_id, self.place.generation, **more))


def version_of(configs: Configs, plugins: Plugins, name: str) -> str | None:
    """The version of the connector's plugin; None when its class is not there any more."""
    config = configs.config(name) or {}
    plugin = plugins.find(config.get("connector.class", "").strip(), *CONNECTORS)
    return plugin.version if plugin else None
