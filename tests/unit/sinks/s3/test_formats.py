"""What stands in files, read back by others: gzip, zstandard, fastavro, pyarrow, DuckDB."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cdc.avro.schema import AvroForm
from cdc.schema import (
    BYTES,
    DATE,
    INT8,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
    map_of,
    struct,
)
from sinks.s3.formats import Encoder, Format, Unfit
from sinks.s3.formats.avro import AvroFormat
from sinks.s3.formats.compression import Gzip, Zstd, compression
from sinks.s3.formats.lines import BytesFormat, JsonFormat
from sinks.s3.formats.parquet import ParquetFormat


def written(format: Format, schema: Schema | None, *batches: Sequence[Any], flush: bool = False) -> bytes:
    encoder: Encoder = format.encoder(schema)
    out = b""
    for values in batches:
        out += encoder.add(format.prepare(schema, values))
        out += encoder.flush() if flush else b""
    return out + encoder.finish()


_SCALARS = st.one_of(st.text(), st.integers(-(2**63), 2**64 - 1), st.booleans(), st.none(), st.floats())
_JSON = st.dictionaries(st.text(), st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3)), max_size=4)


@given(st.lists(_JSON, max_size=5))
def test_records_without_a_schema_are_written_alike_together_and_alone(values: list[Any]) -> None:
    format = JsonFormat(compression("none", -1), "", numeric=False)
    assert format.prepare(None, values).lines == [
        line for value in values for line in format.prepare(None, [value, 1]).lines[:1]
    ]


def test_texts_that_jackson_writes_otherwise_are_written_as_it_does() -> None:
    format = JsonFormat(compression("none", -1), "", numeric=False)
    values: list[Any] = [{"a": 1}, {"b": "\U0001f600\x1f"}]
    assert format.prepare(None, values).lines == [b'{"a":1}\n', b'{"b":"\\uD83D\\uDE00\\u001F"}\n']
    with pytest.raises(Unfit, match="JSON cannot hold it"):
        format.prepare(None, [{"a": 2**70}])


def test_deflate_is_read_by_zlib_whoever_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for accelerated in (True, False):
        if not accelerated:
            monkeypatch.setattr("sinks.s3.formats.compression.isal_zlib", None)
        for level in (-1, 0, 1, 9):
            stream = Gzip(level)
            packed = stream.block(b"ab" * 100_000) + stream.block(b"c") + stream.end()
            assert gzip.decompress(packed) == b"ab" * 100_000 + b"c"


@given(st.lists(st.binary(max_size=300)))
def test_blocks_of_gzip_are_one_stream(blocks: list[bytes]) -> None:
    stream = Gzip(-1)
    packed = b"".join([stream.block(block) for block in blocks]) + stream.end()
    one = zlib.decompressobj(31)
    assert one.decompress(packed) + one.flush() == b"".join(blocks)
    assert (one.eof, one.unused_data) == (True, b"")


def test_blocks_of_zstd_are_one_stream() -> None:
    packed = Zstd(3).block(b"a" * 1000) + Zstd(3).block(b"b")
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True) as reader:
        assert reader.read() == b"a" * 1000 + b"b"


def json(numeric: bool = False) -> JsonFormat:
    return JsonFormat(compression("none", -1), "", numeric=numeric)


def test_json_is_that_of_kafka_connects_converter() -> None:
    schema = struct(("d", decimal(2)), ("n", OPTIONAL_STRING.with_(default="x")), ("f", Schema(Type.FLOAT64)))
    assert written(json(), schema, [(12345, None, 1e10)]) == b'{"d":"MDk=","n":"x","f":1.0E10}\n'
    assert written(json(numeric=True), schema, [(12345, "y", 0.5)]) == b'{"d":123.45,"n":"y","f":0.5}\n'
    assert written(json(), None, [{"b": [1, None], "a": 1e10}, "x"]) == b'{"b":[1,null],"a":1.0E10}\n"x"\n'
    assert written(json(), STRING, ["x"]) == b'"x"\n'


def test_a_value_that_is_not_of_its_schema_is_named() -> None:
    with pytest.raises(Unfit, match="id"):
        json().prepare(struct(("id", INT32)), [(None,)])


def test_bytes_are_written_as_they_are() -> None:
    plain = BytesFormat(compression("none", -1), "", ".bin", b"|")
    assert written(plain, BYTES, [b"a", b"\x00"], [b"c"]) == b"a|\x00|c|"
    with pytest.raises(Unfit, match="ByteArrayConverter"):
        plain.prepare(STRING, ["x"])


ROW = struct(
    ("id", INT64), ("d", decimal(2, precision=10, optional=True)), ("s", OPTIONAL_STRING),
    ("l", array(INT32, optional=True)), name="shop.Value",
)  # fmt: skip
VALUES = [(1, 12345, "für", [1, 2]), (2, None, None, None)]
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "null": lambda data: data,
    "deflate": lambda data: zlib.decompress(data, -15),
    "bzip2": bz2.decompress,
    "snappy": lambda data: _snappy(data),
    "zstandard": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


def _snappy(data: bytes) -> bytes:
    packed, sum_ = data[:-4], int.from_bytes(data[-4:], "big")
    raw = bytes(pa.Codec("snappy").decompress(packed, _snappy_size(packed)))
    assert zlib.crc32(raw) == sum_
    return raw


def _snappy_size(packed: bytes) -> int:
    size = shift = 0
    for byte in packed:
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return size
    raise AssertionError("no length")


@pytest.mark.parametrize("codec", UNPACK)
def test_avro_files_are_read_by_others(codec: str) -> None:
    content = written(AvroFormat(codec, AvroForm()), ROW, VALUES, VALUES * 6000)
    plain = written(AvroFormat("null", AvroForm()), ROW, VALUES, VALUES * 6000)
    expected = list(fastavro.reader(io.BytesIO(plain)))
    assert expected[0] == {"id": 1, "d": Decimal("123.45"), "s": "für", "l": [1, 2]}
    assert len(expected) == 12002
    blocks = list(fastavro.block_reader(io.BytesIO(plain)))
    assert len(blocks) > 1
    assert _unpacked(content, codec) == _unpacked(plain, "null")


def _unpacked(content: bytes, codec: str) -> bytes:
    """All blocks' bytes. Source: Avro 1.12 Specification, "Object Container Files"."""
    mark = content[-16:]
    _, *blocks = content.split(mark)
    out = b""
    for block in blocks[:-1]:
        at = 0
        for _ in range(2):
            while block[at] > 127:
                at += 1
            at += 1
        out += UNPACK[codec](block[at:])
    return out


def test_an_avro_file_without_records_has_its_schema_and_one_without_a_schema_is_refused() -> None:
    assert list(fastavro.reader(io.BytesIO(written(AvroFormat("null", AvroForm()), ROW)))) == []
    with pytest.raises(Unfit, match=r"schemas\.enable=true"):
        AvroFormat("null", AvroForm()).prepare(None, [{}])


def debezium(kind: Type, name: str) -> Schema:
    return Schema(kind, name=f"io.debezium.{name}", optional=True)


@pytest.mark.parametrize(
    ("schema", "value", "type", "read"),
    [
        (INT8, 5, pa.int8(), 5),
        (Schema(Type.FLOAT32), 1.5, pa.float32(), 1.5),
        (Schema(Type.BOOLEAN), True, pa.bool_(), True),
        (BYTES, b"x", pa.binary(), b"x"),
        (decimal(2, precision=5), -12345, pa.decimal128(5, 2), Decimal("-123.45")),
        (decimal(3), 7, pa.decimal128(38, 3), Decimal("0.007")),
        (decimal(0, precision=60), 10**59, pa.decimal256(60, 0), Decimal(10**59)),
        (Schema(Type.INT32, name=DATE), 1, pa.date32(), date(1970, 1, 2)),
        (Schema(Type.INT64, name=TIMESTAMP), 1, pa.timestamp("ms", "UTC"), datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)),
        (debezium(Type.INT32, "time.Date"), 1, pa.date32(), date(1970, 1, 2)),
        (debezium(Type.INT64, "time.Timestamp"), 1, pa.timestamp("ms"), datetime(1970, 1, 1, 0, 0, 0, 1000)),
        (debezium(Type.INT64, "time.MicroTimestamp"), 1, pa.timestamp("us"), datetime(1970, 1, 1, 0, 0, 0, 1)),
        (debezium(Type.INT64, "time.MicroTime"), -5, pa.int64(), -5),
        (debezium(Type.STRING, "data.Uuid"), "123e4567-e89b-12d3-a456-426614174000", pa.uuid(),
         UUID("123e4567-e89b-12d3-a456-426614174000")),
        (debezium(Type.STRING, "data.Json"), '{"a":1}', pa.json_(), '{"a":1}'),
        (array(OPTIONAL_STRING), ["a", None], pa.list_(pa.field("element", pa.string())), ["a", None]),
        (map_of(STRING, INT32), {"a": 1}, pa.map_(pa.string(), pa.field("value", pa.int32(), False)), [("a", 1)]),
        (struct(("a", INT32), ("u", debezium(Type.STRING, "data.Uuid")), optional=True), None,
         pa.struct([pa.field("a", pa.int32(), False), pa.field("u", pa.uuid())]), None),
        (OPTIONAL_STRING.with_(default="d"), None, pa.string(), "d"),
    ],
)  # fmt: skip
def test_types_are_those_that_parquet_has_a_name_for(schema: Schema, value: Any, type: pa.DataType, read: Any) -> None:
    content = written(ParquetFormat("zstd"), struct(("x", schema)), [(value,), (value,)], [(value,)], flush=True)
    table = pq.read_table(io.BytesIO(content))
    field = table.schema.field("x")
    assert (field.type, field.nullable) == (type, schema.optional)
    assert table.column("x").to_pylist() == [read] * 3


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (None, {}, "schemas.enable=true"),
        (STRING, "x", "HoistField"),
        (struct(("d", decimal(2, precision=3))), (12345,), "more than the 3 digits"),
        (struct(("u", debezium(Type.STRING, "data.Uuid"))), ("no",), "no UUID"),
        (struct(("id", INT32)), (None,), "required and null"),
        (struct(("t", Schema(Type.INT32, name=TIME))), ("x",), "t"),
    ],
)
def test_what_parquet_cannot_hold_is_refused_by_name(schema: Schema | None, value: Any, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        ParquetFormat("none").prepare(schema, [value])


def test_an_empty_gzip_stream_is_one() -> None:
    assert gzip.decompress(written(JsonFormat(compression("gzip", 1), ".gz", numeric=False), STRING)) == b""
