"""Records to lines at the end of a text file, or of standard output: Kafka Connect's FileStreamSinkConnector.

A line is what Java's `toString` makes of the value; bytes, which have no text there, are written as UTF-8.
Source: Kafka Connect 4.3.1, `org.apache.kafka.connect.file`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.config import Importance, key, parse
from cdc.connector import Raw, SinkConnector
from cdc.errors import ConversionError, TargetError, TargetUnavailable
from cdc.java.text import java_text
from cdc.record import NULL, Batch, Rejected
from cdc.schema import Schema

CLASS_NAME: Final = "org.apache.kafka.connect.file.FileStreamSinkConnector"


@dataclass(frozen=True, kw_only=True)
class FileStreamSinkConfig:
    """What a FileStreamSink reads from its connector config."""

    file: str | None = key(
        "file", default=None, importance=Importance.HIGH,
        doc="Destination filename. If not specified, the standard output will be used",
    )  # fmt: skip


class FileSink:
    """Appends. A batch that is put again after a crash stands there twice, as with Kafka Connect."""

    def __init__(self, path: str | None) -> None:
        self._path = path or "standard output"
        if not path:
            self._descriptor, self._is_file = os.dup(sys.stdout.fileno()), False
            return
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise TargetError(f"{path} cannot be written: {error.strerror}; correct the file's path or rights, then "
                              "restart the task") from error  # fmt: skip
        self._is_file = True

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """On disk when it returns."""
        rejected: list[Rejected] = []
        lines: list[str] = []
        for batch in batches:
            for index, value in enumerate(batch.values):
                try:
                    lines.append(_line(batch.value_schema, value))
                except ConversionError as error:
                    rejected.append(Rejected(batch, index, str(error)))
        self._write("".join(f"{line}\n" for line in lines).encode())
        return rejected

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


def build(raw: Raw) -> FileSink:
    """Raises: ConfigError, TargetError."""
    return FileSink(parse(FileStreamSinkConfig, raw).file)


FILE_STREAM: Final = SinkConnector(
    class_name=CLASS_NAME, version="4.3.1", config=FileStreamSinkConfig, build=build, knows_offsets=True
)
