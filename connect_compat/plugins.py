"""Kafka Connect class names to what we build for them: one plain table. Importing this imports no plugin.

A new connector, converter or transform is one line here; those of other packages are their entry points, which are
looked up when a name is not in the table (docs/plugins.md).
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from cdc.config import Key, keys
from cdc.connector import SinkConnector, SourceConnector
from cdc.errors import TailraceError

KAFKA, DEBEZIUM, CONFLUENT = "4.3.1", "3.5.0.Final", "8.0.0"


class Kind(Enum):
    """What a plugin is, in the order and the words of `GET /connector-plugins`."""

    SINK = "sink"
    SOURCE = "source"
    TRANSFORM = "transformation"
    PREDICATE = "predicate"
    CONVERTER = "converter"
    HEADER_CONVERTER = "header_converter"


CONNECTORS = (Kind.SINK, Kind.SOURCE)
_SUFFIXES = {
    Kind.SINK: "Connector", Kind.SOURCE: "Connector", Kind.TRANSFORM: "Transformation", Kind.PREDICATE: "Predicate",
    Kind.CONVERTER: "Converter", Kind.HEADER_CONVERTER: "Converter",
}  # fmt: skip


@dataclass(frozen=True)
class Plugin:
    """One line of the table. `where`: `module:attribute`, imported only when it is used."""

    kind: Kind
    class_name: str
    version: str
    where: str

    @property
    def simple_name(self) -> str:
        return self.class_name.rpartition(".")[2]

    @property
    def alias(self) -> str:
        return self.simple_name.removesuffix(_SUFFIXES[self.kind])

    def answers_to(self, name: str) -> bool:
        return name in (self.class_name, self.simple_name, self.alias)

    def is_known_as(self, name: str) -> bool:
        """Whether Kafka Connect knows it under the name too: a nested class has no short one there."""
        short = self.alias.removesuffix("Header") if self.kind is Kind.HEADER_CONVERTER else self.alias
        return name == self.class_name or ("$" not in name and name in (self.simple_name, short))

    def load(self) -> Any:
        """The connector declaration, or the class of a converter, transform or predicate."""
        module, _, attribute = self.where.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def config_class(self) -> type | None:
        """The dataclass of its config; None when it has no settings."""
        loaded = self.load()
        if isinstance(loaded, SourceConnector | SinkConnector):
            return loaded.config
        declared: type | None = getattr(loaded, "CONFIG", None)
        return declared

    def settings(self) -> list[Key]:
        """Its settings in the order declared, without the internal ones."""
        declared = self.config_class()
        return [] if declared is None else [key for key in keys(declared).values() if not key.internal]


class UnknownPlugin(TailraceError):
    """No plugin of that kind has that name. Nothing was started."""


_CONVERTERS = {
    "org.apache.kafka.connect.converters.BooleanConverter": "numbers",
    "org.apache.kafka.connect.converters.ByteArrayConverter": "bytes",
    "org.apache.kafka.connect.converters.DoubleConverter": "numbers",
    "org.apache.kafka.connect.converters.FloatConverter": "numbers",
    "org.apache.kafka.connect.converters.IntegerConverter": "numbers",
    "org.apache.kafka.connect.converters.LongConverter": "numbers",
    "org.apache.kafka.connect.converters.ShortConverter": "numbers",
    "org.apache.kafka.connect.json.JsonConverter": "json",
    "org.apache.kafka.connect.storage.StringConverter": "string",
}
"""Class name -> module of `connect_compat.converters`. Each serves keys, values and headers."""


_TRANSFORMS = {
    "io.debezium.connector.jdbc.transforms.CollectionNameTransformation": "collection_name_transformation",
    "io.debezium.connector.jdbc.transforms.FieldNameTransformation": "field_name_transformation",
    "io.debezium.connector.mysql.transforms.ReadToInsertEvent": "read_to_insert_event",
    "io.debezium.transforms.ByLogicalTableRouter": "by_logical_table_router",
    "io.debezium.transforms.ContentBasedRouter": "content_based_router",
    "io.debezium.transforms.ExtractChangedRecordState": "extract_changed_record_state",
    "io.debezium.transforms.ExtractNewRecordState": "extract_new_record_state",
    "io.debezium.transforms.ExtractSchemaToNewRecord": "extract_schema_to_new_record",
    "io.debezium.transforms.GeometryFormatTransformer": "geometry_format_transformer",
    "io.debezium.transforms.HeaderToValue": "header_to_value",
    "io.debezium.transforms.SchemaChangeEventFilter": "schema_change_event_filter",
    "io.debezium.transforms.SwapGeometryCoordinates": "swap_geometry_coordinates",
    "io.debezium.transforms.TimezoneConverter": "timezone_converter",
    "io.debezium.transforms.VectorToJsonConverter": "vector_to_json_converter",
    "io.debezium.transforms.outbox.EventRouter": "event_router",
    "io.debezium.transforms.partitions.PartitionRouting": "partition_routing",
    "org.apache.kafka.connect.transforms.Cast$Key": "cast",
    "org.apache.kafka.connect.transforms.Cast$Value": "cast",
    "org.apache.kafka.connect.transforms.DropHeaders": "drop_headers",
    "org.apache.kafka.connect.transforms.ExtractField$Key": "extract_field",
    "org.apache.kafka.connect.transforms.ExtractField$Value": "extract_field",
    "org.apache.kafka.connect.transforms.Filter": "filter",
    "org.apache.kafka.connect.transforms.Flatten$Key": "flatten",
    "org.apache.kafka.connect.transforms.Flatten$Value": "flatten",
    "org.apache.kafka.connect.transforms.HeaderFrom$Key": "header_from",
    "org.apache.kafka.connect.transforms.HeaderFrom$Value": "header_from",
    "org.apache.kafka.connect.transforms.HoistField$Key": "hoist_field",
    "org.apache.kafka.connect.transforms.HoistField$Value": "hoist_field",
    "org.apache.kafka.connect.transforms.InsertField$Key": "insert_field",
    "org.apache.kafka.connect.transforms.InsertField$Value": "insert_field",
    "org.apache.kafka.connect.transforms.InsertHeader": "insert_header",
    "org.apache.kafka.connect.transforms.MaskField$Key": "mask_field",
    "org.apache.kafka.connect.transforms.MaskField$Value": "mask_field",
    "org.apache.kafka.connect.transforms.RegexRouter": "regex_router",
    "org.apache.kafka.connect.transforms.ReplaceField$Key": "replace_field",
    "org.apache.kafka.connect.transforms.ReplaceField$Value": "replace_field",
    "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key": "set_schema_metadata",
    "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value": "set_schema_metadata",
    "org.apache.kafka.connect.transforms.TimestampConverter$Key": "timestamp_converter",
    "org.apache.kafka.connect.transforms.TimestampConverter$Value": "timestamp_converter",
    "org.apache.kafka.connect.transforms.TimestampRouter": "timestamp_router",
    "org.apache.kafka.connect.transforms.ValueToKey": "value_to_key",
}
"""Class name -> module of `connect_compat.transforms`; `Cast$Key` is `CastKey` there."""


def _transform(class_name: str, module: str) -> Plugin:
    attribute = class_name.rpartition(".")[2].replace("$", "")
    version = DEBEZIUM if class_name.startswith("io.debezium.") else KAFKA
    return Plugin(Kind.TRANSFORM, class_name, version, f"connect_compat.transforms.{module}:{attribute}")


def _predicate(simple_name: str) -> Plugin:
    class_name = f"org.apache.kafka.connect.transforms.predicates.{simple_name}"
    return Plugin(Kind.PREDICATE, class_name, KAFKA, f"connect_compat.transforms.predicates:{simple_name}")


def _converter(kind: Kind, class_name: str, module: str) -> Plugin:
    return Plugin(kind, class_name, KAFKA, f"connect_compat.converters.{module}:{class_name.rpartition('.')[2]}")


def _header_converter(class_name: str) -> Plugin:
    """A converter of keys and values as one of headers; `StringConverter` is `StringHeaderConverter` there."""
    attribute = class_name.rpartition(".")[2].replace("Converter", "HeaderConverter")
    return Plugin(Kind.HEADER_CONVERTER, class_name, KAFKA, f"connect_compat.converters.headers:{attribute}")


def _delegating(name: str) -> Iterable[Plugin]:
    where = f"connect_compat.converters.delegating:{name}"
    for kind, word in ((Kind.CONVERTER, ""), (Kind.HEADER_CONVERTER, "Header")):
        yield Plugin(kind, f"io.debezium.converters.{name}Converter", DEBEZIUM, f"{where}{word}Converter")


TABLE: tuple[Plugin, ...] = (
    Plugin(Kind.SINK, "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "15.1.0",
           "sinks.elasticsearch.connector:ELASTICSEARCH"),
    Plugin(Kind.SINK, "io.confluent.connect.jdbc.JdbcSinkConnector", "10.8.0", "sinks.jdbc.connector:CONFLUENT"),
    Plugin(Kind.SINK, "io.debezium.connector.jdbc.JdbcSinkConnector", DEBEZIUM, "sinks.jdbc.connector:DEBEZIUM"),
    Plugin(Kind.SINK, "io.confluent.connect.s3.S3SinkConnector", "12.1.0", "sinks.s3.connector:S3"),
    Plugin(Kind.SOURCE, "io.confluent.connect.jdbc.JdbcSourceConnector", "10.9.0", "cdc.jdbc.connector:JDBC_SOURCE"),
    Plugin(Kind.SOURCE, "io.debezium.connector.mariadb.MariaDbConnector", DEBEZIUM, "cdc.mariadb.connector:MARIADB"),
    Plugin(Kind.SOURCE, "io.debezium.connector.mysql.MySqlConnector", DEBEZIUM, "cdc.mysql.connector:MYSQL"),
    Plugin(Kind.SINK, "org.apache.kafka.connect.file.FileStreamSinkConnector", KAFKA, "sinks.files:FILE_STREAM"),
    Plugin(Kind.SOURCE, "org.apache.kafka.connect.file.FileStreamSourceConnector", KAFKA, "cdc.files:FILE_STREAM"),
    Plugin(Kind.SOURCE, "io.debezium.connector.postgresql.PostgresConnector", DEBEZIUM,
           "cdc.postgres.connector:POSTGRES"),
    *(_converter(Kind.CONVERTER, name, module) for name, module in _CONVERTERS.items()),
    *map(_header_converter, _CONVERTERS),
    Plugin(Kind.CONVERTER, "io.confluent.connect.avro.AvroConverter", CONFLUENT,
           "connect_compat.converters.avro:AvroConverter"),
    Plugin(Kind.CONVERTER, "io.confluent.connect.json.JsonSchemaConverter", CONFLUENT,
           "connect_compat.converters.draft:JsonSchemaConverter"),
    Plugin(Kind.CONVERTER, "io.confluent.connect.protobuf.ProtobufConverter", CONFLUENT,
           "connect_compat.converters.protobuf:ProtobufConverter"),
    _converter(Kind.HEADER_CONVERTER, "org.apache.kafka.connect.storage.SimpleHeaderConverter", "simple_header"),
    Plugin(Kind.CONVERTER, "io.debezium.converters.CloudEventsConverter", DEBEZIUM,
           "connect_compat.converters.cloud_events:CloudEventsConverter"),
    *_delegating("BinaryData"),
    *_delegating("ByteArray"),
    Plugin(Kind.TRANSFORM, "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent", DEBEZIUM,
           "connect_compat.transforms.decode_logical_decoding_message_content:DecodeLogicalDecodingMessageContent"),
    Plugin(Kind.TRANSFORM, "io.debezium.transforms.Filter", DEBEZIUM,
           "connect_compat.transforms.scripted_filter:ScriptedFilter"),
    *(_transform(name, module) for name, module in _TRANSFORMS.items()),
    *map(_predicate, ("HasHeaderKey", "RecordIsTombstone", "TopicNameMatches")),
)  # fmt: skip


_MISSING = {
    "io.debezium.transforms.tracing.ActivateTracingSpan": "it makes spans for OpenTelemetry, which tasks do not have; "
    "leave it out of transforms",
    "io.debezium.transforms.openlineage.OpenLineage": "it reports to OpenLineage, which tasks do not; leave it out of "
    "transforms",
    "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb": "hypertables of TimescaleDB are not "
    "resolved; events keep the topics of their chunks, which RegexRouter can join",
}
"""Plugins of Debezium that are known and not here -> why, and what to do."""


GROUPS = {
    "tailrace.sinks": Kind.SINK, "tailrace.sources": Kind.SOURCE, "tailrace.transforms": Kind.TRANSFORM,
    "tailrace.predicates": Kind.PREDICATE, "tailrace.converters": Kind.CONVERTER,
    "tailrace.header_converters": Kind.HEADER_CONVERTER,
}  # fmt: skip
"""Groups of entry points in which other packages name their plugins."""


@lru_cache
def installed() -> tuple[Plugin, ...]:
    """The plugins of all packages that are installed; none of them is imported."""
    return tuple(
        Plugin(kind, point.name, "unknown" if point.dist is None else point.dist.version, point.value)
        for group, kind in GROUPS.items()
        for point in importlib.metadata.entry_points(group=group)
    )


class Plugins:
    """The table and the plugins of other packages, asked by kind and name; what the table has comes first."""

    def __init__(self, table: Sequence[Plugin] = TABLE, others: Callable[[], Sequence[Plugin]] = installed) -> None:
        self._table, self._others = _sorted(table), others

    def all(self, *kinds: Kind) -> list[Plugin]:
        """By kind, then by class name; without `kinds` every one."""
        return [plugin for plugin in _sorted([*self._table, *self._others()]) if not kinds or plugin.kind in kinds]

    def find(self, name: str, *kinds: Kind) -> Plugin | None:
        """By full name first, then by simple name or alias, where Kafka Connect's own come first."""
        return _named(self._table, name, kinds) or _named(self._others(), name, kinds)

    def known_as(self, name: str) -> Plugin | None:
        """The plugin that Kafka Connect finds under the name."""
        known = [plugin for plugin in self.all() if plugin.is_known_as(name)]
        return min(known, key=lambda plugin: not plugin.class_name.startswith("org."), default=None)

    def connector(self, name: str) -> Plugin:
        """Raises: UnknownPlugin listing every connector there is and the nearest name."""
        found = self.find(name.strip(), *CONNECTORS)
        if found is None:
            raise UnknownPlugin(
                f"Failed to find any class that implements Connector and which name matches {name}, "
                f"available connectors are: {', '.join(map(_described, self.all(*CONNECTORS)))}"
                + self._nearest(name, CONNECTORS)
            )
        return found

    def get(self, name: str, kind: Kind) -> Plugin:
        """Raises: UnknownPlugin listing every plugin of that kind and the nearest name."""
        found = self.find(name.strip(), kind)
        if found is None and name.strip() in _MISSING:
            raise UnknownPlugin(f"Class {name} is not supported: {_MISSING[name.strip()]}")
        if found is None:
            known = ", ".join(plugin.class_name for plugin in self.all(kind))
            raise UnknownPlugin(f"Class {name} could not be found{self._nearest(name, (kind,))}; there are: {known}")
        return found

    def _nearest(self, name: str, kinds: Iterable[Kind]) -> str:
        """The plugin whose simple name is most like that of `name`, else the one whose alias is."""
        asked = name.strip().rpartition(".")[2].lower()
        short = re.sub(r"(?:connector|converter|transformation|predicate)$", "", asked)
        for wanted, cutoff, attribute in ((asked, 0.85, "simple_name"), (short, 0.6, "alias")):
            by_name = {getattr(plugin, attribute).lower(): plugin for plugin in self.all(*kinds)}
            if near := difflib.get_close_matches(wanted, by_name, n=1, cutoff=cutoff):
                return f"; did you mean {by_name[near[0]].class_name}?"
        return ""


def _sorted(plugins: Iterable[Plugin]) -> list[Plugin]:
    order = list(Kind)
    return sorted(plugins, key=lambda plugin: (order.index(plugin.kind), plugin.class_name))


def _named(plugins: Iterable[Plugin], name: str, kinds: Sequence[Kind]) -> Plugin | None:
    candidates = [plugin for plugin in plugins if not kinds or plugin.kind in kinds]
    exact = [plugin for plugin in candidates if plugin.class_name == name]
    named = [plugin for plugin in candidates if plugin.answers_to(name)]
    return next(iter(exact or sorted(named, key=lambda plugin: not plugin.class_name.startswith("org."))), None)


def _described(plugin: Plugin) -> str:
    """As Kafka Connect's `PluginDesc` prints itself."""
    name, version, kind = plugin.class_name, plugin.version, plugin.kind.value
    return (f"PluginDesc{{klass=class {name}, name='{name}', version='{version}', encodedVersion={version}, "
            f"type={kind}, typeName='{kind}', location='tailrace'}}")  # fmt: skip
