"""Every record of a golden case of PostgreSQL, as Debezium 3.5.0.Final wrote it, from a worker as a user starts it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.server.golden_case import Case, differences, recorded
from tests.server.worker_process import WorkerProcess, wait_until

CASES = [Case(folder) for folder in sorted((Path(__file__).parents[1] / "golden" / "postgres").iterdir())]
MAIN = {"inventory", "toast_identity"}
"""Run on both logs; how a value is written does not depend on the log, so the other cases run on one."""
PAIRS = [
    (case, log) for case in CASES for log in ("embedded", "kafka") if log == "embedded" or case.folder.name in MAIN
]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Callable[[str], WorkerProcess]]:
    """One worker a log, started when it is first asked for."""
    started: dict[str, WorkerProcess] = {}

    def running(log_kind: str) -> WorkerProcess:
        if log_kind not in started:
            folder = tmp_path_factory.mktemp("worker")
            started[log_kind] = WorkerProcess(folder, f"pg{time.time_ns()}", kafka if log_kind == "kafka" else None)
            started[log_kind].start()
        return started[log_kind]

    yield running
    for worker in started.values():
        worker.close()


@pytest.fixture
def database(postgres_address: tuple[str, int], case: Case) -> Iterator[psycopg.Connection[Any]]:
    """The case's own database; its slot is dropped with it."""
    host, port = postgres_address
    login: dict[str, Any] = {"host": host, "port": port, "user": "app", "password": "apppw", "autocommit": True}
    with psycopg.connect(dbname="app", **login) as server:
        _drop(server, case.name)
        server.execute(f'CREATE DATABASE "{case.name}"'.encode())
        with psycopg.connect(dbname=case.name, **login) as database:
            yield database
        _drop(server, case.name)


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    for slot, pid in server.execute("SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s",
                                    (name,)).fetchall():  # fmt: skip
        if pid is not None:
            server.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        server.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@pytest.mark.parametrize(
    ("case", "log_kind"), PAIRS, ids=lambda part: part.folder.name if isinstance(part, Case) else part
)
def test_every_record_is_as_debezium_wrote_it(
    case: Case, log_kind: str, workers: Callable[[str], WorkerProcess], database: psycopg.Connection[Any], kafka: str
) -> None:
    running = workers(log_kind)
    info = database.info
    config = case.config({
        "DB_HOST": info.host, "DB_PORT": str(info.port), "DB_USER": "app", "DB_PASSWORD": "apppw",
        "DB_NAME": info.dbname, "BOOTSTRAP": kafka,
    })  # fmt: skip
    prefix = (case.prefix(config),)
    with running.log() as log:
        log.delete_topics([name for name in log.topics() if name.startswith(prefix)])
    database.execute((case.folder / "setup.sql").read_bytes())
    running.put(case.name, config)
    wait_until(lambda: _snapshot_is_over(running, case.name), f"the end of the snapshot; {running.said()}")
    wait_until(lambda: _streams(database), "the start of streaming")
    for statement in case.statements("changes.sql"):
        database.execute(statement.encode())
    expected = case.expected()
    with running.log() as log:
        wanted = {topic: len(events) for topic, events in expected.items()}
        with contextlib.suppress(AssertionError):  # what is missing is told below
            wait_until(lambda: _ends(log, wanted) == wanted or _failed(running, case.name), "as many records", 20)
        time.sleep(0.5)  # one too many would come now
        came = recorded(log, prefix)
        log.delete_topics(list(came))
    found = list(differences(expected, came))
    status = running.status(case.name)
    running.call("DELETE", f"/connectors/{case.name}")
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20]) + f"\n{status}"


def _streams(database: psycopg.Connection[Any]) -> bool:
    return bool(database.execute("SELECT 1 FROM pg_replication_slots WHERE active AND database = current_database()")
                .fetchall())  # fmt: skip


def _snapshot_is_over(worker: WorkerProcess, name: str) -> bool:
    assert not _failed(worker, name), worker.status(name)
    offsets = worker.call("GET", f"/connectors/{name}/offsets").json().get("offsets", [])
    return bool(offsets) and all(entry["offset"].get("snapshot_completed", True) for entry in offsets)


def _failed(worker: WorkerProcess, name: str) -> bool:
    return any(task["state"] == "FAILED" for task in worker.status(name).get("tasks", []))


def _ends(log: Any, wanted: dict[str, int]) -> dict[str, int]:
    known = log.topics()
    return {topic: sum(log.end_offsets(topic).values()) if topic in known else 0 for topic in wanted}
