"""MySQL -> log -> PostgreSQL by the JDBC sink: the tables are equal, whatever was killed meanwhile.

`TAILRACE_JDBC_ROUNDS` says how many kills; a few are enough for every day.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.jdbc_target import JdbcTarget
from tests.server.rig import Rig
from tests.server.worker_process import wait_until

ROUNDS = int(os.environ.get("TAILRACE_JDBC_ROUNDS", "3"))
SEED = int(os.environ.get("TAILRACE_JDBC_SEED", "7"))
COLUMNS = "id, v, name, price"


class JdbcRig(Rig):
    """A rig whose sink is a table of PostgreSQL."""

    def __init__(self, folder: Path, mysql: tuple[str, int], target: JdbcTarget) -> None:
        super().__init__(folder, mysql, "http://unused:9200")
        self.target = target

    def sink_config(self, **changes: str) -> dict[str, str]:
        config = self.target.config(
            topics=self.index, table_name_format="t", insert_mode="upsert", pk_mode="record_key", delete_enabled="true",
            auto_create="true", auto_evolve="true", **changes,
        )  # fmt: skip
        return config | {"name": self.sink, "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector"}

    def rows_here(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.sql(f"SELECT {COLUMNS} FROM t ORDER BY id")]

    def rows_there(self) -> list[tuple[Any, ...]]:
        try:
            return self.target.sql(f"SELECT {COLUMNS} FROM t ORDER BY id")
        except Exception:  # not made yet
            return []

    def tables_are_equal(self) -> None:
        try:
            wait_until(lambda: self.rows_there() == self.rows_here(), "equal tables", 60, every=0.2)
        except AssertionError:
            here, there = set(self.rows_here()), set(self.rows_there())
            only = sorted(here - there)[:5], sorted(there - here)[:5]
            raise AssertionError(f"only here, only there: {only}; {self.states()}") from None

    def close(self) -> None:
        self.worker.close()
        self.sql(f"DROP DATABASE IF EXISTS {self.name}")
        self.database.close()
        self.search.close()


@pytest.fixture
def rig(tmp_path: Path, mysql_address: tuple[str, int], postgres_address: tuple[str, int]) -> Iterator[JdbcRig]:
    target = JdbcTarget("postgresql", postgres_address, tmp_path)
    made = JdbcRig(tmp_path / "rig", mysql_address, target)
    yield made
    made.close()
    target.close()


@pytest.mark.timeout(60 + 40 * ROUNDS)
def test_tables_are_equal_after_every_kill(rig: JdbcRig) -> None:
    rig.stream()
    tasks = {f"{rig.sink}-0", f"{rig.source}-0"}
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        wait_until(lambda: rig.worker.tasks().keys() == tasks, "both tasks", 30)
        load = rig.load(seed=SEED * 1000 + number)
        victim = (rig.sink, rig.source)[number % 2] if chance.random() < 0.8 else "worker"
        time.sleep(0.5 + chance.random())
        if number % 7 == 4:
            rig.sql(f"ALTER TABLE t ADD COLUMN c{number} INT")
        if victim == "worker":
            rig.worker.kill()
            rig.worker.start()
        else:
            os.kill(rig.worker.tasks()[f"{victim}-0"], signal.SIGKILL)
        time.sleep(chance.random())
        load.finish()
        rig.tables_are_equal()
    assert rig.rows_here()
