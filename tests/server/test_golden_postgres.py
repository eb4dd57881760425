"""Every record of a golden case of PostgreSQL, as Debezium 3.5.0.Final wrote it, from a worker as a user starts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.server.golden_case import Case, differences
from tests.server.golden_run import Workers, came, connector
from tests.server.worker_process import wait_until

CASES = [Case(folder) for folder in sorted((Path(__file__).parents[1] / "golden" / "postgres").iterdir())]
MAIN = {"inventory", "toast_identity"}
"""Run on both logs; how a value is written does not depend on the log, so the other cases run on one."""
PAIRS = [
    (case, log) for case in CASES for log in ("embedded", "kafka") if log == "embedded" or case.folder.name in MAIN
]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Workers]:
    made = Workers(tmp_path_factory.mktemp("workers"), kafka)
    yield made
    made.close()


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
    case: Case, log_kind: str, workers: Workers, database: psycopg.Connection[Any], kafka: str
) -> None:
    worker, info = workers.on(log_kind), database.info
    config = case.config({
        "DB_HOST": info.host, "DB_PORT": str(info.port), "DB_USER": "app", "DB_PASSWORD": "apppw",
        "DB_NAME": info.dbname, "BOOTSTRAP": kafka,
    })  # fmt: skip
    topics = (case.prefix(config),)
    database.execute((case.folder / "setup.sql").read_bytes())
    with connector(worker, case.name, config, topics):
        if config.get("snapshot.mode") != "initial_only":
            wait_until(lambda: _streams(database), "the start of streaming")
        for statement in case.statements("changes.sql"):
            database.execute(statement.encode())
        found = list(differences(case.expected(), came(worker, case.name, case.expected(), topics)))
        status = worker.status(case.name)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20]) + f"\n{status}"


def _streams(database: psycopg.Connection[Any]) -> bool:
    return bool(database.execute("SELECT 1 FROM pg_replication_slots WHERE active AND database = current_database()")
                .fetchall())  # fmt: skip
