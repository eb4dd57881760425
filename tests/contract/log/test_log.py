"""What every log must do, asked of the embedded log and of a real Kafka broker alike."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cdc.errors import LogError
from cdc.record import SourceOffset
from connect_compat.log import Encoded, Log, LogRecord, Reader, TopicSpec, open_log

if TYPE_CHECKING:
    from tests.contract.log.conftest import Place

ROOT = Path(__file__).parents[3]


def batch(topic: str, count: int, first: int = 0, partition: int | None = None) -> Encoded:
    numbers = range(first, first + count)
    keys = [b"%d" % n for n in numbers]
    return Encoded(topic, keys, [b"v%d" % n for n in numbers], [()] * count, partition)


def append(log: Log, *batches: Encoded, offsets: Sequence[SourceOffset] = ()) -> Sequence[SourceOffset]:
    with closing(log.appender("inventory", 0, {})) as appender:
        appender.append(batches, offsets)
        return appender.flush()


def read(reader: Reader, count: int, within_s: float = 30) -> list[LogRecord]:
    found: list[LogRecord] = []
    deadline = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < deadline:
        found += reader.read(500, 0.5)
    return found


def read_topic(log: Log, topic: str, count: int) -> list[LogRecord]:
    with closing(log.reader(f"connect-{topic}-reader", [topic], None, {})) as reader:
        return read(reader, count)


def eventually(holds: Callable[[], bool], within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


class Process:
    """`other_process.py` as its own process on the same log."""

    def __init__(self, place: Place, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.contract.log.other_process", json.dumps(asdict(place.settings))]
        self._process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def events(self) -> Iterator[Any]:
        assert self._process.stdout is not None
        return (json.loads(line) for line in self._process.stdout if line.endswith("\n"))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process(place, *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


# Topics


def test_topics_are_created_once_and_keep_their_partitions(log: Log, place: Place) -> None:
    name = place.name("t")
    assert name not in log.topics()
    log.create_topics([TopicSpec(name, 3, 1)])
    log.create_topics([TopicSpec(name, 5, 1)])
    assert eventually(lambda: log.topics().get(name) == 3)


def test_deleted_topics_are_gone(log: Log, place: Place) -> None:
    name = place.name("t")
    log.create_topics([TopicSpec(name, 1, 1)])
    assert eventually(lambda: name in log.topics())
    log.delete_topics([name, place.name("never-was")])
    assert eventually(lambda: name not in log.topics())


def test_an_illegal_topic_name_is_refused(log: Log, place: Place) -> None:
    with pytest.raises(LogError, match="only letters, digits"):
        log.create_topics([TopicSpec(place.name("not a topic"), 1, 1)])


def test_the_cluster_id_never_changes(log: Log, place: Place) -> None:
    again = open_log(place.settings)
    assert log.cluster_id() == again.cluster_id() != ""
    again.close()


def test_appending_creates_a_missing_topic(log: Log, place: Place) -> None:
    append(log, batch(place.name("t"), 1))
    assert log.topics()[place.name("t")] == 1


# Records


def test_records_come_out_in_order_with_consecutive_offsets(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 2500), batch(topic, 10, 2500))
    records = read_topic(log, topic, 2510)
    assert [r.offset for r in records] == list(range(2510))
    assert [r.key for r in records] == [b"%d" % n for n in range(2510)]
    assert [r.value for r in records] == [b"v%d" % n for n in range(2510)]
    assert {(r.topic, r.partition) for r in records} == {(topic, 0)}


def test_headers_nulls_and_timestamps_come_out_as_they_went_in(log: Log, place: Place) -> None:
    topic = place.name("t")
    headers: list[tuple[tuple[str, bytes | None], ...]] = [
        (("a", b"1"), ("a", b"2"), ("b", None), ("é", b"")),
        (),
        (("c", b"\x00\xff"),),
        (),
    ]
    keys, values, timestamps = [b"k", None, b"", b"k"], [b"v", b"v", None, b""], [1, 1700000000123, 5, 4]
    append(log, Encoded(topic, keys, values, headers, None, timestamps))
    records = read_topic(log, topic, 4)
    assert [r.key for r in records] == keys
    assert [r.value for r in records] == values
    assert [r.timestamp for r in records] == timestamps
    assert [[tuple(h) for h in r.headers] for r in records] == [list(h) for h in headers]


def test_records_without_a_timestamp_get_the_time_of_the_append(log: Log, place: Place) -> None:
    before = time.time_ns() // 1_000_000
    append(log, batch(place.name("t"), 1))
    (record,) = read_topic(log, place.name("t"), 1)
    assert before <= record.timestamp <= time.time_ns() // 1_000_000


def test_keys_choose_the_partition_that_kafka_s_java_clients_choose(log: Log, place: Place) -> None:
    topic = place.name("t")
    log.create_topics([TopicSpec(topic, 4, 1)])
    append(log, batch(topic, 60))
    placed = {r.key: r.partition for r in read_topic(log, topic, 60)}
    # From kafka-clients 4.3.1: BuiltInPartitioner.partitionForKey(key, 4).
    expected = [0, 3, 0, 3, 1, 2, 2, 3, 3, 3, 2, 0, 2, 3, 3, 2, 1, 0, 0, 3]
    assert [placed[b"%d" % n] for n in range(20)] == expected


def test_a_batch_may_name_its_partition(log: Log, place: Place) -> None:
    topic = place.name("t")
    log.create_topics([TopicSpec(topic, 3, 1)])
    append(log, batch(topic, 20, partition=2))
    assert {r.partition for r in read_topic(log, topic, 20)} == {2}


def test_end_offsets_are_the_next_to_be_given(log: Log, place: Place) -> None:
    topic = place.name("t")
    log.create_topics([TopicSpec(topic, 2, 1)])
    append(log, batch(topic, 7, partition=1))
    assert log.end_offsets(topic) == {(topic, 0): 0, (topic, 1): 7}
    assert log.end_offsets(place.name("never-was")) == {}


def test_what_was_flushed_is_seen_by_another_process(log: Log, place: Place, start: Callable[..., Process]) -> None:
    topic = place.name("t")
    append(log, batch(topic, 300))
    assert next(start("read-all", topic, "300").events()) == [[n, str(n), f"v{n}"] for n in range(300)]


def test_large_records_of_many_sizes_come_out_whole(log: Log, place: Place) -> None:
    topic = place.name("t")
    values = [bytes([n]) * (n * 40_000) for n in range(20)]
    append(log, Encoded(topic, [None] * 20, values, [()] * 20, 0))
    assert [r.value for r in read_topic(log, topic, 20)] == values


# Source offsets


def offset(server: str, **where: Any) -> SourceOffset:
    return SourceOffset({"server": server}, where)


def test_flush_saves_and_returns_the_newest_position_of_each_partition(log: Log, place: Place) -> None:
    connector = place.name("c")
    with closing(log.appender(connector, 0, {})) as appender:
        appender.append([batch(place.name("t"), 3)], [offset("a", pos=1), offset("b", pos=1)])
        appender.append([], [offset("a", pos=2, file="x")])
        assert list(appender.flush()) == [offset("a", pos=2, file="x"), offset("b", pos=1)]
        assert list(appender.flush()) == []
    assert sorted(log.source_offsets(connector), key=str) == [offset("a", pos=2, file="x"), offset("b", pos=1)]


def test_what_was_not_flushed_is_dropped_on_close(log: Log, place: Place) -> None:
    connector = place.name("c")
    with closing(log.appender(connector, 0, {})) as appender:
        appender.append([], [offset("a", pos=1)])
    assert list(log.source_offsets(connector)) == []


def test_source_offsets_are_saved_loaded_and_forgotten(log: Log, place: Place) -> None:
    one, two = place.name("c"), place.name("c2")
    log.save_source_offsets(one, [offset("a", pos=1), offset("b", gtids="x:1-5", snapshot=None)])
    log.save_source_offsets(two, [offset("a", pos=9)])
    log.save_source_offsets(one, [offset("a", pos=2), SourceOffset({"server": "b"}, None)])
    assert list(log.source_offsets(one)) == [offset("a", pos=2)]
    assert list(log.source_offsets(two)) == [offset("a", pos=9)]


def test_a_partition_map_is_the_same_in_any_order_of_its_members(log: Log, place: Place) -> None:
    connector = place.name("c")
    log.save_source_offsets(connector, [SourceOffset({"server": "a", "database": "d"}, {"pos": 1})])
    log.save_source_offsets(connector, [SourceOffset({"database": "d", "server": "a"}, {"pos": 2})])
    assert [(dict(p), o) for p, o in log.source_offsets(connector)] == [({"server": "a", "database": "d"}, {"pos": 2})]
    log.save_source_offsets(connector, [SourceOffset({"server": "a", "database": "d"}, None)])
    assert list(log.source_offsets(connector)) == []


def test_a_killed_appender_leaves_no_offset_without_its_records(
    log: Log, place: Place, start: Callable[..., Process]
) -> None:
    topic, connector = place.name("t"), place.name("c")
    process = start("append", connector, topic)
    events = process.events()
    flushed = [next(events) for _ in range(5)][-1][0]["pos"]
    process.kill()
    saved = log.source_offsets(connector)[0].offset
    assert saved is not None
    (end,) = log.end_offsets(topic).values()
    assert flushed <= saved["pos"] <= end
    if place.settings.path is not None:
        assert end == saved["pos"], "records and offset commit in one transaction: both or none"
    assert [r.value for r in read_topic(log, topic, end)] == [b"v%d" % n for n in range(end)]


# Groups


def test_a_group_resumes_where_it_committed(log: Log, place: Place) -> None:
    topic, group = place.name("t"), place.name("g")
    append(log, batch(topic, 100))
    with closing(log.reader(group, [topic], None, {})) as reader:
        assert len(read(reader, 100)) == 100
        reader.commit({(topic, 0): 40})
    assert log.group_offsets(group) == {(topic, 0): 40}
    with closing(log.reader(group, [topic], None, {})) as reader:
        assert [r.offset for r in read(reader, 60)] == list(range(40, 100))


def test_a_reader_waits_no_longer_than_told_and_wakes_when_records_come(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 1))
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader, \
         closing(log.appender("inventory", 0, {})) as appender:  # fmt: skip
        assert len(read(reader, 1)) == 1
        began = time.monotonic()
        assert list(reader.read(10, 0.3)) == []
        assert 0.25 < time.monotonic() - began < 1.5
        appender.append([batch(topic, 1)], [])
        appender.flush()
        began = time.monotonic()
        assert len(reader.read(10, 20)) == 1
        assert time.monotonic() - began < 2


def test_a_read_gives_no_more_records_than_asked_for(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 50))
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader:
        sizes: list[int] = []
        while sum(sizes) < 50:
            wanted = 1 if len(sizes) % 2 else 20
            sizes.append(len(reader.read(wanted, 5)))
            assert sizes[-1] <= wanted


def test_a_paused_reader_delivers_nothing_until_it_resumes(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 20))
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader:
        assert len(read(reader, 20)) == 20
        reader.pause()
        append(log, batch(topic, 5, 20))
        assert list(reader.read(10, 1)) == []
        reader.resume()
        assert [r.offset for r in read(reader, 5)] == list(range(20, 25))


def test_a_reader_paused_before_its_first_read_delivers_all_once_it_resumes(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 20))
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader:
        reader.pause()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            assert list(reader.read(10, 0.5)) == []
        reader.resume()
        assert [r.offset for r in read(reader, 20)] == list(range(20))


def test_the_backlog_is_what_was_not_read_yet(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 100))
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader:
        seen = 0
        while not seen:
            seen = len(reader.read(30, 1))
        assert reader.backlog() == 100 - seen
        read(reader, 100 - seen)
        assert reader.backlog() == 0


def split_evenly(first: Reader, second: Reader, topic: str, log: Log, count: int) -> dict[int, str]:
    """Which reader got which partition, once each has got half: one record to each partition a round."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        append(log, *[batch(topic, 1, partition=number) for number in range(count)])
        got: dict[int, str] = {}
        for name, reader in (("first", first), ("second", second)) * 2:
            for record in reader.read(100, 0.3):
                got[record.partition] = name
        if len(got) == count and set(got.values()) == {"first", "second"}:
            return got
    raise AssertionError(f"the members never split the partitions: {got}")


def test_two_members_split_the_partitions_and_the_first_is_told_what_it_lost(log: Log, place: Place) -> None:
    topic, group = place.name("t"), place.name("g")
    log.create_topics([TopicSpec(topic, 4, 1)])
    append(log, *[batch(topic, 5, partition=number) for number in range(4)])
    with closing(log.reader(group, [topic], None, {})) as first:
        assert len(read(first, 20)) == 20
        first.commit({(topic, number): 5 for number in range(4)})
        with closing(log.reader(group, [topic], None, {})) as second:
            got = split_evenly(first, second, topic, log, 4)
            assert sorted(got.values()) == ["first", "first", "second", "second"]
            assert set(first.lost()) == {(topic, number) for number, name in got.items() if name == "second"}
            assert list(first.lost()) == []
        append(log, *[batch(topic, 1, partition=number) for number in range(4)])
        moved: set[int] = set()

        def all_read() -> bool:
            moved.update(record.partition for record in first.read(100, 0.3))
            return len(moved) == 4

        assert eventually(all_read)


def test_the_partitions_of_a_killed_member_move_within_seconds(
    log: Log, place: Place, start: Callable[..., Process]
) -> None:
    topic, group = place.name("t"), place.name("g")
    log.create_topics([TopicSpec(topic, 2, 1)])
    append(log, *[batch(topic, 3, partition=number) for number in range(2)])
    process = start("read", group, topic)
    events = process.events()
    assert len([next(events) for _ in range(6)]) == 6
    with closing(log.reader(group, [topic], None, {})) as reader:
        process.kill()
        began = time.monotonic()
        assert {(r.partition, r.offset) for r in read(reader, 6)} == {(p, o) for p in range(2) for o in range(3)}
        assert time.monotonic() - began < 15


def test_a_commit_of_partitions_lost_meanwhile_is_left_to_their_new_owner(log: Log, place: Place) -> None:
    topic, group = place.name("t"), place.name("g")
    append(log, batch(topic, 10))
    with closing(log.reader(group, [topic], None, {})) as first:
        read(first, 10)
        first.commit({(topic, 0): 4})
        first.commit({})
    with closing(log.reader(group, [topic], None, {})) as second:
        assert [r.offset for r in read(second, 6)] == list(range(4, 10))


def test_a_pattern_takes_in_topics_made_later(log: Log, place: Place) -> None:
    append(log, batch(place.name("a.orders"), 3), batch(place.name("a.orders.old"), 3))
    pattern = rf"{place.prefix}-\w+\.(?!internal)[a-z]+"
    with closing(log.reader(place.name("g"), [], pattern, {})) as reader:
        assert {r.topic for r in read(reader, 3)} == {place.name("a.orders")}
        append(log, batch(place.name("b.lines"), 4), batch(place.name("b.internal"), 4))
        assert [(r.topic, r.offset) for r in read(reader, 4)] == [(place.name("b.lines"), n) for n in range(4)]
        assert list(reader.read(10, 1)) == []


def test_a_reader_may_wait_for_a_topic_that_does_not_exist_yet(log: Log, place: Place) -> None:
    topic = place.name("t")
    with closing(log.reader(place.name("g"), [topic], None, {})) as reader:
        assert list(reader.read(10, 0.5)) == []
        assert topic not in log.topics()
        append(log, batch(topic, 3))
        assert len(read(reader, 3)) == 3


def test_a_reader_may_begin_at_the_end(log: Log, place: Place) -> None:
    topic = place.name("t")
    append(log, batch(topic, 5))
    with closing(log.reader(place.name("g"), [topic], None, {"auto.offset.reset": "latest"})) as reader:
        assert read(reader, 1, within_s=5) == []
        append(log, batch(topic, 2, 5))
        assert [r.offset for r in read(reader, 2)] == [5, 6]


def test_group_offsets_are_altered_and_deleted_while_nobody_reads(log: Log, place: Place) -> None:
    topic, group = place.name("t"), place.name("g")
    log.create_topics([TopicSpec(topic, 2, 1)])
    append(log, batch(topic, 9, partition=0), batch(topic, 9, partition=1))
    log.alter_group_offsets(group, {(topic, 0): 4, (topic, 1): 6})
    assert log.group_offsets(group) == {(topic, 0): 4, (topic, 1): 6}
    log.alter_group_offsets(group, {(topic, 1): None})
    assert log.group_offsets(group) == {(topic, 0): 4}
    with closing(log.reader(group, [topic], None, {})) as reader:
        assert sorted(r[1:3] for r in read(reader, 14)) == [(0, n) for n in range(4, 9)] + [(1, n) for n in range(9)]
    log.delete_group(group)
    assert log.group_offsets(group) == {}
    log.delete_group(group)


def test_offsets_of_a_group_with_members_are_not_altered(log: Log, place: Place) -> None:
    topic, group = place.name("t"), place.name("g")
    append(log, batch(topic, 3))
    with closing(log.reader(group, [topic], None, {})) as reader:
        read(reader, 3)
        reader.commit({(topic, 0): 3})
        with pytest.raises(LogError, match="still has"):
            log.alter_group_offsets(group, {(topic, 0): 0})
        with pytest.raises(LogError, match="still has"):
            log.delete_group(group)
    assert log.group_offsets(group) == {(topic, 0): 3}


def test_offsets_of_partitions_that_do_not_exist_are_refused(log: Log, place: Place) -> None:
    with pytest.raises(LogError, match=place.name("never-was")):
        log.alter_group_offsets(place.name("g"), {(place.name("never-was"), 0): 1})


# Stores


def test_a_store_gives_the_newest_value_of_every_key(log: Log, place: Place) -> None:
    for store in (log.configs(), log.statuses()):
        one, two = place.name("one"), place.name("two")
        store.put([(one, b'{"a":1}'), (two, b"{}"), (one, b'{"a":2}')])
        assert mine(store.all(), place) == {one: b'{"a":2}', two: b"{}"}
        store.put([(two, None)])
        assert mine(store.all(), place) == {one: b'{"a":2}'}
        store.put([(one, None), (place.name("never-was"), None)])
        assert mine(store.all(), place) == {}


def mine(entries: Mapping[str, bytes], place: Place) -> dict[str, bytes]:
    return {key: value for key, value in entries.items() if key.startswith(place.prefix)}


def test_a_store_sees_what_another_process_has_put(log: Log, place: Place) -> None:
    other = open_log(place.settings)
    key = place.name("one")
    assert key not in log.configs().all()
    other.configs().put([(key, b"1")])
    assert log.configs().all()[key] == b"1"
    assert key not in log.statuses().all()
    other.configs().put([(key, None)])
    assert key not in log.configs().all()
    other.close()


# A source's own topic


def test_a_source_s_own_topic_is_read_from_its_first_record_to_its_last(log: Log, place: Place) -> None:
    topic = log.topic(place.name("history"), {})
    assert not topic.exists()
    assert list(topic.read()) == []
    topic.create()
    assert eventually(topic.exists)
    assert list(topic.read()) == []
    records: list[tuple[bytes | None, bytes]] = [(None, b"%d" % n) for n in range(1200)]
    topic.append(records[:700])
    topic.append(records[700:])
    topic.append([(b"key", b"last")])
    again = open_log(place.settings)
    assert list(again.topic(place.name("history"), {}).read()) == [*records, (b"key", b"last")]
    again.close()
    assert log.topics()[place.name("history")] == 1


def test_reading_a_source_s_own_topic_may_stop_half_way(log: Log, place: Place) -> None:
    topic = log.topic(place.name("history"), {})
    topic.create()
    topic.append([(None, b"%d" % n) for n in range(10)])
    reading = topic.read()
    assert next(iter(reading)) == (None, b"0")
    del reading
    assert len(list(topic.read())) == 10


def test_the_first_records_of_a_source_s_own_topic_are_forgotten_at_once_and_the_others_keep_their_numbers(
    log: Log, place: Place
) -> None:
    topic = log.topic(place.name("history"), {})
    topic.create()
    for first in (0, 700):
        topic.append([(None, b"%d" % n) for n in range(first, first + 700)])
    numbers = {value: number for number, value in topic.numbered()}
    assert list(numbers) == [b"%d" % n for n in range(1400)] and sorted(numbers.values()) == list(numbers.values())
    for first in (3, 700, 1000):
        topic.forget(numbers[b"%d" % first])
        assert list(topic.numbered()) == [(numbers[b"%d" % n], b"%d" % n) for n in range(first, 1400)]
    topic.append([(None, b"last")])
    topic.forget(numbers[b"1399"] + 1)
    assert [value for _, value in topic.read()] == [b"last"]
    log.clean()
    assert [value for _, value in topic.read()] == [b"last"]
