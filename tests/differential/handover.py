"""`python -m tests.differential.handover [--legs N] [--mariadb | --postgres] [--compact]`: to us and back.

One connector is handed over. Each of them goes on, under load, from the other's offset and with the other's history,
in the same topics. What stands there must be what a second connector of Debezium, that nobody stops, writes of the
same server: nothing lost, no row twice. (The last change of a table may stand twice in the history and in the topic of
schema changes: Debezium's offset with it is the one before it, so it comes again whoever goes on.) Before that, each
goes on with a snapshot that the other one did not end. With --compact the history is shortened whenever we leave it,
so that Debezium goes on with what is left.

TAILRACE_MYSQL, TAILRACE_MARIADB or TAILRACE_POSTGRES, and TAILRACE_KAFKA, say where the servers are; nobody else may
use the database server meanwhile. Ends with 1 when something differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from connect_compat.log import Log, LogSettings, open_log
from services import connect
from services.place import say
from tests.differential.handover_load import DATABASE, SNAPSHOT, MySql, Postgres, Server
from tests.server.command import TAILRACE
from tests.server.golden_case import recorded
from tests.server.lane import free_port
from tests.server.worker_process import WorkerProcess, wait_until

FAST = {"poll.interval.ms": "20", "max.batch.size": "64", "max.queue.size": "128"}


class Side:
    """A worker that has the connector or waits for it."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self._url = name, url

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(method, f"{self._url}/connectors{path}", json=body, timeout=120)
        assert answer.ok, f"{self.name} says {answer.status_code} {answer.text} to {method} {path}"
        return answer.json() if answer.text else None

    def create(self, name: str, config: dict[str, str], state: str = "RUNNING") -> None:
        self.call("POST", "", {"name": name, "config": config, "initial_state": state})

    def stop(self, name: str) -> list[dict[str, Any]]:
        """Its offsets once it has ended."""
        self.call("PUT", f"/{name}/stop")
        wait_until(lambda: self._stopped(name), f"the end of {name} at {self.name}", 90, every=0.2)
        return list(self.call("GET", f"/{name}/offsets")["offsets"])

    def _stopped(self, name: str) -> bool:
        status = self.call("GET", f"/{name}/status")
        return status["connector"]["state"] == "STOPPED" and not status["tasks"]

    def go_on(self, name: str, offsets: list[dict[str, Any]]) -> None:
        self.call("DELETE", f"/{name}/offsets")
        self.call("PATCH", f"/{name}/offsets", {"offsets": offsets})
        self.call("PUT", f"/{name}/resume")

    def failure(self, name: str) -> str | None:
        return next((task["trace"] for task in self.call("GET", f"/{name}/status")["tasks"] if "trace" in task), None)


def written(log: Log, prefix: str) -> dict[str, list[str]]:
    """By topic what came, without what a run makes anew and without the prefix; a change of tables once."""
    topics: dict[str, list[str]] = {}
    for topic, events in recorded(log, (prefix,)).items():
        told = [_told(event["value"]) for event in events if event["value"]]
        name = topic.removeprefix(prefix)
        topics[name] = list(dict.fromkeys(told)) if name in ("", "-history") else told
    return topics


def _told(value: dict[str, Any]) -> str:
    value = value.get("payload", value)
    if "position" in value:  # of the history
        position = {name: part for name, part in value["position"].items() if name != "ts_sec"}
        return json.dumps([position, value["databaseName"], value.get("ddl"), value["tableChanges"]])
    source = {name: part for name, part in value["source"].items() if name != "name" and not name.startswith("ts_")}
    if "lsn" in source and source["snapshot"] != "false":  # each connector has a slot, and so a view, of its own
        source |= {"lsn": None, "txId": None, "sequence": None}
    if "tableChanges" in value:
        del source["row"]  # of the last row that was read since the start
        return json.dumps([value["databaseName"], value["ddl"], value["tableChanges"], source])
    return json.dumps([value["op"], value.get("before"), value.get("after"), value.get("message"), source])


def differences(expected: dict[str, list[str]], came: dict[str, list[str]]) -> Iterator[str]:
    """A text for each topic that differs."""
    for topic in sorted(expected.keys() | came.keys()):
        one, other = expected.get(topic, []), came.get(topic, [])
        if one != other:
            unlike = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            at = next(unlike, min(len(one), len(other)))
            yield f"{topic or 'schema changes'}: {len(one)} and {len(other)} records, number {at} differs:"
            yield f"  {one[at : at + 1]}\n  {other[at : at + 1]}"


class Handover:
    """Both workers on one Kafka and one server."""

    def __init__(self, folder: Path, server: Server, kafka: str) -> None:
        self._run = f"ho{time.time_ns() // 1_000_000 % 10**9:x}"
        self._folder, self._server, self._kafka = folder, server, kafka
        self._ours = WorkerProcess(folder / "ours", f"{self._run}ours", kafka)
        self._log = open_log(LogSettings(client={"bootstrap.servers": kafka}))
        port = free_port()
        self._port, self._sides = port, (Side("Debezium", f"http://127.0.0.1:{port}"), Side("Tailrace", self._ours.url))

    @contextmanager
    def running(self) -> Iterator[Handover]:
        connect.start(self._folder / "peer", self._port, self._kafka, jvm=connect.SMALL_JVM)
        try:
            self._ours.start()
            yield self
        finally:
            self._ours.close()
            connect.stop(self._folder / "peer")
            self._log.delete_topics([name for name in self._log.topics() if name.startswith(self._run)])
            self._log.close()

    def under_load(self, legs: int, *, compact: bool) -> list[str]:
        """What differs after as many handovers; of a history that is shortened only what comes of it."""
        whole, handed = f"{self._run}whole", f"{self._run}handed"
        load = self._server.load()
        load.setup()
        self._sides[0].create(whole, self._config(whole, 1))
        self._sides[0].create(handed, self._config(handed, 2))
        self._sides[1].create(handed, self._config(handed, 2), "STOPPED")
        for name in (whole, handed):
            self._comes(name, "b", 1, self._sides[0])
        with load.running():
            for leg in range(legs):
                side, other = self._sides[leg % 2], self._sides[(leg + 1) % 2]
                self._comes(handed, "a", self._end(handed, "a") + 50, side)
                time.sleep(0.37 * leg % 2.1)
                offsets = self._stopped(side, handed)
                if compact and leg % 2:
                    self._shorten(handed)
                other.go_on(handed, offsets)
        assert load.failure is None, load.failure
        self._comes(whole, "done", 1, self._sides[0])
        self._comes(handed, "done", 1, self._sides[legs % 2])
        self._sides[legs % 2].stop(handed)
        expected, came = written(self._log, whole), written(self._log, handed)
        if compact:
            say(f"{len(expected.pop('-history'))} and {len(came.pop('-history'))} records of history")
        say(f"{sum(map(len, expected.values()))} records in {len(expected)} topics, {legs} times handed over")
        return list(differences(expected, came))

    def unfinished_snapshot(self, first: int) -> list[str]:
        """What is not there when a side is stopped while it reads tables and the other one goes on."""
        side, other = self._sides[first], self._sides[1 - first]
        name = f"{self._run}cut{first}"
        load = self._server.load()
        load.setup_big()
        with load.running(writes=False):
            side.create(name, self._config(name, 3))
            other.create(name, self._config(name, 3), "STOPPED")
            self._comes(name, "a", 1, side)
            offsets = self._stopped(side, name)
            assert any("snapshot" in each["offset"] for each in offsets), "the snapshot was over before the stop"
            other.go_on(name, offsets)
        self._comes(name, "done", 1, other)
        other.stop(name)
        rows = recorded(self._log, (f"{name}.{DATABASE}.a",))[f"{name}.{DATABASE}.a"]
        ids = {row["value"]["payload"]["after"]["id"] if "payload" in row["value"] else row["value"]["after"]["id"]
               for row in rows}  # fmt: skip
        say(f"{len(rows)} records of {SNAPSHOT} rows of a snapshot that {side.name} began and {other.name} ended")
        return [] if len(ids) == SNAPSHOT else [f"{SNAPSHOT - len(ids)} of {SNAPSHOT} rows are missing"]

    def _config(self, prefix: str, number: int) -> dict[str, str]:
        return {**self._server.config(prefix, number, self._kafka), **FAST, "topic.prefix": prefix}

    def _stopped(self, side: Side, name: str) -> list[dict[str, Any]]:
        offsets = side.stop(name)
        say(f"{side.name} leaves {json.dumps(offsets)}")
        return offsets

    def _shorten(self, name: str) -> None:
        """As an operator does, with the connector stopped."""
        command = [TAILRACE, "history", "compact", name, "--worker", str(self._folder / "ours" / "worker.properties")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        say(done.stdout.strip())

    def _end(self, name: str, table: str) -> int:
        topic = f"{name}.{DATABASE}.{table}"
        return sum(self._log.end_offsets(topic).values()) if topic in self._log.topics() else 0

    def _comes(self, name: str, table: str, records: int, side: Side) -> None:
        def there() -> bool:
            assert (failure := side.failure(name)) is None, f"{side.name} failed: {failure}"
            return self._end(name, table) >= records

        wait_until(there, f"{records} records of {table} by {side.name}; {self._ours.said()}", 300, every=0.05)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", type=int, default=6, help="how often it is handed over")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--mariadb", action="store_true", help="on MariaDB in place of MySQL")
    parser.add_argument("--compact", action="store_true", help="shorten the history whenever we leave it")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL")
    chosen = parser.parse_args(arguments)
    variable = "TAILRACE_MARIADB" if chosen.mariadb else "TAILRACE_POSTGRES" if chosen.postgres else "TAILRACE_MYSQL"
    host, port = os.environ[variable].split(":")
    server: Server = Postgres(host, int(port)) if chosen.postgres else MySql(host, int(port), chosen.mariadb)
    kafka = os.environ.get("TAILRACE_KAFKA", "127.0.0.1:9092")
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="tailrace-handover-"))
    with Handover(folder, server, kafka).running() as handover:
        found = [*handover.unfinished_snapshot(0), *handover.unfinished_snapshot(1), 
                 *handover.under_load(chosen.legs, compact=chosen.compact)]  # fmt: skip
    print(f"{len(found)} differences", *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
