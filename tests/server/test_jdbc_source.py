"""The JDBC source on real MySQL, MariaDB, PostgreSQL and SQLite: modes, types, open transactions, kills, outages."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from cdc.jdbc.connector import JDBC_SOURCE
from cdc.record import Batch, SourceContext, SourceOffset
from tests.server.in_process import MemoryTopic
from tests.server.proxy import Proxy
from tests.server.worker_process import WorkerProcess, wait_until

CONFIGS = Path(__file__).parents[1] / "golden/configs"
PLAIN = {"poll.interval.ms": "100", "table.poll.interval.ms": "300", "topic.prefix": ""}
TICK = "INSERT INTO {} (v) VALUES ({})"


class _Topics:
    """A source that keeps no topics of its own."""

    def open(self, name: str, client: Mapping[str, str]) -> MemoryTopic:
        raise AssertionError(name)


@dataclass
class Polled:
    """One connector over several starts: what it sent and saved."""

    config: dict[str, str]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    offsets: dict[str, SourceOffset] = field(default_factory=dict)
    gone: list[tuple[str, Any]] = field(default_factory=list)
    """Topic and key of each tombstone."""
    report: dict[str, Any] = field(default_factory=dict)
    sessions: int = 0
    """That read at once, at most."""

    def until(self, seen: Callable[[], bool], seconds: float = 30) -> None:
        """Runs it until something is seen, at least to its first idle poll."""
        end = time.monotonic() + seconds
        with closing(JDBC_SOURCE.build(self.config, SourceContext("j", 0, _Topics()))) as source:
            for poll in source.polls(list(self.offsets.values())):
                for batch in poll.batches:
                    if batch.value_schema is None:
                        self.gone += [(batch.topic, key) for key in batch.keys]
                        continue
                    self.rows.setdefault(batch.topic, []).extend(_named(batch))
                self.offsets |= {str(offset.partition): offset for offset in poll.offsets}
                if poll.idle and seen():
                    return
                assert time.monotonic() < end, f"not seen in {seconds} s; so far: {self.rows}"

    def some(self, rows: int) -> bool:
        """Runs it until it has sent so many more rows, at most to an idle poll; whether it came so far."""
        before, threads = sum(map(len, self.rows.values())), set(threading.enumerate())
        with closing(JDBC_SOURCE.build(self.config, SourceContext("j", 0, _Topics(), self.report))) as source:
            for poll in source.polls(list(self.offsets.values())):
                for batch in poll.batches:
                    self.rows.setdefault(batch.topic, []).extend(_named(batch))
                self.offsets |= {str(offset.partition): offset for offset in poll.offsets}
                begun = set(threading.enumerate()) - threads  # without those of a source that has just been closed
                reading = [each for each in begun if each.name.startswith("session ")]
                self.sessions = max(self.sessions, len(reading))
                if poll.idle or sum(map(len, self.rows.values())) - before >= rows:
                    return not poll.idle
        raise AssertionError("a source ends with an idle poll")

    def deleted(self, topic: str = "t") -> list[Any]:
        return [key for of, key in self.gone if of == topic]

    def ids(self, topic: str = "t") -> list[int]:
        return [row["id"] for row in self.rows.get(topic, [])]


def _named(batch: Batch) -> Iterator[dict[str, Any]]:
    assert batch.key_schema is None and batch.value_schema is not None
    names = [each.name for each in batch.value_schema.fields]
    return (dict(zip(names, value, strict=True)) for value in batch.values)


class Server:
    """A database of its own on one of the servers; `session` gives another connection, autocommit off."""

    def __init__(self, kind: str, folder: Path, address: tuple[str, int]) -> None:
        self.kind, self.name, self.folder, self.address = kind, f"j{uuid.uuid4().hex[:8]}", folder, address
        self.main = self._connected(None)
        if kind != "sqlite":
            self.run(f"CREATE DATABASE {self.name}")
            self.main.close()
            self.main = self._connected(self.name)

    def _connected(self, database: str | None) -> Any:
        host, port = self.address
        if self.kind == "sqlite":
            return sqlite3.connect(self.folder / "shop.db", isolation_level=None, timeout=20)
        if self.kind == "postgresql":
            return psycopg.connect(host=host, port=port, user="app", password="apppw", dbname=database or "app",
                                   autocommit=True)  # fmt: skip
        return pymysql.connect(host=host, port=port, user="app", password="apppw", database=database, autocommit=True)

    def session(self) -> Any:
        made = self._connected(self.name)
        if self.kind == "postgresql":
            made.autocommit = False
        else:
            made.autocommit(False)
        return made

    def run(self, statement: str, session: Any = None) -> None:
        with closing((session or self.main).cursor()) as cursor:
            cursor.execute(statement)

    def config(self, **given: str) -> dict[str, str]:
        host, own = self.address
        port = given.pop("port", "")
        url = f"jdbc:{self.kind}://{host}:{port or own}/{self.name}"
        if self.kind == "sqlite":
            url = f"jdbc:sqlite:{self.folder / 'shop.db'}"
        return {**PLAIN, "connection.url": url, "connection.user": "app", "connection.password": "apppw",
                **{name.replace("_", "."): text for name, text in given.items()}}  # fmt: skip

    def create(self, table: str) -> None:
        number = {"postgresql": "id serial PRIMARY KEY", "sqlite": "id INTEGER PRIMARY KEY"}
        now = "DEFAULT CURRENT_TIMESTAMP" if self.kind == "sqlite" else "DEFAULT CURRENT_TIMESTAMP(6)"
        kind = "timestamp" if self.kind == "sqlite" else "timestamp(6)"
        self.run(f"CREATE TABLE {table} ({number.get(self.kind, 'id INT AUTO_INCREMENT PRIMARY KEY')}, v INT, "
                 f"at {kind} NOT NULL {now})")  # fmt: skip

    def full(self, table: str) -> str:
        return {"postgresql": f"public.{table}", "sqlite": table}.get(self.kind, f"{self.name}.{table}")

    def close(self) -> None:
        if self.kind != "sqlite":
            self.main.close()
            self.main = self._connected(None)
            force = " WITH (FORCE)" if self.kind == "postgresql" else ""
            self.run(f"DROP DATABASE {self.name}{force}")
        self.main.close()


def _server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    fixtures = {"mysql": "mysql_address", "mariadb": "mariadb_address", "postgresql": "postgres_address"}
    name = fixtures.get(request.param)
    made = Server(request.param, tmp_path, request.getfixturevalue(name) if name else ("", 0))
    yield made
    made.close()


@pytest.fixture(params=["mysql", "mariadb", "postgresql", "sqlite"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    yield from _server(request, tmp_path)


@pytest.fixture(params=["mysql", "mariadb", "postgresql"])
def several(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Those where several sessions write at a time."""
    yield from _server(request, tmp_path)


@pytest.fixture
def mysql_server(tmp_path: Path, mysql_address: tuple[str, int]) -> Iterator[Server]:
    made = Server("mysql", tmp_path, mysql_address)
    yield made
    made.close()


def test_each_mode_reads_on_where_it_was_left(server: Server) -> None:
    server.create("t")
    for v in range(5):
        server.run(TICK.format("t", v))
    time.sleep(1.2)  # SQLite's CURRENT_TIMESTAMP has no fraction
    modes = {
        "incrementing": {"batch_max_rows": "2"},
        "timestamp": {"timestamp_column_name": "at", "batch_max_rows": "2"},
        "timestamp+incrementing": {"timestamp_column_name": "AT", "incrementing_column_name": "id"},
        "bulk": {},
    }
    polled = {mode: Polled(server.config(mode=mode, **given)) for mode, given in modes.items()}
    for mode, each in polled.items():
        assert JDBC_SOURCE.check(each.config) == []
        each.until(lambda each=each: len(each.ids()) >= 5)  # type: ignore[misc]
        assert each.ids()[:5] == [1, 2, 3, 4, 5], mode
    assert not polled["bulk"].offsets
    server.run(TICK.format("t", 5))
    server.run("UPDATE t SET v = 70, at = CURRENT_TIMESTAMP WHERE id = 2")
    time.sleep(1.2)
    for mode in ("incrementing", "timestamp", "timestamp+incrementing"):
        polled[mode].until(lambda mode=mode: 6 in polled[mode].ids()[5:])  # type: ignore[misc]
        changed = [] if mode == "incrementing" else [2]
        assert sorted(polled[mode].ids()[5:]) == [*changed, 6], mode
        (offset,) = polled[mode].offsets.values()
        assert offset.partition == {"protocol": "1", "table": server.full("t")}
        assert offset.offset is not None
        assert ("timestamp" in offset.offset, "incrementing" in offset.offset) == ("time" in mode, "inc" in mode)


def test_a_query_is_read_and_tables_come_and_go(server: Server) -> None:
    server.create("t")
    server.create("u")
    server.run(TICK.format("t", 1))
    query = Polled(server.config(mode="incrementing", query="SELECT t.id, t.v * 2 AS twice FROM t",
                                 incrementing_column_name="id", topic_prefix="doubles"))  # fmt: skip
    if server.kind != "sqlite":  # where a column's name is ambiguous to nobody
        assert JDBC_SOURCE.check(query.config) == []
    query.until(lambda: bool(query.ids("doubles")))
    assert query.rows["doubles"] == [{"id": 1, "twice": 2}]
    assert [offset.partition for offset in query.offsets.values()] == [{"query": "query"}]
    tables = Polled(server.config(mode="incrementing", table_blacklist="u"))
    steps: list[Callable[[], None]] = [
        lambda: server.create("n"),
        lambda: server.run(TICK.format("n", 9)),
        lambda: server.run("DROP TABLE t"),
    ]

    def stepped() -> bool:
        if tables.ids("t") == [1] and steps:
            steps.pop(0)()
        return tables.ids("n") == [1] and not steps

    tables.until(stepped)
    server.run(TICK.format("n", 10))
    tables.until(lambda: tables.ids("n") == [1, 2])
    assert set(tables.rows) == {"t", "n"}


@pytest.mark.parametrize("mode", ["incrementing", "timestamp", "timestamp+incrementing"])
def test_a_row_that_commits_late_is_not_missed(several: Server, mode: str) -> None:
    """Not asked of SQLite, where one session writes at a time."""
    server = several
    server.create("t")
    server.run(TICK.format("t", 0))
    polled = Polled(server.config(mode=mode, timestamp_column_name="at", incrementing_column_name="id"))
    late = server.session()
    server.run(TICK.format("t", 1), late)
    server.run(TICK.format("t", 2))
    began = time.monotonic()

    def seen() -> bool:
        if time.monotonic() - began > 1.5 and late is not None:
            late.commit()
        return 3 in polled.ids()

    polled.until(seen)
    late.close()
    assert polled.ids() == [1, 2, 3]


def test_rows_of_overlapping_transactions_are_each_read_once(several: Server) -> None:
    """Three connectors at a time, while four sessions hold transactions of different lengths open."""
    several.create("t")
    stop = threading.Event()
    modes = ("incrementing", "timestamp", "timestamp+incrementing")
    readers = [
        Polled(several.config(mode=mode, timestamp_column_name="at", incrementing_column_name="id")) for mode in modes
    ]
    writing = [threading.Thread(target=_overlap, args=(several, stop, seed)) for seed in range(4)]
    for thread in writing:
        thread.start()
    written: set[int] = set()

    def read(each: Polled) -> None:
        each.until(lambda: stop.is_set() and bool(written) and written <= set(each.ids()))

    reading = [threading.Thread(target=read, args=(each,)) for each in readers]
    for thread in reading:
        thread.start()
    time.sleep(3)
    stop.set()
    for thread in writing:
        thread.join()
    with closing(several.main.cursor()) as cursor:
        cursor.execute("SELECT id FROM t")
        written |= {row[0] for row in cursor.fetchall()}
    for thread in reading:
        thread.join()
    assert [sorted(each.ids()) for each in readers] == [sorted(written)] * len(modes)


def _overlap(server: Server, stop: threading.Event, seed: int) -> None:
    draw, session = random.Random(seed), server.session()
    while not stop.is_set():
        for v in range(draw.randint(1, 4)):
            server.run(TICK.format("t", v), session)
            time.sleep(draw.random() / 20)
        session.rollback() if draw.random() < 0.2 else session.commit()
    session.commit()
    session.close()


def test_deleted_rows_are_found_by_their_keys(server: Server) -> None:
    server.create("t")
    server.run("CREATE TABLE nokey (id INT)")
    for v in range(5):
        server.run(TICK.format("t", v))
    given = {"mode": "incrementing", "table_whitelist": "t", "tailrace_delete_detection_interval_ms": "100"}
    polled = Polled(server.config(**given))
    assert JDBC_SOURCE.check(polled.config) == []
    ready = [lambda: len(polled.ids()) == 5, lambda: len(polled.deleted()) == 2, lambda: 6 in polled.ids()]
    steps = ["DELETE FROM t WHERE id IN (2, 4)", TICK.format("t", 9), "DELETE FROM t WHERE id = 6"]

    def stepped() -> bool:
        if steps and ready[0]():
            ready.pop(0)
            server.run(steps.pop(0))
        return len(polled.deleted()) == 3

    polled.until(stepped)
    assert [sorted(polled.deleted()[:2]), polled.deleted()[2]] == [[(2,), (4,)], (6,)]
    wrong = server.config(**{**given, "table_whitelist": "nokey", "mode": "bulk"})
    ((key, text),) = JDBC_SOURCE.check(wrong)
    assert (key, "has no primary key" in text) == ("tailrace.delete.detection.interval.ms", True)


def test_without_waiting_that_row_is_missed_as_in_the_original(mysql_server: Server) -> None:
    mysql_server.create("t")
    config = mysql_server.config(mode="incrementing", tailrace_open_transactions_wait="false")
    polled = Polled(config)
    late = mysql_server.session()
    mysql_server.run(TICK.format("t", 1), late)
    mysql_server.run(TICK.format("t", 2))
    polled.until(lambda: polled.ids() == [2])
    late.commit()
    late.close()
    mysql_server.run(TICK.format("t", 3))
    polled.until(lambda: 3 in polled.ids())
    assert polled.ids() == [2, 3]


def test_what_a_database_lacks_is_said_before_anything_is_created(server: Server) -> None:
    server.run("CREATE TABLE t (id INT, at TIMESTAMP NULL)")

    def said(**given: str) -> dict[str, str]:
        return dict(JDBC_SOURCE.check(server.config(**given)))

    assert "no auto-increment column" in said(mode="incrementing")["incrementing.column.name"]
    assert "has no column x" in said(mode="timestamp", timestamp_column_name="x")["timestamp.column.name"]
    found = said(mode="timestamp", timestamp_column_name="at")["timestamp.column.name"]
    assert "nullable; make it NOT NULL, or set validate.non.null=false" in found
    assert said(mode="timestamp", timestamp_column_name="at", validate_non_null="false") == {}
    found = said(mode="timestamp", timestamp_column_name="id", validate_non_null="false")["timestamp.column.name"]
    assert "must be a timestamp or a date" in found
    found = said(mode="incrementing", incrementing_column_name="at", validate_non_null="false")[
        "incrementing.column.name"
    ]
    assert "must be a whole number" in found
    assert "create it, correct table.whitelist" in said(mode="bulk", table_whitelist="nothing")["table.whitelist"]
    assert "not valid" in said(mode="bulk", query="SELECT nothing FROM nowhere", topic_prefix="q")["query"]
    if server.kind != "sqlite":
        wrong = {**server.config(mode="bulk"), "connection.password": "wrong"}
        ((key, text),) = JDBC_SOURCE.check(wrong)
        assert (key, "Could not connect to database" in text) == ("connection.user", True)
        away = {**server.config(port="1", mode="bulk")}
        ((key, text),) = JDBC_SOURCE.check(away)
        assert (key, "does not answer" in text) == ("connection.url", True)
    looked = JDBC_SOURCE.outlook
    assert looked is not None
    assert [table.name for table in looked(server.config(mode="bulk")).tables] == [server.full("t")]


MYSQL_TYPES = """CREATE TABLE t (id INT PRIMARY KEY, ti TINYINT(1), un INT UNSIGNED, de DECIMAL(10,2), fl FLOAT,
  dt DATETIME(6), da DATE, tm TIME(3), ye YEAR, tx TEXT, bl BLOB, js JSON, en ENUM('a','b'), bi BIT(1))"""
MYSQL_ROW = """INSERT INTO t VALUES (1, 1, 4000000000, -12.30, 0.5, '2024-02-29 12:30:00.123456', '2024-02-29',
  '01:02:03.5', 2024, 'é', x'0102', '[1]', 'b', b'1')"""
POSTGRES_TYPES = """CREATE TABLE t (id int PRIMARY KEY, de numeric(10,2), re real, bo boolean, dt timestamp,
  tz timestamptz, da date, tm time, tx text, by bytea, js jsonb, uu uuid, mo money, ar int[])"""
POSTGRES_ROW = r"""INSERT INTO t VALUES (1, -12.30, 0.5, true, '2024-02-29 12:30:00.123456', '2024-02-29 12:30:00+00',
  '2024-02-29', '01:02:03.5', 'é', '\x0102', '[1]', '550e8400-e29b-41d4-a716-446655440000', 1.25, '{1}')"""
MOMENT, DAY = 1_709_209_800_123, 19_782


def test_values_have_their_types(server: Server) -> None:
    if server.kind == "sqlite":
        server.run("CREATE TABLE t (id INTEGER, de DECIMAL(10,2), re REAL, bo BOOLEAN, dt TIMESTAMP, da DATE, bl BLOB)")
        server.run("INSERT INTO t VALUES (1, -12.3, 0.5, 1, '2024-02-29 12:30:00.123', '2024-02-29', x'0102')")
        expected: list[Any] = [1, -1230, 0.5, True, MOMENT, DAY, b"\1\2"]
    elif server.kind == "postgresql":
        server.run(POSTGRES_TYPES)
        server.run(POSTGRES_ROW)
        expected = [1, -1230, 0.5, True, MOMENT, MOMENT - 123, DAY, 3_723_500, "é", b"\1\2", "[1]",
                    "550e8400-e29b-41d4-a716-446655440000", 1.25]  # fmt: skip
    else:
        server.run(MYSQL_TYPES)
        server.run(MYSQL_ROW)
        one = True if server.kind == "mariadb" else 1
        expected = [1, one, 4_000_000_000, -1230, 0.5, MOMENT, DAY, 3_723_500, 19_723, "é", b"\1\2", "[1]", "b", one]
    polled = Polled(server.config(mode="bulk"))
    polled.until(lambda: bool(polled.rows))
    assert list(polled.rows["t"][0].values()) == expected


SHOWN = {"incrementing": {"incrementing"}, "timestamp": {"timestamp", "timestamp_nanos"},
         "timestamp+incrementing": {"incrementing", "timestamp", "timestamp_nanos"}}  # fmt: skip


@pytest.mark.parametrize(
    ("server", "mode"),
    [("mysql", "timestamp+incrementing"), ("mariadb", "timestamp"), ("postgresql", "incrementing"),
     ("postgresql", "bulk"), ("sqlite", "timestamp+incrementing")],
    indirect=["server"],
)  # fmt: skip
def test_a_table_is_read_by_several_sessions_and_gone_on_with_where_it_was_stopped(server: Server, mode: str) -> None:
    server.create("t")
    for v in range(12):
        values = ", ".join(f"({v * 10 + each})" for each in range(10))
        server.run(f"INSERT INTO t (v) VALUES {values}")
    server.run("DELETE FROM t WHERE id BETWEEN 31 AND 49")
    time.sleep(1.2 if server.kind == "sqlite" else 0.4)
    given = {"timestamp_column_name": "at", "incrementing_column_name": "id", "batch_max_rows": "4"}
    polled = Polled(server.config(mode=mode, tailrace_snapshot_sessions="3", **given))
    stops = 0
    while polled.some(23):
        stops += 1
        (offset,) = (each for each in polled.offsets.values() if each.offset is not None)
        assert offset.partition == {"protocol": "1", "snapshot": server.full("t")}
        assert polled.report["snapshot.running"] is True
        assert stops > 1 or len((offset.offset or {})["ranges"]) > 1
        if mode == "timestamp+incrementing" and stops == 1:
            server.run("UPDATE t SET v = -1, at = CURRENT_TIMESTAMP WHERE id = 120")
        server.run(TICK.format("t", 1000))
    before = [each for each in range(1, 121) if not 31 <= each <= 49]
    assert stops and polled.sessions == 3 and polled.report["snapshot.running"] is False
    assert polled.report["snapshot.rows"] == len(polled.ids())
    new = list(range(121, 121 + stops))
    if mode == "bulk":
        assert sorted(set(polled.ids()) - set(new)) == before
        assert len(set(polled.ids())) == len(polled.ids())
        assert [each for each in polled.offsets.values() if each.offset is not None] == []
        return
    for each in polled.offsets.values():
        assert each.offset is None or (each.partition == {"protocol": "1", "table": server.full("t")})
    time.sleep(1.2 if server.kind == "sqlite" else 0.4)
    polled.until(lambda: set(new) <= set(polled.ids()))
    (offset,) = (each for each in polled.offsets.values() if each.offset is not None)
    assert set(offset.offset or {}) == SHOWN[mode]
    changed = [120] if mode == "timestamp+incrementing" else []
    assert sorted(polled.ids()) == sorted([*before, *new])
    assert [row["v"] for row in polled.rows["t"] if row["id"] == 120] == ([-1] if changed else [119])


# Whole workers


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    made = WorkerProcess(tmp_path / "worker", f"jdbc{uuid.uuid4().hex[:8]}", None)
    made.start()
    yield made
    made.close()


def _ids(worker: WorkerProcess, topic: str) -> list[int]:
    with worker.log() as log:
        if topic not in log.topics():
            return []
        return [json.loads(value)["payload"]["id"] for _, value in log.topic(topic, {}).read()]


def _users(name: str, server: Server, port: str = "") -> dict[str, str]:
    """A user's config as it is, hosts and credentials apart."""
    raw: dict[str, str] = json.loads((CONFIGS / f"{name}.post.json").read_text())["config"]
    mine = server.config(port=port)
    return {**raw, **{key: mine[key] for key in ("connection.url", "connection.user", "connection.password")}}


def test_the_users_config_reads_each_row_once_over_kills_and_outages(
    worker: WorkerProcess, mysql_server: Server
) -> None:
    """`jdbc-source-connector` has no prefix: topics are named after the tables, and one warning says so."""
    mysql_server.create("t")
    proxy = Proxy(mysql_server.address)
    worker.put("j", _users("jdbc-source-connector", mysql_server, str(proxy.port)))
    stop = threading.Event()
    load = threading.Thread(target=_load, args=(mysql_server, stop))
    load.start()
    try:
        for _ in range(3):
            before = len(_ids(worker, "t"))
            wait_until(lambda before=before: len(_ids(worker, "t")) > before, "rows", told=worker.said)  # type: ignore[misc]
            os.kill(worker.tasks()["j-0"], signal.SIGKILL)
        before = len(_ids(worker, "t"))
        wait_until(lambda: len(_ids(worker, "t")) > before, "rows after the last kill", told=worker.said)
        proxy.move(("127.0.0.1", 1))
        proxy.cut()
        wait_until(lambda: "does not answer" in json.dumps(worker.status("j")), "the outage", told=worker.said)
        proxy.move(mysql_server.address)
    finally:
        stop.set()
        load.join()
    written = _numbers(mysql_server)
    wait_until(lambda: len(_ids(worker, "t")) >= len(written), "every row", told=worker.said)
    assert _ids(worker, "t") == written
    assert worker.log_text().count("topic.prefix is not set: topics are named after the tables") == 1
    proxy.close()


def _load(server: Server, stop: threading.Event) -> None:
    """Transactions of several rows in two sessions, which overlap; every third is taken back."""
    sessions: Sequence[Any] = [server.session(), server.session()]
    turn = 0
    while not stop.wait(0.02):
        session = sessions[turn % 2]
        for v in range(3):
            server.run(TICK.format("t", v), session)
        before = sessions[(turn + 1) % 2]
        before.rollback() if turn % 3 == 2 else before.commit()
        turn += 1
    for session in sessions:
        session.commit()
        session.close()


def test_the_users_other_config_reads_its_two_tables(worker: WorkerProcess, mysql_server: Server) -> None:
    for table in ("orders", "customers", "others"):
        mysql_server.create(table)
        mysql_server.run(TICK.format(table, 1))
    worker.put("m", _users("mysql-source-jdbc", mysql_server))
    wait_until(lambda: _ids(worker, "mysql-orders") == _ids(worker, "mysql-customers") == [1], "both", told=worker.said)
    assert _ids(worker, "mysql-others") == []
    wait_until(lambda: len(worker.call("GET", "/connectors/m/offsets").json()["offsets"]) == 2, "both offsets")
    offsets = worker.call("GET", "/connectors/m/offsets").json()["offsets"]
    expected = {"partition": {"protocol": "1", "table": mysql_server.full("orders")}, "offset": {"incrementing": 1}}
    assert expected in offsets


def test_a_first_read_by_several_sessions_goes_on_after_a_kill(worker: WorkerProcess, mysql_server: Server) -> None:
    """Each row is read once; Confluent's offset is written when all of them are, and only then."""
    rows = 1_000
    mysql_server.create("t")
    mysql_server.run("INSERT INTO t (v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                     f"WHERE i < {rows}) SELECT i FROM n")  # fmt: skip
    mysql_server.run("CREATE VIEW slow AS SELECT id, v, SLEEP(0.012) AS nap, REPEAT('w', 2000) AS wide FROM t")
    config = mysql_server.config(mode="incrementing", incrementing_column_name="id", table_types="VIEW",
                                 batch_max_rows="20", tailrace_snapshot_sessions="3")  # fmt: skip
    worker.put("j", config | {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector"})
    table = mysql_server.full("slow")

    def saved() -> dict[str, Any]:
        """By the partition's member that names the table."""
        offsets = worker.call("GET", "/connectors/j/offsets").json()["offsets"]
        return {next(key for key, name in each["partition"].items() if name == table): each for each in offsets}

    def durable() -> int:
        return int(saved().get("snapshot", {"offset": {"rows": 0}})["offset"]["rows"])

    def shown() -> bool:
        return any(table in task.get("snapshot", {"open": {}})["open"] for task in worker.status("j")["tasks"])

    for least in (100, 300):
        wait_until(lambda least=least: durable() > least, "rows", told=worker.said)  # type: ignore[misc]
        os.kill(worker.tasks()["j-0"], signal.SIGKILL)
        left = saved()
        assert list(left) == ["snapshot"], "the read was over before it could be stopped"
        assert least < left["snapshot"]["offset"]["rows"] == len(_ids(worker, "slow")) < rows
    wait_until(shown, "progress", told=worker.said)
    assert 'tailrace_snapshot_running{connector="j",task="0"} 1.0' in worker.call("GET", "/metrics").text
    wait_until(lambda: len(_ids(worker, "slow")) >= rows, "every row", told=worker.said)
    assert sorted(_ids(worker, "slow")) == _numbers(mysql_server)
    wait_until(lambda: list(saved()) == ["table"], "the offset alone")
    assert saved()["table"]["offset"] == {"incrementing": max(_numbers(mysql_server))}
    mysql_server.run(TICK.format("t", 1))
    wait_until(lambda: len(_ids(worker, "slow")) == rows + 1, "the row that came later", told=worker.said)


def _numbers(server: Server) -> list[int]:
    with closing(server.main.cursor()) as cursor:
        cursor.execute("SELECT id FROM t ORDER BY id")
        return [row[0] for row in cursor.fetchall()]
