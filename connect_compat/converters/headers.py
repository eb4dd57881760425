"""The converters of keys and values, used for headers: each header is a batch of one."""

from __future__ import annotations

from typing import Any, ClassVar

from cdc.record import NULL, Header
from connect_compat.converters import Converter
from connect_compat.converters.bytes import ByteArrayConverter
from connect_compat.converters.json import JsonConverter
from connect_compat.converters.numbers import (
    BooleanConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
    ShortConverter,
)
from connect_compat.converters.string import StringConverter


class _Headers:
    CLASS_NAME: ClassVar[str]
    CONFIG: ClassVar[type]
    _CONVERTER: ClassVar[Any]

    def __init__(self, config: Any) -> None:
        self._converter: Converter = self._CONVERTER(config, False)

    def encode(self, topic: str, header: Header) -> bytes | None:
        value = NULL if header.value is None and header.schema is not None else header.value
        return self._converter.encode(topic, header.schema, [value])[0]

    def decode(self, topic: str, name: str, raw: bytes | None) -> Header:
        ((schema, value),) = self._converter.decode(topic, [raw])
        return Header(name, schema, None if value is NULL else value)


class JsonHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = JsonConverter.CLASS_NAME, JsonConverter.CONFIG, JsonConverter


class StringHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = StringConverter.CLASS_NAME, StringConverter.CONFIG, StringConverter


class ByteArrayHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = ByteArrayConverter.CLASS_NAME, ByteArrayConverter.CONFIG, ByteArrayConverter


class ShortHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = ShortConverter.CLASS_NAME, ShortConverter.CONFIG, ShortConverter


class IntegerHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = IntegerConverter.CLASS_NAME, IntegerConverter.CONFIG, IntegerConverter


class LongHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = LongConverter.CLASS_NAME, LongConverter.CONFIG, LongConverter


class FloatHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = FloatConverter.CLASS_NAME, FloatConverter.CONFIG, FloatConverter


class DoubleHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = DoubleConverter.CLASS_NAME, DoubleConverter.CONFIG, DoubleConverter


class BooleanHeaderConverter(_Headers):
    CLASS_NAME, CONFIG, _CONVERTER = BooleanConverter.CLASS_NAME, BooleanConverter.CONFIG, BooleanConverter
