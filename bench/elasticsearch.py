"""The Elasticsearch sink beside the server's limit: prepared bulk bodies, and the same records through Tailrace.

Both write the same documents with external versions into a new index, 2,000 in a request and five requests at a time.
The sink reads them from Kafka; its task is held on one core.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson
import requests
import urllib3
from confluent_kafka import Producer

from bench.connector import Connector
from bench.drain import Watch
from bench.place import Place, Size
from bench.processes import family
from bench.rounds import Figures, Run, rounds
from bench.workers import Worker
from services.__main__ import PORTS

SERVER: Final = os.environ.get("TAILRACE_ES", f"http://127.0.0.1:{PORTS['bench']['elasticsearch']}")
PER_REQUEST, AT_ONCE = 2000, 5
HEADERS: Final = {"content-type": "application/x-ndjson"}


def row(number: int) -> dict[str, object]:
    """About 1.2 KB, twelve fields."""
    text = f"{number:08d} the quick brown fox jumps over the lazy dog; "
    return {
        "id": number, "customer": number % 5000, "state": "paid", "total": number % 100_000 / 100, "count": number % 90,
        "created": 1_760_000_000_000 + number, "updated": 1_760_000_000_000 + number, "open": number % 2 == 0,
        "email": f"user{number}@example.com", "city": f"City {number % 300}", "note": text * 12, "ref": f"{number:9d}",
    }  # fmt: skip


def produce(kafka: str, topic: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": kafka, "compression.type": "lz4", "linger.ms": 20,
                         "queue.buffering.max.messages": 1_000_000})  # fmt: skip
    for number in range(count):
        producer.produce(topic, orjson.dumps(row(number)), str(number).encode())
        producer.poll(0)
    producer.flush()


def bodies(index: str, count: int) -> list[bytes]:
    made = []
    for start in range(0, count, PER_REQUEST):
        lines = []
        for number in range(start, min(start + PER_REQUEST, count)):
            head = {"index": {"_index": index, "_id": str(number), "version": number + 1, "version_type": "external"}}
            lines += [orjson.dumps(head), orjson.dumps(row(number))]
        made.append(b"\n".join(lines) + b"\n")
    return made


@dataclass(frozen=True)
class Prepared:
    """A side: documents a second that the server takes."""

    count: int
    name: str = "bulk"

    def measure(self) -> Figures:
        index = "bench" + uuid.uuid4().hex[:8]
        requests.put(f"{SERVER}/{index}", timeout=60).raise_for_status()
        pool = urllib3.PoolManager(maxsize=AT_ONCE)
        prepared = bodies(index, self.count)

        def send(body: bytes) -> None:
            answer = pool.request("POST", f"{SERVER}/_bulk?filter_path=errors", body=body, headers=HEADERS)
            assert answer.data == b'{"errors":false}', answer.data[:500]

        with ThreadPoolExecutor(AT_ONCE) as threads:
            began = time.monotonic()
            list(threads.map(send, prepared))
            taken = time.monotonic() - began
        requests.delete(f"{SERVER}/{index}", timeout=60)
        return {"events_a_second": self.count / taken}


@dataclass(frozen=True)
class Sink:
    """A side: each measurement is a new connector into a new index, whose name is the topic's."""

    worker: Worker
    topic: str
    count: int

    @property
    def name(self) -> str:
        return self.worker.name

    def measure(self) -> Figures:
        name = f"{self.topic}-{uuid.uuid4().hex[:6]}"
        connector = Connector(self.worker, name)
        others = set(family(self.worker.pid))

        def indexed() -> int:
            _hold_on_one_core(set(family(self.worker.pid)) - others)
            answer = requests.get(f"{SERVER}/{self.topic}/_stats/indexing", timeout=60)
            told = answer.json()["_all"]["total"].get("indexing", {}) if answer.ok else {}
            return int(told.get("index_total", 0))

        watch = Watch(self.worker, connector, indexed, self.count)
        found = watch.figures(lambda: connector.create({
            "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "topics": self.topic,
            "connection.url": SERVER, "schema.ignore": "true",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        }))  # fmt: skip
        connector.stop()
        connector.delete()
        requests.delete(f"{SERVER}/{self.topic}", timeout=60)
        return found


def _hold_on_one_core(processes: set[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.sched_setaffinity(process, {0})


@dataclass(frozen=True, kw_only=True)
class ElasticsearchCase:
    """Documents of 1.2 KB."""

    about: str = "Elasticsearch sink, documents of 1.2 KB"

    def rows(self, size: Size) -> int:
        return size.rows // 10

    def seconds(self, size: Size) -> float:
        return 30 + (size.runs + 1) * (10 + 2 * self.rows(size) / 2500)

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        topic, count = f"{place.tag}-documents", self.rows(size)
        produce(place.broker.address, topic, count)
        (worker,) = place.workers(["tailrace"])
        yield from rounds([Prepared(count), Sink(worker, topic, count)], size.runs)
