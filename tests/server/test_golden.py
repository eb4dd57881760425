"""Every record of a golden case, as Debezium 3.5.0.Final wrote it, from a worker as a user starts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.golden_case import Case, differences
from tests.server.golden_run import Workers, came, connector

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [Case(folder) for server in ("mysql", "mariadb") for folder in sorted((GOLDEN / server).iterdir())]
MAIN = {"inventory", "types_numeric", "ddl", "m_inventory"}
"""Run on both logs; how a value is written does not depend on the log, so the other cases run on one."""
PAIRS = [
    (case, log) for case in CASES for log in ("embedded", "kafka") if log == "embedded" or case.folder.name in MAIN
]
LEFT_BEHIND = re.compile(r"g.*|(rig|shop|online)[0-9a-f]{8}")
"""Databases of tests that were killed."""
SYSTEM = {"mysql", "information_schema", "performance_schema", "sys"}


@pytest.fixture
def empty_server(case: Case, request: pytest.FixtureRequest) -> Any:
    """The case's server. History records name every database of it, so there must be none but the case's."""
    server = request.getfixturevalue(case.server)
    with server.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        others = {name for (name,) in cursor.fetchall()} - SYSTEM
        for name in [name for name in others if LEFT_BEHIND.fullmatch(name)]:
            cursor.execute(f"DROP DATABASE `{name}`")
            others.remove(name)
    assert not others, f"the golden cases need a server without other databases, it has {sorted(others)}"
    return server


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Workers]:
    made = Workers(tmp_path_factory.mktemp("workers"), kafka)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("case", "log_kind"), PAIRS, ids=lambda part: part.folder.name if isinstance(part, Case) else part
)
def test_every_record_is_as_debezium_wrote_it(
    case: Case, log_kind: str, workers: Workers, empty_server: Any, kafka: str
) -> None:
    worker = workers.on(log_kind)
    config = case.config({
        "DB_HOST": empty_server.host, "DB_PORT": str(empty_server.port), "DB_USER": "app", "DB_PASSWORD": "apppw",
        "BOOTSTRAP": kafka,
    })  # fmt: skip
    topics = (case.prefix(config), config["schema.history.internal.kafka.topic"])
    with empty_server.cursor() as cursor:
        for statement in case.statements("setup.sql"):
            cursor.execute(statement)
        with connector(worker, case.name, config, topics):
            for statement in case.statements("changes.sql"):
                cursor.execute(statement)
            found = list(differences(case.expected(), came(worker, case.name, case.expected(), topics)))
            status = worker.status(case.name)
        for database in case.databases():
            cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20]) + f"\n{status}"
