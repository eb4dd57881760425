"""The keys of the MySQL source against Debezium's own definition, as recorded from it, and the users' config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdc.config import keys, parse, values, wire_text
from cdc.errors import ConfigError
from cdc.mysql.config import MySqlConfig

GOLDEN = Path(__file__).parents[3] / "golden"
NEEDED = {
    "topic.prefix": "shop", "database.hostname": "db", "database.user": "u", "database.server.id": "1",
}  # fmt: skip


def recorded() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / "mysql_config" / "keys.jsonl").read_text().splitlines()]


def errors(**given: str) -> dict[str, tuple[str, ...]]:
    raw = NEEDED | {name.replace("_", "."): text for name, text in given.items()}
    return {value.key.name: value.errors for value in values(MySqlConfig, raw) if value.errors}


def test_every_key_is_declared_as_debezium_declares_it() -> None:
    ours = {key.name: key for key in keys(MySqlConfig).values()}
    theirs = recorded()
    assert len(theirs) == 118
    for definition in theirs:
        key = ours[definition["name"]]
        assert (key.type, key.required, wire_text(key.default), key.importance.value, key.group) == (
            definition["type"], definition["required"], definition["default_value"], definition["importance"],
            definition["group"],
        ), definition["name"]  # fmt: skip
    assert {key.name for key in ours.values() if not key.internal} == {d["name"] for d in theirs}


def test_values_are_recommended_as_debezium_recommends_them() -> None:
    ours = {key.name: key for key in keys(MySqlConfig).values()}
    for definition in recorded():
        assert list(ours[definition["name"]].values) == definition["recommended_values"], definition["name"]


def test_wrong_values_are_refused_in_debeziums_words() -> None:
    found = values(
        MySqlConfig,
        NEEDED | {"topic.prefix": "a b", "snapshot.mode": "sometimes", "max.batch.size": "-1",
                  "decimal.handling.mode": "odd"},
    )  # fmt: skip
    theirs = json.loads((GOLDEN / "mysql_config" / "refused.json").read_text())
    assert {value.key.name: list(value.errors) for value in found if value.errors} == theirs


def test_a_missing_address_is_refused_in_debeziums_words() -> None:
    found = {value.key.name: list(value.errors) for value in values(MySqlConfig, {}) if value.errors}
    assert found == {
        name: [f"The '{name}' value is invalid: A value is required"]
        for name in ("topic.prefix", "database.hostname", "database.user", "database.server.id")
    }


def test_the_users_config_parses_by_its_old_names() -> None:
    raw = json.loads((GOLDEN / "configs" / "mysql-source-connector.put.json").read_text())
    config = parse(MySqlConfig, raw)
    assert (config.topic_prefix, config.history_topic, config.history_servers, config.database_include) == (
        "dbserver1", "schema-changes.inventory", "localhost:9092", ("inventory",),
    )  # fmt: skip
    assert config.password is not None
    assert config.password.reveal() == "db-pass"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("database.server.name", "topic_prefix", "old"),
        ("database.whitelist", "database_include", "a,b"),
        ("database.blacklist", "database_exclude", "a,b"),
        ("table.whitelist", "table_include", "a.b"),
        ("table.blacklist", "table_exclude", "a.b"),
        ("column.whitelist", "column_include", "a.b.c"),
        ("column.blacklist", "column_exclude", "a.b.c"),
        ("database.history", "history_class", "io.debezium.relational.history.KafkaDatabaseHistory"),
        ("database.history.kafka.topic", "history_topic", "h"),
        ("database.history.kafka.bootstrap.servers", "history_servers", "k:9092"),
        ("database.history.kafka.recovery.poll.interval.ms", "history_recovery_poll_ms", "7"),
        ("database.history.kafka.recovery.attempts", "history_recovery_attempts", "7"),
        ("database.history.skip.unparseable.ddl", "skip_unparseable", "true"),
        ("database.history.store.only.captured.tables.ddl", "only_captured_tables", "true"),
        ("database.history.store.only.monitored.tables.ddl", "only_captured_tables", "true"),
    ],
)
def test_a_name_of_debezium_1_means_its_successor(old: str, new: str, text: str) -> None:
    raw = {name: value for name, value in NEEDED.items() if name != "topic.prefix"}
    raw = {**raw, **({} if old == "database.server.name" else {"topic.prefix": "shop"}), old: text}
    assert wire_text(getattr(parse(MySqlConfig, raw), new)) == text


@pytest.mark.parametrize(
    ("old", "new"), [("schema_only", "no_data"), ("SCHEMA_ONLY", "no_data"), ("schema_only_recovery", "recovery")]
)
def test_a_snapshot_mode_of_debezium_1_means_its_successor(old: str, new: str) -> None:
    assert parse(MySqlConfig, NEEDED | {"snapshot.mode": old}).snapshot_mode == new


def test_an_old_and_a_new_name_of_one_setting_are_refused_together() -> None:
    with pytest.raises(ConfigError, match=r"table\.include\.list is set too and means the same"):
        parse(MySqlConfig, NEEDED | {"table.include.list": "a.b", "table.whitelist": "a.c"})


def test_adaptive_time_precision_is_refused() -> None:
    assert "no longer supported" in errors(time_precision_mode="adaptive")["time.precision.mode"][0]


def test_a_pattern_that_is_none_is_refused() -> None:
    assert "valid regular expressions is expected, but '('" in errors(table_include_list="(")["table.include.list"][0]


def test_an_unknown_operation_is_refused() -> None:
    assert "not x" in errors(skipped_operations="c,x")["skipped.operations"][0]
