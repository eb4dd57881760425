"""A reader over a client that fails among records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from cdc.errors import LogUnavailable
from connect_compat.log.kafka_read import KafkaReader


class Message:
    """A record at `offset` of `t`, or an event."""

    def __init__(self, offset: int, error: KafkaError | None = None) -> None:
        self._offset, self._error = offset, error

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def headers(self) -> None:
        return None


class Client:
    """Gives what the script says, once each: messages, or an exception."""

    def __init__(self, *script: Sequence[Message] | Exception) -> None:
        self.script = list(script)

    def consume(self, count: int, timeout_s: float) -> list[Message]:
        step = self.script.pop(0) if self.script else []
        if isinstance(step, Exception):
            raise step
        return list(step)

    def subscribe(self, *args: Any, **callbacks: Any) -> None: ...

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition("t", 0)]

    def list_topics(self, timeout: float) -> Any:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def reader(*script: Sequence[Message] | Exception) -> KafkaReader:
    client = cast(Callable[[dict[str, Any]], Consumer], lambda settings: Client(*script))
    return KafkaReader({"group.id": "g"}, "broker:9092", ["t"], None, client)


@pytest.mark.parametrize(
    "failing",
    [
        ([Message(0)], [Message(1), Message(2, KafkaError(KafkaError.LEADER_NOT_AVAILABLE)), Message(2)]),
        ([Message(0)], KafkaException(KafkaError(KafkaError._STATE))),
    ],
    ids=["an event among records", "an exception after a record"],
)
def test_records_that_came_with_a_failure_are_delivered_after_it(failing: Any) -> None:
    made = reader(*failing, [Message(3)])
    with pytest.raises(LogUnavailable):
        made.read(100, 0.1)
    found = [record.offset for _ in range(3) for record in made.read(100, 0.1)]
    assert found == ([0, 1, 2, 3] if isinstance(failing[1], list) else [0, 3])


class Rebalancing(Client):
    """Takes no offsets until a rebalance is over; then the partition is still this member's, or it is not."""

    def __init__(self, *, kept: bool, whole: bool) -> None:
        """`whole`: it is the call that fails, not each partition in its answer."""
        super().__init__()
        self.refusals, self.kept, self.whole, self.taken = 2, kept, whole, list[int]()
        self.revoked: Any = None

    def subscribe(self, *args: Any, **callbacks: Any) -> None:
        self.revoked = callbacks["on_revoke"]

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> Sequence[Any]:
        if self.refusals:
            self.refusals -= 1
            refusal = KafkaError(KafkaError.REBALANCE_IN_PROGRESS)
            if self.whole:
                raise KafkaException(refusal)
            return [SimpleNamespace(topic=each.topic, partition=each.partition, error=refusal) for each in offsets]
        self.taken += [place.offset for place in offsets]
        return offsets

    def assignment(self) -> list[TopicPartition]:
        return super().assignment() if self.kept or self.refusals else []


@pytest.mark.parametrize("whole", [True, False], ids=["the call is refused", "its partitions are"])
@pytest.mark.parametrize(("kept", "taken"), [(True, [7]), (False, [])])
def test_offsets_that_come_during_a_rebalance_are_committed_after_it_if_the_partition_stays(
    kept: bool, taken: list[int], whole: bool
) -> None:
    client = Rebalancing(kept=kept, whole=whole)
    made = KafkaReader({"group.id": "g"}, "broker:9092", ["t"], None, cast(Any, lambda settings: client))
    made.commit({("t", 0): 5})
    made.commit({("t", 0): 7})
    for _ in range(3):
        assert made.read(100, 0.01) == []
    assert client.taken == taken
