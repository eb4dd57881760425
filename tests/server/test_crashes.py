"""kill -9 of the worker or a task, at each numbered step and at random moments: nothing lost, order kept, and on the
embedded log nothing twice.

`TAILRACE_CRASH_ROUNDS` makes so many times the kills at random moments.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from connect_compat.crash_points import STEPS, VARIABLE
from tests.server.rig import Rig
from tests.server.unruly import unruly
from tests.server.worker_process import alive, wait_until

LOGS = ["embedded", "kafka"]
ROUNDS = int(os.environ.get("TAILRACE_CRASH_ROUNDS", "1"))
KILLS = (15 * ROUNDS, 10 * ROUNDS)
"""At random moments, on the embedded log and on Kafka."""

MakeRig = Callable[[], Rig]


@pytest.fixture(scope="module", params=LOGS)
def make_rig(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    mysql_address: tuple[str, int],
    elasticsearch_url: str,
    kafka: str,
) -> Iterator[MakeRig]:
    """Rigs on one of the logs; closed at the module's end."""
    made: list[Rig] = []

    def make() -> Rig:
        broker = kafka if request.param == "kafka" else None
        made.append(Rig(tmp_path_factory.mktemp("rig"), mysql_address, elasticsearch_url, broker))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make_rig: MakeRig) -> Iterator[Rig]:
    rig = make_rig()
    yield rig
    rig.worker.close()


@pytest.fixture(scope="module")
def streaming(make_rig: MakeRig) -> Rig:
    """One that streams, and whose tasks crash where it is told."""
    rig = make_rig()
    rig.stream({VARIABLE: f"@{rig.crash_file}"})
    return rig


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_a_numbered_step_loses_nothing(streaming: Rig, step: str) -> None:
    rig = streaming
    rig.restart_tasks()  # the next crash is their first: they come back after a second
    load = rig.load(seed=STEPS.index(step) + 1)
    before = rig.deaths()
    rig.crash_at(step)
    if step == "topic:appended":
        rig.sql(f"ALTER TABLE t ADD COLUMN c{before} INT")
    wait_until(partial(rig.died_since, before), f"a crash at {step}", 30)
    time.sleep(0.5)
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()


@pytest.mark.timeout(300 * ROUNDS + 300)
def test_crashes_at_random_moments_lose_nothing(rig: Rig) -> None:
    """With Kafka on a way to Elasticsearch that is busy, does not answer, and lets requests overtake each other."""
    if rig.worker.kafka is None:
        rig.stream()
        _crash_at_random_moments(rig)
    else:
        with unruly(rig.elasticsearch_url, 20261121) as server:
            rig.stream(sink=rig.sink_config(connection_url=server.url, batch_size="100"))
            _crash_at_random_moments(rig)
            assert all(server.counts.values()), server.counts
    assert rig.worker.stop() == 0


def _crash_at_random_moments(rig: Rig) -> None:
    chance = random.Random(20261121)
    load = rig.load(seed=50)
    for number in range(KILLS[rig.worker.kafka is not None]):
        victim = chance.choice(("worker", rig.source, rig.source, rig.source, rig.sink))
        rig.works(rig.sink if victim == rig.sink else rig.source)
        if number % 5 == 4:
            rig.sql(f"ALTER TABLE t ADD COLUMN c{number} INT")
        time.sleep(chance.random() * 0.6)
        if victim == "worker":
            rig.worker.kill()
            rig.worker.start()
        else:
            os.kill(rig.worker.tasks()[f"{victim}-0"], signal.SIGKILL)
    load.finish()
    rig.index_equals_table(60 * ROUNDS)  # it may be as far behind as there were kills
    rig.topic_tells_everything()


def test_crashes_in_the_middle_of_the_snapshot_lose_nothing(rig: Rig) -> None:
    rig.sql("SET SESSION cte_max_recursion_depth = 10000")
    rig.sql("INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
            "SELECT i, -i, 'x', 1 FROM n")  # fmt: skip
    chance = random.Random(20261121)
    load = None
    # The first flush saves the offset before the first row, the second one rows.
    appended = [f"source:appended:{chance.randrange(3, 30)}" for _ in range(2)]
    for number, step in enumerate((appended[0], "log:records:2", appended[1])):
        before = rig.deaths()
        rig.worker.start({VARIABLE: step})
        if load is None:
            rig.create(rig.source_config(snapshot_fetch_size="100"))
            load = rig.load(seed=30, keys=2000)
        wait_until(partial(rig.died_since, before), f"a crash at {step}", 30)
        rig.sql(f"DELETE FROM t WHERE id % 10 = {number}")  # rows that a broken attempt may have sent
        rig.sql(f"ALTER TABLE t ADD COLUMN c{number} INT")
        rig.worker.kill()
    rig.worker.start()
    assert load is not None
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()


def test_crashes_in_the_middle_of_transactions_lose_nothing(rig: Rig) -> None:
    rig.worker.flush_ms = 1
    rig.worker.start({VARIABLE: "source:flushed:9"})
    metadata = {"provide_transaction_metadata": "true"}
    rig.create(rig.source_config(max_batch_size="3", **metadata))
    load = rig.load(seed=60, sizes=(40, 80))
    wait_until(partial(rig.died_since, 4), "five deaths")
    load.finish()
    rig.worker.kill()
    rig.worker.start()
    rig.create(rig.source_config(**metadata))
    rig.index_equals_table()
    rig.topic_tells_everything()
    rig.transactions_are_whole()


def test_no_task_outlives_its_worker(rig: Rig) -> None:
    rig.stream()
    tasks = rig.worker.tasks()
    assert set(tasks) == {f"{rig.source}-0", f"{rig.sink}-0"}
    os.kill(tasks[f"{rig.source}-0"], signal.SIGSTOP)  # one that is stopped cannot see that its worker is gone
    rig.worker.kill()
    assert not any(map(alive, tasks.values()))


def test_a_worker_told_to_stop_ends_in_time_and_goes_on_where_it_was(rig: Rig) -> None:
    rig.stream()
    load = rig.load(seed=2)
    time.sleep(1)
    began = time.monotonic()
    assert rig.worker.stop() == 0
    assert time.monotonic() - began < 8
    time.sleep(0.5)
    rig.worker.start()
    load.finish()
    rig.index_equals_table()
    rig.topic_tells_everything()
