"""CPU time a record on its way through a task of the S3 sink, beside that of its compressor or of pyarrow alone.

Records of about 1.2 KB stand in memory as the log gives them; they are decoded, put into files and settled, and a store
throws the bytes away. The limit writes the same rows with zlib or pyarrow alone, from values that are decoded already.
"""

from __future__ import annotations

import io
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from bench.place import Place, Size
from bench.rounds import Figures, Run, rounds
from cdc.config import parse
from cdc.errors import Problem
from connect_compat.connector_config import ErrorKeys
from connect_compat.log import LogRecord
from connect_compat.pipeline import SinkPipeline
from connect_compat.progress import Control
from connect_compat.task_plugins import task_plugins
from sinks.s3.connector import layout
from sinks.s3.content import Content
from sinks.s3.keys import parsed
from sinks.s3.sink import S3Sink
from sinks.s3.store import Exists, Mark, Numbered, Series, Upload

_JSON = "org.apache.kafka.connect.json.JsonConverter"
_FORMAT = "io.confluent.connect.s3.format"
_BATCH = 2000
_FIELDS = ("id", "customer", "qty", "price", "created", "name", "email", "city", "status", "note", "address", "agent")
_SCHEMA = {
    "type": "struct", "name": "shop.orders.Value", "optional": False,
    "fields": [{"field": name, "type": "int64" if at < 5 else "string", "optional": False}
               for at, name in enumerate(_FIELDS)],
}  # fmt: skip


class Nowhere:
    """Takes everything and keeps nothing."""

    def look(self, name: str) -> Mark | None:
        return None

    def put(self, upload: Upload) -> Mark:
        return upload.mark

    def newest(self, series: Series, offset: int) -> Numbered | None:
        return None

    def read(self, name: str, version: str) -> Content:
        raise Exists(name)

    def reseal(self, upload: Upload) -> Mark:
        return upload.mark

    def check(self) -> list[Problem]:
        return []

    def close(self) -> None:
        return None


def rows(count: int) -> list[dict[str, object]]:
    """Texts of words, as people write them: about 1.2 KB as JSON."""
    chance = random.Random(1)
    words = ["".join(chance.choices("aeioubcdfglmnprst", k=chance.randrange(2, 11))) for _ in range(3000)]

    def text(length: int) -> str:
        return " ".join(chance.choices(words, k=length // 7))

    return [
        {"id": at, "customer": chance.randrange(100_000), "qty": chance.randrange(50), "price": chance.randrange(10**6),
         "created": 1_700_000_000_000 + at * 37, "name": text(21), "email": f"{chance.choice(words)}@example.com",
         "city": chance.choice(words), "status": chance.choice(("new", "paid", "sent")), "note": text(700),
         "address": text(140), "agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/" + str(at % 130)}
        for at in range(count)
    ]  # fmt: skip


def records(found: Sequence[dict[str, object]], *, schemas: bool) -> list[LogRecord]:
    def value(row: dict[str, object]) -> bytes:
        return orjson.dumps({"schema": _SCHEMA, "payload": row} if schemas else row)

    return [LogRecord("orders", 0, at, 1_700_000_000_000 + at, None, value(row), ()) for at, row in enumerate(found)]


def through(found: Sequence[LogRecord], *, schemas: bool, settings: Mapping[str, str]) -> float:
    """CPU seconds of the whole way."""
    config = {
        "name": "bench", "connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": "orders",
        "s3.bucket.name": "b", "flush.size": "100000", "key.converter": _JSON, "value.converter": _JSON,
        "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": str(schemas).lower(),
        **settings,
    }  # fmt: skip
    pipeline = SinkPipeline(task_plugins(config), parse(ErrorKeys, config), Control())
    sink = S3Sink(layout(parsed(config)), Nowhere(), "bench")
    began = time.process_time()
    for at in range(0, len(found), _BATCH):
        some = found[at : at + _BATCH]
        batches, _ = pipeline(some)
        sink.put([each.batch for each in batches])
        sink.settle({("orders", 0): some[-1].offset + 1})
    spent = time.process_time() - began
    sink.close()
    return spent


def zlib_alone(found: Sequence[LogRecord]) -> float:
    lines = [(record.value or b"") + b"\n" for record in found]
    began = time.process_time()
    packer = zlib.compressobj(-1, zlib.DEFLATED, 31)
    for at in range(0, len(lines), _BATCH):
        packer.compress(b"".join(lines[at : at + _BATCH]))
    packer.flush()
    return time.process_time() - began


def pyarrow_alone(found: Sequence[dict[str, object]]) -> float:
    tuples = [tuple(row.values()) for row in found]
    schema = pa.schema(
        [pa.field(name, pa.int64() if at < 5 else pa.string(), False) for at, name in enumerate(_FIELDS)]
    )
    began = time.process_time()
    with pq.ParquetWriter(io.BytesIO(), schema, compression="zstd") as writer:
        for at in range(0, len(tuples), 14_000):
            columns = zip(*tuples[at : at + 14_000], strict=True)
            arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return time.process_time() - began


@dataclass(frozen=True)
class Pass:
    """A side: one way of all records."""

    name: str
    count: int
    seconds: Callable[[], float]

    def measure(self) -> Figures:
        return {"events_a_cpu_second": self.count / self.seconds()}


@dataclass(frozen=True, kw_only=True)
class S3Case:
    """One format, beside `limit` alone."""

    about: str
    limit: str
    schemas: bool
    settings: Mapping[str, str]

    def rows(self, size: Size) -> int:
        return size.rows // 15

    def seconds(self, size: Size) -> float:
        return 5 + (size.runs + 1) * self.rows(size) / 12_000

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        found = rows(count := self.rows(size))
        told = records(found, schemas=self.schemas)
        alone = {"zlib": lambda: zlib_alone(told), "pyarrow": lambda: pyarrow_alone(found)}[self.limit]
        ours = Pass("tailrace", count, lambda: through(told, schemas=self.schemas, settings=self.settings))
        yield from rounds([ours, Pass(self.limit, count, alone)], size.runs)


JSON_GZIP: Final = {"format.class": f"{_FORMAT}.json.JsonFormat", "s3.compression.type": "gzip"}
PARQUET_ZSTD: Final = {"format.class": f"{_FORMAT}.parquet.ParquetFormat", "parquet.codec": "zstd"}
