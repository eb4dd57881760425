"""Strings to bytes of one character set and back; other values as the text Java's `toString` gives them."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConversionError
from cdc.java.text import java_text
from cdc.record import NULL
from cdc.schema import OPTIONAL_STRING, Schema, Type


def _character_set(name: str) -> str | None:
    try:
        codecs.lookup(name)
    except LookupError:
        return f"{name!r} is no character set; UTF-8 is the usual one"
    return None


@dataclass(frozen=True, kw_only=True)
class StringConverterConfig:
    """How strings become bytes."""

    LAYOUT = UNGROUPED
    encoding: str = key(
        "converter.encoding", order=-1, default="UTF-8", importance=Importance.HIGH, check=_character_set,
        label="Encoding",
        doc="The name of the Java character set to use for encoding strings as byte arrays.")  # fmt: skip


class StringConverter:
    """Writes any value, reads strings. Bytes that are no text of the character set are replaced, as in Java."""

    CLASS_NAME = "org.apache.kafka.connect.storage.StringConverter"
    CONFIG = StringConverterConfig

    def __init__(self, config: StringConverterConfig, is_key: bool) -> None:
        self._encoding = config.encoding

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        encoding = self._encoding
        try:
            if schema is not None and schema.type is Type.STRING:
                return [None if v is None or v is NULL else v.encode(encoding, "replace") for v in values]
            return [
                None if v is None or v is NULL else java_text(schema, v).encode(encoding, "replace") for v in values
            ]
        except (AttributeError, TypeError, ValueError, ConversionError) as error:
            raise ConversionError(f"StringConverter cannot write a record of topic {topic!r}: {error}") from None

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        encoding = self._encoding
        return [(None, None) if text is None else (OPTIONAL_STRING, text.decode(encoding, "replace")) for text in raw]
