"""Slots and publications on a real server: made, used again, lost, moved by others, in use; and what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres.connector import POSTGRES
from tests.server.private_postgres import Connector, PrivatePostgres, config
from tests.server.worker_process import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    server = PrivatePostgres(tmp_path_factory.mktemp("postgres"))
    server.start(max_slot_wal_keep_size="8MB", min_wal_size="32MB", max_wal_size="64MB", wal_keep_size="0")
    yield server
    server.close()


@pytest.fixture
def connector(server: PrivatePostgres, request: pytest.FixtureRequest) -> Iterator[Connector]:
    name = "c" + str(abs(hash(request.node.name)))[:8]
    server.run("DROP TABLE IF EXISTS t", "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)")
    yield Connector(config(server.port, name))
    for slot, pid in server.run("SELECT slot_name, active_pid FROM pg_replication_slots"):
        if pid:
            server.run(f"SELECT pg_terminate_backend({pid}, 5000)")
        server.run(f"SELECT pg_drop_replication_slot('{slot}')")
    server.run(f"DROP PUBLICATION IF EXISTS {name}")


def insert(server: PrivatePostgres, *keys: int) -> None:
    for key in keys:
        server.run(f"INSERT INTO t VALUES ({key}, 'x')")


def refusal(connector: Connector, error: type[SourceError] = SourceError, **given: str) -> str:
    with pytest.raises(SourceError) as caught:
        connector.until(lambda: False, 5, **given)
    assert type(caught.value) is error
    return str(caught.value)


def name_of(connector: Connector) -> str:
    return connector.config["slot.name"]


def recycle(server: PrivatePostgres) -> None:
    """More WAL than `max_slot_wal_keep_size`."""
    for _ in range(3):
        server.run("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 9000000))", "SELECT pg_switch_wal()")
    server.run("CHECKPOINT")


def test_a_slot_that_lost_its_wal_is_told_in_full_and_one_patch_mends_it(
    server: PrivatePostgres, connector: Connector
) -> None:
    connector.until(connector.is_streaming)
    insert(server, 1)
    connector.until(lambda: connector.keys() == [1])
    insert(server, 2)
    recycle(server)
    assert server.slot(name_of(connector), "wal_status") == "lost"
    told = refusal(connector)
    assert f"slot '{name_of(connector)}' needs (wal_status=lost): more WAL was kept for it than max_slot" in told
    assert "What changed since 0/" in told and "the stored offset, until 0/" in told and "public.t" in told
    assert 'PATCH /connectors/d/config with {"snapshot.mode": "when_needed"} takes it at once' in told
    connector.until(lambda: connector.keys("r") == [1, 2] and connector.is_streaming(), snapshot__mode="when_needed")
    assert "wal_status=lost" in connector.report["postgres.gap"]
    insert(server, 3)
    connector.until(lambda: connector.keys() == [1, 3], snapshot__mode="when_needed")


def test_how_much_wal_is_kept_is_told_before_it_is_too_much(
    server: PrivatePostgres, connector: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    connector.until(connector.is_streaming)
    connector.until(lambda: "slot.retained.wal.bytes" in connector.report)
    kept: dict[str, Any] = connector.report
    assert kept["slot.retained.wal.bytes"] >= 0 and kept["slot.safe.wal.bytes"] > 0
    server.run("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 15000000))")
    connector.report.clear()
    connector.until(lambda: "slot.retained.wal.bytes" in connector.report)
    told = capsys.readouterr()
    assert "MiB of WAL for slot" in told.out + told.err
    assert "max_slot_wal_keep_size" in told.out + told.err


def test_a_slot_that_another_moved_is_a_gap_unless_it_is_trusted(server: PrivatePostgres, connector: Connector) -> None:
    connector.until(connector.is_streaming)
    insert(server, 1)
    connector.until(lambda: connector.keys() == [1])
    insert(server, 2)
    server.run(f"SELECT pg_replication_slot_advance('{name_of(connector)}', pg_current_wal_lsn())")
    insert(server, 3)
    told = refusal(connector)
    assert "begins at 0/" in told and "another reader moved it" in told and "when_needed" in told
    for strategy in ("trust_offset", "no_validation"):
        assert "begins at 0/" in refusal(connector, offset__mismatch__strategy=strategy)
    connector.until(lambda: connector.keys() == [1, 3], offset__mismatch__strategy="trust_slot")


def test_a_slot_behind_the_offset_is_moved_on_where_that_is_asked(
    server: PrivatePostgres, connector: Connector
) -> None:
    connector.until(connector.is_streaming, lsn__flush__mode="manual")
    insert(server, 1, 2)
    connector.until(lambda: connector.keys() == [1, 2], lsn__flush__mode="manual")
    before = server.slot(name_of(connector), "confirmed_flush_lsn")
    insert(server, 3)
    connector.until(lambda: connector.keys() == [1, 2, 3], lsn__flush__mode="manual")
    assert server.slot(name_of(connector), "confirmed_flush_lsn") == before
    connector.until(lambda: True, lsn__flush__mode="manual", offset__mismatch__strategy="trust_greater_lsn")
    assert server.run(f"SELECT '{server.slot(name_of(connector), 'confirmed_flush_lsn')}'::pg_lsn > '{before}'") == [
        (True,)
    ]
    assert connector.keys() == [1, 2, 3]


def test_a_slot_in_use_is_waited_for_and_its_reader_named(server: PrivatePostgres, connector: Connector) -> None:
    connector.until(connector.is_streaming)
    connector.report.clear()
    with connector.running() as polls:
        connector.read(polls, lambda: "slot.retained.wal.bytes" in connector.report)
        pid = server.slot(name_of(connector), "active_pid")
        told = refusal(Connector(connector.config, list(connector.offsets)), SourceUnavailable)
        assert f"is read by another connection, pid {pid} (tailrace, user app, from 127.0.0.1" in told
        assert "slot.name of its own" in told
    wait_until(lambda: server.slot(name_of(connector), "active_pid") is None, "the end of the reader")
    connector.until(lambda: True)


def test_an_open_transaction_that_holds_up_a_new_slot_is_named(
    server: PrivatePostgres, connector: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    with server.connect(application_name="long job") as other:
        other.execute("BEGIN")
        other.execute("INSERT INTO t VALUES (7, 'open')")
        with connector.running() as polls:
            assert all(not next(polls).batches for _ in range(13))
            told = capsys.readouterr()
            pid = other.info.backend_pid
            assert "long job (idle in transaction since " in told.out + told.err
            assert f"SELECT pg_terminate_backend({pid})" in told.out + told.err
            other.execute("COMMIT")
            connector.read(polls, lambda: connector.keys("r") == [7])


def test_a_slot_is_dropped_at_stop_where_that_is_asked_and_of_failover_where_the_server_can(
    server: PrivatePostgres, connector: Connector
) -> None:
    connector.until(connector.is_streaming, slot__drop__on__stop="true", slot__failover="true")
    assert server.slot(name_of(connector), "slot_name") is None
    connector.offsets.clear()
    connector.until(connector.is_streaming, slot__failover="true")
    assert server.slot(name_of(connector), "failover") is True
    server.run(f"SELECT pg_drop_replication_slot('{name_of(connector)}')",
               f"SELECT pg_create_logical_replication_slot('{name_of(connector)}', 'test_decoding')")  # fmt: skip
    assert "pg_copy_logical_replication_slot" in refusal(connector)


def problems(raw: dict[str, str]) -> str:
    return "\n".join(f"{problem.key}: {problem.message}" for problem in POSTGRES.check(raw))


def test_every_way_a_publication_cannot_be_made_is_told_with_the_statement_that_mends_it(
    server: PrivatePostgres, connector: Connector
) -> None:
    name = name_of(connector)
    server.run(f"CREATE ROLE u{name} LOGIN REPLICATION PASSWORD 'pw'", f"GRANT SELECT ON t TO u{name}")
    mine = connector.config | {"database.user": f"u{name}", "database.password": "pw"}
    mode = "publication.autocreate.mode"
    assert problems(connector.config | {mode: "disabled"}) == (
        f"{mode}: publication '{name}' does not exist and {mode}=disabled; run as the tables' owner: CREATE "
        f'PUBLICATION "{name}" FOR TABLE "public"."t"'
    )
    assert f"and only a superuser can make one for all tables, which u{name} is not; set {mode}=filtered, or run" in (
        problems(mine | {mode: "all_tables"})
    )
    assert f'run: GRANT CREATE ON DATABASE "app" TO "u{name}"' in problems(mine)
    server.run(f"GRANT CREATE ON DATABASE app TO u{name}")
    assert f'does not of public.t; run as their owner: CREATE PUBLICATION "{name}" FOR TABLE "public"."t"' in (
        problems(mine)
    )
    assert "since no table matches" in problems(connector.config | {"table.include.list": "public.none"})
    server.run(f"CREATE PUBLICATION {name} FOR ALL TABLES")
    assert f"cannot be altered to the captured ones; set {mode}=all_tables to use it" in problems(connector.config)
    assert problems(mine | {mode: "all_tables"}) == problems(mine | {mode: "disabled"}) == ""
    server.run(f"DROP PUBLICATION {name}", f"CREATE PUBLICATION {name}")
    assert f"publication '{name}', public.t; run as their owner: ALTER PUBLICATION \"{name}\" SET TABLE" in problems(
        mine
    )
    server.run(f"DROP OWNED BY u{name}", f"DROP ROLE u{name}")


def test_a_publication_is_made_and_kept_in_step_and_what_it_lacks_is_told(
    server: PrivatePostgres, connector: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    name = name_of(connector)
    server.run("DROP TABLE IF EXISTS parts", "CREATE TABLE parts (id INT PRIMARY KEY, v TEXT) PARTITION BY RANGE (id)",
               "CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10)",
               "CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (10) TO (20)")  # fmt: skip

    def start(**given: str) -> str:
        connector.until(connector.is_streaming, 30, **given)
        said = capsys.readouterr()
        return said.out + said.err

    def held() -> list[str]:
        return [
            table
            for (table,) in server.run(
                f"SELECT tablename FROM pg_publication_tables WHERE pubname = '{name}' ORDER BY 1"
            )
        ]

    start()
    assert held() == ["t"]
    start(table__include__list="public.t,public.parts.*")
    assert held() == ["parts_a", "parts_b", "t"]
    assert "publication changed" not in start(table__include__list="public.t,public.parts.*")
    told = start(table__include__list="public.parts.*", publication__autocreate__mode="disabled",
                 publish__via__partition__root="true")  # fmt: skip
    assert f'ALTER PUBLICATION "{name}" SET (publish_via_partition_root = true)' in told
    server.run(f"ALTER PUBLICATION {name} SET TABLE t", f"ALTER PUBLICATION {name} SET (publish = 'insert, update')")
    told = start(table__include__list="public.t,public.parts.*", publication__autocreate__mode="disabled")
    assert f'ALTER PUBLICATION "{name}" ADD TABLE "public"."parts_a", "public"."parts_b"' in told
    assert "does not send delete; if that is not meant" in told
    server.run(f"DROP PUBLICATION {name}")
    start(table__include__list="public.parts.*", publish__via__partition__root="true")
    assert held() == ["parts"]
    connector.events.clear()
    server.run("INSERT INTO parts VALUES (11, 'x')")
    connector.until(lambda: bool(connector.events), table__include__list="public.parts.*")
    assert [event[:2] for event in connector.events] == [("parts", "c")]
    server.run(f"DROP PUBLICATION {name}")
    start(publication__autocreate__mode="no_tables")
    assert held() == []
    server.run(f"DROP PUBLICATION {name}")
    start(publication__autocreate__mode="all_tables")
    assert server.run(f"SELECT puballtables FROM pg_publication WHERE pubname = '{name}'") == [(True,)]


def test_a_query_runs_with_each_heartbeat_and_one_without_a_table_stops_the_task(
    server: PrivatePostgres, connector: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    server.run("DROP TABLE IF EXISTS beats", "CREATE TABLE beats (at TIMESTAMPTZ)")

    def beaten(query: str, done: Callable[[], bool]) -> str:
        connector.until(done, 30, heartbeat__interval__ms="200", heartbeat__action__query=query,
                        database__initial__statements="SET search_path = nowhere; SET work_mem = '4MB'")  # fmt: skip
        said = capsys.readouterr()
        return said.out + said.err

    beaten("INSERT INTO beats VALUES (now())", lambda: server.run("SELECT count(*) FROM beats")[0][0] >= 3)
    sent = connector.sent
    assert sent >= 3
    told = beaten("SELECT 1 / 0", lambda: connector.sent > sent + 1)
    assert told.count("heartbeat.action.query failed") == 1 and "division by zero" in told
    with pytest.raises(SourceError, match=r"heartbeat\.action\.query cannot run: .*\(42P01\); create the table"):
        beaten("INSERT INTO none VALUES (1)", lambda: False)


def test_replica_identities_are_set_at_start_and_what_cannot_be_set_is_told(
    server: PrivatePostgres, connector: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    server.run("DROP TABLE IF EXISTS ra, rb, rc", "CREATE TABLE ra (id INT PRIMARY KEY)",
               "CREATE TABLE rb (id INT NOT NULL)", "CREATE UNIQUE INDEX rb_id ON rb (id)",
               "CREATE TABLE rc (id INT)")  # fmt: skip
    wanted = {
        "table__include__list": "public.r.",
        "tailrace__slot__wal__budget__bytes": "1",
        "replica__identity__autoset__values": "public.ra:full, public.r[b]:INDEX rb_id,public.rc:INDEX none",
    }
    for _ in range(2):
        connector.report.clear()
        connector.until(lambda: "slot.retained.wal.bytes" in connector.report, 30, **wanted)
    identities = server.run("SELECT relname, relreplident::text FROM pg_class WHERE relname ~ '^r[abc]$' ORDER BY 1")
    assert identities == [("ra", "f"), ("rb", "i"), ("rc", "d")]
    said = capsys.readouterr().out
    assert said.count("replica identity set") == 2
    assert 'run as its owner: ALTER TABLE "public"."rc" REPLICA IDENTITY USING INDEX "none"' in said
    assert "MiB of WAL for slot" in said and "more than tailrace.slot.wal.budget.bytes" in said
    wrong = problems(connector.config | {"replica.identity.autoset.values": "public.ra:SOME"})
    assert "public.ra:SOME has an invalid format (expecting '(?i)" in wrong
