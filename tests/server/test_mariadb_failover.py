"""A connector whose MariaDB server becomes another one, by the GTIDs of several domains: nothing lost or sent twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from cdc.errors import SourceError, SourceUnavailable
from cdc.mariadb.connector import MARIADB
from tests.server.in_process import Connector
from tests.server.private_mysql import PrivateMySql
from tests.server.proxy import Proxy


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    server = PrivateMySql(tmp_path_factory.mktemp("primary"), "mariadb")
    server.start("--server-id=1", "--skip-name-resolve")
    server.run("CREATE USER r IDENTIFIED BY 'rpw'", "GRANT REPLICATION SLAVE ON *.* TO r", "RESET MASTER",
               "CREATE DATABASE f")  # fmt: skip
    yield server
    server.close()


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory, primary: PrivateMySql) -> Iterator[PrivateMySql]:
    """Its rows stand in other events than the primary's: smaller ones."""
    server = PrivateMySql(tmp_path_factory.mktemp("replica"), "mariadb")
    server.start(
        "--server-id=2", "--skip-name-resolve", "--binlog-row-event-max-size=1024", "--gtid-ignore-duplicates=ON"
    )
    server.run(
        "RESET MASTER",
        f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='r', "
        "MASTER_PASSWORD='rpw', MASTER_SSL=0, MASTER_USE_GTID=slave_pos",
        "START SLAVE",
    )
    yield server
    server.close()


@pytest.fixture
def proxy(primary: PrivateMySql) -> Iterator[Proxy]:
    primary.run("DROP TABLE IF EXISTS f.t", "CREATE TABLE f.t (id INT PRIMARY KEY, v VARCHAR(200))")
    with closing(Proxy(("127.0.0.1", primary.port))) as proxy:
        yield proxy


@pytest.fixture
def connector(proxy: Proxy) -> Connector:
    config = {
        "topic.prefix": "f", "database.hostname": "127.0.0.1", "database.port": str(proxy.port),
        "database.user": "cdc", "database.password": "cdcpw", "database.server.id": "18452",
        "database.include.list": "f", "schema.history.internal.kafka.topic": "d-history", "max.batch.size": "50",
    }  # fmt: skip
    return Connector(config, declared=MARIADB)


def caught_up(primary: PrivateMySql, replica: PrivateMySql) -> None:
    done = primary.run("SELECT @@gtid_binlog_pos")[0][0]
    assert replica.run(f"SELECT MASTER_GTID_WAIT('{done}', 30)")[0][0] == 0


def test_a_task_goes_on_at_the_replica_in_the_middle_of_a_transaction(
    primary: PrivateMySql, replica: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot(snapshot__mode="no_data")
    rows = ",".join(f"({key}, REPEAT('v', 150))" for key in range(1000))
    with closing(primary.connect()) as session, session.cursor() as cursor:
        for sql in (
            "INSERT INTO f.t VALUES (-2, 'before')", "SET gtid_domain_id = 7", "INSERT INTO f.t VALUES (-1, '')",
            "BEGIN", f"INSERT INTO f.t VALUES {rows}", "SAVEPOINT a", "INSERT INTO f.t VALUES (1000, 'x')",
            "ROLLBACK TO SAVEPOINT a", "INSERT INTO f.t VALUES (1001, 'y')", "COMMIT",
        ):  # fmt: skip
            cursor.execute(sql)
    caught_up(primary, replica)
    primary.run("ALTER TABLE f.t ADD COLUMN n INT", "INSERT INTO f.t VALUES (1002, 'z', 1)")
    caught_up(primary, replica)
    for upto in (1, 120, 470, 1000):
        connector.until(lambda upto=upto: len(connector.events) > upto)  # type: ignore[misc]
        assert connector.events[-1].op == "c"
        proxy.move(("127.0.0.1", primary.port if proxy.target[1] == replica.port else replica.port))
    connector.until(lambda: connector.inserted()[-1:] == [1002])
    assert connector.inserted() == [-2, -1, *range(1000), 1001, 1002]
    offset = connector.offsets[-1].offset
    assert offset is not None and offset["gtids"].startswith("0-1-") and ",7-1-2" in offset["gtids"]
    assert connector.events[-1].after == (1002, "z", 1)


def test_a_running_task_is_moved_by_a_switch_under_load_and_to_a_promoted_replica(
    primary: PrivateMySql, replica: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot(snapshot__mode="no_data")
    source = connector.start()
    moves = 0
    for key in range(2000, 2024):
        primary.run(f"INSERT INTO f.t VALUES ({key}, 'a'), ({key + 100}, 'b')")
        try:
            next(source)
            if key % 8 == 7:
                caught_up(primary, replica)
                proxy.move(("127.0.0.1", replica.port if moves % 2 == 0 else primary.port))
                moves += 1
        except SourceUnavailable:
            source = connector.start()
    caught_up(primary, replica)
    source.close()  # type: ignore[attr-defined]
    connector.until(lambda: connector.inserted()[-1:] == [2123])
    assert connector.inserted() == [key + more for key in range(2000, 2024) for more in (0, 100)]
    assert moves == 3
    # A replica that lags is waited for.
    replica.run("STOP SLAVE")
    primary.run("INSERT INTO f.t VALUES (3000, 'a')")
    proxy.move(("127.0.0.1", primary.port))
    connector.until(lambda: connector.inserted()[-1] == 3000)
    proxy.move(("127.0.0.1", replica.port))
    with pytest.raises(SourceUnavailable, match="is a replica that has not got yet the transactions"):
        next(connector.start())
    replica.run("START SLAVE")
    caught_up(primary, replica)
    # It becomes the primary: its own transactions follow in the same domain.
    replica.run("STOP SLAVE", "RESET SLAVE ALL", "INSERT INTO f.t VALUES (3001, 'new primary')")
    connector.until(lambda: connector.inserted()[-2:] == [3000, 3001])
    gtids = (connector.offsets[-1].offset or {})["gtids"]
    assert ",7-1-2" in gtids and gtids.startswith("0-2-")
    # The old one comes back with what nobody else has: told plainly.
    primary.run("INSERT INTO f.t VALUES (3002, 'only there')")
    proxy.move(("127.0.0.1", primary.port))
    lacking = gtids.split(",")[0]
    primary.run("INSERT INTO f.t VALUES (3003, 'only there')")
    with pytest.raises(SourceError, match=re.escape(lacking)):
        connector.until(lambda: False, 10)
