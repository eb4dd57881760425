"""The PostgreSQL source on a real server: each change once over kills, slots that do not grow, gaps told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.postgres_place import Database, Place
from tests.server.worker_process import wait_until


@pytest.fixture
def place(tmp_path: Path, postgres_address: tuple[str, int]) -> Iterator[Place]:
    made = Place(tmp_path, postgres_address)
    yield made
    made.close()


def test_each_change_comes_once_and_in_order_whatever_is_killed(place: Place) -> None:
    place.database.execute("INSERT INTO t SELECT i, 0 FROM generate_series(1, 500) i")
    place.start()
    told: list[tuple[str, int, int]] = []
    load = threading.Thread(target=_load, args=(place.connect(place.name), told), daemon=True)
    load.start()
    seeded = random.Random(1)
    for _ in range(5):
        time.sleep(seeded.uniform(0.3, 1.2))
        place.kill()
    load.join()
    wait_until(lambda: len(place.events()) >= 500 + len(told), "as many events", 40, every=0.5)
    events = place.events()
    assert sorted(events[:500]) == [("r", id, 0) for id in range(1, 501)]
    assert events[500:] == told


def _load(database: Database, told: list[tuple[str, int, int]]) -> None:
    """Transactions of 1 to 2,000 rows, two of them open at a time would interleave: one writer keeps the order."""
    seeded, next_id = random.Random(2), 1000
    for _ in range(40):
        changes: list[tuple[str, int, int]] = []
        size = seeded.choice((1, 3, 50, 2000))
        with database.transaction(), database.cursor() as cursor:
            cursor.execute("INSERT INTO t SELECT i, 1 FROM generate_series(%s::int, %s::int) i",
                           (next_id, next_id + size - 1))  # fmt: skip
            changes += [("c", id, 1) for id in range(next_id, next_id + size)]
            cursor.execute("SAVEPOINT s")
            cursor.execute("UPDATE t SET v = -1 WHERE id = %s", (next_id,))
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            cursor.execute("UPDATE t SET v = 2 WHERE id = %s", (next_id,))
            cursor.execute("DELETE FROM t WHERE id = %s", (next_id,))
            changes += [("u", next_id, 2), ("d", next_id, 0)]
        next_id += size
        told += changes
    database.close()


def test_a_slot_does_not_grow_while_other_tables_are_written(place: Place) -> None:
    place.database.execute("CREATE TABLE other (id SERIAL, note TEXT)")
    place.start()
    place.database.execute("INSERT INTO t VALUES (1, 1)")
    wait_until(lambda: len(place.events()) == 1, "the first change")
    before = place.slot("confirmed_flush_lsn")
    for _ in range(20):
        place.database.execute("INSERT INTO other (note) SELECT repeat('x', 1000) FROM generate_series(1, 100)")
    ((written,),) = place.database.execute("SELECT pg_current_wal_lsn()").fetchall()

    def behind() -> Any:
        query = "SELECT pg_wal_lsn_diff(%s, %s)"
        return place.database.execute(query, (written, place.slot("confirmed_flush_lsn"))).fetchall()[0][0]

    wait_until(lambda: behind() <= 0, f"a slot that has moved on from {before}", 30)
    place.database.execute("INSERT INTO t VALUES (2, 2)")
    wait_until(lambda: len(place.events()) == 2, "the next change")


def test_a_slot_that_is_gone_is_told_and_a_new_snapshot_mends_it(place: Place) -> None:
    place.start()
    place.database.execute("INSERT INTO t VALUES (1, 1)")
    wait_until(lambda: len(place.events()) == 1, "the first change")
    assert place.worker.call("PUT", f"/connectors/{place.name}/stop").status_code == 204
    wait_until(lambda: not place.streams(), "the end of the task")
    place.server.execute("SELECT pg_drop_replication_slot(%s)", (place.name,))
    place.database.execute("INSERT INTO t VALUES (2, 2)")
    place.worker.call("PUT", f"/connectors/{place.name}/resume")
    wait_until(
        lambda: bool(place.worker.status(place.name)["tasks"]) and place.task()["state"] == "FAILED", "the error"
    )
    trace = place.task()["trace"]
    assert f"has no slot '{place.name}': of what changed since " in trace and "public.t" in trace
    assert f'PATCH /connectors/{place.name}/config with {{"snapshot.mode": "when_needed"}}' in trace
    mended = place.worker.call("PATCH", f"/connectors/{place.name}/config", {"snapshot.mode": "when_needed"})
    assert mended.status_code == 200, mended.text
    wait_until(lambda: [event[:2] for event in place.events()] == [("c", 1), ("r", 1), ("r", 2)], "the rows anew")


def test_a_server_that_cannot_be_read_says_how_to_mend_it(place: Place) -> None:
    place.server.execute(f"CREATE ROLE {place.name} LOGIN PASSWORD 'pw'".encode())
    try:
        config = place.config(database_user=place.name, database_password="pw")
        answer = place.worker.call("PUT", "/connector-plugins/PostgresConnector/config/validate",
                                   {"name": place.name, **config}).json()  # fmt: skip
        errors = {each["value"]["name"]: each["value"]["errors"] for each in answer["configs"]}
        told = " ".join(errors["database.user"])
        assert f'run: ALTER ROLE "{place.name}" REPLICATION' in told
        assert f'GRANT SELECT ON "public"."t" TO "{place.name}"' in told
        wrong = place.config(database_password="wrong")
        answer = place.worker.call("PUT", f"/connectors/{place.name}/config", wrong)
        assert answer.status_code == 400 and "check database.user and database.password" in answer.json()["message"]
    finally:
        place.server.execute(f"DROP ROLE {place.name}".encode())
