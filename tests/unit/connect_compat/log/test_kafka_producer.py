"""Both engines of a Kafka producer against librdkafka's mock cluster: what is handed over arrives, or is told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from cdc.errors import ConfigError, LogError, LogUnavailable
from connect_compat.log import Encoded, kafka_producer
from connect_compat.log.kafka_append import KafkaWriter
from connect_compat.log.kafka_producer import BatchProducer, CompiledProducer, ConfluentProducer, open_producer
from tests.twins import both

engine = both(kafka_producer)
NOBODY = "127.0.0.1:1"
ONE, OTHER = [("a", b"1"), ("ä", b"\0"), ("none", None), ("", b"")], [("b", b"2")]


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lost: list[tuple[int, str, int]] = []
        self.errors: list[KafkaError] = []

    def undelivered(self, error: KafkaError, topic: str, size: int) -> None:
        self.lost.append((error.code(), topic, size))

    def complained(self, error: KafkaError) -> None:
        self.errors.append(error)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of one broker inside this process; a topic has four partitions."""
    mock = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    broker = next(iter(mock.list_topics(timeout=10).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    mock.close()


def read(cluster: str, topic: str, partition: int, count: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": cluster, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, partition, 0)])
    try:
        return consumer.consume(count, 10)
    finally:
        consumer.close()


def opened(address: str, settings: Mapping[str, Any] | None = None, told: Heard | None = None) -> BatchProducer:
    return open_producer({"bootstrap.servers": address, "linger.ms": 1, **(settings or {})}, told or Heard())


def batch(count: int, topic: str = "t", headers: Sequence[Any] = ()) -> Encoded:
    return Encoded(topic, [b"k"] * count, [b"%d" % i for i in range(count)], [headers] * count, 0)


def test_the_engine_is_the_one_that_was_asked_for(engine: str) -> None:
    made = opened(NOBODY)
    assert type(made) is (CompiledProducer if engine == "native" else ConfluentProducer)
    made.close()


@pytest.mark.parametrize("timestamps", [None, [10, 11, 12, 13, 14]], ids=["now", "given"])
@pytest.mark.parametrize("headers", [[ONE] * 5, [()] * 5, [ONE, ONE, OTHER, (), ONE]], ids=["same", "none", "various"])
def test_records_arrive_as_they_were_given(cluster: str, timestamps: list[int] | None, headers: list[Any]) -> None:
    topic, made = f"t{uuid4().hex}", opened(cluster)
    keys, values = [b"k", None, b"", b"\0k\0", b"l"], [b"0\0", b"1", None, b"", b"4"]
    given = Encoded(topic, keys, values, headers, 3, timestamps)
    before = time.time_ns() // 1_000_000
    assert made.produce(given, 0) == (5, None)
    assert made.produce(Encoded(topic, [], [], []), 0) == (0, None)
    assert made.produce(given, 4) == (5, None)
    assert made.flush(10) == 0
    assert len(made) == 0
    made.close()
    found = read(cluster, topic, 3, 6)
    assert [(m.key(), m.value(), m.headers() or []) for m in found] == [
        (key, value, list(each)) for key, value, each in
        [*zip(keys, values, headers, strict=True), (keys[4], values[4], headers[4])]
    ]  # fmt: skip
    times = [m.timestamp()[1] for m in found]
    assert times == [*timestamps, 14] if timestamps else all(before <= each <= before + 60_000 for each in times)


def test_headers_stay_with_their_records_when_batches_take_turns(cluster: str) -> None:
    topic, made = f"t{uuid4().hex}", opened(cluster)
    alike = [*ONE]  # equal, but another object
    turns: list[Any] = [ONE, OTHER, (), alike, ONE, OTHER, OTHER, [ONE[0]], ONE]
    expected: list[Any] = []
    for turn, headers in enumerate(turns):
        each: list[Any] = [headers] * 30 if turn % 2 else [headers] * 10 + [OTHER] * 10 + [()] * 10
        assert made.produce(Encoded(topic, [None] * 30, [b"v"] * 30, each, 0), 0) == (30, None)
        expected += map(list, each)
        assert turn % 3 or made.flush(10) == 0
        made.poll(0)
    assert made.flush(10) == 0
    made.close()
    assert [m.headers() or [] for m in read(cluster, topic, 0, 30 * len(turns))] == expected


def test_a_key_chooses_the_partition_as_with_kafkas_own_clients(cluster: str) -> None:
    topic, made = f"t{uuid4().hex}", opened(cluster, {"partitioner": "murmur2_random"})
    keys = [b"21", b"foobar", b"a-little-bit-long-string", b"abc"]  # Kafka's UtilsTest tells their murmur2
    made.produce(Encoded(topic, keys, keys, [()] * 4), 0)
    assert made.flush(10) == 0
    made.close()
    hashes = (-973932308, -790332482, -985981536, 479470107)
    consumer = Consumer({"bootstrap.servers": cluster, "group.id": "g"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
    found = {message.key(): message.partition() for message in consumer.consume(4, 10)}
    consumer.close()
    assert found == {key: (each & 0x7FFFFFFF) % 4 for key, each in zip(keys, hashes, strict=True)}


def test_a_writer_waits_while_the_queue_is_full(cluster: str) -> None:
    topic = f"t{uuid4().hex}"
    writer = KafkaWriter({"bootstrap.servers": cluster, "queue.buffering.max.messages": 7}, cluster)
    for _ in range(3):
        writer.append(batch(20, topic, ONE))
    writer.wait()
    writer.close()
    assert [m.value() for m in read(cluster, topic, 0, 60)] == batch(20).values * 3  # type: ignore[operator]


def test_a_full_queue_is_told_with_the_first_record_that_was_not_taken() -> None:
    made = opened(NOBODY, {"queue.buffering.max.messages": 3})
    at, error = made.produce(batch(5), 1)
    assert (at, error and error.code()) == (4, KafkaError._QUEUE_FULL)
    at, error = made.produce(batch(5), 4)
    assert (at, error and error.code()) == (4, KafkaError._QUEUE_FULL)
    made.purge()
    made.close()


def test_a_record_too_large_is_refused_by_name_and_size(cluster: str) -> None:
    writer = KafkaWriter({"bootstrap.servers": cluster, "message.max.bytes": 2000}, cluster)
    with pytest.raises(LogError) as told:
        writer.append(Encoded("big", [None, b"key"], [b"small", b"v" * 3000], [(), ()]))
    assert str(told.value).startswith(
        f"Kafka at {cluster} could not take a record of 3003 bytes for topic big: "
        "Unable to produce message: Broker: Message size too large; raise producer.override.max.request.size"
    )
    writer.close()


def test_a_record_that_is_not_delivered_is_told_at_the_next_call() -> None:
    writer = KafkaWriter({"bootstrap.servers": NOBODY, "message.timeout.ms": 50}, NOBODY)
    writer.append(batch(3, "there"))
    with pytest.raises(LogUnavailable) as told:
        for _ in range(100):
            writer.poll(0.1)
            writer.check()
    said = f"Kafka at {NOBODY} could not take a record of 2 bytes for topic there: Local: Message timed out"
    assert str(told.value) == said
    with pytest.raises(LogUnavailable, match="timed out"):
        writer.wait()
    writer.close()
    with pytest.raises(LogUnavailable, match="timed out"):
        writer.check()


def test_each_purged_record_is_told(cluster: str) -> None:
    told = Heard()
    made = opened(NOBODY, told=told)
    made.produce(batch(3), 0)
    made.purge()
    assert made.flush(5) == 0
    assert told.lost == [(KafkaError._PURGE_QUEUE, "t", 2)] * 3
    made.close()


def test_what_the_client_complains_of_is_told() -> None:
    told = Heard()
    made = opened(NOBODY, told=told)
    deadline = time.monotonic() + 10
    while not any(error.code() == KafkaError._TRANSPORT for error in told.errors) and time.monotonic() < deadline:
        made.poll(0.1)
    refused = next(error for error in told.errors if error.code() == KafkaError._TRANSPORT)
    assert "127.0.0.1:1" in refused.str()
    assert not refused.fatal()
    made.close()


def test_log_lines_reach_the_logger_where_they_are_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "librdkafka"):
        made = opened(NOBODY, {"debug": "broker", "log_level": 7, "client.id": "named"})
        made.poll(0.3)
        made.close()
    line = next(record for record in caplog.records if "[named#producer" in record.message)
    assert (line.name, line.levelno) == ("librdkafka", logging.DEBUG)


def test_a_setting_that_is_not_known_is_left_out_and_a_wrong_one_is_told() -> None:
    opened(NOBODY, {"no.such.setting": "1"}).close()
    with pytest.raises(ConfigError, match=r'Invalid value for configuration property "queue\.buffering'):
        opened(NOBODY, {"linger.ms": "x"})
    with pytest.raises(ConfigError, match=r"Failed to create producer: .*message\.timeout\.ms"):
        opened(NOBODY, {"transactional.id": "t", "transaction.timeout.ms": 1000, "message.timeout.ms": 2000})


def test_transactions_begin_and_end(cluster: str) -> None:
    topic, name = f"t{uuid4().hex}", f"i{uuid4().hex}"
    made = opened(cluster, {"transactional.id": name, "transaction.timeout.ms": 10_000, "message.timeout.ms": 5000})
    with pytest.raises(KafkaException) as told:
        made.begin_transaction()
    error = told.value.args[0]
    assert (error.code(), error.fatal(), error.retriable()) == (KafkaError._STATE, False, False)
    assert error.str().startswith("Operation not valid in state")
    made.init_transactions(10)
    for end in (made.commit_transaction, made.abort_transaction):
        made.begin_transaction()
        assert made.produce(batch(3, topic), 0) == (3, None)
        end(10)
    made.close()


def test_a_topic_that_cannot_be_is_refused() -> None:
    made = opened(NOBODY)
    at, error = made.produce(batch(2, "t" * 600), 0)
    assert (at, error and error.code()) == (0, KafkaError._INVALID_ARG)
    made.close()


def test_what_only_confluent_kafka_can_do_is_left_to_it() -> None:
    made = opened(NOBODY, {"default.topic.config": {"acks": "1"}})
    assert isinstance(made, ConfluentProducer)
    made.close()


def test_where_librdkafka_is_not_found_records_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*given: Any) -> None:
        raise ImportError("it shows no librdkafka")

    monkeypatch.setattr(kafka_producer, "hot", SimpleNamespace(KafkaProducer=missing))
    made = opened(NOBODY)
    assert isinstance(made, ConfluentProducer)
    made.close()
