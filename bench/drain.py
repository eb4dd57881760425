"""Backlog drain through any Kafka Connect compatible worker: change events a second, CPU and memory.

Records are counted at the broker (the topic's end offset), CPU and memory (PSS) read from /proc for the worker and
all its children. The connector is created and stopped, the backlog is written, and each run rewinds the offsets and
resumes: every run drains the same bytes. PostgreSQL's slots cannot be rewound: there each run has its own backlog.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests
from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.sources import DATABASES, Database


@dataclass(frozen=True)
class Result:
    """One drain. `cpu_s_per_million` in CPU-seconds a million events, `peak_pss_mb` in MiB of all processes."""

    worker: str
    run: int
    rows: int
    per_transaction: int
    rows_a_second: int
    start_to_first_s: float
    cpu_s_per_million: float
    peak_pss_mb: int

    def line(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Bench:
    """Where the servers are and how much is drained."""

    source: str
    address: tuple[str, int]
    kafka: str
    rows: int = 300_000
    per_transaction: int = 1000
    runs: int = 5


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    found, left = [], [pid]
    while left:
        process = left.pop()
        found.append(process)
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                left += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and PSS in MiB of the whole family."""
    cpu = memory = 0.0
    for process in family(pid):
        try:
            stat = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        cpu += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        memory += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return cpu, memory / 1024


class Drain:
    """One connector, one backlog, drained again and again."""

    def __init__(self, bench: Bench, worker: str, url: str, pid: int, settings: Mapping[str, str]) -> None:
        self.bench, self.worker, self.pid = bench, worker, pid
        self.tag = "b" + uuid.uuid4().hex[:8]
        self.url = f"{url}/connectors/{self.tag}"
        self.settings = settings
        self.session = requests.Session()
        self.database: Database = DATABASES[bench.source](bench.address, self.tag)
        self.consumer = Consumer({"bootstrap.servers": bench.kafka, "group.id": self.tag})

    def results(self) -> list[Result]:
        self._call("PUT", "/config", self._config())
        offsets = self._first_offsets()
        self._call("PUT", "/stop")
        time.sleep(3)
        results = [self._run(run, offsets) for run in range(self.bench.runs)]
        self._call("DELETE")
        self.database.drop()
        self.consumer.close()
        return results

    def _run(self, run: int, offsets: Any) -> Result:
        if run and self.database.rewinds:
            self._call("PATCH", "/offsets", {"offsets": offsets})
        else:
            self.database.fill(self.bench.rows, self.bench.per_transaction)
        return self._measure(run)

    def _config(self) -> dict[str, str]:
        return self.database.config(self.bench.kafka) | {
            "tasks.max": "1", "topic.prefix": self.tag, "snapshot.mode": "no_data", "heartbeat.interval.ms": "500",
            **self.settings,
        }  # fmt: skip

    def _call(self, method: str, path: str = "", body: object = None) -> Any:
        answer = self.session.request(method, self.url + path, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _first_offsets(self) -> Any:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            time.sleep(0.3)
            try:
                offsets = self._call("GET", "/offsets")["offsets"]
            except requests.HTTPError:
                continue
            if offsets:
                return offsets
        raise SystemExit(f"{self.worker} stored no offset within 120 s: {self._call('GET', '/status')}")

    def _end(self) -> int:
        topic = f"{self.tag}.{self.tag}.orders"
        try:
            return int(self.consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5, cached=False)[1])
        except KafkaException:
            return 0

    def _measure(self, run: int) -> Result:
        base, wanted = self._end(), self.bench.rows
        cpu_before, _ = usage(self.pid)
        began = time.time()
        self._call("PUT", "/resume")
        result = self._watch(lambda: self._end() - base, wanted, began)
        cpu, _ = usage(self.pid)
        self._call("PUT", "/stop")
        time.sleep(3)
        rate, first, peak = result
        return Result(self.worker, run, wanted, self.bench.per_transaction, rate, first,
                      round((cpu - cpu_before) / wanted * 1e6, 1), round(peak))  # fmt: skip

    def _watch(self, count: Callable[[], int], wanted: int, began: float) -> tuple[int, float, float]:
        """Rows a second between the first sight and the last record, seconds to the first, peak memory."""
        done = first_count = 0
        first = peak = 0.0
        while done < wanted:
            time.sleep(0.1)
            done, now = count(), time.time()
            peak = max(peak, usage(self.pid)[1])
            if done and not first:
                first, first_count = now, done
            if now - began > 400:
                raise SystemExit(f"{self.worker}: {done} of {wanted} records after 400 s")
        return round((done - first_count) / max(time.time() - first, 0.1)), round(first - began, 2), peak
