"""Values to Protobuf and back, their schemas kept by a registry: as Confluent's ProtobufConverter.

A value is a zero, four bytes of the schema's id, the places of its message in the schema, and Protobuf's binary form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdc.config import at_least, key
from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import Schema
from connect_compat.converters.proto_bytes import read_zigzag, zigzag
from connect_compat.converters.proto_files import Parsed, parse_file
from connect_compat.converters.proto_read import readable
from connect_compat.converters.proto_runtime import decode_error, message_class, must_be_installed
from connect_compat.converters.proto_schema import ProtoForm, proto_text
from connect_compat.converters.proto_write import compile_writer
from connect_compat.converters.registered import HEAD, Encode, Reader, RegisteredValues, Wanted
from connect_compat.converters.registry_keys import IDLE, LOW, NO_CLASSES, NO_SETTINGS, RegistryConfig

_FIRST = (0,)


def _must_skip(value: bool) -> str | None:
    return None if value else "known types are not registered as subjects of their own; set true, or leave it out"


@dataclass(frozen=True, kw_only=True)
class ProtobufConverterConfig(RegistryConfig):
    """How Protobuf is written and read."""

    IDLE = dict(IDLE) | {
        "reference.subject.name.strategy": "what is written refers to known types alone, which are no subjects",
        "reference.lookup.only": "what is written refers to known types alone, which are no subjects",
        **dict.fromkeys(("specific.protobuf.key.type", "specific.protobuf.value.type", "derive.type"), NO_CLASSES),
    }
    known: bool = key("skip.known.types", default=True, importance=LOW, check=_must_skip,
                      doc="Google's and Confluent's own types are no subjects; only true.")  # fmt: skip

    enhanced: bool = key("enhanced.protobuf.schema.support", default=False,
                         doc="Schemas that are read are named with their package.")  # fmt: skip
    scrub: bool = key("scrub.invalid.names", default=False,
                      doc="Replace the characters that Protobuf does not allow in names.")  # fmt: skip
    int_enums: bool = key("int.for.enums", default=False, doc="Enums are read as their numbers, not as their names.")
    optional: bool = key("optional.for.nullables", default=False,
                         doc="Fields that may be null have the word `optional`, so null is not zero.")  # fmt: skip
    proto2_optional: bool = key("optional.for.proto2", default=True,
                                doc="The word `optional` counts in schemas of proto2, too.")  # fmt: skip
    wrapped: bool = key("wrapper.for.nullables", default=False,
                        doc="Fields that may be null are messages of one field, so null is not zero.")  # fmt: skip
    raw: bool = key("wrapper.for.raw.primitives", default=True,
                    doc="A message of one field that is a whole value is read as that field.")  # fmt: skip
    structs: bool = key("generate.struct.for.nulls", default=False,
                        doc="A message that is missing is read as one of zeros.")  # fmt: skip
    index: bool = key("generate.index.for.unions", default=True, importance=LOW,
                      doc="The name of a oneof that is read ends with its number.")  # fmt: skip
    flatten: bool = key("flatten.unions", default=False, importance=LOW,
                        doc="The fields of a oneof are read as fields of its message.")  # fmt: skip
    general: bool = key("generalized.sum.type.support", default=False,
                        doc="Enums and oneofs go by the names that all of Confluent's converters share.")  # fmt: skip
    ignore_defaults: bool = key("ignore.default.for.nullables", default=False,
                                doc="A null stays null where the schema has a default.")  # fmt: skip
    cache_size: int = key("schemas.cache.config", default=1000, importance=LOW, check=at_least(1),
                          doc="How many schemas are kept in memory.")  # fmt: skip

    def form(self) -> ProtoForm:
        return ProtoForm(self.enhanced, self.scrub, self.int_enums, self.optional, self.proto2_optional, self.wrapped,
                         self.raw, self.structs, self.index, self.flatten, self.general,
                         not self.ignore_defaults)  # fmt: skip


@dataclass(frozen=True)
class _Protobuf:
    form: ProtoForm
    kind: str = "PROTOBUF"

    @property
    def defaults(self) -> bool:
        return self.form.defaults

    def wanted(self, schema: Schema) -> Wanted:
        return Wanted(*proto_text(schema, self.form))

    def writer(
        self, schema: Schema, text: str, imported: Callable[[str], str | None], head: bytes, *, strict: bool
    ) -> Encode:
        parsed = parse_file(text, imported)
        places = parsed.indexes(proto_text(schema, self.form).message)
        before = head + (zigzag(0) if places == _FIRST else zigzag(len(places)) + b"".join(map(zigzag, places)))
        write = compile_writer(schema, parsed.at(places), self.form)
        return lambda values: [None if value is None or value is NULL else before + write(value) for value in values]

    def place(self, data: bytes) -> tuple[tuple[int, ...], int]:
        count, at = read_zigzag(data, HEAD)
        places = []
        for _ in range(count):
            place, at = read_zigzag(data, at)
            places.append(place)
        return tuple(places) or _FIRST, at

    def record(self, text: str, imported: Callable[[str], str | None], place: tuple[int, ...]) -> str | None:
        return str(parse_file(text, imported).at(place).full_name)

    def reader(
        self, text: str, imported: Callable[[str], str | None], place: tuple[int, ...], version: int | None
    ) -> Reader:
        parsed: Parsed = parse_file(text, imported)
        descriptor = parsed.at(place)
        schema, read = readable(descriptor, parsed.params, self.form, version)
        parse, failed = message_class(descriptor).FromString, decode_error()

        def value(raw: bytes) -> Any:
            try:
                return read(parse(raw))
            except failed:
                raise ConversionError(f"its bytes are no message {descriptor.full_name}") from None

        return Reader(schema, value)


class ProtobufConverter:
    """One side (key or value) of a connector's records."""

    CLASS_NAME = "io.confluent.connect.protobuf.ProtobufConverter"
    CONFIG = ProtobufConverterConfig

    def __init__(
        self, config: ProtobufConverterConfig, is_key: bool, settings: Mapping[str, str] = NO_SETTINGS
    ) -> None:
        """Raises: ConfigError: a login that is not whole, a bad store; ImportError naming the extra it needs."""
        must_be_installed()
        self._values = RegisteredValues("ProtobufConverter", config, _Protobuf(config.form()), settings, is_key=is_key,
                                        size=config.cache_size)  # fmt: skip

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return self._values.encode(topic, schema, values)

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        return self._values.decode(topic, raw)
