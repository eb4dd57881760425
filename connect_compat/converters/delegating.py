"""Bytes as they are, all else by another converter: Debezium's ByteArrayConverter and BinaryDataConverter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from cdc.config import Importance, key
from cdc.errors import ConversionError
from cdc.record import NULL, Header
from cdc.schema import OPTIONAL_BYTES, Schema, Type
from connect_compat.converters import Converter

_DELEGATE: Final = "delegate.converter.type"
Build = Callable[[str, Mapping[str, str], bool], Converter]
"""A converter by its class name, its settings, and whether it is for keys."""


@dataclass(frozen=True, kw_only=True)
class DelegatingConverterConfig:
    """Who takes what is not bytes."""

    PASSES = (f"{_DELEGATE}.",)
    delegate: str | None = key(_DELEGATE, default=None, importance=Importance.LOW, label=_DELEGATE,
                               doc="Specifies the delegate converter class")  # fmt: skip


class _Delegating:
    CLASS_NAME: ClassVar[str]
    CONFIG = DelegatingConverterConfig

    def __init__(
        self, config: DelegatingConverterConfig, is_key: bool, settings: Mapping[str, str], build: Build
    ) -> None:
        """`settings`: of the converter, its delegate's among them. Raises: what building the delegate raises."""
        prefix = f"{_DELEGATE}."
        below = {name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix)}
        self._delegate = build(config.delegate, below, is_key) if config.delegate else None

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        is_bytes = schema is None or schema.type is Type.BYTES
        if is_bytes and all(value is None or value is NULL or isinstance(value, bytes) for value in values):
            return [None if value is NULL else value for value in values]
        if self._delegate is None:
            kind = "no schema" if schema is None else schema.type.name
            raise ConversionError(f"{self.CLASS_NAME.rpartition('.')[2]} cannot write a record of topic {topic!r}: it "
                                  f"is of type {kind}, which requires a {_DELEGATE} to be configured")  # fmt: skip
        return self._delegate.encode(topic, schema, values)

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        return [(OPTIONAL_BYTES, NULL if each is None else each) for each in raw]


class ByteArrayConverter(_Delegating):
    CLASS_NAME = "io.debezium.converters.ByteArrayConverter"


class BinaryDataConverter(_Delegating):
    CLASS_NAME = "io.debezium.converters.BinaryDataConverter"


class _Headers:
    CLASS_NAME: ClassVar[str]
    CONFIG = DelegatingConverterConfig
    _CONVERTER: ClassVar[type[_Delegating]]

    def __init__(self, config: DelegatingConverterConfig, settings: Mapping[str, str], build: Build) -> None:
        self._converter = self._CONVERTER(config, False, settings, build)

    def encode(self, topic: str, header: Header) -> bytes | None:
        value = NULL if header.value is None and header.schema is not None else header.value
        return self._converter.encode(topic, header.schema, [value])[0]

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header:
        return Header(name, OPTIONAL_BYTES, raw)


class ByteArrayHeaderConverter(_Headers):
    CLASS_NAME, _CONVERTER = ByteArrayConverter.CLASS_NAME, ByteArrayConverter


class BinaryDataHeaderConverter(_Headers):
    CLASS_NAME, _CONVERTER = BinaryDataConverter.CLASS_NAME, BinaryDataConverter
