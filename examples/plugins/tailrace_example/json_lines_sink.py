"""A sink that appends each value to a file as a line of JSON. What JSON cannot hold is refused, record by record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdc.config import Importance, key, parse
from cdc.connector import Raw, SinkConnector
from cdc.errors import TargetUnavailable
from cdc.record import NULL, Batch, Rejected
from cdc.schema import Schema, Type


@dataclass(frozen=True, kw_only=True)
class JsonLinesConfig:
    """What the sink reads from its connector's config."""

    file: str = key("file", importance=Importance.HIGH, doc="The file that lines are appended to.")


class JsonLinesSink:
    """One task."""

    def __init__(self, config: JsonLinesConfig) -> None:
        self._path = Path(config.file)

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Returns when the file has all lines; the runtime commits the records' offsets after that."""
        lines, rejected = [], []
        for batch in batches:
            for index, value in enumerate(batch.values):
                try:
                    lines.append(json.dumps(_plain(batch.value_schema, value)))
                except TypeError as error:
                    rejected.append(Rejected(batch, index, f"the value cannot be written as JSON: {error}"))
        try:
            with self._path.open("a") as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            raise TargetUnavailable(f"{self._path} cannot be written: {error.strerror}") from error
        return rejected

    def close(self) -> None:
        """Nothing is open between two calls."""


def _plain(schema: Schema | None, value: Any) -> Any:
    """A struct is a tuple in the order of its schema's fields; `NULL` is a null that has a schema."""
    if value is NULL:
        return None
    if schema is None or schema.type is not Type.STRUCT or value is None:
        return value
    return {field.name: _plain(field.schema, item) for field, item in zip(schema.fields, value, strict=True)}


def _build(raw: Raw) -> JsonLinesSink:
    return JsonLinesSink(parse(JsonLinesConfig, raw))


JSON_LINES = SinkConnector(
    class_name="com.example.JsonLinesSinkConnector", version="1.0", config=JsonLinesConfig, build=_build
)
