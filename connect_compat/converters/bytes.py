"""Bytes as they are: values of schema BYTES, or schemaless bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import DECIMAL, OPTIONAL_BYTES, Schema, Type
from connect_compat.no_settings import NoSettings


class ByteArrayConverter:
    """Copies bytes, both ways."""

    CLASS_NAME = "org.apache.kafka.connect.converters.ByteArrayConverter"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings, is_key: bool) -> None:
        pass

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if schema is not None and (schema.type is not Type.BYTES or schema.name == DECIMAL):
            kind = schema.name or schema.type.name
            raise ConversionError(f"ByteArrayConverter cannot write a record of topic {topic!r}: it is of type {kind}, "
                                  "not BYTES; use JsonConverter for it")  # fmt: skip
        for value in values:
            if not (value is None or value is NULL or isinstance(value, bytes)):
                raise ConversionError(f"ByteArrayConverter cannot write a record of topic {topic!r}: it is a "
                                      f"{type(value).__name__}, not bytes; use JsonConverter for it")  # fmt: skip
        return [None if value is NULL else value for value in values]

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        return [(None if each is None else OPTIONAL_BYTES, each) for each in raw]
