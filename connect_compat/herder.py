"""Desired state: what REST asks for, checked, stored, and handed to one thread that makes it so.

Every change runs on the herder's own thread, in the order it was asked for; what is stored can be read at any time.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from cdc.connector import SinkConnector, SourceConnector
from cdc.errors import LogUnavailable, Problem, RequestError
from connect_compat import loggers, offsets
from connect_compat.cluster import Cluster, Duties, Elsewhere, GroupRuns, Membership
from connect_compat.lifecycle import Lifecycle, restarting
from connect_compat.log import Log, LogSettings, Store
from connect_compat.masking import MASK, looks_secret, masked, unmasked
from connect_compat.plugins import Kind, Plugins
from connect_compat.providers import providers
from connect_compat.runs import LocalRuns, Place, Runs, Tasks
from connect_compat.state import Configs, MemoryStore, State, Status, Statuses, Target
from connect_compat.turns import NO_LEADER, REQUEST_S, PatientStore, Turns
from connect_compat.validate import Raw, Report, Validator
from connect_compat.worker import OnStatus, OnTopics, TaskId, TaskView

logger = structlog.get_logger(__name__)
T = TypeVar("T")

_SIGNAL_S = 15.0
_SHOWN = ("snapshot", "incremental_snapshot")
"""What of a source's report stands in its task's status."""


@dataclass(frozen=True)
class Settings:
    """What the herder needs of the worker's config."""

    worker_id: str
    raw: Mapping[str, str]
    log: LogSettings
    keeps_configs: bool = True
    mask_secrets: bool = True
    track_topics: bool = True
    reset_topics: bool = True
    membership: Membership | None = None
    """This worker's part in a group of workers; None: it is alone."""
    graceful_s: float = 5.0


class Herder:
    """The connectors of one worker. Call `start` once, and `stop` at the end; every other method from any thread."""

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        open_log: Callable[[LogSettings], Log],
        worker: Callable[[OnStatus, OnTopics], Tasks],
    ) -> None:
        self._settings, self.plugins, self._open_log = settings, plugins, open_log
        self._tasks = worker(self._on_status, self._on_topics)
        self._providers = providers(settings.raw)
        once = settings.log.path is not None or settings.log.exactly_once
        self._validator = Validator(plugins, self._providers, settings.raw, exactly_once=once)
        self._turns = Turns()
        self._ready = threading.Event()
        self._opened = ExitStack()
        self._cluster: Cluster | None = None

    # Start and stop

    def start(self) -> Future[None]:
        """Opens the log, however long it is away, and starts what is stored. The result: done, or why it cannot be."""
        return self._turns.run(self._begin)

    def _begin(self) -> None:
        try:
            self._turns.patiently(self._restore)
            if self._cluster is None:
                self._turns.patiently(self._life.begin)
            else:
                self._turns.patiently(self._cluster.start)
                threading.Thread(target=self._await_leader, name="first-leader", daemon=True).start()
                return
        except LogUnavailable:  # told to stop meanwhile
            return
        self._ready.set()

    def _await_leader(self) -> None:
        """Ready when somebody leads; a worker that leads itself is ready when it has begun to."""
        assert self._cluster is not None
        while not self._turns.stopping.is_set():
            if self._cluster.wait(lambda: self._cluster is not None and self._cluster.leader_url() is not None, 0.5):
                self._ready.set()
                return
            if self._ready.is_set():
                return

    def _lead(self) -> None:
        """What a new leader does: what is wanted is made so, and what runs already goes on."""
        cluster, runs = self._cluster, self._life.runs
        assert cluster is not None and isinstance(runs, GroupRuns)

        def act() -> None:
            if cluster.leading():
                runs.adopt(self._configs)
                self._life.begin()
            self._ready.set()

        self._turns.later(act)

    def _balance(self) -> None:
        runs, cluster = self._life.runs, self._cluster
        assert cluster is not None and isinstance(runs, GroupRuns)
        self._turns.later(lambda: runs.balance() if cluster.leading() else None)

    def _restore(self) -> None:
        with ExitStack() as opened:
            log = self._open_log(self._settings.log)
            opened.callback(log.close)
            configs: Store = log.configs() if self._settings.keeps_configs else MemoryStore()
            statuses: Store = log.statuses() if self._settings.keeps_configs else MemoryStore()
            self._cluster_id = log.cluster_id()
            self._configs = Configs(configs)
            self._statuses = Statuses(PatientStore(statuses, self._turns))
            self._log, self._opened = log, opened.pop_all()
        generation = self._statuses.newest_generation() + 1
        place = Place(self._settings.worker_id, generation, self._settings.raw, self._settings.log)
        self._here = LocalRuns(self._tasks, self._configs, self._statuses, self.plugins, place, _now_ms)
        self._life = Lifecycle(self._configs, self._statuses, self._runs(log), self.plugins, self._providers, place)

    def _runs(self, log: Log) -> Runs:
        """Here, or spread over the workers of a group."""
        membership = self._settings.membership
        if membership is None:
            return self._here
        duties = Duties(self._lead, self._balance, self._told_level)
        self._cluster = Cluster(log.group(), membership, self._configs, self._statuses, self._here, duties)
        self._opened.callback(self._cluster.close)
        self._here.shared, self._here.stood_still = True, self._cluster.stood_still
        return GroupRuns(self._cluster, self._settings.graceful_s)

    def stop(self) -> None:
        """Tasks stopped gracefully, statuses written, log closed. The tasks do not wait for a log that is away."""
        self._turns.stopping.set()
        self._tasks.ask_to_stop()
        if self._ready.is_set():
            if self._cluster is not None:
                self._cluster.stop_following()
            with contextlib.suppress(LogUnavailable):
                self._turns.run(self._end).result()
        self._turns.stop()
        self._opened.close()
        self._tasks.close()

    def _end(self) -> None:
        """What ran here ends; in a group the others go on with it."""
        if self._cluster is None:
            self._here.stop_all(self._here.tasks_here())
            self._life.end()
            return
        if self._cluster.leading():
            self._life.end()
        self._cluster.leave()

    def _on_status(self, connector: str, task: int, state: str, trace: str | None, extra: Mapping[str, Any]) -> None:
        here = self._here
        token = here.token(connector, task)
        self._turns.later(lambda: here.reported(connector, task, token, State(state), trace))

    def _on_topics(self, connector: str, task: int, topics: Sequence[str]) -> None:
        if self._settings.track_topics:
            here = self._here
            token = here.token(connector, task)
            self._turns.later(lambda: here.uses(connector, task, token, topics))

    def _wait_ready(self) -> None:
        if not self._ready.wait(REQUEST_S):
            raise self._turns.timed_out()

    # What is known

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    def cluster_id(self) -> str:
        self._wait_ready()
        return self._cluster_id

    def names(self) -> list[str]:
        self._wait_ready()
        return self._configs.names()

    def info(self, name: str) -> dict[str, Any]:
        """ConnectorInfo, secrets masked. Raises: RequestError: 404."""
        config = self._config(name)
        return {
            "name": name,
            "config": self._shown(config),
            "tasks": [{"connector": name, "task": number} for number in range(len(self._configs.tasks(name)))],
            "type": self._type(config),
        }

    def config(self, name: str) -> dict[str, str]:
        return self._shown(self._config(name))

    def diff(self, name: str, raw: Raw) -> dict[str, tuple[str | None, str | None]]:
        """Key -> what is stored and what would be, of all that differs; secrets masked. Raises: RequestError: 404."""
        stored = self._config(name)
        sent = {key: text for key, text in unmasked(raw, stored).items() if text is not None}
        before, after = self._shown(stored), self._shown(sent)
        different = [key for key in {**stored, **sent} if stored.get(key) != sent.get(key)]
        return {key: (before.get(key), after.get(key)) for key in different}

    def task_configs(self, name: str) -> list[dict[str, Any]]:
        self._config(name)
        return [
            {"id": {"connector": name, "task": number}, "config": self._shown(config)}
            for number, config in enumerate(self._configs.tasks(name))
        ]

    def status(self, name: str, *, resources: bool = False) -> dict[str, Any]:
        """ConnectorStateInfo; `resources`: also what the tasks that run here use. Raises: RequestError: 404."""
        self._wait_ready()
        status = self._statuses.connector(name)
        if status is None:
            raise RequestError(404, f"No status found for connector {name}")
        found = self._state_info(name, status, self._statuses.tasks(name))
        for task in found["tasks"] if resources else ():
            if (view := self._view(name, task["id"])) is not None:
                task["resources"] = _used(view)
        return found

    def task_status(self, name: str, task: int) -> dict[str, Any]:
        self._wait_ready()
        status = self._statuses.tasks(name).get(task)
        if status is None:
            raise RequestError(404, f"No status found for task {name}-{task}")
        return {"id": task, **_state(status), **self._more(name, task)}

    def runs_at(self, name: str, task: int) -> str | None:
        """Where another worker answers that runs the task; None when none does."""
        return None if self._cluster is None else self._cluster.url_of(TaskId(name, task))

    def topics(self, name: str) -> list[str]:
        self._wait_ready()
        if not self._settings.track_topics:
            raise RequestError(403, "Topic tracking is disabled.")
        return self._statuses.topics(name)

    def tasks(self) -> list[TaskView]:
        """Every running task, as its supervisor knows it now."""
        return self._tasks.health()

    def _view(self, name: str, task: int) -> TaskView | None:
        """None when it does not run here."""
        with contextlib.suppress(KeyError):
            return self._tasks.view(TaskId(name, task))
        return None

    def stalled(self) -> list[TaskView]:
        """Tasks that say RUNNING, wait for no outage to end, and have not moved for too long."""
        return [view for view in self.tasks() if _stalled(view)]

    def states(self) -> list[tuple[str, str, int | None, str]]:
        """Connector, type, task number (None: the connector itself) and state of everything there is."""
        if not self.ready:
            return []
        found: list[tuple[str, str, int | None, str]] = []
        for name in self._configs.names():
            kind = self._type(self._configs.config(name) or {})
            status = self._statuses.connector(name)
            if status is not None:
                found.append((name, kind, None, status.state.value))
            found += [(name, kind, number, task.state.value) for number, task in self._statuses.tasks(name).items()]
        return found

    def _state_info(self, name: str, connector: Status, tasks: Mapping[int, Status]) -> dict[str, Any]:
        return {
            "name": name,
            "connector": _state(connector),
            "tasks": [{"id": number, **_state(status), **self._more(name, number)} for number, status in tasks.items()],
            "type": self._type(self._configs.config(name) or {}),
        }

    def _more(self, name: str, task: int) -> dict[str, Any]:
        """What we say of a running task beyond Kafka Connect: its outage, that it is stuck, its warnings, how far."""
        view = self._view(name, task)
        if view is None or view.state != State.RUNNING.value:
            return {}
        return {
            **_outage(view),
            **({"unhealthy": view.reason} if _stalled(view) else {}),
            **({"warnings": list(view.warnings)} if view.warnings else {}),
            **{name: told for name in _SHOWN if (told := view.figures.get("report", {}).get(name))},
        }

    def _config(self, name: str) -> Mapping[str, str]:
        self._wait_ready()
        config = self._configs.config(name)
        if config is None:
            raise RequestError(404, f"Connector {name} not found")
        return config

    def _type(self, config: Mapping[str, str]) -> str:
        plugin = self.plugins.find(config.get("connector.class", "").strip(), Kind.SINK, Kind.SOURCE)
        return plugin.kind.value if plugin else "unknown"

    def _shown(self, config: Mapping[str, str]) -> dict[str, str]:
        return masked(config, self._passwords(config)) if self._settings.mask_secrets else dict(config)

    def _passwords(self, config: Mapping[str, str]) -> set[str]:
        """The keys its connector declares as PASSWORD, old names included."""
        plugin = self.plugins.find(config.get("connector.class", "").strip(), Kind.SINK, Kind.SOURCE)
        declared = [key for key in plugin.settings() if key.type == "PASSWORD"] if plugin else []
        return {name for key in declared for name in (key.name, *key.aliases)}

    # What is asked for

    def _ask(self, action: Callable[[], T], stage: str) -> T:
        """A change, made by the worker that leads. Raises: Elsewhere: that is another; whatever `action` raises."""
        self._wait_ready()
        if self._cluster is not None:
            self._cluster.must_lead()
        return self._turns.now(action, stage)

    def validate(self, raw: Raw) -> Report:
        """Raises: RequestError: 400: no such connector class."""
        self._wait_ready()
        stored = self._configs.config((raw.get("name") or "").strip()) or {}
        return self._report(unmasked(raw, stored))

    def _report(self, sent: Raw) -> Report:
        secret = self._passwords({key: text or "" for key, text in sent.items()})
        masks = [key for key, text in sent.items() if text == MASK and (key in secret or looks_secret(key))]
        told = (f"Invalid value {MASK} for configuration {{}}: it is the mask that stands for a stored secret, "
                "and none is stored; give the secret itself")  # fmt: skip
        return self._validator.check(sent, [Problem(key, told.format(key)) for key in masks])

    def create(self, name: str, raw: Raw, target: Target | None) -> dict[str, Any]:
        """Raises: RequestError: 400 invalid, 409 exists."""
        config = self._checked(raw, {})

        def act() -> dict[str, Any]:
            if name in self._configs:
                raise RequestError(409, f"Connector {name} already exists")
            self._configs.put_connector(name, config, target)
            info = self.info(name)
            self._turns.later(lambda: self._life.start(name))
            return info

        return self._ask(act, f"creating connector {name}")

    def put_config(self, name: str, raw: Raw) -> tuple[bool, dict[str, Any]]:
        """Whether it is new, and the ConnectorInfo. Raises: RequestError: 400 invalid."""
        self._wait_ready()
        config = self._checked(raw, self._configs.config(name) or {})
        return self._ask(lambda: self._store(name, config), f"changing connector {name}")

    def patch_config(self, name: str, patch: Raw) -> dict[str, Any]:
        """Members of null are removed. Raises: RequestError: 404, 400 invalid."""
        stored = self._config(name)
        merged = {key: text for key, text in {**stored, **unmasked(patch, stored)}.items() if text is not None}
        config = self._checked(merged, stored)
        return self._ask(lambda: self._store(name, config)[1], f"changing connector {name}")

    def _store(self, name: str, config: Mapping[str, str]) -> tuple[bool, dict[str, Any]]:
        new = name not in self._configs
        self._configs.put_connector(name, config)
        info = self.info(name)
        self._turns.later(lambda: self._life.start(name) if new else self._life.restart_connector(name))
        return new, info

    def _checked(self, raw: Raw, stored: Mapping[str, str]) -> dict[str, str]:
        """The config with stored secrets in place of their masks. Raises: RequestError: 400 with every error."""
        self._wait_ready()
        sent = unmasked(raw, stored)
        report = self._report(sent)
        errors = report.errors
        if errors:
            raise RequestError(
                400,
                f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n"
                + "\n".join(errors)
                + "\nYou can also find the above list of errors at the endpoint "
                "`/connector-plugins/{connectorType}/config/validate`",
            )
        for warning in report.warnings:
            logger.warning(warning, connector=sent.get("name"))
        return {key: text for key, text in sent.items() if text is not None}

    def delete(self, name: str) -> None:
        def act() -> None:
            self._config(name)
            self._configs.delete(name)
            self._turns.later(lambda: self._life.delete(name))

        self._ask(act, f"deleting connector {name}")

    def set_target(self, name: str, target: Target) -> None:
        """Pause, resume or stop. Raises: RequestError: 404."""

        def act() -> None:
            if name not in self._configs:
                raise RequestError(404, f"Unknown connector {name}")
            before = self._configs.target(name)
            if target is Target.STOPPED:
                self._configs.put_tasks(name, [])
            self._configs.put_target(name, target)
            self._turns.later(lambda: self._retarget(name, before, target))

        self._ask(act, f"setting connector {name} to {target.value}")

    def _retarget(self, name: str, before: Target, target: Target) -> None:
        if name not in self._configs:
            return
        match target:
            case Target.STOPPED:
                self._life.stop(name)
            case Target.PAUSED:
                self._life.pause(name)
            case Target.STARTED:
                self._life.resume(name, before)

    def restart_connector(self, name: str) -> None:
        """The connector instance alone, before this returns. Raises: RequestError: 404; 500 when it does not start."""

        def act() -> None:
            if name not in self._configs:
                raise RequestError(404, f"Unknown connector: {name}")
            self._life.restart_connector(name)
            status = self._statuses.connector(name)
            if status is not None and status.state is State.FAILED:
                raise RequestError(500, f"Failed to start connector: {name}")

        self._ask(act, f"restarting connector {name}")

    def restart(self, name: str, *, include_tasks: bool, only_failed: bool) -> dict[str, Any]:
        """The plan as a ConnectorStateInfo; it is carried out afterwards. Raises: RequestError: 404."""

        def wanted(status: Status) -> bool:
            return not only_failed or status.state is State.FAILED

        def act() -> dict[str, Any]:
            if name not in self._configs:
                raise RequestError(404, f"Unknown connector: {name}")
            connector, tasks = self._statuses.connector(name), self._statuses.tasks(name)
            if connector is None:
                raise RequestError(404, f"Status for connector {name} not found")
            chosen = [number for number, status in tasks.items() if include_tasks and wanted(status)]
            self._configs.put_restart(name, include_tasks=include_tasks, only_failed=only_failed)
            if wanted(connector) or chosen:
                self._turns.later(lambda: self._life.restart(name, connector=wanted(connector), tasks=chosen))
            return self._state_info(
                name,
                restarting(connector) if wanted(connector) else connector,
                {number: restarting(status) if number in chosen else status for number, status in tasks.items()},
            )

        return self._ask(act, f"restarting connector {name}")

    def restart_task(self, name: str, task: int) -> None:
        """Before this returns. Raises: RequestError: 404; 409 for a task that a stopped connector had."""

        def act() -> None:
            if name not in self._configs:
                raise RequestError(404, f"Unknown connector: {name}")
            if not self._configs.has_task_record(name, task):
                raise RequestError(404, f"Unknown task: {name}-{task}")
            if task >= len(self._configs.tasks(name)):
                raise RequestError(409, NO_LEADER)
            self._life.restart_task(name, task)

        self._ask(act, f"restarting task {name}-{task}")

    def signal(self, name: str, signal: Mapping[str, Any]) -> None:
        """Returns when the source has carried it out and saved what it changed.

        Raises: RequestError: 404; 409 when no task runs that takes it; 504 when that is not known in time.
        """
        if name not in self._configs:
            raise RequestError(404, f"Unknown connector: {name}")
        plugin = self.plugins.find((self._configs.config(name) or {}).get("connector.class", "").strip(), Kind.SOURCE)
        if plugin is None or not plugin.load().takes_signals:
            raise RequestError(409, f"Connector {name} takes no signals; the MySQL source does")
        if self._cluster is not None and (url := self._cluster.url_of(TaskId(name, 0))) is not None:
            raise Elsewhere(url)
        try:
            known = self._tasks.signal_task(TaskId(name, 0), json.dumps(signal), _SIGNAL_S)
        except KeyError:
            raise RequestError(409, f"Connector {name} has no running task to signal; start or resume it") from None
        except ValueError as error:
            raise RequestError(409, f"{error}; start or resume connector {name}") from error
        if not known:
            raise RequestError(
                504, f"The signal was handed to connector {name} but not carried out within {_SIGNAL_S:.0f} s; it may "
                "still be, unless the task restarts meanwhile: look at its status before sending it again",
            )  # fmt: skip

    def reset_topics(self, name: str) -> None:
        if not self._settings.track_topics:
            raise RequestError(403, "Topic tracking is disabled.")
        if not self._settings.reset_topics:
            raise RequestError(403, "Topic tracking reset is disabled.")
        self._wait_ready()
        self._ask(lambda: self._statuses.reset_topics(name), f"resetting the topics of {name}")

    def set_level(self, namespace: str, level: str) -> list[str]:
        """The level of a logger, here and in the task processes of this worker; what changed by it."""
        changed = loggers.set_level(namespace, level, _now_ms())
        for name in changed:
            self._tasks.set_level("" if name == "root" else name, loggers.LEVELS[level])
        return changed

    def _told_level(self, namespace: str, level: str) -> None:
        """A level that was set for all workers of the group."""
        if level.upper() in loggers.LEVELS:
            self.set_level(namespace, level.upper())

    def store_level(self, namespace: str, level: str) -> None:
        """Tells a level to every worker of the group."""
        self._wait_ready()
        self._turns.now(lambda: self._configs.put_logger(namespace, level), "setting a log level")

    # Offsets

    def offsets(self, name: str) -> list[dict[str, Any]]:
        config = self._config(name)
        if self._type(config) == "sink":
            group = offsets.sink_group(name, self._providers.resolve(config))
            return self._turns.now(lambda: offsets.sink_view(self._log, group), f"reading the offsets of {name}")
        return self._turns.now(lambda: offsets.source_view(self._log, name), f"reading the offsets of {name}")

    def alter_offsets(self, name: str, body: Mapping[str, Any]) -> str:
        """The message of the answer. Raises: RequestError: 400, 404, 500."""
        asked = offsets.requested(body)
        return self._ask(lambda: self._change_offsets(name, asked), f"altering the offsets of {name}")

    def reset_offsets(self, name: str) -> str:
        return self._ask(lambda: self._change_offsets(name, None), f"resetting the offsets of {name}")

    def _change_offsets(self, name: str, asked: Sequence[Mapping[str, Any]] | None) -> str:
        """`asked` None: all of them away."""
        config = self._config(name)
        if self._configs.target(name) is not Target.STOPPED or self._configs.tasks(name):
            raise RequestError(
                400,
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                f"the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint",
            )
        connector = self._validator.plugin(config).load()
        if isinstance(connector, SinkConnector):
            self._change_sink(name, offsets.sink_group(name, self._providers.resolve(config)), asked)
        else:
            self._change_source(name, connector, self._providers.resolve(config), asked)
        return offsets.changed("reset" if asked is None else "altered", whole=connector.knows_offsets)

    def _change_sink(self, name: str, group: str, asked: Sequence[Mapping[str, Any]] | None) -> None:
        if asked is None:
            offsets.reset_sink(self._log, name, group)
        else:
            offsets.alter_sink(self._log, name, group, offsets.sink_offsets(asked))

    def _change_source(
        self, name: str, connector: SourceConnector, config: Mapping[str, str],
        asked: Sequence[Mapping[str, Any]] | None,
    ) -> None:  # fmt: skip
        wanted = offsets.forgotten(self._log, name) if asked is None else offsets.source_offsets(asked)
        connector.check_offsets(config, wanted)
        self._log.save_source_offsets(name, wanted)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _outage(view: TaskView) -> dict[str, str]:
    if view.waiting_for is None or view.waiting_since is None:
        return {}
    since = datetime.fromtimestamp(view.waiting_since / 1000, UTC).isoformat(timespec="seconds")
    return {"waiting_for": view.waiting_for, "waiting_since": since.replace("+00:00", "Z")}


def _used(view: TaskView) -> dict[str, Any]:
    figures = view.figures
    return {"pid": view.pid, "restarts": view.restarts, "cpu_seconds": figures.get("cpu_s"),
            "memory_bytes": figures.get("memory")}  # fmt: skip


def _stalled(view: TaskView) -> bool:
    return view.state == State.RUNNING.value and not view.healthy and not view.waiting_for


def _state(status: Status) -> dict[str, Any]:
    """A status as REST shows it: a trace only when there is one."""
    shown = {"state": status.state.value, "worker_id": status.worker_id, "version": status.version}
    return {**shown, "trace": status.trace} if status.trace else shown
