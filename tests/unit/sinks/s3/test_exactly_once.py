"""Runs of a sink that are cut off at any moment, on one store: each record is in one file, whatever ended them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from cdc.errors import BeginAgain, TargetUnavailable
from cdc.record import Place
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
        if last and committed == total:
            break
    assert sorted(record["id"] for record in store.records()) == list(range(total))


def _run(
    store: MemoryStore, values: Sequence[tuple[int, str, int]], committed: int, now: list[int], chance: random.Random,
    writer: str, settings: dict[str, str], *, crash: bool,
) -> int:  # fmt: skip
    """One life of a task: another flush.size each time, a read of another size each time, until it is cut off."""
    flush = "1" if not crash else str(chance.randrange(1, 30))
    task = sink(store, now, writer, **{**settings, "flush_size": flush})
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
