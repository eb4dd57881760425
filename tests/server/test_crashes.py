"""kill -9 of the worker or a task, at each numbered step and at random moments: nothing lost, order kept, and on the
embedded log nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.server.rig import Rig
from tests.server.worker_process import wait_until

STEPS = ["source:read", "source:appended", "source:flushed", "sink:read", "sink:put", "sink:committed"]
LOGS = ["embedded", "kafka"]
KEYS = 60
Event = dict[str, Any]


class Workload(threading.Thread):
    """Seeded inserts, updates, deletes, key changes and transactions; every write has a number of its own in `v`."""

    def __init__(self, rig: Rig, seed: int, first: int) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.number = first
        self.over = threading.Event()
        host, port = rig.mysql_address
        self.database: Any = pymysql.connect(host=host, port=port, user="app", password="apppw", database=rig.name)

    def run(self) -> None:
        while not self.over.is_set():
            self.transaction()
            time.sleep(self.random.random() * 0.01)
        self.database.close()

    def transaction(self) -> None:
        with self.database.cursor() as cursor:
            for _ in range(self.random.choice((1, 1, 2, 5, 30))):
                self.number += 1
                self.change(cursor)
        self.database.rollback() if self.random.random() < 0.05 else self.database.commit()

    def change(self, cursor: Any) -> None:
        key, number = self.random.randrange(KEYS), self.number
        match self.random.random():
            case chance if chance < 0.4:
                cursor.execute(
                    "INSERT INTO t VALUES (%s, %s, %s, 1.25) ON DUPLICATE KEY UPDATE v = %s",
                    (key, number, f"n{number}", number),
                )
            case chance if chance < 0.7:
                cursor.execute("UPDATE t SET v = %s, price = price + 1 WHERE id = %s", (number, key))
            case chance if chance < 0.8:
                cursor.execute("UPDATE IGNORE t SET id = %s, v = %s WHERE id = %s", (key + KEYS, number, key))
            case chance if chance < 0.9:
                cursor.execute("DELETE FROM t WHERE id IN (%s, %s)", (key, key + KEYS))
            case _:
                cursor.execute("UPDATE t SET v = v + 1000000 WHERE id BETWEEN %s AND %s", (key, key + 10))

    def finish(self) -> int:
        self.over.set()
        self.join(30)
        return self.number


@pytest.fixture(params=LOGS)
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str, kafka: str
) -> Iterator[Rig]:
    rig = Rig(tmp_path, mysql_address, elasticsearch_url, kafka if request.param == "kafka" else None)
    yield rig
    rig.close()


def topic(rig: Rig) -> list[Event | None]:
    """The values of the table's topic, in order; None is a tombstone."""
    with rig.worker.log() as log:
        found = [value for _, value in log.topic(rig.index, {}).read()]
    return [json.loads(value)["payload"] if value else None for value in found]


def each_once(events: list[Event | None]) -> list[Event]:
    """First occurrences, told apart by their place in the binlog; snapshot reads and tombstones left out."""
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for event in events:
        if event is None or event["op"] == "r":
            continue
        source = event["source"]
        place = (source["file"], source["pos"], source["row"], event["op"])
        if place not in seen:
            seen.add(place)
            kept.append(event)
    return kept


def follows(events: list[Event]) -> dict[int, Event]:
    """Applies the events one after another, each onto the state its `before` tells; returns the last state."""
    state: dict[int, Event] = {}
    for number, event in enumerate(events):
        before, after = event["before"], event["after"]
        if before is not None:
            assert state.pop(before["id"], None) == before, f"event {number} does not follow: {event}"
        if after is not None:
            assert after["id"] not in state, f"event {number} comes twice: {event}"
            state[after["id"]] = after
    return state


def topic_tells_the_table(rig: Rig) -> None:
    events = topic(rig)
    changes = each_once(events)
    if rig.worker.kafka is None:
        assert len(changes) == sum(1 for event in events if event is not None and event["op"] != "r")
    rows = {key: row["v"] for key, row in rig.table().items()}
    assert {key: after["v"] for key, after in follows(changes).items()} == rows


def streaming(rig: Rig) -> None:
    """A worker whose source streams from an empty table: every later row is a change."""
    rig.worker.start()
    rig.create()
    rig.sql("INSERT INTO t VALUES (-1, 0, NULL, NULL)")
    rig.index_equals_table()


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_a_numbered_step_loses_nothing(rig: Rig, step: str) -> None:
    streaming(rig)
    rig.worker.kill()
    load = Workload(rig, seed=1, first=0)
    load.start()
    rig.worker.start({"TAILRACE_CRASH_AT": f"{step}:3"})
    time.sleep(4)
    load.finish()
    assert "SIGKILL" in rig.worker.said() or "signal 9" in rig.worker.said(), (
        f"no task crashed at {step}: {rig.worker.said()}"
    )
    rig.worker.kill()
    rig.worker.start()
    rig.index_equals_table()
    topic_tells_the_table(rig)


@pytest.mark.timeout(600)
def test_crashes_at_random_moments_lose_nothing(rig: Rig) -> None:
    streaming(rig)
    chance = random.Random(20261121)
    number = 0
    for seed in range(25):
        load = Workload(rig, seed, number)
        load.start()
        time.sleep(chance.random() * 1.2)
        tasks = rig.worker.tasks()
        if tasks and chance.random() < 0.6:
            os.kill(chance.choice(tasks), signal.SIGKILL)
        else:
            rig.worker.kill()
            rig.worker.start()
        number = load.finish()
        if seed % 5 == 4:
            rig.index_equals_table()
    topic_tells_the_table(rig)


def test_a_crash_in_the_middle_of_the_snapshot_loses_nothing(rig: Rig) -> None:
    rig.sql("INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
            "SELECT i + 1000, i, 'x', 1 FROM n")  # fmt: skip
    rig.worker.start({"TAILRACE_CRASH_AT": "source:appended:2"})
    rig.create()
    wait_until(lambda: any(rig.documents()), "the first rows of the snapshot, or its end")
    load = Workload(rig, seed=3, first=5000)
    load.start()
    rig.worker.kill()
    rig.sql("DELETE FROM t WHERE id > 1800")  # rows that the broken snapshot may have sent already
    rig.worker.start()
    load.finish()
    rig.index_equals_table()


def test_a_worker_told_to_stop_ends_in_time_and_goes_on_where_it_was(rig: Rig) -> None:
    streaming(rig)
    load = Workload(rig, seed=2, first=0)
    load.start()
    time.sleep(1)
    began = time.monotonic()
    assert rig.worker.stop() == 0
    assert time.monotonic() - began < 15
    time.sleep(0.5)
    rig.worker.start()
    load.finish()
    rig.index_equals_table()
    topic_tells_the_table(rig)
