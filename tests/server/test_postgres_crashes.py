"""kill -9 of PostgreSQL tasks and workers at random moments of a snapshot, whole or incremental, under load.

`TAILRACE_CRASH_ROUNDS` is the number of seeds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.postgres_place import Place
from tests.server.worker_process import wait_until

ROUNDS = int(os.environ.get("TAILRACE_CRASH_ROUNDS", "1"))
KILLS = 3


@pytest.fixture(params=["embedded", "kafka"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_address: tuple[str, int], kafka: str
) -> Iterator[Place]:
    made = Place(tmp_path, postgres_address, kafka if request.param == "kafka" else None)
    yield made
    made.close()


class Load(threading.Thread):
    """Inserts, updates, changes of keys and deletes of one writer, until `finish`; each change has a number as `v`."""

    def __init__(self, place: Place, rows: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.database, self.rows = place.connect(place.name), rows
        self.chance, self.over, self.number = random.Random(seed), threading.Event(), 0

    def run(self) -> None:
        while not self.over.wait(self.chance.random() * 0.02):
            with self.database.transaction():
                for _ in range(self.chance.choice((1, 2, 5, 30))):
                    self.change()

    def change(self) -> None:
        self.number += 1
        id = self.chance.randrange(1, self.rows)
        match self.chance.randrange(4):
            case 0:
                self.database.execute("INSERT INTO t VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET v = excluded.v",
                                      (id, self.number))  # fmt: skip
            case 1:
                self.database.execute("DELETE FROM t WHERE id = %s", (id,))
            case 2:
                self.database.execute("UPDATE t SET id = %s, v = %s WHERE id = %s",
                                      (self.rows * 10 + self.number, self.number, id))  # fmt: skip
            case _:
                self.database.execute("UPDATE t SET v = %s WHERE id = %s", (self.number, id))

    def finish(self) -> None:
        self.over.set()
        self.join(30)
        assert not self.is_alive()
        self.database.close()


def _kill(place: Place, chance: random.Random) -> None:
    """The task or the whole worker, which is started again."""
    if chance.random() < 0.6 and (task := place.worker.tasks().get(f"{place.name}-0")):
        os.kill(task, signal.SIGKILL)
    else:
        place.worker.kill()
        place.worker.start()


def _killed_while(place: Place, going_on: Callable[[], bool], chance: random.Random) -> int:
    """Kills until it is over or enough: each time when more was sent since the last."""
    kills, sent = 0, 0
    while kills < KILLS:
        wait_until(lambda: place.sent() > sent + 100 or not going_on(), "more records", told=place.worker.said)  # noqa: B023
        time.sleep(chance.random() * 0.05)
        if not going_on():
            break
        kills, sent = kills + 1, place.sent()
        _kill(place, chance)
    return kills


def _last_states(place: Place) -> dict[int, int]:
    """`v` by id, as the last record of each key has it."""
    states: dict[int, int] = {}
    with place.worker.log() as log:
        for key, value in log.topic(place.topic, {}).read():
            after = json.loads(value)["payload"]["after"] if value else None
            id = json.loads(key or b"")["payload"]["id"]
            if after is None:
                states.pop(id, None)
            else:
                states[id] = after["v"]
    return states


def _snapshot_records(place: Place) -> int:
    """How many; what the load changed does not count, a quick server takes much of it."""
    with place.worker.log() as log:
        values = [value for _, value in log.topic(place.topic, {}).read() if value]
    return sum(json.loads(value)["payload"]["op"] == "r" for value in values)


def _ends_as_the_table(place: Place) -> None:
    table: dict[int, Any] = dict(place.database.execute("SELECT id, v FROM t").fetchall())
    wait_until(lambda: _last_states(place) == table, "the table's state", 90, every=1, told=place.worker.said)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_snapshot_that_is_killed_at_random_goes_on_and_loses_nothing(place: Place, seed: int) -> None:
    rows = 30_000
    place.database.execute("INSERT INTO t SELECT i, -i FROM generate_series(1, %s) i", (rows,))
    place.worker.put(place.name, place.config(snapshot_fetch_size="50", snapshot_max_threads="2"))
    load = Load(place, rows, 70 + seed)
    load.start()
    assert _killed_while(place, lambda: not _streams(place), random.Random(seed))
    load.finish()
    _ends_as_the_table(place)
    # A snapshot that began anew after each kill would have read more than this.
    assert _snapshot_records(place) < 2 * rows


def _streams(place: Place) -> bool:
    offset = place.offset()
    return bool(offset) and "snapshot" not in offset


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_an_incremental_snapshot_that_is_killed_at_random_goes_on_and_loses_nothing(place: Place, seed: int) -> None:
    rows = 2000
    place.database.execute("CREATE TABLE signals (id VARCHAR(42), type VARCHAR(32), data VARCHAR(2048))")
    place.database.execute("INSERT INTO t SELECT i, -i FROM generate_series(1, %s) i", (rows,))
    place.start(
        snapshot_mode="no_data", signal_data_collection="public.signals", max_batch_size="64",
        incremental_snapshot_chunk_size="5", table_include_list="public.t,public.signals",
    )  # fmt: skip
    load = Load(place, rows, 90 + seed)
    load.start()
    asked = json.dumps({"data-collections": ["public.t"]})
    place.database.execute("INSERT INTO signals VALUES ('s', 'execute-snapshot', %s)", (asked,))
    wait_until(lambda: _reads(place), "the first chunk", 30, told=place.worker.said)
    assert _killed_while(place, lambda: _reads(place), random.Random(seed))
    wait_until(lambda: not _reads(place), "the end of the incremental snapshot", 120, told=place.worker.said)
    load.finish()
    _ends_as_the_table(place)


def _reads(place: Place) -> bool:
    return "incremental_snapshot_collections" in place.offset()
