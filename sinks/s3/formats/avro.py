"""Records as an Avro container file, its schema as Confluent's AvroData makes it. Source: Avro 1.12 Specification."""

from __future__ import annotations

import bz2
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import zstandard

from cdc.avro.bytes import blob, number
from cdc.avro.schema import AvroForm, avro_text, must_be_fit
from cdc.avro.types import parse_avro
from cdc.avro.write import Write, compile_writer
from cdc.errors import ConversionError
from cdc.json.fault import find_fault
from cdc.record import NULL
from cdc.schema import Schema
from sinks.s3.content import SPILL_BYTES, Content
from sinks.s3.formats import Unfit
from sinks.s3.formats.compression import deflater
from sinks.s3.formats.lines import Lines

_MAGIC: Final = b"Obj\x01"
_BLOCK_BYTES: Final = 64_000
CODECS: Final = ("null", "deflate", "snappy", "bzip2", "zstandard")


def _snappy(data: bytes) -> bytes:
    import pyarrow

    packed: bytes = pyarrow.compress(data, "snappy", asbytes=True)
    return packed + zlib.crc32(data).to_bytes(4, "big")


def _deflate(data: bytes) -> bytes:
    deflate = deflater(-1)
    return bytes(deflate.compress(data) + deflate.flush())


_PACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    "null": lambda data: data,
    "deflate": _deflate,
    "snappy": _snappy,
    "bzip2": bz2.compress,
    "zstandard": lambda data: zstandard.ZstdCompressor().compress(data),
}


class _Writer(NamedTuple):
    text: bytes
    write: Write


@lru_cache(maxsize=512)
def _writer(schema: Schema, form: AvroForm) -> _Writer:
    must_be_fit(schema)
    text = avro_text(schema, form)
    return _Writer(text.encode(), compile_writer(schema, parse_avro(text), form))


class AvroFormat:
    """Any schema; records without one have no form in Avro."""

    extension = ".avro"
    content_type = "application/avro"

    def __init__(self, codec: str, form: AvroForm) -> None:
        self._codec, self._form = codec, form

    def prepare(self, schema: Schema | None, values: Sequence[Any]) -> Lines:
        if schema is None:
            raise Unfit("AvroFormat needs records with a schema, and this one has none; use a converter that gives one "
                        "(JsonConverter with schemas.enable=true, AvroConverter) or JsonFormat")  # fmt: skip
        try:
            write = _writer(schema, self._form).write
            return Lines([write(None if value is NULL else value) for value in values])
        except ConversionError as error:
            raise Unfit(str(error)) from None
        except Exception as error:
            raise Unfit(find_fault(schema, values, defaults=True) or str(error)) from None

    def encoder(self, schema: Schema | None) -> AvroEncoder:
        assert schema is not None
        return AvroEncoder(_writer(schema, self._form).text, self._codec)


class AvroEncoder:
    """Blocks of about 64,000 bytes, as Avro's own writer makes them. The mark between them is that of the schema."""

    def __init__(self, schema: bytes, codec: str) -> None:
        self._pack = _PACK[codec]
        self._mark = hashlib.md5(schema, usedforsecurity=False).digest()
        members = {b"avro.codec": codec.encode(), b"avro.schema": schema}
        head = b"".join(blob(name) + blob(value) for name, value in members.items())
        self._head = _MAGIC + number(len(members)) + head + b"\x00" + self._mark
        self._head_size = len(self._head)
        self.form = hashlib.md5(self._head, usedforsecurity=False).hexdigest()
        self._lines: list[bytes] = []
        self.added = self.waiting = 0

    def add(self, rows: Lines) -> bytes:
        done: list[bytes] = []
        for line in rows.lines:
            self._lines.append(line)
            self.added += len(line)
            self.waiting += len(line)
            if self.waiting >= _BLOCK_BYTES:
                done.append(self.flush())
        return b"".join(done)

    def flush(self) -> bytes:
        if not self._lines:
            return b""
        packed = self._pack(b"".join(self._lines))
        block = self._head + number(len(self._lines)) + number(len(packed)) + packed + self._mark
        self._head, self._lines, self.waiting = b"", [], 0
        return block

    def finish(self) -> bytes:
        last = self.flush()
        head, self._head = self._head, b""
        return last + head

    def joined(self, first: Content, second: Content) -> Iterator[bytes]:
        yield from first.parts(SPILL_BYTES)
        skip = self._head_size
        for part in second.parts(SPILL_BYTES):
            yield part[skip:]
            skip = max(skip - len(part), 0)

    def close(self) -> None:
        self._lines.clear()
