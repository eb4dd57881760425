"""What goes wrong between a MySQL server and its connector, and with the server's log: nothing lost, nothing wrong."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cdc.errors import DecodeError, SourceError, SourceUnavailable, TailraceError
from cdc.mysql import wire
from cdc.record import SourceOffset
from tests.server.in_process import Connector
from tests.server.own_database import source_config
from tests.server.private_mysql import PrivateMySql
from tests.server.proxy import Proxy
from tests.server.worker_process import WorkerProcess, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    server = PrivateMySql(tmp_path_factory.mktemp("mysql"))
    server.start("--max-binlog-size=64K")
    server.run("CREATE DATABASE f")
    yield server
    server.close()


@pytest.fixture
def proxy(server: PrivateMySql) -> Iterator[Proxy]:
    server.run("DROP TABLE IF EXISTS f.t", "CREATE TABLE f.t (id INT PRIMARY KEY, v LONGTEXT)")
    with closing(Proxy(("127.0.0.1", server.port))) as proxy:
        yield proxy


@pytest.fixture
def connector(proxy: Proxy) -> Connector:
    return Connector(source_config(
        ("127.0.0.1", proxy.port), "f", topic__prefix="f", database__server__id="18452", max__batch__size="50",
        database__ssl__mode="disabled", snapshot__mode="no_data", connect__timeout__ms="4000",
    ))  # fmt: skip


def rows(first: int, count: int, size: int = 100) -> str:
    return "INSERT INTO f.t VALUES " + ",".join(f"({key},REPEAT('v',{size}))" for key in range(first, first + count))


def carried(connector: Connector, done: Callable[[], bool], seconds: float = 40) -> list[TailraceError]:
    """Starts again after each outage, as the runtime does, until `done`: the outages."""
    outages: list[TailraceError] = []
    end = time.monotonic() + seconds
    while True:
        try:
            connector.until(done, max(1, end - time.monotonic()))
        except SourceUnavailable as outage:
            outages.append(outage)
            time.sleep(0.05)
        else:
            return outages


def test_a_connection_cut_at_any_byte_loses_and_repeats_nothing(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    server.run(*(rows(first, 40) for first in range(0, 400, 40)), "SET binlog_transaction_compression = ON",
               rows(400, 100))  # fmt: skip
    cuts = iter(random.Random(4).choices(range(50, 6000), k=40))
    at: defaultdict[int, int] = defaultdict(lambda: next(cuts, 10**9))

    def cut(data: bytes, came: int, number: int) -> bytes:
        return data[: max(0, at[number] - came)]

    proxy.through = cut
    outages = carried(connector, lambda: connector.inserted()[-1:] == [499])
    assert connector.inserted() == list(range(500))
    assert len(outages) > 8
    assert all("does not answer" in str(outage) for outage in outages)


def test_flipped_bits_are_noticed_and_read_again(server: PrivateMySql, proxy: Proxy, connector: Connector) -> None:
    connector.snapshot()
    server.run(*(rows(first, 40) for first in range(0, 400, 40)), "SET binlog_transaction_compression = ON",
               rows(400, 100))  # fmt: skip
    places = iter(random.Random(9).sample(range(6000), k=40))
    flips: defaultdict[int, int] = defaultdict(lambda: next(places, 10**9))

    def flip(data: bytes, came: int, number: int) -> bytes:
        place = flips[number] - came
        if not 0 <= place < len(data):
            return data
        return data[:place] + bytes((data[place] ^ 1 << place % 8,)) + data[place + 1 :]

    proxy.through = flip
    with capture_logs() as logs:
        outages = carried(connector, lambda: connector.inserted()[-1:] == [499])
    assert connector.inserted() == list(range(500))
    assert all(len(event.after[1]) == 100 for event in connector.events if event.op == "c")
    assert all("is damaged each time in another way" in str(outage) for outage in outages)
    assert sum("is damaged and is read again" in log["event"] for log in logs) + len(outages) >= 6


def test_damage_in_the_servers_file_stops_the_task_and_names_the_place(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    server.run("FLUSH BINARY LOGS", rows(0, 5), "FLUSH BINARY LOGS")
    name = server.run("SHOW BINARY LOGS")[-2][0]
    file = server.folder / "data" / name
    whole = file.read_bytes()
    place = whole.index(b"vvvvv") + 50
    file.write_bytes(whole[:place] + b"w" + whole[place + 1 :])
    with pytest.raises(DecodeError, match=rf"{name}:\d+ has a wrong checksum, for the second time.*mysqlbinlog"):
        connector.until(lambda: False)
    file.write_bytes(whole)
    connector.until(lambda: connector.inserted() == [0, 1, 2, 3, 4])


def test_a_connection_that_is_dead_without_a_word_is_noticed_in_time(
    server: PrivateMySql, proxy: Proxy, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_SILENCE_SECONDS", 1.8)
    connector.snapshot()
    server.run(rows(0, 5))
    connector.until(lambda: connector.inserted() == [0, 1, 2, 3, 4])
    polls = connector.start()
    for _ in range(6):
        next(polls)
    proxy.is_silent = True
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="sent nothing for 2 seconds"):
        for _ in polls:
            assert time.monotonic() - began < 6
    assert time.monotonic() - began > 1
    proxy.is_silent = False
    server.run(rows(5, 1))
    connector.until(lambda: connector.inserted() == [0, 1, 2, 3, 4, 5])


def test_a_reader_that_takes_nothing_for_longer_than_the_server_waits_goes_on_where_it_was(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.config |= {"binlog.net.write.timeout": "1", "database.port": str(server.port)}
    connector.snapshot()
    polls = connector.start()
    next(polls)
    server.run(*(rows(first, 10, 800_000) for first in range(0, 50, 10)))
    time.sleep(3)  # the log is away, or the task is paused
    with pytest.raises(SourceUnavailable, match="does not answer"):
        list(polls)
    carried(connector, lambda: connector.inserted()[-1:] == [49])
    assert connector.inserted() == list(range(50))


def test_a_server_that_is_killed_and_files_that_are_rotated_lose_nothing(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    server.run(rows(0, 100))
    connector.until(lambda: connector.inserted()[-1:] == [99])
    polls = connector.start()
    next(polls)
    server.kill()
    with pytest.raises(SourceUnavailable):
        list(polls)
    with pytest.raises(SourceUnavailable, match="does not answer"):
        next(connector.start())
    server.start("--max-binlog-size=4096")
    for first in range(100, 400, 20):
        server.run(rows(first, 20), "FLUSH BINARY LOGS")
    assert not carried(connector, lambda: connector.inserted()[-1:] == [399])
    assert connector.inserted() == list(range(400))
    assert len({event.place[0] for event in connector.events}) > 15


@pytest.mark.parametrize("by_gtid", [True, False], ids=["by GTID", "by position"])
def test_a_log_purged_while_the_connection_is_cut_is_told_and_mended_in_one_step(
    server: PrivateMySql, proxy: Proxy, connector: Connector, by_gtid: bool
) -> None:
    connector.config["gtid.ignore.on.recovery"] = str(not by_gtid).lower()
    connector.snapshot()
    server.run(rows(0, 3))
    connector.until(lambda: connector.inserted() == [0, 1, 2])
    polls = connector.start()
    next(polls)
    proxy.cut()
    with pytest.raises(SourceUnavailable):
        list(polls)
    before = server.run("SELECT @@gtid_executed")[0][0]
    server.run("DELETE FROM f.t WHERE id = 1", "INSERT INTO f.t VALUES (7, 'in the gap')", "FLUSH BINARY LOGS")
    lost = server.run(f"SELECT GTID_SUBTRACT(@@gtid_executed, '{before}')")[0][0]
    file = server.run("SHOW BINARY LOGS")[-1][0]
    server.run(f"PURGE BINARY LOGS TO '{file}'")
    with pytest.raises(SourceError) as caught:
        list(connector.start())
    told = str(caught.value)
    assert not isinstance(caught.value, SourceUnavailable)
    assert f"it purged {f'the transactions {lost}' if by_gtid else 'binlog.'}" in told
    assert f"Z, when {file}, the oldest it has, began" in told and "made after 20" in told
    assert "captured tables may have changed in between: f.t. A new snapshot mends it" in told
    assert 'PATCH /connectors/d/config with {"snapshot.mode": "when_needed"}' in told
    connector.config["snapshot.mode"] = "when_needed"  # the one step
    seen = len(connector.events)
    connector.until(lambda: (connector.events[-1].op, connector.events[-1].marker) == ("r", "last"))
    assert [(event.op, event.after[0]) for event in connector.events[seen:]] == [("r", 0), ("r", 2), ("r", 7)]
    assert "it purged" in connector.report["mysql.gap"]
    server.run(rows(8, 1))
    connector.until(lambda: connector.inserted()[-1:] == [8])


def test_a_log_that_goes_away_between_the_look_and_the_request_is_told_the_same_way(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.config["streaming.delay.ms"] = "1000"
    connector.snapshot()
    server.run(rows(0, 3), "FLUSH BINARY LOGS")
    polls = connector.start()
    next(polls)
    server.run(f"PURGE BINARY LOGS TO '{server.run('SHOW BINARY LOGS')[-1][0]}'")
    with pytest.raises(SourceError, match=r"it purged the transactions .*PATCH /connectors/d/config"):
        list(polls)
    connector.config["snapshot.mode"] = "when_needed"
    connector.until(lambda: [event.after[0] for event in connector.events] == [0, 1, 2])


def test_a_server_whose_log_was_reset_is_told_and_mended(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    server.run(rows(0, 3))
    connector.until(lambda: connector.inserted() == [0, 1, 2])
    polls = connector.start()
    next(polls)
    server.run("RESET BINARY LOGS AND GTIDS", rows(3, 1))
    with pytest.raises(SourceError, match=r"does not know the transactions .* sent already: its log was reset"):
        carried(connector, lambda: False, 20)
    polls.close()  # type: ignore[attr-defined]
    seen = len(connector.events)
    connector.config["snapshot.mode"] = "when_needed"
    connector.until(lambda: connector.events[-1].marker == "last" and connector.is_streaming())
    assert [event.after[0] for event in connector.events[seen:]] == [0, 1, 2, 3]
    offset = connector.offsets[-1].offset
    assert offset is not None and offset["gtids"].endswith(":1")


def test_two_connectors_of_one_server_id_are_told_of_each_other(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    other = Connector(dict(connector.config))
    other.snapshot()
    first, second = connector.start(), other.start()
    next(first), next(second)
    with pytest.raises(SourceError, match=r"same server id 18452.*give this connector a database\.server\.id"):
        list(first)
    second.close()  # type: ignore[attr-defined]


MODES = ("ON", "ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")


def test_gtid_mode_turned_off_and_on_while_running_loses_nothing_and_gtids_are_known_again(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    connector.snapshot()
    for number, mode in enumerate(MODES):
        server.run(f"SET GLOBAL gtid_mode = {mode}", rows(number * 10, 3), rows(number * 10 + 3, 3))
        carried(connector, lambda last=number * 10 + 5: connector.inserted()[-1:] == [last])  # type: ignore[misc]
        server.run(rows(number * 10 + 6, 2))  # read under the next mode
    carried(connector, lambda: connector.inserted()[-1:] == [67])
    assert connector.inserted() == [number * 10 + row for number in range(len(MODES)) for row in range(8)]
    offset = dict(connector.offsets[-1].offset or {})
    assert offset.pop("gtids") == server.run("SELECT @@gtid_executed")[0][0]
    connector.offsets.append(SourceOffset({"server": "f"}, offset))  # of a server that had no GTIDs
    server.run(rows(100, 2))
    connector.until(lambda: connector.inserted()[-1:] == [101])
    assert (connector.offsets[-1].offset or {})["gtids"] == server.run("SELECT @@gtid_executed")[0][0]


def test_a_position_anywhere_gives_the_gtids_before_it(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    server.run("FLUSH BINARY LOGS")
    connector.snapshot()
    server.run(rows(0, 200), "ALTER TABLE f.t ADD COLUMN n INT", "INSERT INTO f.t VALUES (900, 'x', 1)",
               "SET binlog_transaction_compression = ON", "INSERT INTO f.t VALUES (901, 'y', 1)")  # fmt: skip
    connector.until(lambda: connector.inserted()[-1:] == [901])
    executed = server.run("SELECT @@gtid_executed")[0][0]
    for partition, whole in list(connector.offsets):
        offset = dict(whole or {})
        offset.pop("gtids")
        again = Connector(connector.config, history=connector.history, offsets=[SourceOffset(partition, offset)])
        again.until(lambda again=again: (again.offsets[-1].offset or {}).get("gtids") == executed)  # type: ignore[misc]
        assert connector.inserted()[: -len(again.inserted()) or None] + again.inserted() == connector.inserted()


def test_whatever_is_logged_in_whatever_way_is_read(server: PrivateMySql, proxy: Proxy, connector: Connector) -> None:
    server.run("DROP TABLE IF EXISTS f.m", "CREATE TABLE f.m (id INT PRIMARY KEY, v VARCHAR(9)) ENGINE=MyISAM",
               "SET GLOBAL binlog_checksum = NONE", rows(0, 2))  # fmt: skip
    connector.snapshot()
    server.run(
        rows(10, 2), "SET GLOBAL binlog_checksum = CRC32", rows(20, 2), "SET GLOBAL binlog_row_metadata = MINIMAL",
        rows(30, 2), "ALTER TABLE f.t ADD COLUMN n INT FIRST", "INSERT INTO f.t VALUES (1, 40, 'a'), (2, 41, 'b')",
        "ALTER TABLE f.t DROP COLUMN n", "SET GLOBAL binlog_row_metadata = FULL",
    )  # fmt: skip
    server.run("XA START 'x'", rows(50, 2), "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'",
               "XA START 'y'", rows(52, 1), "XA END 'y'", "XA COMMIT 'y' ONE PHASE")  # fmt: skip
    server.run("SET gtid_next = 'AUTOMATIC'", "BEGIN", rows(60, 1), "SAVEPOINT s", rows(61, 1),
               "ROLLBACK TO SAVEPOINT s", rows(62, 1), "COMMIT", "BEGIN", rows(63, 1), "ROLLBACK")  # fmt: skip
    server.run(
        "INSERT INTO f.m VALUES (1, 'kept')", "SET sql_log_bin = 0", rows(70, 1), "SET sql_log_bin = 1", rows(71, 1)
    )
    with capture_logs() as logs:
        server.run("SET binlog_format = STATEMENT", rows(80, 1), "SET binlog_format = ROW", rows(81, 1))
        server.run("SET SESSION binlog_rows_query_log_events = OFF", rows(90, 1),
                   "FLUSH BINARY LOGS", "FLUSH BINARY LOGS", rows(91, 1))  # fmt: skip
        connector.until(lambda: 91 in connector.inserted())
    found = [event.after[-2] if event.table == "t" else f"m{event.after[0]}" for event in connector.events]
    assert found == [10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 52, 60, 62, "m1", 71, 81, 90, 91]
    lost = [log["event"] for log in logs if "logged as statements" in log["event"]]
    assert len(lost) == 1 and "SET PERSIST binlog_format = 'ROW'" in lost[0]


def test_ranges_of_servers_decide_whose_transactions_are_read(
    server: PrivateMySql, proxy: Proxy, connector: Connector
) -> None:
    others = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"]

    def write(first: int) -> None:
        for number, uuid in enumerate(others):
            server.run(f"SET gtid_next = '{uuid}:{first}'", rows(first + number, 1), "SET gtid_next = 'AUTOMATIC'")
        server.run(rows(first + 2, 1))

    own = server.run("SELECT @@server_uuid")[0][0]
    connector.snapshot()
    write(10)
    only = {"gtid.source.includes": f"{own},{others[0]}"}
    connector.config |= only
    connector.until(lambda: 12 in connector.inserted())
    assert connector.inserted() == [10, 12]
    file = server.run("FLUSH BINARY LOGS", "SHOW BINARY LOGS")[-1][0]
    server.run(f"PURGE BINARY LOGS TO '{file}'")
    write(20)
    connector.until(lambda: 22 in connector.inserted())
    assert connector.inserted() == [10, 12, 20, 22]
    connector.config["gtid.source.filter.dml.events"] = "false"
    write(30)
    connector.until(lambda: 32 in connector.inserted())
    assert connector.inserted() == [10, 12, 20, 22, 30, 31, 32]
    connector.config.pop("gtid.source.includes")
    connector.config |= {"gtid.source.excludes": f"1111.*,{others[1]}", "gtid.source.filter.dml.events": "true"}
    write(40)
    connector.until(lambda: 42 in connector.inserted())
    assert connector.inserted() == [10, 12, 20, 22, 30, 31, 32, 42]


def test_a_gap_stands_in_the_status_and_one_request_closes_it(
    server: PrivateMySql, proxy: Proxy, connector: Connector, tmp_path: Path
) -> None:
    worker = WorkerProcess(tmp_path, "gap", None)

    def task() -> dict[str, Any]:
        return next(iter(worker.status("d")["tasks"]), {})

    def written(count: int) -> None:
        with worker.log() as log:
            wait_until(lambda: sum(log.end_offsets("f.f.t").values()) == count, f"{count} records")

    def is_streaming() -> bool:
        offsets = worker.call("GET", "/connectors/d/offsets").json().get("offsets", [])
        return any("snapshot" not in each["offset"] for each in offsets)

    try:
        worker.start()
        worker.put("d", connector.config | {"connector.class": "io.debezium.connector.mysql.MySqlConnector"})
        wait_until(is_streaming, "the end of the snapshot")
        server.run(rows(0, 3))
        written(3)
        proxy.move(("127.0.0.1", 1))
        wait_until(lambda: "waiting_for" in task(), "that the outage is seen")
        assert task()["state"] == "RUNNING" and "does not answer" in task()["waiting_for"]
        assert datetime.now(UTC) - datetime.fromisoformat(task()["waiting_since"]) < timedelta(minutes=1)
        server.run("DELETE FROM f.t WHERE id = 1", "FLUSH BINARY LOGS")
        server.run(f"PURGE BINARY LOGS TO '{server.run('SHOW BINARY LOGS')[-1][0]}'")
        proxy.move(("127.0.0.1", server.port))
        wait_until(lambda: task()["state"] == "FAILED", "that the gap is seen")
        told = task()["trace"]
        for words in ("it purged the transactions", "made after", "captured tables may have changed", "f.t",
                      'PATCH /connectors/d/config with {"snapshot.mode": "when_needed"}'):  # fmt: skip
            assert words in told
        answer = worker.call("PATCH", "/connectors/d/config", {"snapshot.mode": "when_needed"})
        assert answer.status_code == 200
        written(5)
        wait_until(lambda: task()["state"] == "RUNNING", "that it runs again")
        assert any("deleted meanwhile stay in the targets" in warning for warning in task()["warnings"])
        server.run(rows(5, 1))
        written(6)
    finally:
        worker.close()
