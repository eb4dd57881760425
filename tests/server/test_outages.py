"""Servers that go away and processes that stand still, under load: waited for, then all is caught up, in order."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connect_compat.log.embedded_file import NAME
from tests.server.memory import watched
from tests.server.private_server import PrivateServer
from tests.server.rig import Rig
from tests.server.worker_process import wait_until

AWAY_S = float(os.environ.get("TAILRACE_AWAY_S", "8"))
"""Seconds that Elasticsearch is away; 300 when asked for."""
MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str) -> Iterator[MakeRig]:
    made: list[Rig] = []

    def make(
        kafka: str | None, *, mysql: tuple[str, int] = mysql_address, elasticsearch: str = elasticsearch_url
    ) -> Rig:
        made.append(Rig(tmp_path, mysql, elasticsearch, kafka))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


def running(kind: str, folders: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    server = PrivateServer(kind, folders.mktemp(kind))
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def own_mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    yield from running("mysql", tmp_path_factory)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    yield from running("kafka", tmp_path_factory)


@pytest.fixture(scope="module")
def own_elasticsearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    yield from running("elasticsearch", tmp_path_factory)


@contextmanager
def away(server: PrivateServer, *, kill: bool = False) -> Iterator[None]:
    if kill:
        server.kill()
    server.stop()
    try:
        yield
    finally:
        server.start()


def states(rig: Rig) -> set[str]:
    return {task["state"] for name in (rig.source, rig.sink) for task in rig.worker.status(name)["tasks"]}


def resident_mb(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_mysql_goes_away_and_comes_back(make_rig: MakeRig, own_mysql: PrivateServer, kill: bool) -> None:
    rig = make_rig(None, mysql=("127.0.0.1", own_mysql.port))
    rig.stream()
    tasks = rig.worker.tasks()
    load = rig.load(seed=1)
    rig.works(rig.source)
    with away(own_mysql, kill=kill):
        time.sleep(2)
        assert states(rig) == {"RUNNING"}
    rig.works(rig.source)
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()
    assert rig.worker.tasks() == tasks, "no task had to be started again"


@pytest.mark.timeout(300 + 2 * AWAY_S)
def test_elasticsearch_is_away_for_a_while(make_rig: MakeRig, own_elasticsearch: PrivateServer) -> None:
    rig = make_rig(None, elasticsearch=f"http://127.0.0.1:{own_elasticsearch.port}")
    letters = f"{rig.name}-letters"
    tolerant = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
                "errors.deadletterqueue.topic.replication.factor": "1"}  # fmt: skip
    rig.worker.start()
    rig.create(sink=rig.sink_config() | tolerant)
    load = rig.load(seed=1)
    rig.works(rig.sink)
    tasks = rig.worker.tasks()
    sink = tasks[f"{rig.sink}-0"]
    before = resident_mb(sink)
    with watched(rig.worker) as pss_mb:
        with away(own_elasticsearch):
            time.sleep(AWAY_S)
            assert states(rig) == {"RUNNING"}
            assert "does not answer" in rig.worker.status(rig.sink)["tasks"][0]["waiting_for"]
            assert resident_mb(sink) < before + 64
            rig.works(rig.source)
        rig.works(rig.sink)
        load.finish()
        rig.index_equals_table(60 + AWAY_S)
    assert 0 < pss_mb[0] < 300
    assert rig.worker.tasks() == tasks, "no task had to be started again"
    with rig.worker.log() as log:
        assert sum(log.end_offsets(letters).values()) == 0


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_kafka_goes_away_and_comes_back(make_rig: MakeRig, own_kafka: PrivateServer, kill: bool) -> None:
    """Killed: for longer than the producer keeps records."""
    rig = make_rig(f"127.0.0.1:{own_kafka.port}")
    rig.worker.start()
    overrides = {"producer.override.delivery.timeout.ms": "4000"} if kill else {}
    rig.create(rig.source_config() | overrides)
    wait_until(rig.is_streaming, "the end of the snapshot")
    load = rig.load(seed=1)
    rig.works(rig.source)
    rig.works(rig.sink)
    with away(own_kafka, kill=kill):
        time.sleep(6 if kill else 1)
    rig.works(rig.source)
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()
    assert states(rig) == {"RUNNING"}
    assert rig.worker.stop() == 0


def test_a_worker_told_to_stop_while_kafka_is_away_ends_in_time(make_rig: MakeRig, own_kafka: PrivateServer) -> None:
    rig = make_rig(f"127.0.0.1:{own_kafka.port}")
    rig.stream()
    load = rig.load(seed=1)
    rig.works(rig.source)
    with away(own_kafka, kill=True):
        began = time.monotonic()
        rig.worker.stop()
        assert time.monotonic() - began < 25
    load.finish()
    rig.worker.start()
    rig.index_equals_table()
    rig.topic_tells_everything()


@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_a_sink_task_that_stands_still_loses_its_partitions_to_the_other_and_harms_nothing_later(
    make_rig: MakeRig, kafka: str, log: str
) -> None:
    rig = make_rig(kafka if log == "kafka" else None)
    rig.worker.start()
    rig.create(sink=rig.sink_config(tasks_max="2"))
    rig.sql("INSERT INTO t (id, v) VALUES (-1, 0)")
    rig.index_equals_table()
    tasks = rig.worker.tasks()
    for number in (0, 1):  # one of them owns the partition
        load = rig.load(seed=number + 1)
        time.sleep(0.5)
        still = tasks[f"{rig.sink}-{number}"]
        _stop_between_writes(rig, still)
        time.sleep(1)
        load.finish()
        try:
            rig.index_equals_table(30)
        finally:
            os.kill(still, signal.SIGCONT)
        rig.sql(f"UPDATE t SET v = {number} WHERE id = -1")
        rig.index_equals_table()
    rig.topic_tells_everything()
    assert rig.worker.tasks() == tasks, "no task had to be started again"


def _stop_between_writes(rig: Rig, task: int) -> None:
    """Whoever is stopped in the middle of a write to the embedded log has everybody wait for him."""
    while True:
        os.kill(task, signal.SIGSTOP)
        if rig.worker.kafka is not None:
            return
        with closing(sqlite3.connect(rig.worker.folder / "data" / NAME, timeout=3)) as log:
            try:
                log.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(task, signal.SIGCONT)
            else:
                return


@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_a_source_task_that_stands_still_goes_on_where_it_was(make_rig: MakeRig, kafka: str, log: str) -> None:
    rig = make_rig(kafka if log == "kafka" else None)
    rig.stream()
    load = rig.load(seed=1)
    rig.works(rig.source)
    source = rig.worker.tasks()[f"{rig.source}-0"]
    for _ in range(2):
        os.kill(source, signal.SIGSTOP)
        time.sleep(3)
        os.kill(source, signal.SIGCONT)
        rig.works(rig.source)
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()


def test_a_task_that_does_not_obey_is_killed_and_its_successor_goes_on(make_rig: MakeRig) -> None:
    rig = make_rig(None)
    rig.stream()
    load = rig.load(seed=1)
    rig.works(rig.source)
    stopped = rig.worker.tasks()[f"{rig.source}-0"]
    os.kill(stopped, signal.SIGSTOP)
    answer = rig.worker.call("POST", f"/connectors/{rig.source}/tasks/0/restart")
    assert answer.status_code == 204, answer.text
    wait_until(lambda: rig.worker.tasks().get(f"{rig.source}-0", stopped) != stopped, "another process")
    rig.works(rig.source)
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()
