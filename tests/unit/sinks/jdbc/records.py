"""Batches for tests of the JDBC sink: flat records and envelopes of one small table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdc.record import Batch
from cdc.schema import INT32, INT64, OPTIONAL_BYTES, OPTIONAL_STRING, STRING, Schema, Type, decimal, struct

KEY = struct(("id", INT32), name="shop.public.t.Key")
ROW = struct(
    ("id", INT32),
    ("name", OPTIONAL_STRING),
    ("price", decimal(2, optional=True)),
    ("at", Schema(Type.INT64, optional=True, name="io.debezium.time.MicroTimestamp", version=1)),
    ("raw", OPTIONAL_BYTES),
    optional=True,
    name="shop.public.t.Value",
)
SOURCE = struct(("db", STRING), ("table", STRING), ("lsn", INT64))
ENVELOPE = struct(("before", ROW), ("after", ROW), ("source", SOURCE), ("op", STRING), name="shop.public.t.Envelope")
WORD = "__debezium_unavailable_value"
Row = tuple[Any, ...]


def row(id: int, name: str | None = "n", price: int | None = 100, at: int | None = 0, raw: bytes | None = b"r") -> Row:
    return id, name, price, at, raw


def change(op: str, after: Row | None, before: Row | None = None) -> Row:
    return before, after, ("shop", "t", 1), op


def created(*rows: Row) -> list[tuple[int, Any]]:
    return [(each[0], change("c", each)) for each in rows]


def batch(
    records: Sequence[tuple[Any, Any]], *, topic: str = "t", first: int = 0, value: Schema | None = ENVELOPE,
    key: Schema | None = KEY,
) -> Batch:  # fmt: skip
    """`records`: id (or a whole key) and value."""
    keys = [(each,) if key is KEY and isinstance(each, int) else each for each, _ in records]
    offsets = list(range(first, first + len(records)))
    return Batch(topic, key, value, keys, [v for _, v in records], [()] * len(records), 0, offsets, offsets)
