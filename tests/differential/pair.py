"""Both workers on one database server: runs scenarios side by side and compares what was written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from connect_compat.log import Log, LogSettings, open_log
from services import connect
from tests.differential.compare import Difference, Events, differences
from tests.differential.servers import DATABASES, Scenario, Servers
from tests.server.golden_case import recorded
from tests.server.lane import free_port
from tests.server.worker_process import WorkerProcess


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    failures: what made the tasks fail, or what they did not do in time: Debezium's and ours; None where all went well.
    records: how many Debezium wrote.
    """

    scenario: Scenario
    found: list[Difference]
    failures: tuple[str | None, str | None]
    records: int

    @property
    def differs(self) -> bool:
        """A statement that both refuse is no difference, and neither is what they wrote until then."""
        theirs, ours = self.failures
        return bool(self.found) if theirs is None and ours is None else (theirs is None) != (ours is None)

    @property
    def failed_on_both_sides(self) -> bool:
        return None not in self.failures


class Pair:
    """A server that is run on is one that nobody else uses meanwhile: history records name every database."""

    def __init__(self, folder: Path, kafka: str) -> None:
        self._kafka = kafka
        self._peer_folder, self._peer_port = folder / "peer", free_port()
        self._ours = WorkerProcess(folder / "ours", "differential", None)
        self._urls = (f"http://127.0.0.1:{self._peer_port}", self._ours.url)

    @contextmanager
    def running(self) -> Iterator[Pair]:
        connect.start(self._peer_folder, self._peer_port, self._kafka, jvm=connect.SMALL_JVM)
        try:
            self._ours.start()
            yield self
        finally:
            self._ours.close()
            connect.stop(self._peer_folder)

    def run(self, servers: Servers, scenarios: Sequence[Scenario]) -> list[Outcome]:
        """All at the same time on the same server."""
        run = f"{time.time_ns() // 1_000_000 % 10**9:x}"
        prefixes = {scenario.name: f"{scenario.name}.{run}" for scenario in scenarios}
        names = list(prefixes.values())
        watch = servers.watch()
        watch.drop_databases(DATABASES)
        sessions = {scenario.name: servers.session(scenario) for scenario in scenarios}
        try:
            for scenario in scenarios:
                scenario.setup(sessions[scenario.name])
            readers = watch.log_readers()
            for scenario in scenarios:
                self._create(servers, scenario, prefixes[scenario.name])
            steady = _Steady(watch.log_readers)
            streaming = _until(lambda: len(steady.now() - readers) + self._failed(names) >= 2 * len(names), 180)
            assert streaming, "not every connector streams or has failed after 180 s"
            with ThreadPoolExecutor(len(scenarios) if servers.apart else 1) as writers:
                list(writers.map(lambda scenario: _run(scenario, sessions[scenario.name]), scenarios))
            return self._outcomes(scenarios, prefixes)
        finally:
            for session in (*sessions.values(), watch):
                session.close()
            self._forget(names)

    def _create(self, servers: Servers, scenario: Scenario, prefix: str) -> None:
        for side, url in enumerate(self._urls):
            config = {**servers.config(scenario, prefix, side, self._kafka), **self._config(scenario, prefix)}
            answer = requests.put(f"{url}/connectors/{prefix}/config", json=config, timeout=120)
            assert answer.status_code in (200, 201), f"{url} says {answer.text} to {config}"

    def _config(self, scenario: Scenario, prefix: str) -> dict[str, str]:
        return {
            "topic.prefix": prefix,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "poll.interval.ms": "50",
            **scenario.options,
        }

    def _failed(self, names: Sequence[str]) -> int:
        return sum(self._failure(url, name) is not None for url in self._urls for name in names)

    def _failure(self, url: str, name: str) -> str | None:
        status = requests.get(f"{url}/connectors/{name}/status", timeout=30).json()
        traces = [part.get("trace") for part in (status.get("connector", {}), *status.get("tasks", []))]
        return next((trace for trace in traces if trace), None)

    def _logs(self) -> tuple[Log, Log]:
        theirs = LogSettings(client={"bootstrap.servers": self._kafka})
        return open_log(theirs), open_log(LogSettings(path=str(self._ours.folder / "data")))

    def _outcomes(self, scenarios: Sequence[Scenario], prefixes: dict[str, str]) -> list[Outcome]:
        written: list[Events] = []
        failures: list[list[str | None]] = []
        for url, log in zip(self._urls, self._logs(), strict=True):
            failures.append([self._end(log, scenario, url, prefixes[scenario.name]) for scenario in scenarios])
            written.append(recorded(log, tuple(prefixes.values())))
            log.close()
        outcomes = []
        for number, scenario in enumerate(scenarios):
            prefix = prefixes[scenario.name]
            theirs, ours = ({t: r for t, r in events.items() if t.startswith(prefix)} for events in written)
            others = frozenset(name for other in scenarios if other is not scenario for name in other.databases)
            found = list(differences(theirs, ours, history=f"{prefix}-history", others=others))
            failed = (failures[0][number], failures[1][number])
            outcomes.append(Outcome(scenario, found, failed, sum(map(len, theirs.values()))))
        return outcomes

    def _end(self, log: Log, scenario: Scenario, url: str, prefix: str) -> str | None:
        """Waits until a side has written all of a scenario; what kept it from that."""
        topic = scenario.options.get("topic.delimiter", ".").join((prefix, scenario.databases[0], "done"))

        def over() -> bool:
            ends = log.end_offsets(topic) if topic in log.topics() else {}
            return sum(ends.values()) >= scenario.done_records

        seen = _until(lambda: over() or self._failure(url, prefix) is not None, 90)
        return self._failure(url, prefix) or (None if seen else f"the last change does not come to {topic}")

    def _forget(self, prefixes: Sequence[str]) -> None:
        for url in self._urls:
            for prefix in prefixes:
                requests.delete(f"{url}/connectors/{prefix}", timeout=60)
        for log in self._logs():
            log.delete_topics([name for name in log.topics() if name.startswith(tuple(prefixes))])
            log.close()


def _run(scenario: Scenario, session: Any) -> None:
    scenario.changes(session)
    scenario.end(session)


class _Steady:
    """What has been the same for a second, else nothing: a snapshot too may look into the log for a moment."""

    def __init__(self, look: Callable[[], frozenset[int]]) -> None:
        self._look = look
        self._last, self._since = look(), time.monotonic()

    def now(self) -> frozenset[int]:
        found = self._look()
        if found != self._last:
            self._last, self._since = found, time.monotonic()
        return found if time.monotonic() - self._since >= 1 else frozenset()


def _until(seen: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
