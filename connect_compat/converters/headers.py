"""Any converter of keys and values, used for headers."""

from __future__ import annotations

from dataclasses import dataclass

from cdc.record import NULL, Header
from connect_compat.converters import Converter


@dataclass(frozen=True)
class HeadersBy:
    """A HeaderConverter made of a Converter: each header is a batch of one."""

    converter: Converter

    @property
    def CLASS_NAME(self) -> str:
        return str(getattr(self.converter, "CLASS_NAME", type(self.converter).__qualname__))

    def encode(self, topic: str, header: Header) -> bytes | None:
        value = NULL if header.value is None and header.schema is not None else header.value
        return self.converter.encode(topic, header.schema, [value])[0]

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header:
        ((schema, value),) = self.converter.decode(topic, [raw])
        return Header(name, schema, None if value is NULL else value)
