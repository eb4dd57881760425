"""Nothing the user asked for is silently left out."""

from __future__ import annotations

import pytest

from cdc.config import parse
from cdc.mysql.config import MySqlConfig
from cdc.mysql.unsupported import refused, warned

NEEDED = {"topic.prefix": "shop", "database.hostname": "db", "database.user": "u", "database.server.id": "1"}


def refusals(**given: str) -> dict[str, str]:
    raw = NEEDED | given
    return dict(refused(parse(MySqlConfig, raw), raw))


def warnings(**given: str) -> list[str]:
    raw = NEEDED | given
    return warned(parse(MySqlConfig, raw), raw)


def test_the_defaults_ask_for_nothing_that_is_missing() -> None:
    assert refusals() == {}
    assert warnings() == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("converters", "bool"),
        ("snapshot.mode", "custom"),
        ("snapshot.query.mode", "custom"),
        ("snapshot.locking.mode", "custom"),
        ("transaction.metadata.factory", "org.example.Factory"),
        ("sourceinfo.struct.maker", "org.example.Maker"),
        ("snapshot.new.tables", "parallel"),
    ],
)
def test_what_would_change_or_reveal_data_is_refused(key: str, text: str) -> None:
    found = refusals(**{key: text})
    assert list(found) == [key]
    assert found[key].startswith(f"The '{key}' value is invalid: ")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("event.deserialization.failure.handling.mode", "skip"),
        ("sanitize.field.names", "true"),
        ("signal.enabled.channels", "source,jmx"),
        ("notification.enabled.channels", "log,jmx"),
        ("openlineage.integration.enabled", "true"),
        ("custom.metric.tags", "a=b"),
        ("driver.useSSL", "false"),
        ("column.mask.with.ten.chars", "a.b.c"),
        ("column.mask.with.(d+).chars", "a.b.c"),
    ],
)
def test_what_is_left_out_is_warned_of(key: str, text: str) -> None:
    assert refusals(**{key: text}) == {}
    found = warnings(**{key: text})
    assert len(found) == 1
    assert found[0].startswith(key)


@pytest.mark.parametrize(
    "name",
    [
        "io.debezium.storage.kafka.history.KafkaSchemaHistory",
        "io.debezium.relational.history.KafkaSchemaHistory",
        "io.debezium.relational.history.KafkaDatabaseHistory",
    ],
)
def test_every_kafka_history_class_is_taken(name: str) -> None:
    assert refusals(**{"schema.history.internal": name}) == {}


@pytest.mark.parametrize(
    "name", ["io.debezium.storage.file.history.FileSchemaHistory", "io.debezium.relational.history.MemorySchemaHistory"]
)
def test_another_history_store_is_answered_with_the_way_out(name: str) -> None:
    message = refusals(**{"schema.history.internal": name})["schema.history.internal"]
    assert name in message
    assert "snapshot.mode=recovery" in message
