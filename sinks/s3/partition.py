"""Records to the paths of their files: by partition, by fields, or by time, as Confluent's partitioners encode them.

A path is what stands between topic and file name: `partition=0`, `country=at/day=2`, `year=2026/month=11`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Protocol

from cdc.record import Batch
from cdc.schema import TIMESTAMP, Schema, Type
from sinks.s3.joda import compile_pattern

Paths = str | Sequence[str]
"""One path for all records of a batch, or one for each."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_KNOWN: Final = 10_000
HOUR_MS: Final = 3_600_000


class Unplaced(Exception):
    """A record that has no path: the field it goes by is not there, or is of a type that no path is made of."""


class Partitioner(Protocol):
    def paths(self, batch: Batch, now_ms: int) -> Paths:
        """Raises: Unplaced: of the first record that has none."""

    def times(self, batch: Batch, now_ms: int) -> Sequence[int] | None:
        """The moments that records go by, in milliseconds; None: they do not go by time. Raises: Unplaced."""


class DefaultPartitioner:
    """`partition=N`."""

    def paths(self, batch: Batch, now_ms: int) -> Paths:
        return f"partition={batch.partition}"

    def times(self, batch: Batch, now_ms: int) -> Sequence[int] | None:
        return None


class FieldPartitioner:
    """`field=value/other=value`; a null is `null`."""

    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self._names, self._delimiter = names, delimiter

    def paths(self, batch: Batch, now_ms: int) -> Paths:
        columns = [_texts(name, batch) for name in self._names]
        return columns[0] if len(columns) == 1 else list(map(self._delimiter.join, zip(*columns, strict=True)))

    def times(self, batch: Batch, now_ms: int) -> Sequence[int] | None:
        return None


def _texts(name: str, batch: Batch) -> list[str]:
    read, schema = field_reader(name, batch.value_schema)
    if schema is not None and schema.type not in (*_INTEGERS, Type.STRING, Type.BOOLEAN):
        raise Unplaced(f"field {name} is of type {schema.type.value}, and paths are made of integers, strings and "
                       "booleans; name another field in partition.field.name")  # fmt: skip
    return [f"{name}={_text(read(value))}" for value in batch.values]


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
    raise Unplaced(f"a {type(value).__name__} makes no path; name a field of integers, strings or booleans in "
                   "partition.field.name")  # fmt: skip


def field_reader(name: str, schema: Schema | None) -> tuple[Callable[[Any], Any], Schema | None]:
    """What reads the field `a.b.c` of a value, and its schema. Raises: Unplaced: there is no such field."""
    if schema is None:
        return _in_map(name), None
    steps: list[int] = []
    for part in _parts(name, schema):
        at = schema.index(part) if schema.type is Type.STRUCT else None
        if at is None:
            raise Unplaced(f"field {name} is not in the records; correct partition.field.name or timestamp.field")
        steps.append(at)
        schema = schema.fields[at].schema
    if len(steps) == 1:
        (only,) = steps
        return lambda value: value[only], schema

    def read(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = value[step]
        return value

    return read, schema


def _parts(name: str, schema: Schema) -> list[str]:
    """A field may have points in its own name."""
    return [name] if schema.index(name) is not None else name.split(".")


def _in_map(name: str) -> Callable[[Any], Any]:
    parts = name.split(".")

    def read(value: Any) -> Any:
        for part in parts:
            if not isinstance(value, dict) or part not in value:
                raise Unplaced(f"field {name} is not in the record; correct partition.field.name or timestamp.field")
            value = value[part]
        return value

    return read


Times = Callable[[Batch, int], Sequence[int]]


def wallclock(batch: Batch, now_ms: int) -> Sequence[int]:
    return (now_ms,) * len(batch)


def record_time(batch: Batch, now_ms: int) -> Sequence[int]:
    assert batch.timestamps is not None
    return batch.timestamps


def field_time(name: str) -> Times:
    """By a field that holds milliseconds, a Connect Timestamp, or ISO 8601 text."""

    def times(batch: Batch, now_ms: int) -> Sequence[int]:
        read, schema = field_reader(name, batch.value_schema)
        if schema is not None and schema.name != TIMESTAMP and schema.type not in (Type.INT32, Type.INT64, Type.STRING):
            raise Unplaced(f"field {name} is of type {schema.type.value}, and a time is an int32, an int64 or a "
                           "string; name another one in timestamp.field")  # fmt: skip
        return [_millis(name, read(value)) for value in batch.values]

    return times


def _millis(name: str, value: Any) -> int:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Unplaced(f"field {name} holds text that is no time as ISO 8601 writes it") from None
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, str | int | float):
        return int(value)
    raise Unplaced(f"field {name} holds no time: it is {'null' if value is None else type(value).__name__}")


class TimePartitioner:
    """`year=2026/month=11/day=21`: the moment a record goes by, cut to `duration_ms`, by a pattern in a zone."""

    def __init__(self, pattern: str, duration_ms: int, zone: tzinfo, locale: str, times: Times) -> None:
        """Raises: ValueError: the pattern."""
        self._write = compile_pattern(pattern, locale)
        self._duration_ms, self._zone, self._times = duration_ms, zone, times
        self._known: dict[int, str] = {}

    def times(self, batch: Batch, now_ms: int) -> Sequence[int] | None:
        return self._times(batch, now_ms)

    def paths(self, batch: Batch, now_ms: int) -> Paths:
        paths = list(map(self._path, self._times(batch, now_ms)))
        return paths[0] if paths.count(paths[0]) == len(paths) else paths

    def _path(self, moment_ms: int) -> str:
        """A zone's offset never changes within a quarter of an hour, and no pattern shows less than a millisecond."""
        slot = moment_ms // self._grain_ms
        known = self._known.get(slot)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[slot] = self._written(moment_ms)
        return known

    @property
    def _grain_ms(self) -> int:
        return 900_000 if self._duration_ms % 900_000 == 0 else 1

    def _written(self, moment_ms: int) -> str:
        try:
            local = (_EPOCH + timedelta(milliseconds=moment_ms)).astimezone(self._zone)
        except OverflowError:
            raise Unplaced(f"the time {moment_ms} ms is outside of the years 1 to 9999") from None
        offset_ms = (local.utcoffset() or timedelta()) // timedelta(milliseconds=1)
        wall_ms = int((moment_ms + offset_ms) / self._duration_ms) * self._duration_ms
        wall = datetime(1970, 1, 1) + timedelta(milliseconds=wall_ms)
        return self._write(wall.replace(tzinfo=self._zone))


class SchemaPartitioner:
    """The path of another partitioner, and before or after it the name of the records' schema."""

    def __init__(self, inner: Partitioner, delimiter: str, *, prefix: bool) -> None:
        self._inner, self._delimiter, self._prefix = inner, delimiter, prefix

    def paths(self, batch: Batch, now_ms: int) -> Paths:
        name = f"schema_name={(batch.value_schema and batch.value_schema.name) or 'null'}"
        inner = self._inner.paths(batch, now_ms)
        if isinstance(inner, str):
            return self._joined(name, inner)
        return [self._joined(name, each) for each in inner]

    def _joined(self, name: str, path: str) -> str:
        return self._delimiter.join((name, path) if self._prefix else (path, name))

    def times(self, batch: Batch, now_ms: int) -> Sequence[int] | None:
        return self._inner.times(batch, now_ms)
