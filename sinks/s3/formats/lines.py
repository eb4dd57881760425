"""Records as lines of JSON, or as raw bytes with a separator, compressed in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from cdc.json.code import Form
from cdc.json.fault import find_fault
from cdc.json.schemaless import are_plain, to_json
from cdc.json.text import jackson
from cdc.json.write import compile_encode
from cdc.record import NULL
from cdc.schema import Schema, Type
from sinks.s3.content import SPILL_BYTES, Content
from sinks.s3.formats import Unfit
from sinks.s3.formats.compression import Compression

BLOCK_BYTES: Final = 1 << 20
"""Enough that a block costs next to nothing in size."""


class Lines:
    """Records already written, each with its separator."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def part(self, start: int, end: int) -> Lines:
        return self if end - start == len(self.lines) else Lines(self.lines[start:end])

    def pick(self, wanted: Sequence[int]) -> Lines:
        lines = self.lines
        return Lines([lines[i] for i in wanted])


class LinesEncoder:
    """Lines, gathered and compressed. Two files are one when they are put together: gzip and zstd allow it."""

    form = "lines"

    def __init__(self, compression: Compression) -> None:
        self._compression = compression
        self._lines: list[bytes] = []
        self.added = self.waiting = 0

    def add(self, rows: Lines) -> bytes:
        self._lines += rows.lines
        size = sum(map(len, rows.lines))
        self.added += size
        self.waiting += size
        return self.flush() if self.waiting >= BLOCK_BYTES else b""

    def flush(self) -> bytes:
        block, self._lines, self.waiting = b"".join(self._lines), [], 0
        return self._compression.block(block) if block else b""

    def finish(self) -> bytes:
        return self.flush() + self._compression.end()

    def joined(self, first: Content, second: Content) -> Iterator[bytes]:
        yield from first.parts(SPILL_BYTES)
        yield from second.parts(SPILL_BYTES)

    def close(self) -> None:
        self._lines.clear()


class JsonFormat:
    """A line of JSON a record, as Kafka Connect's JsonConverter writes it without schemas."""

    content_type = "application/json"

    def __init__(self, compress: Callable[[], Compression], suffix: str, *, numeric: bool) -> None:
        self._compress = compress
        self._numeric = numeric
        self.extension = ".json" + suffix

    def prepare(self, schema: Schema | None, values: Sequence[Any]) -> Lines:
        if schema is None:
            return Lines(_plain_lines(values) or [_schemaless(value) for value in values])
        try:
            return Lines(_json_writer(schema, self._numeric)(values))  # type: ignore[arg-type]
        except Exception as error:
            raise Unfit(find_fault(schema, values, defaults=True) or str(error)) from None

    def encoder(self, schema: Schema | None) -> LinesEncoder:
        return LinesEncoder(self._compress())


@lru_cache(maxsize=512)
def _json_writer(schema: Schema, numeric: bool) -> Callable[[Sequence[Any]], list[bytes | None]]:
    """A value that is no struct is written by Jackson itself, not by the converter: decimals are numbers then."""
    return compile_encode(schema, Form(numeric=numeric or schema.type is not Type.STRUCT, defaults=True), b"", b"\n")


def _plain_lines(values: Sequence[Any]) -> list[bytes] | None:
    """All at once where no text needs another form; None where one may."""
    if not are_plain(values):
        return None
    try:
        # What orjson gives keeps room it does not need; the sum of two texts is as large as they are.
        lines = [orjson.dumps(value) + b"\n" for value in values]
    except TypeError:  # an integer of more than 64 bits
        return None
    whole = b"".join(lines)
    return lines if jackson(whole) is whole else None


def _schemaless(value: Any) -> bytes:
    try:
        return jackson(orjson.dumps(to_json(None if value is NULL else value))) + b"\n"
    except (TypeError, ValueError) as error:
        raise Unfit(f"JSON cannot hold it: {error}") from None


class BytesFormat:
    """Each record's bytes as they are, and a separator after them."""

    content_type = "application/octet-stream"

    def __init__(self, compress: Callable[[], Compression], suffix: str, extension: str, separator: bytes) -> None:
        self._compress, self._separator = compress, separator
        self.extension = extension + suffix

    def prepare(self, schema: Schema | None, values: Sequence[Any]) -> Lines:
        if (schema is None or schema.type is Type.BYTES) and all(type(value) is bytes for value in values):
            separator = self._separator
            return Lines([value + separator for value in values] if separator else list(values))
        kind = schema.type.value if schema is not None else "no schema and is not bytes"
        raise Unfit(f"ByteArrayFormat writes bytes only, and the value is of type {kind}; set value.converter to "
                    "org.apache.kafka.connect.converters.ByteArrayConverter or use another format.class")  # fmt: skip

    def encoder(self, schema: Schema | None) -> LinesEncoder:
        return LinesEncoder(self._compress())
