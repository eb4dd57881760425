"""The whole MySQL source in this process, on a real server: snapshot, streaming, restarts, bad input."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from structlog.testing import capture_logs

from cdc.errors import SourceError
from cdc.mysql import ddl_tokens
from cdc.mysql.connector import MYSQL
from cdc.record import SourceOffset
from tests.server.in_process import Connector, MemoryTopic

DATABASE = "d_source"
OTHER = "d_other"

Run = Callable[[str], Any]


@pytest.fixture
def run(mysql: Any) -> Iterator[Run]:
    """Runs SQL with two empty databases at hand."""

    def execute(sql: str) -> Any:
        with mysql.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    for name in (DATABASE, OTHER):
        execute(f"DROP DATABASE IF EXISTS {name}")
        execute(f"CREATE DATABASE {name}")
    mysql.select_db(DATABASE)
    yield execute
    for name in (DATABASE, OTHER):
        execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def connector(mysql_address: tuple[str, int], run: Run) -> Connector:
    host, port = mysql_address
    return Connector({
        "topic.prefix": "d", "database.hostname": host, "database.port": str(port), "database.user": "cdc",
        "database.password": "cdcpw", "database.server.id": "184500", "database.include.list": DATABASE,
        "schema.history.internal.kafka.topic": "d-history",
        "schema.history.internal.store.only.captured.tables.ddl": "true",
    })  # fmt: skip


# Snapshot


def test_rows_carry_the_markers_of_debezium(connector: Connector, run: Run) -> None:
    for table, rows in (("a", 3), ("b", 1), ("c", 2), ("d", 0)):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY)")
        for id in range(rows):
            run(f"INSERT INTO {table} VALUES ({id})")
    connector.snapshot()
    assert [(event.table, event.op, event.marker) for event in connector.events] == [
        ("a", "r", "first"), ("a", "r", "true"), ("a", "r", "last_in_data_collection"),
        ("b", "r", "last_in_data_collection"),
        ("c", "r", "first_in_data_collection"), ("c", "r", "last"),
    ]  # fmt: skip


@pytest.mark.parametrize("fetch", ["1", "2", "3", "1000"])
def test_markers_do_not_depend_on_how_rows_are_fetched(connector: Connector, run: Run, fetch: str) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2),(3),(4)")
    connector.snapshot(snapshot__fetch__size=fetch)
    assert [event.marker for event in connector.events] == ["first", "true", "true", "last"]
    assert [event.after for event in connector.events] == [(1,), (2,), (3,), (4,)]


def test_a_snapshot_describes_the_server_in_debeziums_order(connector: Connector, run: Run) -> None:
    run("CREATE TABLE b (id INT)")
    run("CREATE TABLE a (id INT)")
    connector.snapshot(**{"schema.history.internal.store.only.captured.tables.ddl": "false"})
    texts = [ddl.splitlines()[0] for database, _, ddl in connector.changes if database in ("", DATABASE)]
    assert texts == [
        "SET character_set_server=utf8mb4, collation_server=utf8mb4_0900_ai_ci",
        f"DROP TABLE IF EXISTS `{DATABASE}`.`a`",
        f"DROP TABLE IF EXISTS `{DATABASE}`.`b`",
        f"DROP DATABASE IF EXISTS `{DATABASE}`",
        f"CREATE DATABASE `{DATABASE}` CHARSET utf8mb4 COLLATE utf8mb4_0900_ai_ci",
        f"USE `{DATABASE}`",
        "CREATE TABLE `a` (",
        "CREATE TABLE `b` (",
    ]
    recorded = [json.loads(value) for _, value in connector.history.records]
    recorded = [record for record in recorded if record["databaseName"] in ("", DATABASE)]
    assert [record["ddl"].splitlines()[0] for record in recorded] == texts
    assert {record["position"]["snapshot"] for record in recorded} == {"INITIAL"}
    # Nothing follows: the last schema change is the snapshot's last record.
    markers = [marker for _, marker, _ in connector.changes]
    assert markers == ["true"] * (len(markers) - 1) + ["last"]


def test_tables_that_are_not_captured_are_described_too_unless_told_otherwise(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT)")
    run(f"CREATE TABLE {OTHER}.x (id INT)")
    key = "schema.history.internal.store.only.captured.tables.ddl"
    connector.config[key] = "false"
    connector.snapshot()
    assert {DATABASE, OTHER} <= {database for database, _, _ in connector.changes}
    again = Connector({**connector.config, "schema.history.internal.store.only.captured.databases.ddl": "true"})
    again.snapshot()
    assert {database for database, _, _ in again.changes} == {"", DATABASE}


def test_offsets_say_snapshot_until_its_last_record(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2)")
    polls = connector.start(snapshot__fetch__size="1")
    for _ in polls:
        if not connector.offsets:
            continue
        if connector.is_streaming():
            break
        assert connector.offsets[-1].offset is not None
        assert connector.offsets[-1].offset["snapshot"] == "INITIAL"
        assert connector.offsets[-1].partition == {"server": "d"}
    polls.close()  # type: ignore[attr-defined]
    assert connector.offsets[-1].offset is not None
    assert list(connector.offsets[-1].offset) == ["ts_sec", "file", "pos", "gtids"]
    assert connector.events[-1].marker == "last"


def test_a_half_snapshot_is_done_again_from_its_start(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2),(3)")
    connector.until(lambda: len(connector.events) == 1, snapshot__fetch__size="1")
    connector.events.clear()
    connector.snapshot()
    assert [event.after for event in connector.events] == [(1,), (2,), (3,)]


def test_lists_choose_tables_rows_and_columns(connector: Connector, run: Run) -> None:
    for table in ("keep", "skip", "schema_only"):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY, secret INT, v INT)")
        run(f"INSERT INTO {table} VALUES (1, 2, 3)")
    connector.snapshot(
        table__exclude__list=f"{DATABASE}\\.skip",
        snapshot__include__collection__list=f"{DATABASE}\\.keep",
        column__exclude__list=f"{DATABASE}\\..*\\.secret",
        message__key__columns=f"{DATABASE}.keep:v",
    )
    assert [(event.table, event.after) for event in connector.events] == [("keep", (1, 3))]
    tables = {json.loads(value)["ddl"].split("`")[1] for _, value in connector.history.records
              if b"CREATE TABLE" in value}  # fmt: skip
    assert tables == {"keep"}  # as Debezium: the other is learned when its first change comes


def test_an_override_selects_the_rows(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, t DATETIME(3), gone INT)")
    run("INSERT INTO a VALUES (1, '2026-01-02 03:04:05.678', 0), (2, NULL, 1), (3, NULL, 0)")
    connector.config[f"snapshot.select.statement.overrides.{DATABASE}.a"] = (
        f"SELECT * FROM {DATABASE}.a WHERE gone = 0 ORDER BY id DESC;"
    )
    connector.snapshot(snapshot__select__statement__overrides=f"{DATABASE}.a")
    assert sorted(event.after for event in connector.events) == [(1, 1767323045678, 0), (3, None, 0)]


def test_names_that_need_quotes_are_quoted(connector: Connector, run: Run) -> None:
    run("CREATE TABLE `odd ``name` (`key` INT PRIMARY KEY, `a ``b` VARCHAR(9))")
    run("INSERT INTO `odd ``name` VALUES (1, 'x')")
    connector.snapshot()
    assert [(event.table, event.after) for event in connector.events] == [("odd `name", (1, "x"))]


def test_tables_can_be_read_by_their_size(connector: Connector, run: Run) -> None:
    for table, rows in (("a", 1), ("b", 50), ("c", 5)):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY AUTO_INCREMENT)")
        run(f"INSERT INTO {table} VALUES {','.join(['(NULL)'] * rows)}")
        run(f"ANALYZE TABLE {table}")
    run("SET SESSION information_schema_stats_expiry = 0")
    connector.snapshot(snapshot__tables__order__by__row__count="descending")
    assert list(dict.fromkeys(event.table for event in connector.events)) == ["b", "c", "a"]


def test_progress_is_reported(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2)")
    connector.snapshot()
    assert {name: connector.report[name] for name in
            ("snapshot.running", "snapshot.rows", "snapshot.tables", "snapshot.tables.remaining", "snapshot.percent")
            } == {"snapshot.running": False, "snapshot.rows": 2, "snapshot.tables": 1, "snapshot.tables.remaining": 0,
                  "snapshot.percent": 100}  # fmt: skip
    assert connector.report["mysql.binlog_format"] == "ROW"


# Locks


@pytest.mark.parametrize("mode", ["minimal", "none"])
def test_writers_and_ddl_go_on_while_rows_are_read(connector: Connector, run: Run, mode: str) -> None:
    for table in ("a", "b"):
        run(f"CREATE TABLE {table} (id INT PRIMARY KEY)")
        run(f"INSERT INTO {table} VALUES (1),(2)")
    run("SET SESSION lock_wait_timeout = 5, innodb_lock_wait_timeout = 5")
    polls = connector.start(snapshot__fetch__size="1", snapshot__locking__mode=mode)
    for _ in polls:
        if any(event.table == "b" for event in connector.events):
            break
    run("INSERT INTO b VALUES (3)")
    run("ALTER TABLE a ADD COLUMN v INT")  # a has been read: nothing holds it any more
    run("INSERT INTO a VALUES (3, 4)")
    for _ in polls:
        if len(connector.events) == 6:
            break
    polls.close()  # type: ignore[attr-defined]
    assert connector.rows("a") == {1: (), 2: (), 3: (4,)}
    assert connector.rows("b") == {1: (), 2: (), 3: ()}


def test_an_extended_lock_keeps_writers_out_until_the_end(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2)")
    run("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
    polls = connector.start(snapshot__fetch__size="1", snapshot__locking__mode="extended")
    for _ in polls:
        if connector.events:
            break
    with pytest.raises(pymysql.err.OperationalError, match="Lock wait timeout"):
        run("INSERT INTO a VALUES (3)")
    for _ in polls:
        if connector.is_streaming():
            break
    run("INSERT INTO a VALUES (3)")
    polls.close()  # type: ignore[attr-defined]


def test_a_lock_that_is_not_given_in_time_is_told_and_nothing_hangs(connector: Connector, run: Run, mysql: Any) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    with pymysql.connect(host=mysql.host, port=mysql.port, user="app", password="apppw", database=DATABASE) as holder:
        holder.begin()
        holder.query("INSERT INTO a VALUES (1)")
        holder.query("LOCK TABLES a WRITE")
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"no read lock within 1 s \(snapshot\.lock\.timeout\.ms\)") as caught:
            connector.snapshot(snapshot__lock__timeout__ms="1000")
        assert type(caught.value).retriable
        assert time.monotonic() - began < 20


def test_rows_written_during_a_snapshot_come_exactly_once(connector: Connector, run: Run, mysql: Any) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v INT)")
    stop, written = threading.Event(), [0]

    def write() -> None:
        with pymysql.connect(
            host=mysql.host, port=mysql.port, user="app", password="apppw", database=DATABASE, autocommit=True
        ) as writer:
            while not stop.is_set():
                writer.query(f"INSERT INTO a VALUES ({written[0]}, 0)")
                written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while written[0] < 50:
            time.sleep(0.01)
        connector.snapshot(snapshot__fetch__size="7")
    finally:
        stop.set()
        thread.join()
    connector.until(lambda: len(connector.events) >= written[0])
    ids = [event.after[0] for event in connector.events]
    assert ids == list(range(written[0]))
    assert {event.op for event in connector.events} <= {"r", "c"}


# Streaming and restarts


def test_changes_after_a_snapshot_are_streamed_and_a_restart_goes_on(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9))")
    run("INSERT INTO a VALUES (1, 'one')")
    connector.snapshot()
    run("INSERT INTO a VALUES (2, 'two'), (3, 'three')")
    run("UPDATE a SET v = 'ONE' WHERE id = 1")
    run("DELETE FROM a WHERE id = 2")
    connector.until(lambda: len(connector.events) == 5)
    run("ALTER TABLE a ADD COLUMN n INT NOT NULL DEFAULT 7")
    run("INSERT INTO a (id, v) VALUES (4, 'four')")
    connector.until(lambda: len(connector.events) == 6)
    run("UPDATE a SET id = 5 WHERE id = 4")
    connector.until(lambda: len(connector.events) == 8)
    assert [event.op for event in connector.events] == ["r", "c", "c", "u", "d", "c", "d", "c"]
    assert connector.rows("a") == {1: ("ONE",), 3: ("three",), 5: ("four", 7)}


def test_a_restart_reads_the_history_as_it_was_at_its_offset(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    connector.snapshot()
    before = connector.offsets[-1]
    run("INSERT INTO a VALUES (1)")
    run("ALTER TABLE a ADD COLUMN v INT")
    run("INSERT INTO a VALUES (2, 2)")
    connector.until(lambda: len(connector.events) == 2)
    connector.offsets.append(before)
    connector.events.clear()
    connector.until(lambda: len(connector.events) == 2)
    assert [event.after for event in connector.events] == [(1,), (2, 2)]


SHADOW = """
    ADD u1 TINYINT UNSIGNED NOT NULL DEFAULT 3, ADD u2 MEDIUMINT, ADD u3 BIGINT UNSIGNED, ADD f1 FLOAT, ADD f2 DOUBLE,
    ADD d1 DECIMAL(20,4) UNSIGNED, ADD b1 BIT(1), ADD b2 BIT(19), ADD y YEAR, ADD dd DATE, ADD t0 TIME, ADD t6 TIME(6),
    ADD dt DATETIME(3), ADD ts TIMESTAMP(2) NULL, ADD c1 CHAR(70) CHARACTER SET utf8mb4,
    ADD c2 VARCHAR(9) CHARSET latin1, ADD c3 VARCHAR(300) CHARACTER SET gbk, ADD bi BINARY(5), ADD vb VARBINARY(300),
    ADD te TINYTEXT, ADD lo LONGTEXT, ADD bl MEDIUMBLOB, ADD e ENUM('a','b''c','ü,x') CHARACTER SET latin1,
    ADD se SET('p','q') NOT NULL, ADD js JSON, ADD po POINT, ADD ge GEOMETRYCOLLECTION, ADD ve VECTOR(2),
    ADD `odd ``name` INT, DROP PRIMARY KEY, ADD PRIMARY KEY (k, id)"""
VALUES = """
    2, 'k', 255, -3, 18446744073709551615, 1.5, -2.25, 12.5, 1, 300000, 2024, '2024-02-29', '-10:00:01',
    '01:02:03.000004', '2020-01-01 00:00:00.123', '2020-01-01 00:00:01.25', 'ü', 'é', '表', 'ab', 'vb', 'te', 'lo',
    'bl', 'ü,x', 'p,q', '{"a": [1, null]}', POINT(1, 2), GeometryCollection(POINT(1, 1)),
    STRING_TO_VECTOR('[1,2]'), 7"""


def test_a_table_renamed_from_one_unknown_since_a_restart_and_changed_again_is_as_the_log_tells(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT NOT NULL, k VARCHAR(20) NOT NULL DEFAULT 'x', PRIMARY KEY (id), UNIQUE KEY (k))")
    run("CREATE TABLE mark (id INT PRIMARY KEY)")
    included = {**connector.config, "table.include.list": f"{DATABASE}.a,{DATABASE}.mark"}
    connector.config = included
    whole = Connector({**included, "schema.history.internal.store.only.captured.tables.ddl": "false",
                       "database.server.id": "184501"})  # fmt: skip
    for each in (connector, whole):
        each.snapshot()
    run("CREATE TABLE _a_new LIKE a")
    run(f"ALTER TABLE _a_new {SHADOW}")
    run("INSERT INTO mark VALUES (1)")
    for each in (connector, whole):
        each.until(lambda each=each: len(each.events) == 1)  # type: ignore[misc]
    run("RENAME TABLE a TO _a_old, _a_new TO a")
    run(f"INSERT INTO a VALUES ({VALUES})")
    run("CREATE TABLE _a_new2 LIKE a")
    run("ALTER TABLE _a_new2 DROP u1, DROP c2, MODIFY e ENUM('new','a','ü,x'), ADD z INT FIRST")
    run("INSERT INTO mark VALUES (2)")
    run("RENAME TABLE a TO _a_old2, _a_new2 TO a")
    run("INSERT INTO a (z, id, k, se) VALUES (1, 3, 'k3', 'p')")
    run("ALTER TABLE a DROP z")
    run("DROP TABLE _a_old, _a_old2")
    run("DELETE FROM a")
    for each in (connector, whole):
        each.until(lambda each=each: len(each.events) == 5)  # type: ignore[misc]
    assert [(event.op, event.before, event.after) for event in connector.events] == [
        (event.op, event.before, event.after) for event in whole.events
    ]


def test_text_is_read_by_the_character_set_that_the_log_tells(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, a VARCHAR(9)) DEFAULT CHARSET latin1")
    connector.snapshot()
    for sql in (
        "ALTER TABLE a DEFAULT CHARSET utf8mb4", "ALTER TABLE a ADD b VARCHAR(9)",
        "INSERT INTO a VALUES (1, 'ö', '表é')",
        "ALTER TABLE a MODIFY a VARCHAR(12)", "INSERT INTO a VALUES (2, '表', 'é')",
        "ALTER TABLE a COLLATE latin1_bin, ADD c CHAR(5)", "INSERT INTO a VALUES (3, '表', 'é', 'ß')",
        "ALTER TABLE a ADD d VARCHAR(5) CHARACTER SET binary, ADD e TEXT CHARACTER SET gbk",
        "INSERT INTO a VALUES (4, '表', 'é', 'ß', 'ab', '表')",
        "ALTER TABLE a DROP d", "ALTER TABLE a CONVERT TO CHARACTER SET utf16",
        "INSERT INTO a VALUES (5, '表', 'é', 'ß', '表')",
    ):  # fmt: skip
        run(sql)
    connector.until(lambda: len(connector.events) == 5)
    texts = [tuple(v.decode() if isinstance(v, bytes) else v for v in event.after) for event in connector.events]
    assert texts == [
        (1, "ö", "表é"), (2, "表", "é"), (3, "表", "é", "ß"), (4, "表", "é", "ß", "ab", "表"),
        (5, "表", "é", "ß", "表"),
    ]  # fmt: skip


def test_an_xa_transaction_is_sent_when_it_is_prepared_and_once_wherever_reading_stops(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9))")
    connector.snapshot()
    for name, last in (("x", "XA COMMIT 'x'"), ("y", "XA ROLLBACK 'y'")):
        run(f"XA START '{name}'")
        for id in range(3):
            run(f"INSERT INTO a VALUES ({10 * ord(name) + id}, '{name}')")
        run(f"UPDATE a SET v = 'u' WHERE v = '{name}'")
        run(f"XA END '{name}'")
        run(f"XA PREPARE '{name}'")
        run(last)
    run("XA START 'z'")
    run("INSERT INTO a VALUES (9, 'z')")
    run("XA END 'z'")
    run("XA COMMIT 'z' ONE PHASE")
    run("INSERT INTO a VALUES (10, 'end')")
    first = len(connector.offsets)
    with capture_logs() as logs:
        connector.until(lambda: len(connector.events) == 14, max__batch__size="1")
    assert [log["statement"].split("'")[1] for log in logs if "was rolled back after" in log["event"]] == [b"y".hex()]
    sent = [(event.op, event.after) for event in connector.events]
    assert [op for op, _ in sent] == [*"cccuuu", *"cccuuu", "c", "c"]
    run("INSERT INTO a VALUES (11, 'after')")
    sent.append(("c", (11, "after")))
    left: list[int] = []
    for offset in connector.offsets[first:]:
        again = Connector(connector.config, connector.history, [offset])
        again.until(lambda again=again: bool(again.events) and again.events[-1].after == (11, "after"))  # type: ignore[misc]
        left.append(len(again.events))
        assert [(event.op, event.after) for event in again.events] == sent[-left[-1] :]
    assert left == sorted(left, reverse=True) and len(set(left)) > 8


def test_a_statement_is_read_by_the_sql_mode_of_its_session(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    connector.snapshot()
    run("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
    run(r"""ALTER TABLE "a" ADD COLUMN "v\" VARCHAR(5) DEFAULT '\', ADD COLUMN "w""x" INT COMMENT 'it\'""")
    run("INSERT INTO a VALUES (1, 'x', 5)")
    run("SET SESSION sql_mode = DEFAULT")
    run(r'ALTER TABLE a DROP COLUMN `v\`, ADD COLUMN z CHAR(2) DEFAULT "\"", ADD COLUMN y INT')
    run("INSERT INTO a VALUES (2, 6, '', 7)")
    connector.until(lambda: len(connector.events) == 2)
    assert [event.after for event in connector.events] == [(1, "x", 5), (2, 6, "", 7)]
    columns = json.loads(connector.history.records[-1][1])["tableChanges"][0]["table"]["columns"]
    assert [column["name"] for column in columns] == ["id", 'w"x', "z", "y"]


def test_a_statement_that_is_not_understood_is_settled_by_the_table_on_the_server(
    connector: Connector, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ddl_tokens, "_NO_BACKSLASH_ESCAPES", 0)  # of a parser that does not know of the mode
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    connector.snapshot()
    run("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
    run(r"ALTER TABLE a ADD COLUMN v VARCHAR(5) DEFAULT '\', ADD COLUMN w INT")
    run("INSERT INTO a VALUES (1, 'x', 5)")
    connector.until(lambda: len(connector.events) == 1)
    run("ALTER TABLE a DROP COLUMN v")
    run("INSERT INTO a VALUES (2, 6)")
    connector.until(lambda: len(connector.events) == 2)
    assert [event.after for event in connector.events] == [(1, "x", 5), (2, 6)]


# Modes


def test_initial_only_ends_after_its_snapshot(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1)")
    for _ in connector.start(snapshot__mode="initial_only"):
        pass
    assert [event.op for event in connector.events] == ["r"]
    for _ in connector.start(snapshot__mode="initial_only"):
        pass
    assert len(connector.events) == 1


@pytest.mark.parametrize("mode", ["no_data", "schema_only"])
def test_no_data_reads_no_rows_and_streams_what_comes(connector: Connector, run: Run, mode: str) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1)")
    connector.snapshot(snapshot__mode=mode)
    run("INSERT INTO a VALUES (2)")
    connector.until(lambda: bool(connector.events), snapshot__mode=mode)
    assert [(event.op, event.after) for event in connector.events] == [("c", (2,))]


def test_always_reads_the_rows_at_every_start(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1)")
    connector.until(lambda: len(connector.events) == 1 and connector.is_streaming(), snapshot__mode="always")
    connector.until(lambda: len(connector.events) == 2 and connector.is_streaming(), snapshot__mode="always")
    assert [event.op for event in connector.events] == ["r", "r"]


def test_a_lost_history_is_an_error_with_the_remedy_and_recovery_heals_it(connector: Connector, run: Run) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    connector.snapshot()
    run("INSERT INTO a VALUES (1)")
    connector.history = MemoryTopic()
    with pytest.raises(SourceError, match=r"topic d-history is missing .* snapshot\.mode=recovery"):
        connector.snapshot()
    connector.until(lambda: bool(connector.events), snapshot__mode="recovery")
    assert [(event.op, event.after) for event in connector.events] == [("c", (1,))]
    run("INSERT INTO a VALUES (2)")
    connector.until(lambda: len(connector.events) == 2)


def test_a_log_that_is_gone_is_an_error_with_the_remedy_and_when_needed_heals_it(
    connector: Connector, run: Run
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1)")
    connector.snapshot()
    connector.offsets.append(SourceOffset({"server": "d"}, {"file": "gone.000001", "pos": 4}))
    with pytest.raises(SourceError, match=r"has no gone\.000001.*PATCH /connectors/d/config"):
        connector.until(lambda: False)
    connector.until(lambda: len(connector.events) == 2, snapshot__mode="when_needed")
    assert [event.op for event in connector.events] == ["r", "r"]


# Bad input


@pytest.fixture
def account(run: Run) -> Iterator[Callable[[str], str]]:
    """Makes the user d_limited with some grants."""

    def limited(grants: str) -> str:
        run("DROP USER IF EXISTS d_limited")
        run("CREATE USER d_limited IDENTIFIED BY 'pw'")
        if grants:
            run(f"GRANT {grants} TO d_limited")
        return "d_limited"

    yield limited
    run("DROP USER IF EXISTS d_limited")


def found(connector: Connector, **given: str) -> dict[str, str]:
    """What `check` says, by key."""
    raw = connector.config | {name.replace("__", "."): text for name, text in given.items()}
    return dict(MYSQL.check(raw))


def test_a_good_config_has_no_problem(connector: Connector) -> None:
    assert found(connector) == {}


def test_an_unknown_database_is_no_problem(connector: Connector) -> None:
    assert found(connector, database__include__list="d_nowhere", snapshot__mode="no_data") == {}


def test_a_wrong_password_is_told_at_the_host_as_debezium_does(connector: Connector) -> None:
    problems = found(connector, database__password="wrong")
    assert list(problems) == ["database.hostname"]
    assert problems["database.hostname"].startswith("Unable to connect: ")
    assert "Access denied for user 'cdc'@" in problems["database.hostname"]


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", "1"), ("no-such-host.invalid", "3306"), ("192.0.2.1", "3306")]
)
def test_a_server_that_does_not_answer_is_told_soon(connector: Connector, host: str, port: str) -> None:
    began = time.monotonic()
    problems = found(connector, database__hostname=host, database__port=port, connect__timeout__ms="1000")
    assert "does not answer" in problems["database.hostname"]
    assert time.monotonic() - began < 15


def test_a_server_that_says_nothing_is_told_soon(connector: Connector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        problems = found(
            connector, database__port=str(silent.getsockname()[1]), connection__validation__timeout__ms="1000"
        )
        assert "database.hostname" in problems
        assert time.monotonic() - began < 15


ALL_BUT: dict[str, str] = {
    "SELECT": "RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT",
    "RELOAD": "SELECT, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT",
    "REPLICATION SLAVE": "SELECT, RELOAD, SHOW DATABASES, REPLICATION CLIENT",
    "REPLICATION CLIENT": "SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE",
}


@pytest.mark.parametrize("lacking", list(ALL_BUT))
def test_the_grant_that_is_told_is_the_grant_that_helps(
    connector: Connector, run: Run, account: Callable[[str], str], lacking: str
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1)")
    connector.config |= {"database.user": account(f"{ALL_BUT[lacking]} ON *.*"), "database.password": "pw"}
    problems = found(connector)
    assert list(problems) == ["database.user"]
    with pytest.raises(SourceError, match=lacking):
        connector.snapshot()
    run(problems["database.user"].partition("run: ")[2])
    assert found(connector) == {}
    connector.snapshot()
    assert len(connector.events) == 1


@pytest.mark.parametrize("grants", ["LOCK TABLES ON *.*", f"LOCK TABLES ON {DATABASE}.*"])
def test_table_locks_serve_where_no_global_lock_is_permitted(
    connector: Connector, run: Run, account: Callable[[str], str], grants: str
) -> None:
    run("CREATE TABLE a (id INT PRIMARY KEY)")
    run("INSERT INTO a VALUES (1),(2)")
    connector.config |= {"database.user": account(grants), "database.password": "pw"}
    run(f"GRANT {ALL_BUT['RELOAD']} ON *.* TO d_limited")
    connector.until(lambda: bool(connector.events), snapshot__fetch__size="1")
    run("INSERT INTO a VALUES (3)")  # the tables are free while rows are read
    connector.events.clear()
    connector.snapshot()
    assert len(connector.events) == 3


def test_privileges_of_an_active_role_count(connector: Connector, run: Run, account: Callable[[str], str]) -> None:
    connector.config |= {"database.user": account(""), "database.password": "pw"}
    run("DROP ROLE IF EXISTS d_role")
    run("CREATE ROLE d_role")
    try:
        run(f"GRANT SELECT, {ALL_BUT['SELECT']} ON *.* TO d_role")
        run("GRANT d_role TO d_limited")
        assert found(connector) != {}
        run("SET DEFAULT ROLE d_role TO d_limited")
        assert found(connector) == {}
    finally:
        run("DROP ROLE d_role")
