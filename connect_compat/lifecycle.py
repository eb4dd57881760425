"""Desired state to running tasks: what is started, stopped and written when a connector's config or target changes.

One thread only calls this (the herder's). What each step writes, and in which order, is what Kafka Connect writes.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from cdc.connector import SinkConnector, SourceConnector
from cdc.errors import TailraceError
from connect_compat.masking import text_without_secrets
from connect_compat.plugins import Plugin, Plugins, UnknownPlugin
from connect_compat.providers import Providers
from connect_compat.runs import Place, Runs, version_of
from connect_compat.state import Config, Configs, State, Status, Statuses, Target
from connect_compat.topic_creation import topic_creation

logger = structlog.get_logger(__name__)


@dataclass
class Lifecycle:
    """Makes what runs match what is wanted, one connector at a time."""

    configs: Configs
    statuses: Statuses
    runs: Runs
    plugins: Plugins
    providers: Providers
    place: Place

    def begin(self) -> None:
        """Starts everything that is stored, and forgets statuses of connectors that are no more."""
        for gone in self.statuses.names() - set(self.configs.names()):
            self.statuses.delete(gone)
        with self.runs.together(), self.statuses.together(), self.configs.together():
            for name in self.configs.names():
                self.start(name)

    def end(self) -> None:
        """The connectors are no more this worker's. What was wanted stays as it is; others stop the tasks."""
        with self.statuses.together():
            for name in self.configs.names():
                self._connector(name, State.UNASSIGNED, version=None)

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
        """Raises: UnknownPlugin, ConfigError."""
        config = self.configs.config(name) or {}
        loaded: SourceConnector | SinkConnector = self.plugins.connector(config.get("connector.class", "")).load()
        if isinstance(loaded, SourceConnector):
            topic_creation(self.providers.resolve(config))  # what is wrong there fails the connector, not its tasks
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
            self.runs.stop(name, self.runs.running(name))
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
        running = self.runs.running(name)
        for number in range(len(self.configs.tasks(name))):
            if number not in running:
                self.start_task(name, number)

    def start_task(self, name: str, number: int) -> None:
        paused = self.configs.target(name) is Target.PAUSED
        self.runs.start(name, number, self.configs.tasks(name)[number], paused=paused)

    def pause(self, name: str) -> None:
        if not self._failed(name):
            self._connector(name, State.PAUSED)
        self.runs.pause(name)

    def resume(self, name: str, before: Target) -> None:
        if self._failed(name):
            return
        if before is Target.STARTED and self._is(name, State.RUNNING):
            return
        self._connector(name, State.RUNNING)
        self.runs.resume(name)
        self.reconfigure(name)

    def stop(self, name: str) -> None:
        """No tasks any more, and no statuses of them."""
        self._connector(name, State.STOPPED)
        self.runs.stop(name, self.runs.running(name))
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
        live = [number for number in tasks if number in self.runs.running(name)]
        self.runs.stop(name, live, restarting=True)
        if connector:
            self.start(name)
        for number in live:
            if number not in self.runs.running(name) and number < len(self.configs.tasks(name)):
                self.start_task(name, number)

    def restart_task(self, name: str, number: int) -> None:
        self.runs.stop(name, [number] if number in self.runs.running(name) else [])
        self.start_task(name, number)

    def delete(self, name: str) -> None:
        self._connector(name, State.UNASSIGNED, version=None)
        self.runs.stop(name, self.runs.running(name))
        self.statuses.delete(name)

    def _failed(self, name: str) -> bool:
        return self._is(name, State.FAILED)

    def _is(self, name: str, state: State) -> bool:
        status = self.statuses.connector(name)
        return status is not None and status.state is state

    def _connector(self, name: str, state: State, *, trace: str | None = None, version: str | None = "") -> None:
        """`version` left out: the plugin's."""
        shown = version_of(self.configs, self.plugins, name) if version == "" else version
        status = Status(state, self.place.worker_id, self.place.generation, trace, shown)
        self.statuses.put_connector(name, status)


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
