"""What Kafka's coordinator has noted of a transaction, and which of them a task may take back."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect_compat.log import TopicPartition as Place
from connect_compat.log import kafka_hanging as module
from connect_compat.log.kafka_hanging import Ended, HangingTransactions, coordinator_partition, ended_transactions

ONGOING, PREPARE_COMMIT, PREPARE_ABORT, COMMITTED, ABORTED, EMPTY = 1, 2, 3, 4, 5, 0
OFFSETS, DATA = ("offsets", 7), ("t", 0)


def key(name: str) -> bytes:
    return struct.pack(">hh", 0, len(name)) + name.encode()


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def value(state: int, places: Iterable[Place] | None = None, version: int = 1) -> bytes:
    """As Kafka's TransactionLogValue says; a tagged field behind each topic where the version has them."""
    topics: dict[str, list[int]] = {}
    for topic, number in places or ():
        topics.setdefault(topic, []).append(number)
    compact = version == 1
    count = varint(0 if places is None else len(topics) + 1) if compact else struct.pack(
        ">i", -1 if places is None else len(topics))  # fmt: skip
    found = struct.pack(">hqhib", version, 4711, 3, 60_000, state) + count
    for topic, numbers in topics.items():
        name = topic.encode()
        found += (varint(len(name) + 1) if compact else struct.pack(">h", len(name))) + name
        found += varint(len(numbers) + 1) if compact else struct.pack(">i", len(numbers))
        found += struct.pack(f">{len(numbers)}i", *numbers)
        found += b"\1\5\2xy" if compact else b""
    return found + struct.pack(">qq", 1, 2) + (b"\0" if compact else b"")


@pytest.mark.parametrize("version", [0, 1])
def test_each_end_is_told_with_the_partitions_that_were_noted_before_it(version: int) -> None:
    records = [
        (key("me"), value(PREPARE_ABORT, [("old", 1)], version)),
        (key("me"), value(ABORTED, None, version)),
        (key("me"), value(ONGOING, [OFFSETS, DATA], version)),
        (key("me"), value(PREPARE_COMMIT, [OFFSETS, DATA, ("t", 300)], version)),
        (key("another"), value(PREPARE_ABORT, [("x", 0)], version)),
        (key("me"), value(COMMITTED, None, version)),
        (key("me"), value(EMPTY, None, version)),
        (key("another"), value(ABORTED, None, version)),
    ]
    aborted, committed = Ended(False, frozenset({("old", 1)})), Ended(True, frozenset({OFFSETS, DATA, ("t", 300)}))
    assert ended_transactions("me", records) == [aborted, committed]
    assert ended_transactions("me", records[:4]) == [aborted]
    assert ended_transactions("me", records[:1]) == []
    assert ended_transactions("nobody", records) == []


def test_long_names_and_many_partitions_are_read() -> None:
    places = {("n" * 249, number) for number in range(200)} | {("é" * 70, 0)}
    records = [(key("me"), value(PREPARE_COMMIT, places)), (key("me"), value(COMMITTED))]
    assert ended_transactions("me", records) == [Ended(True, frozenset(places))]


@given(st.binary(max_size=60), st.integers(0, 60))
def test_what_cannot_be_read_says_nothing(damage: bytes, at: int) -> None:
    sound = value(PREPARE_COMMIT, [OFFSETS, DATA])
    ended_transactions("me", [(key("me"), sound[:at] + damage), (key("me"), value(COMMITTED))])
    for unknown in (value(COMMITTED, None, 7), sound[:30], None):
        assert ended_transactions("me", [(key("me"), unknown)]) == []


@pytest.mark.parametrize(
    ("text", "count", "found"),
    # from Java: Utils.abs("…".hashCode()) % count
    [
        ("a", 50, 47),
        ("restarts-c0-0", 50, 9),
        ("𝄞 longer text with more", 50, 21),
        ("polygenelubricants", 50, 0),
        ("ü", 50, 2),
        ("", 50, 0),
    ],
)
def test_an_id_stands_in_the_partition_that_java_says(text: str, count: int, found: int) -> None:
    """`polygenelubricants` hashes to the smallest integer, which has no positive."""
    assert coordinator_partition(text, count) == found


@dataclass
class Cluster:
    """`limits`: of readers of committed records, call by call, the last for ever. Every partition ends at 100."""

    limits: list[dict[Place, int]]
    counts: dict[str, int] = field(default_factory=lambda: {"offsets": 25, "t": 2})
    address: str = "broker:9092"

    def topics(self) -> dict[str, int]:
        return self.counts

    def ends_of(self, places: Iterable[Place], *, committed: bool = False) -> dict[Place, int]:
        if not committed:
            return dict.fromkeys(places, 100)
        now = self.limits.pop(0) if len(self.limits) > 1 else self.limits[0]
        return {place: now.get(place, 100) for place in places}


def held(
    monkeypatch: pytest.MonkeyPatch, ended: Sequence[Ended], *limits: dict[Place, int], **given: Any
) -> Sequence[Any]:
    """Partitions and offsets of what may be taken back. The first held record of `offsets` has key `["me",{}]`."""
    own = given.pop("key", b'["me",{}]')
    looked = HangingTransactions({}, Cluster(list(limits), **given), "id")  # type: ignore[arg-type]

    def record(place: Place, offset: int) -> Any:
        return SimpleNamespace(key=lambda: own if place == OFFSETS else None, place=(*place, offset))

    monkeypatch.setattr(module, "_STILL_S", 0.0)
    monkeypatch.setattr(looked, "_ended", lambda: ended)
    monkeypatch.setattr(looked, "_record", record)
    return sorted(each.place for each in looked.held(lambda key: key.startswith(b'["me",')))  # type: ignore[attr-defined]


def ended(outcome: str, *places: Place) -> Ended:
    return Ended(outcome == "committed", frozenset(places))


WHOLE = ended("committed", OFFSETS, DATA)


def test_a_committed_transaction_that_shows_nowhere_may_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = held(monkeypatch, [WHOLE], {OFFSETS: 40, DATA: 7})
    assert found == [("offsets", 7, 40), ("t", 0, 7)]


@pytest.mark.parametrize(
    ("after", "may"),
    [
        ([], False),
        ([ended("aborted", DATA)], True),
        ([ended("committed", DATA)], False),
        ([ended("aborted", DATA), ended("committed", DATA)], True),
        ([ended("committed", DATA), ended("aborted", DATA)], False),
        ([ended("aborted", ("t", 1))], False),
    ],
    ids=["nothing", "abort", "commit", "abort and commit", "commit and abort", "abort elsewhere"],
)
def test_a_part_that_is_not_held_was_taken_back_if_what_came_next_there_was_aborted(
    monkeypatch: pytest.MonkeyPatch, after: list[Ended], may: bool
) -> None:
    before = ended("aborted", OFFSETS, DATA)
    assert held(monkeypatch, [before, WHOLE, *after], {OFFSETS: 40}) == ([("offsets", 7, 40)] if may else [])


def test_of_an_aborted_one_the_rest_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(monkeypatch, [WHOLE, ended("aborted", OFFSETS, DATA)], {OFFSETS: 40}) == [("offsets", 7, 40)]


def test_a_topic_that_is_gone_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(monkeypatch, [WHOLE], {OFFSETS: 40}, counts={"offsets": 25}) == [("offsets", 7, 40)]


@pytest.mark.parametrize(
    ("ended", "limits", "key"),
    [
        ([], [{OFFSETS: 40, DATA: 7}], b'["me",{}]'),
        ([WHOLE], [{}], b'["me",{}]'),
        ([WHOLE], [{OFFSETS: 40, DATA: 7}, {OFFSETS: 41, DATA: 7}], b'["me",{}]'),
        ([WHOLE], [{OFFSETS: 40, DATA: 7}], b'["me too",{}]'),
    ],
    ids=["none ended", "none held", "one that goes on", "another's"],
)
def test_what_is_not_known_for_certain_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, ended: list[Ended], limits: list[dict[Place, int]], key: bytes
) -> None:
    assert held(monkeypatch, ended, *limits, key=key) == []
