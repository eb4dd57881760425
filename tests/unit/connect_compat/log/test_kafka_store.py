"""A topic that is read to the end that stood when the reading began."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from connect_compat.log import kafka_store as module
from connect_compat.log.kafka_store import HeldBack, TopicScan


class Busy:
    """A consumer of a topic that others write to: partition 0 gives one record more at each call, 1 gives nothing."""

    def __init__(self, *_: Any) -> None:
        self._offsets = count()

    def incremental_assign(self, places: list[Any]) -> None:
        assert [place.partition for place in places] == [0, 1]

    def consume(self, number: int, timeout: float) -> list[Any]:
        offset = next(self._offsets)
        return [SimpleNamespace(error=lambda: None, partition=lambda: 0, offset=lambda: offset)]


def test_what_others_write_meanwhile_does_not_hide_that_a_partition_is_held_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "build", Busy)
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    admin = SimpleNamespace(address="broker:9092", ends=lambda topic, partitions: {("t", 0): 5, ("t", 1): 1})
    found = TopicScan({}, admin, "t", 2).to_end()  # type: ignore[arg-type]
    with pytest.raises(HeldBack, match="nothing comes of partition 1,"):
        for _ in found:
            pass
