"""Desired state to running tasks: what is started, stopped and written when a connector's config or target changes.

One thread only calls this (the herder's). What each step writes, and in which order, is what Kafka Connect writes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from cdc.connector import SinkConnector, SourceConnector
from cdc.errors import TailraceError
from connect_compat.connector_config import with_worker_converters
from connect_compat.log import LogSettings
from connect_compat.masking import text_without_secrets
from connect_compat.plugins import CONNECTORS, Plugin, Plugins, UnknownPlugin
from connect_compat.providers import Providers
from connect_compat.state import Config, Configs, State, Status, Statuses, Target
from connect_compat.worker import TaskId, TaskSpec, TaskView

logger = structlog.get_logger(__name__)


class Tasks(Protocol):
    """Runs tasks: worker.py's Worker."""

    def start_task(self, spec: TaskSpec, *, paused: bool = False) -> None: ...

    def stop_tasks(self, ids: Iterable[TaskId]) -> None: ...

    def pause_task(self, which: TaskId) -> None: ...

    def resume_task(self, which: TaskId) -> None: ...

    def signal_task(self, which: TaskId, signal: str, timeout_s: float) -> bool: ...

    def set_level(self, logger: str, level: int) -> None: ...

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


@dataclass
class Lifecycle:
    """Makes what runs match what is wanted, one connector at a time."""

    configs: Configs
    statuses: Statuses
    tasks: Tasks
    plugins: Plugins
    providers: Providers
    place: Place
    now_ms: Callable[[], int]
    _running: dict[str, dict[int, object]] = field(default_factory=dict)

    def begin(self) -> None:
        """Starts everything that is stored, and forgets statuses of connectors that are no more."""
        for gone in self.statuses.names() - set(self.configs.names()):
            self.statuses.delete(gone)
        for name in self.configs.names():
            self.start(name)

    def end(self) -> None:
        """Stops everything; what was wanted stays as it is."""
        for name in self.configs.names():
            self.stop_tasks(name, self.running(name))
            self._connector(name, State.UNASSIGNED, version=None)

    def running(self, name: str) -> list[int]:
        return sorted(self._running.get(name, ()))

    def plugin(self, name: str) -> Plugin | None:
        """The connector's plugin; None when its class is not there any more."""
        config = self.configs.config(name) or {}
        return self.plugins.find(config.get("connector.class", "").strip(), *CONNECTORS)

    def start(self, name: str) -> None:
        """The connector, and what its target says of its tasks. Nothing when it was deleted meanwhile."""
        if name not in self.configs:
            return
        target = self.configs.target(name)
        try:
            self._load(name)
        except Exception as error:
            self.fail(name, error)
            return
        if target is Target.STOPPED:
            self._connector(name, State.STOPPED)
        elif target is Target.PAUSED:
            self._connector(name, State.PAUSED)
            self._start_missing(name)
        else:
            self._connector(name, State.RUNNING)
            self.reconfigure(name)

    def _load(self, name: str) -> SourceConnector | SinkConnector:
        config = self.configs.config(name) or {}
        loaded: SourceConnector | SinkConnector = self.plugins.connector(config.get("connector.class", "")).load()
        return loaded

    def fail(self, name: str, error: Exception) -> None:
        """The connector cannot run; its tasks go on as they are."""
        logger.error("connector failed", connector=name, error=text_without_secrets(str(error)))
        self._connector(name, State.FAILED, trace=trace_of(error))

    def reconfigure(self, name: str) -> None:
        """Task configs anew; when they changed, they are written and every task starts with the new ones."""
        try:
            wanted = self._task_configs(name)
        except Exception as error:
            self.fail(name, error)
            return
        if wanted != self.configs.tasks(name):
            self.configs.put_tasks(name, wanted)
            self.stop_tasks(name, self.running(name))
            self.statuses.delete_tasks(name, [n for n in self.statuses.tasks(name) if n >= len(wanted)])
        self._start_missing(name)

    def _task_configs(self, name: str) -> list[Config]:
        """What the connector makes of its config, `task.class` added; references to providers stand unresolved."""
        raw = self.configs.config(name) or {}
        plugin, connector = self.plugins.connector(raw["connector.class"]), self._load(name)
        resolved = self.providers.resolve(raw)
        most = int(raw.get("tasks.max", "1"))
        made = [_referenced(config, raw, resolved) for config in connector.task_configs(resolved, most)]
        if len(made) > most and raw.get("tasks.max.enforce", "true").strip().lower() != "false":
            raise TailraceError(
                f"The connector {name} has generated {len(made)} tasks, which is greater than {most}, the maximum "
                "number of tasks it is configured to create; raise tasks.max"
            )
        return [{**config, "task.class": task_class(plugin)} for config in made]

    def _start_missing(self, name: str) -> None:
        for number in range(len(self.configs.tasks(name))):
            if number not in self._running.get(name, {}):
                self.start_task(name, number)

    def start_task(self, name: str, number: int) -> None:
        self._running.setdefault(name, {})[number] = object()
        config = with_worker_converters(self.configs.tasks(name)[number], self.place.raw)
        spec = TaskSpec(name, number, config, self.place.raw, self.place.log)
        self.tasks.start_task(spec, paused=self.configs.target(name) is Target.PAUSED)

    def token(self, name: str, number: int) -> object:
        """What tells this run of a task from the one before; None when it does not run. From any thread."""
        return self._running.get(name, {}).get(number)

    def reported(self, name: str, number: int, token: object, state: State, trace: str | None) -> None:
        """A report of a run that was stopped meanwhile is nobody's; UNASSIGNED is said by whoever stops a task."""
        if token is None or self.token(name, number) is not token or state is State.UNASSIGNED:
            return
        known = self.statuses.tasks(name).get(number)
        here = known is not None and (known.worker_id, known.generation) == (
            self.place.worker_id, self.place.generation,
        )  # fmt: skip
        if known is None or not here or (known.state, known.trace) != (state, trace):
            version = None if state is State.RESTARTING else self._version(name)
            self._task(name, number, state, trace=trace, version=version)

    def uses(self, name: str, number: int, token: object, topics: Sequence[str]) -> None:
        """Topics that a task says it reads or writes."""
        if token is not None and self.token(name, number) is token:
            self.statuses.put_topics(name, number, topics, self.now_ms())

    def stop_tasks(self, name: str, numbers: Sequence[int]) -> None:
        """Gone on return; a failed one keeps saying so."""
        if not numbers:
            return
        self.tasks.stop_tasks([TaskId(name, number) for number in numbers])
        for number in numbers:
            self._running.get(name, {}).pop(number, None)
            status = self.statuses.tasks(name).get(number)
            if status is not None and status.state is not State.FAILED:
                self._task(name, number, State.UNASSIGNED)

    def pause(self, name: str) -> None:
        if not self._failed(name):
            self._connector(name, State.PAUSED)
        for number in self.running(name):
            self.tasks.pause_task(TaskId(name, number))

    def resume(self, name: str, before: Target) -> None:
        if self._failed(name):
            return
        if before is Target.STARTED and self._is(name, State.RUNNING):
            return
        self._connector(name, State.RUNNING)
        for number in self.running(name):
            self.tasks.resume_task(TaskId(name, number))
        self.reconfigure(name)

    def stop(self, name: str) -> None:
        """No tasks any more, and no statuses of them."""
        self._connector(name, State.STOPPED)
        self.stop_tasks(name, self.running(name))
        self.statuses.delete_tasks(name, list(self.statuses.tasks(name)))

    def restart_connector(self, name: str) -> None:
        """The connector alone; tasks follow only when their configs change by it."""
        if name not in self.configs:
            return
        self._connector(name, State.UNASSIGNED, version=None)
        self.start(name)

    def restart(self, name: str, *, connector: bool, tasks: Sequence[int]) -> None:
        """The connector, if asked for, and these tasks."""
        if name not in self.configs:
            return
        if connector:
            self._connector(name, State.UNASSIGNED, version=None)
            self._connector(name, State.RESTARTING, version=None)
        live = [number for number in tasks if number in self._running.get(name, {})]
        self.stop_tasks(name, live)
        for number in live:
            self._task(name, number, State.RESTARTING)
        if connector:
            self.start(name)
        for number in live:
            if number not in self._running.get(name, {}) and number < len(self.configs.tasks(name)):
                self.start_task(name, number)

    def delete(self, name: str) -> None:
        self._connector(name, State.UNASSIGNED, version=None)
        self.stop_tasks(name, self.running(name))
        self._running.pop(name, None)
        self.statuses.delete(name)

    def _failed(self, name: str) -> bool:
        return self._is(name, State.FAILED)

    def _is(self, name: str, state: State) -> bool:
        status = self.statuses.connector(name)
        return status is not None and status.state is state

    def _version(self, name: str) -> str | None:
        plugin = self.plugin(name)
        return plugin.version if plugin else None

    def _connector(self, name: str, state: State, *, trace: str | None = None, version: str | None = "") -> None:
        """`version` left out: the plugin's."""
        shown = self._version(name) if version == "" else version
        status = Status(state, self.place.worker_id, self.place.generation, trace, shown)
        self.statuses.put_connector(name, status)

    def _task(
        self, name: str, number: int, state: State, *, trace: str | None = None, version: str | None = None
    ) -> None:
        status = Status(state, self.place.worker_id, self.place.generation, trace, version)
        self.statuses.put_task(name, number, status)


def task_class(plugin: Plugin) -> str:
    """The Java name of the class of the connector's tasks, as task configs carry it."""
    if plugin.class_name.startswith("io.debezium."):
        return plugin.class_name + "Task"
    return plugin.class_name.removesuffix("Connector") + "Task"


def trace_of(error: Exception) -> str:
    """The sentence an operator needs, then the stack that led there; secrets masked."""
    known = isinstance(error, TailraceError | UnknownPlugin)
    first = str(error) if known else f"{type(error).__name__}: {error}"
    return text_without_secrets(first + "\n" + "".join(traceback.format_exception(error)).rstrip())


def _referenced(config: Config, raw: Config, resolved: Config) -> dict[str, str]:
    """The references of the raw config put back where their value was taken over."""
    return {key: raw[key] if key in raw and resolved[key] == text else text for key, text in config.items()}


def restarting(status: Status) -> Status:
    """As the answer to a restart request shows it; the record follows."""
    return replace(status, state=State.RESTARTING)
