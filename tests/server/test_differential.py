"""Debezium and Tailrace side by side on a MySQL of their own: a few random scenarios, every record compared.

Needs the peer, Kafka Connect with Debezium: its jars (about 120 MB) are fetched from Maven once. `make differential`
runs many scenarios; `python -m tests.differential SEED` runs one again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.differential.__main__ import told
from tests.differential.pair import Pair
from tests.differential.scenario import Scenario
from tests.server.private_mysql import PrivateMySql

SEEDS = (2, 3, 4)


def test_random_schemas_ddl_and_rows_become_the_records_that_debezium_writes(tmp_path: Path, kafka: str) -> None:
    server = PrivateMySql(tmp_path / "mysql")
    server.start()
    with contextlib.closing(server), Pair(tmp_path, ("127.0.0.1", server.port), kafka).running() as pair:
        outcomes = pair.run([Scenario(seed) for seed in SEEDS])
    assert all(outcome.records > 20 for outcome in outcomes), [outcome.records for outcome in outcomes]
    different = [told(outcome) for outcome in outcomes if outcome.differs or outcome.failed_on_both_sides]
    assert not different, "\n".join(different)
