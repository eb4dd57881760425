"""A task's own process: its spec on stdin, one line of JSON; then it runs, and tells its supervisor over stdout.

    in   the spec; then {"do": "stop" | "pause" | "resume" | "signal", …}, {"level": [logger, level]} or
         {"lease": until}, monotonic seconds at which the process ends itself unless there is a later one; the end of
         stdin means that the worker is gone, and the process ends at once, so that no orphan writes (on Linux the
         kernel kills it)
    out  {"type": "started"}, {"type": "beat", …} each second and at each change, {"type": "log", …}, {"type": "reload"}
         before it ends to be started with other values of config providers,
         and last {"type": "stopped"} or {"type": "failed", "trace": …, "retriable": …}

Forked by task_forker.py, or started as `python -c` where no Linux is, not through multiprocessing: nothing of the
worker's `__main__` is imported here, no resource tracker runs beside it, and a task imports only what its own connector
needs.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import json
import logging
import os
import re
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from cdc.config import parse
from cdc.connector import SourceConnector
from cdc.errors import LogUnavailable
from cdc.record import SourceContext
from connect_compat import sink_task, source_task
from connect_compat.connector_config import ErrorKeys, SinkKeys, with_prefix
from connect_compat.dead_letters import DeadLetters, Origin
from connect_compat.freed_memory import FreedMemory
from connect_compat.log import Log, open_log
from connect_compat.masking import secrets_of, text_without
from connect_compat.pipeline import SinkPipeline, SourcePipeline, TaskPlugins
from connect_compat.progress import Control
from connect_compat.providers import await_change, providers
from connect_compat.retry import may_help_to_restart
from connect_compat.signal_topic import SignalTopic
from connect_compat.task_spec import TaskSpec
from connect_compat.topic_creation import topic_creation

_log = logging.getLogger(__name__)
BEAT_S: Final = 1.0
_FLUSH_S: Final = 1.0
_LOOK_S: Final = 2.0
"""Between two looks at what config providers give."""
_UNREAD_S: Final = 0.3
_PR_SET_PDEATHSIG: Final = 1
_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = resource.getpagesize()


class _Supervisor:
    """The worker at the other end of stdout. Lines are written whole, from any thread."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._lock = threading.Lock()

    def tell(self, kind: str, **rest: Any) -> None:
        line = json.dumps({"type": kind, **rest}, default=str).encode() + b"\n"
        try:
            with self._lock:
                self._out.write(line)
                self._out.flush()
        except OSError:
            os._exit(1)


class _Forward(logging.Handler):
    """Log records to the worker, which writes all logs in one form; secrets are masked on the way."""

    def __init__(self, supervisor: _Supervisor, masked: Callable[[str], str]) -> None:
        super().__init__()
        self._supervisor, self._masked = supervisor, masked

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        self._supervisor.tell("log", name=record.name, level=record.levelno, message=self._masked(text))


class _Secrets:
    """The values that must not leave this process in a text."""

    def __init__(self) -> None:
        self._values: list[str] = []

    def learn(self, config: Mapping[str, str]) -> None:
        self._values = secrets_of(config)

    def masked(self, text: str) -> str:
        return text_without(text, self._values)


def main() -> NoReturn:
    """Runs the task that stdin describes; the exit status is 0 after a graceful stop."""
    faulthandler.enable()
    die_with_the_worker()
    supervisor = _Supervisor(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    control, secrets = Control(), _Secrets()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: control.stop.set())
    first = json.loads(sys.stdin.buffer.readline() or b"{}")
    if not first:
        os._exit(1)
    root = logging.getLogger()
    root.addHandler(_Forward(supervisor, secrets.masked))
    _structlog_through_logging()
    _set_levels(first["levels"])
    if first["paused"]:
        control.pause.set()
    threading.Thread(target=_obey, args=(control,), daemon=True, name="orders").start()
    threading.Thread(target=_beat, args=(control, supervisor), daemon=True, name="heartbeat").start()
    status = _run(TaskSpec.from_json(first["spec"]), control, supervisor, secrets)
    sys.stderr.flush()
    os._exit(status)


def die_with_the_worker() -> None:
    """Asks Linux for SIGKILL when the worker's supervising thread ends: a stopped or stuck process dies too.

    A worker that is gone already is told by the end of stdin. Source: prctl(2), `PR_SET_PDEATHSIG`.
    """
    with contextlib.suppress(OSError, AttributeError):  # no Linux: the end of stdin alone must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _structlog_through_logging() -> None:
    """structlog would import rich, were it there, to draw traces nobody sees here: 5 MB in each task process."""
    sys.modules["rich"] = None  # type: ignore[assignment]
    from connect_compat import console

    console.through_logging()


def _run(spec: TaskSpec, control: Control, supervisor: _Supervisor, secrets: _Secrets) -> int:
    try:
        known = providers(spec.worker)
        config = known.resolve(spec.config)
        secrets.learn({**spec.worker, **spec.log.client, **config})
        if config != spec.config and config.get("config.action.reload", "restart").strip().lower() != "none":
            resolve = partial(known.resolve, spec.config)
            threading.Thread(target=_reload, args=(resolve, config, control, supervisor), daemon=True).start()
        module, _, function = spec.builder.partition(":")
        plugins: TaskPlugins = getattr(importlib.import_module(module), function)(config)
        gc.freeze()
        with closing(open_log(spec.log)) as log:
            start = _source if isinstance(plugins.connector, SourceConnector) else _sink
            start(spec, config, plugins, log, control, supervisor)
    except Exception as error:
        trace = f"{error}\n\n{traceback.format_exc()}"
        supervisor.tell("beat", **_figures(control))
        supervisor.tell("failed", trace=secrets.masked(trace), retriable=may_help_to_restart(error))
        return 1
    supervisor.tell("beat", **_figures(control))
    supervisor.tell("stopped")
    return 0


def _reload(
    resolve: Callable[[], Mapping[str, str]], config: Mapping[str, str], control: Control, supervisor: _Supervisor
) -> None:
    """Ends this process gracefully when a config provider gives another value; the worker starts the next at once."""
    changed = await_change(resolve, config, _LOOK_S)
    _log.warning("config providers give other values for %s; the task starts again with them", ", ".join(changed))
    supervisor.tell("reload")
    control.stop.set()


def _source(
    spec: TaskSpec, config: Mapping[str, str], plugins: TaskPlugins, log: Log, control: Control, supervisor: _Supervisor
) -> None:
    connector = plugins.connector
    assert isinstance(connector, SourceConnector)
    context = SourceContext(
        spec.connector, spec.task, source_task.LogTopics(log), control.progress.report, control.orders,
        lambda topic, group, client: SignalTopic(log, topic, group, spec.connector, client),
    )  # fmt: skip
    creates = spec.worker.get("topic.creation.enable", "true").strip().lower() != "false"
    task = source_task.SourceTask(
        spec.connector,
        spec.task,
        log,
        lambda: connector.build(config, context),
        SourcePipeline(plugins, parse(ErrorKeys, config), control),
        topic_creation(config) if creates else None,
        {**spec.log.producer, **with_prefix(config, "producer.override.")},
        _flush_s(spec.worker),
    )
    supervisor.tell("started")
    source_task.run(task, control)


def _sink(
    spec: TaskSpec, config: Mapping[str, str], plugins: TaskPlugins, log: Log, control: Control, supervisor: _Supervisor
) -> None:
    connector = plugins.connector
    assert not isinstance(connector, SourceConnector)
    keys = parse(SinkKeys, config)
    client = {**spec.log.consumer, **with_prefix(config, "consumer.override.")}
    group = client.pop("group.id", f"connect-{spec.connector}")
    max_records = int(client.pop("max.poll.records", sink_task.MAX_RECORDS))
    letters = DeadLetters(
        log, Origin(spec.connector, spec.task), keys, control.progress,
        {**spec.log.producer, **with_prefix(config, "producer.override.")},
    )  # fmt: skip
    pipeline = SinkPipeline(plugins, parse(ErrorKeys, config), control)
    commit_s = 0.0 if spec.log.path is not None else _flush_s(spec.worker)
    with (
        closing(letters),
        closing(connector.build(config)) as sink,
        closing(log.reader(group, keys.topics, keys.topics_regex or None, client)) as reader,
    ):
        supervisor.tell("started")
        _tell_missing(log, keys)
        sink_task.run(sink_task.SinkTask(reader, pipeline, sink, letters, max_records, commit_s), control)


def _tell_missing(log: Log, keys: SinkKeys) -> None:
    """Warns of topics that are not there: nothing to read, now or for ever."""
    try:
        known = log.topics()
    except LogUnavailable:  # the reader waits for it
        return
    missing = [topic for topic in keys.topics if topic not in known]
    if keys.topics_regex and not any(re.fullmatch(keys.topics_regex, topic) for topic in known):
        missing.append(keys.topics_regex)
    if missing:
        _log.warning(
            "topics: at the start of the task no topic was named %s; each is read from its beginning as soon as it is "
            "there, so correct topics only if that is not its name", " or ".join(missing),
        )  # fmt: skip


def _flush_s(worker: Mapping[str, str]) -> float:
    return min(_FLUSH_S, int(worker.get("offset.flush.interval.ms", "60000")) / 1000)


def _obey(control: Control) -> None:
    """Orders of the worker, until it is gone."""
    lease = _Lease()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        match order.get("do"):
            case "stop":
                control.stop.set()
            case "pause":
                control.pause.set()
            case "resume":
                control.pause.clear()
            case "signal":
                control.orders.put(order["number"], order["signal"])
            case None if "lease" in order:
                lease.renew(order["lease"])
            case _:
                _set_levels(dict([order["level"]]))
    os._exit(1)


def _resident() -> int:
    """Bytes of this process in memory; 0 where nobody tells."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE
    except OSError:
        return 0


class _Lease:
    """Ends the process when the worker has said nothing for too long: another may have this task by then."""

    def __init__(self) -> None:
        self._ends: float | None = None

    def renew(self, until: float) -> None:
        first, self._ends = self._ends is None, until
        if first:
            threading.Thread(target=self._watch, daemon=True, name="lease").start()

    def _watch(self) -> None:
        assert self._ends is not None
        while True:
            while (left := self._ends - time.monotonic()) > 0:
                time.sleep(left)
            time.sleep(_UNREAD_S)  # this process may have been stopped, and has not read what it was told meanwhile
            if self._ends <= time.monotonic():
                os._exit(1)


def _set_levels(levels: Mapping[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name or None).setLevel(level)


def _beat(control: Control, supervisor: _Supervisor) -> None:
    changed, freed = control.progress.changed, FreedMemory()
    while True:
        changed.wait(BEAT_S)
        changed.clear()
        freed.look(sum(control.progress.counters.copy().values()))
        supervisor.tell("beat", **_figures(control))
        time.sleep(BEAT_S / 20)


def _figures(control: Control) -> dict[str, Any]:
    progress = control.progress
    waiting = progress.waiting
    return {
        "counters": dict(progress.counters),
        "report": dict(progress.report),
        "topics": list(progress.topics.copy()),
        "backlog": progress.backlog,
        "paused": progress.paused,
        "carried": progress.carried,
        "orders": control.orders.carried_out,
        "cpu_s": round(time.process_time(), 2),
        "memory": _resident(),
        "still_s": round(time.monotonic() - progress.moved_at, 1),
        "waiting_for": waiting.what if waiting else None,
        "waiting_since": waiting.since_ms if waiting else None,
    }
