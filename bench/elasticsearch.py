"""The Elasticsearch sink beside the server's limit: prepared bulk bodies, then the same records through Tailrace.

`python -m bench.elasticsearch [RECORDS [RUNS]]`. Both write the same documents with external versions into a new index,
2,000 in a request and five requests at a time. The sink reads them from Kafka; its task is held on one core.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson
import requests
import urllib3
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.__main__ import WORKER
from bench.drain import family, usage
from services import connect
from services.__main__ import PORTS

KAFKA = os.environ.get("TAILRACE_KAFKA", f"127.0.0.1:{PORTS['bench']['kafka']}")
SERVER = os.environ.get("TAILRACE_ES", f"http://127.0.0.1:{PORTS['bench']['elasticsearch']}")
TAILRACE_PORT = 18085
PER_REQUEST, AT_ONCE, PATIENCE_S = 2000, 5, 600
HEADERS = {"content-type": "application/x-ndjson"}


def row(number: int) -> dict[str, object]:
    """About 1.2 KB, twelve fields."""
    text = f"{number:08d} the quick brown fox jumps over the lazy dog; "
    return {
        "id": number, "customer": number % 5000, "state": "paid", "total": number % 100_000 / 100, "count": number % 90,
        "created": 1_760_000_000_000 + number, "updated": 1_760_000_000_000 + number, "open": number % 2 == 0,
        "email": f"user{number}@example.com", "city": f"City {number % 300}", "note": text * 12, "ref": f"{number:9d}",
    }  # fmt: skip


def produce(topic: str, count: int) -> None:
    admin = AdminClient({"bootstrap.servers": KAFKA})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": KAFKA, "compression.type": "lz4", "linger.ms": 20,
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


def limit(count: int) -> float:
    """Documents a second that the server takes."""
    index = "bench" + uuid.uuid4().hex[:8]
    requests.put(f"{SERVER}/{index}", timeout=60).raise_for_status()
    pool = urllib3.PoolManager(maxsize=AT_ONCE)
    prepared = bodies(index, count)

    def send(body: bytes) -> None:
        answer = pool.request("POST", f"{SERVER}/_bulk?filter_path=errors", body=body, headers=HEADERS)
        assert answer.data == b'{"errors":false}', answer.data[:500]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        began = time.monotonic()
        list(threads.map(send, prepared))
        taken = time.monotonic() - began
    requests.delete(f"{SERVER}/{index}", timeout=60)
    return count / taken


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        properties = Path(folder) / "worker.properties"
        group = "tailrace-" + uuid.uuid4().hex[:8]
        properties.write_text(WORKER.format(kafka=KAFKA, port=TAILRACE_PORT).replace("tailrace-bench", group))
        program = Path(sys.executable).with_name("tailrace")
        process = subprocess.Popen([program, "distributed", properties, "--log-level", "warning"])
        try:
            while not connect.answers(TAILRACE_PORT):
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def sink(topic: str, count: int, pid: int) -> tuple[float, float, float]:
    """Documents a second between the first sight and the last, CPU seconds of the task a million, its PSS in MiB."""
    name = f"{topic}-{uuid.uuid4().hex[:6]}"
    url = f"http://127.0.0.1:{TAILRACE_PORT}/connectors/{name}"
    requests.put(f"{url}/config", timeout=60, json={
        "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "topics": topic,
        "connection.url": SERVER, "schema.ignore": "true",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    }).raise_for_status()  # fmt: skip
    known, first, began, task, cpu, peak = 0, 0, 0.0, 0, 0.0, 0.0
    end = time.monotonic() + PATIENCE_S
    while known < count and time.monotonic() < end:
        time.sleep(0.1)
        if not task and (found := [each for each in family(pid)[1:] if _is_task(each, name)]):
            task = found[0]
            os.sched_setaffinity(task, {0})
        if task:
            cpu, memory = usage(task)
            peak = max(peak, memory)
        answer = requests.get(f"{SERVER}/{topic}/_stats/indexing", timeout=60)
        told = answer.json()["_all"]["total"].get("indexing", {}) if answer.ok else {}
        known = told.get("index_total", 0)
        if known and not began:
            began, first = time.monotonic(), known
    rate = (known - first) / (time.monotonic() - began)
    requests.delete(url, timeout=60)
    requests.delete(f"{SERVER}/{topic}", timeout=60)
    return rate, cpu / count * 1e6, peak


def _is_task(pid: int, name: str) -> bool:
    try:
        return f"{name}-0" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def main(arguments: list[str]) -> None:
    count, runs = [int(n) for n in arguments] + [100_000, 3][len(arguments) :]
    topic = "bench" + uuid.uuid4().hex[:8]
    produce(topic, count)
    limits, sinks = [], []
    with worker() as process:
        for _ in range(runs):
            limits.append(limit(count))
            sinks.append(sink(topic, count, process.pid))
    admin = AdminClient({"bootstrap.servers": KAFKA})
    admin.delete_topics([topic])[topic].result(30)
    most = statistics.median(limits)
    rate, cpu, peak = (statistics.median(figures) for figures in zip(*sinks, strict=True))
    print(f"prepared bodies {most:,.0f} documents/s; sink {rate:,.0f} ({rate / most:.2f}), {cpu:.1f} CPU-seconds a "
          f"million, PSS {peak:.0f} MiB; runs {[round(n) for n in limits]} {[round(n[0]) for n in sinks]}")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
