"""What only the embedded log promises: one file, one worker, exactly once, retention and compaction."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from cdc.errors import LogError, LogUnavailable
from cdc.record import SourceOffset
from connect_compat.log import Encoded, LogRecord, LogSettings, TopicSpec
from connect_compat.log.embedded import EmbeddedLog
from connect_compat.log.embedded_clean import clean
from connect_compat.log.embedded_file import File, FolderLock
from connect_compat.log.embedded_read import records

DAY = 24 * 3600 * 1000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    opened = EmbeddedLog(LogSettings(path=str(tmp_path / "data")))
    yield opened
    opened.close()


@pytest.fixture
def file(log: EmbeddedLog, tmp_path: Path) -> Iterator[File]:
    opened = File(str(tmp_path / "data"))
    yield opened
    opened.close()


def append(log: EmbeddedLog, topic: str, keyed: list[tuple[str, str | None]], timestamp: int = 0) -> None:
    keys = [key.encode() for key, _ in keyed]
    values = [None if value is None else value.encode() for _, value in keyed]
    with closing(log.appender("c", 0, {})) as appender:
        appender.append([Encoded(topic, keys, values, [()] * len(keyed), None, [timestamp] * len(keyed))], [])
        appender.flush()


def stored(file: File, topic: str = "t") -> list[LogRecord]:
    found = "SELECT p.id FROM partition p JOIN topic t ON p.topic = t.id WHERE t.name = ?"
    ((partition,),) = file.query(found, (topic,))
    return list(records(file, partition, (topic, 0), 0))


def contents(file: File) -> list[tuple[int, str, str | None]]:
    return [(r.offset, (r.key or b"").decode(), None if r.value is None else r.value.decode()) for r in stored(file)]


def size(file: File) -> int:
    measured: int = file.query("SELECT coalesce(sum(length(body)), 0) FROM chunk")[0][0]
    assert file.query("SELECT sum(bytes) FROM partition") == [(measured,)], "the counter says what is stored"
    return measured


# The file


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db")) as db:
        db.execute("CREATE TABLE x(y)")
    with pytest.raises(LogError, match="another program's SQLite file; choose another data folder"):
        File(str(tmp_path))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"hello, world" * 500)
    with pytest.raises(LogError, match="is not a Tailrace log"):
        File(str(tmp_path))


def test_a_newer_schema_is_refused(log: EmbeddedLog, file: File, tmp_path: Path) -> None:
    file.query("PRAGMA user_version=99")
    with pytest.raises(LogError, match="schema version 99, this version of Tailrace knows 1"):
        File(str(tmp_path / "data"))


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(LogError, match=r"cannot hold the log \(File exists\)"):
        File(str(tmp_path / "data"))


def test_a_full_disk_is_an_outage_that_says_so_and_stores_nothing(log: EmbeddedLog, file: File) -> None:
    append(log, "t", [("a", "1")])
    file.query(f"PRAGMA max_page_count={file.query('PRAGMA page_count')[0][0]}")
    with pytest.raises(LogUnavailable, match=r"disk that holds .* is full; free space"), file.transaction() as db:
        db.execute("UPDATE partition SET next = 7")
        db.execute("INSERT INTO chunk VALUES (99, 0, ?)", (bytes(1 << 20),))
    assert log.end_offsets("t") == {("t", 0): 1}


def test_two_workers_never_share_a_folder(tmp_path: Path) -> None:
    first = FolderLock(str(tmp_path))
    with pytest.raises(LogError, match=f"the worker with pid {os.getpid()} already uses {tmp_path}"):
        FolderLock(str(tmp_path))
    first.release()
    FolderLock(str(tmp_path)).release()


def test_many_connections_write_at_once_without_failing(log: EmbeddedLog) -> None:
    failures: list[BaseException] = []

    def write(task: int) -> None:
        try:
            with closing(log.appender("many", task, {})) as appender:
                for n in range(30):
                    appender.append([Encoded("t", [None], [b"%d" % n], [()])], [SourceOffset({"task": task}, {"n": n})])
                    appender.flush()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(task,)) for task in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert log.end_offsets("t") == {("t", 0): 180}
    assert [offset for _, offset in log.source_offsets("many")] == [{"n": 29}] * 6


# Exactly once


def test_a_second_appender_of_a_task_shuts_out_the_first(log: EmbeddedLog) -> None:
    batch = Encoded("t", [None], [b"v"], [()])
    with closing(log.appender("c", 0, {})) as zombie, closing(log.appender("c", 0, {})) as owner, \
         closing(log.appender("c", 1, {})) as other:  # fmt: skip
        zombie.append([batch], [SourceOffset({"s": 1}, {"pos": 1})])
        with pytest.raises(LogError, match="another process took over task 0 of connector c"):
            zombie.flush()
        owner.append([batch], [SourceOffset({"s": 1}, {"pos": 2})])
        owner.flush()
        other.append([batch], [])
        other.flush()
    assert log.end_offsets("t") == {("t", 0): 2}
    assert list(log.source_offsets("c")) == [SourceOffset({"s": 1}, {"pos": 2})]


def test_a_topic_deleted_between_two_appends_is_made_again(log: EmbeddedLog) -> None:
    batch = Encoded("t", [None], [b"v"], [()])
    with closing(log.appender("c", 0, {})) as appender:
        appender.append([batch], [])
        appender.flush()
        log.delete_topics(["t"])
        appender.append([batch], [])
        appender.flush()
    assert log.end_offsets("t") == {("t", 0): 1}


def test_a_partition_that_does_not_exist_is_refused(log: EmbeddedLog) -> None:
    log.create_topics([TopicSpec("t", 2)])
    with closing(log.appender("c", 0, {})) as appender:
        appender.append([Encoded("t", [None], [b"v"], [()], 2)], [])
        with pytest.raises(LogError, match="topic t has 2 partitions, so none of number 2"):
            appender.flush()


def test_a_large_batch_is_cut_into_chunks_and_read_from_any_offset(log: EmbeddedLog, file: File) -> None:
    values = [b"%d" % n * 4000 for n in range(1000)]
    with closing(log.appender("c", 0, {})) as appender:
        appender.append([Encoded("t", [None] * 1000, values, [()] * 1000)], [])
        appender.flush()
    assert len(file.query("SELECT id FROM chunk")) > 8
    for start in (0, 1, 499, 999, 1000):
        assert [r.value for r in records(file, 1, ("t", 0), start)] == values[start:]


# Retention


def retention(log: EmbeddedLog, **config: str) -> None:
    settings: Mapping[str, str] = {name.replace("_", "."): value for name, value in config.items()}
    log.create_topics([TopicSpec("t", 1, config=settings)])


def test_records_past_retention_ms_go_and_offsets_are_never_used_again(log: EmbeddedLog, file: File) -> None:
    retention(log, retention_ms=str(DAY))
    append(log, "t", [("a", "1"), ("b", "2")], timestamp=5 * DAY)
    append(log, "t", [("c", "3")], timestamp=6 * DAY)
    clean(file, 6 * DAY + 1)
    assert contents(file) == [(2, "c", "3")]
    clean(file, 9 * DAY)
    assert contents(file) == []
    assert size(file) == 0
    append(log, "t", [("d", "4")], timestamp=9 * DAY)
    assert contents(file) == [(3, "d", "4")]


def test_records_stay_seven_days_unless_told_otherwise(log: EmbeddedLog, file: File) -> None:
    append(log, "t", [("a", "1")], timestamp=DAY)
    clean(file, 8 * DAY)
    assert len(stored(file)) == 1
    clean(file, 8 * DAY + 1)
    assert stored(file) == []


def test_a_retention_of_minus_one_keeps_for_ever(log: EmbeddedLog, file: File) -> None:
    topic = log.topic("t", {})
    topic.append([(None, b"v")])
    clean(file, 10**15)
    assert len(stored(file)) == 1


def test_retention_bytes_keeps_at_least_that_much(log: EmbeddedLog, file: File) -> None:
    retention(log, retention_ms="-1", retention_bytes="5000")
    for n in range(20):
        append(log, "t", [("k", f"{n}" * 500)])
    clean(file, 0)
    kept = [r.offset for r in stored(file)]
    assert kept == list(range(kept[0], 20))
    assert kept[0] > 0
    assert 5000 <= size(file) < 6200


def test_a_reader_behind_retention_goes_on_at_the_first_record_there_is(log: EmbeddedLog, file: File) -> None:
    retention(log, retention_ms="1")
    append(log, "t", [("a", "1")], timestamp=1)
    append(log, "t", [("b", "2")], timestamp=DAY)
    clean(file, DAY)
    with closing(log.reader("g", ["t"], None, {})) as reader:
        assert [(r.offset, r.key) for r in reader.read(10, 2)] == [(1, b"b")]
        assert reader.backlog() == 0


def test_a_deleted_topic_frees_its_space(log: EmbeddedLog, file: File) -> None:
    for n in range(40):
        append(log, "t", [("k", f"{n}" * 500_000)])
    log.delete_topics(["t"])
    assert log.topics() == {}
    clean(file, 0)
    assert file.query("SELECT count(*) FROM chunk") == [(0,)]
    assert file.query("SELECT count(*) FROM partition") == [(0,)]
    assert file.query("PRAGMA page_count")[0][0] < 1500


# Compaction


def test_compaction_keeps_the_newest_record_of_every_key_at_its_offset(log: EmbeddedLog, file: File) -> None:
    retention(log, cleanup_policy="compact")
    append(log, "t", [("a", "1"), ("b", "1"), ("a", "2")])
    append(log, "t", [("c", "1"), ("a", "3")])
    clean(file, 0)
    assert contents(file) == [(1, "b", "1"), (3, "c", "1"), (4, "a", "3")]
    append(log, "t", [("b", "2"), ("b", "3"), ("c", "2"), ("d", "1")])
    clean(file, 0)
    assert contents(file) == [(4, "a", "3"), (6, "b", "3"), (7, "c", "2"), (8, "d", "1")]
    assert size(file) > 0
    with closing(log.reader("g", ["t"], None, {})) as reader:
        assert [r.offset for r in reader.read(10, 2)] == [4, 6, 7, 8]


def test_a_compacted_log_has_the_same_newest_values_as_before(log: EmbeddedLog, file: File) -> None:
    retention(log, cleanup_policy="compact")
    newest: dict[str, str] = {}
    for turn in range(12):
        batch: list[tuple[str, str | None]] = [(f"k{(turn * 7 + n) % 23}", f"{turn}-{n}") for n in range(9)]
        newest |= {key: value for key, value in batch if value is not None}
        append(log, "t", batch)
        if turn % 3 == 0:
            clean(file, 0)
    clean(file, 0)
    found = contents(file)
    assert {key: value for _, key, value in found} == newest
    assert len(found) < 12 * 9


def test_tombstones_go_after_delete_retention_ms(log: EmbeddedLog, file: File) -> None:
    retention(log, cleanup_policy="compact", delete_retention_ms=str(DAY))
    append(log, "t", [("a", "1"), ("b", "1"), ("a", None)], timestamp=DAY)
    clean(file, DAY)
    assert contents(file) == [(1, "b", "1"), (2, "a", None)]
    clean(file, 2 * DAY + 1)
    assert contents(file) == [(1, "b", "1")]


def test_records_without_a_key_are_never_compacted_away(log: EmbeddedLog, file: File) -> None:
    retention(log, cleanup_policy="compact")
    with closing(log.appender("c", 0, {})) as appender:
        appender.append([Encoded("t", [None, None], [b"1", b"2"], [(), ()])], [])
        appender.flush()
    clean(file, 0)
    assert [r.value for r in stored(file)] == [b"1", b"2"]
