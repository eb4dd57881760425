"""The other ways to start a worker: standalone and distributed from Kafka Connect's own files, with TLS and users."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from connect_compat.log import LogSettings, open_log
from tests.certificates import PEM, write_stores
from tests.server.command import Tailrace, gate, properties, run
from tests.server.lane import free_port
from tests.server.shop import Shop, forget, open_shop
from tests.server.worker_process import wait_until

JSON = "org.apache.kafka.connect.json.JsonConverter"


def distributed(kafka: str, name: str, port: int) -> dict[str, object]:
    """Apache Kafka's config/connect-distributed.properties; broker, names and port are this test's."""
    return {
        "bootstrap.servers": kafka, "group.id": f"{name}-cluster",
        "key.converter": JSON, "value.converter": JSON,
        "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true",
        "offset.storage.topic": f"{name}-connect-offsets", "offset.storage.replication.factor": "1",
        "config.storage.topic": f"{name}-connect-configs", "config.storage.replication.factor": "1",
        "status.storage.topic": f"{name}-connect-status", "status.storage.replication.factor": "1",
        "offset.flush.interval.ms": "10000", "listeners": f"HTTP://:{port}", "plugin.path": "/usr/local/share/java",
    }  # fmt: skip


@pytest.fixture
def on_kafka(mysql_address: tuple[str, int], elasticsearch_url: str, kafka: str) -> Iterator[Shop]:
    with open_shop(mysql_address, elasticsearch_url, LogSettings(client={"bootstrap.servers": kafka})) as shop:
        yield shop


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Tailrace]]:
    """Put what you start in here."""
    workers: list[Tailrace] = []
    yield workers
    for worker in workers:
        worker.close()


class Cluster:
    """What a broker's own tools would show."""

    def __init__(self, broker: str) -> None:
        self.admin = AdminClient({"bootstrap.servers": broker})

    def topics(self, begin: str) -> dict[str, int]:
        listed = self.admin.list_topics(timeout=10).topics
        return {name: len(topic.partitions) for name, topic in sorted(listed.items()) if name.startswith(begin)}

    def cleanup(self, topic: str) -> str:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        return str(self.admin.describe_configs([resource])[resource].result(10)["cleanup.policy"].value)

    def members(self, group: str) -> int:
        try:
            return len(self.admin.describe_consumer_groups([group])[group].result(10).members)
        except KafkaException:
            return 0


def keys(shop: Shop, topic: str) -> set[str]:
    """The keys of the records of a topic that has one partition."""
    log = open_log(shop.log)
    try:
        return {(key or b"").decode() for key, _ in log.topic(topic, {}).read()}
    finally:
        log.close()


def test_distributed_keeps_everything_in_kafka_and_goes_on_after_a_restart(
    on_kafka: Shop, kafka: str, tmp_path: Path, started: list[Tailrace]
) -> None:
    shop, port, cluster = on_kafka, free_port(), Cluster(kafka)
    source, sink = f"{shop.name}-source", f"{shop.name}-sink"
    file = properties(tmp_path / "worker.properties", distributed(kafka, shop.name, port))
    worker = Tailrace(tmp_path, "distributed", file, port=port)
    started.append(worker.start())
    worker.create(source, shop.source())
    worker.create(sink, shop.sink(topics=shop.goods))
    shop.finds(shop.goods, _1="axe", _2="bow")

    offsets = worker.done("GET", f"/connectors/{source}/offsets")["offsets"]  # right after its topic was made
    assert isinstance(offsets, list)
    assert cluster.topics(shop.name) == {
        shop.name: 1, shop.goods: 1, shop.orders: 1, f"{shop.name}-history": 1, f"{shop.name}-connect-configs": 1,
        f"{shop.name}-connect-configs-assignments": 1, f"{shop.name}-connect-offsets": 25,
        f"{shop.name}-connect-status": 5,
    }  # fmt: skip
    for kind in ("configs", "configs-assignments", "offsets", "status"):
        assert cluster.cleanup(f"{shop.name}-connect-{kind}") == "compact"
    wanted = {f"connector-{source}", f"task-{source}-0", f"commit-{source}", f"connector-{sink}"}
    assert wanted <= keys(shop, f"{shop.name}-connect-configs")
    assert cluster.members(f"connect-{sink}") == 1
    at_end = [{"partition": {"kafka_partition": 0, "kafka_topic": shop.goods}, "offset": {"kafka_offset": 2}}]
    wait_until(lambda: worker.done("GET", f"/connectors/{sink}/offsets")["offsets"] == at_end, "the group's offsets")

    assert worker.stop() == 0
    assert cluster.members(f"connect-{sink}") == 0
    shop.sql("UPDATE goods SET name = 'cup' WHERE id = 1")
    shop.sql("DELETE FROM goods WHERE id = 2")
    worker.start()
    for name in (source, sink):
        worker.is_in(name, "RUNNING", "RUNNING")
    shop.finds(shop.goods, _1="cup")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("u", 1), ("d", 2))

    worker.done("PUT", f"/connectors/{source}/stop")
    worker.is_in(source, "STOPPED")
    code, shown = run("history", "show", source, "--worker", file, folder=tmp_path)
    assert code == 0 and f"{shop.name}.goods" in shown and re.search(rf"\d+ tables of {shop.name}\n", shown)
    worker.done("DELETE", f"/connectors/{source}/offsets")
    assert worker.done("GET", f"/connectors/{source}/offsets") == {"offsets": []}
    worker.done("PUT", f"/connectors/{source}/resume")
    shop.sees(shop.goods, ("r", 1), ("r", 2), ("u", 1), ("d", 2), ("r", 1))
    worker.done("DELETE", f"/connectors/{sink}")
    wait_until(lambda: cluster.members(f"connect-{sink}") == 0, "the sink's end")
    assert worker.stop() == 0
    assert "Traceback" not in worker.said()


def standalone(shop: Shop, folder: Path, worker: Mapping[str, object]) -> list[str]:
    """A worker file, a source as properties, a sink as JSON."""
    sink = {"name": f"{shop.name}-sink", "config": shop.sink(topics=shop.goods)}
    (folder / "sink.json").write_text(json.dumps(sink))
    source = {"name": f"{shop.name}-source", **shop.source()}
    return [
        properties(folder / "worker.properties", worker),
        properties(folder / "source.properties", source),
        str(folder / "sink.json"),
    ]


@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_standalone_runs_the_connectors_of_its_files_and_goes_on_from_their_offsets(
    mysql_address: tuple[str, int], elasticsearch_url: str, kafka: str, tmp_path: Path, log: str,
    started: list[Tailrace],
) -> None:  # fmt: skip
    port = free_port()
    settings: dict[str, object] = {
        "key.converter": JSON, "value.converter": JSON, "offset.flush.interval.ms": "1000",
        "offset.storage.file.filename": str(tmp_path / "connect.offsets"), "listeners": f"http://localhost:{port}",
    }  # fmt: skip
    if log == "embedded":
        place = LogSettings(path=str(tmp_path / "data"))
        settings["tailrace.data.dir"] = place.path
    else:
        place = LogSettings(client={"bootstrap.servers": kafka})
    with open_shop(mysql_address, elasticsearch_url, place) as shop:
        if log == "kafka":
            settings |= {"bootstrap.servers": kafka, "offset.storage.topic": f"{shop.name}-offsets",
                         "offset.storage.replication.factor": "1"}  # fmt: skip
        files = standalone(shop, tmp_path, settings)
        worker = Tailrace(tmp_path, "standalone", *files, port=port)
        started.append(worker.start())
        for name in ("source", "sink"):
            worker.is_in(f"{shop.name}-{name}", "RUNNING", "RUNNING")
        shop.finds(shop.goods, _1="axe", _2="bow")
        assert worker.stop() == 0
        shop.sql("INSERT INTO goods VALUES (3, 'cup')")
        worker.start()
        shop.finds(shop.goods, _1="axe", _2="bow", _3="cup")
        shop.sees(shop.goods, ("r", 1), ("r", 2), ("c", 3))
        assert worker.stop() == 0
        assert "Traceback" not in worker.said()
        code, shown = run("history", "show", f"{shop.name}-source", "--worker", files[0], "--connector", files[1],
                          folder=tmp_path)  # fmt: skip
        assert code == 0 and f"{shop.name}.goods" in shown, shown


def test_standalone_ends_with_the_reason_when_a_connector_is_refused(tmp_path: Path) -> None:
    worker = properties(tmp_path / "w.properties", {"tailrace.data.dir": tmp_path / "data", "rest.port": free_port()})
    (tmp_path / "c.json").write_text(json.dumps({"name": "c", "connector.class": "ElasticsearchSink", "topics": "t"}))
    code, said = run("standalone", worker, str(tmp_path / "c.json"), folder=tmp_path)
    assert code == 1 and "Traceback" not in said
    assert "tailrace: connector c is refused: " in said
    assert 'Missing required configuration "connection.url" which has no default value.' in said


# A broker that is away, or will not do


def test_a_worker_waits_for_its_broker_says_so_and_serves_when_it_is_there(
    on_kafka: Shop, kafka: str, tmp_path: Path, started: list[Tailrace]
) -> None:
    host, _, broker_port = kafka.rpartition(":")
    port = free_port()
    with gate((host, int(broker_port))) as way:
        address = f"127.0.0.1:{way.port}"
        file = properties(tmp_path / "worker.properties", distributed(address, on_kafka.name, port))
        worker = Tailrace(tmp_path, "distributed", file, port=port)
        started.append(worker.start(healthy=False))
        answer = worker.call("GET", "/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "starting")
        told = "the log does not answer; trying again"
        wait_until(lambda: told in worker.said(), "a line that says so")
        line = next(line for line in map(json.loads, worker.said().splitlines()) if line["event"] == told)
        assert address in line["error"] and "exception" not in line
        way.open()
        wait_until(lambda: worker.health() == 200, "a healthy worker")
        assert worker.done("GET", "/connectors") == []
        assert worker.stop() == 0


def test_a_worker_whose_broker_is_away_can_be_stopped(kafka: str, tmp_path: Path, started: list[Tailrace]) -> None:
    port = free_port()
    file = properties(tmp_path / "worker.properties", distributed(f"127.0.0.1:{free_port()}", "nobody", port))
    worker = Tailrace(tmp_path, "distributed", file, port=port)
    started.append(worker.start(healthy=False))
    assert worker.stop() == 0


def test_a_config_topic_that_would_forget_ends_the_worker_with_the_command_that_mends_it(
    kafka: str, tmp_path: Path
) -> None:
    name = f"forgets{free_port()}"
    topic = f"{name}-connect-configs"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "delete"})])[topic].result(10)
    try:
        file = properties(tmp_path / "worker.properties", distributed(kafka, name, free_port()))
        code, said = run("distributed", file, folder=tmp_path)
    finally:
        forget(kafka, name)
    assert code == 1 and "Traceback" not in said
    assert f"topic {topic}, named by config.storage.topic, has cleanup.policy=delete" in said
    assert "--add-config cleanup.policy=compact" in said


# Who may ask


def test_rest_is_served_over_tls_to_known_users_and_admin_on_its_own_address(
    tmp_path: Path, started: list[Tailrace]
) -> None:
    store, _ = write_stores(tmp_path, "s3cret")
    (tmp_path / "ca.pem").write_bytes(PEM)
    (tmp_path / "users.properties").write_text("ann=pass word\n")
    port, admin_port = free_port(), free_port()
    file = properties(tmp_path / "w.properties", {
        "tailrace.data.dir": tmp_path / "data", "listeners": f"https://127.0.0.1:{port}",
        "admin.listeners": f"http://127.0.0.1:{admin_port}", "tailrace.rest.users": tmp_path / "users.properties",
        "listeners.https.ssl.keystore.location": store, "listeners.https.ssl.keystore.password": "s3cret",
    })  # fmt: skip
    ann: dict[str, Any] = {"auth": ("ann", "pass word"), "verify": str(tmp_path / "ca.pem")}
    worker = Tailrace(tmp_path, "standalone", file, port=port, scheme="https", **ann)
    started.append(worker.start())
    assert worker.done("GET", "/connectors") == []
    assert worker.call("GET", "/admin/loggers").status_code == 404
    admin = Tailrace(tmp_path, port=admin_port, **ann)
    assert "root" in admin.done("GET", "/admin/loggers")
    assert admin.call("GET", "/connectors").status_code == 404
    stranger = Tailrace(tmp_path, port=port, scheme="https", verify=str(tmp_path / "ca.pem"))
    assert stranger.call("GET", "/connectors").status_code == 401
    assert worker.stop() == 0
    assert "pass word" not in worker.said() and "Traceback" not in worker.said()


def test_https_without_a_certificate_is_refused_with_the_setting_to_give(tmp_path: Path) -> None:
    file = properties(tmp_path / "w.properties", {"tailrace.data.dir": tmp_path / "data", "listeners": "https://:0"})
    code, said = run("standalone", file, folder=tmp_path)
    assert code == 1 and "set ssl.keystore.location to a PEM or PKCS #12 file" in said and "Traceback" not in said
