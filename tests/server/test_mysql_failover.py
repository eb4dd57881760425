"""A connector whose server becomes another one, by GTID: nothing lost or sent twice, and what is missing is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from cdc.errors import SourceError, SourceUnavailable
from tests.server.in_process import Connector
from tests.server.own_database import source_config
from tests.server.private_mysql import PrivateMySql
from tests.server.proxy import Proxy

REPLICA = ("--server-id=2", "--log-replica-updates=ON", "--binlog-row-event-max-size=1024",
           "--binlog-rows-query-log-events=OFF", "--replica-preserve-commit-order=ON")  # fmt: skip
"""Its rows stand in other events than the primary's: smaller ones, and without the statements' text."""


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    server = PrivateMySql(tmp_path_factory.mktemp("primary"))
    server.start("--server-id=1")
    server.run("CREATE DATABASE f", "CREATE USER r IDENTIFIED BY 'rpw'", "GRANT REPLICATION SLAVE ON *.* TO r")
    yield server
    server.close()


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory, primary: PrivateMySql) -> Iterator[PrivateMySql]:
    server = PrivateMySql(tmp_path_factory.mktemp("replica"))
    server.start(*REPLICA)
    server.run(
        "RESET BINARY LOGS AND GTIDS",
        f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={primary.port}, SOURCE_USER='r', "
        "SOURCE_PASSWORD='rpw', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1",
        "START REPLICA",
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
    address = ("127.0.0.1", proxy.port)
    return Connector(source_config(address, "f", topic__prefix="f", max__batch__size="50"))


def caught_up(primary: PrivateMySql, replica: PrivateMySql) -> None:
    done = primary.run("SELECT @@gtid_executed")[0][0]
    assert replica.run(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{done}', 30)")[0][0] == 0


def test_a_task_goes_on_at_the_replica_in_the_middle_of_a_transaction(
    primary: PrivateMySql, replica: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot(snapshot__mode="no_data")
    rows = ",".join(f"({key}, REPEAT('v', 150))" for key in range(1000))
    with closing(primary.connect()) as session, session.cursor() as cursor:
        for sql in ("INSERT INTO f.t VALUES (-1, 'before')", "SET gtid_next = 'AUTOMATIC:tagged'", "BEGIN",
                    f"INSERT INTO f.t VALUES {rows}", "SAVEPOINT a", "INSERT INTO f.t VALUES (1000, 'x')",
                    "ROLLBACK TO SAVEPOINT a", "INSERT INTO f.t VALUES (1001, 'y')", "COMMIT"):  # fmt: skip
            cursor.execute(sql)
    primary.run("ALTER TABLE f.t ADD COLUMN n INT", "INSERT INTO f.t VALUES (1002, 'z', 1)")
    caught_up(primary, replica)
    for upto in (1, 120, 470, 1000):
        connector.until(lambda upto=upto: len(connector.events) > upto)  # type: ignore[misc]
        assert connector.events[-1].op == "c"
        port = primary.port if proxy.target[1] == replica.port else replica.port
        proxy.move(("127.0.0.1", port))
    connector.until(lambda: connector.inserted()[-1:] == [1002])
    assert connector.inserted() == [-1, *range(1000), 1001, 1002]
    offset = connector.offsets[-1].offset
    assert offset is not None and ":tagged:1" in offset["gtids"]
    assert connector.events[-1].after == (1002, "z", 1)


def test_a_running_task_is_moved_by_a_switch_under_load(
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


def test_a_replica_that_lags_is_waited_for_and_nothing_is_skipped(
    primary: PrivateMySql, replica: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot(snapshot__mode="no_data")
    caught_up(primary, replica)
    replica.run("STOP REPLICA SQL_THREAD")
    primary.run("INSERT INTO f.t VALUES (3000, 'a')")
    connector.until(lambda: connector.inserted() == [3000])
    primary.run("INSERT INTO f.t VALUES (3001, 'b')")
    proxy.move(("127.0.0.1", replica.port))
    done = primary.run("SELECT @@gtid_executed")[0][0]
    with pytest.raises(SourceUnavailable, match="is a replica that has not got yet the transactions") as caught:
        next(connector.start())
    assert "applying No" in str(caught.value) and "START REPLICA" in str(caught.value)
    with pytest.raises(SourceUnavailable):  # no snapshot of a server that is behind
        next(connector.start(snapshot__mode="when_needed"))
    replica.run("START REPLICA SQL_THREAD")
    assert replica.run(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{done}', 30)")[0][0] == 0
    connector.until(lambda: connector.inserted() == [3000, 3001])


def test_a_replica_promoted_without_what_was_sent_is_told_plainly_and_mended_in_one_step(
    primary: PrivateMySql, replica: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot(snapshot__mode="no_data")
    caught_up(primary, replica)
    replica.run("STOP REPLICA")
    try:
        primary.run("INSERT INTO f.t VALUES (4000, 'only there')")
        connector.until(lambda: connector.inserted() == [4000])
        lacking = primary.run(
            f"SELECT GTID_SUBTRACT(@@gtid_executed, '{replica.run('SELECT @@gtid_executed')[0][0]}')"
        )[0][0]
        channel = replica.run("SHOW REPLICA STATUS")
        assert channel
        replica.run("RESET REPLICA ALL", "INSERT INTO f.t VALUES (4001, 'new primary')")
        proxy.move(("127.0.0.1", replica.port))
        with pytest.raises(
            SourceError, match=f"does not know the transactions {lacking}, which were .* sent"
        ) as caught:
            next(connector.start())
        assert not isinstance(caught.value, SourceUnavailable)
        assert 'PATCH /connectors/d/config with {"snapshot.mode": "when_needed"}' in str(caught.value)
        assert "f.t" in str(caught.value)
        before = len(connector.events)
        connector.until(lambda: (4001, "new primary") in [e.after for e in connector.events[before:]],
                        snapshot__mode="when_needed")  # fmt: skip
        assert lacking in connector.report["mysql.gap"]
        replica.run("INSERT INTO f.t VALUES (4002, 'goes on')")
        connector.until(lambda: connector.events[-1].after == (4002, "goes on"))
        assert connector.events[-1].op == "c"
    finally:
        proxy.close()
