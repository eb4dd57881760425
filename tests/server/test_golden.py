"""Every record of a golden case, as Debezium 3.5.0.Final wrote it, from a worker as a user starts it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.golden_case import Case, differences, recorded
from tests.server.worker_process import WorkerProcess, wait_until

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [Case(folder) for server in ("mysql", "mariadb") for folder in sorted((GOLDEN / server).iterdir())]
MAIN = {"inventory", "types_numeric", "ddl", "m_inventory"}
"""Run on both logs; how a value is written does not depend on the log, so the other cases run on one."""
PAIRS = [
    (case, log) for case in CASES for log in ("embedded", "kafka") if log == "embedded" or case.folder.name in MAIN
]
SYSTEM = {"mysql", "information_schema", "performance_schema", "sys"}


@pytest.fixture
def empty_server(case: Case, request: pytest.FixtureRequest) -> Any:
    """The case's server. History records name every database of it, so there must be none but the case's."""
    server = request.getfixturevalue(case.server)
    with server.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        others = {name for (name,) in cursor.fetchall()} - SYSTEM
        for name in [name for name in others if name.startswith("g")]:
            cursor.execute(f"DROP DATABASE `{name}`")
            others.remove(name)
    assert not others, f"the golden cases need a server without other databases, it has {sorted(others)}"
    return server


@pytest.fixture
def worker(log_kind: str, tmp_path: Path, kafka: str) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(tmp_path, f"golden{time.time_ns()}", kafka if log_kind == "kafka" else None)
    worker.start()
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("case", "log_kind"), PAIRS, ids=lambda part: part.folder.name if isinstance(part, Case) else part
)
def test_every_record_is_as_debezium_wrote_it(
    case: Case, log_kind: str, worker: WorkerProcess, empty_server: Any, kafka: str
) -> None:
    host, port = empty_server.host, empty_server.port
    config = case.config(
        {"DB_HOST": host, "DB_PORT": str(port), "DB_USER": "app", "DB_PASSWORD": "apppw", "BOOTSTRAP": kafka}
    )
    prefixes = (case.prefix(config), config["schema.history.internal.kafka.topic"])
    with worker.log() as log:
        log.delete_topics([name for name in log.topics() if name.startswith(prefixes)])
    with empty_server.cursor() as cursor:
        for statement in case.statements("setup.sql"):
            cursor.execute(statement)
        worker.put(case.name, config)
        wait_until(lambda: _snapshot_is_over(worker, case.name), f"the end of the snapshot; {worker.said()}")
        for statement in case.statements("changes.sql"):
            cursor.execute(statement)
    expected = case.expected()
    with worker.log() as log:
        wanted = {topic: len(events) for topic, events in expected.items()}
        with contextlib.suppress(AssertionError):  # what is missing is told below
            wait_until(lambda: _ends(log, wanted) == wanted or _failed(worker, case.name), "as many records", 20)
        time.sleep(1)  # one too many would come now
        came = recorded(log, prefixes)
        log.delete_topics(list(came))
    found = list(differences(expected, came))
    with empty_server.cursor() as cursor:
        for database in case.databases():
            cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20]) + f"\n{worker.status(case.name)}"


def _snapshot_is_over(worker: WorkerProcess, name: str) -> bool:
    assert not _failed(worker, name), worker.status(name)
    answer = worker.call("GET", f"/connectors/{name}/offsets").json()
    offsets = answer.get("offsets", [])
    return bool(offsets) and not any(entry["offset"].get("snapshot") for entry in offsets)


def _failed(worker: WorkerProcess, name: str) -> bool:
    return any(task["state"] == "FAILED" for task in worker.status(name).get("tasks", []))


def _ends(log: Any, wanted: dict[str, int]) -> dict[str, int]:
    known = log.topics()
    return {topic: sum(log.end_offsets(topic).values()) if topic in known else 0 for topic in wanted}
