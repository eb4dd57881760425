"""Several herders as one group, over one log and a membership in memory: who leads, who runs what, what moves."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cdc.errors import LogUnavailable, RequestError
from connect_compat.assignment import Run
from connect_compat.cluster import Cluster, Elsewhere, Membership
from connect_compat.herder import Herder, Settings
from connect_compat.log import Log, LogSettings, open_log
from connect_compat.plugins import Plugins
from connect_compat.state import Configs, MemoryStore, State, Status, Target
from connect_compat.worker import OnStatus, OnTopics, TaskId, TaskSpec
from tests.rest_service import WORKER
from tests.rest_worker import FILES, FileWorker

SESSION_S = 4.0


@dataclass
class Broker:
    """What the workers share."""

    orders: MemoryStore = field(default_factory=MemoryStore)
    members: dict[str, str] = field(default_factory=dict)
    rang: threading.Condition = field(default_factory=threading.Condition)
    rings: int = 0
    owners: dict[TaskId, str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    """Tasks that were started while another live worker had them."""
    deaf: set[str] = field(default_factory=set)
    """Workers that hear nothing."""
    written: list[list[str]] = field(default_factory=list)
    """The keys of each write."""

    def ring(self) -> None:
        with self.rang:
            self.rings += 1
            self.rang.notify_all()


class RingingStore:
    def __init__(self, store: Any, broker: Broker) -> None:
        self._store, self._broker = store, broker

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        self._store.put(entries)
        self._broker.written.append([key for key, _ in entries])
        self._broker.ring()

    def all(self) -> Mapping[str, bytes]:
        return dict(self._store.all())


class MemoryGroup:
    def __init__(self, broker: Broker, name: str) -> None:
        self._broker, self._name, self._heard = broker, name, 0
        self.orders = RingingStore(broker.orders, broker)

    def join(self, url: str, session_ms: int, heartbeat_ms: int) -> None:
        self._broker.members[self._name] = url
        self._broker.ring()

    def members(self) -> dict[str, str]:
        return dict(self._broker.members)

    def wait(self, timeout_s: float) -> bool:
        with self._broker.rang:
            self._broker.rang.wait_for(lambda: self._name not in self._broker.deaf)
            rang = self._broker.rang.wait_for(lambda: self._broker.rings > self._heard, min(timeout_s, 0.1))
            self._heard = self._broker.rings
            return rang

    def close(self) -> None:
        self._broker.members.pop(self._name, None)
        self._broker.ring()


class GroupedLog:
    """The embedded log, with a group."""

    def __init__(self, log: Log, broker: Broker, name: str) -> None:
        self._log, self._broker, self._name = log, broker, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def configs(self) -> RingingStore:
        return RingingStore(self._log.configs(), self._broker)

    def statuses(self) -> RingingStore:
        return RingingStore(self._log.statuses(), self._broker)

    def group(self) -> MemoryGroup:
        return MemoryGroup(self._broker, self._name)


class Watched(FileWorker):
    """Notes who has which task."""

    broker: Broker
    name: str

    def start_task(self, spec: TaskSpec, *, paused: bool = False) -> None:
        which = TaskId(spec.connector, spec.task)
        owner = self.broker.owners.get(which)
        if owner is not None and owner in self.broker.members:
            self.broker.twice.append(f"{which}: {owner} and {self.name}")
        self.broker.owners[which] = self.name
        super().start_task(spec, paused=paused)

    def stop_tasks(self, ids: Any) -> None:
        ids = list(ids)
        super().stop_tasks(ids)
        for which in ids:
            if self.broker.owners.get(which) == self.name:
                del self.broker.owners[which]


class Member:
    def __init__(self, folder: Path, broker: Broker, name: str) -> None:
        made: list[Watched] = []

        def worker(on_status: OnStatus, on_topics: OnTopics) -> Watched:
            made.append(Watched(on_status, on_topics))
            made[0].broker, made[0].name = broker, name
            return made[0]

        membership = Membership(name, f"http://{name}", SESSION_S, 0.1)
        place = Settings(name, WORKER, LogSettings(path=str(folder)), membership=membership, graceful_s=0.5)
        self.name, self._broker = name, broker
        self.herder = Herder(place, Plugins(), lambda given: GroupedLog(open_log(given), broker, name), worker)
        self.worker = made[0]
        self.herder.start().result(10)

    @property
    def cluster(self) -> Cluster:
        assert self.herder._cluster is not None
        return self.herder._cluster

    @property
    def tasks(self) -> set[str]:
        return {str(view.id) for view in self.worker.health()}

    def dies(self) -> None:
        """As by SIGKILL: it does nothing more, and Kafka has noticed."""
        self.cluster._end_threads()
        self._broker.members.pop(self.name)
        self._broker.ring()


def _raise(error: Exception) -> Any:
    raise error


def until(seen: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < end, f"not seen in 10 s: {what}"
        time.sleep(0.01)


@dataclass
class Workers:
    folder: Path
    broker: Broker = field(default_factory=Broker)
    there: dict[str, Member] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        for name in names:
            self.there[name] = Member(self.folder / "log", self.broker, name)
        until(lambda: all(each.herder.ready for each in self.there.values()), "workers that are ready")

    def leader(self) -> Member:
        for each in list(self.there.values()):
            try:
                each.cluster.must_lead()
            except RequestError:
                continue
            return each
        raise AssertionError("nobody leads")

    def create(self, *names: str) -> None:
        (self.folder / "in.txt").write_text("line\n")
        for name in names:
            config: dict[str, str | None] = {
                "connector.class": FILES + "FileStreamSourceConnector", "tasks.max": "1", "name": name,
                "file": str(self.folder / "in.txt"), "topic": "t",
            }  # fmt: skip
            self.leader().herder.create(name, config, None)

    def run(self, *counts: int) -> None:
        """Each of the live workers has that many tasks, in any order, and everybody's statuses say so."""
        until(lambda: sorted(len(each.tasks) for each in self.there.values()) == sorted(counts), f"{counts} tasks")
        for each in self.there.values():
            until(lambda each=each: self._told(each), f"what {each.name} knows")  # type: ignore[misc]
        assert self.broker.twice == []

    def _told(self, reader: Member) -> bool:
        for each in self.there.values():
            for text in each.tasks:
                connector, _, number = text.rpartition("-")
                try:
                    status = reader.herder.task_status(connector, int(number))
                except RequestError:
                    return False
                if (status["state"], status["worker_id"]) != ("RUNNING", each.name):
                    return False
        return True

    def forget(self, name: str) -> Member:
        return self.there.pop(name)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    group = Workers(tmp_path)
    yield group
    for each in group.there.values():
        each.herder.stop()


def test_tasks_are_spread_move_off_a_dead_worker_and_back_and_no_other_stops(workers: Workers) -> None:
    workers.start("a:1", "b:1", "c:1")
    workers.create("s1", "s2", "s3", "s4", "s5", "s6")
    workers.run(2, 2, 2)
    leader = workers.leader()
    dead = workers.forget(next(name for name in workers.there if name != leader.name))
    kept = {name: each.tasks for name, each in workers.there.items()}
    started = {name: len(each.worker.started) for name, each in workers.there.items()}
    dead.dies()
    workers.run(3, 3)
    for name, each in workers.there.items():
        assert kept[name] < each.tasks and len(each.worker.started) == started[name] + 1
    workers.start(dead.name)
    workers.run(2, 2, 2)


def test_another_leads_when_the_leader_dies_and_what_runs_goes_on(workers: Workers) -> None:
    workers.start("a:1", "b:1", "c:1")
    workers.create("s1", "s2", "s3", "s4")
    workers.run(1, 1, 2)
    dead = workers.forget(workers.leader().name)
    started = {name: len(each.worker.started) for name, each in workers.there.items()}
    before = sum(len(each.tasks) for each in workers.there.values())
    dead.dies()
    workers.run(2, 2)
    leader = workers.leader()
    assert leader.name != dead.name
    assert sum(len(each.worker.started) - started[name] for name, each in workers.there.items()) == 4 - before
    leader.herder.set_target("s1", Target.PAUSED)
    until(lambda: leader.herder.task_status("s1", 0)["state"] == "PAUSED", "a paused task")
    leader.herder.set_target("s1", Target.STARTED)
    leader.herder.restart_task("s1", 0)
    leader.herder.delete("s4")
    until(lambda: sum(len(each.tasks) for each in workers.there.values()) == 3, "the end of the deleted one")
    workers.run(*sorted(len(each.tasks) for each in workers.there.values()))
    for each in workers.there.values():
        until(lambda each=each: each.herder.names() == ["s1", "s2", "s3"], "what is left")  # type: ignore[misc]


def test_a_change_asked_of_another_worker_is_the_leaders(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    leader = workers.leader()
    other = next(each for each in workers.there.values() if each is not leader)
    with pytest.raises(Elsewhere) as told:
        other.herder.delete("s1")
    assert (told.value.url, told.value.status) == (f"http://{leader.name}", 409)


def test_a_worker_that_stops_gives_its_tasks_away_at_once(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    workers.create("s1", "s2", "s3", "s4")
    workers.run(2, 2)
    leaving = workers.forget(workers.leader().name)
    leaving.herder.stop()
    workers.run(4)
    assert workers.leader().herder.status("s1")["connector"]["worker_id"] != leaving.name


def test_a_worker_that_kafka_has_not_answered_for_a_session_stops_without_telling_the_group(workers: Workers) -> None:
    """The others have counted it out by then, and each thing told would be waited for in vain."""
    workers.start("a:1")
    workers.create("s1")
    workers.run(1)
    alone = workers.forget("a:1")
    group, told = alone.cluster._group, len(workers.broker.orders.all())
    group.members = lambda: _raise(LogUnavailable("Kafka does not answer"))  # type: ignore[method-assign]
    until(lambda: not alone.cluster.leading(), "an end of its word")
    alone.herder.stop()
    assert alone.tasks == set()
    assert len(workers.broker.orders.all()) == told


def test_a_worker_that_stood_still_lets_go_and_says_nothing(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    workers.create("s1", "s2")
    workers.run(1, 1)
    leader = workers.leader()
    other = next(each for each in workers.there.values() if each is not leader)
    other.cluster._awake(SESSION_S)
    until(lambda: len(other.worker.started) == 2, "a fresh run of its task")
    workers.run(1, 1)


def test_a_worker_that_wakes_up_follows_no_order_that_it_knew_before(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    workers.create("s1", "s2", "s3", "s4")
    workers.run(2, 2)
    leader = workers.leader()
    other = next(each for each in workers.there.values() if each is not leader)
    workers.broker.deaf.add(other.name)
    del workers.broker.members[other.name]
    until(lambda: len(leader.tasks) == 4, "all tasks at the other worker")
    other.cluster._awake(SESSION_S)
    until(lambda: other.tasks == set(), "no task at the one that slept")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.2, "two more looks at its orders")
    assert len(other.worker.started) == 2
    workers.broker.deaf.clear()
    workers.broker.members[other.name] = f"http://{other.name}"
    workers.broker.ring()
    workers.run(2, 2)


def test_a_status_that_another_worker_wrote_over_is_told_again(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    workers.create("s1", "s2")
    workers.run(1, 1)
    for name in ("s1", "s2"):
        workers.leader().herder._statuses.put_task(name, 0, Status(State.UNASSIGNED, "slept:1", 1))
    workers.run(1, 1)


def test_what_is_stored_already_starts_with_few_writes_however_much_it_is(workers: Workers, tmp_path: Path) -> None:
    """Five hundred connectors would wait for Kafka a thousand times otherwise."""
    names = [f"s{number}" for number in range(50)]
    with contextlib.closing(open_log(LogSettings(path=str(tmp_path / "log")))) as log:
        for name in names:
            config = {"connector.class": FILES + "FileStreamSourceConnector", "name": name, "topic": "t"}
            Configs(log.configs()).put_connector(name, {**config, "file": str(tmp_path / "in.txt")})
    (tmp_path / "in.txt").touch()
    workers.start("a:1")
    workers.run(50)
    for kind in ("run-", "status-connector-", "commit-"):
        having = [keys for keys in workers.broker.written if any(key.startswith(kind) for key in keys)]
        assert len(having) == 1 and len(having[0]) >= 50, kind
    before = len(workers.broker.written)
    workers.forget("a:1").herder.stop()
    assert [len(keys) for keys in workers.broker.written[before:] if len(keys) > 1] == [50, 50]


def test_a_level_told_to_all_is_set_on_every_worker(workers: Workers) -> None:
    workers.start("a:1", "b:1")
    told: list[tuple[str, str]] = []
    for each in workers.there.values():
        each.cluster._duties = replace(each.cluster._duties, set_level=lambda *level: told.append(level))
    workers.leader().herder.store_level("some.module", "DEBUG")
    until(lambda: set(told) == {("some.module", "DEBUG")} and len(told) >= 2, "the level on both")


def test_of_two_that_read_at_once_the_older_state_never_comes_last(workers: Workers) -> None:
    workers.start("a:1")
    cluster = workers.leader().cluster
    cluster._end_threads()
    store, reading, go_on = cluster._group.orders, threading.Event(), threading.Event()

    class Slow:
        def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
            store.put(entries)

        def all(self) -> Mapping[str, bytes]:
            found = store.all()
            if not reading.is_set():
                reading.set()
                go_on.wait(10)
            return found

    cluster._group.orders = Slow()  # type: ignore[misc]
    threads = [threading.Thread(target=cluster._read) for _ in range(2)]
    threads[0].start()
    reading.wait(10)
    store.put([("run-s-0", Run("a:1", 1, 1, "").as_record())])
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert TaskId("s", 0) in cluster.orders.runs


def test_a_leader_that_has_not_heard_of_the_group_for_a_while_gives_no_orders(workers: Workers) -> None:
    workers.start("a:1")
    cluster = workers.leader().cluster
    assert cluster.leading()
    cluster._end_threads()
    cluster._asked = time.monotonic() - SESSION_S
    with pytest.raises(LogUnavailable):
        cluster.order([("run-s-0", b"{}")])
    assert "run-s-0" not in workers.broker.orders.all()
