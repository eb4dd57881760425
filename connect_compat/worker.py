"""Task processes: started, told to pause, resume and stop, watched, and started again when they die.

Specs and orders go in from any thread; states come out through callbacks, figures through `view` and `health`.
One thread supervises: it alone starts, reads and buries the processes. No connector code runs here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from connect_compat.task_child import Child
from connect_compat.task_spec import TaskSpec
from connect_compat.task_start import Starter

__all__ = ["Limits", "TaskId", "TaskSpec", "TaskView", "Worker"]

log = logging.getLogger(__name__)

RUNNING, PAUSED, FAILED = "RUNNING", "PAUSED", "FAILED"
RESTARTING, UNASSIGNED = "RESTARTING", "UNASSIGNED"
_WARNINGS = 10
_LOOK_S = 0.05
_RENEW_S = 1.0
_PASSING = "connect_compat.retry"
"""The logger of outages, which `waiting_for` tells while they last."""


class TaskId(NamedTuple):
    connector: str
    task: int

    def __str__(self) -> str:
        return f"{self.connector}-{self.task}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How patient the supervisor is, in seconds.

    Attributes:
        graceful_s: from the order to stop until the process is killed.
        first_restart_s, longest_restart_s: back-off before a dead task is started again; doubles in between.
        stable_s: a task that lived this long, or carried records, begins again with the shortest back-off.
        still_s: without any progress for this long a task is unhealthy.
        silent_s: without any heartbeat for this long a process is killed and started again.
        lease_s: a task that has not heard of this worker for this long ends itself, for another worker may have it by
            then; None: no other worker can.
        memory: bytes a process may have in memory, or it is killed and started again; None: no limit.
    """

    graceful_s: float = 5.0
    first_restart_s: float = 1.0
    longest_restart_s: float = 60.0
    stable_s: float = 60.0
    still_s: float = 30.0
    silent_s: float = 60.0
    lease_s: float | None = None
    memory: int | None = None


class OnStatus(Protocol):
    """Told each change of a task's state, in order; called by the supervising thread: be quick, call no Worker method.

    `state` is Kafka Connect's; `trace` says why (message first, then the trace) for FAILED and RESTARTING; `extra` has
    `restarts`, and for RESTARTING `restart_in_s`.
    """

    def __call__(self, connector: str, task: int, state: str, trace: str | None, extra: Mapping[str, Any]) -> None: ...


OnTopics = Callable[[str, int, Sequence[str]], None]
"""Told the topics that a task uses, when there are new ones: connector, task, only the new ones."""


@dataclass(frozen=True)
class TaskView:
    """What is known of a task now.

    Attributes:
        healthy: false with `reason` when it failed, waits to be restarted, or has made no progress for 30 s.
        waiting_for, waiting_since: the outage it waits through, and since when (milliseconds since 1970).
        figures: the last heartbeat: `counters`, `backlog`, `report`, `topics`.
        warnings: what the task warned of since its process started, without repetitions, the newest last.
    """

    id: TaskId
    state: str
    trace: str | None
    restarts: int
    pid: int | None
    healthy: bool
    reason: str | None
    waiting_for: str | None
    waiting_since: int | None
    figures: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass
class _Task:
    """One task as the supervisor knows it; guarded by the worker's lock."""

    spec: TaskSpec
    paused: bool
    next_start: float
    state: str = UNASSIGNED
    trace: str | None = None
    child: Child | None = None
    failure: tuple[str, bool] | None = None
    started_at: float = 0.0
    heard_at: float = 0.0
    orders: int = 0
    restarts: int = 0
    backoff_step: int = 0
    stopping: bool = False
    kill_at: float = 0.0
    killed: str | None = None
    reloads: bool = False
    figures: dict[str, Any] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    warnings: deque[str] = field(default_factory=lambda: deque(maxlen=_WARNINGS))
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def id(self) -> TaskId:
        return TaskId(self.spec.connector, self.spec.task)


class Worker:
    """The tasks of this machine. All methods may be called from any thread but the callbacks'."""

    def __init__(
        self, on_status: OnStatus, on_topics: OnTopics = lambda *_: None, *, limits: Limits | None = None
    ) -> None:
        self._on_status, self._on_topics = on_status, on_topics
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._tasks: dict[TaskId, _Task] = {}
        self._levels: dict[str, int] = {}
        self._closed = False
        self._renewed_at = 0.0
        self._starter = Starter()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = os.pipe()
        os.set_blocking(self._wake_out, False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._supervise, name="task-supervisor", daemon=True)
        self._thread.start()

    # Orders

    def start_task(self, spec: TaskSpec, *, paused: bool = False) -> None:
        """Returns at once; RUNNING or PAUSED is reported when its process is up. Raises: ValueError: it is there."""
        task = _Task(spec, paused, next_start=time.monotonic())
        with self._lock:
            if self._closed or task.id in self._tasks:
                raise ValueError(f"task {task.id} is started already" if not self._closed else "the worker is closed")
            self._tasks[task.id] = task
        self._wake()

    def stop_tasks(self, ids: Iterable[TaskId]) -> None:
        """Stops and forgets them; returns when their processes are gone, killed after `graceful_s` if need be.

        Unknown ids are passed over. UNASSIGNED is reported before this returns.
        """
        with self._lock:
            tasks = [self._tasks[each] for each in ids if each in self._tasks]
            for task in tasks:
                self._ask_to_stop(task)
        if tasks:
            self._wake()
        for task in tasks:
            task.gone.wait()

    def ask_to_stop(self) -> None:
        """Every task begins to end; nobody waits for it. For a worker's own end."""
        with self._lock:
            for task in self._tasks.values():
                self._ask_to_stop(task)
        self._wake()

    def _ask_to_stop(self, task: _Task) -> None:
        if not task.stopping:
            task.stopping = True
            task.kill_at = time.monotonic() + self._limits.graceful_s
            if task.child is not None:
                task.child.order(do="stop")

    def restart_task(self, which: TaskId) -> None:
        """Reports RESTARTING, stops the task, starts it anew with the same spec. Raises: KeyError: there is no such."""
        with self._lock:
            task = self._tasks[which]
        self._on_status(which.connector, which.task, RESTARTING, None, {"restarts": task.restarts})
        self.stop_tasks([which])
        self.start_task(task.spec, paused=task.paused)

    def pause_task(self, which: TaskId) -> None:
        """PAUSED is reported when the task has paused. Raises: KeyError: there is no such task."""
        self._set_paused(which, paused=True)

    def resume_task(self, which: TaskId) -> None:
        self._set_paused(which, paused=False)

    def _set_paused(self, which: TaskId, *, paused: bool) -> None:
        with self._lock:
            task = self._tasks[which]
            task.paused = paused
            if task.child is not None:
                task.child.order(do="pause" if paused else "resume")

    def signal_task(self, which: TaskId, signal: str, timeout_s: float) -> bool:
        """Hands a signal (JSON) to a source; True when it is carried out and what it changed is saved.

        False: it was not within the time, and the task may have died with it. Raises: KeyError: there is no such task;
        ValueError, with the reason: it does not run.
        """
        with self._lock:
            task = self._tasks[which]
            if task.child is None or task.state != RUNNING:
                raise ValueError(f"task {which} is {task.state}, so nothing takes the signal")
            child = task.child
            task.orders += 1
            number = task.orders
            child.order(do="signal", number=number, signal=signal)
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and task.child is child:
            if task.figures.get("orders", 0) >= number:
                return True
            time.sleep(_LOOK_S)
        return False

    def set_level(self, logger: str, level: int) -> None:
        """The level of a logger in every task process, now and later; an empty name is the root's."""
        with self._lock:
            self._levels[logger] = level
            for task in self._tasks.values():
                if task.child is not None:
                    task.child.order(level=[logger, level])

    def close(self) -> None:
        """Stops every task, all within `graceful_s`, and ends the supervision."""
        with self._lock:
            self._closed = True
        self.stop_tasks(self.ids())
        if self._thread.is_alive():
            self._wake()
            self._thread.join()
            os.close(self._wake_in)
            os.close(self._wake_out)

    # What is known

    def ids(self) -> list[TaskId]:
        with self._lock:
            return list(self._tasks)

    def view(self, which: TaskId) -> TaskView:
        """Raises: KeyError: there is no such task."""
        with self._lock:
            return self._view(self._tasks[which])

    def health(self) -> list[TaskView]:
        """Every task; the worker is healthy when all of them are."""
        with self._lock:
            return [self._view(task) for task in self._tasks.values()]

    def _view(self, task: _Task) -> TaskView:
        figures = task.figures
        reason = self._complaint(task)
        return TaskView(
            task.id,
            task.state,
            task.trace,
            task.restarts,
            task.child.pid if task.child else None,
            reason is None,
            reason,
            figures.get("waiting_for"),
            figures.get("waiting_since"),
            figures,
            tuple(task.warnings),
        )

    def _complaint(self, task: _Task) -> str | None:
        """Why the task is unhealthy, in one line; None when it is well."""
        if task.state in (FAILED, RESTARTING):
            return (task.trace or task.state).partition("\n")[0]
        if task.child is None or not task.figures or task.paused:
            return None
        still = task.figures["still_s"] + time.monotonic() - task.heard_at
        if still < self._limits.still_s:
            return None
        if waiting := task.figures["waiting_for"]:
            return f"waiting for {still:.0f} s: {waiting}"
        backlog = task.figures["backlog"]
        return f"no progress for {still:.0f} s" + (f" with a backlog of {backlog} records" if backlog else "")

    # Supervision: only the supervising thread from here on

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is awake already
            os.write(self._wake_out, b"w")

    def _supervise(self) -> None:
        while True:
            for key, _ in self._selector.select(self._next_timer()):
                if key.data is None:
                    os.read(self._wake_in, 4096)
                else:
                    self._hear(key.data)
            with self._lock:
                tasks = list(self._tasks.values())
                if self._closed and not tasks:
                    break
            self._renew_leases(tasks)
            self._keep_times(tasks)
        self._selector.close()
        self._starter.close()

    def _next_timer(self) -> float | None:
        """Seconds until something is due; None when only a message can matter."""
        with self._lock:
            times = [self._due(task) for task in self._tasks.values()]
        if times and self._limits.lease_s is not None:
            times.append(self._renewed_at + _RENEW_S)
        soonest = min((each for each in times if each is not None), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def _renew_leases(self, tasks: Sequence[_Task]) -> None:
        """Each second. After a standstill of this worker the tasks from before get no more: others may have them."""
        lease_s, now = self._limits.lease_s, time.monotonic()
        if lease_s is None or now - self._renewed_at < _RENEW_S:
            return
        for task in tasks:
            if task.child is not None and now - task.child.leased_at <= lease_s:
                task.child.lease(lease_s)
        self._renewed_at = now

    def _due(self, task: _Task) -> float | None:
        if task.child is None:
            return 0.0 if task.stopping else None if task.state == FAILED else task.next_start
        if task.killed:
            return None
        return task.kill_at if task.stopping else task.heard_at + self._limits.silent_s

    def _keep_times(self, tasks: Sequence[_Task]) -> None:
        """What is due. One start in a call: many in a row would be time in which nobody hears or renews anything."""
        now = time.monotonic()
        for task in tasks:
            due = self._due(task)
            if due is None or now < due:
                continue
            if task.child is None and not task.stopping:
                self._start(task)
                return
            self._end_late(task)

    def _end_late(self, task: _Task) -> None:
        if task.child is None:
            self._bury(task)
        else:
            silent = f"gave no sign of life for {self._limits.silent_s:.0f} s"
            self._kill(task, "did not stop in time" if task.stopping else silent)

    def _kill(self, task: _Task, why: str) -> None:
        log.error("Task %s %s and is killed", task.id, why)
        task.killed = why
        if task.child is not None:
            task.child.kill()

    def _start(self, task: _Task) -> None:
        try:
            if self._starter.ready(task.spec):
                self._start_now(task)
            else:
                task.next_start = time.monotonic() + _LOOK_S
        except OSError as error:  # no memory, no more processes or files: as good as a death at birth
            self._start_later(task, f"the process of task {task.id} could not be started: {error}")

    def _start_now(self, task: _Task) -> None:
        """Raises: OSError."""
        with self._lock:
            task.failure, task.killed, task.reloads = None, None, False
            task.started_at = time.monotonic()
            task.figures = {}
            task.warnings.clear()
            paused, levels = task.paused, {"": logging.getLogger().level, **self._levels}
        child = Child(self._starter, task.spec, levels, paused=paused)
        if self._limits.lease_s is not None:
            child.lease(self._limits.lease_s)
        with self._lock:
            task.child, task.heard_at = child, time.monotonic()
            if task.paused is not paused:
                child.order(do="pause" if task.paused else "resume")
            for name, level in self._levels.items() - levels.items():
                child.order(level=[name, level])
            if task.stopping:
                child.order(do="stop")
        self._selector.register(child, selectors.EVENT_READ, task)

    def _hear(self, task: _Task) -> None:
        assert task.child is not None
        try:
            messages = task.child.messages()
            for message in messages or ():
                self._take(task, message)
        except Exception:
            log.exception("Task %s said what cannot be read", task.id)
            self._kill(task, "said what cannot be read")
            return
        if messages is None:
            self._ended(task)

    def _take(self, task: _Task, message: dict[str, Any]) -> None:
        match message.pop("type"):
            case "started":
                if not task.paused:
                    self._report(task, RUNNING)
            case "beat":
                self._beat(task, message)
            case "failed":
                task.failure = message["trace"], message["retriable"]
            case "reload":
                task.reloads = True
            case "log":
                self._keep_warning(task, message)
                _relay(task, message)

    def _keep_warning(self, task: _Task, message: Mapping[str, Any]) -> None:
        text = message["message"]
        if message["level"] == logging.WARNING and message["name"] != _PASSING and text not in task.warnings:
            with self._lock:
                task.warnings.append(text)

    def _beat(self, task: _Task, figures: dict[str, Any]) -> None:
        with self._lock:
            task.figures = figures
            task.heard_at = time.monotonic()
        most = self._limits.memory
        if most is not None and figures.get("memory", 0) > most and not task.killed:
            self._kill(
                task, f"has {figures['memory'] >> 20} MB in memory, more than tailrace.task.memory.max.mb={most >> 20},"
            )
        if task.state in (RUNNING, PAUSED) or figures["paused"]:
            self._report(task, PAUSED if figures["paused"] else RUNNING)
        new = [topic for topic in figures["topics"] if topic not in task.topics]
        if new:
            task.topics.update(new)
            self._on_topics(task.spec.connector, task.spec.task, new)

    def _ended(self, task: _Task) -> None:
        """Its process is gone: forgotten if that was asked for, else failed for good or started again later."""
        assert task.child is not None
        self._selector.unregister(task.child)
        how, leased_at = task.child.end(), task.child.leased_at
        with self._lock:
            task.child = None
        if task.stopping:
            self._bury(task)
            return
        if task.reloads and task.failure is None:
            with self._lock:
                task.reloads, task.next_start = False, time.monotonic()
            return
        unheard_s, lease_s = time.monotonic() - leased_at, self._limits.lease_s
        lapsed = lease_s is not None and unheard_s > lease_s
        if lapsed:
            how += f", as it must when it has not heard of its worker, which stood still for {unheard_s:.1f} s"
        trace, retriable = task.failure or (self._death(task, how), True)
        if not retriable:
            log.error("Task %s failed: %s", task.id, trace.partition("\n")[0])
            self._report(task, FAILED, trace)
            return
        self._start_later(task, trace, least_s=lease_s if lapsed and lease_s else 0.0)

    def _start_later(self, task: _Task, trace: str, least_s: float = 0.0) -> None:
        """`least_s`: not sooner, for another worker may have the task, and this one has yet to hear of it."""
        limits = self._limits
        if task.figures.get("carried") or time.monotonic() - task.started_at >= limits.stable_s:
            task.backoff_step = 0
        delay = max(least_s, min(limits.first_restart_s * 2.0**task.backoff_step, limits.longest_restart_s))
        with self._lock:
            task.next_start = time.monotonic() + delay
            task.backoff_step = min(task.backoff_step + 1, 20)
            task.restarts += 1
        log.warning("Task %s starts again in %.0f s: %s", task.id, delay, trace.partition("\n")[0])
        self._report(task, RESTARTING, trace, restart_in_s=delay)

    def _death(self, task: _Task, how: str) -> str:
        why = f"; it {task.killed}" if task.killed else ""
        return f"the process of task {task.id} {how}{why}. It starts again from the last saved offsets; nothing is lost"

    def _bury(self, task: _Task) -> None:
        self._report(task, UNASSIGNED)
        with self._lock:
            self._tasks.pop(task.id, None)
        task.gone.set()

    def _report(self, task: _Task, state: str, trace: str | None = None, **extra: Any) -> None:
        if (state, trace) == (task.state, task.trace):
            return
        with self._lock:
            task.state, task.trace = state, trace
        try:
            self._on_status(task.spec.connector, task.spec.task, state, trace, {"restarts": task.restarts, **extra})
        except Exception:
            log.exception("The state %s of task %s could not be reported", state, task.id)


def _relay(task: _Task, message: Mapping[str, Any]) -> None:
    """A log record of a task process, as if it had been logged here; it carries the task's name."""
    logger = logging.getLogger(message["name"])
    if logger.isEnabledFor(message["level"]):
        name, level, text = message["name"], message["level"], message["message"]
        extra = {"connector": task.spec.connector, "task": task.spec.task}
        logger.handle(logger.makeRecord(name, level, "", 0, text, (), None, extra=extra))
