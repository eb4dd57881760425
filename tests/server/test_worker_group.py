"""Three workers on a real broker, killed and frozen at random under load: tasks run elsewhere in time, nothing is lost,
and with exactly-once delivery nothing comes twice.

Every third round freezes a worker. The long run, for a quiet machine: TAILRACE_GROUP_TASKS=50
TAILRACE_GROUP_ROUNDS=30 TAILRACE_GROUP_FREEZE_S=60 TAILRACE_GROUP_ELSEWHERE_S=10.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.server.private_server import PrivateServer
from tests.server.worker_process import WorkerProcess, alive, wait_until

TASKS = int(os.environ.get("TAILRACE_GROUP_TASKS", "9"))
ROUNDS = int(os.environ.get("TAILRACE_GROUP_ROUNDS", "3"))
FREEZE_S = float(os.environ.get("TAILRACE_GROUP_FREEZE_S", "10"))
ELSEWHERE_S = float(os.environ.get("TAILRACE_GROUP_ELSEWHERE_S", "30"))
RESTARTS = int(os.environ.get("TAILRACE_GROUP_RESTARTS", "2"))
SESSION_S = 6.0


class Files:
    """Files that grow: the source of truth."""

    def __init__(self, folder: Path, count: int) -> None:
        self.paths = [folder / f"in-{number}.txt" for number in range(count)]
        self.lines = [0] * count
        self._end = threading.Event()
        for path in self.paths:
            path.touch()
        self._thread = threading.Thread(target=self._grow, daemon=True)
        self._thread.start()

    def _grow(self) -> None:
        while not self._end.wait(0.05):
            for number, path in enumerate(self.paths):
                with path.open("a") as file:
                    file.writelines(f"{number}-{line}\n" for line in range(self.lines[number], self.lines[number] + 5))
                self.lines[number] += 5

    def stop(self) -> None:
        self._end.set()
        self._thread.join()


class Group:
    def __init__(self, folder: Path, name: str, kafka: str) -> None:
        self.folder, self.name, self.kafka = folder, name, kafka
        self.workers = [WorkerProcess(folder / str(number), name, kafka) for number in range(3)]
        for worker in self.workers:
            worker.more = "exactly.once.source.support=enabled"
            worker.start()

    def create(self, files: Files) -> None:
        for number, path in enumerate(files.paths):
            self.workers[number % 3].put(f"f{number}", {
                "connector.class": "FileStreamSource", "file": str(path), "topic": f"{self.name}-t{number}",
                "tasks.max": "1", "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
                "exactly.once.support": "required",
            })  # fmt: skip

    def owners(self, at: WorkerProcess) -> dict[str, str]:
        """Connector -> worker that runs its task, of those that run."""
        listed = at.call("GET", "/connectors?expand=status").json()
        return {
            name: task["worker_id"]
            for name, each in listed.items()
            for task in each["status"]["tasks"]
            if task["state"] == "RUNNING"
        }

    def spread(self, live: list[WorkerProcess]) -> bool:
        """Whether the live workers run all tasks, each its share, and say so."""
        running = {name: worker_id(worker) for worker in live for name in connectors(worker)}
        counts = [len(worker.tasks()) for worker in live]
        even = sum(counts) == len(running) == TASKS and max(counts) - min(counts) <= 1
        return even and all(self.owners(worker) == running for worker in live)

    def tells_resources(self, at: WorkerProcess) -> bool:
        """Whether a worker tells of every task what only the worker that runs it knows."""
        answers = [at.call("GET", f"/connectors/f{number}/status?resources=true").json() for number in range(TASKS)]
        return all(task.get("resources") for answer in answers for task in answer["tasks"])

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.workers[0].forget()


def worker_id(worker: WorkerProcess) -> str:
    return f"127.0.0.1:{worker.port}"


def connectors(worker: WorkerProcess) -> list[str]:
    return [task.rpartition("-")[0] for task in worker.tasks()]


@pytest.fixture
def group(tmp_path: Path, kafka: str) -> Iterator[Group]:
    made = Group(tmp_path, f"group{time.time_ns() // 1_000_000 % 10_000_000}", kafka)
    yield made
    made.close()


def committed(kafka: str, topic: str, count: int) -> list[str]:
    """The first `count` committed records of a topic with one partition."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "check", "isolation.level": "read_committed",
                         "enable.auto.commit": "false", "auto.offset.reset": "earliest"})  # fmt: skip
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[str] = []
    end = time.monotonic() + 30
    while len(found) < count and time.monotonic() < end:
        found += [(each.value() or b"").decode() for each in consumer.consume(1000, 0.2) if each.error() is None]
    found += [(each.value() or b"").decode() for each in consumer.consume(1000, 0.5) if each.error() is None]
    consumer.close()
    return found


@pytest.mark.timeout(60 + 60 * ROUNDS + 10 * TASKS)
def test_workers_die_and_freeze_and_every_record_comes_once(group: Group, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    files = Files(tmp_path, TASKS)
    group.create(files)
    wait_until(lambda: group.spread(group.workers), "tasks on all workers", 30 + TASKS)
    wait_until(lambda: all(map(group.tells_resources, group.workers)), "what tasks use, asked of any worker", 20)
    for number in range(ROUNDS):
        victim = chance.choice(group.workers)
        others = [worker for worker in group.workers if worker is not victim]
        kept: Mapping[str, int] = {task: pid for worker in others for task, pid in worker.tasks().items()}
        frozen = number % 3 == 2
        _freeze(victim) if frozen else victim.kill()
        began = time.monotonic()
        wait_until(partial(group.spread, others), "all tasks elsewhere", ELSEWHERE_S, every=0.2)
        took = time.monotonic() - began
        load = os.getloadavg()[0]
        sys.stdout.write(
            f"round {number}: {'frozen' if frozen else 'killed'}, elsewhere after {took:.1f} s; load {load:.0f}\n"
        )
        sys.stdout.flush()
        assert all(alive(pid) for pid in kept.values()), f"round {number}: a task of another worker stopped"
        if frozen:
            time.sleep(max(0.0, FREEZE_S - took))
            assert victim.process is not None
            os.kill(victim.process.pid, signal.SIGCONT)
        else:
            victim.start()
        wait_until(lambda: group.spread(group.workers), "an even spread again", 30 + TASKS, every=0.2)
    files.stop()
    _require_once(group.kafka, group.name, files)


def _require_once(kafka: str, group: str, files: Files) -> None:
    for number, count in enumerate(files.lines):
        assert committed(kafka, f"{group}-t{number}", count) == [f"{number}-{each}" for each in range(count)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateServer]:
    server = PrivateServer("kafka", tmp_path / "kafka")
    server.start()
    yield server
    server.close()


@pytest.mark.timeout(120 + 90 * RESTARTS)
def test_a_broker_dies_or_is_stopped_under_load_and_every_record_comes_once(
    broker: PrivateServer, tmp_path: Path
) -> None:
    """Every second time stopped: then Kafka may leave transactions open, which their tasks take back."""
    kafka = f"127.0.0.1:{broker.port}"
    group, chance = Group(tmp_path, "restarts", kafka), random.Random(20261122)
    try:
        files = Files(tmp_path, TASKS)
        group.create(files)
        wait_until(lambda: group.spread(group.workers), "tasks on all workers", 30 + TASKS)
        for number in range(RESTARTS):
            time.sleep(chance.uniform(1, 4))
            broker.stop() if number % 2 else broker.kill()
            time.sleep(chance.choice((0, 2, 15)))
            broker.start()
            began = time.monotonic()
            wanted = list(files.lines)
            what = f"all that was written when it was back, round {number}"
            wait_until(partial(_caught_up, kafka, wanted), what, 60, every=0.5, told=partial(_left, kafka, wanted))
            sys.stdout.write(f"restart {number}: caught up after {time.monotonic() - began:.1f} s\n")
            sys.stdout.flush()
        files.stop()
        _require_once(kafka, "restarts", files)
    finally:
        group.close()


def _caught_up(kafka: str, wanted: Sequence[int]) -> bool:
    return all(_sent(kafka, f"restarts-t{number}") >= count for number, count in enumerate(wanted))


def _left(kafka: str, wanted: Sequence[int]) -> str:
    """Topic: what is wanted, and what there is."""
    return str({number: (count, _sent(kafka, f"restarts-t{number}")) for number, count in enumerate(wanted)})


def _sent(kafka: str, topic: str) -> int:
    """Committed records of a topic with one partition, the markers of its transactions counted too."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "ends", "isolation.level": "read_committed"})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5)[1]
    except KafkaException:
        return 0
    finally:
        consumer.close()


def _freeze(worker: WorkerProcess) -> None:
    """The worker alone: its task processes must end by themselves."""
    assert worker.process is not None
    tasks = worker.tasks().values()
    os.kill(worker.process.pid, signal.SIGSTOP)
    wait_until(lambda: not any(alive(pid) for pid in tasks), "the end of its tasks", SESSION_S)
