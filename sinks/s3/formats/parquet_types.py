"""Connect schemas to Arrow types and columns of values to Arrow arrays, Debezium's semantic types included.

What a reader of Parquet sees: Decimal as DECIMAL, Connect's and Debezium's dates as DATE, timestamps as TIMESTAMP (with
a zone UTC where they are moments, without where they are a wall clock's), `io.debezium.data.Uuid` as UUID,
`io.debezium.data.Json` as JSON. Durations that Debezium writes as MicroTime stay numbers: MySQL's TIME leaves a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import pyarrow as pa

from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type
from sinks.s3.formats import Unfit

Column = Sequence[Any]
Build = Callable[[Column], pa.Array]
_MOST_DIGITS: Final = 38
_UUID: Final = "io.debezium.data.Uuid"
_PLAIN: Final = {
    Type.INT8: pa.int8(), Type.INT16: pa.int16(), Type.INT32: pa.int32(), Type.INT64: pa.int64(),
    Type.FLOAT32: pa.float32(), Type.FLOAT64: pa.float64(), Type.BOOLEAN: pa.bool_(), Type.STRING: pa.string(),
    Type.BYTES: pa.binary(),
}  # fmt: skip
_NAMED: Final = {
    (Type.INT32, DATE): pa.date32(),
    (Type.INT32, TIME): pa.time32("ms"),
    (Type.INT64, TIMESTAMP): pa.timestamp("ms", "UTC"),
    (Type.INT32, "io.debezium.time.Date"): pa.date32(),
    (Type.INT32, "io.debezium.time.Time"): pa.time32("ms"),
    (Type.INT64, "io.debezium.time.Timestamp"): pa.timestamp("ms"),
    (Type.INT64, "io.debezium.time.MicroTimestamp"): pa.timestamp("us"),
    (Type.INT64, "io.debezium.time.NanoTimestamp"): pa.timestamp("ns"),
}
"""Numbers that Parquet has a name for; the number stays the same."""
_NUMBERS: Final = {Type.INT32: pa.int32(), Type.INT64: pa.int64()}


class Made(NamedTuple):
    """The Arrow type of a schema, and what makes an array of a column of its values, None among them."""

    type: pa.DataType
    build: Build


def fields(schema: Schema) -> list[tuple[pa.Field, Build]]:
    """The columns of a STRUCT schema."""
    return [(pa.field(f.name, made(f.schema).type, nullable=f.schema.optional), made(f.schema).build)
            for f in schema.fields]  # fmt: skip


@lru_cache(maxsize=4096)
def made(schema: Schema) -> Made:
    """Raises: Unfit: Parquet has no such type."""
    kind = _of_type(schema)
    if schema.default is None:
        return kind
    default = schema.default
    return Made(kind.type, lambda column: kind.build([default if v is None else v for v in column]))


def _of_type(schema: Schema) -> Made:
    if (named := _NAMED.get((schema.type, schema.name or ""))) is not None:
        number = _NUMBERS[schema.type]
        return Made(named, lambda column: pa.array(column, number).view(named))
    if schema.name == DECIMAL and schema.type is Type.BYTES:
        return _decimal(schema)
    if schema.type is Type.STRING and schema.name == _UUID:
        return Made(pa.uuid(), _uuids)
    if schema.type is Type.STRING and schema.name == "io.debezium.data.Json":
        return Made(
            pa.json_(), lambda column: pa.ExtensionArray.from_storage(pa.json_(), pa.array(column, pa.string()))
        )
    match schema.type:
        case Type.STRUCT:
            return _struct(schema)
        case Type.ARRAY if schema.items is not None:
            return _list(schema.items)
        case Type.MAP if schema.items is not None and schema.keys is not None:
            return _map(schema.keys, schema.items)
        case kind:
            plain = _PLAIN[kind]
            return Made(plain, lambda column: pa.array(column, plain))


def _decimal(schema: Schema) -> Made:
    digits = int(schema.parameter("connect.decimal.precision") or _MOST_DIGITS)
    scale = schema.scale
    if scale < 0 or max(digits, scale) > 76:
        raise Unfit(f"Parquet readers know no decimals of {digits} digits and scale {scale}; make the field a string, "
                    "as decimal.handling.mode=string does at the source")  # fmt: skip
    digits = max(digits, scale, 1)
    wide = digits > _MOST_DIGITS
    kind = pa.decimal256(digits, scale) if wide else pa.decimal128(digits, scale)
    size, limit = 32 if wide else 16, 10**digits

    def build(column: Column) -> pa.Array:
        if any(not -limit < value < limit for value in column if value is not None):
            raise Unfit(f"a decimal has more than the {digits} digits its schema says or Parquet readers know; make "
                        "the field a string, as decimal.handling.mode=string does at the source")  # fmt: skip
        data = b"".join([(value or 0).to_bytes(size, "little", signed=True) for value in column])
        return pa.Array.from_buffers(kind, len(column), [_validity(column), pa.py_buffer(data)])

    return Made(kind, build)


def _validity(column: Column) -> pa.Buffer | None:
    if None not in column:
        return None
    return pa.array([value is not None for value in column]).buffers()[1]


def _uuids(column: Column) -> pa.Array:
    try:
        raw = [None if text is None else bytes.fromhex(text.replace("-", "")) for text in column]
        return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(raw, pa.binary(16)))
    except (ValueError, pa.ArrowInvalid):
        raise Unfit(f"a value of a field of {_UUID} is no UUID") from None


def _documents(column: Column) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(column, pa.string()))


def _struct(schema: Schema) -> Made:
    columns = fields(schema)
    arrow = [field for field, _ in columns]
    empty = tuple(_filler(field.schema) for field in schema.fields)

    def build(column: Column) -> pa.Array:
        if not arrow:
            raise Unfit("Parquet has no structs without fields; leave the field out with the transform ReplaceField")
        missing = None in column
        rows = [empty if row is None else row for row in column] if missing else column
        parts = zip(*rows, strict=True) if rows else [()] * len(arrow)
        arrays = [make(part) for (_, make), part in zip(columns, parts, strict=True)]
        mask = pa.array([row is None for row in column]) if missing else None
        return pa.StructArray.from_arrays(arrays, fields=arrow, mask=mask)

    return Made(pa.struct(arrow), build)


def _filler(schema: Schema) -> Any:
    """What stands below a null struct, where nobody sees it."""
    if schema.optional:
        return None
    match schema.type:
        case Type.STRUCT:
            return tuple(_filler(field.schema) for field in schema.fields)
        case Type.ARRAY:
            return []
        case Type.MAP:
            return {}
        case Type.STRING:
            return "0" * 32 if schema.name == _UUID else ""
        case Type.BYTES:
            return 0 if schema.name == DECIMAL else b""
        case Type.BOOLEAN:
            return False
    return 0


def _offsets(sizes: Sequence[int | None]) -> pa.Array:
    """Where each list begins; null where there is none."""
    out: list[int | None] = []
    at = 0
    for size in sizes:
        out.append(None if size is None else at)
        at += size or 0
    return pa.array([*out, at], pa.int32())


def _list(items: Schema) -> Made:
    element = made(items)
    field = pa.field("element", element.type, nullable=items.optional)

    def build(column: Column) -> pa.Array:
        offsets = _offsets([None if each is None else len(each) for each in column])
        values = element.build([item for each in column if each is not None for item in each])
        return pa.ListArray.from_arrays(offsets, values, type=pa.list_(field))

    return Made(pa.list_(field), build)


def _map(keys: Schema, items: Schema) -> Made:
    key, item = made(keys), made(items)
    kind = pa.map_(key.type, pa.field("value", item.type, nullable=items.optional))

    def build(column: Column) -> pa.Array:
        offsets = _offsets([None if each is None else len(each) for each in column])
        all_keys = key.build([k for each in column if each is not None for k in each])
        all_items = item.build([v for each in column if each is not None for v in each.values()])
        return pa.MapArray.from_arrays(offsets, all_keys, all_items, type=kind)

    return Made(kind, build)
