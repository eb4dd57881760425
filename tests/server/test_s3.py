"""The S3 sink on a running worker, a real S3 server and Kafka: every object's content, over kills and an outage."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import duckdb
import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.server.bucket import Bucket, own_bucket
from tests.server.private_server import PrivateServer
from tests.server.worker_process import WorkerProcess, wait_until

ROUNDS = int(os.environ.get("TAILRACE_S3_CRASH_ROUNDS", "3"))
AWAY_S = float(os.environ.get("TAILRACE_S3_AWAY_S", "10"))
PARTITIONS = 3
QUICK = {"consumer.override.session.timeout.ms": "6000"}
"""A member that was killed is missed soon."""
SCHEMA = {
    "type": "struct", "name": "shop.Value", "optional": False, "fields": [
        {"field": "id", "type": "int64", "optional": False},
        {"field": "country", "type": "string", "optional": False},
        {"field": "price", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
         "parameters": {"scale": "2", "connect.decimal.precision": "10"}, "optional": True},
        {"field": "made", "type": "int64", "name": "io.debezium.time.MicroTimestamp", "version": 1, "optional": False},
        {"field": "uuid", "type": "string", "name": "io.debezium.data.Uuid", "version": 1, "optional": False},
        {"field": "text", "type": "string", "optional": True},
    ],
}  # fmt: skip


class Load:
    """Writes records with rising numbers to a topic until it is stopped."""

    def __init__(self, broker: str, topic: str, seed: int, a_second: int) -> None:
        self._producer = Producer(
            {"bootstrap.servers": broker, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
        )
        self._topic, self._chance, self._pause_s = topic, random.Random(seed), 100 / a_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.count = 0
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._pause_s):
            for _ in range(100):
                self._producer.produce(
                    self._topic, self._record(self.count), partition=self._chance.randrange(PARTITIONS)
                )
                self.count += 1
            self._producer.poll(0)

    def _record(self, number: int) -> bytes:
        row = {"id": number, "country": self._chance.choice(("at", "de", "ch")), "price": "MDk=", "made": number,
               "uuid": "123e4567-e89b-12d3-a456-426614174000", "text": "x" * self._chance.randrange(300)}  # fmt: skip
        return orjson.dumps({"schema": SCHEMA, "payload": row})

    def finish(self) -> int:
        """All are in the topic; how many."""
        self._stop.set()
        self._thread.join()
        self._producer.flush(60)
        return self.count


@pytest.fixture
def worker(tmp_path: Path, kafka: str) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(tmp_path, "s3" + uuid4().hex[:8], kafka)
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(f"{worker.name}-rows", PARTITIONS, 1)]).values():
        future.result(20)
    worker.start()
    yield worker
    worker.close()
    worker.forget()


@pytest.fixture
def bucket(s3_url: str) -> Iterator[Bucket]:
    with own_bucket(s3_url) as bucket:
        yield bucket


def all_are_there_once(worker: WorkerProcess, connector: str, bucket: Bucket, count: int) -> None:
    with worker.log() as log:
        group = f"connect-{connector}"
        wait_until(
            lambda: sum(log.group_offsets(group).values()) == count, f"{count} commits of {group}", 120 + 10 * ROUNDS,
            every=0.5, told=worker.said,
        )  # fmt: skip
    found = Counter(record["id"] for record in bucket.records(f"{connector}/"))
    assert found.keys() == set(range(count))
    assert {number for number, times in found.items() if times > 1} == set()


@pytest.mark.timeout(200 + 40 * ROUNDS)
def test_whatever_is_killed_each_record_is_in_one_object(worker: WorkerProcess, bucket: Bucket, kafka: str) -> None:
    topics = {
        "topics": f"{worker.name}-rows",
        "tasks.max": "2",
        "rotate.schedule.interval.ms": "700",
        "timezone": "UTC",
    }
    fields = {"partitioner.class": "io.confluent.connect.storage.partitioner.FieldPartitioner",
              "partition.field.name": "country", "s3.compression.type": "gzip"}  # fmt: skip
    formats = {
        "lines": bucket.settings(topics_dir="lines", flush_size="900", tasks_max="2") | topics | fields,
        "table": bucket.settings(topics_dir="table", flush_size="450", parquet_codec="zstd",
                                 compaction_target_bytes="200000",
                                 format_class="io.confluent.connect.s3.format.parquet.ParquetFormat") | topics,
    }  # fmt: skip
    for name, config in formats.items():
        worker.put(name, config)
    chance = random.Random(20261121)
    load = Load(kafka, f"{worker.name}-rows", 1, 1500)
    for number in range(ROUNDS):
        before = len(bucket.names())
        wait_until(lambda before=before: len(bucket.names()) > before, "another object", told=worker.said)  # type: ignore[misc]
        time.sleep(chance.random())
        if number % 4 == 3:
            worker.kill()
            worker.start()
        else:
            victims = list(worker.tasks().values())
            os.kill(chance.choice(victims), signal.SIGKILL)
    count = load.finish()
    for name in formats:
        all_are_there_once(worker, name, bucket, count)
    (record,) = (each for each in bucket.records("table/") if each["id"] == 7)
    assert (str(record["price"]), str(record["made"]), str(record["uuid"])) == (
        "123.45", "1970-01-01 00:00:00.000007", "123e4567-e89b-12d3-a456-426614174000",
    )  # fmt: skip
    name = bucket.names("table/")[0]
    (worker.folder / "one.parquet").write_bytes(bucket.content(name))
    kinds = duckdb.execute(f"DESCRIBE SELECT * FROM '{worker.folder}/one.parquet'").fetchall()
    assert [kind for _, kind, *_ in kinds] == ["BIGINT", "VARCHAR", "DECIMAL(10,2)", "TIMESTAMP", "UUID", "VARCHAR"]
    assert worker.stop() == 0


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[PrivateServer]:
    server = PrivateServer("seaweedfs", tmp_path / "seaweedfs")
    server.start()
    yield server
    server.close()


@pytest.mark.timeout(150 + 2 * AWAY_S)
def test_an_s3_that_is_away_is_waited_for_in_bounded_memory(
    worker: WorkerProcess, own_s3: PrivateServer, kafka: str
) -> None:
    topic, letters = f"{worker.name}-rows", f"{worker.name}-letters"
    with own_bucket(f"http://127.0.0.1:{own_s3.port}") as bucket:
        worker.put("lines", bucket.settings(topics=topic, topics_dir="lines", flush_size="1000") | QUICK | {
            "rotate.schedule.interval.ms": "1000", "timezone": "UTC", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": letters, "errors.deadletterqueue.topic.replication.factor": "1",
        })  # fmt: skip
        load = Load(kafka, topic, 2, 1500)
        wait_until(lambda: bool(bucket.names()), "an object", told=worker.said)
        own_s3.kill()
        (task,) = worker.tasks().values()
        wait_until(partial(_waits, worker), "a task that waits", 30, told=worker.said)
        time.sleep(AWAY_S)
        memory_mb = int(Path(f"/proc/{task}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
        assert memory_mb < 300
        assert worker.status("lines")["tasks"][0]["state"] == "RUNNING"
        own_s3.start()
        count = load.finish()
        wait_until(lambda: not _waits(worker), "the end of the wait", told=worker.said)
        all_are_there_once(worker, "lines", bucket, count)
        assert worker.tasks() == {"lines-0": task}
        with worker.log() as log:
            assert list(log.topic(letters, {}).read()) == []


def _waits(worker: WorkerProcess) -> bool:
    (task,) = worker.status("lines")["tasks"]
    return "does not answer" in (task.get("waiting_for") or "")


def test_what_is_wrong_with_the_bucket_is_told_before_anything_starts(worker: WorkerProcess, bucket: Bucket) -> None:
    wrong = {
        "s3.bucket.name": ({"s3_bucket_name": "no-such-bucket"}, "aws s3 mb s3://no-such-bucket"),
        "aws.access.key.id": (
            {"aws_secret_access_key": "wrong"},
            "correct aws.access.key.id and aws.secret.access.key",
        ),
        "store.url": ({"store_url": "http://127.0.0.1:1"}, "http://127.0.0.1:1 does not answer"),
    }
    for key, (changes, remedy) in wrong.items():
        config = bucket.settings(name="wrong", topics="t", **changes)
        answer = worker.call("PUT", "/connector-plugins/S3SinkConnector/config/validate", config).json()
        errors = {
            each["value"]["name"]: each["value"]["errors"] for each in answer["configs"] if each["value"]["errors"]
        }
        assert list(errors) == [key]
        assert remedy in errors[key][0]
