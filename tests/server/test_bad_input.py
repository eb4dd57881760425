"""Bad input given to a real worker: what REST, `validate` and a task's status say, with the remedy, and how soon."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch
from tests.server.bad_configs import BODIES, ROUTER, SINKS, TRANSFORMS, VALUES
from tests.server.private_mysql import PrivateMySql
from tests.server.refusals import SECRET, SLOWEST_S, Errors, Refusals
from tests.server.worker_process import WorkerProcess, wait_until

SOURCE, SINK = "MySqlConnector", "ElasticsearchSinkConnector"
GRANTS = "SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT"
UNROUTABLE = "192.0.2.1"
"""Of TEST-NET-1 (RFC 5737): nobody answers there."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    server = PrivateMySql(tmp_path_factory.mktemp("m"))
    server.start()
    server.run(
        f"CREATE USER 'bad'@'%' IDENTIFIED BY '{SECRET}'", f"GRANT {GRANTS} ON *.* TO 'bad'@'%'",
        "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO shop.t VALUES (1, 'one')",
    )  # fmt: skip
    yield server
    server.close()


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, server: PrivateMySql) -> Iterator[Refusals]:
    worker = WorkerProcess(tmp_path_factory.mktemp("w"), "bad", None)
    worker.start()
    bad = Refusals(worker, server)
    yield bad
    worker.close()
    assert SECRET not in bad.said()


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def patient(bad: Refusals, silent: int) -> Iterator[dict[str, Future[Errors]]]:
    """What is found with the usual time limits; it takes as long as all other tests together, so it is asked first."""
    with ThreadPoolExecutor(4) as threads:
        yield {
            "silent": threads.submit(bad.validated, {"name": "p", **bad.source("bad", database__port=str(silent))}),
            "unroutable": threads.submit(
                bad.validated, {"name": "p", **bad.source("bad", database__hostname=UNROUTABLE)}
            ),
            "silent sink": threads.submit(bad.validated, {"name": "p", **bad.sink(f"http://127.0.0.1:{silent}")}),
        }


@pytest.fixture
def elasticsearch() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as fake:
        yield fake


def only(errors: Errors) -> tuple[str, str]:
    """The one key at fault and its one error."""
    ((key, (error,)),) = errors.items()
    return key, error


# Bodies


@pytest.mark.parametrize("path", ["/connectors/body/config", f"/connector-plugins/{SOURCE}/config/validate"])
@pytest.mark.parametrize(("raw", "kind", "status", "words"), BODIES)
def test_a_body_that_is_no_config_is_told_on_one_line(
    bad: Refusals, path: str, raw: bytes, kind: str | None, status: int, words: str
) -> None:
    answer = bad.ask("PUT", path, raw=raw, kind=kind)
    assert answer.status_code == status
    assert answer.json()["error_code"] == status
    assert words in answer.json()["message"].partition("\n")[0]


def test_numbers_and_booleans_are_taken_as_their_text(bad: Refusals) -> None:
    config = bad.source("bad7") | {"database.port": bad.server.port, "tombstones.on.delete": True}
    assert bad.validated({"name": "bad7", **config}) == {}
    with bad.running(config) as name:
        stored = bad.ask("GET", f"/connectors/{name}/config").json()
        assert (stored["database.port"], stored["tombstones.on.delete"]) == (str(bad.server.port), "true")
        assert stored["database.password"] == "********"


# Names and classes


def test_a_name_is_given_once_and_is_not_empty(bad: Refusals) -> None:
    answer = bad.ask("PUT", "/connectors/here/config", bad.source("bad", name="there"))
    assert (answer.status_code, answer.json()["message"]) == (
        400, "Connector name configuration (there) doesn't match connector name in the URL (here)",
    )  # fmt: skip
    errors = bad.validated(bad.source("bad", name=""))
    assert only(errors) == ("name", "Invalid value  for configuration name: String may not be empty")
    answer = bad.ask("POST", "/connectors", {"name": " ", "config": bad.source("bad")})
    assert answer.status_code == 400 and "String may not be empty" in answer.json()["message"]


@pytest.mark.parametrize("wrong", ["io.debezium.connector.mysql.MySQLConnectr", "MySqlConector", "MySqlSource"])
def test_a_connector_class_with_a_typing_error_is_told_with_the_right_one(bad: Refusals, wrong: str) -> None:
    config = bad.source("bad", connector__class=wrong)
    message = bad.message(config)
    assert message.startswith(
        f"Failed to find any class that implements Connector and which name matches {wrong}, available connectors are: "
    )
    assert message.endswith("did you mean io.debezium.connector.mysql.MySqlConnector?")
    answer = bad.ask("PUT", f"/connector-plugins/{wrong}/config/validate", config)
    assert answer.status_code == 500 and answer.json()["message"].endswith(message)


def test_a_class_is_needed_and_must_be_that_of_the_address(bad: Refusals) -> None:
    message = bad.message(bad.source("bad", connector__class=None))
    assert re.search(r"no connector type; set connector\.class to: .*MySqlConnector, .*PostgresConnector", message)
    answer = bad.ask("PUT", f"/connector-plugins/{SINK}/config/validate", bad.source("bad"))
    assert answer.status_code == 400 and f"does not match request type {SINK}" in answer.json()["message"]


# Values of a source


@pytest.mark.parametrize(("changes", "key", "words"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_a_wrong_value_of_a_source_is_told_at_its_key(
    bad: Refusals, changes: dict[str, str | None], key: str, words: str
) -> None:
    nulls = {name: None for name, text in changes.items() if text == "<null>"}
    config: dict[str, Any] = bad.source("bad", **changes) | nulls
    errors = bad.refused(config)
    assert set(errors) == {key}
    assert words in bad.message(config)


def test_every_problem_is_told_at_once(bad: Refusals) -> None:
    errors = bad.validated({"connector.class": SOURCE, "tasks.max": "x", "snapshot.mode": "x"})
    assert set(errors) == {"name", "tasks.max", "snapshot.mode", "topic.prefix", "database.hostname", "database.user",
                           "database.server.id"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table.inclde.list": "shop.t"},
         "table.inclde.list is not a setting of this connector; did you mean table.include.list?"),
        ({**ROUTER, "transforms.r.regx": "a"},
         "transforms.r.regx is not a setting of RegexRouter; did you mean transforms.r.regex?"),
        ({"transforms.x.type": "Filter"}, "transforms.x.type has no effect: transforms lists nothing"),
        ({"value.converter.schemas.enable": "false"},
         "value.converter.schemas.enable has no effect: value.converter is not set"),
        ({"topic.prefix": None, "database.server.name": "bad"}, "database.server.name is the old name of topic.prefix"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_reads_is_accepted_and_warned_of(
    bad: Refusals, changes: dict[str, str | None], words: str
) -> None:
    with bad.running(bad.source("bad", **changes)) as name:
        warnings = [json.loads(line) for line in bad.said().splitlines() if f'"{name}"' in line]
        assert any(each["level"] == "warning" and words in each["event"] for each in warnings)


# Values of a sink


@pytest.mark.parametrize(("changes", "told"), [case[1:] for case in SINKS], ids=[case[0] for case in SINKS])
def test_a_wrong_value_of_a_sink_is_told_at_its_key(
    bad: Refusals, changes: dict[str, str | None], told: dict[str, str]
) -> None:
    errors = bad.refused(bad.sink("http://127.0.0.1:1", **changes))
    assert errors.keys() == told.keys()
    assert all(words in errors[key][0] for key, words in told.items())


def test_an_elasticsearch_that_is_away_is_refused_as_confluents_sink_does(bad: Refusals, silent: int) -> None:
    for url, words in (
        ("http://127.0.0.1:1", "Connection refused"),
        (f"http://me:{SECRET}@127.0.0.1:1", "Connection refused"),
        ("http://no-such-host.invalid:9200", "Failed to resolve 'no-such-host.invalid'"),
        (f"http://127.0.0.1:{silent}", "timed out"),
    ):
        key, error = only(bad.refused(bad.sink(url, read__timeout__ms="500")))
        assert key == "connection.url"
        assert words in error and error.endswith("check that it runs, and connection.url")


def test_an_elasticsearch_that_wants_a_login_names_the_keys(bad: Refusals, elasticsearch: FakeElasticsearch) -> None:
    elasticsearch.status = 401
    key, error = only(bad.refused(bad.sink(elasticsearch.url)))
    assert key == "connection.username"
    assert f"{elasticsearch.url} refuses access (401): security_exception: missing authentication" in error
    assert "set connection.username and connection.password, or connection.api.key" in error


def test_what_is_no_elasticsearch_is_told(bad: Refusals) -> None:
    key, error = only(bad.refused(bad.sink(bad.worker.url)))
    assert key == "connection.url" and error.endswith("correct connection.url")


# Servers that cannot be used


@contextmanager
def stranger() -> Iterator[int]:
    """A port where something else than MySQL greets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.close()

        threading.Thread(target=greet, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def test_a_server_that_cannot_be_reached_is_told_with_the_keys_to_check(bad: Refusals, silent: int) -> None:
    keys = r"; check that the server runs, .* database\.hostname and database\.port$"
    with stranger() as greeting:
        for changes, words in (
            ({"database.port": "1"}, rf"bad@127\.0\.0\.1:1 does not answer: .*Connection refused\) \(2003\){keys}"),
            ({"database.hostname": "no-such-host.invalid"}, rf"not known\) \(2003\){keys}"),
            ({"database.hostname": "a..b"}, "'a..b' is no host name or address; correct database.hostname"),
            ({"database.port": str(greeting)}, r"does not speak MySQL's protocol .*; check database\.port"),
            ({"database.port": str(silent), "connect.timeout.ms": "1000"},
             r"no MySQL server greeted and let us in within 1 s \(connect\.timeout\.ms\)"),
        ):  # fmt: skip
            key, error = only(bad.refused(bad.source("bad", **changes)))
            assert key == "database.hostname"
            assert re.search("^Unable to connect: .*" + words, error), error


@contextmanager
def account(server: PrivateMySql, change: str, back: str) -> Iterator[None]:
    server.run(change)
    try:
        yield
    finally:
        server.run(back)


def test_a_login_that_is_refused_says_why(bad: Refusals, server: PrivateMySql) -> None:
    for changes in ({"database.password": SECRET + "x"}, {"database.user": "nobody"}, {"database.password": None}):
        key, error = only(bad.refused(bad.source("bad", **changes)))
        assert key == "database.hostname"
        assert re.search(r"^Unable to connect: .*Access denied for user '\w+'@'localhost' \(using password: (YES|NO)\) "
                         r"\(1045\); check database\.user and database\.password; an account with", error)  # fmt: skip
    with account(server, "ALTER USER 'bad'@'%' ACCOUNT LOCK", "ALTER USER 'bad'@'%' ACCOUNT UNLOCK"):
        assert only(bad.refused(bad.source("bad")))[1].endswith("run: ALTER USER 'bad'@'%' ACCOUNT UNLOCK")


@pytest.mark.parametrize("lacking", ["SELECT", "REPLICATION SLAVE", "REPLICATION CLIENT", "RELOAD, LOCK TABLES"])
def test_the_grant_that_is_told_is_the_grant_that_helps(bad: Refusals, server: PrivateMySql, lacking: str) -> None:
    server.run(f"REVOKE {lacking} ON *.* FROM 'bad'@'%'")
    key, error = only(bad.refused(bad.source("bad")))
    assert key == "database.user"
    assert error.startswith(f"'bad'@'%' lacks {lacking}, ")
    server.run(error.partition("; run: ")[2])
    assert bad.validated({"name": "bad", **bad.source("bad")}) == {}


@contextmanager
def variables(server: PrivateMySql, **values: str) -> Iterator[None]:
    """Global variables, until the end of the block."""
    before = {name: server.run(f"SELECT @@global.{name}")[0][0] for name in values}
    server.run(*(f"SET GLOBAL {name} = {value!r}" for name, value in values.items()))
    try:
        yield
    finally:
        server.run(*(f"SET GLOBAL {name} = {value!r}" for name, value in before.items()))


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [("binlog_format", "STATEMENT", "ROW"), ("binlog_format", "MIXED", "ROW"), ("binlog_row_image", "MINIMAL", "FULL"),
     ("binlog_row_image", "NOBLOB", "FULL")],
)  # fmt: skip
def test_a_log_without_whole_rows_is_told_with_the_statement_that_mends_it(
    bad: Refusals, server: PrivateMySql, name: str, value: str, right: str
) -> None:
    with variables(server, **{name: value}):
        key, error = only(bad.refused(bad.source("bad")))
        assert key == "database.hostname"
        assert f"bad@127.0.0.1:{server.port} has {name}={value}, " in error
        statement = f"SET PERSIST {name} = '{right}'"
        assert f"run: {statement}; and reconnect" in error
        server.run(statement, f"RESET PERSIST {name}")
        assert bad.validated({"name": "bad", **bad.source("bad")}) == {}


# What goes well


def test_compressed_transactions_are_decoded(bad: Refusals, server: PrivateMySql) -> None:
    with variables(server, binlog_transaction_compression="ON"), bad.running() as name:
        bad.has_row(name, 1)
        server.run("INSERT INTO shop.t VALUES (10, REPEAT('z', 20)), (11, NULL)")
        bad.has_row(name, 11)
        assert bad.rows(name)[-2:] == [("c", {"id": 10, "v": "z" * 20}), ("c", {"id": 11, "v": None})]
        file = server.run("SHOW BINARY LOG STATUS")[0][0]
        assert "Transaction_payload" in {row[2] for row in server.run(f"SHOW BINLOG EVENTS IN '{file}'")}


GTID_MODES = ("ON", "ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")


def set_gtid_mode(server: PrivateMySql, *modes: str) -> None:
    server.run(*(f"SET GLOBAL gtid_mode = {mode}" for mode in modes))


def test_a_server_without_gtids_is_read_by_file_and_position(bad: Refusals, server: PrivateMySql) -> None:
    with bad.running() as before:
        bad.has_row(before, 1)
        set_gtid_mode(server, *GTID_MODES)
        try:
            server.run("INSERT INTO shop.t VALUES (20, 'no gtid')")
            bad.has_row(before, 20)
            with bad.running() as after:
                bad.has_row(after, 20)
                server.run("INSERT INTO shop.t VALUES (21, 'no gtid')")
                bad.has_row(after, 21)
            bad.has_row(before, 21)
            bad.stop(before)
            server.run("INSERT INTO shop.t VALUES (22, 'no gtid')")
        finally:
            set_gtid_mode(server, *reversed(GTID_MODES))
        bad.resume(before)
        statement = "SET GLOBAL gtid_mode = ON_PERMISSIVE"
        assert f"run: {statement}, restart the task" in bad.failed(before)
        server.run(statement)
        bad.restart(before)
        bad.has_row(before, 22)
        set_gtid_mode(server, "ON")
        server.run("INSERT INTO shop.t VALUES (23, 'gtid')")
        bad.has_row(before, 23)
        bad.restart(before)
        server.run("INSERT INTO shop.t VALUES (24, 'gtid')")
        bad.has_row(before, 24)
        assert [row["id"] for _, row in bad.rows(before) if row and row["id"] >= 20] == [20, 21, 22, 23, 24]


# Faults that come later


def test_tables_and_topics_that_are_not_there_are_told_and_waited_for(
    bad: Refusals, server: PrivateMySql, elasticsearch: FakeElasticsearch
) -> None:
    with bad.running(table__include__list=r"shop\.late,shop\.t") as name:
        told = bad.warned(name, r"table.include.list: no table matches 'shop\\.late'")
        assert "(expected database.table); check its spelling" in told
        server.run("CREATE TABLE shop.late (id INT PRIMARY KEY)", "INSERT INTO shop.late VALUES (1)")
        with bad.worker.log() as log:
            wait_until(lambda: f"{name}.shop.late" in log.topics(), "the topic of a late table", 20)
        server.run("DROP TABLE shop.late", "INSERT INTO shop.t VALUES (30, 'after a drop')")
        bad.has_row(name, 30)
    with bad.running(database__include__list="nowhere") as name:
        told = bad.warned(name, "database.include.list: no database matches 'nowhere'")
        assert "run: GRANT SELECT ON `nowhere`.* TO 'bad'@'%'" in told
    with bad.running(bad.sink(elasticsearch.url, topics="no-such-topic")) as name:
        assert "no topic was named no-such-topic" in bad.warned(name, "topics: ")
    with bad.running(bad.sink(elasticsearch.url, topics=None, topics__regex="no-such-.*")) as name:
        assert "no topic was named no-such-.*" in bad.warned(name, "topics: ")


def test_rows_logged_without_all_columns_or_as_statements_are_told(bad: Refusals, server: PrivateMySql) -> None:
    with bad.running() as name:
        bad.has_row(name, 1)
        server.run("SET SESSION binlog_format = 'STATEMENT'", "UPDATE shop.t SET v = 's3cret' WHERE id = 1")
        told = bad.warned(name, "changes were logged as statements")
        assert "run: SET PERSIST binlog_format = 'ROW'" in told and "s3cret" not in told
        server.run("SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE shop.t SET v = 'one' WHERE id = 1")
        first = bad.failed(name)
        assert re.search(r"^binlog\.\d+:\d+: rows of shop\.t came without v: .*Run: SET PERSIST binlog_row_image = "
                         r"'FULL'; reconnect all clients; then reset the connector's offsets", first)  # fmt: skip


def test_a_server_id_in_use_stops_the_one_that_was_there(bad: Refusals) -> None:
    with bad.running(database__server__id="4242") as first:
        bad.has_row(first, 1)
        with bad.running(database__server__id="4242") as second:
            told = bad.failed(first)
            assert "another replica reads with the same server id 4242" in told
            assert told.endswith("give this connector a database.server.id that no other replica of this server has")
            bad.has_row(second, 1)
            bad.works(second)


def test_rights_that_are_taken_away_stop_the_task_with_the_statement_that_mends_it(
    bad: Refusals, server: PrivateMySql
) -> None:
    with bad.running() as name:
        bad.has_row(name, 1)
        for lacking in ("REPLICATION SLAVE", "REPLICATION CLIENT", "SELECT"):
            with account(server, f"REVOKE {lacking} ON *.* FROM 'bad'@'%'", f"GRANT {lacking} ON *.* TO 'bad'@'%'"):
                bad.cut()
                told = bad.failed(name)
                assert told.startswith(f"'bad'@'%' lacks {lacking}, ")
                server.run(told.partition("; run: ")[2])
                bad.restart(name)
                bad.works(name)
        for change, back, words in (
            ("IDENTIFIED BY 'changed'", f"IDENTIFIED BY '{SECRET}'", "check database.user and database.password"),
            ("ACCOUNT LOCK", "ACCOUNT UNLOCK", "run: ALTER USER 'bad'@'%' ACCOUNT UNLOCK"),
        ):
            with account(server, f"ALTER USER 'bad'@'%' {change}", f"ALTER USER 'bad'@'%' {back}"):
                bad.cut()
                assert words in bad.failed(name)
            bad.restart(name)
            bad.works(name)


def test_a_log_or_a_history_that_is_gone_is_told_with_the_ways_out(bad: Refusals, server: PrivateMySql) -> None:
    with bad.running() as name:
        way = f'PATCH /connectors/{name}/config with {{"snapshot.mode": "when_needed"}}'
        bad.has_row(name, 1)
        bad.stop(name)
        server.run("INSERT INTO shop.t VALUES (40, 'purged')", "FLUSH BINARY LOGS")
        last = server.run("SHOW BINARY LOGS")[-1][0]
        server.run(f"PURGE BINARY LOGS TO '{last}'")
        bad.resume(name)
        told = bad.failed(name)
        assert re.search(r"no longer has the binary log .*: it purged the transactions \S+, which were not read", told)
        assert way in told and "shop.t" in told
        for offset, words in (
            ({"file": last, "pos": 999_999_999}, f"bytes in {last}, which was read up to 999999999"),
            ({"file": "nothing.000001", "pos": 4}, "has no nothing.000001, where reading stopped, but binlog.0"),
        ):
            bad.stop(name)
            body = {"offsets": [{"partition": {"server": name}, "offset": offset}]}
            assert bad.ask("PATCH", f"/connectors/{name}/offsets", body).status_code == 200
            bad.resume(name)
            told = bad.failed(name)
            assert words in told and way in told
        bad.stop(name)
        body["offsets"][0]["offset"] = {"file": last, "pos": "x"}
        answer = bad.ask("PATCH", f"/connectors/{name}/offsets", body)
        assert (answer.status_code, answer.json()["message"]) == (
            400, "'pos' of the stored offset is 'x'; it must be a whole number of 0 or more",
        )  # fmt: skip
        with bad.worker.log() as log:
            log.delete_topics([f"{name}-history"])
        bad.resume(name)
        told = bad.failed(name)
        assert told.startswith(f"the schema history topic {name}-history is missing or holds nothing of {name}")
        assert "set snapshot.mode=recovery for one start" in told


def test_a_sink_whose_converter_does_not_fit_names_the_setting(bad: Refusals, elasticsearch: FakeElasticsearch) -> None:
    bad.write("plain", b'{"id": 1}')
    bad.write("text", b"no json")
    json_without = {"value.converter": "JsonConverter", "value.converter.schemas.enable": "false"}
    for changes, words in (
        ({"topics": "plain"}, r"VALUE_CONVERTER failed in \S+JsonConverter .* offset 0 of plain-0 .*JsonConverter with "
                              r"schemas\.enable requires .* set value\.converter\.schemas\.enable=false"),
        ({"topics": "text"}, r"7 bytes that are not JSON .* set value\.converter to what wrote them"),
        ({"topics": "plain", **json_without}, r"TASK_PUT failed .* has no schema.* set schema\.ignore=true"),
        ({"topics": "plain", "value.converter": "LongConverter"}, r"9 bytes stand there, not 8; set the converter to"),
        ({"topics": "plain", **json_without, **ROUTER, "transforms.r.type": TRANSFORMS + "ExtractField$Key",
          "transforms.r.field": "id"}, r"TRANSFORMATION failed in \S+ExtractField\$Key .*field extraction"),
    ):  # fmt: skip
        with bad.running(bad.sink(elasticsearch.url, **changes)) as name:
            told = bad.failed(name)
            assert re.search(words, told), told


def test_an_elasticsearch_that_turns_away_later_is_waited_for_or_told(
    bad: Refusals, elasticsearch: FakeElasticsearch
) -> None:
    bad.write("later", b'{"id": 1}')
    config = bad.sink(elasticsearch.url, topics="later", schema__ignore="true", value__converter="JsonConverter",
                      value__converter__schemas__enable="false")  # fmt: skip
    elasticsearch.status = 403  # the check at its creation lets a user pass who may not ask for the version
    with bad.running(config) as name:
        assert "refuses access (403): " in bad.failed(name)
        elasticsearch.status = 503
        bad.restart(name)
        assert bad.waits(name) == f"Elasticsearch at {elasticsearch.url} is busy (503): Service Unavailable"
        elasticsearch.status = 401
        told = bad.failed(name)
        assert "refuses access (401): " in told and "set connection.username and connection.password" in told


def test_topic_names_that_no_log_takes_are_told(bad: Refusals) -> None:
    for replacement, words in (
        ("a b/c", "'a b/c' is not a topic name: .*; correct the transform or the setting that makes it"),
        ("x$9", r"replacement 'x\$9' names a group that regex '\(\.\*\)' does not have"),
    ):
        changes = {**ROUTER, "transforms.r.regex": "(.*)", "transforms.r.replacement": replacement}
        with bad.running(bad.source("bad77", **changes)) as name:
            assert re.search(words, bad.failed(name))


def test_a_server_that_goes_away_is_waited_for_and_one_without_a_log_is_told(
    bad: Refusals, server: PrivateMySql
) -> None:
    with bad.running() as name:
        bad.has_row(name, 1)
        connection = server.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'bad'")
            readers = [row[0] for row in cursor.fetchall()]
            cursor.execute("SET GLOBAL max_connections = 1")
            for reader in readers:
                cursor.execute(f"KILL {reader}")
            told = bad.until(name, lambda task: "Too many" in str(task.get("waiting_for")), "refusal")["waiting_for"]
            assert told.endswith("Too many connections (1040); close connections or raise max_connections")
            cursor.execute("SET GLOBAL max_connections = 100")
        connection.close()
        bad.works(name)
        server.stop()
        told = bad.waits(name)
        assert told.startswith(f"bad@127.0.0.1:{server.port} ")
        only(bad.refused(bad.source("bad")))
        assert bad.ask("GET", "/health").status_code == 200
        server.start("--skip-log-bin")
        told = bad.failed(name)
        without = f"bad@127.0.0.1:{server.port} writes no binary log (log_bin=OFF); start mysqld with log_bin and "
        assert told.startswith(without)
        assert only(bad.refused(bad.source("bad"))) == ("database.hostname", told)


def test_nobody_waits_longer_than_the_usual_limits_for_what_is_away(
    bad: Refusals, patient: dict[str, Future[Errors]]
) -> None:
    for what, key in (("silent", "database.hostname"), ("unroutable", "database.hostname"),
                      ("silent sink", "connection.url")):  # fmt: skip
        assert "does not answer" in only(patient[what].result(SLOWEST_S))[1]
        assert set(patient[what].result()) == {key}
    assert bad.slowest < SLOWEST_S
