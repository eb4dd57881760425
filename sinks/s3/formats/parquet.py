"""Records as Parquet: a column a field, rows of one shape turned into columns a batch at a time."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdc.json.fault import find_fault
from cdc.schema import Schema, Type
from sinks.s3.content import Content
from sinks.s3.formats import Unfit
from sinks.s3.formats.parquet_types import Build, fields

ROW_GROUP_BYTES: Final = 16 << 20
_SAMPLE: Final = 1000
_COLUMN_BYTES: Final = 400
"""What a column of a few rows takes beside them."""
EXTENSIONS: Final = {
    "none": "", "uncompressed": "", "snappy": ".snappy", "gzip": ".gz", "zstd": ".zstd", "brotli": ".br",
    "lz4": ".lz4hadoop", "lz4_raw": ".lz4raw",
}  # fmt: skip
"""Codecs as `parquet.codec` names them, and what they add to a file's name."""
_NAMES: Final = {"none": "NONE", "uncompressed": "NONE", "lz4": "LZ4", "lz4_raw": "LZ4"}


class Columns:
    """Records as one Arrow batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch

    def part(self, start: int, end: int) -> Columns:
        return self if end - start == self.batch.num_rows else Columns(self.batch.slice(start, end - start))

    def pick(self, wanted: Sequence[int]) -> Columns:
        return Columns(self.batch.take(pa.array(wanted, pa.int32())))


class ParquetFormat:
    """Structs only."""

    content_type = "application/vnd.apache.parquet"

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self.extension = EXTENSIONS[codec] + ".parquet"

    def prepare(self, schema: Schema | None, values: Sequence[Any]) -> Columns:
        if schema is None or schema.type is not Type.STRUCT:
            has = "none" if schema is None else f"one of type {schema.type.value}"
            raise Unfit(f"ParquetFormat needs records with a struct schema, and this one has {has}; use a converter "
                        "that gives one (JsonConverter with schemas.enable=true, AvroConverter), or the transform "
                        "HoistField, or JsonFormat")  # fmt: skip
        arrow, builds = _columns(schema)
        try:
            arrays = [build(column) for build, column in zip(builds, zip(*values, strict=True), strict=True)]
            for field, array in zip(arrow, arrays, strict=True):
                if array.null_count and not field.nullable:
                    raise Unfit(f"field {field.name!r} is required and null")
            return Columns(pa.RecordBatch.from_arrays(arrays, schema=arrow))
        except Unfit:
            raise
        except Exception as error:
            raise Unfit(find_fault(schema, values, defaults=True) or str(error)) from None

    def encoder(self, schema: Schema | None) -> ParquetEncoder:
        assert schema is not None
        return ParquetEncoder(_columns(schema)[0], _NAMES.get(self._codec, self._codec.upper()))


@lru_cache(maxsize=512)
def _columns(schema: Schema) -> tuple[pa.Schema, list[Build]]:
    columns = fields(schema)
    if not columns:
        raise Unfit("Parquet has no records without fields")
    return pa.schema([field for field, _ in columns]), [build for _, build in columns]


class _Pieces:
    """What a Parquet writer writes, taken away as it comes."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        return None

    def taken(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class ParquetEncoder:
    """Row groups of about 16 MiB before compression. Columns whose values repeat get a dictionary, others none.

    Rows that must leave memory before go to a temporary file, for small row groups make large and slow files.
    """

    def __init__(self, schema: pa.Schema, codec: str) -> None:
        self._schema, self._codec = schema, codec
        self._out = _Pieces()
        self._batches: list[pa.RecordBatch] = []
        self._spool: IO[bytes] | None = None
        self._spooled = 0
        self._writer: pq.ParquetWriter | None = None
        self._each = len(schema) * _COLUMN_BYTES
        self.added = self.waiting = 0

    def add(self, rows: Columns) -> bytes:
        size = rows.batch.nbytes + self._each
        self._batches.append(rows.batch)
        self.added += size
        self.waiting += size
        return self._row_group() if self._spooled + self.waiting >= ROW_GROUP_BYTES else b""

    def flush(self) -> bytes:
        if self._batches:
            if self._spool is None:
                self._spool = tempfile.TemporaryFile(prefix="tailrace-")  # noqa: SIM115  closed by `close`
            with pa.ipc.new_stream(self._spool, self._schema) as stream:
                stream.write_table(self._table())
            self._spooled += self.waiting
            self._batches, self.waiting = [], 0
        return b""

    def finish(self) -> bytes:
        first = self._row_group()
        self._opened().close()
        return first + self._out.taken()

    @property
    def form(self) -> str:
        return hashlib.md5(self._schema.serialize().to_pybytes(), usedforsecurity=False).hexdigest()

    def joined(self, first: Content, second: Content) -> Iterator[bytes]:
        """Written anew, for many small row groups make large and slow files."""
        whole = ParquetEncoder(self._schema, self._codec)
        for content in (first, second):
            file = pq.ParquetFile(pa.PythonFile(content.opened(), mode="r"))
            for group in range(file.num_row_groups):
                for batch in file.read_row_group(group).to_batches():
                    yield whole.add(Columns(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)))
        yield whole.finish()

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _table(self) -> pa.Table:
        return pa.Table.from_batches(self._batches, self._schema).combine_chunks()

    def _row_group(self) -> bytes:
        self._batches = [*self._read_back(), *self._batches]
        if self._batches:
            writer = self._opened()
            table = self._table()
            self._batches, self.waiting = [], 0
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
        return self._out.taken()

    def _read_back(self) -> Iterator[pa.RecordBatch]:
        if self._spool is None:
            return
        end = self._spool.seek(0, 2)
        self._spool.seek(0)
        while self._spool.tell() < end:
            with pa.ipc.open_stream(self._spool) as stream:
                yield from stream
        self.close()
        self._spooled = 0

    def _opened(self) -> pq.ParquetWriter:
        if self._writer is None:
            sample = self._batches[0].slice(0, _SAMPLE) if self._batches else None
            repeating = [] if sample is None else [
                path for field, array in zip(self._schema, sample.columns, strict=True)
                for path in _repeating(field.name, array)
            ]  # fmt: skip
            self._writer = pq.ParquetWriter(
                pa.PythonFile(self._out, mode="w"), self._schema, compression=self._codec, use_dictionary=repeating
            )
        return self._writer


def _repeating(path: str, array: pa.Array) -> list[str]:
    """The columns below `path` with less than one value in two of its own."""
    if pa.types.is_struct(array.type):
        names = [field.name for field in array.type]
        return [each for at, name in enumerate(names) for each in _repeating(f"{path}.{name}", array.field(at))]
    if pa.types.is_nested(array.type) or isinstance(array.type, pa.BaseExtensionType):
        return []
    return [path] if pc.count_distinct(array).as_py() * 2 <= len(array) else []
