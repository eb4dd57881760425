"""Values to Avro and back, their schemas kept by a registry: as Confluent's AvroConverter.

A value is a zero, four bytes of the schema's id, and Avro's binary form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdc.avro.schema import AvroForm, avro_text, must_be_fit
from cdc.avro.types import Avro, Names, parse_avro
from cdc.avro.write import Write, compile_writer
from cdc.config import Importance, at_least, key
from cdc.errors import ConversionError
from cdc.json.fault import find_fault
from cdc.record import NULL
from cdc.schema import Schema, Type
from connect_compat.converters.avro_read import Read, Reading, readable
from connect_compat.converters.registry import Registered, Registry
from connect_compat.converters.registry_keys import LOW, RegistryConfig, subject

_MAGIC: Final = 0
_HEAD: Final = 5


@dataclass(frozen=True, kw_only=True)
class AvroConverterConfig(RegistryConfig):
    """How Avro is written and read."""

    enhanced: bool = key("enhanced.avro.schema.support", default=False,
                         doc="Enums stay enums, and the types of unions go by their full names.")  # fmt: skip
    scrub: bool = key("scrub.invalid.names", default=False,
                      doc="Replace the characters that Avro does not allow in names by underscores.")  # fmt: skip
    metadata: bool = key("connect.meta.data", default=True, importance=LOW,
                         doc="Write what Avro has no word for beside its types (connect.name, connect.version, "
                             "connect.parameters, connect.default), and heed it when reading.")  # fmt: skip
    optional_keys: bool = key("allow.optional.map.keys", default=False, importance=LOW,
                              doc="Maps of optional texts are maps in Avro, not arrays of entries.")  # fmt: skip
    flatten: bool = key("flatten.singleton.unions", default=True, importance=LOW,
                        doc="A union of one type is read as that type.")  # fmt: skip
    ignore_defaults: bool = key("ignore.default.for.nullables", default=False,
                                doc="A null stays null where the schema has a default.")  # fmt: skip
    cache_size: int = key("schemas.cache.config", default=1000, importance=Importance.LOW, check=at_least(1),
                          doc="How many schemas are kept in memory.")  # fmt: skip


class _Writer(NamedTuple):
    head: bytes
    write: Write


class _Reader(NamedTuple):
    schema: Schema
    read: Read


class AvroConverter:
    """One side (key or value) of a connector's records."""

    CLASS_NAME = "io.confluent.connect.avro.AvroConverter"
    CONFIG = AvroConverterConfig

    def __init__(self, config: AvroConverterConfig, is_key: bool) -> None:
        """Raises: ConfigError: a way of logging in that there is not."""
        self._config, self._is_key = config, is_key
        self._side = "key" if is_key else "value"
        self._registry = Registry(config.access(), normalize=config.normalize)
        self._form = AvroForm(config.enhanced, config.metadata, config.scrub, config.optional_keys,
                              not config.ignore_defaults)  # fmt: skip
        self._writers: dict[tuple[str, Schema], _Writer] = {}
        self._readers: dict[tuple[str, int], _Reader] = {}

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if schema is None:
            if all(value is None or value is NULL for value in values):
                return [None] * len(values)
            raise ConversionError(f"AvroConverter cannot write the {self._side} of a record of topic {topic!r}: it has "
                                  "no schema; set schemas.enable=true where it is read as JSON, or use another "
                                  "converter")  # fmt: skip
        head, write = self._writers.get((topic, schema)) or self._compiled(topic, schema)
        try:
            return [None if value is None or value is NULL else head + write(value) for value in values]
        except ConversionError as error:
            raise ConversionError(self._failed(topic, str(error))) from None
        except Exception as error:
            fault = find_fault(schema, values, defaults=self._form.defaults)
            raise ConversionError(self._failed(topic, str(fault or error))) from None

    def _failed(self, topic: str, reason: str) -> str:
        return f"AvroConverter cannot write the {self._side} of a record of topic {topic!r}: {reason}"

    def _compiled(self, topic: str, schema: Schema) -> _Writer:
        """The schema is registered, or looked up, before the first value of it is written."""
        if not self._form.scrub:
            must_be_fit(schema)
        text = avro_text(schema, self._form)
        avro = parse_avro(text)
        strategy = self._config.key_strategy if self._is_key else self._config.value_strategy
        name = subject(strategy, topic, avro.name or None, is_key=self._is_key)
        if name is None:
            raise ConversionError(self._failed(topic, f"{strategy} names subjects after records, and this is none"))
        number, avro = self._kept(name, text, avro)
        write = _raw if avro.kind == "bytes" and schema.type is Type.BYTES else compile_writer(schema, avro, self._form)
        if len(self._writers) >= self._config.cache_size:
            self._writers.clear()
        made = self._writers[topic, schema] = _Writer(_MAGIC.to_bytes(1, "big") + number.to_bytes(4, "big"), write)
        return made

    def _kept(self, name: str, text: str, avro: Avro) -> tuple[int, Avro]:
        """The id in the registry, and the schema that values are written with."""
        if self._config.register:
            return self._registry.register(name, text), avro
        found = self._registry.latest(name) if self._config.latest else self._registry.lookup(name, text)
        if found is None or found.id is None:
            raise ConversionError(f"the schema registry has no such schema under subject {name!r} and "
                                  f"auto.register.schemas is false; register it: {text}")  # fmt: skip
        return found.id, self._parsed(found) if self._config.latest else avro

    def _parsed(self, found: Registered) -> Avro:
        """With the schemas that it refers to."""
        names: Names = {}
        self._learn(found, names)
        return parse_avro(found.text, names)

    def _learn(self, found: Registered, names: Names) -> None:
        for name, of, version in found.references:
            if name in names:
                continue
            referred = self._registry.at(of, version)
            if referred is None:
                raise ConversionError(f"the schema registry has no version {version} of {of!r}, which a schema "
                                      f"refers to as {name!r}")  # fmt: skip
            self._learn(referred, names)
            parse_avro(referred.text, names)

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        out: list[tuple[Schema | None, Any]] = []
        for data in raw:
            if data is None:
                out.append((None, None))
                continue
            if len(data) < _HEAD or data[0] != _MAGIC:
                raise ConversionError(f"AvroConverter cannot read the {self._side} of a record of topic {topic!r}: it "
                                      "does not begin with a zero and a schema's id; it may have been written by "
                                      "another converter, such as JsonConverter")  # fmt: skip
            number = int.from_bytes(data[1:_HEAD], "big")
            schema, read = self._readers.get((topic, number)) or self._opened(topic, number)
            try:
                value, _ = read(data, _HEAD)
            except (IndexError, UnicodeDecodeError, ValueError):
                raise ConversionError(f"AvroConverter cannot read the {self._side} of a record of topic {topic!r}: its "
                                      f"bytes are not of schema {number}") from None  # fmt: skip
            out.append((schema, NULL if value is None else value))
        return out

    def _opened(self, topic: str, number: int) -> _Reader:
        found = self._registry.by_id(number)
        if found.kind != "AVRO":
            raise ConversionError(f"schema {number} of topic {topic!r} is {found.kind}, not Avro; use the converter "
                                  f"for {found.kind}")  # fmt: skip
        avro = self._parsed(found)
        strategy = self._config.key_strategy if self._is_key else self._config.value_strategy
        name = subject(strategy, topic, avro.name or None, is_key=self._is_key)
        kept = None if name is None else self._registry.lookup(name, found.text)
        how = Reading(self._config.enhanced, self._config.metadata, self._config.flatten)
        schema, read = readable(avro, how, None if kept is None else kept.version)
        if avro.kind == "bytes" and schema.type is Type.BYTES and "logicalType" not in avro.props:
            read = _rest
        made = self._readers[topic, number] = _Reader(schema, read)
        return made


def _raw(value: bytes) -> bytes:
    """Bytes that are a whole value stand without their length."""
    return value


def _rest(data: bytes, at: int) -> tuple[Any, int]:
    return data[at:], len(data)
