"""Both logs for one suite: a data folder of the test's own, or topics of its own on the real broker."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from connect_compat.log import Log, LogSettings, open_log

KAFKA = os.environ.get("TAILRACE_KAFKA", "127.0.0.1:9092")


@dataclass(frozen=True)
class Place:
    """Where one test works: the log's settings, and a prefix for every name it makes."""

    settings: LogSettings
    prefix: str

    def name(self, text: str) -> str:
        return f"{self.prefix}-{text}"


@pytest.fixture(scope="session")
def kafka_settings() -> Iterator[LogSettings]:
    group = f"logs-{uuid.uuid4().hex[:8]}"
    internal = {
        "config.storage.replication.factor": "1",
        "offset.storage.replication.factor": "1",
        "offset.storage.partitions": "5",
        "status.storage.replication.factor": "1",
    }
    yield LogSettings(client={"bootstrap.servers": KAFKA}, group_id=group, internal=internal)
    _forget(group)


def _forget(prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": KAFKA})
    groups = [g.group_id for g in admin.list_consumer_groups().result(10).valid if f"-{prefix}" in f"-{g.group_id}"]
    topics = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    futures = [*(admin.delete_consumer_groups(groups) if groups else {}).values(),
               *(admin.delete_topics(topics) if topics else {}).values()]  # fmt: skip
    for future in futures:
        future.exception(10)


@pytest.fixture(params=["embedded", "kafka"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    prefix = f"lt-{uuid.uuid4().hex[:8]}"
    if request.param == "embedded":
        yield Place(LogSettings(path=str(tmp_path / "data")), prefix)
    else:
        yield Place(request.getfixturevalue("kafka_settings"), prefix)
        _forget(prefix)


@pytest.fixture
def log(place: Place) -> Iterator[Log]:
    opened = open_log(place.settings)
    yield opened
    opened.close()
