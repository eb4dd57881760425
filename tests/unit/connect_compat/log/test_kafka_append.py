"""A batch handed to a producer whose queue is full now and then: every record once, in order."""

from __future__ import annotations

from typing import Any

import pytest

from connect_compat.log import Encoded
from connect_compat.log.kafka_append import KafkaAppender

ONE, OTHER = [("a", b"1")], [("b", b"2")]


class Writer:
    """Takes what a KafkaWriter takes; `refused` are the calls of `produce` that find the queue full."""

    def __init__(self, refused: set[int]) -> None:
        self.refused, self.calls = refused, 0
        self.records: list[Any] = []
        self.producer = self

    def check(self) -> None: ...

    def poll(self, timeout: float) -> int:
        return 0

    def produce(self, topic: str, value: Any, key: Any, partition: int, _a: None, _b: None, timestamp: int,
                headers: Any) -> None:  # fmt: skip
        self.calls += 1
        if self.calls in self.refused:
            raise BufferError
        self.records.append((topic, value, key, partition, timestamp, headers))

    def write(self, *record: Any) -> None:
        self.records.append(record)


@pytest.mark.parametrize("refused", [set(), {1}, {5}, {2, 3}, {1, 2, 3, 4, 5}], ids=str)
@pytest.mark.parametrize("partition", [None, 3])
@pytest.mark.parametrize("timestamps", [None, [10, 11, 12, 13, 14]])
@pytest.mark.parametrize("headers", [[ONE] * 5, [()] * 5, [ONE, ONE, OTHER, (), ONE]], ids=["same", "none", "various"])
def test_each_record_is_handed_over_once_and_in_order(
    refused: set[int], partition: int | None, timestamps: list[int] | None, headers: list[Any]
) -> None:
    writer: Any = Writer(refused)
    batch = Encoded("t", [b"k", None, b"", b"k", b"l"], [b"0", b"1", None, b"3", b"4"], headers, partition, timestamps)
    KafkaAppender(writer, "c", lambda: "offsets").append([batch, Encoded("t", [], [], [])], [])
    assert writer.records == [
        ("t", value, key, -1 if partition is None else partition, time, list(given) or None)
        for value, key, time, given in zip(batch.values, batch.keys, timestamps or [0] * 5, headers, strict=True)
    ]
