"""The schema history of real servers: shortened by hand and killed at every step, by itself, and with folded names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from cdc.mysql import compaction
from connect_compat.crash_points import VARIABLE
from tests.server.command import TAILRACE
from tests.server.in_process import Connector
from tests.server.private_mysql import PrivateMySql
from tests.server.rig import Rig
from tests.server.worker_process import wait_until

TABLES = 120
"""More than one append takes."""


@pytest.fixture(params=["embedded", "kafka"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str, kafka: str
) -> Iterator[Rig]:
    made = Rig(tmp_path, mysql_address, elasticsearch_url, kafka if request.param == "kafka" else None)
    yield made
    made.close()


def history(rig: Rig, action: str, crash: str | None = None) -> str:
    """What `tailrace history` says of the source, or nothing when it was killed where it should be."""
    log = ["--data", "data"] if rig.worker.kafka is None else ["--worker", "worker.properties"]
    environment = {**os.environ, **({VARIABLE: crash} if crash else {})}
    done = subprocess.run([TAILRACE, "history", action, rig.source, *log], cwd=rig.worker.folder, env=environment,
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == (-signal.SIGKILL if crash else 0), done.stdout + done.stderr
    return done.stdout


def sent(rig: Rig, table: str) -> int:
    with rig.worker.log() as log:
        topic = f"{rig.name}.{rig.name}.{table}"
        return sum(log.end_offsets(topic).values()) if topic in log.topics() else 0


def records(rig: Rig) -> int:
    with rig.worker.log() as log:
        return len(list(log.topic(f"{rig.name}-history", {}).read()))


def test_killed_at_any_step_it_leaves_a_history_to_go_on_with(rig: Rig) -> None:
    for number in range(TABLES):
        rig.sql(f"CREATE TABLE t{number} (id INT PRIMARY KEY, v VARCHAR(9) DEFAULT 'x')")
    rig.worker.start()
    rig.worker.put(rig.source, rig.source_config())
    wait_until(rig.is_streaming, "the end of the snapshot")
    for number in range(20):
        rig.sql(f"ALTER TABLE t{number} ADD c{number} INT")
    rig.sql("INSERT INTO t0 VALUES (1, 'y', 2)")
    wait_until(lambda: sent(rig, "t0") == 1, "a row")
    before = records(rig)
    # The last thing before the stop is read a second time: swapped twice, the tables would have each other's columns.
    rig.sql("RENAME TABLE t0 TO x, t1 TO t0, x TO t1")
    wait_until(lambda: records(rig) > before, "the swap")
    assert "stop it first" in refused(rig)
    rig.worker.call("PUT", f"/connectors/{rig.source}/stop")
    wait_until(lambda: not rig.worker.tasks(), "the end of the task")
    shown = history(rig, "show")
    tables = int(shown.splitlines()[-1].split()[0])  # those of other databases are recorded too
    assert tables >= TABLES + 2
    for step in ("topic:appended:1", "topic:forgetting", "topic:forgotten"):
        history(rig, "compact", step)
        assert sorted(history(rig, "show").splitlines()) == sorted(shown.splitlines()), step
    assert f"{tables} tables of {rig.name} recorded" in history(rig, "compact")
    assert records(rig) < tables + 20
    rig.worker.call("PUT", f"/connectors/{rig.source}/resume")
    rig.sql("ALTER TABLE t1 ADD later INT")
    rig.sql("INSERT INTO t1 VALUES (2, 'y', 3, 4)")
    rig.sql("INSERT INTO t0 VALUES (3, 'z', 5)")
    wait_until(lambda: sent(rig, "t1") == 1 and sent(rig, "t0") == 2, "rows of both")


def refused(rig: Rig) -> str:
    log = ["--data", "data"] if rig.worker.kafka is None else ["--worker", "worker.properties"]
    done = subprocess.run([TAILRACE, "history", "compact", rig.source, *log], cwd=rig.worker.folder,
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == 1
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    made = PrivateMySql(tmp_path_factory.mktemp("mysql"))
    made.start("--lower-case-table-names=1")
    yield made
    made.close()


def connector_of(server: PrivateMySql) -> Connector:
    return Connector({
        "topic.prefix": "d", "database.hostname": "127.0.0.1", "database.port": str(server.port),
        "database.user": "cdc", "database.password": "cdcpw", "database.server.id": "77",
        "database.include.list": "d", "schema.history.internal.kafka.topic": "d-history",
    })  # fmt: skip


def test_names_in_another_case_than_the_server_keeps_are_those_of_its_tables(server: PrivateMySql) -> None:
    server.run("CREATE DATABASE D", "CREATE TABLE D.Orders (Id INT PRIMARY KEY, Name VARCHAR(9))")
    connector = connector_of(server)
    connector.snapshot()
    server.run(
        "ALTER TABLE d.oRDERS ADD Note INT", "INSERT INTO d.orders VALUES (1, 'a', 2)",
        "USE D", "CREATE TABLE NewTable (Id INT PRIMARY KEY, V INT)", "ALTER TABLE NEWTABLE MODIFY v BIGINT UNSIGNED",
        "INSERT INTO newTABLE VALUES (1, 18446744073709551615)", "RENAME TABLE D.NewTable TO D.Other",
        "CREATE TABLE LikeIt LIKE D.OTHER", "INSERT INTO likeit VALUES (3, 4)", "TRUNCATE LIKEIT",
        "INSERT INTO OTHER VALUES (2, 5)", "DROP TABLE LikeIT", "DROP TABLE D.other",
    )  # fmt: skip
    connector.until(lambda: len(connector.events) == 5, skipped__operations="none")
    server.run("INSERT INTO d.orders VALUES (2, 'b', 3)")
    connector.until(lambda: len(connector.events) == 6)
    assert [(event.table, event.op, event.after) for event in connector.events] == [
        ("orders", "c", (1, "a", 2)), ("newtable", "c", (1, -1)), ("likeit", "c", (3, 4)), ("likeit", "t", None),
        ("other", "c", (2, 5)), ("orders", "c", (2, "b", 3)),
    ]  # fmt: skip
    ids = {change["id"] for _, value in connector.history.records for change in json.loads(value)["tableChanges"]}
    assert ids == {f'"d"."{table}"' for table in ("orders", "newtable", "other", "likeit")}
    server.run("DROP DATABASE D")


def test_a_long_history_is_shortened_once_the_server_has_purged_the_log_before_it(
    server: PrivateMySql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ENOUGH", 20)
    server.run("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)")
    connector = connector_of(server)
    connector.snapshot()
    for number in range(30):
        server.run(f"ALTER TABLE d.t ADD c{number} INT")
    row = partial(came, connector, server)
    row(1, 30)
    started = len(connector.history.records)
    row(2, 30)  # writes a checkpoint; the log before it is still there
    assert len(connector.history.records) > started
    kept = len(connector.history.records)
    server.run("FLUSH BINARY LOGS")
    row(3, 30)
    assert len(connector.history.records) == kept
    newest = server.run("SHOW BINARY LOGS")[-1][0]
    server.run(f"PURGE BINARY LOGS TO '{newest}'", "ALTER TABLE d.t DROP c0")
    row(4, 29)
    assert len(connector.history.records) == 4 + 1  # two charsets, the table, the end; what came since
    row(5, 29)
    assert connector.rows("t") == {n: (None,) * (30 if n < 4 else 29) for n in range(1, 6)}


def came(connector: Connector, server: PrivateMySql, id: int, nulls: int) -> None:
    """A row that is written, and read after a start."""
    server.run(f"INSERT INTO d.t (id) VALUES ({id})")
    seen: Callable[[], bool] = lambda: id in connector.rows("t")  # noqa: E731
    connector.until(seen)
    assert connector.rows("t")[id] == (None,) * nulls
