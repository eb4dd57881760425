"""Runs of a sink that are cut off at any moment, on one store: each record is in one file, whatever ended them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from cdc.errors import BeginAgain, TargetUnavailable
from cdc.record import Place
from sinks.s3.sink import S3Sink
from tests.unit.sinks.s3.files import SCHEMA, MemoryStore, batch, rows, sink

FIELD = "io.confluent.connect.storage.partitioner.FieldPartitioner"
HOURLY = "io.confluent.connect.storage.partitioner.HourlyPartitioner"
LAYOUTS: dict[str, dict[str, str]] = {
    "partition": {},
    "field": {"partitioner_class": FIELD, "partition_field_name": "country"},
    "time of a field": {
        "partitioner_class": HOURLY, "timestamp_extractor": "RecordField", "timestamp_field": "at", "locale": "en",
        "timezone": "Europe/Vienna", "rotate_interval_ms": "1800000", "rotate_file_on_partition_change": "false",
    },
    "schedule": {"partitioner_class": FIELD, "partition_field_name": "country", "rotate_schedule_interval_ms": "50",
                 "timezone": "UTC"},
    "joined": {"compaction_target_bytes": "2000"},
    "joined by field": {"compaction_target_bytes": "600", "s3_compression_type": "gzip", "partitioner_class": FIELD,
                        "partition_field_name": "country"},
    "size": {"rotate_size_bytes": "300", "partitioner_class": FIELD, "partition_field_name": "country"},
}  # fmt: skip
PLACE: Place = ("t", 0)


class Cut(Exception):
    """The end of a run without a word."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", range(20))
def test_no_crash_loses_a_record_or_writes_it_twice(layout: str, seed: int) -> None:
    chance = random.Random(seed)
    total = 200
    values = rows(total, seed)
    store, committed, now = MemoryStore(), 0, [0]
    for run in range(1000):
        last = run > 30
        committed = _run(store, values, committed, now, chance, str(run), LAYOUTS[layout], crash=not last)
        assert [number for number, times in Counter(each["id"] for each in store.records()).items() if times > 1] == []
        if last and committed == total:
            break
    assert sorted(record["id"] for record in store.records()) == list(range(total))


def _run(
    store: MemoryStore, values: Sequence[tuple[int, str, int]], committed: int, now: list[int], chance: random.Random,
    writer: str, settings: dict[str, str], *, crash: bool,
) -> int:  # fmt: skip
    """One life of a task: another flush.size each time, a read of another size each time, until it is cut off.

    Where files are joined, the one or other life joins none any more.
    """
    changed = {"flush_size": "1" if not crash else str(chance.randrange(1, 30))}
    if "compaction_target_bytes" in settings and chance.random() < 0.3:
        changed["compaction_target_bytes"] = "0"
    task = sink(store, now, writer, **{**settings, **changed})
    at, saved = committed, committed
    try:
        while at < len(values):
            size = chance.randrange(1, 40)
            task.put([batch(values[at : at + size], at)])
            at = min(at + size, len(values))
            now[0] += chance.randrange(30)
            saved = _settled(task, store, at, saved, chance, crash=crash)
        return _settled(task, store, at, saved, chance, crash=False)
    except Cut as cut:
        task.close()
        return int(cut.args[0])


def _settled(task: object, store: MemoryStore, at: int, saved: int, chance: random.Random, *, crash: bool) -> int:
    if crash and chance.random() < 0.5:
        store.away = [chance.choice(("", "", "before", "after")) for _ in range(4)]
    while True:
        try:
            held = task.settle({PLACE: at})[PLACE]  # type: ignore[attr-defined]
        except TargetUnavailable:
            if crash and chance.random() < 0.4:
                raise Cut(saved) from None
            continue
        assert held >= saved
        if crash and chance.random() < 0.2:
            raise Cut(saved)
        if chance.random() < 0.6 or not crash:
            saved = held
        if crash and chance.random() < 0.2:
            raise Cut(saved)
        return saved


@pytest.mark.parametrize("layout", ["field", "joined", "joined by field"])
@pytest.mark.parametrize("seed", range(15))
def test_two_tasks_that_both_believe_to_have_a_partition_write_each_record_once(layout: str, seed: int) -> None:
    chance = random.Random(seed)
    values, store, committed = rows(150, seed), MemoryStore(), 0
    tasks = [Member(store, values, "a"), Member(store, values, "b")]
    for step in range(2000):
        member = chance.choice(tasks)
        if member.task is None:
            settings = {**LAYOUTS[layout], "flush_size": str(chance.randrange(1, 15))}
            member.begin(committed, settings, step)
        elif (held := member.go_on(chance)) is not None:
            committed = max(committed, held)
        found = [record["id"] for record in store.records()]
        assert len(found) == len(set(found))
        assert set(range(committed)) <= set(found)
        if committed > 130:
            break
    assert committed > 130
    for member in tasks:
        member.end()


class Member:
    """A task that is given what comes next or asked what it holds; it begins again when it must."""

    def __init__(self, store: MemoryStore, values: Sequence[tuple[int, str, int]], name: str) -> None:
        self.store, self.values, self.name = store, values, name
        self.task: S3Sink | None = None
        self.at = 0

    def begin(self, committed: int, settings: dict[str, str], run: int) -> None:
        self.task, self.at = sink(self.store, writer=f"{self.name}{run}", **settings), committed

    def go_on(self, chance: random.Random) -> int | None:
        assert self.task is not None
        more = self.values[self.at : self.at + chance.randrange(12)]
        try:
            if more:
                self.task.put([batch(more, self.at)])
                self.at += len(more)
            return self.task.settle({PLACE: self.at})[PLACE]
        except BeginAgain:
            self.end()
            return None

    def end(self) -> None:
        if self.task is not None:
            self.task.close()
        self.task = None


def test_an_answer_that_was_lost_is_known_by_the_mark() -> None:
    store = MemoryStore(away=["after"])
    task = sink(store)
    task.put([batch(rows(3))])
    with pytest.raises(TargetUnavailable):
        task.settle({PLACE: 3})
    assert task.settle({PLACE: 3}) == {PLACE: 3}


def test_a_task_that_another_one_overtook_begins_again_after_what_it_wrote() -> None:
    store = MemoryStore()
    first, second = sink(store, writer="1"), sink(store, writer="2", flush_size="4")
    first.put([batch(rows(3))])
    second.put([batch(rows(6))])
    assert second.settle({PLACE: 6}) == {PLACE: 4}
    with pytest.raises(BeginAgain, match="written by another task"):
        first.settle({PLACE: 3})
    again = sink(store, writer="3")
    again.put([batch(rows(7))])
    assert again.settle({PLACE: 7}) == {PLACE: 7}
    assert [record["id"] for record in store.records()] == list(range(7))


def test_a_partition_that_is_lost_is_neither_written_nor_held() -> None:
    store = MemoryStore()
    task = sink(store)
    task.put([batch(rows(4))])
    task.forget([PLACE])
    assert (task.settle({}), store.objects) == ({}, {})
    task.put([batch(rows(3, first=10), 10)])
    assert task.settle({PLACE: 13}) == {PLACE: 13}
    assert list(store.objects) == ["topics/t/partition=0/t+0+0000000010.json"]


def test_files_of_confluents_sink_are_replaced_by_those_of_the_same_name() -> None:
    from sinks.s3.store import UNKNOWN, Mark

    store = MemoryStore()
    store.objects["topics/t/partition=0/t+0+0000000000.json"] = b"{}\n", Mark(UNKNOWN, "")
    task = sink(store)
    task.put([batch(rows(6), schema=SCHEMA)])
    task.settle({PLACE: 6})
    assert [record["id"] for record in store.records()] == list(range(6))
