"""Header values as readable text and back: a string as it is, structs, maps and lists like JSON; Connect's default."""

from __future__ import annotations

from cdc.errors import ConversionError
from cdc.java.values import parse_text, value_text
from cdc.record import NULL, Header
from connect_compat.no_settings import NoSettings


class SimpleHeaderConverter:
    """Kafka Connect's default for headers."""

    CLASS_NAME = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings, is_key: bool = False) -> None:
        pass

    def encode(self, topic: str, header: Header) -> bytes | None:
        if header.value is None or header.value is NULL:
            return None
        try:
            return value_text(header.schema, header.value).encode()
        except (TypeError, ValueError, AttributeError, ConversionError) as error:
            raise ConversionError(
                f"SimpleHeaderConverter cannot write header {header.name!r} of a record of topic {topic!r}: {error}"
            ) from None

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header:
        schema, value = (None, None) if raw is None else parse_text(raw.decode(errors="replace"))
        return Header(name, schema, value)
