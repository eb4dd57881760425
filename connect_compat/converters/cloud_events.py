"""Change events as CloudEvents in JSON or Avro and back, as Debezium's CloudEventsConverter.

Settings below `json.` and `avro.` are those of JsonConverter and AvroConverter, which write the data and the event.
Source: Debezium 3.5.0.Final, by what it gives; CloudEvents 1.0.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson

from cdc.config import Importance, key, parse
from cdc.errors import ConfigError, ConversionError, Problem
from cdc.naming import schema_name_adjuster
from cdc.record import NULL
from cdc.schema import Field, Schema, Type
from connect_compat.converters import Converter
from connect_compat.converters.avro import AvroConverter
from connect_compat.converters.cloud_attributes import Event, Events, Sources, metadata_sources
from connect_compat.converters.json import JsonConverter

_SUFFIX: Final = "CloudEvents.Envelope"
_REQUIRED: Final = frozenset({"id", "source", "specversion", "type"})
_AVRO_URL: Final = "avro.schema.registry.url"
EncodedHeaders = Sequence[tuple[str, bytes | None]]
_InJson = tuple[tuple[Schema, Schema] | None, tuple[Any, ...], Any]


def _metadata(value: tuple[str, ...]) -> str | None:
    try:
        metadata_sources(value)
    except ValueError as error:
        return str(error)
    return None


@dataclass(frozen=True, kw_only=True)
class CloudEventsConverterConfig:
    """How events are written."""

    PASSES = ("json.", "avro.")
    serializer: str = key("serializer.type", default="json", values=("json", "avro"), importance=Importance.HIGH,
                          label="CloudEvents serializer type",
                          doc="Specify a serializer to serialize CloudEvents values")  # fmt: skip
    data_serializer: str = key("data.serializer.type", default="json", values=("json", "avro"),
                               importance=Importance.HIGH, label="CloudEvents data serializer type",
                               doc="Specify a serializer to serialize the data field of CloudEvents "
                                   "values")  # fmt: skip
    tracing: bool = key("opentelemetry.tracing.attributes.enable", default=False, importance=Importance.HIGH,
                        label="Enable OpenTelemetry tracing attributes",
                        doc="Specify whether to include OpenTelemetry tracing attributes to a cloud event")  # fmt: skip
    extensions: bool = key("extension.attributes.enable", default=True, importance=Importance.HIGH,
                           label="Enable extension attributes",
                           doc="Specify whether to include extension attributes to a cloud event")  # fmt: skip
    adjustment: str = key("schema.name.adjustment.mode", default="avro", values=("none", "avro", "avro_unicode"),
                          importance=Importance.LOW, label="Schema name adjustment mode",
                          doc="Specify how schema names should be adjusted for compatibility with the message "
                              "converter used by the connector, including:'avro' replaces the characters that cannot "
                              "be used in the Avro type name with underscore (default)'none' does not apply any "
                              "adjustment")  # fmt: skip
    name: str | None = key("schema.cloudevents.name", default=None, importance=Importance.LOW,
                           label="CloudEvents schema name",
                           doc="Specify CloudEvents schema name under which the schema is registered in a Schema "
                               "Registry")  # fmt: skip
    data_name: bool = key("schema.data.name.source.header.enable", default=False, importance=Importance.LOW,
                          label="Enable schema data name from header",
                          doc="Specify whether CloudEvents.data schema name can be retrieved from the "
                              "header")  # fmt: skip
    metadata: tuple[str, ...] = key(
        "metadata.source", default=("value", "id:generate", "type:generate", "traceparent:header",
                                    "dataSchemaName:generate"),
        importance=Importance.HIGH, label="Metadata source", check=_metadata,
        doc="Specify from where to retrieve metadata")  # fmt: skip


class CloudEventsConverter:
    """Values of a connector's records."""

    CLASS_NAME = "io.debezium.converters.CloudEventsConverter"
    CONFIG = CloudEventsConverterConfig

    def __init__(
        self, config: CloudEventsConverterConfig, is_key: bool, settings: Mapping[str, str],
        avro: Converter | None = None,
    ) -> None:  # fmt: skip
        """`settings`: of the converter, those below `json.` and `avro.` among them. Raises: ConfigError."""
        self._config = config
        self._json_event = config.serializer == "json"
        self._json_data = config.data_serializer == "json"
        if not self._json_event and self._json_data:
            raise ConfigError([Problem("data.serializer.type",
                                       "Cannot use 'application/json' data content type within Avro events; set it "
                                       "to avro")])  # fmt: skip
        below = {name.removeprefix("json."): value for name, value in settings.items() if name.startswith("json.")}
        self._events = JsonConverter(parse(JsonConverter.CONFIG, {**below, "schemas.enable": "false"}), is_key=False)
        self._data = JsonConverter(parse(JsonConverter.CONFIG, below), is_key=False)
        self._headers = JsonConverter(parse(JsonConverter.CONFIG, {}), is_key=False)
        self._urls = settings.get(_AVRO_URL, "")
        self._avro = None if self._json_event and self._json_data else avro or self._avro_converter(settings)
        sources = metadata_sources(config.metadata)
        self._made = Events(self._resolved(sources), tracing=config.tracing, extensions=config.extensions)
        self._adjust = schema_name_adjuster(config.adjustment)
        self._names: dict[str, str] = {}
        self._content = "application/json" if self._json_data else "application/avro"

    def _resolved(self, sources: Sources) -> Sources:
        """A header is asked only for what is switched on, too."""
        trace, name = sources.traceparent, sources.data_name
        return sources._replace(
            traceparent="generate" if trace == "header" and not self._config.tracing else trace,
            data_name="generate" if name == "header" and not self._config.data_name else name,
        )

    def _avro_converter(self, settings: Mapping[str, str]) -> Converter:
        if not self._urls:
            words = ("Need URL(s) for schema registry instances for CloudEvents when using Apache Avro; Apicurio's is "
                     "reached by Confluent's API, at /apis/ccompat/v7")  # fmt: skip
            raise ConfigError([Problem(_AVRO_URL, words)])
        below = {name.removeprefix("avro."): value for name, value in settings.items() if name.startswith("avro.")}
        return AvroConverter(parse(AvroConverter.CONFIG, below), is_key=False)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return self.encode_with_headers(topic, schema, values, [()] * len(values))

    def encode_with_headers(
        self, topic: str, schema: Schema | None, values: Sequence[Any], headers: Sequence[EncodedHeaders]
    ) -> list[bytes | None]:
        """`headers`: of each record, as they go to the log. Records that are no change events become nulls."""
        if schema is None:
            return [None] * len(values)
        events = [
            None if value is None or value is NULL else self._event(schema, value, own)
            for value, own in zip(values, headers, strict=True)
        ]
        if not (self._json_event and self._json_data):
            return [None if event is None else self._written(topic, event) for event in events]
        out: list[bytes | None] = []
        for alike, run in groupby(map(self._in_json, events), itemgetter(0)):
            alone = [each for _, *each in run]
            out += [None] * len(alone) if alike is None else self._joined(topic, alike, alone)
        return out

    def _event(self, schema: Schema, value: Any, headers: EncodedHeaders) -> Event | None:
        def header(name: str) -> tuple[Schema | None, Any] | None:
            """The last of that name, read as JSON with its schema."""
            raw = next((text for known, text in reversed(headers) if known == name), None)
            return None if raw is None else self._headers.decode("", [raw])[0]

        return self._made.event(schema, value, header)

    def _in_json(self, event: Event | None) -> _InJson:
        """Under which schemas an event and its data are written, its attributes, and its data."""
        if event is None:
            return None, (), None
        envelope = event.behind.envelope(self._named(event), described=False, holding=False)
        schema, data = event.data
        return (envelope.schema, schema), event.attributes(envelope, self._content), data

    def _joined(self, topic: str, schemas: tuple[Schema, Schema], run: Sequence[Sequence[Any]]) -> Iterator[bytes]:
        """Events of one kind, each with its data as its last member."""
        outer = self._events.encode(topic, schemas[0], [attributes for attributes, _ in run])
        inner = self._data.encode(topic, schemas[1], [data for _, data in run])
        for event, data in zip(outer, inner, strict=True):
            yield (event or b"")[:-1] + b',"data":' + (data or b"null") + b"}"

    def _written(self, topic: str, event: Event) -> bytes | None:
        data_schema, data = event.data
        assert self._avro is not None
        below = topic if self._json_event else f"{topic}-data"
        (raw,) = self._avro.encode(below, data_schema, [data])
        number = int.from_bytes((raw or b"\0" * 5)[1:5], "big", signed=True)
        envelope = event.behind.envelope(self._named(event), described=True, holding=True)
        value = event.attributes(envelope, self._content, f"{self._urls}/schemas/ids/{number}")
        converter = self._events if self._json_event else self._avro
        return converter.encode(topic, envelope.schema, [(*value, raw)])[0]

    def _named(self, event: Event) -> str:
        name = self._config.name or f"{event.server}.{event.database}.{_SUFFIX}"
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self._adjust(name)
        return known

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        read: Callable[[str, bytes], tuple[Schema | None, Any]] = self._of_json if self._json_event else self._of_avro
        return [(None, None) if data is None else read(topic, data) for data in raw]

    def _of_json(self, topic: str, data: bytes) -> tuple[Schema | None, Any]:
        ((_, event),) = self._events.decode(topic, [data])
        if not isinstance(event, dict) or not event.keys() >= _REQUIRED:
            raise ConversionError(f"A deserialized record's value is not a CloudEvent: the record of topic {topic!r} "
                                  f"lacks one of {', '.join(sorted(_REQUIRED))}")  # fmt: skip
        inner = event.get("data")
        if self._json_data:
            ((schema, value),) = self._data.decode(topic, [orjson.dumps(inner)])
        else:
            assert self._avro is not None
            given = None if inner is None else self._bytes(inner)
            ((schema, value),) = self._avro.decode(topic, [given])
        return None, {**event, "data": _plain(schema, None if value is NULL else value)}

    def _bytes(self, text: Any) -> bytes:
        ((_, value),) = self._headers.decode("", [orjson.dumps({"schema": {"type": "bytes"}, "payload": text})])
        return bytes(value)

    def _of_avro(self, topic: str, data: bytes) -> tuple[Schema | None, Any]:
        assert self._avro is not None
        ((schema, value),) = self._avro.decode(topic, [data])
        name = "" if schema is None else schema.name or ""
        fitting = name == self._config.name if self._config.name else name.endswith(_SUFFIX)
        at = None if schema is None else schema.index("data")
        if schema is None or at is None or not fitting or not {f.name for f in schema.fields} >= _REQUIRED:
            raise ConversionError(f"A deserialized record's value is not a CloudEvent: the schema of the record of "
                                  f"topic {topic!r} is named {name!r}")  # fmt: skip
        ((inner, item),) = self._avro.decode(f"{topic}-data", [value[at]])
        fields = [Field(f.name, inner or f.schema) if f.name == "data" else f for f in schema.fields]
        made = schema.with_(fields=tuple(fields))
        return made, (*value[:at], None if item is NULL else item, *value[at + 1 :])


def _plain(schema: Schema | None, value: Any) -> Any:
    """A value under a schema as one without: structs as dicts."""
    if schema is None or value is None:
        return value
    match schema.type:
        case Type.STRUCT:
            return {f.name: _plain(f.schema, item) for f, item in zip(schema.fields, value, strict=True)}
        case Type.ARRAY:
            return [_plain(schema.items, item) for item in value]
        case Type.MAP:
            return {_plain(schema.keys, k): _plain(schema.items, item) for k, item in value.items()}
    return value
