from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cdc.errors import ConfigError
from connect_compat.worker_config import STANDALONE_OFFSETS, Listener, Mode, embedded, worker_config

DISTRIBUTED = {
    "bootstrap.servers": "kafka:9092", "group.id": "connect-cluster",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "config.storage.topic": "connect-configs", "config.storage.replication.factor": "1",
    "offset.storage.topic": "connect-offsets", "offset.storage.partitions": "25",
    "status.storage.topic": "connect-status", "offset.flush.interval.ms": "10000",
    "producer.compression.type": "zstd", "consumer.max.poll.records": "2000",
    "security.protocol": "SASL_SSL", "sasl.jaas.config": "… password='s3cret';", "ssl.truststore.location": "/t",
}  # fmt: skip


def test_a_distributed_file_of_kafka_connect_is_taken_as_it_is() -> None:
    config = worker_config(Mode.DISTRIBUTED, DISTRIBUTED)
    assert config.log.path is None and config.log.group_id == "connect-cluster"
    assert config.log.client == {name: DISTRIBUTED[name] for name in (
        "bootstrap.servers", "security.protocol", "sasl.jaas.config", "ssl.truststore.location")}  # fmt: skip
    assert config.log.producer == {"compression.type": "zstd"}
    assert config.log.consumer == {"max.poll.records": "2000"}
    assert set(config.log.internal) == {name for name in DISTRIBUTED if ".storage." in name}
    assert config.keys.flush_ms == 10_000 and config.keeps_configs
    assert config.listeners == (Listener("127.0.0.1", 8083, "rest.port"),)
    assert config.raw["header.converter"].endswith("SimpleHeaderConverter")


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        worker_config(Mode.DISTRIBUTED, {"bootstrap.servers": "kafka:9092", "rest.port": "x"})
    assert [problem.key for problem in refused.value.problems] == [
        "group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic",
        "key.converter", "value.converter", "rest.port",
    ]  # fmt: skip


def test_exactly_once_is_given_to_groups_and_on_the_embedded_log_and_refused_where_it_cannot_be_had() -> None:
    asked = {"exactly.once.source.support": "enabled"}
    assert worker_config(Mode.DISTRIBUTED, {**DISTRIBUTED, **asked}).log.exactly_once
    preparing = {**DISTRIBUTED, "exactly.once.source.support": "preparing"}
    assert not worker_config(Mode.DISTRIBUTED, preparing).log.exactly_once
    assert worker_config(Mode.STANDALONE, asked).log.path is not None
    with pytest.raises(ConfigError, match="a crash may repeat records") as refused:
        worker_config(Mode.STANDALONE, {"bootstrap.servers": "kafka:9092", **asked})
    assert [problem.key for problem in refused.value.problems] == ["exactly.once.source.support"]


def test_standalone_with_kafka_keeps_its_offsets_there_and_its_configs_nowhere() -> None:
    config = worker_config(
        Mode.STANDALONE, {"bootstrap.servers": "kafka:9092", "offset.storage.file.filename": "/tmp/o"}
    )
    assert config.log.path is None and not config.keeps_configs
    assert config.log.internal["offset.storage.topic"] == STANDALONE_OFFSETS


def test_standalone_without_kafka_is_on_the_embedded_log() -> None:
    config = worker_config(Mode.STANDALONE, {"tailrace.data.dir": "/data"})
    assert config.log.path == "/data" and not config.keeps_configs


def test_embedded_needs_nothing_and_binds_to_this_machine_only() -> None:
    config = embedded()
    assert config.log.path == "./tailrace-data" and config.listeners == (Listener("127.0.0.1", 8083, "rest.port"),)
    assert config.raw["value.converter"] == "org.apache.kafka.connect.json.JsonConverter"
    assert embedded("d", "0.0.0.0", 9).listeners == (Listener("0.0.0.0", 9, "rest.port"),)


@pytest.mark.parametrize(
    ("text", "listeners"),
    [
        ("http://:8083", [("", 8083)]),
        ("HTTP://a.b-c:1, http://[::1]:2", [("a.b-c", 1), ("::1", 2)]),
    ],
)
def test_listeners_are_read_as_kafka_connect_reads_them(text: str, listeners: list[tuple[str, int]]) -> None:
    config = worker_config(Mode.EMBEDDED, {"listeners": text})
    assert [(listener.host, listener.port) for listener in config.listeners] == listeners


@pytest.mark.parametrize("setting", ["listeners", "admin.listeners"])
@pytest.mark.parametrize("text", ["8083", "ftp://:21", "http://:-1"])
def test_listeners_that_cannot_be_served_are_refused_with_the_remedy(setting: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"for configuration {setting}: write http://host:port"):
        worker_config(Mode.EMBEDDED, {setting: text})


def test_listeners_may_be_https_and_admin_may_have_its_own() -> None:
    raw = {"listeners": "https://:8443", "admin.listeners": "http://127.0.0.1:8084"}
    config = worker_config(Mode.EMBEDDED, raw)
    assert config.listeners == (Listener("", 8443, "listeners", https=True),)
    assert config.admin_listeners == (Listener("127.0.0.1", 8084, "admin.listeners"),)
    assert worker_config(Mode.EMBEDDED, {"admin.listeners": ""}).admin_listeners == ()


def test_users_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "users.properties"
    file.write_text("ann=s3cret:x\nbob: y\n")
    extension = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
    raw = {"tailrace.rest.users": str(file), "rest.extension.classes": extension}
    assert worker_config(Mode.EMBEDDED, raw).users == {"ann": "s3cret:x", "bob": "y"}
    assert worker_config(Mode.EMBEDDED, {}).users is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"tailrace.rest.users": "/nowhere"}, "cannot read the properties file /nowhere"),
        ({"rest.extension.classes": "a.b.BasicAuthSecurityRestExtension"}, "set tailrace.rest.users"),
        ({"rest.extension.classes": "a.b.Mine"}, "a.b.Mine of rest.extension.classes is a Java class"),
    ],
)
def test_a_protection_that_cannot_be_given_is_refused(raw: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        worker_config(Mode.EMBEDDED, raw)


def test_the_worker_id_is_what_others_can_reach() -> None:
    assert embedded(host="10.0.0.5").worker_id(8083) == "10.0.0.5:8083"
    assert embedded(host="0.0.0.0").worker_id(8083) == f"{socket.gethostname()}:8083"
    advertised = {"rest.advertised.host.name": "me", "rest.advertised.port": "1"}
    assert worker_config(Mode.EMBEDDED, advertised).worker_id(8083) == "me:1"


def test_readers_are_users_or_tokens(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("ci=abc\n")
    config = worker_config(Mode.EMBEDDED, {"tailrace.rest.tokens": str(tmp_path / "t"), "tailrace.rest.readers": "ci"})
    assert (config.tokens, config.keys.readers) == ({"ci": "abc"}, ("ci",))
    with pytest.raises(ConfigError, match=r"tailrace\.rest\.readers names bob, and neither"):
        worker_config(Mode.EMBEDDED, {"tailrace.rest.tokens": str(tmp_path / "t"), "tailrace.rest.readers": "bob,ci"})
