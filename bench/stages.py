"""CPU time an event of each stage between MySQL's packets and Kafka, in one process: what there is to make faster.

`python -m bench.stages [ROWS [PER_TRANSACTION [PASSES]]]`. A binary log is recorded once and passes through the real
parts again and again; of each stage the best pass counts. Servers are those of the `bench` profile.
"""

from __future__ import annotations

import gc
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import pymysql

from bench.sources import TABLE, inserts
from cdc.config import Password, parse
from cdc.envelope import EnvelopeSettings, context_headers
from cdc.mysql import source_info, wire
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.history import History
from cdc.mysql.offset import GtidSet, Position
from cdc.mysql.reader import Reader
from cdc.mysql.reader_options import ReaderOptions
from cdc.mysql.type_family import TypeOptions
from connect_compat.connector_config import ErrorKeys
from connect_compat.log import LogSettings
from connect_compat.log.kafka import KafkaLog
from connect_compat.pipeline import SourcePipeline
from connect_compat.progress import Control
from connect_compat.task_plugins import task_plugins
from services.__main__ import PORTS

P = ParamSpec("P")
T = TypeVar("T")
_CHUNK_BYTES = 1 << 20
_JSON = "org.apache.kafka.connect.json.JsonConverter"


@dataclass(frozen=True)
class Recording:
    """Events of a binary log from `start` on, in which `database` is created and filled."""

    database: str
    start: Position
    events: Sequence[bytes]


def record(port: int, rows: int, per_transaction: int) -> Recording:
    database = "b" + uuid.uuid4().hex[:8]
    connection: Any = pymysql.connect(host="127.0.0.1", port=port, user="app", password="apppw", autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW BINARY LOG STATUS")
        file, at, *_ = cursor.fetchone()
        for statement in (f"CREATE DATABASE {database}", f"USE {database}", TABLE):
            cursor.execute(statement)
        for statement in inserts("orders", rows, per_transaction):
            cursor.execute(statement)
        cursor.execute(last := f"DROP DATABASE {database}")
    start = Position(file=file, pos=at)
    settings = wire.Settings(host="127.0.0.1", port=port, user="app", password=Password("apppw"))
    stream = wire.Stream(settings, random.randint(10**5, 10**6), start, None)
    events: list[bytes] = []
    while not any(last.encode() in event for event in events[-10:]):
        events += stream.read()
    stream.close()
    return Recording(database, start, events)


def chunks(events: Sequence[bytes]) -> Iterator[bytes]:
    """The events as the server sends them: in packets, cut anywhere."""
    sent = bytearray()
    for number, event in enumerate(events):
        sent += (len(event) + 1).to_bytes(3, "little") + bytes((number & 255, 0)) + event
    for at in range(0, len(sent), _CHUNK_BYTES):
        yield bytes(sent[at : at + _CHUNK_BYTES])


class NoTopic:
    """A history topic that keeps nothing."""

    def exists(self) -> bool:
        return True

    def create(self) -> None: ...

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None: ...

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return iter(())

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return iter(())

    def forget(self, before: int) -> None: ...


def connector_config(database: str) -> Mapping[str, str]:
    return {
        "name": database, "connector.class": "io.debezium.connector.mysql.MySqlConnector",
        "database.hostname": "127.0.0.1", "database.user": "app", "database.password": "apppw",
        "database.server.id": "1", "database.include.list": database, "topic.prefix": database,
        "schema.history.internal.kafka.topic": "none", "key.converter": _JSON, "value.converter": _JSON,
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
        "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    }  # fmt: skip


def make_reader(recording: Recording, raw: Mapping[str, str]) -> Reader:
    config, prefix = parse(MySqlConfig, raw), recording.database
    headers = context_headers(prefix, 0, "mysql", "run")
    capture = Capture(config, EnvelopeSettings(prefix=prefix, source=source_info.schema(), headers=headers),
                      TypeOptions())  # fmt: skip
    options = ReaderOptions(prefix=prefix, types=TypeOptions(), schema_changes=False, max_rows=config.max_batch_size)
    return Reader(options, History(NoTopic(), prefix, capture.table), capture, recording.start,
                  gtids=GtidSet(), has_gtids=True, checksum=True)  # fmt: skip


class Stages:
    """Adds up CPU seconds of this thread by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.thread_time()
        result = work(*args, **kwargs)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - began
        return result


def one_pass(recording: Recording, kafka: str) -> tuple[int, dict[str, float]]:
    """Number of records, and seconds by stage."""
    raw = connector_config(recording.database)
    pipeline = SourcePipeline(task_plugins(raw), parse(ErrorKeys, raw), Control())
    log = KafkaLog(LogSettings(client={"bootstrap.servers": kafka}))
    appender = log.appender(recording.database, 0, {})
    stream = wire.Stream.over(wire.Settings(host="", user=""), None, recording.start, None)  # type: ignore[arg-type]
    reader, stages, count = make_reader(recording, raw), Stages(), 0
    received = list(chunks(recording.events))
    everything, this_thread = time.process_time(), time.thread_time()
    for chunk in received:
        stages("packets", stream.feed, chunk)
        events = stages("packets", stream.events)
        polls = reader.polls([events])
        while (poll := stages("rows and envelopes", next, polls, None)) is not None:
            encoded = stages("to JSON", pipeline, poll.batches)
            stages("to the producer", appender.append, encoded, ())
            count += sum(map(len, encoded))
    stages("flush", appender.flush)
    stages.seconds["this thread"] = time.thread_time() - this_thread
    stages.seconds["all threads"] = time.process_time() - everything
    appender.close()
    log.delete_topics([f"{recording.database}.{recording.database}.orders"])
    log.close()
    return count, stages.seconds


def main(arguments: list[str]) -> None:
    rows, per_transaction, passes = [int(n) for n in arguments] + [100_000, 1000, 5][len(arguments) :]
    ports = PORTS["bench"]
    recording = record(ports["mysql"], rows, per_transaction)
    gc.freeze()
    found = [one_pass(recording, f"127.0.0.1:{ports['kafka']}") for _ in range(passes)]
    for stage in found[0][1]:
        best = min(seconds[stage] / count for count, seconds in found)
        print(f"{stage:20} {best * 1e6:6.2f} us an event")


if __name__ == "__main__":
    main(sys.argv[1:])
