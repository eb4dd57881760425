"""CPU time a record on its way through a task of the S3 sink, beside that of its compressor or of pyarrow alone.

`python -m bench.s3 [RECORDS]`. Records of about 1.2 KB stand in memory as the log gives them; they are decoded, put
into files and settled, and a store throws the bytes away. The limit writes the same rows with zlib or pyarrow alone,
from values that are decoded already. Of each side the best of seven passes counts.
"""

from __future__ import annotations

import io
import random
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cdc.config import parse
from cdc.errors import Problem
from connect_compat.connector_config import ErrorKeys
from connect_compat.log import LogRecord
from connect_compat.pipeline import SinkPipeline
from connect_compat.progress import Control
from connect_compat.task_plugins import task_plugins
from sinks.s3.connector import layout
from sinks.s3.keys import parsed
from sinks.s3.sink import S3Sink
from sinks.s3.store import Mark, Upload

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

    def __init__(self) -> None:
        self.bytes = 0

    def look(self, name: str) -> Mark | None:
        return None

    def put(self, upload: Upload) -> None:
        self.bytes += upload.content.size

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


def through(found: Sequence[LogRecord], *, schemas: bool, **settings: str) -> tuple[float, int]:
    """CPU seconds of the whole way, and the bytes that came out."""
    config = {
        "name": "bench", "connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": "orders",
        "s3.bucket.name": "b", "flush.size": "100000", "key.converter": _JSON, "value.converter": _JSON,
        "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": str(schemas).lower(),
        **{name.replace("_", "."): value for name, value in settings.items()},
    }  # fmt: skip
    pipeline = SinkPipeline(task_plugins(config), parse(ErrorKeys, config), Control())
    store = Nowhere()
    sink = S3Sink(layout(parsed(config)), store, "bench")
    began = time.process_time()
    for at in range(0, len(found), _BATCH):
        some = found[at : at + _BATCH]
        batches, _ = pipeline(some)
        sink.put([each.batch for each in batches])
        sink.settle({("orders", 0): some[-1].offset + 1})
    spent = time.process_time() - began
    sink.close()
    return spent, store.bytes


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


def best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(7))


def main(count: int) -> None:
    found = rows(count)
    plain, told = records(found, schemas=False), records(found, schemas=True)
    size = sum(len(record.value or b"") for record in plain) / count
    gzip_s = best(lambda: through(plain, schemas=False, format_class=f"{_FORMAT}.json.JsonFormat",
                                  s3_compression_type="gzip")[0])  # fmt: skip
    table_s = best(lambda: through(told, schemas=True, format_class=f"{_FORMAT}.parquet.ParquetFormat",
                                   parquet_codec="zstd")[0])  # fmt: skip
    zlib_s, arrow_s = best(lambda: zlib_alone(plain)), best(lambda: pyarrow_alone(found))
    print(f"{count} records of {size:.0f} bytes, a second of CPU:")
    for what, ours, limit, name in (
        ("JSON + gzip", gzip_s, zlib_s, "zlib"),
        ("Parquet + zstd", table_s, arrow_s, "pyarrow"),
    ):
        print(f"{what:15} {count / ours:9,.0f}   {name} alone {count / limit:9,.0f}   ratio {limit / ours:.2f}")
    shares = [line for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    print(f"memory, the records included: {int(shares[0].split()[1]) >> 10} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
