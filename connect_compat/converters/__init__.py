"""Values to bytes and back, a batch at a time; named after Kafka Connect's converters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cdc.record import Header
from cdc.schema import Schema


class Converter(Protocol):
    """One side (key or value) of a connector's records."""

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        """Raises: ConversionError naming topic, field and the type of the value; nothing of the batch is used then."""

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        """Raises: ConversionError naming what stands there instead and which converter would fit."""


class HeaderConverter(Protocol):
    """Header values to bytes and back."""

    def encode(self, topic: str, header: Header) -> bytes | None: ...

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header: ...
