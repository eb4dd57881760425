"""Numbers and booleans as Kafka's own serializers write them: big-endian, of a fixed length, one class a type."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import DATE, TIME, TIMESTAMP, Schema, Type
from connect_compat.no_settings import NoSettings

_LOGICAL: Final = (DATE, TIME, TIMESTAMP)


class _Number:
    CLASS_NAME: ClassVar[str]
    CONFIG = NoSettings
    _TYPE: ClassVar[Type]
    _LAYOUT: ClassVar[struct.Struct]

    def __init__(self, config: NoSettings, is_key: bool) -> None:
        self._read = Schema(self._TYPE, optional=True)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if schema is not None and (schema.type is not self._TYPE or schema.name in _LOGICAL):
            if all(value is None or value is NULL for value in values):
                return [None] * len(values)
            raise ConversionError(self._refusal(topic, f"it is of type {schema.name or schema.type.name}"))
        if self._TYPE is Type.BOOLEAN and any(value not in (True, False, None, NULL) for value in values):
            raise ConversionError(self._refusal(topic, "it is no boolean"))
        pack = self._LAYOUT.pack
        try:
            return [None if value is None or value is NULL else pack(value) for value in values]
        except (struct.error, OverflowError) as error:
            raise ConversionError(self._refusal(topic, str(error))) from None

    def _refusal(self, topic: str, problem: str) -> str:
        name = self.CLASS_NAME.rpartition(".")[2]
        return (f"{name} cannot write a record of topic {topic!r}: {problem}, and must be {self._TYPE.name}; "
                "use JsonConverter for it")  # fmt: skip

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        unpack, schema = self._LAYOUT.unpack, self._read
        try:
            return [(None, None) if each is None else (schema, unpack(each)[0]) for each in raw]
        except struct.error:
            name, size = self.CLASS_NAME.rpartition(".")[2], self._LAYOUT.size
            wrong = next(len(each) for each in raw if each is not None and len(each) != size)
            raise ConversionError(
                f"{name} cannot read a record of topic {topic!r}: {wrong} bytes stand there, not {size}; "
                "set the converter to what wrote them"
            ) from None


class ShortConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.ShortConverter"
    _TYPE, _LAYOUT = Type.INT16, struct.Struct(">h")


class IntegerConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.IntegerConverter"
    _TYPE, _LAYOUT = Type.INT32, struct.Struct(">i")


class LongConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.LongConverter"
    _TYPE, _LAYOUT = Type.INT64, struct.Struct(">q")


class FloatConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.FloatConverter"
    _TYPE, _LAYOUT = Type.FLOAT32, struct.Struct(">f")


class DoubleConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.DoubleConverter"
    _TYPE, _LAYOUT = Type.FLOAT64, struct.Struct(">d")


class BooleanConverter(_Number):
    CLASS_NAME = "org.apache.kafka.connect.converters.BooleanConverter"
    _TYPE, _LAYOUT = Type.BOOLEAN, struct.Struct(">?")
