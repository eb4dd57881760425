from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import BeginAgain, LogUnavailable, TargetError, TargetUnavailable
from connect_compat import retry, sink_task
from connect_compat.connector_config import ErrorKeys, SinkKeys
from connect_compat.dead_letters import DeadLetters, Origin
from connect_compat.pipeline import SinkPipeline
from connect_compat.progress import Control
from connect_compat.retry import ToleranceExceeded
from tests.fakes import Crash, Journal, MemoryBackground, MemoryFiles, MemoryLog, MemoryReader, MemorySink, sink_plugins

DLQ = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq"}


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.001)


class Run:
    """One sink task on a log with the values given, run until it is idle (or what `then` says)."""

    def __init__(self, *values: bytes | None, config: Mapping[str, str] | None = None, journal: Journal | None = None):
        self.log = MemoryLog(journal or Journal())
        self.log.add("t", *values, headers=[("h", b"1")])
        self.control = Control()
        self.config = dict(config or {})
        self.sink = MemorySink(self.log.journal)
        self.reader = MemoryReader(self.log, self.control.stop.set)

    def go(self, then: Callable[[], None] | None = None, **more: Any) -> Run:
        if then is not None:
            self.reader.then = then
        keys = parse(SinkKeys, self.config)
        letters = DeadLetters(self.log, Origin("c", 2), keys, self.control.progress, {})  # type: ignore[arg-type]
        pipeline = SinkPipeline(sink_plugins({}), parse(ErrorKeys, self.config), self.control)
        task = sink_task.SinkTask(self.reader, pipeline, self.sink, letters, **{"commit_s": 0.0, **more})
        sink_task.run(task, self.control)
        return self

    def again(self) -> Run:
        self.log.journal.crash_at = None
        self.control = Control()
        self.reader = MemoryReader(self.log, self.control.stop.set, dict(self.reader.saved))
        return self


def test_records_are_put_then_committed() -> None:
    run = Run(b"a", b"b").go()
    assert run.log.journal.steps == ["put", "commit"]
    assert run.sink.values == ["a", "b"]
    assert run.reader.saved == {("t", 0): 2}
    assert run.control.progress.counters["sink-record-send-total"] == 2
    assert run.control.progress.topics == {"t"}


def test_after_the_first_commits_are_spared_under_load_and_idleness_commits() -> None:
    run = Run(b"a", b"b", b"c").go(commit_s=60.0, max_records=1)
    assert run.log.journal.steps == ["put", "commit", "put", "put", "commit"]


def test_what_the_sink_refuses_is_dead_lettered_before_the_offset_is_committed() -> None:
    run = Run(b"a", b"refused", b"c", config=DLQ).go()
    assert run.log.journal.steps == ["put", "append", "flush", "commit"]
    assert run.log.values("dlq") == [b"refused"]
    (spec,) = run.log.created
    assert (spec.name, spec.partitions, spec.replication) == ("dlq", 1, 3)


def test_a_dead_letter_keeps_key_value_headers_and_time_and_says_what_went_wrong_when_asked() -> None:
    config = {**DLQ, "errors.deadletterqueue.context.headers.enable": "true"}
    run = Run(b"a", b"bad", b"refused", config=config).go()
    unreadable, refused = [record for record in run.log.records if record.topic == "dlq"]
    assert (unreadable.key, unreadable.value, unreadable.timestamp) == (None, b"bad", 1001)
    headers = [(name, (value or b"").decode()) for name, value in unreadable.headers]
    assert headers[:-1] == [
        ("h", "1"),
        ("__connect.errors.topic", "t"),
        ("__connect.errors.partition", "0"),
        ("__connect.errors.offset", "1"),
        ("__connect.errors.connector.name", "c"),
        ("__connect.errors.task.id", "2"),
        ("__connect.errors.stage", "VALUE_CONVERTER"),
        ("__connect.errors.class.name", "test.TextConverter"),
        ("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
        ("__connect.errors.exception.message", "cannot read 'bad'"),
    ]
    name, trace = headers[-1]
    assert (name, "ConversionError: cannot read 'bad'" in trace) == ("__connect.errors.exception.stacktrace", True)
    told = dict(refused.headers)
    assert told["__connect.errors.stage"] == b"TASK_PUT"
    assert told["__connect.errors.class.name"] == b"org.apache.kafka.connect.sink.SinkTask"
    assert told["__connect.errors.exception.message"] == b"not wanted"


def test_without_context_headers_a_dead_letter_has_only_its_own() -> None:
    run = Run(b"refused", config=DLQ).go()
    assert [list(record.headers) for record in run.log.records if record.topic == "dlq"] == [[("h", b"1")]]


def test_tolerance_all_without_a_dead_letter_topic_skips() -> None:
    run = Run(b"bad", b"refused", b"c", config={"errors.tolerance": "all"}).go()
    assert run.sink.values == ["c"]
    assert run.reader.saved == {("t", 0): 3}
    assert run.control.progress.counters["total-records-skipped"] == 2


@pytest.mark.parametrize("value", [b"bad", b"refused"])
def test_tolerance_none_fails_the_task_and_commits_nothing_of_the_batch(value: bytes) -> None:
    run = Run(b"a", value)
    with pytest.raises(ToleranceExceeded):
        run.go()
    assert run.reader.saved == {}


@pytest.mark.parametrize("dlq", [{}, {"errors.deadletterqueue.topic.name": "dlq"}])
def test_what_the_sinks_own_config_lets_it_leave_out_stops_no_task(dlq: dict[str, str]) -> None:
    run = Run(b"a", b"refused", b"c", config={"errors.tolerance": "none", **dlq})
    run.sink.fatal = False
    run.go()
    assert (run.sink.values, run.reader.saved) == (["a", "c"], {("t", 0): 3})
    assert run.log.values("dlq") == [b"refused"] * len(dlq)
    assert run.control.progress.counters["total-records-skipped"] == 1


def test_a_target_that_refuses_for_good_fails_the_task() -> None:
    run = Run(b"a", journal=Journal(fail={"put": [TargetError("no such index")]}), config=DLQ)
    with pytest.raises(TargetError, match="no such index"):
        run.go()
    assert (run.reader.saved, run.log.values("dlq")) == ({}, [])


def test_an_outage_of_the_target_repeats_the_same_batches_and_never_reaches_the_dead_letter_topic() -> None:
    run = Run(b"a", b"b", config=DLQ, journal=Journal(fail={"put": [TargetUnavailable("es away")] * 5}))
    run.go(then=lambda: run.control.stop.set() if run.sink.values else None)
    assert run.sink.values == ["a", "b"]
    assert run.log.values("dlq") == []
    assert run.log.journal.steps == ["put", "commit"]
    assert run.reader.reads_while_paused >= 5
    assert not run.reader.paused
    assert run.control.progress.waiting is None


def test_a_stop_during_an_outage_ends_the_task_without_committing_what_is_in_hand() -> None:
    run = Run(b"a", journal=Journal(fail={"put": [TargetUnavailable("es away")] * 1000}))
    run.go()
    assert run.control.progress.waiting is not None
    assert run.control.progress.waiting.what == "es away"
    assert run.reader.saved == {}


@pytest.mark.parametrize("step", ["read", "commit", "append", "flush", "create"])
def test_an_outage_of_the_log_is_waited_for_at_any_step(step: str) -> None:
    run = Run(b"a", b"refused", config=DLQ, journal=Journal(fail={step: [LogUnavailable("log away")] * 2}))
    run.go(then=lambda: run.control.stop.set() if run.reader.saved else None)
    assert run.sink.values == ["a"]
    assert run.log.values("dlq") == [b"refused"]
    assert run.reader.saved == {("t", 0): 2}


def test_partitions_lost_during_an_outage_are_neither_put_nor_committed() -> None:
    run = Run(b"a", b"b", journal=Journal(fail={"put": [TargetUnavailable("es away")]}))

    def rebalance() -> None:
        if run.reader.paused and not run.reader.gone:
            run.reader.gone = [("t", 0)]
        elif not run.reader.paused:
            run.control.stop.set()

    run.go(then=rebalance)
    assert run.sink.values == []
    assert run.reader.saved == {}


def test_records_put_but_not_committed_when_their_partition_is_lost_are_the_new_owners_to_commit() -> None:
    run = Run(b"a", b"b")

    def rebalance() -> None:
        run.reader.gone = [("t", 0)]
        run.control.stop.set()

    run.go(then=rebalance, commit_s=60.0, max_records=1)
    assert run.sink.values == ["a", "b"]
    assert run.reader.saved == {("t", 0): 1}


def test_a_paused_sink_stays_in_its_group_and_is_given_nothing() -> None:
    run = Run(b"a")
    run.control.pause.set()

    def resume() -> None:
        if not run.reader.paused:
            run.control.stop.set()
        elif run.reader.reads_while_paused == 3:
            run.control.pause.clear()

    run.go(then=resume)
    assert run.reader.reads_while_paused == 3
    assert run.sink.values == ["a"]


def test_a_crash_after_any_step_repeats_but_never_loses() -> None:
    crashes = 0
    while True:
        run = Run(b"a", b"refused", b"c", config=DLQ, journal=Journal(crash_at=crashes + 1))
        try:
            run.go(max_records=1)
            break
        except Crash:
            crashes += 1
        run.again().go(max_records=1)
        assert list(dict.fromkeys(run.sink.values)) == ["a", "c"]
        assert set(run.log.values("dlq")) == {b"refused"}
        assert run.reader.saved == {("t", 0): 3}
    assert crashes == 8


def test_only_the_record_at_fault_leaves_the_batch_and_the_others_stay_together() -> None:
    run = Run(*[b"%d" % i for i in range(7)], b"bad", *[b"%d" % i for i in range(8, 16)], config=DLQ).go()
    assert len(run.sink.values) == 15
    assert run.sink.sizes[-1] == 8
    assert run.log.values("dlq") == [b"bad"]


class GatheringRun(Run):
    """The same with a sink that gathers two records in a file."""

    def __init__(self, *values: bytes | None, config: Mapping[str, str] | None = None, journal: Journal | None = None):
        super().__init__(*values, config=config, journal=journal)
        self.files = MemoryFiles(self.log.journal, 2)

    def go(self, then: Callable[[], None] | None = None, **more: Any) -> GatheringRun:
        self.sink = self.files  # type: ignore[assignment]
        super().go(then, **more)
        return self

    def again(self) -> GatheringRun:
        self.files = MemoryFiles(self.log.journal, 2, self.files.files)
        super().again()
        return self


def test_of_a_sink_that_gathers_only_what_its_target_holds_is_committed() -> None:
    run = GatheringRun(b"a", b"b", b"c").go(max_records=1)
    assert run.files.files == [["a", "b"]]
    assert run.reader.saved == {("t", 0): 2}
    assert run.log.journal.steps == ["commit", "file", "commit"]


def test_records_that_no_transform_or_converter_let_through_are_committed_with_those_before_them() -> None:
    run = GatheringRun(b"a", b"b", b"bad", config={"errors.tolerance": "all"}).go()
    assert (run.files.files, run.reader.saved) == ([["a", "b"]], {("t", 0): 3})


def test_a_sink_that_gathers_is_asked_while_no_records_come() -> None:
    run = GatheringRun(b"a")

    def later() -> None:
        run.files.size = 1 if run.files.settled > 5 else 2
        if run.reader.saved == {("t", 0): 1}:
            run.control.stop.set()

    assert run.go(later).files.files == [["a"]]


def test_an_outage_while_files_are_written_repeats_only_the_writing() -> None:
    run = GatheringRun(b"a", b"b", config=DLQ, journal=Journal(fail={"settle": [TargetUnavailable("s3 away")] * 3}))
    run.go(then=lambda: run.control.stop.set() if run.reader.saved else None)
    assert (run.files.files, run.reader.saved, run.log.values("dlq")) == ([["a", "b"]], {("t", 0): 2}, [])


def test_a_sink_that_gathers_forgets_partitions_that_are_lost() -> None:
    run = GatheringRun(b"a")

    def rebalance() -> None:
        if not run.files.forgotten:
            run.reader.gone = [("t", 0)]
        else:
            run.control.stop.set()

    run.go(then=rebalance, commit_s=60.0)
    assert (run.files.forgotten, run.files.in_hand, run.reader.saved) == ([("t", 0)], [], {})


def test_a_task_that_was_overtaken_ends_and_begins_again() -> None:
    run = GatheringRun(b"a", b"b", journal=Journal(fail={"settle": [BeginAgain("another task wrote it")]}))
    with pytest.raises(BeginAgain) as raised:
        run.go()
    assert retry.may_help_to_restart(raised.value)
    assert run.again().go().files.files == [["a", "b"]]


def test_a_crash_after_any_step_of_a_sink_that_gathers_loses_nothing() -> None:
    crashes = 0
    while True:
        run = GatheringRun(b"a", b"b", b"refused", b"c", b"d", journal=Journal(crash_at=crashes + 1))
        run.files.size = 1
        try:
            run.go(max_records=2)
            break
        except Crash:
            crashes += 1
        run.again()
        run.files.size = 1
        run.go(max_records=2)
        assert list(dict.fromkeys(value for (value,) in run.files.files)) == ["a", "b", "refused", "c", "d"]
        assert run.reader.saved == {("t", 0): 5}
    assert crashes == 8


class BackgroundRun(Run):
    """With a sink that writes in the background."""

    def __init__(self, *values: bytes | None, config: Mapping[str, str] | None = None, journal: Journal | None = None):
        super().__init__(*values, config=config, journal=journal)
        self.sink = MemoryBackground(self.log.journal)


def test_a_sink_that_writes_in_the_background_is_given_more_until_it_is_full() -> None:
    run = BackgroundRun(b"a", b"b", b"c").go(max_records=1)
    assert run.log.journal.steps == ["put", "commit", "put", "commit", "put", "commit", "hurry"]
    assert (run.sink.values, run.reader.saved) == (["a", "b", "c"], {("t", 0): 3})


def test_its_refusals_are_dead_lettered_with_the_record_they_were_read_as() -> None:
    run = BackgroundRun(b"a", b"refused", b"c", b"bad", config=DLQ).go(max_records=1)
    assert run.log.values("dlq") == [b"refused", b"bad"]
    assert (run.sink.values, run.reader.saved) == (["a", "c"], {("t", 0): 4})


def test_an_outage_in_the_background_is_waited_for_in_the_order_of_the_reads() -> None:
    journal = Journal(fail={"put": [TargetUnavailable("es away")] * 3, "begin": [TargetUnavailable("es away")]})
    run = BackgroundRun(b"a", b"b", config=DLQ, journal=journal)
    run.go(then=lambda: run.control.stop.set() if len(run.sink.values) == 2 else None, max_records=1)
    assert (run.sink.values, run.reader.saved, run.log.values("dlq")) == (["a", "b"], {("t", 0): 2}, [])


def test_what_is_on_its_way_of_a_lost_partition_is_dropped_and_not_committed() -> None:
    journal = Journal(fail={"put": [TargetUnavailable("es away")] * 2})
    run = BackgroundRun(b"a", journal=journal)

    def rebalance() -> None:
        run.reader.gone = [("t", 0)] if run.reader.reads_while_paused == 1 else []
        if run.reader.reads_while_paused > 1:
            run.control.stop.set()

    run.go(then=rebalance)
    assert (run.sink.values, run.reader.saved) == ([], {})


def test_a_crash_after_any_step_of_a_sink_that_writes_in_the_background_loses_nothing() -> None:
    crashes = 0
    while True:
        run = BackgroundRun(b"a", b"refused", b"c", b"d", config=DLQ, journal=Journal(crash_at=crashes + 1))
        try:
            run.go(max_records=1)
            break
        except Crash:
            crashes += 1
        run.sink = MemoryBackground(run.log.journal, values=run.sink.values)
        run.again().go(max_records=1)
        assert list(dict.fromkeys(run.sink.values)) == ["a", "c", "d"]
        assert run.reader.saved == {("t", 0): 4}
        assert b"refused" in run.log.values("dlq")
    assert crashes == 11
