"""One worker on the embedded log as its user lives with it: connectors made, steered, restored and taken away."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connect_compat.log import LogSettings
from tests.server.bucket import own_bucket
from tests.server.command import Tailrace, gate, run
from tests.server.lane import free_port
from tests.server.shop import Shop, open_shop
from tests.server.worker_process import alive, wait_until

CONFIGS = Path(__file__).parents[1] / "golden/configs"
REFUSED_BY_A_MAPPING = {"properties": {"name": {"type": "ip"}}}


def given(name: str) -> dict[str, Any]:
    """A config that a user of Kafka Connect has."""
    config: dict[str, Any] = json.loads((CONFIGS / name).read_text())
    return config


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tailrace]:
    folder, port = tmp_path_factory.mktemp("worker"), free_port()
    worker = Tailrace(folder, "--data", "data", "--port", str(port), port=port)
    yield worker.start()
    worker.close()


@pytest.fixture
def shop(worker: Tailrace, mysql_address: tuple[str, int], elasticsearch_url: str) -> Iterator[Shop]:
    """A database of the test; the connectors that carry its name are deleted afterwards."""
    with open_shop(mysql_address, elasticsearch_url, LogSettings(path=str(worker.folder / "data"))) as shop:
        yield shop
        for name in worker.done("GET", "/connectors"):
            if shop.name in name:
                worker.done("DELETE", f"/connectors/{name}")
        wait_until(lambda: worker.pid(f"{shop.name}-source") is None, "the end of the source")


# Configs that users have


def test_the_legacy_config_of_a_mysql_source_runs_one_task(
    worker: Tailrace, shop: Shop, mysql_address: tuple[str, int]
) -> None:
    """Only host and account are changed, and the prefix and database, which this server shares with other tests."""
    config = given("mysql-source-connector.put.json") | {
        "database.hostname": mysql_address[0], "database.port": str(mysql_address[1]), "database.user": "cdc",
        "database.password": "cdcpw", "database.server.name": shop.name, "database.include.list": shop.name,
    }  # fmt: skip
    assert config["tasks.max"] == "2"
    created = worker.done("PUT", f"/connectors/{shop.name}-source/config", config)
    assert created["type"] == "source" and created["config"]["database.password"] == "********"
    worker.is_in(f"{shop.name}-source", "RUNNING", "RUNNING")
    shop.sees(shop.goods, ("r", 1), ("r", 2))
    assert worker.done("GET", f"/connectors/{shop.name}-source/topics")[f"{shop.name}-source"]["topics"]


@pytest.mark.parametrize("name", ["elasticsearch-sink-connector.post.json", "simple-elasticsearch-connector.json"])
def test_the_configs_of_elasticsearch_sinks_run(worker: Tailrace, elasticsearch_url: str, name: str) -> None:
    body = given(name)
    config = body.get("config", body)
    config["connection.url"] = elasticsearch_url
    worker.done("POST", "/connectors", body if "config" in body else {"name": body["name"], "config": config})
    worker.is_in(body["name"], "RUNNING", "RUNNING")
    worker.done("DELETE", f"/connectors/{body['name']}")


def test_the_config_of_a_jdbc_sink_runs(worker: Tailrace, mysql_address: tuple[str, int]) -> None:
    body = given("jdbc-sink-connector.post.json")
    host, port = mysql_address
    body["config"] |= {"connection.url": f"jdbc:mysql://{host}:{port}/mysql", "connection.user": "app",
                       "connection.password": "apppw"}  # fmt: skip
    worker.done("POST", "/connectors", body)
    worker.is_in(body["name"], "RUNNING", "RUNNING")
    worker.done("DELETE", f"/connectors/{body['name']}")


@pytest.mark.parametrize("name", ["s3-sink-connector.post.json", "s3-sink-parquet.post.json"])
def test_the_configs_of_s3_sinks_run(worker: Tailrace, s3_url: str, name: str) -> None:
    body = given(name)
    with own_bucket(s3_url) as bucket:
        settings = bucket.settings()
        place = ("store.url", "s3.bucket.name", "aws.access.key.id", "aws.secret.access.key")
        body["config"] |= {key: settings[key] for key in place}
        worker.done("POST", "/connectors", body)
        worker.is_in(body["name"], "RUNNING", "RUNNING")
        worker.done("DELETE", f"/connectors/{body['name']}")


def test_a_class_that_is_not_here_is_refused_by_name(worker: Tailrace) -> None:
    name = "io.debezium.connector.oracle.OracleConnector"
    answer = worker.call("POST", "/connectors", {"name": "not-here", "config": {"connector.class": name}})
    assert (answer.status_code, answer.json()["error_code"]) == (400, 400)
    told = f"Failed to find any class that implements Connector and which name matches {name}"
    assert answer.json()["message"].startswith(told)
    assert "not-here" not in worker.done("GET", "/connectors")


# A life


def test_connectors_go_on_after_a_restart_where_they_were_and_nothing_comes_twice(
    mysql_address: tuple[str, int], elasticsearch_url: str, tmp_path: Path
) -> None:
    port = free_port()
    with open_shop(mysql_address, elasticsearch_url, LogSettings(path=str(tmp_path / "data"))) as shop:
        worker = Tailrace(tmp_path, "--data", "data", "--port", str(port), port=port).start()
        try:
            worker.create("source", shop.source())
            worker.create("sink", shop.sink())
            shop.finds(shop.goods, _1="axe", _2="bow")
            assert worker.stop() == 0
            shop.sql("UPDATE goods SET name = 'cup' WHERE id = 1")
            shop.sql("DELETE FROM goods WHERE id = 2")
            worker.start()
            for name in ("source", "sink"):
                worker.is_in(name, "RUNNING", "RUNNING")
            shop.finds(shop.goods, _1="cup")
            shop.sees(shop.goods, ("r", 1), ("r", 2), ("u", 1), ("d", 2))
            assert worker.stop() == 0
            assert "Traceback" not in worker.said()
        finally:
            worker.close()


def test_a_source_is_paused_resumed_stopped_moved_and_begun_anew(worker: Tailrace, shop: Shop) -> None:
    source = f"{shop.name}-source"
    worker.create(source, shop.source())
    shop.sees(shop.goods, ("r", 1), ("r", 2))
    (at_first,) = wait_for_streaming(worker, source)

    worker.done("PUT", f"/connectors/{source}/pause")
    worker.is_in(source, "PAUSED", "PAUSED")
    shop.sql("INSERT INTO goods VALUES (3, 'cup')")
    time.sleep(0.7)
    assert len(shop.events(shop.goods)) == 2
    worker.done("PUT", f"/connectors/{source}/resume")
    worker.is_in(source, "RUNNING", "RUNNING")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3))

    answer = worker.call("PATCH", f"/connectors/{source}/offsets", {"offsets": [at_first]})
    assert answer.status_code == 400 and "must be in the STOPPED state" in answer.json()["message"]
    before = worker.pid(source)
    worker.done("PUT", f"/connectors/{source}/stop")
    worker.is_in(source, "STOPPED")
    wait_until(lambda: before is not None and not alive(before), "the end of the stopped task")

    moved = worker.done("PATCH", f"/connectors/{source}/offsets", {"offsets": [at_first]})
    assert "offsets for this connector have been altered successfully" in moved["message"]
    worker.done("PUT", f"/connectors/{source}/resume")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3), ("c", 3))

    worker.done("PUT", f"/connectors/{source}/stop")
    worker.is_in(source, "STOPPED")
    reset = worker.done("DELETE", f"/connectors/{source}/offsets")
    assert "offsets for this connector have been reset successfully" in reset["message"]
    assert worker.done("GET", f"/connectors/{source}/offsets") == {"offsets": []}
    worker.done("PUT", f"/connectors/{source}/resume")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3), ("c", 3), ("r", 1), ("r", 2), ("r", 3))


def wait_for_streaming(worker: Tailrace, source: str) -> list[dict[str, Any]]:
    """The offsets once the snapshot is over."""
    found: list[dict[str, Any]] = []

    def streams() -> bool:
        found[:] = worker.done("GET", f"/connectors/{source}/offsets")["offsets"]
        return bool(found) and "snapshot" not in found[0]["offset"]

    wait_until(streams, "an offset of the stream")
    return found


def test_a_sink_is_stopped_moved_and_begun_anew(worker: Tailrace, shop: Shop) -> None:
    source, sink = f"{shop.name}-source", f"{shop.name}-sink"
    worker.create(source, shop.source())
    worker.create(sink, shop.sink(topics=shop.goods))
    shop.finds(shop.goods, _1="axe", _2="bow")
    at_end = [{"partition": {"kafka_partition": 0, "kafka_topic": shop.goods}, "offset": {"kafka_offset": 2}}]
    wait_until(lambda: worker.done("GET", f"/connectors/{sink}/offsets")["offsets"] == at_end, "the sink's offsets")

    def anew(change: tuple[str, object]) -> None:
        worker.done("PUT", f"/connectors/{sink}/stop")
        worker.is_in(sink, "STOPPED")
        worker.done(change[0], f"/connectors/{sink}/offsets", change[1])
        shop.search.indices.delete(index=shop.goods)
        worker.done("PUT", f"/connectors/{sink}/resume")

    second = {**at_end[0], "offset": {"kafka_offset": 1}}
    anew(("PATCH", {"offsets": [second]}))
    shop.finds(shop.goods, _2="bow")
    anew(("DELETE", None))
    shop.finds(shop.goods, _1="axe", _2="bow")


def test_a_restart_replaces_the_process_and_a_deletion_ends_it(worker: Tailrace, shop: Shop) -> None:
    source = f"{shop.name}-source"
    worker.create(source, shop.source())
    shop.sees(shop.goods, ("r", 1), ("r", 2))
    first = worker.pid(source)
    plan = worker.done("POST", f"/connectors/{source}/restart?includeTasks=true")
    assert [plan["connector"]["state"], plan["tasks"][0]["state"]] == ["RESTARTING", "RESTARTING"]
    wait_until(lambda: worker.pid(source) not in (None, first), "another process")
    worker.is_in(source, "RUNNING", "RUNNING")
    second = worker.pid(source)
    worker.done("POST", f"/connectors/{source}/tasks/0/restart")
    wait_until(lambda: worker.pid(source) not in (None, second), "a third process")
    third = worker.pid(source)
    worker.is_in(source, "RUNNING", "RUNNING")
    shop.sql("INSERT INTO goods VALUES (3, 'cup')")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3))
    worker.done("DELETE", f"/connectors/{source}")
    wait_until(lambda: third is not None and not alive(third), "the end of the deleted task")
    assert worker.call("GET", f"/connectors/{source}").status_code == 404
    wait_until(lambda: worker.call("GET", f"/connectors/{source}/status").status_code == 404, "no status")


def test_a_connector_whose_target_is_away_says_so_goes_on_and_can_be_deleted(worker: Tailrace, shop: Shop) -> None:
    address = urlsplit(shop.elasticsearch)
    source, sink = f"{shop.name}-source", f"{shop.name}-sink"
    with gate((address.hostname or "", address.port or 9200)) as way:
        way.open()
        worker.create(source, shop.source())
        worker.create(sink, shop.sink(topics=shop.goods, connection_url=f"http://127.0.0.1:{way.port}"))
        shop.finds(shop.goods, _1="axe", _2="bow")
        way.shut()
        shop.sql("UPDATE goods SET name = 'cup' WHERE id = 1")
        wait_until(lambda: "waiting_for" in worker.task(sink), "an outage in the status")
        task = worker.task(sink)
        assert task["state"] == "RUNNING" and f"http://127.0.0.1:{way.port} does not answer" in task["waiting_for"]
        way.open()
        shop.finds(shop.goods, _1="cup", _2="bow")
        wait_until(lambda: "waiting_for" not in worker.task(sink), "the end of the outage")
        way.shut()
        shop.sql("DELETE FROM goods WHERE id = 1")
        wait_until(lambda: "waiting_for" in worker.task(sink), "the second outage")
        pid, began = worker.pid(sink), time.monotonic()
        worker.done("DELETE", f"/connectors/{sink}")
        wait_until(lambda: pid is not None and not alive(pid), "the end of the deleted task", 8)
        assert time.monotonic() - began < 8
        wait_until(lambda: worker.call("GET", f"/connectors/{sink}/status").status_code == 404, "no status", 8)


# What a target refuses


def test_a_document_that_is_refused_is_kept_in_the_dead_letter_topic(worker: Tailrace, shop: Shop) -> None:
    shop.search.indices.create(index=shop.goods, mappings=REFUSED_BY_A_MAPPING)
    shop.sql("UPDATE goods SET name = '127.0.0.1' WHERE id = 2")
    letters, sink = f"{shop.name}-letters", f"{shop.name}-sink"
    worker.create(f"{shop.name}-source", shop.source())
    worker.create(sink, shop.sink(topics=shop.goods, **{
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    }))  # fmt: skip
    shop.finds(shop.goods, _2="127.0.0.1")
    wait_until(lambda: len(shop.records(letters)) == 1, "the dead letter")
    assert shop.records(letters) == [shop.records(shop.goods)[0]]
    headers = dict(shop.headers(letters)[0])
    assert headers["__connect.errors.topic"] == shop.goods.encode()
    assert headers["__connect.errors.offset"] == b"0"
    assert headers["__connect.errors.connector.name"] == sink.encode()
    assert headers["__connect.errors.stage"] == b"TASK_PUT"
    assert b"failed to parse field [name] of type [ip]" in headers["__connect.errors.exception.message"]
    assert worker.states(sink) == ["RUNNING", "RUNNING"]


def test_without_tolerance_the_task_stops_and_says_which_record_and_why(worker: Tailrace, shop: Shop) -> None:
    shop.search.indices.create(index=shop.goods, mappings=REFUSED_BY_A_MAPPING)
    sink = f"{shop.name}-sink"
    worker.create(f"{shop.name}-source", shop.source())
    worker.done("PUT", f"/connectors/{sink}/config", shop.sink(topics=shop.goods))
    worker.is_in(sink, "RUNNING", "FAILED")
    sentence = worker.task(sink)["trace"].partition("\n")[0]
    assert re.search(
        rf"document '1' of index '{re.escape(shop.goods)}' was refused: .*\[name\] of type \[ip\]", sentence
    )
    assert "errors.tolerance=none stops the task here" in sentence
    assert worker.call("GET", "/health").status_code == 200
    shop.search.indices.delete(index=shop.goods)  # mended: the restarted task meets the same record again
    worker.done("POST", f"/connectors/{sink}/restart?includeTasks=true&onlyFailed=true")
    worker.is_in(sink, "RUNNING", "RUNNING")
    shop.finds(shop.goods, _1="axe", _2="bow")


# Schema history


def test_the_schema_history_is_shown_replayed_and_rebuilt(worker: Tailrace, shop: Shop) -> None:
    source = f"{shop.name}-source"
    worker.create(source, shop.source())
    wait_for_streaming(worker, source)
    shop.sql("ALTER TABLE goods ADD COLUMN price DECIMAL(9,2)")
    shop.sql("INSERT INTO goods VALUES (3, 'cup', 1.5)")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3))

    def history(*arguments: str) -> tuple[int, str]:
        return run("--data", "data", "history", *arguments, folder=worker.folder)

    def tables() -> list[str]:
        """As `history show` tells them; other databases of the server stand there too."""
        code, shown = history("show", source)
        assert code == 0 and re.search(rf"^\d+ tables of {shop.name}$", shown, re.MULTILINE), shown
        return re.findall(rf"^{shop.name}\..*\n(?:  .*\n)+", shown, re.MULTILINE)

    goods, orders = tables()
    assert "3 price DECIMAL(9,2)" in goods and "price" not in orders
    code, replayed = history("replay", source)
    assert code == 0 and "ALTER TABLE goods ADD COLUMN price DECIMAL(9,2)" in replayed
    code, refused = history("rebuild", source)
    assert code == 1 and f"stop it first with PUT /connectors/{source}/stop" in refused and "Traceback" not in refused
    worker.done("PUT", f"/connectors/{source}/stop")
    worker.is_in(source, "STOPPED")
    code, rebuilt = history("rebuild", source)
    assert code == 0 and f"recorded {shop.name}.goods" in rebuilt, rebuilt
    assert tables() == [goods, orders]
    worker.done("PUT", f"/connectors/{source}/resume")
    shop.sql("INSERT INTO goods VALUES (4, 'die', 2)")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3), ("c", 4))


# A second one


def test_a_second_worker_on_the_folder_ends_with_the_pid_of_the_first(worker: Tailrace) -> None:
    code, said = run("--data", "data", "--port", str(free_port()), folder=worker.folder)
    assert code == 1 and said.startswith(f"tailrace: the worker with pid {worker.process and worker.process.pid} ")
    assert "choose another data folder" in said and "Traceback" not in said


def test_a_second_worker_on_the_port_ends_with_the_setting_to_change(worker: Tailrace, tmp_path: Path) -> None:
    port = worker.url.rpartition(":")[2]
    code, said = run("--data", str(tmp_path), "--port", port, folder=worker.folder)
    assert code == 1 and f"127.0.0.1:{port} is in use by another process" in said and "--port" in said
    assert "Traceback" not in said
