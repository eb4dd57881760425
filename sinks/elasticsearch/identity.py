"""Which document a record is, and of which version.

Source: Confluent kafka-connect-elasticsearch 15.1, `DataConverter`; the position of a change as Debezium's `source`
block tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cdc.record import NULL, Batch, Headers
from cdc.schema import Schema, Type
from sinks.elasticsearch.config import ElasticsearchConfig


class Unfit(Exception):
    """A record that cannot become a document, before Elasticsearch has seen it."""


Versions = Sequence[int | Unfit]
_NULL_KEY: Final = "Key is used as document id and can not be null: set key.ignore=true, or give records a key"
_STRUCT_KEY: Final = (
    "STRUCT is not supported as the document id when it has several fields: "
    "take one with the transform org.apache.kafka.connect.transforms.ExtractField$Key"
)
_INTEGERS: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)
_MOST_ROWS: Final = (1 << 11) - 1
_MOST: Final = (1 << 63) - 1
_POSITION: Final = ("file", "pos", "row")


def document_id(schema: Schema | None) -> Callable[[Any], str]:
    """The function from a record key to its document id. Raises (the function): Unfit."""
    if schema is not None and schema.type is Type.STRUCT:
        if len(schema.fields) != 1:
            return _refuse(_STRUCT_KEY)
        inner = document_id(schema.fields[0].schema)
        return lambda value: inner(None if value is None or value is NULL else value[0])
    if schema is not None and schema.type is not Type.STRING and schema.type not in _INTEGERS:
        return _refuse(f"{schema.type.name} is not supported as the document id: use a string or integer key")
    return _text_id


def _refuse(reason: str) -> Callable[[Any], str]:
    def refused(value: Any) -> str:
        raise Unfit(_NULL_KEY if value is None else reason)

    return refused


def _text_id(value: Any) -> str:
    if type(value) is int:
        return str(value)
    if value is None or value is NULL:
        raise Unfit(_NULL_KEY)
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unfit(f"{type(value).__name__} is not supported as the document id: use a string or integer key")
    if value == "":
        raise Unfit("Key is used as document id and can not be empty")
    return str(value)


def versions(config: ElasticsearchConfig, batch: Batch) -> Versions:
    """One version a record, or why it has none."""
    if config.version_header:
        return [_from_header(headers, config.version_header) for headers in batch.headers]
    if config.version_from == "source":
        block = _source_reader(batch.value_schema)
        return [_from_source(headers, block, value) for headers, value in zip(batch.headers, batch.values, strict=True)]
    return batch.offsets or ()


def _from_header(headers: Headers, name: str) -> int | Unfit:
    value = next((header.value for header in reversed(headers) if header.name == name), None)
    try:
        if value is not None and not isinstance(value, bool | float) and 0 <= int(value) <= _MOST:
            return int(value)
    except (TypeError, ValueError):
        pass
    return Unfit(f"the header {name} holds no integer from 0 to {_MOST}, and external.version.header={name} makes it "
                 "the version: let the producer set it, or remove external.version.header")  # fmt: skip


Block = Callable[[Any], dict[str, Any]]


def _source_reader(schema: Schema | None) -> Block | None:
    """The function from a change event to what its `source` block says; None where values have no such block."""
    if schema is None:
        return lambda value: value.get("source") or {} if isinstance(value, dict) else {}
    at, source = schema.index("source"), schema.field("source")
    if at is None or source is None or source.schema.type is not Type.STRUCT:
        return None
    names = [field.name for field in source.schema.fields]
    return lambda value: dict(zip(names, value[at] or (), strict=False))


def _from_source(headers: Headers, block: Block | None, value: Any) -> int | Unfit:
    told = {h.name.rpartition("source_")[2]: h.value for h in headers if "source_" in h.name}
    if not told and block is not None and value is not None and value is not NULL:
        told = block(value)
    try:
        if told.get("lsn") is not None:
            return int(told["lsn"])
        file, position, row = (told[name] for name in _POSITION)
        return source_version(str(file), int(position), int(row))
    except (KeyError, TypeError, ValueError):
        return Unfit("the record does not tell its position in the source database, and tailrace.document.version="
                     "source makes it the version: add headers by ExtractNewRecordState's add.headers=source.file,"
                     "source.pos,source.row (PostgreSQL: source.lsn), or set it to offset")  # fmt: skip


def source_version(file: str, position: int, row: int) -> int:
    """A position in a MySQL binary log as one number that grows with it: 20 bits of file, 32 of position, 11 of row."""
    number = int(file.rpartition(".")[2])
    return min(number << 43 | min(position, (1 << 32) - 1) << 11 | min(row, _MOST_ROWS), _MOST)
