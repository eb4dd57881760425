"""CPU time a row of writing and reading change events in Avro, ours beside fastavro's generic writer.

`python -m bench.avro [ROWS]`, with fastavro installed beside (`pip install fastavro`). fastavro is given rows as the
dictionaries it wants, made beforehand; of each side the best of five passes counts.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cdc.avro.schema import AvroForm, avro_text
from cdc.avro.types import parse_avro
from cdc.avro.write import compile_writer
from cdc.schema import (
    DECIMAL,
    INT32,
    INT64,
    OPTIONAL_BYTES,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    Schema,
    Type,
    decimal,
    struct,
)
from connect_compat.converters.avro_read import Reading, readable

ROW = struct(
    ("id", INT64), ("customer", INT32), ("name", STRING), ("email", OPTIONAL_STRING), ("qty", INT32),
    ("price", decimal(2)), ("note", OPTIONAL_STRING), ("paid", Schema(Type.INT16)),
    ("created", Schema(Type.INT64, name="io.debezium.time.Timestamp", version=1)),
    ("updated", Schema(Type.STRING, optional=True, name="io.debezium.time.ZonedTimestamp", version=1)),
    ("score", OPTIONAL_FLOAT64), ("data", OPTIONAL_BYTES), name="p.shop.orders.Value", optional=True,
)  # fmt: skip
SOURCE = struct(
    ("version", STRING), ("connector", STRING), ("name", STRING), ("ts_ms", INT64), ("snapshot", OPTIONAL_STRING),
    ("db", STRING), ("sequence", OPTIONAL_STRING), ("ts_us", OPTIONAL_INT64), ("ts_ns", OPTIONAL_INT64),
    ("table", OPTIONAL_STRING), ("server_id", INT64), ("gtid", OPTIONAL_STRING), ("file", STRING), ("pos", INT64),
    ("row", INT32), ("thread", OPTIONAL_INT64), ("query", OPTIONAL_STRING),
    name="io.debezium.connector.mysql.Source", version=1,
)  # fmt: skip
ENVELOPE = struct(
    ("before", ROW), ("after", ROW), ("source", SOURCE), ("op", STRING), ("ts_ms", OPTIONAL_INT64),
    ("ts_us", OPTIONAL_INT64), ("ts_ns", OPTIONAL_INT64), name="p.shop.orders.Envelope", version=2,
)  # fmt: skip


def event(at: int) -> Any:
    row = (at, at % 1000, f"customer {at}", f"c{at}@example.com", at % 50, at * 100, None, 1, 1_700_000_000_000 + at,
           "2024-01-01T00:00:00Z", 1.5 * at, b"abcdefgh")  # fmt: skip
    source = ("3.5.0.Final", "mysql", "p", 1_700_000_000_000, "false", "shop", None, 1_700_000_000_000_123,
              1_700_000_000_000_123_456, "orders", 223344, None, "binlog.000003", 12345 + at, 0, 17, None)  # fmt: skip
    read_ms = 1_700_000_001_000 + at // 50
    return None, row, source, "c", read_ms, read_ms * 1000 + 123, read_ms * 1_000_000 + 123_456


def as_dictionary(schema: Schema, value: Any) -> Any:
    if value is not None and schema.type is Type.STRUCT:
        return {f.name: as_dictionary(f.schema, each) for f, each in zip(schema.fields, value, strict=True)}
    return Decimal(value).scaleb(-schema.scale) if schema.name == DECIMAL and value is not None else value


def best(work: Callable[[], object], rows: int) -> float:
    """Microseconds a row."""
    passes = []
    for _ in range(5):
        start = time.process_time()
        work()
        passes.append(time.process_time() - start)
    return min(passes) / rows * 1e6


def main(rows: int) -> None:
    text = avro_text(ENVELOPE, AvroForm())
    avro = parse_avro(text)
    write, read = compile_writer(ENVELOPE, avro, AvroForm()), readable(avro, Reading()).read
    events = [event(at) for at in range(rows)]
    encoded = [write(each) for each in events]
    ours = best(lambda: [write(each) for each in events], rows)
    sys.stdout.write(
        f"written by ours {ours:.1f} us a row, read {best(lambda: [read(r, 0) for r in encoded], rows):.1f}\n"
    )
    fastavro: Any = importlib.import_module("fastavro")
    parsed = fastavro.parse_schema(json.loads(text))
    dictionaries = [as_dictionary(ENVELOPE, each) for each in events]

    def generic(each: Any) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, each)
        return out.getvalue()

    assert [generic(each) for each in dictionaries[:100]] == encoded[:100]
    theirs = best(lambda: [generic(each) for each in dictionaries], rows)
    sys.stdout.write(f"written by fastavro {theirs:.1f} us a row: {theirs / ours:.1f} times as long\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
