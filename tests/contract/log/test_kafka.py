"""What only the log in Kafka promises: Kafka Connect's own topics, bounded waits, refusals in words."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    ResourceType,
)

from cdc.errors import ConfigError, LogError, LogUnavailable
from cdc.record import SourceOffset
from connect_compat.log import Encoded, LogRecord, LogSettings, Reader, TopicSpec
from connect_compat.log.kafka import KafkaLog

ONE_COPY = {f"{kind}.storage.replication.factor": "1" for kind in ("config", "offset", "status")}


@pytest.fixture
def group(kafka_settings: LogSettings) -> str:
    """A `group.id` of the test's own; its topics go with those of the session."""
    return f"{kafka_settings.group_id}-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def log(kafka_settings: LogSettings, group: str) -> Iterator[KafkaLog]:
    opened = KafkaLog(LogSettings(client=kafka_settings.client, group_id=group, internal=ONE_COPY))
    yield opened
    opened.close()


def config_of(log_settings: LogSettings, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient(dict(log_settings.client))
    (future,) = admin.describe_configs([resource]).values()
    return {name: entry.value for name, entry in future.result(10).items()}


def raw(settings: LogSettings, topic: str, partitions: int) -> list[tuple[bytes | None, bytes | None]]:
    with closing(Consumer({**settings.client, "group.id": "x", "auto.offset.reset": "earliest"})) as consumer:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        found = []
        while (message := consumer.poll(3)) is not None:
            assert message.error() is None, message.error()
            found.append((message.key(), message.value()))
        return found


def test_internal_topics_are_made_as_kafka_connect_makes_them(
    log: KafkaLog, kafka_settings: LogSettings, group: str
) -> None:
    log.configs().put([("connector-a", b"{}")])
    log.statuses().put([("status-connector-a", b"{}")])
    log.save_source_offsets("a", [SourceOffset({"server": "x"}, {"pos": 1})])
    topics = log.topics()
    assert {name: topics[f"{group}-{name}"] for name in ("configs", "offsets", "status")} == {
        "configs": 1, "offsets": 25, "status": 5}  # fmt: skip
    for name in ("configs", "offsets", "status"):
        assert config_of(kafka_settings, f"{group}-{name}")["cleanup.policy"] == "compact"


def test_offsets_are_written_byte_for_byte_as_kafka_connect_writes_them(
    log: KafkaLog, kafka_settings: LogSettings, group: str
) -> None:
    where = {"ts_sec": 1700000000, "file": "binlog.000003", "pos": 154, "row": 1, "server_id": 223344, "event": 2}
    with closing(log.appender("inv", 0, {})) as appender:
        appender.append([], [SourceOffset({"server": "dbserver1"}, where)])
        appender.flush()
    log.save_source_offsets("inv", [SourceOffset({"server": "dbserver1"}, None)])
    assert raw(kafka_settings, f"{group}-offsets", 25) == [
        (b'["inv",{"server":"dbserver1"}]',
         b'{"ts_sec":1700000000,"file":"binlog.000003","pos":154,"row":1,"server_id":223344,"event":2}'),
        (b'["inv",{"server":"dbserver1"}]', None),
    ]  # fmt: skip


def test_an_internal_topic_that_would_forget_records_is_refused(log: KafkaLog, group: str) -> None:
    log.create_topics([TopicSpec(f"{group}-configs", 1, 1, {"cleanup.policy": "delete"})])
    with pytest.raises(LogError, match=r"cleanup\.policy=delete .* --add-config cleanup\.policy=compact"):
        log.configs().all()


def test_more_copies_than_brokers_are_refused_in_words(kafka_settings: LogSettings, group: str) -> None:
    log = KafkaLog(LogSettings(client=kafka_settings.client, group_id=group))
    with pytest.raises(LogError, match=rf"create topic {group}-configs \(partitions=1, replication\.factor=3"):
        log.configs().put([("a", b"1")])
    log.close()


def test_a_record_that_is_too_large_is_refused_with_topic_size_and_remedy(log: KafkaLog, group: str) -> None:
    topic = f"{group}-large"
    big = Encoded(topic, [b"k"], [os.urandom(1_500_000)], [()])
    for client in ({}, {"max.request.size": "3000000"}):  # refused by the client, then by the broker
        told = rf"1500001 bytes for topic {topic}: .*max\.request\.size"
        with closing(log.appender("large", 0, client)) as appender, pytest.raises(LogError, match=told) as refused:
            appender.append([big], [SourceOffset({"server": "x"}, {"pos": 1})])
            appender.flush()
        assert not refused.value.retriable
    assert list(log.source_offsets("large")) == [], "no offset is saved past a record that was refused"


def test_a_record_without_a_key_for_a_compacted_topic_is_refused(log: KafkaLog, group: str) -> None:
    topic = f"{group}-compact"
    log.create_topics([TopicSpec(topic, 1, 1, {"cleanup.policy": "compact"})])
    with closing(log.appender("c", 0, {})) as appender, pytest.raises(LogError, match="only records with a key"):
        appender.append([Encoded(topic, [None], [b"v"], [()])], [])
        appender.flush()


def test_every_call_fails_within_seconds_when_no_broker_answers() -> None:
    log = KafkaLog(LogSettings(client={"bootstrap.servers": "127.0.0.1:1"}, group_id="away"))
    appender = log.appender("c", 0, {})
    reader = log.reader("g", ["t"], None, {})

    def append() -> None:
        appender.append([Encoded("t", [b"k"], [b"v"], [()])], [])
        appender.flush()

    def read() -> None:
        while True:
            reader.read(10, 0.5)

    calls: list[Callable[[], object]] = [
        log.cluster_id, log.topics, append, read, lambda: log.create_topics([TopicSpec("t", 1, 1)]),
        lambda: log.source_offsets("c"), lambda: log.group_offsets("g"), lambda: log.delete_group("g"),
        lambda: log.configs().put([("a", b"1")]), lambda: log.topic("h", {}).append([(None, b"v")]),
        lambda: list(log.topic("h", {}).read()),
    ]  # fmt: skip

    def failure(call: Callable[[], object]) -> tuple[float, BaseException | None]:
        began = time.monotonic()
        try:
            call()
        except BaseException as error:
            return time.monotonic() - began, error
        return time.monotonic() - began, None

    with ThreadPoolExecutor(len(calls)) as pool:
        for took, error in pool.map(failure, calls):
            assert isinstance(error, LogUnavailable), error
            assert "127.0.0.1:1" in str(error)
            assert took < 20
    appender.close()
    reader.close()
    log.close()


def test_settings_without_a_broker_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"bootstrap\.servers names no broker"):
        KafkaLog(LogSettings())


def read(reader: Reader, count: int) -> list[LogRecord]:
    found: list[LogRecord] = []
    deadline = time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} records"
        found += reader.read(count - len(found), 0.5)
    return found


def test_a_partition_that_was_lost_by_a_paused_reader_is_read_when_it_comes_back(log: KafkaLog, group: str) -> None:
    topic, limits = f"{group}-t", {"max.poll.interval.ms": "6000", "session.timeout.ms": "6000"}
    with (
        closing(log.appender("c", 0, {})) as appender,
        closing(log.reader(f"{group}-g", [topic], None, limits)) as reader,
    ):
        appender.append([Encoded(topic, [b"k"] * 3, [b"v"] * 3, [()] * 3)], [])
        appender.flush()
        read(reader, 3)
        reader.commit({(topic, 0): 3})
        reader.pause()
        appender.append([Encoded(topic, [b"k"] * 3, [b"w"] * 3, [()] * 3)], [])
        appender.flush()
        time.sleep(7)
        deadline = time.monotonic() + 20
        while not reader.lost():
            assert time.monotonic() < deadline, "the group never took the partition away"
            with suppress(LogUnavailable):
                reader.read(10, 0.5)
        reader.resume()
        assert [record.value for record in read(reader, 3)] == [b"w"] * 3


def test_marks_of_transactions_are_no_backlog(log: KafkaLog, kafka_settings: LogSettings, group: str) -> None:
    topic = f"{group}-t"
    producer = Producer({**kafka_settings.client, "transactional.id": group})
    producer.init_transactions(20)
    for _ in range(2):
        producer.begin_transaction()
        producer.produce(topic, b"v", b"k")
        producer.commit_transaction(20)
    with closing(log.reader(f"{group}-g", [topic], None, {})) as reader:
        assert [record.offset for record in read(reader, 2)] == [0, 2]
        deadline = time.monotonic() + 10
        while reader.backlog() != 0:
            assert time.monotonic() < deadline, f"a backlog of {reader.backlog()} after the last record"
            assert list(reader.read(10, 0.2)) == []
