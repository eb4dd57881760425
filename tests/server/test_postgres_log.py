"""PostgreSQL's WAL: transactions in progress, prepared, rolled back in parts; starts anywhere; connections cut."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cdc.errors import SourceUnavailable
from cdc.record import Poll, SourceOffset
from tests.server.private_postgres import Connector, PrivatePostgres, config
from tests.server.proxy import Proxy, starts_replication

Record = tuple[str, Any, Any]


@dataclass
class Reading(Connector):
    """Keeps whole records; what the clock of this side says is left out."""

    records: list[Record] = field(default_factory=list)

    def _taken(self, source: Any) -> Iterator[Poll]:
        for poll in self._patiently(source):
            self.records += [
                (batch.topic, key, value and tuple(part for i, part in enumerate(value) if i not in _clocks(value)))
                for batch in poll.batches
                for key, value in zip(batch.keys, batch.values, strict=True)
            ]
            yield poll

    def _patiently(self, source: Any) -> Iterator[Poll]:
        """The server may need a moment to notice that the reader of the start before is gone."""
        for last in [False] * 50 + [True]:
            try:
                yield from super()._taken(source)
                return
            except SourceUnavailable as error:
                if last or "is read by another connection" not in str(error):
                    raise
                time.sleep(0.2)

    def has_all(self) -> bool:
        return any(topic == "p.public.last" for topic, _, _ in self.records)

    def at_start(self) -> list[SourceOffset]:
        """Where the slot begins; nothing was written since."""
        self.until(self.is_streaming)
        assert not self.records
        return list(self.offsets)


def _clocks(value: Any) -> tuple[int, ...]:
    """Places of `ts_ms`, `ts_us`, `ts_ns` in an envelope, and in a message."""
    return (5, 6, 7) if len(value) > 5 else (1,)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    server = PrivatePostgres(tmp_path_factory.mktemp("postgres"))
    server.start(logical_decoding_work_mem="64kB")
    server.run(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, note TEXT)", "ALTER TABLE t REPLICA IDENTITY FULL",
        "CREATE TABLE other (id INT PRIMARY KEY, wide TEXT)", "CREATE TABLE last (id INT PRIMARY KEY)",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "SELECT pg_replication_origin_create('elsewhere')",
        "SELECT pg_create_logical_replication_slot('two_phase', 'pgoutput', false, true)",
    )  # fmt: skip
    yield server
    server.close()


def reading(server: PrivatePostgres, slot: str, **more: str) -> Reading:
    given = {"table__include__list": "public.t,public.other,public.last", "publication__name": "p", "slot__name": slot,
             "snapshot__mode": "no_data", "max__batch__size": "100", "database__sslmode": "disable",
             "publication__autocreate__mode": "disabled"}  # fmt: skip
    return Reading(config(server.port, "p", **(given | more)))


def _write(server: PrivatePostgres) -> None:
    """Transactions of all kinds, several open at a time; most of them are sent before they are committed."""
    with closing(server.connect()) as a, closing(server.connect()) as b, closing(server.connect()) as c:
        for each in (a, c):
            each.autocommit = False
        _fill(a, 1, 1500)
        a.execute("SAVEPOINT one")
        _fill(a, 2000, 800)
        b.execute("INSERT INTO other VALUES (1, repeat('x', 9000))")
        a.execute("ROLLBACK TO SAVEPOINT one")
        _fill(a, 3000, 700)
        a.execute("SAVEPOINT two")
        a.execute("UPDATE t SET v = v + 1 WHERE id < 900")
        a.execute("SELECT pg_logical_emit_message(true, 'inside', 'of a')")
        c.execute("ALTER TABLE other ADD COLUMN more INT DEFAULT 7")
        c.execute("INSERT INTO other SELECT i, repeat('ü', 300), NULL FROM generate_series(10, 900) i")
        a.execute("RELEASE SAVEPOINT two")
        b.execute("SELECT pg_logical_emit_message(false, 'at once', 'not of a')")
        b.execute("INSERT INTO t VALUES (9001, 1, NULL), (9002, 1, 'n')")
        c.commit()
        b.execute("UPDATE other SET more = id WHERE id = 1")
        a.execute("DELETE FROM t WHERE id BETWEEN 100 AND 1000")
        a.commit()
        _fill(a, 20_000, 2500)
        b.execute("INSERT INTO t VALUES (9003, 1, 'while another is rolled back')")
        a.rollback()
        _prepared(a, b)
        a.execute("SELECT pg_replication_origin_session_setup('elsewhere')")
        a.commit()
        _fill(a, 40_000, 1200)
        a.execute("SELECT pg_replication_origin_xact_setup('0/1234', '2026-01-02 03:04:05+00')")
        a.commit()
        with c.cursor().copy("COPY t FROM STDIN") as copy:
            for id in range(50_000, 50_400):
                copy.write_row((id, 1, "copied"))
        c.commit()
        c.execute("TRUNCATE t, other")
        c.execute("INSERT INTO last VALUES (1)")
        c.commit()


def _fill(connection: psycopg.Connection[Any], first: int, rows: int) -> None:
    connection.execute("INSERT INTO t SELECT i, 0, repeat('n', i %% 150) FROM generate_series(%s::int, %s::int) i",
                       (first, first + rows - 1))  # fmt: skip


def _prepared(a: psycopg.Connection[Any], b: psycopg.Connection[Any]) -> None:
    for first, rows, end in ((30_000, 5, "COMMIT"), (31_000, 1500, "COMMIT"), (33_000, 5, "ROLLBACK"),
                             (34_000, 1500, "ROLLBACK")):  # fmt: skip
        _fill(a, first, rows)
        a.execute(f"PREPARE TRANSACTION 'g{first}'".encode())
        a.commit()
        b.execute("INSERT INTO t VALUES (%s, 1, 'while one is prepared')", (100_000 + first,))
        b.execute(f"{end} PREPARED 'g{first}'".encode())


@pytest.fixture(scope="module")
def whole(server: PrivatePostgres) -> Iterator[tuple[dict[str, list[SourceOffset]], list[Record]]]:
    """Where other slots begin, and the records of transactions that come whole, as the oldest protocol sends them."""
    slots = ("streamed", "again", "two_phase", "cut")
    begins = {slot: reading(server, slot).at_start() for slot in slots}
    made = reading(server, "whole", slot__stream__params="streaming=off", skipped__operations="none")
    made.until(made.is_streaming)
    _write(server)
    made.until(made.has_all)
    assert server.run("SELECT stream_txns > 0 FROM pg_stat_replication_slots WHERE slot_name = 'whole'") == [(False,)]
    yield begins, made.records


Whole = tuple[dict[str, list[SourceOffset]], list[Record]]


def test_the_transactions_are_those_that_were_committed_in_that_order(whole: Whole) -> None:
    ids = [key[0] for topic, key, value in whole[1] if topic == "p.public.t" and value and value[4] == "c"]
    first = [9001, 9002, *range(1, 1501), *range(3000, 3700), 9003]
    prepared = [130_000, *range(30_000, 30_005), 131_000, *range(31_000, 32_500), 133_000, 134_000]
    assert ids == [*first, *prepared, *range(40_000, 41_200), *range(50_000, 50_400)]
    assert [value[3] for topic, _, value in whole[1] if topic == "p.message"] == [
        ("at once", b"not of a"), ("inside", b"of a"),
    ]  # fmt: skip


def test_transactions_in_progress_give_the_records_of_those_that_come_whole(
    server: PrivatePostgres, whole: Whole
) -> None:
    made = reading(server, "streamed", skipped__operations="none")
    made.offsets += whole[0]["streamed"]
    made.until(made.has_all)
    _are(made.records, whole[1])
    ((streamed,),) = server.run("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = 'streamed'")
    assert streamed >= 4


def test_a_slot_with_two_phases_gives_prepared_transactions_when_they_are_committed(
    server: PrivatePostgres, whole: Whole
) -> None:
    made = reading(server, "two_phase", slot__stream__params="two_phase=true", skipped__operations="none")
    made.offsets += whole[0]["two_phase"]
    _restarted(made, seed=3)
    _are(made.records, whole[1])


def test_starts_anywhere_in_transactions_repeat_and_lose_nothing(server: PrivatePostgres, whole: Whole) -> None:
    made = reading(server, "again", skipped__operations="none")
    made.offsets += whole[0]["again"]
    _restarted(made, seed=5)
    _are(made.records, whole[1])


def _restarted(made: Reading, seed: int) -> None:
    """Until all is there, at most 60 times."""
    seeded = random.Random(seed)
    for start in range(60):
        left = seeded.randint(1, 12)
        given = {"slot__stream__params": "streaming=off"} if start % 5 == 4 else {}
        with contextlib.suppress(SourceUnavailable), made.running(**given) as polls:  # the last reader may still end
            for poll in polls:
                left -= bool(poll.batches)
                if not left or made.has_all():
                    break
        if made.has_all():
            return


def test_a_connection_cut_in_the_middle_of_a_message_repeats_and_loses_nothing(
    server: PrivatePostgres, whole: Whole
) -> None:
    seeded = random.Random(7)
    cuts = [seeded.randint(1, 200_000) for _ in range(6)]

    def cut(data: bytes, came: int, number: int) -> bytes:
        """Each connection that reads the WAL gets so many bytes, while there are cuts left."""
        if cuts and came + len(data) > cuts[-1]:
            return data[: cuts.pop() - came]
        return data

    proxy = Proxy(("127.0.0.1", server.port), through=cut, asks=starts_replication)
    try:
        made = reading(server, "cut", skipped__operations="none", database__port=str(proxy.port))
        made.offsets += whole[0]["cut"]
        for _ in range(20):
            try:
                made.until(made.has_all)
                break
            except SourceUnavailable:
                continue
        assert not cuts
        _are(made.records, whole[1])
    finally:
        proxy.close()


def _are(found: list[Record], wanted: list[Record]) -> None:
    """The first difference, not thousands of records."""
    for at, (one, other) in enumerate(zip(found, wanted, strict=False)):
        assert one == other, f"record {at}"
    assert len(found) == len(wanted)


def test_what_is_not_a_users_to_set_of_the_plugin_is_refused(server: PrivatePostgres, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"binary=true: values are read as text; remove it"):
        reading(server, "none", slot__stream__params="binary=true").until(lambda: True)
    with pytest.raises(Exception, match="unrecognized pgoutput option: nonsense"):
        reading(server, "streamed", slot__stream__params="nonsense=1").until(lambda: False)
