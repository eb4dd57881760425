"""kill -9 at random moments of a snapshot, by several sessions or incremental, under load: it goes on, nothing is lost.

`TAILRACE_CRASH_ROUNDS` is the number of seeds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.server.rig import Rig
from tests.server.worker_process import wait_until

ROUNDS = int(os.environ.get("TAILRACE_CRASH_ROUNDS", "1"))
ROWS = 40_000


@pytest.fixture(params=["embedded", "kafka"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str, kafka: str
) -> Iterator[Rig]:
    rig = Rig(tmp_path, mysql_address, elasticsearch_url, kafka if request.param == "kafka" else None)
    yield rig
    rig.close()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_snapshot_that_is_killed_at_random_goes_on_and_loses_nothing(rig: Rig, seed: int) -> None:
    rig.sql(f"SET SESSION cte_max_recursion_depth = {ROWS}")
    rig.sql(f"INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) "
            "SELECT i, -i, 'x', 1 FROM n")  # fmt: skip
    rig.worker.start()
    threads = {"snapshot_max_threads": "3", "snapshot_fetch_size": "20"}
    rig.worker.put(rig.source, rig.source_config(**threads))
    load = rig.load(seed=70 + seed, keys=ROWS)
    chance, kills, sent = random.Random(seed), 0, 0
    while kills < 3:
        wait_until(partial(_has_sent_more, rig, sent), "more of the table", 60, told=rig.states)
        time.sleep(chance.random() * 0.1)
        if rig.is_streaming():
            break
        kills, sent = kills + 1, _sent(rig)
        if chance.random() < 0.5 and (task := rig.worker.tasks().get(f"{rig.source}-0")):
            os.kill(task, signal.SIGKILL)
        else:
            rig.worker.kill()
            rig.worker.start()
        rig.sql(f"DELETE FROM t WHERE id % 50 = {kills}")
    assert kills, rig.worker.said()
    load.finish()
    table = {row["id"]: row["v"] for row in rig.table().values()}
    wait_until(lambda: _last_states(rig) == table, "the table's state", 90, every=1)
    # A snapshot that began anew after each kill would have sent more rows than this.
    assert _sent(rig) < 2 * ROWS + 20_000


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_an_incremental_snapshot_that_is_killed_at_random_goes_on_and_the_log_is_told_once_and_in_order(
    rig: Rig, seed: int
) -> None:
    rows = 2000
    rig.sql(f"SET SESSION cte_max_recursion_depth = {rows}")
    rig.sql(f"INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
            "SELECT i, -i, 'x', 1 FROM n")  # fmt: skip
    rig.sql("CREATE TABLE signals (id VARCHAR(42), type VARCHAR(32), data VARCHAR(2048))")
    rig.worker.start()
    rig.worker.put(rig.source, rig.source_config(
        snapshot_mode="no_data", database_user="app", database_password="apppw", max_batch_size="64",
        signal_data_collection=f"{rig.name}.signals", incremental_snapshot_chunk_size="5",
    ))  # fmt: skip
    wait_until(rig.is_streaming, "the end of the first snapshot")
    load = rig.load(seed=90 + seed, keys=rows)
    asked = json.dumps({"data-collections": [f"{rig.name}.t"]})
    rig.sql(f"INSERT INTO signals VALUES ('s', 'execute-snapshot', '{asked}')")
    chance, kills = random.Random(seed), 0
    wait_until(lambda: _is_reading(rig), "the first chunk", 30, every=0.05)
    while kills < 4 and _is_reading(rig):
        kills += 1
        if chance.random() < 0.7 and (task := rig.worker.tasks().get(f"{rig.source}-0")):
            os.kill(task, signal.SIGKILL)
        else:
            rig.worker.kill()
            rig.worker.start()
        rig.sql(f"DELETE FROM t WHERE id % 50 = {kills}")
        before = _sent(rig)
        wait_until(partial(_sends, rig, before + 20), f"more records; {rig.worker.said()}", 60, every=0.05)
        time.sleep(chance.random() * 0.2)
    assert kills > 1, rig.worker.said()
    wait_until(lambda: not _is_reading(rig), "the end of the incremental snapshot", 120, told=rig.states)
    load.finish()
    table = {row["id"]: row["v"] for row in rig.table().values()}
    wait_until(lambda: _last_states(rig) == table, f"the table's state; {rig.worker.said()}", 120, every=1)
    rig.topic_tells_everything()


def _is_reading(rig: Rig) -> bool:
    offsets = rig.worker.call("GET", f"/connectors/{rig.source}/offsets").json().get("offsets", [])
    return any("incremental_snapshot_collections" in each["offset"] for each in offsets)


def _sent(rig: Rig) -> int:
    with rig.worker.log() as log:
        return sum(log.end_offsets(rig.index).values()) if rig.index in log.topics() else 0


def _sends(rig: Rig, records: int) -> bool:
    return _sent(rig) >= records


def _has_sent_more(rig: Rig, sent: int) -> bool:
    return _sent(rig) > sent + 500 or rig.is_streaming()


def _last_states(rig: Rig) -> dict[int, int]:
    """`v` by id, as the last record of each key has it."""
    states: dict[int, int] = {}
    with rig.worker.log() as log:
        for key, value in log.topic(rig.index, {}).read():
            after = json.loads(value)["payload"]["after"] if value else None
            id = json.loads(key or b"")["payload"]["id"]
            if after is None:
                states.pop(id, None)
            else:
                states[id] = after["v"]
    return states
