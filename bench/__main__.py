"""`make bench`: backlog drain, Debezium tuned and Tailrace one after the other on the same servers; prints the ratios.

`python -m bench mysql|postgres [ROWS [PER_TRANSACTION [RUNS]]]`. Raw results go to bench/results/. The servers are
those of the `bench` profile, or what TAILRACE_MYSQL, TAILRACE_POSTGRES and TAILRACE_KAFKA name.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.drain import Bench, Drain, Result
from services import __main__ as services
from services import connect
from services.place import cache, say

TAILRACE_PORT, PEER_PORT = 18083, 18084
WORKER = """\
bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.flush.interval.ms=5000
group.id=tailrace-bench
config.storage.topic=tailrace-bench-configs
offset.storage.topic=tailrace-bench-offsets
status.storage.topic=tailrace-bench-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
"""
# What an operator does who wants speed: larger batches and queues, compression, five requests on their way.
TUNED = {
    "producer.override.linger.ms": "20",
    "producer.override.batch.size": "524288",
    "producer.override.compression.type": "lz4",
    "producer.override.buffer.memory": "134217728",
    "producer.override.max.in.flight.requests.per.connection": "5",
    "max.batch.size": "16384",
    "max.queue.size": "65536",
    "poll.interval.ms": "50",
}


@contextmanager
def tailrace_worker(kafka: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Its address and process id."""
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "worker.properties"
    properties.write_text(WORKER.format(kafka=kafka, port=TAILRACE_PORT))
    program = Path(sys.executable).with_name("tailrace")
    worker = subprocess.Popen([program, "distributed", properties, "--log-level", "warning"])
    try:
        while not connect.answers(TAILRACE_PORT):
            if worker.poll() is not None:
                sys.exit(f"tailrace ended with {worker.returncode}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{TAILRACE_PORT}", worker.pid
    finally:
        worker.terminate()
        worker.wait(30)


def tailrace(bench: Bench, folder: Path) -> list[Result]:
    with tailrace_worker(bench.kafka, folder) as (url, pid):
        return Drain(bench, "tailrace", url, pid, {}).results()


def debezium(bench: Bench, folder: Path) -> list[Result]:
    pid = connect.start(folder, PEER_PORT, bench.kafka, connect.distributed("peer"))
    try:
        return Drain(bench, "debezium tuned", f"http://127.0.0.1:{PEER_PORT}", pid, TUNED).results()
    finally:
        connect.stop(folder)


def median(results: list[Result], figure: str) -> float:
    return float(statistics.median(getattr(result, figure) for result in results))


def report(ours: list[Result], theirs: list[Result]) -> str:
    figures = {
        "rows_a_second": "events a second",
        "cpu_s_per_million": "CPU-seconds a million events",
        "peak_pss_mb": "peak memory of all processes, MiB",
        "start_to_first_s": "seconds from resume to the first event",
    }
    lines = ["| | Tailrace | Debezium tuned | ratio |", "|---|---|---|---|"]
    for figure, name in figures.items():
        a, b = median(ours, figure), median(theirs, figure)
        lines.append(f"| {name} | {a:g} | {b:g} | {a / b:.2f} |")
    return "\n".join(lines)


def address(server: str) -> str:
    return os.environ.get(f"TAILRACE_{server.upper()}", f"127.0.0.1:{services.PORTS['bench'][server]}")


def main(arguments: list[str]) -> None:
    source = arguments[0] if arguments else "mysql"
    rows, per_transaction, runs = [int(n) for n in arguments[1:]] + [300_000, 1000, 5][len(arguments[1:]) :]
    host, port = address(source).split(":")
    bench = Bench(source, (host, int(port)), address("kafka"), rows, per_transaction, runs)
    folder = cache() / "data" / "bench"
    theirs = debezium(bench, folder / "peer")
    ours = tailrace(bench, folder / "tailrace")
    for result in [*theirs, *ours]:
        say(result.line())
    results = Path(__file__).parent / "results" / f"{source}-drain-{per_transaction}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps([asdict(result) for result in [*theirs, *ours]], indent=1) + "\n")
    print(report(ours, theirs))


if __name__ == "__main__":
    main(sys.argv[1:])
