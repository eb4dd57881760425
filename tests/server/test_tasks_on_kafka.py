"""Task processes on a real Kafka, with fake connectors: nothing is lost, whatever is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from connect_compat.log import LogSettings, open_log
from connect_compat.worker import Limits, TaskId, TaskSpec, Worker

pytestmark = pytest.mark.timeout(240)


def until(true: Callable[[], Any], seconds: float = 90.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return answer


class Place:
    """Topics and groups of one test on the broker, by prefix."""

    def __init__(self, broker: str) -> None:
        self.prefix = f"tk-{uuid.uuid4().hex[:8]}"
        self.broker = broker
        self.topic = f"{self.prefix}-rows"
        internal = {"offset.storage.topic": f"{self.prefix}-offsets", "offset.storage.replication.factor": "1",
                    "offset.storage.partitions": "1"}  # fmt: skip
        consumer = {"session.timeout.ms": "6000", "metadata.max.age.ms": "2000"}
        self.log = LogSettings(client={"bootstrap.servers": broker}, consumer=consumer, group_id=self.prefix,
                               internal=internal)  # fmt: skip

    def source(self) -> TaskSpec:
        config = {"behaviour": "tick", "topic": self.topic, "at": "-1", "topic.creation.default.partitions": "2",
                  "topic.creation.default.replication.factor": "1"}  # fmt: skip
        return TaskSpec(f"{self.prefix}-source", 0, config, {}, self.log, "tests.fakes:source_plugins")

    def sink(self, task: int, out: Path, **config: str) -> TaskSpec:
        config = {"topics": self.topic, "path": str(out), **config}
        return TaskSpec(f"{self.prefix}-sink", task, config, {}, self.log, "tests.fakes:sink_plugins")

    def values(self, topic: str, expected: int) -> list[Any]:
        with contextlib.closing(open_log(self.log)) as log:
            reader = log.reader(f"{self.prefix}-check-{uuid.uuid4().hex[:4]}", [topic], None, {})
            found: list[Any] = []
            deadline = time.monotonic() + 60
            while len(found) < expected and time.monotonic() < deadline:
                found += reader.read(10_000, 1.0)
            reader.close()
        return found

    def rows(self) -> int:
        with contextlib.closing(open_log(self.log)) as log:
            return sum(log.end_offsets(self.topic).values()) if self.topic in log.topics() else 0


@pytest.fixture
def place(kafka: str) -> Iterator[Place]:
    place = Place(kafka)
    yield place
    admin = AdminClient({"bootstrap.servers": kafka})
    groups = [g.group_id for g in admin.list_consumer_groups().result(10).valid if place.prefix in g.group_id]
    topics = [name for name in admin.list_topics(timeout=10).topics if name.startswith(place.prefix)]
    for future in (*(admin.delete_consumer_groups(groups) if groups else {}).values(),
                   *(admin.delete_topics(topics) if topics else {}).values()):  # fmt: skip
        future.exception(10)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(lambda *_: None, limits=Limits(first_restart_s=0.2, longest_restart_s=0.5))
    yield worker
    worker.close()


def lines(*paths: Path) -> list[int]:
    return [int(line) for path in paths if path.exists() for line in path.read_text().splitlines()]


def test_rows_reach_the_sinks_although_source_and_sinks_are_killed(
    place: Place, worker: Worker, tmp_path: Path
) -> None:
    outs = [tmp_path / "a", tmp_path / "b"]
    worker.start_task(place.source())
    for task, out in enumerate(outs):
        worker.start_task(place.sink(task, out))
    source = TaskId(f"{place.prefix}-source", 0)
    for victim in (source, TaskId(f"{place.prefix}-sink", 0), TaskId(f"{place.prefix}-sink", 1)):
        enough = len(lines(*outs)) + 50
        until(partial(lambda enough: len(lines(*outs)) > enough, enough))
        os.kill(worker.view(victim).pid or 0, signal.SIGKILL)
        until(partial(lambda victim: worker.view(victim).restarts, victim))
    until(lambda: all(view.state == "RUNNING" for view in worker.health()))
    worker.stop_tasks([source])
    total = place.rows()
    records = place.values(place.topic, total)
    written = [int(record.value) for record in records]
    assert sorted(set(written)) == list(range(max(written) + 1))
    for partition in (0, 1):
        firsts = list(dict.fromkeys(int(r.value) for r in records if r.partition == partition))
        assert firsts == sorted(firsts)
    until(lambda: set(lines(*outs)) == set(written))
    worker.stop_tasks(worker.ids())
    with contextlib.closing(open_log(place.log)) as log:
        assert sum(log.group_offsets(f"connect-{place.prefix}-sink").values()) == total


def test_refused_records_are_in_the_dead_letter_topic_before_their_offsets_are_committed(
    place: Place, worker: Worker, tmp_path: Path
) -> None:
    letters = f"{place.prefix}-letters"
    worker.start_task(place.source())
    worker.start_task(place.sink(0, tmp_path / "a", **{
        "refuse": "7", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    }))  # fmt: skip
    until(lambda: len(lines(tmp_path / "a")) > 50)
    worker.stop_tasks([TaskId(f"{place.prefix}-source", 0)])
    total = place.rows()
    refused = [n for n in range(total) if str(n).endswith("7")]
    until(lambda: len(lines(tmp_path / "a")) == total - len(refused))
    worker.stop_tasks(worker.ids())
    found = place.values(letters, len(refused))
    assert sorted(int(record.value) for record in found) == refused
    headers = dict(found[0].headers)
    assert headers["__connect.errors.topic"] == place.topic.encode()
    assert headers["__connect.errors.exception.message"] == b"ends in 7"
    with contextlib.closing(open_log(place.log)) as log:
        assert log.topics()[letters] == 1
