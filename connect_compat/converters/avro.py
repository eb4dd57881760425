"""Values to Avro and back, their schemas kept by a registry: as Confluent's AvroConverter.

A value is a zero, four bytes of the schema's id, and Avro's binary form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdc.avro.schema import AvroForm, avro_text, must_be_fit
from cdc.avro.shape import compile_shape
from cdc.avro.types import Avro, Names, parse_avro
from cdc.avro.write import Write, compile_writer
from cdc.config import Importance, at_least, key
from cdc.errors import ConversionError
from cdc.json.fault import find_fault
from cdc.record import NULL
from cdc.schema import Schema, Type
from connect_compat.converters.avro_read import Read, Reading, readable
from connect_compat.converters.chosen import Chooser, must_have_no_rules, of_other_kind, renewal
from connect_compat.converters.registry import Registered, Registry
from connect_compat.converters.registry_keys import IDLE, LOW, NO_CLASSES, NO_SETTINGS, RegistryConfig, subject

_MAGIC: Final = 0
_HEAD: Final = 5


@dataclass(frozen=True, kw_only=True)
class AvroConverterConfig(RegistryConfig):
    """How Avro is written and read."""

    IDLE = dict(IDLE) | dict.fromkeys(
        ("avro.reflection.allow.null", "avro.use.logical.type.converters", "avro.remove.java.properties",
         "specific.avro.reader", "specific.avro.key.type", "specific.avro.value.type"), NO_CLASSES,
    )  # fmt: skip
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
    general: bool = key("generalized.sum.type.support", default=False,
                        doc="Enums and unions go by the names that all of Confluent's converters share.")  # fmt: skip
    discard: bool = key("discard.type.doc.default", default=False, importance=LOW,
                        doc="Docs are those of fields, and Connect's own for defaults and types.")  # fmt: skip
    ignore_defaults: bool = key("ignore.default.for.nullables", default=False,
                                doc="A null stays null where the schema has a default.")  # fmt: skip
    cache_size: int = key("schemas.cache.config", default=1000, importance=Importance.LOW, check=at_least(1),
                          doc="How many schemas are kept in memory.")  # fmt: skip


class _Writer(NamedTuple):
    head: bytes
    write: Write
    shape: Any
    """The compiled twin of `write`, or None."""


class _Reader(NamedTuple):
    schema: Schema
    read: Read


class AvroConverter:
    """One side (key or value) of a connector's records."""

    CLASS_NAME = "io.confluent.connect.avro.AvroConverter"
    CONFIG = AvroConverterConfig

    def __init__(self, config: AvroConverterConfig, is_key: bool, settings: Mapping[str, str] = NO_SETTINGS) -> None:
        """`settings`: as they were given. Raises: ConfigError: a login that is not whole, a store that is none."""
        self._config, self._is_key = config, is_key
        self._side = "key" if is_key else "value"
        self._registry = Registry(config.access(settings), normalize=config.normalize, tags=config.tags)
        self._chooser = Chooser(self._registry, config, "AVRO")
        self._form = AvroForm(config.enhanced, config.metadata, config.scrub, config.optional_keys,
                              not config.ignore_defaults, config.general, config.discard)  # fmt: skip
        self._writers: dict[tuple[str, Schema], _Writer] = {}
        self._renew = renewal(config, self._writers)
        self._readers: dict[tuple[str, int], _Reader] = {}

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if schema is None:
            if all(value is None or value is NULL for value in values):
                return [None] * len(values)
            raise ConversionError(f"AvroConverter cannot write the {self._side} of a record of topic {topic!r}: it has "
                                  "no schema; set schemas.enable=true where it is read as JSON, or use another "
                                  "converter")  # fmt: skip
        if self._renew is not None:
            self._renew()
        head, write, shape = self._writers.get((topic, schema)) or self._compiled(topic, schema)
        if shape is not None:
            try:
                return shape.rows(head, values, b"")  # type: ignore[no-any-return]
            except Exception:  # the reference says what is wrong, if anything is
                pass
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
        chosen = self._chooser.choose(name, text)
        if not chosen.own:
            avro = self._parsed(chosen.schema)
        raw = avro.kind == "bytes" and schema.type is Type.BYTES
        write = _raw if raw else compile_writer(schema, avro, self._form)
        shape = None if raw else compile_shape(schema, avro, self._form)
        if len(self._writers) >= self._config.cache_size:
            self._writers.clear()
        head = _MAGIC.to_bytes(1, "big") + chosen.number.to_bytes(4, "big")
        made = self._writers[topic, schema] = _Writer(head, write, shape)
        return made

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
            raise of_other_kind(number, found.kind, "AVRO")
        avro = self._parsed(found)
        strategy = self._config.key_strategy if self._is_key else self._config.value_strategy
        name = subject(strategy, topic, avro.name or None, is_key=self._is_key)
        must_have_no_rules(found._replace(id=number), name, reading=True)
        kept = None if name is None else self._registry.lookup(name, found.text)
        how = Reading(self._config.enhanced, self._config.metadata, self._config.flatten, self._config.general,
                      self._config.discard)  # fmt: skip
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
