"""Records to lines at the end of a text file, or of standard output: Kafka Connect's FileStreamSinkConnector.

A line is what Java's `toString` makes of the value; bytes, which have no text there, are written as UTF-8.
Source: Kafka Connect 4.3.1, `org.apache.kafka.connect.file`.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import orjson

from cdc.config import Importance, at_least, key, parse
from cdc.connector import Raw, SinkConnector
from cdc.errors import ConversionError, TargetError, TargetUnavailable
from cdc.java.text import java_text
from cdc.json.code import Form
from cdc.json.schemaless import to_json
from cdc.json.text import jackson
from cdc.json.write import compile_encode
from cdc.record import NULL, Batch, Rejected
from cdc.schema import Schema, Type

CLASS_NAME: Final = "org.apache.kafka.connect.file.FileStreamSinkConnector"


@dataclass(frozen=True, kw_only=True)
class FileStreamSinkConfig:
    """What a FileStreamSink reads from its connector config."""

    file: str | None = key(
        "file", default=None, importance=Importance.HIGH,
        doc="Destination filename. If not specified, the standard output will be used",
    )  # fmt: skip
    form: str = key(
        "tailrace.files.format", default="text", values=("text", "json", "csv"), internal=True,
        importance=Importance.LOW,
        doc="What a line is: `text`, the value as Java's `toString` has it; `json`, the value as JSON; `csv`, the "
            "fields of a struct, their names in the file's first line. Other fields begin another file.",
    )  # fmt: skip
    rotate_bytes: int = key(
        "tailrace.files.rotate.bytes", default=0, type="LONG", check=at_least(0), internal=True,
        importance=Importance.LOW,
        doc="Bytes after which `file` is renamed to `file.<time>` (UTC) and begun anew; 0: never. Records that come "
            "together stay together.",
    )  # fmt: skip
    rotate_ms: int = key(
        "tailrace.files.rotate.ms", default=0, type="LONG", check=at_least(0), internal=True, importance=Importance.LOW,
        doc="The same by time: 3600000 begins a file at each full hour (UTC) in which something is written; 0: never.",
    )  # fmt: skip


class FileSink:
    """Appends. A batch that is put again after a crash stands there twice, as with Kafka Connect."""

    def __init__(
        self, config: FileStreamSinkConfig, now_ms: Callable[[], int] = lambda: time.time_ns() // 10**6
    ) -> None:
        self._config, self._now_ms = config, now_ms
        self._path, self._is_file = config.file or "standard output", bool(config.file)
        self._columns: list[str] | None = None
        self._descriptor = self._open() if self._is_file else os.dup(sys.stdout.fileno())

    def _open(self) -> int:
        """Raises: TargetError."""
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise TargetError(f"{self._path} cannot be written: {error.strerror}; correct the file's path or rights, "
                              "then restart the task") from error  # fmt: skip

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """On disk when it returns."""
        rejected: list[Rejected] = []
        for batch in batches:
            lines: list[str] = []
            line = self._form(batch.value_schema)
            for index, value in enumerate(batch.values):
                try:
                    lines.append(line(value))
                except (ConversionError, TypeError) as error:
                    rejected.append(Rejected(batch, index, str(error)))
            self._write_lines(lines, _columns(batch.value_schema) if self._config.form == "csv" else None)
        return rejected

    def _form(self, schema: Schema | None) -> Callable[[Any], str]:
        """The function that writes one value of a schema."""
        match self._config.form:
            case "json":
                return partial(_json_line, schema)
            case "csv":
                return partial(_csv_line, schema)
            case _:
                return partial(_line, schema)

    def _write_lines(self, lines: Sequence[str], columns: list[str] | None) -> None:
        """`columns`: a file of other columns is ended first; an empty one begins with them."""
        if not lines:
            return
        text = "".join(f"{line}\n" for line in lines)
        if self._is_file:
            self._rotate(len(text), columns)
            empty = os.fstat(self._descriptor).st_size == 0
            text = _cells(columns) + "\n" + text if columns and empty else text
        self._columns = columns
        self._write(text.encode())

    def _rotate(self, more: int, columns: list[str] | None) -> None:
        status, config = os.fstat(self._descriptor), self._config
        now, written = self._now_ms(), status.st_mtime_ns // 10**6
        full = 0 < config.rotate_bytes < status.st_size + more
        late = config.rotate_ms and now // config.rotate_ms != written // config.rotate_ms
        other = columns is not None and columns != self._columns and columns != self._header()
        if status.st_size == 0 or not (full or late or other):
            return
        os.close(self._descriptor)
        moment = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%S")
        names = (f"{self._path}.{moment}{extra}" for extra in ("", *(f"-{number}" for number in range(1, 100_000))))
        Path(self._path).rename(next(name for name in names if not Path(name).exists()))
        self._descriptor = self._open()

    def _header(self) -> list[str]:
        """The columns of the file that is there."""
        with Path(self._path).open(newline="") as file:
            return next(csv.reader(file), [])

    def _write(self, text: bytes) -> None:
        size = os.fstat(self._descriptor).st_size if self._is_file else 0
        try:
            left = memoryview(text)
            while left:
                left = left[os.write(self._descriptor, left) :]
            if self._is_file and text:
                os.fsync(self._descriptor)
        except OSError as error:  # a full disk: half a batch must not stay, it will be put again
            if self._is_file:
                os.ftruncate(self._descriptor, size)
            raise TargetUnavailable(f"{self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._descriptor)


def _line(schema: Schema | None, value: Any) -> str:
    if value is None or value is NULL:
        return "null"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return java_text(schema, value)


def _columns(schema: Schema | None) -> list[str]:
    return [field.name for field in schema.fields] if schema is not None and schema.type is Type.STRUCT else []


def _cells(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


_json_writer = lru_cache(maxsize=512)(lambda schema: compile_encode(schema, Form(numeric=True, defaults=True)))


def _json_line(schema: Schema | None, value: Any) -> str:
    """As Kafka Connect's JsonConverter writes it without schemas; decimals are numbers. Raises: TypeError."""
    if value is None or value is NULL:
        return "null"
    if schema is None:
        return jackson(orjson.dumps(to_json(value))).decode()
    (line,) = _json_writer(schema)([value])
    return (line or b"null").decode()


def _csv_line(schema: Schema | None, value: Any) -> str:
    """Raises: ConversionError: no struct, or a field that has no text."""
    if schema is None or schema.type is not Type.STRUCT or value is None or value is NULL:
        raise ConversionError("tailrace.files.format=csv writes the fields of a struct, and the value is none: set it "
                              "to text or json, or make structs of the values")  # fmt: skip
    fields = zip(schema.fields, value, strict=True)
    return _cells("" if item is None else java_text(field.schema, item) for field, item in fields)


def build(raw: Raw) -> FileSink:
    """Raises: ConfigError, TargetError."""
    return FileSink(parse(FileStreamSinkConfig, raw))


FILE_STREAM: Final = SinkConnector(
    class_name=CLASS_NAME, version="4.3.1", config=FileStreamSinkConfig, build=build, knows_offsets=True
)
