"""Fakes at the edges of a task: log, source, sink, converters; and plugins that a real task process can build."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdc.connector import Raw, SinkConnector, SourceConnector
from cdc.errors import ConversionError, SourceError, SourceUnavailable
from cdc.record import Batch, Header, Place, Poll, Rejected, SourceContext, SourceOffset
from cdc.schema import OPTIONAL_STRING, STRING, Schema
from connect_compat.log import Encoded, LogRecord, TopicPartition, TopicSpec
from connect_compat.pipeline import TaskPlugins

PARTITION = {"server": "s"}


class Crash(BaseException):
    """The process died here."""


@dataclass
class Journal:
    """Every step in order; `crash_at` steps in, the process dies. `fail` holds errors for the next such steps."""

    steps: list[str] = field(default_factory=list)
    crash_at: int | None = None
    fail: dict[str, list[Exception]] = field(default_factory=dict)

    def may_fail(self, step: str) -> None:
        if errors := self.fail.get(step):
            raise errors.pop(0)

    def did(self, step: str) -> None:
        self.steps.append(step)
        if self.crash_at == len(self.steps):
            raise Crash(step)


class TextConverter:
    """Strings to UTF-8; the text `bad` has no encoding, the bytes `bad` no decoding."""

    CLASS_NAME = "test.TextConverter"

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if "bad" in values:
            raise ConversionError("cannot write 'bad'")
        return [None if value is None else str(value).encode() for value in values]

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        if b"bad" in raw:
            raise ConversionError("cannot read 'bad'")
        return [(None, None) if each is None else (STRING, each.decode()) for each in raw]


class TextHeaders:
    """Header values to UTF-8; counts what it encodes."""

    CLASS_NAME = "test.TextHeaders"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, topic: str, header: Header) -> bytes | None:
        self.encoded += 1
        return str(header.value).encode()

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header:
        return Header(name, OPTIONAL_STRING, None if raw is None else raw.decode())


def batch(*values: Any, topic: str = "t", keys: Sequence[Any] | None = None, **more: Any) -> Batch:
    """Records with the values, keyed by them unless `keys` are given."""
    headers = more.pop("headers", [()] * len(values))
    return Batch(topic, STRING, STRING, list(keys if keys is not None else values), list(values), headers, **more)


def offset(position: int) -> SourceOffset:
    return SourceOffset(PARTITION, {"pos": position})


@dataclass
class MemoryLog:
    """What an appender flushed, and offsets; records and offsets appear together, as in the embedded log."""

    journal: Journal = field(default_factory=Journal)
    records: list[LogRecord] = field(default_factory=list)
    offsets: dict[str, list[SourceOffset]] = field(default_factory=dict)
    created: list[TopicSpec] = field(default_factory=list)
    closed: int = 0

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        self.journal.may_fail("create")
        self.created += specs

    def appender(self, connector: str, task: int, client: Mapping[str, str]) -> MemoryAppender:
        return MemoryAppender(self, connector)

    def source_offsets(self, connector: str) -> Sequence[SourceOffset]:
        return self.offsets.get(connector, [])

    def add(self, topic: str, *values: bytes | None, headers: Sequence[tuple[str, bytes | None]] = ()) -> None:
        """Records in partition 0 of a topic, keyed by nothing."""
        for value in values:
            at = sum(record.topic == topic for record in self.records)
            self.records.append(LogRecord(topic, 0, at, 1000 + at, None, value, headers))

    def values(self, topic: str = "t") -> list[bytes | None]:
        return [record.value for record in self.records if record.topic == topic]


class MemoryAppender:
    def __init__(self, log: MemoryLog, connector: str) -> None:
        self._log, self._connector = log, connector
        self._batches: list[Encoded] = []
        self._offsets: Sequence[SourceOffset] = ()

    def append(self, batches: Sequence[Encoded], offsets: Sequence[SourceOffset]) -> None:
        self._log.journal.may_fail("append")
        self._batches += batches
        self._offsets = offsets or self._offsets
        self._log.journal.did("append")

    def flush(self) -> Sequence[SourceOffset]:
        self._log.journal.may_fail("flush")
        for each in self._batches:
            at = sum(record.topic == each.topic for record in self._log.records)
            stamps = each.timestamps or [0] * len(each)
            self._log.records += [
                LogRecord(each.topic, 0, at + i, stamps[i], each.keys[i], each.values[i], each.headers[i])
                for i in range(len(each))
            ]
        self._batches = []
        if self._offsets:
            self._log.offsets[self._connector] = list(self._offsets)
        self._log.journal.did("flush")
        return self._offsets

    def close(self) -> None:
        self._log.closed += 1


@dataclass
class RowSource:
    """Rows by position: a poll each, the last one idle; then `then` is called at every further idle poll."""

    rows: Sequence[Any]
    journal: Journal
    then: Callable[[], None]
    told: list[int] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        self.opened += 1
        start = (resume[0].offset or {})["pos"] if resume else 0
        for position in range(start, len(self.rows)):
            self.journal.may_fail("poll")
            idle = position == len(self.rows) - 1
            yield Poll([batch(self.rows[position])], [offset(position + 1)], idle)
        while True:
            self.then()
            yield Poll(idle=True)

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        self.told += [dict(each.offset or {})["pos"] for each in offsets]
        self.journal.did("committed")

    def close(self) -> None:
        self.closed += 1


@dataclass
class MemoryReader:
    """Reads a MemoryLog from `saved`; `then` is called when there is nothing (more) to read."""

    log: MemoryLog
    then: Callable[[], None]
    saved: dict[TopicPartition, int] = field(default_factory=dict)
    gone: list[TopicPartition] = field(default_factory=list)
    reads_while_paused: int = 0
    paused: bool = False
    pauses: int = 0

    def __post_init__(self) -> None:
        self._next = dict(self.saved)

    def read(self, max_records: int, timeout_s: float) -> Sequence[LogRecord]:
        self.log.journal.may_fail("read")
        if self.paused:
            self.reads_while_paused += 1
            self.then()
            time.sleep(0.001)
            return ()
        found = [r for r in self.log.records if r.topic == "t" and r.offset >= self._next.get(("t", r.partition), 0)]
        found = found[:max_records]
        for record in found:
            self._next[record.topic, record.partition] = record.offset + 1
        if not found:
            self.then()
        return found

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.log.journal.may_fail("commit")
        self.saved.update(offsets)
        self.log.journal.did("commit")

    def lost(self) -> Sequence[TopicPartition]:
        gone, self.gone = self.gone, []
        return gone

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False

    def backlog(self) -> int | None:
        return 0

    def close(self) -> None:
        return None


@dataclass
class MemorySink:
    """Keeps every value it was given; refuses the value `refused`, fatally or not."""

    journal: Journal
    fatal: bool = True
    values: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        self.journal.may_fail("put")
        self.sizes += [len(each) for each in batches]
        self.values += [value for each in batches for value in each.values if value != "refused"]
        self.journal.did("put")
        return [
            Rejected(each, i, "not wanted", self.fatal)
            for each in batches
            for i, v in enumerate(each.values)
            if v == "refused"
        ]

    def close(self) -> None:
        return None


@dataclass
class MemoryBackground(MemorySink):
    """A sink that writes in the background: what was begun is written when it is waited for, or `hurried`."""

    most: int = 2
    begun: list[MemoryWriting] = field(default_factory=list)

    def begin(self, batches: Sequence[Batch]) -> MemoryWriting:
        self.journal.may_fail("begin")
        self.begun.append(MemoryWriting(self, list(batches)))
        return self.begun[-1]

    def full(self) -> bool:
        return len(self.begun) >= self.most

    def hurry(self) -> None:
        self.journal.did("hurry")


@dataclass
class MemoryWriting:
    sink: MemoryBackground
    batches: list[Batch]

    def done(self) -> bool:
        return False

    def wait(self) -> Sequence[Rejected]:
        refused = self.sink.put(self.batches)
        self.sink.begun.remove(self)
        return refused

    def drop(self, batches: Sequence[Batch]) -> None:
        self.batches = [each for each in self.batches if each not in batches]


@dataclass
class MemoryFiles:
    """A gathering sink: writes the values it was given as files of `size`."""

    journal: Journal
    size: int
    files: list[list[Any]] = field(default_factory=list)
    in_hand: list[tuple[int, Any]] = field(default_factory=list)
    forgotten: list[Place] = field(default_factory=list)
    settled: int = 0

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        for each in batches:
            self.in_hand += zip(each.offsets or (), each.values, strict=True)
        return ()

    def settle(self, read: Mapping[Place, int]) -> Mapping[Place, int]:
        self.settled += 1
        self.journal.may_fail("settle")
        while len(self.in_hand) >= self.size:
            self.files.append([value for _, value in self.in_hand[: self.size]])
            del self.in_hand[: self.size]
            self.journal.did("file")
        return {place: self.in_hand[0][0] if self.in_hand else at for place, at in read.items()}

    def forget(self, places: Collection[Place]) -> None:
        self.forgotten += places
        self.in_hand.clear()

    def close(self) -> None:
        return None


# Plugins for real task processes, by the setting `behaviour`.


@dataclass(frozen=True)
class NoConfig:
    """A connector without settings."""


class TickingSource:
    """Rows 0, 1, 2 … a few milliseconds apart, until `behaviour` does something else at row `at`."""

    def __init__(self, config: Raw, context: SourceContext) -> None:
        self._config, self._context = config, context

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        start = (resume[0].offset or {})["pos"] if resume else 0
        for position in range(start, 10**9):
            if position == int(self._config.get("at", "5")):
                self._misbehave()
            time.sleep(0.005)
            rows = batch(str(position), topic=self._config.get("topic", "t"))
            yield Poll([rows], [offset(position + 1)], idle=True)

    def _misbehave(self) -> None:
        match self._config["behaviour"]:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(600)
            case "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "refuse":
                raise SourceError(f"access denied with {self._config['database.password']}; run GRANT ALL")
            case "away":
                raise SourceUnavailable("db:3306 does not answer")
            case "warn":
                for text in ("odd", "odd", *map(str, range(12))):
                    logging.getLogger("cdc.fake").warning(text)

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        return None

    def close(self) -> None:
        return None


class FileSink:
    """Writes each value as a line of the file named by `path`; refuses values that end in `refuse`."""

    def __init__(self, config: Raw) -> None:
        self._config = config
        self._out = open(config["path"], "a", buffering=1)  # noqa: SIM115, PTH123

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        unwanted = self._config.get("refuse", "nothing")
        self._out.writelines(f"{v}\n" for each in batches for v in each.values if not v.endswith(unwanted))
        return [Rejected(each, i, f"ends in {unwanted}") for each in batches for i, v in enumerate(each.values)
                if v.endswith(unwanted)]  # fmt: skip

    def close(self) -> None:
        self._out.close()


def source_plugins(config: Raw) -> TaskPlugins:
    connector = SourceConnector(class_name="test.Ticking", version="1", config=NoConfig, build=TickingSource)
    return TaskPlugins(connector, (), TextConverter(), TextConverter(), TextHeaders())


def sink_plugins(config: Raw) -> TaskPlugins:
    connector = SinkConnector(class_name="test.File", version="1", config=NoConfig, build=FileSink)
    return TaskPlugins(connector, (), TextConverter(), TextConverter(), TextHeaders())
