from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import LogUnavailable, SourceError, SourceUnavailable
from connect_compat import retry, source_task
from connect_compat.connector_config import ErrorKeys
from connect_compat.pipeline import SourcePipeline
from connect_compat.progress import Control
from connect_compat.retry import ToleranceExceeded
from connect_compat.topic_creation import topic_creation
from tests.fakes import Crash, Journal, MemoryLog, RowSource, source_plugins

ROWS = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.001)


def started(
    log: MemoryLog, source: RowSource, control: Control, config: Mapping[str, str] | None = None, **more: Any
) -> None:
    pipeline = SourcePipeline(source_plugins({}), parse(ErrorKeys, dict(config or {})), control)
    settings: dict[str, Any] = {"flush_s": 0.0, "creation": topic_creation(config or {}), **more}
    task = source_task.SourceTask("c", 0, log, lambda: source, pipeline, **settings)  # type: ignore[arg-type]
    source_task.run(task, control)


def carried(log: MemoryLog, rows: list[str] = ROWS, config: Mapping[str, str] | None = None, **more: Any) -> RowSource:
    control = Control()
    source = RowSource(rows, log.journal, control.stop.set)
    started(log, source, control, config, **more)
    return source


def test_each_record_is_appended_then_flushed_then_committed_to_the_source() -> None:
    log = MemoryLog()
    source = carried(log, ["a", "b"])
    assert log.journal.steps == ["append", "flush", "committed"] * 2
    assert log.values() == [b"a", b"b"]
    assert source.told == [1, 2]
    assert (source.closed, log.closed) == (1, 1)


def test_the_first_records_are_flushed_at_once_then_many_polls_share_one_flush_and_idleness_flushes_the_rest() -> None:
    log = MemoryLog()
    assert carried(log, flush_s=60.0).told == [1, 4]
    assert log.journal.steps == ["append", "flush", "committed"] + ["append"] * 3 + ["flush", "committed"]


@pytest.mark.parametrize("flush_s", [0.0, 60.0])
def test_a_crash_after_any_step_repeats_nothing_and_loses_nothing_when_records_and_offsets_are_one(
    flush_s: float,
) -> None:
    crashes = 0
    while True:
        log = MemoryLog(Journal(crash_at=crashes + 1))
        try:
            carried(log, flush_s=flush_s)
            break
        except Crash:
            crashes += 1
            log.journal.crash_at = None
        source = carried(log, flush_s=flush_s)
        assert log.values() == [b"a", b"b", b"c", b"d"]
        assert all(position <= 4 for position in source.told)
    assert crashes == (12 if flush_s == 0 else 8)


@pytest.mark.parametrize("step", ["append", "flush", "create", "poll"])
def test_an_outage_at_any_step_is_waited_for_and_resumed_from_the_last_saved_offset(step: str) -> None:
    away = SourceUnavailable("db away") if step == "poll" else LogUnavailable("log away")
    log = MemoryLog(Journal(fail={step: [away, away, away]}))
    source = carried(log)
    assert log.values() == [b"a", b"b", b"c", b"d"]
    assert source.opened == source.closed == 4


def test_an_outage_is_shown_while_it_lasts_and_gone_afterwards() -> None:
    log = MemoryLog(Journal(fail={"flush": [LogUnavailable("the broker is away")]}))
    control = Control()
    seen: list[Any] = []

    class Watched(RowSource):
        def close(self) -> None:
            super().close()
            seen.append(control.progress.waiting)

    class Clocked(Control):
        def sleep(self, seconds: float) -> None:
            seen.append(control.progress.waiting)

    control = Clocked()
    started(log, Watched(["a"], log.journal, control.stop.set), control)
    assert seen[0] is None
    assert seen[1].what == "the broker is away"
    assert control.progress.waiting is None


def test_an_error_that_waiting_cannot_mend_ends_the_task_after_closing_all() -> None:
    log = MemoryLog(Journal(fail={"poll": [SourceError("no such table")]}))
    with pytest.raises(SourceError, match="no such table"):
        carried(log)
    assert log.closed == 1


def test_a_bad_record_is_skipped_with_tolerance_all_and_the_offset_advances() -> None:
    log = MemoryLog()
    assert carried(log, ["a", "bad", "c"], {"errors.tolerance": "all"}).told == [1, 2, 3]
    assert log.values() == [b"a", b"c"]


def test_a_bad_record_stops_the_task_with_tolerance_none_and_the_offset_stays_before_it() -> None:
    log = MemoryLog()
    with pytest.raises(ToleranceExceeded):
        carried(log, ["a", "bad", "c"])
    assert log.values() == [b"a"]
    assert [dict(each.offset or {}) for each in log.offsets["c"]] == [{"pos": 1}]


def test_a_stop_flushes_what_was_appended() -> None:
    log, control = MemoryLog(), Control()
    control.stop.set()
    started(log, RowSource(ROWS, log.journal, control.stop.set), control)
    assert log.journal.steps == []
    control = Control()

    class StopsAtOnce(RowSource):
        def polls(self, resume: Any) -> Any:
            for poll in super().polls(resume):
                control.stop.set()
                yield poll

    started(log, StopsAtOnce(ROWS, log.journal, control.stop.set), control, flush_s=60.0)
    assert log.values() == [b"a"]
    assert log.journal.steps == ["append", "flush", "committed"]


def test_a_paused_source_is_not_polled_and_goes_on_where_it_was_when_resumed() -> None:
    log, control = MemoryLog(), Control()
    control.pause.set()
    source = RowSource(ROWS, log.journal, control.stop.set)
    thread = threading.Thread(target=started, args=(log, source, control))
    thread.start()
    assert control.progress.changed.wait(10)
    assert control.progress.paused
    assert source.opened == 0
    control.pause.clear()
    thread.join(10)
    assert not thread.is_alive()
    assert log.values() == [b"a", b"b", b"c", b"d"]


def test_topics_are_created_before_their_first_record_by_the_first_group_that_takes_them() -> None:
    log = MemoryLog()
    carried(log, ["a"], {
        "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "-1",
        "topic.creation.groups": "small", "topic.creation.small.include": "t|u", "topic.creation.small.partitions": "1",
        "topic.creation.small.cleanup.policy": "compact",
    })  # fmt: skip
    (spec,) = log.created
    assert (spec.name, spec.partitions, spec.replication, spec.config) == ("t", 1, -1, {"cleanup.policy": "compact"})
    log = MemoryLog()
    carried(log, ["a"], creation=None)
    assert log.created == []


def test_counters_and_topics_are_kept_under_kafka_connects_names() -> None:
    log, control = MemoryLog(), Control()
    started(log, RowSource(["a", "bad"], log.journal, control.stop.set), control, {"errors.tolerance": "all"})
    assert control.progress.counters["source-record-poll-total"] == 2
    assert control.progress.counters["source-record-write-total"] == 1
    assert control.progress.topics == {"t"}


def test_a_source_that_has_nothing_more_to_give_keeps_its_task_until_the_stop() -> None:
    log, control = MemoryLog(), Control()

    class Finite(RowSource):
        def polls(self, resume: Any) -> Any:
            polls = super().polls(resume)
            return (next(polls) for _ in self.rows)

    class Clocked(Control):
        def sleep(self, seconds: float) -> None:
            self.stop.set()
            super().sleep(seconds)

    control = Clocked()
    started(log, Finite(ROWS, log.journal, control.stop.set), control, flush_s=60.0)
    assert log.values() == [b"a", b"b", b"c", b"d"]
