"""The keys of the MariaDB source against Debezium's own definition, as recorded from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cdc.config import keys, parse, values, wire_text
from cdc.mariadb.config import MariaDbConfig
from cdc.mariadb.connector import MARIADB
from cdc.mysql.unsupported import refused, warned

GOLDEN = Path(__file__).parents[3] / "golden" / "mariadb_config"
NEEDED = {"topic.prefix": "s", "database.hostname": "db", "database.user": "u", "database.server.id": "1"}


def recorded() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / "keys.jsonl").read_text().splitlines()]


def test_every_key_is_declared_as_debezium_declares_it() -> None:
    ours = {key.name: key for key in keys(MariaDbConfig).values() if not key.internal}
    theirs = recorded()
    assert len(theirs) == 116
    assert list(ours) == [definition["name"] for definition in theirs]
    for definition in theirs:
        key = ours[definition["name"]]
        found = (key.type, key.required, wire_text(key.default), key.importance.value, key.group, list(key.values))
        assert found == (
            definition["type"], definition["required"], definition["default_value"], definition["importance"],
            definition["group"], definition["recommended_values"],
        ), definition["name"]  # fmt: skip


def test_wrong_values_are_refused_in_debeziums_words() -> None:
    wrong = {
        "topic.prefix": "a b", "snapshot.mode": "sometimes", "max.batch.size": "-1", "decimal.handling.mode": "odd",
        "database.ssl.mode": "preferred", "snapshot.locking.mode": "minimal_percona",
    }  # fmt: skip
    said = {v.key.name: [part.partition(";")[0] for part in v.errors] for v in values(MariaDbConfig, NEEDED | wrong)}
    theirs = json.loads((GOLDEN / "refused.json").read_text())
    assert {name: errors for name, errors in said.items() if errors} == theirs


def test_the_defaults_are_neither_refused_nor_warned_of() -> None:
    config = parse(MariaDbConfig, NEEDED | {"schema.history.internal.kafka.topic": "h"})
    assert (refused(config, NEEDED), warned(config, NEEDED)) == ([], [])
    assert MARIADB.config is MariaDbConfig


def test_comments_are_kept_where_schema_changes_are_sent() -> None:
    assert parse(MariaDbConfig, NEEDED).keeps_comments
    assert not parse(MariaDbConfig, NEEDED | {"include.schema.changes": "false"}).keeps_comments
