"""A PostgreSQL connector under faults: stops, kills, cut and silent connections; nothing lost, nothing twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from cdc.config import Password
from cdc.errors import SourceUnavailable
from cdc.postgres.replication import Replication
from cdc.postgres.wire import Settings
from tests.server.private_postgres import Connector, PrivatePostgres, config
from tests.server.proxy import Proxy, starts_replication


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    server = PrivatePostgres(tmp_path_factory.mktemp("postgres"))
    server.start(logical_decoding_work_mem="64kB")
    server.run("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)")
    yield server
    server.close()


@pytest.fixture
def proxy(server: PrivatePostgres) -> Iterator[Proxy]:
    with closing(Proxy(("127.0.0.1", server.port), asks=starts_replication)) as proxy:
        yield proxy


@pytest.fixture
def connector(server: PrivatePostgres, proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Connector]:
    server.run("TRUNCATE t")
    connector = Connector(config(proxy.port, "c" + str(abs(hash(request.node.name)))[:8], max__batch__size="300"))
    connector.until(connector.is_streaming, snapshot__mode="no_data")
    yield connector
    for slot, pid in server.run("SELECT slot_name, active_pid FROM pg_replication_slots"):
        if pid:
            server.run(f"SELECT pg_terminate_backend({pid}, 5000)")
        server.run(f"SELECT pg_drop_replication_slot('{slot}')")


def through_outages(connector: Connector, last: int, seconds: float = 60) -> int:
    """Reads until the row of that key came, starting again after each outage; how many there were."""
    outages, end = 0, time.monotonic() + seconds
    while connector.last_key() != last:
        assert time.monotonic() < end, (len(connector.events), connector.last_key())
        try:
            connector.until(lambda: connector.last_key() == last, seconds)
        except SourceUnavailable:
            outages += 1
            time.sleep(0.2)
    return outages


def test_a_connection_cut_in_the_middle_of_a_message_loses_and_repeats_nothing(
    server: PrivatePostgres, proxy: Proxy, connector: Connector
) -> None:
    """Transactions that are sent while they are open and others, cut at many places of the stream."""
    with server.connect() as one, server.connect() as other:
        for start in (0, 2000, 4000):
            one.execute("BEGIN")
            one.execute("INSERT INTO t SELECT i, repeat('a', 90) FROM generate_series(%s::int, %s::int) i",
                        (start, start + 1499))  # fmt: skip
            other.execute("INSERT INTO t VALUES (%s, 'between')", (start + 1900,))
            one.execute("SAVEPOINT s")
            one.execute("INSERT INTO t SELECT i, 'undone' FROM generate_series(%s::int, %s::int) i",
                        (start + 1500, start + 1600))  # fmt: skip
            one.execute("ROLLBACK TO SAVEPOINT s")
            one.execute("COMMIT")
    server.run("INSERT INTO t VALUES (9999, 'last')")
    seeded = random.Random(5)
    cuts = {number: seeded.randrange(1, 150_000) for number in range(1, 40)}

    def cut(data: bytes, came: int, number: int) -> bytes:
        return data[: max(0, cuts.get(number, 1 << 40) - came)]

    proxy.through = cut
    outages = through_outages(connector, 9999)
    expected: list[int] = []
    for start in (0, 2000, 4000):
        expected += [start + 1900, *range(start, start + 1500)]
    assert connector.keys() == [*expected, 9999]
    assert outages >= 5


def test_stops_and_kills_of_the_server_under_load_lose_and_repeat_nothing(
    server: PrivatePostgres, proxy: Proxy, connector: Connector
) -> None:
    told: list[int] = []
    over = threading.Event()
    writer = threading.Thread(target=_write, args=(server, told, over), daemon=True)
    writer.start()

    def faults() -> None:
        for end in (server.stop, server.kill, server.kill):
            time.sleep(1)
            end()
            time.sleep(0.3)
            server.start()
        time.sleep(1)
        over.set()

    breaker = threading.Thread(target=faults, daemon=True)
    breaker.start()
    outages, end = 0, time.monotonic() + 60
    while breaker.is_alive():
        assert time.monotonic() < end
        try:
            connector.until(lambda: not breaker.is_alive(), 60)
        except SourceUnavailable:
            outages += 1
            time.sleep(0.1)
    writer.join(20)
    server.run("INSERT INTO t VALUES (1000000, 'last')")
    through_outages(connector, 1_000_000)
    assert outages >= 3
    committed = [key for (key,) in server.run("SELECT id FROM t ORDER BY id")]
    assert connector.keys() == committed
    assert set(told) <= set(committed)


def _write(server: PrivatePostgres, told: list[int], over: threading.Event) -> None:
    """Keys in rising order, some in one transaction; one whose end is not known may be there or not."""
    key = 0
    while not over.is_set():
        try:
            with server.connect() as connection:
                while not over.is_set():
                    keys = range(key, key + random.Random(key).choice((1, 1, 5, 400)))
                    key = keys.stop
                    connection.execute("INSERT INTO t SELECT i, 'x' FROM generate_series(%s::int, %s::int) i",
                                       (keys.start, keys.stop - 1))  # fmt: skip
                    told += keys
                    over.wait(0.002)  # what a quick server takes in must not be more than can be checked here
        except psycopg.Error:
            time.sleep(0.1)


def test_a_connection_that_falls_silent_is_noticed(server: PrivatePostgres, proxy: Proxy, connector: Connector) -> None:
    name = connector.config["slot.name"]
    settings = Settings(host="127.0.0.1", port=proxy.port, user="app", database="app", password=Password("apppw"))
    with closing(Replication(settings, silence_s=3)) as replication:
        replication.start(name, 0, {"proto_version": "1", "publication_names": name})
        for _ in range(10):  # asked, it answers
            replication.report(0, 0.1)
            replication.read(100, 0.5)
        proxy.is_silent = True
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="has said nothing for"):
            while True:
                replication.report(0, 0.1)
                replication.read(100, 0.5)
        assert 2 < time.monotonic() - began < 6
