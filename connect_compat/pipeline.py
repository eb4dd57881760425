"""Transforms and converters as one function: batches to bytes for a source, log records to batches for a sink.

A batch takes the fast way whole; when a step fails on it, retry.py finds the record at fault and decides its fate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import is_, itemgetter
from typing import Any, Final

from cdc.connector import SinkConnector, SourceConnector
from cdc.record import Batch, Headers
from cdc.schema import Schema
from connect_compat.connector_config import ErrorKeys
from connect_compat.converters import Converter, HeaderConverter
from connect_compat.log import Encoded, EncodedHeaders, LogRecord
from connect_compat.progress import Control
from connect_compat.retry import Refusal, Stage, StepFailed, Tolerance
from connect_compat.transforms import Predicate, Transform

Raw = Sequence[bytes | None]
Decoded = list[tuple[Schema | None, Any]]
_KNOWN_HEADERS: Final = 1000


@dataclass(frozen=True)
class Step:
    """One transform of a connector, in the order of `transforms`; the predicate chooses the records it applies to."""

    transform: Transform
    class_name: str
    predicate: Predicate | None = None
    negate: bool = False

    def apply(self, batch: Batch) -> Sequence[Batch]:
        if self.predicate is None:
            return self.transform.apply(batch)
        wanted = [answer is not self.negate for answer in self.predicate.test(batch)]
        if all(wanted):
            return self.transform.apply(batch)
        if not any(wanted):
            return (batch,)
        out: list[Batch] = []
        for chosen, part in _runs(batch, wanted):
            out += self.transform.apply(part) if chosen else (part,)
        return out


def _runs(batch: Batch, wanted: Sequence[bool]) -> Iterator[tuple[bool, Batch]]:
    """The batch cut where the answer changes, so that the order stays."""
    for chosen, run in groupby(range(len(batch)), key=wanted.__getitem__):
        yield chosen, batch.pick(list(run))


@dataclass(frozen=True)
class TaskPlugins:
    """All that a task's config names, built: the connector, its transforms, its converters."""

    connector: SourceConnector | SinkConnector
    steps: Sequence[Step]
    key: Converter
    value: Converter
    headers: HeaderConverter


def class_name(plugin: object) -> str:
    """The Java class name a converter, transform or predicate goes by."""
    return str(getattr(plugin, "CLASS_NAME", type(plugin).__qualname__))


def _transformed(steps: Sequence[Step], batch: Batch) -> list[Batch]:
    batches = [batch]
    for step in steps:
        try:
            batches = [out for each in batches for out in step.apply(each) if len(out)]
        except Exception as error:
            raise StepFailed(Stage.TRANSFORMATION, step.class_name, error) from error
    return batches


class SourcePipeline:
    """Batches of a source -> bytes for the log. Records that may be skipped are counted, logged, and gone."""

    def __init__(self, plugins: TaskPlugins, errors: ErrorKeys, control: Control) -> None:
        self._steps, self._headers = plugins.steps, plugins.headers
        self._key, self._value = plugins.key, plugins.value
        self._names = tuple(class_name(p) for p in (plugins.key, plugins.value, plugins.headers))
        self._with_headers = getattr(plugins.value, "encode_with_headers", None)
        self._tolerance: Tolerance[Batch] = Tolerance(errors, control, _halves, _source_record)

    def __call__(self, batches: Sequence[Batch]) -> list[Encoded]:
        """Raises: ToleranceExceeded; outages (a schema registry that is away), after which the call may be repeated."""
        return [out for batch in batches for out in self._tolerance.carry(self._encoded, batch)[0]]

    def _encoded(self, batch: Batch) -> list[Encoded]:
        return [self._converted(each) for each in (_transformed(self._steps, batch) if self._steps else (batch,))]

    def _converted(self, batch: Batch) -> Encoded:
        topic = batch.topic
        stage, name = Stage.HEADER_CONVERTER, self._names[2]
        try:
            headers = self._encoded_headers(topic, batch.headers)
            stage, name = Stage.KEY_CONVERTER, self._names[0]
            keys = self._key.encode(topic, batch.key_schema, batch.keys)
            stage, name = Stage.VALUE_CONVERTER, self._names[1]
            if self._with_headers is None:
                values = self._value.encode(topic, batch.value_schema, batch.values)
            else:
                values = self._with_headers(topic, batch.value_schema, batch.values, headers)
        except Exception as error:
            raise StepFailed(stage, name, error) from error
        return Encoded(topic, keys, values, headers, batch.partition, batch.timestamps)

    def _encoded_headers(self, topic: str, headers: Sequence[Headers]) -> list[EncodedHeaders]:
        """Each distinct tuple is encoded once: a source hands one object to all records of equal headers."""
        first = headers[0] if headers else ()
        if all(map(is_, headers, repeat(first))):
            return [self._encode_headers(topic, first)] * len(headers)
        distinct = dict(zip(map(id, headers), headers, strict=True))
        encoded = {at: self._encode_headers(topic, each) for at, each in distinct.items()}
        return [encoded[id(each)] for each in headers]

    def _encode_headers(self, topic: str, headers: Headers) -> EncodedHeaders:
        return [(header.name, self._headers.encode(topic, header)) for header in headers]


def _halves(batch: Batch) -> Sequence[Batch]:
    middle = len(batch) // 2
    return (batch.pick(range(middle)), batch.pick(range(middle, len(batch)))) if middle else ()


def _source_record(batch: Batch) -> str:
    return f"a record of topic {batch.topic!r}"


@dataclass(frozen=True, slots=True)
class SinkBatch:
    """A batch for the sink, and the log records it was made of."""

    batch: Batch
    records: Sequence[LogRecord]

    def record(self, index: int) -> LogRecord:
        """The log record that the batch's record at `index` came from."""
        offset = (self.batch.offsets or ())[index]
        return next(record for record in self.records if record.offset == offset)


class SinkPipeline:
    """Log records -> batches of one shape for the sink, in order within each partition."""

    def __init__(self, plugins: TaskPlugins, errors: ErrorKeys, control: Control) -> None:
        self._steps, self._headers = plugins.steps, plugins.headers
        self._key, self._value = plugins.key, plugins.value
        self._names = tuple(class_name(p) for p in (plugins.key, plugins.value, plugins.headers))
        self._known: dict[tuple[str, tuple[tuple[str, bytes | None], ...]], Headers] = {}
        self.tolerance: Tolerance[Sequence[LogRecord]] = Tolerance(errors, control, _record_halves, _sink_record)

    def __call__(self, records: Sequence[LogRecord]) -> tuple[list[SinkBatch], list[Refusal[Sequence[LogRecord]]]]:
        """The batches, and the records (each alone in its sequence) that were refused and may be skipped.

        Raises: ToleranceExceeded; outages, after which the call may be repeated.
        """
        batches: list[SinkBatch] = []
        refused: list[Refusal[Sequence[LogRecord]]] = []
        for _, run in groupby(records, key=itemgetter(0, 1)):
            done, refusals = self.tolerance.carry(self._batches, list(run))
            batches += done
            refused += refusals
        return batches, refused

    def _batches(self, records: Sequence[LogRecord]) -> list[SinkBatch]:
        """`records` are of one topic and partition."""
        return [
            SinkBatch(out, records)
            for batch in self._decoded(records)
            for out in (_transformed(self._steps, batch) if self._steps else (batch,))
        ]

    def _decoded(self, records: Sequence[LogRecord]) -> Iterator[Batch]:
        topic, partition, offsets, timestamps, raw_keys, raw_values, raw_headers = zip(*records, strict=True)
        key_schemas, keys = self._unpacked(Stage.KEY_CONVERTER, self._names[0], self._key.decode, topic[0], raw_keys)
        value_schemas, values = self._unpacked(
            Stage.VALUE_CONVERTER, self._names[1], self._value.decode, topic[0], raw_values
        )
        try:
            headers = self._decoded_headers(topic[0], raw_headers)
        except Exception as error:
            raise StepFailed(Stage.HEADER_CONVERTER, self._names[2], error) from error
        for start, end in _one_shape(key_schemas, keys, value_schemas, values):
            yield Batch(
                topic[0],
                _schema(key_schemas[start:end]),
                _schema(value_schemas[start:end]),
                keys[start:end],
                values[start:end],
                headers[start:end],
                partition[0],
                timestamps[start:end],
                offsets[start:end],
            )

    def _unpacked(
        self, stage: Stage, name: str, decode: Callable[[str, Raw], Decoded], topic: str, raw: Raw
    ) -> tuple[Sequence[Schema | None], Sequence[Any]]:
        try:
            schemas, values = zip(*decode(topic, raw), strict=True)
        except Exception as error:
            raise StepFailed(stage, name, error) from error
        return schemas, values

    def _decoded_headers(self, topic: str, raw: Sequence[EncodedHeaders]) -> Sequence[Headers]:
        if not any(raw):
            return ((),) * len(raw)
        if len(self._known) > _KNOWN_HEADERS:
            self._known.clear()
        known, decoded = self._known, []
        for each in raw:
            at = (topic, tuple(each))
            headers = known.get(at)
            if headers is None:
                headers = known[at] = tuple(self._headers.decode(topic, name, value) for name, value in each)
            decoded.append(headers)
        return decoded


def _one_shape(
    key_schemas: Sequence[Schema | None],
    keys: Sequence[Any],
    value_schemas: Sequence[Schema | None],
    values: Sequence[Any],
) -> list[tuple[int, int]]:
    """(start, end) of each run of records of one key and one value schema; nulls without a schema fit any run."""
    count = len(keys)
    if _alike(key_schemas, keys) and _alike(value_schemas, values):
        return [(0, count)]
    starts = [0]
    key_schema, value_schema = None, None
    bound_key = bound_value = False
    for at in range(count):
        loose_key = key_schemas[at] is None and keys[at] is None
        loose_value = value_schemas[at] is None and values[at] is None
        if (bound_key and not loose_key and key_schemas[at] != key_schema) or (
            bound_value and not loose_value and value_schemas[at] != value_schema
        ):
            starts.append(at)
            bound_key = bound_value = False
        if not bound_key and not loose_key:
            key_schema, bound_key = key_schemas[at], True
        if not bound_value and not loose_value:
            value_schema, bound_value = value_schemas[at], True
    return list(zip(starts, [*starts[1:], count], strict=True))


def _alike(schemas: Sequence[Schema | None], values: Sequence[Any]) -> bool:
    """All of one schema; with schemas, nulls that have none are no exception."""
    first = _schema(schemas)
    same = schemas.count(first)
    if first is None or same == len(schemas):
        return same == len(schemas)
    return same + sum(s is None and v is None for s, v in zip(schemas, values, strict=True)) == len(schemas)


def _schema(schemas: Sequence[Schema | None]) -> Schema | None:
    return schemas[0] or next(filter(None, schemas), None)


def _record_halves(records: Sequence[LogRecord]) -> Sequence[Sequence[LogRecord]]:
    middle = len(records) // 2
    return (records[:middle], records[middle:]) if middle else ()


def _sink_record(records: Sequence[LogRecord]) -> str:
    record = records[0]
    return (f"the record at offset {record.offset} of {record.topic}-{record.partition} "
            f"(timestamp {record.timestamp})")  # fmt: skip
