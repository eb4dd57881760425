"""Debezium and Tailrace side by side on servers of their own: a few random scenarios, every record compared.

Needs the peer, Kafka Connect with Debezium: its jars (about 120 MB) are fetched from Maven once. `make differential`
runs many scenarios; `python -m tests.differential SEED` runs one again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.__main__ import told
from tests.differential.pair import Pair
from tests.differential.servers import MySqlServers, PostgresServers, Servers
from tests.server.private_mysql import PrivateMySql
from tests.server.private_postgres import PrivatePostgres


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("pair"), kafka).running() as pair:
        yield pair


def check(pair: Pair, servers: Servers, seeds: tuple[int, ...]) -> None:
    outcomes = pair.run(servers, [servers.scenario(seed) for seed in seeds])
    assert all(outcome.records > 20 for outcome in outcomes), [outcome.records for outcome in outcomes]
    different = [told(outcome) for outcome in outcomes if outcome.differs or outcome.failed_on_both_sides]
    assert not different, "\n".join(different)


def test_random_schemas_ddl_and_rows_become_the_records_that_debezium_writes(tmp_path: Path, pair: Pair) -> None:
    server = PrivateMySql(tmp_path / "mysql")
    server.start()
    with contextlib.closing(server):
        check(pair, MySqlServers("127.0.0.1", server.port), (2, 3, 4))


def test_those_of_postgresql_do_too(tmp_path: Path, pair: Pair) -> None:
    server = PrivatePostgres(tmp_path / "postgres")
    server.start()
    with contextlib.closing(server):
        check(pair, PostgresServers("127.0.0.1", server.port), (1, 2, 3, 4))
