"""Answers of a cluster that has just made a topic, or made it anew: waited for, within bounds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from cdc.errors import LogUnavailable
from connect_compat.log import TopicSpec
from connect_compat.log import kafka_admin as module
from connect_compat.log.kafka_admin import KafkaAdmin

TRANSIENT = ["UNKNOWN_LEADER_EPOCH", "FENCED_LEADER_EPOCH", "NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE",
             "UNKNOWN_TOPIC_OR_PART"]  # fmt: skip


def done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    if isinstance(result, int):
        future.set_exception(KafkaException(KafkaError(result)))
    else:
        future.set_result(result)
    return future


class Cluster:
    """`answers`: what partition 0 is answered, call by call; the last for ever. `listed`: topics, call by call."""

    def __init__(self, answers: Iterable[Any] = (), listed: Iterable[Iterable[str]] = ((),)) -> None:
        self.answers, self.listed = list(answers), [list(each) for each in listed]
        self.looks = 0

    def list_offsets(self, asked: Mapping[Any, Any], **_: Any) -> dict[Any, Future[Any]]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return {place: done(answer if place.partition == 0 else SimpleNamespace(offset=7)) for place in asked}

    def poll(self, timeout: float) -> int:
        return 0

    def list_topics(self, **_: Any) -> Any:
        self.looks += 1
        names = self.listed.pop(0) if len(self.listed) > 1 else self.listed[0]
        topic = SimpleNamespace(error=None, partitions={0: None})
        return SimpleNamespace(topics=dict.fromkeys(names, topic))

    def create_topics(self, new: Iterable[Any], **_: Any) -> dict[str, Future[Any]]:
        return {each.topic: done(None) for each in new}

    def delete_topics(self, names: Iterable[str], **_: Any) -> dict[str, Future[Any]]:
        return {name: done(None) for name in names}


def admin(cluster: Cluster) -> KafkaAdmin:
    made = KafkaAdmin({}, "broker:9092")
    made._opened = cluster  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("name", TRANSIENT)
def test_the_ends_of_a_topic_without_a_settled_leader_are_asked_for_again(name: str) -> None:
    code = getattr(KafkaError, name)
    cluster = Cluster([code, code, SimpleNamespace(offset=3)])
    assert admin(cluster).ends("t", 2) == {("t", 0): 3, ("t", 1): 7}
    assert cluster.looks == 2  # each new try with fresh metadata


def test_a_leader_that_never_settles_is_an_outage_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEADERS_S", 0.2)
    with pytest.raises(LogUnavailable, match="could not tell the end of topic t"):
        admin(Cluster([KafkaError.UNKNOWN_LEADER_EPOCH])).ends("t", 1)


def test_another_error_is_told_at_once() -> None:
    cluster = Cluster([KafkaError._TRANSPORT, SimpleNamespace(offset=3)])
    with pytest.raises(LogUnavailable):
        admin(cluster).ends("t", 1)
    assert cluster.looks == 0


def test_a_topic_is_listed_when_its_creation_returns() -> None:
    cluster = Cluster(listed=[[], [], ["t"]])
    admin(cluster).create([TopicSpec("t", 1, 1)])
    assert cluster.looks == 3


def test_a_topic_is_gone_when_its_deletion_returns() -> None:
    cluster = Cluster(listed=[["t", "u"], ["u"]])
    admin(cluster).delete(["t"])
    assert cluster.looks == 2


def test_a_broker_that_refuses_connections_is_told_soon_and_by_what_it_did() -> None:
    nobody = KafkaAdmin({"bootstrap.servers": "127.0.0.1:1"}, "127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(LogUnavailable, match=r"tell its cluster id: .*Connection refused"):
        nobody.cluster_id()
    assert time.monotonic() - began < 6
