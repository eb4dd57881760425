"""A batch handed to a producer whose queue is full now and then: every record once, in order."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from cdc.errors import LogFenced
from connect_compat.log import Encoded, kafka_producer
from connect_compat.log.kafka_append import KafkaAppender, KafkaWriter

ONE, OTHER = [("a", b"1")], [("b", b"2")]


class Client:
    """confluent_kafka's producer; `refused` are the calls of `produce` that find the queue full."""

    def __init__(self, refused: set[int]) -> None:
        self.refused, self.calls = refused, 0
        self.records: list[Any] = []
        self.purge = self.flush = self.close = self.init_transactions = self.poll
        self.begin_transaction = self.commit_transaction = self.abort_transaction = self.poll

    def __len__(self) -> int:
        return len(self.records)

    def poll(self, *timeout: float) -> int:
        return 0

    def produce(self, topic: str, value: Any, key: Any, partition: int, _a: None, _b: None, timestamp: int,
                headers: Any) -> None:  # fmt: skip
        self.calls += 1
        if self.calls in self.refused:
            raise BufferError
        self.records.append((topic, value, key, partition, timestamp, headers))


@pytest.mark.parametrize("refused", [set(), {1}, {5}, {2, 3}, {1, 2, 3, 4, 5}], ids=str)
@pytest.mark.parametrize("partition", [None, 3])
@pytest.mark.parametrize("timestamps", [None, [10, 11, 12, 13, 14]])
@pytest.mark.parametrize("headers", [[ONE] * 5, [()] * 5, [ONE, ONE, OTHER, (), ONE]], ids=["same", "none", "various"])
def test_each_record_is_handed_over_once_and_in_order(
    refused: set[int], partition: int | None, timestamps: list[int] | None, headers: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    client = Client(refused)
    monkeypatch.setattr(kafka_producer, "Producer", lambda settings: client)
    monkeypatch.setattr(kafka_producer, "hot", None)
    batch = Encoded("t", [b"k", None, b"", b"k", b"l"], [b"0", b"1", None, b"3", b"4"], headers, partition, timestamps)
    appender = KafkaAppender(KafkaWriter({}, "there"), "c", lambda: "offsets")
    appender.append([batch, Encoded("t", [], [], [])], [])
    assert client.records == [
        ("t", value, key, -1 if partition is None else partition, time, list(given) or None)
        for value, key, time, given in zip(batch.values, batch.keys, timestamps or [0] * 5, headers, strict=True)
    ]


class Dead:
    """A producer after a fatal error."""

    def __len__(self) -> int:
        return 1

    def flush(self, timeout: float) -> int:
        raise KafkaException(KafkaError(KafkaError._FENCED, "shut out", True))

    purge = close = lambda self: self.flush(0)


def test_a_writer_says_once_why_it_is_of_no_use_and_then_closes_in_silence() -> None:
    writer: Any = KafkaWriter({"bootstrap.servers": "127.0.0.1:1"}, "127.0.0.1:1")
    alive, writer.producer = writer.producer, Dead()
    with pytest.raises(LogFenced, match="shut out"):
        writer.wait()
    writer.close()
    alive.close()
