"""What the MySQL source refuses before it connects, and how it is put together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cdc.connector import one_task
from cdc.errors import ConfigError, RequestError, SourceError
from cdc.mysql.connector import MYSQL
from cdc.record import SourceContext, SourceOffset

USERS = Path(__file__).parents[3] / "golden" / "configs" / "mysql-source-connector.put.json"
CONFIG = {
    "topic.prefix": "shop", "database.hostname": "127.0.0.1", "database.port": "9", "database.user": "u",
    "database.server.id": "1", "schema.history.internal.kafka.topic": "shop-history",
}  # fmt: skip


class NoTopic:
    def exists(self) -> bool:
        return False

    def create(self) -> None: ...

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None: ...

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return iter(())

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return iter(())

    def forget(self, before: int) -> None: ...


@dataclass
class Opened:
    """Remembers which topics were asked for."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def open(self, name: str, client: Mapping[str, str]) -> NoTopic:
        self.asked.append((name, dict(client)))
        return NoTopic()


def refusals(**given: str) -> dict[str, str]:
    """What `build` refuses, by key."""
    raw = CONFIG | {name.replace("__", "."): text for name, text in given.items()}
    with pytest.raises(ConfigError) as caught:
        MYSQL.build(raw, SourceContext("shop", 0, Opened()))
    return dict(caught.value.problems)


def test_the_users_config_builds_a_source_with_its_history_topic() -> None:
    topics = Opened()
    MYSQL.build(json.loads(USERS.read_text()), SourceContext("mysql-source", 0, topics)).close()
    assert topics.asked == [("schema-changes.inventory", {"bootstrap.servers": "localhost:9092"})]


def test_the_history_topics_client_settings_are_passed_on() -> None:
    topics = Opened()
    raw = CONFIG | {
        "database.history.consumer.security.protocol": "PLAINTEXT",
        "schema.history.internal.producer.security.protocol": "SASL_SSL",
        "schema.history.internal.consumer.sasl.mechanism": "PLAIN",
    }
    MYSQL.build(raw, SourceContext("c", 0, topics)).close()
    assert topics.asked == [("shop-history", {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"})]


def test_two_tasks_are_one() -> None:
    assert MYSQL.task_configs is one_task


@pytest.mark.parametrize("kind", ["database", "table", "column"])
def test_an_include_and_an_exclude_list_are_refused_together(kind: str) -> None:
    found = refusals(**{f"{kind}.include.list": "a", f"{kind}.exclude.list": "b"})
    assert found == {
        f"{kind}.exclude.list": f"The '{kind}.exclude.list' value is invalid: \"{kind}.include.list\" is already "
        "specified"
    }


def test_a_missing_history_topic_is_refused_with_an_example() -> None:
    raw = {name: text for name, text in CONFIG.items() if "history" not in name}
    with pytest.raises(ConfigError, match=r"schemahistory\.shop"):
        MYSQL.build(raw, SourceContext("c", 0, Opened()))


def test_an_override_without_its_statement_is_refused() -> None:
    found = refusals(**{"snapshot.select.statement.overrides": "a.b"})
    assert "snapshot.select.statement.overrides.a.b must hold" in found["snapshot.select.statement.overrides"]


def test_what_signals_and_notifications_lack_is_refused_in_debeziums_words() -> None:
    found = refusals(**{"notification.enabled.channels": "sink", "signal.data.collection": "a.b,c.d"})
    assert found == {
        "notification.sink.topic.name": "The 'notification.sink.topic.name' value is invalid: Notification topic name "
        "must be provided when kafka notification channel is enabled",
        "signal.data.collection": "The 'signal.data.collection' value is invalid: For single task connector only one "
        "signal data collection is permitted.",
    }


def test_every_problem_is_told_at_once() -> None:
    found = refusals(**{"message.key.columns": "x", "converters": "c", "snapshot.mode": "custom"})
    assert set(found) == {"message.key.columns", "converters", "snapshot.mode"}


def test_check_refuses_without_connecting_what_the_config_alone_shows() -> None:
    assert [problem.key for problem in MYSQL.check(CONFIG | {"converters": "c"})] == ["converters"]
    assert [problem.key for problem in MYSQL.check(CONFIG | {"binary.handling.mode": "odd"})] == [
        "binary.handling.mode"
    ]


def test_an_unreachable_server_is_told_at_the_host() -> None:
    (problem,) = MYSQL.check(CONFIG | {"connect.timeout.ms": "1000"})
    assert problem.key == "database.hostname"
    assert problem.message.startswith("Unable to connect: u@127.0.0.1:9 does not answer")


def test_an_offset_without_a_file_is_refused() -> None:
    MYSQL.check_offsets({}, [SourceOffset({"server": "shop"}, {"file": "binlog.000001", "pos": 4})])
    MYSQL.check_offsets({}, [SourceOffset({"server": "shop"}, None), SourceOffset({"nope": "x"}, {"lsn": 1})])
    with pytest.raises(RequestError, match="names no binlog file") as caught:
        MYSQL.check_offsets({}, [SourceOffset({"server": "shop"}, {"pos": 4})])
    assert caught.value.status == 400


def test_a_stored_offset_that_cannot_be_read_stops_the_task() -> None:
    source = MYSQL.build(CONFIG, SourceContext("c", 0, Opened()))
    with pytest.raises(SourceError, match="names no binlog file"):
        source.polls([SourceOffset({"server": "shop"}, {"pos": 4})])


def test_closing_a_source_that_never_ran_is_harmless() -> None:
    MYSQL.build(CONFIG, SourceContext("c", 0, Opened())).close()
