from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cdc.errors import ConversionError, DataError, TargetUnavailable, TransformError
from cdc.record import Batch, Header
from cdc.schema import INT32, STRING, Schema
from connect_compat.connector_config import ErrorKeys
from connect_compat.log import LogRecord
from connect_compat.pipeline import SinkPipeline, SourcePipeline, Step, TaskPlugins
from connect_compat.progress import Control
from connect_compat.retry import Stage, ToleranceExceeded
from tests.fakes import TextConverter, TextHeaders, batch, sink_plugins

CONNECTOR = sink_plugins({}).connector


def errors(**changes: Any) -> ErrorKeys:
    known: dict[str, Any] = {"retry_timeout_ms": 0, "retry_delay_max_ms": 60000, "tolerance": "all",
                             "log": False, "log_records": False}  # fmt: skip
    return ErrorKeys(**{**known, **changes})


def plugins(*steps: Step, headers: TextHeaders | None = None, value: Any = None) -> TaskPlugins:
    return TaskPlugins(CONNECTOR, steps, TextConverter(), value or TextConverter(), headers or TextHeaders())


class Suffix:
    """Appends a mark to every value; refuses the value `no`, drops the value `drop`."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.sizes: list[int] = []

    def apply(self, batch: Batch) -> Sequence[Batch]:
        self.sizes.append(len(batch))
        if "no" in batch.values:
            raise TransformError("no")
        kept = batch.pick([i for i, value in enumerate(batch.values) if value != "drop"])
        return [Batch(**{**_fields(kept), "values": [f"{value}{self.mark}" for value in kept.values]})]


def _fields(batch: Batch) -> dict[str, Any]:
    return {name: getattr(batch, name) for name in batch.__slots__}


class Odd:
    def test(self, batch: Batch) -> Sequence[bool]:
        return [int(value) % 2 == 1 for value in batch.values]


def values(encoded: Sequence[Any]) -> list[Any]:
    return [value for each in encoded for value in each.values]


def test_a_source_batch_becomes_bytes_and_keeps_its_timestamps_and_partition() -> None:
    control = Control()
    (out,) = SourcePipeline(plugins(), errors(), control)([batch("a", "b", partition=3, timestamps=[1, 2])])
    assert (out.topic, out.keys, out.values, out.partition) == ("t", [b"a", b"b"], [b"a", b"b"], 3)
    assert out.timestamps == [1, 2]


def test_transforms_apply_in_the_order_of_their_aliases() -> None:
    pipeline = SourcePipeline(plugins(Step(Suffix("1"), "A"), Step(Suffix("2"), "B")), errors(), Control())
    assert values(pipeline([batch("x", "y")])) == [b"x12", b"y12"]


@pytest.mark.parametrize(
    ("negate", "expected"),
    [(False, [b"0", b"1!", b"3!", b"2", b"5!"]), (True, [b"0!", b"1", b"3", b"2!", b"5"])],
)
def test_a_predicate_chooses_the_records_and_the_order_stays(negate: bool, expected: list[bytes]) -> None:
    pipeline = SourcePipeline(plugins(Step(Suffix("!"), "A", Odd(), negate)), errors(), Control())
    assert values(pipeline([batch("0", "1", "3", "2", "5")])) == expected


def test_a_predicate_that_all_records_answer_alike_leaves_the_batch_whole() -> None:
    suffix = Suffix("!")
    pipeline = SourcePipeline(plugins(Step(suffix, "A", Odd())), errors(), Control())
    assert values(pipeline([batch("1", "3")])) == [b"1!", b"3!"]
    assert suffix.sizes == [2]
    assert values(pipeline([batch("2", "4")])) == [b"2", b"4"]
    assert suffix.sizes == [2]


def test_a_batch_whose_records_are_all_dropped_is_not_converted() -> None:
    pipeline = SourcePipeline(plugins(Step(Suffix("!"), "A")), errors(), Control())
    assert pipeline([batch("drop", "drop")]) == []


def test_headers_shared_by_records_are_encoded_once_and_others_each_for_itself() -> None:
    headers = TextHeaders()
    one, two = (Header("h", STRING, "1"),), (Header("h", STRING, "2"),)
    pipeline = SourcePipeline(plugins(headers=headers), errors(), Control())
    (out,) = pipeline([batch("a", "b", "c", headers=[one, one, one])])
    assert headers.encoded == 1
    assert out.headers == [[("h", b"1")]] * 3
    (out,) = pipeline([batch("a", "b", "c", headers=[one, two, one])])
    assert headers.encoded == 3
    assert out.headers == [[("h", b"1")], [("h", b"2")], [("h", b"1")]]


def test_with_tolerance_all_only_the_record_at_fault_is_skipped() -> None:
    control = Control()
    pipeline = SourcePipeline(plugins(Step(Suffix("!"), "test.Suffix")), errors(), control)
    assert values(pipeline([batch("a", "no", "b", "c", "no", keys=list("12345"))])) == [b"a!", b"b!", b"c!"]
    assert control.progress.counters["total-records-skipped"] == 2


def test_with_tolerance_none_the_task_fails_naming_step_class_record_and_remedy() -> None:
    pipeline = SinkPipeline(plugins(), errors(tolerance="none"), Control())
    with pytest.raises(ToleranceExceeded) as raised:
        pipeline([record(4, b"a"), record(5, b"bad")])
    text = str(raised.value)
    assert "VALUE_CONVERTER failed in test.TextConverter" in text
    assert "offset 5 of t-0" in text
    assert "cannot read 'bad'" in text
    assert "errors.tolerance=all" in text


def test_an_outage_inside_a_converter_is_raised_and_blamed_on_no_record() -> None:
    class Registry(TextConverter):
        def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
            raise TargetUnavailable("registry away")

    control = Control()
    with pytest.raises(TargetUnavailable):
        SourcePipeline(plugins(value=Registry()), errors(), control)([batch("a", "b")])
    assert control.progress.counters == {}


def test_a_retriable_error_of_one_record_is_repeated_within_the_retry_timeout() -> None:
    class Flaky(ConversionError):
        retriable = True

    class Twice(TextConverter):
        left = 2

        def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
            if self.left:
                self.left -= 1
                raise Flaky("try again")
            return super().encode(topic, schema, values)

    waits: list[float] = []

    class Clocked(Control):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    control = Clocked()
    settings = errors(retry_timeout_ms=60_000)
    assert values(SourcePipeline(plugins(value=Twice()), settings, control)([batch("a")])) == [b"a"]
    assert waits == [0.3, 0.6]
    assert SourcePipeline(plugins(value=Twice()), errors(), control)([batch("a")]) == []
    assert waits == [0.3, 0.6]


def test_any_exception_of_a_transform_is_tolerated_as_kafka_connect_tolerates_it() -> None:
    class Broken:
        def apply(self, batch: Batch) -> Sequence[Batch]:
            raise ZeroDivisionError

    control = Control()
    assert SourcePipeline(plugins(Step(Broken(), "B")), errors(), control)([batch("a")]) == []
    assert control.progress.counters["total-record-errors"] == 1


def record(at: int, value: bytes | None, topic: str = "t", headers: Any = (), partition: int = 0) -> LogRecord:
    return LogRecord(topic, partition, at, at * 10, b"k", value, headers)


def test_log_records_become_a_batch_for_each_partition_with_offsets_and_timestamps() -> None:
    pipeline = SinkPipeline(plugins(), errors(), Control())
    batches, refused = pipeline([record(7, b"a"), record(8, b"b"), record(3, b"c", partition=1)])
    assert refused == []
    assert [(each.batch.partition, list(each.batch.values)) for each in batches] == [(0, ["a", "b"]), (1, ["c"])]
    first = batches[0].batch
    assert (list(first.offsets or ()), list(first.timestamps or ())) == ([7, 8], [70, 80])
    assert (first.key_schema, first.value_schema, list(first.keys)) == (STRING, STRING, ["k", "k"])
    assert batches[0].record(1).offset == 8


def test_tombstones_stay_in_the_batch_of_their_neighbours() -> None:
    batches, _ = SinkPipeline(plugins(), errors(), Control())([record(0, None), record(1, b"a"), record(2, None)])
    assert [list(each.batch.values) for each in batches] == [[None, "a", None]]
    assert batches[0].batch.value_schema == STRING


def test_records_of_another_schema_begin_a_new_batch_in_order() -> None:
    class Mixed(TextConverter):
        def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
            return [
                (None, None) if r is None else (INT32, int(r)) if r.isdigit() else (STRING, r.decode()) for r in raw
            ]

    sent = [record(i, value) for i, value in enumerate([b"a", None, b"1", None, b"2", b"b"])]
    batches, _ = SinkPipeline(plugins(value=Mixed()), errors(), Control())(sent)
    shapes = [(each.batch.value_schema, list(each.batch.values), list(each.batch.offsets or ())) for each in batches]
    assert shapes == [(STRING, ["a", None], [0, 1]), (INT32, [1, None, 2], [2, 3, 4]), (STRING, ["b"], [5])]


def test_headers_are_decoded_and_records_of_equal_headers_share_one_object() -> None:
    sent = [record(i, b"v", headers=[("h", text)]) for i, text in enumerate([b"1", b"1", b"2"])]
    ((only,), _) = SinkPipeline(plugins(), errors(), Control())(sent)
    headers = only.batch.headers
    assert [each[0].value for each in headers] == ["1", "1", "2"]
    assert headers[0] is headers[1]


def test_a_record_that_cannot_be_read_is_refused_alone_with_its_log_record() -> None:
    sent = [record(i, value) for i, value in enumerate([b"a", b"b", b"bad", b"c"])]
    batches, (refusal,) = SinkPipeline(plugins(), errors(), Control())(sent)
    assert [value for each in batches for value in each.batch.values] == ["a", "b", "c"]
    assert (refusal.record[0], refusal.stage, refusal.class_name) == (
        sent[2],
        Stage.VALUE_CONVERTER,
        "test.TextConverter",
    )
    assert isinstance(refusal.error, DataError)


class WithHeaders:
    """A value converter that writes the names of a record's headers behind its value."""

    def encode_with_headers(self, topic: str, schema: Any, values: Any, headers: Any) -> list[bytes]:
        return [
            f"{value}{[(name, text) for name, text in each]}".encode()
            for value, each in zip(values, headers, strict=True)
        ]


def test_a_converter_that_asks_for_the_headers_gets_them_as_they_go_to_the_log() -> None:
    pipeline = SourcePipeline(plugins(value=WithHeaders()), errors(), Control())
    batch = Batch("t", None, STRING, ["k"], ["v"], [(Header("h", STRING, "x"),)])
    assert values(pipeline([batch])) == [b"v[('h', b'x')]"]
