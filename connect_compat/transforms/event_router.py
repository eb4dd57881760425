"""Rows inserted into an outbox table to the events they describe: topic, key, headers and payload from their columns.

Source: Debezium 3.5.0.Final, `outbox.EventRouter`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import structlog

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.java.regex import compile_java, java_regex, replaced
from cdc.record import NULL, Batch, Header
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.change_events import is_envelope, needed, reader
from connect_compat.transforms.json_payload import JsonPayload
from connect_compat.transforms.side import Each, is_null

_TRIMMED: Final = "".join(map(chr, range(33)))
_PLACES: Final = ("header", "envelope", "partition")
_PER_MILLISECOND: Final = {
    "io.debezium.time.Timestamp": 1, "io.debezium.time.MicroTimestamp": 1000, "io.debezium.time.NanoTimestamp": 10**6,
}  # fmt: skip
_LOG: Final = structlog.get_logger()


def _pairs(value: tuple[str, ...] | None) -> str | None:
    if all(len(part.split(":")) in (2, 3) for part in value or ()):
        return None
    return f"A comma-separated list of valid String pairs or trios is expected but got: [{', '.join(value or ())}]"


@dataclass(frozen=True, kw_only=True)
class EventRouterConfig:
    """What stands in which column, and where events go."""

    LAYOUT = UNGROUPED
    id: str = key(
        "table.field.event.id", default="id", importance=Importance.LOW, group="Table", order=1,
        label="Event ID Field",
        doc="The column which contains the event ID within the outbox table")  # fmt: skip
    event_key: str = key(
        "table.field.event.key", default="aggregateid", importance=Importance.LOW, group="Table", order=2,
        label="Event Key Field",
        doc="The column which contains the event key within the outbox table")  # fmt: skip
    type: str = key(
        "table.field.event.type", default="type", importance=Importance.LOW, group="Table", order=3,
        label="Event Type Field",
        doc="The column which contains the event type within the outbox table")  # fmt: skip
    payload: str = key(
        "table.field.event.payload", default="payload", importance=Importance.LOW, group="Table", order=4,
        label="Event Payload Field",
        doc="The column which contains the event payload within the outbox table")  # fmt: skip
    timestamp: str | None = key(
        "table.field.event.timestamp", default=None, group="Table", order=5, label="Event Timestamp Field",
        doc="Optionally you can override the Kafka message timestamp with a value from a chosen column,"
            " otherwise it'll be the Debezium event processed timestamp.")  # fmt: skip
    additional: tuple[str, ...] | None = key(
        "table.fields.additional.placement", default=None, check=_pairs, importance=Importance.HIGH,
        group="Table", order=6, label="Settings for each additional column in the outbox table",
        doc="Extra fields can be added as part of the event envelope or a message header, format is a "
            "list of colon-delimited pairs or trios when you desire to have aliases, e.g. "
            "<code>id:header,field_name:envelope:alias,field_name:partition</code> ")  # fmt: skip
    strict: bool = key(
        "table.fields.additional.error.on.missing", default=True, group="Table", order=7,
        label="Should the transform error if an additional field is missing in the change data",
        doc="When transforming the 'table.fields.additional.placement' fields, should the transform "
            "throw an exception if one of the fields is missing in the change data")  # fmt: skip
    version: str | None = key(
        "table.field.event.schema.version", default=None, importance=Importance.LOW, group="Table", order=8,
        label="Event Schema Version Field",
        doc="The column which contains the event schema version within the outbox table")  # fmt: skip
    invalid: str = key(
        "table.op.invalid.behavior", default="warn", values=("warn", "error", "fatal"), group="Table",
        order=9, label="Behavior when capturing an unexpected outbox event",
        doc="While Debezium is capturing changes from the outbox table, it is expecting only to process"
            " 'create' or 'delete' row events; in case something else is processed this transform can "
            "log it as warning, error or stop the process.")  # fmt: skip
    expand: bool = key(
        "table.expand.json.payload", default=False, group="Table", order=10,
        label="Expand Payload escaped string as real JSON",
        doc="Whether or not to try unescaping a JSON string and make it real JSON. It will infer schema"
            " information from payload and update the record schema accordingly. If content is not "
            "JSON, it just produces a warning and emits the record unchanged")  # fmt: skip
    json_nulls: str = key(
        "table.json.payload.null.behavior", default="ignore", values=("ignore", "optional_bytes"),
        group="Table", order=11, label="Behavior when json payload including null value",
        doc="Behavior when json payload including null value, the default will ignore null, "
            "optional_bytes will keep the null value, and treat null as optional bytes of connect.")  # fmt: skip
    route: str = key(
        "route.by.field", default="aggregatetype", importance=Importance.HIGH, group="Router", order=1,
        label="Field to route events by",
        doc="The column which determines how the events will be routed, the value will become part of "
            "the topic name")  # fmt: skip
    regex: str = key(
        "route.topic.regex", default="(?<routedByValue>.*)", check=java_regex, importance=Importance.LOW,
        group="Router", order=2, label="The name of the routed topic",
        doc="The default regex to use within the RegexRouter, the default capture will allow to replace"
            " the routed field into a new topic name defined in 'route.topic.replacement'")  # fmt: skip
    replacement: str = key(
        "route.topic.replacement", default="outbox.event.${routedByValue}", importance=Importance.HIGH,
        group="Router", order=3, label="The name of the routed topic",
        doc="The name of the topic in which the events will be routed, a replacement '${routedByValue}'"
            " is available which is the value of The column configured via 'route.by.field'")  # fmt: skip
    tombstones: bool = key(
        "route.tombstone.on.empty.payload", default=False, importance=Importance.HIGH, group="Router",
        order=4, label="Empty payloads cause a tombstone message",
        doc="Whether or not an empty payload should cause a tombstone event.")  # fmt: skip
    span: str = key(
        "tracing.span.context.field", default="tracingspancontext", importance=Importance.HIGH,
        group="Tracing", order=1, label="Serialized tracing span context field",
        doc="The name of the field containing java.util.Properties representation of serialized span "
            "context. Defaults to 'tracingspancontext'")  # fmt: skip
    operation: str = key(
        "tracing.operation.name", default="debezium-read", importance=Importance.HIGH, group="Tracing",
        order=2, label="Tracing operation name",
        doc="The operation name representing Debezium processing span. Default is 'debezium-read'")  # fmt: skip
    traced_only: bool = key(
        "tracing.with.context.field.only", default=False, importance=Importance.HIGH, group="Tracing",
        order=3, label="Trace only events with context field present",
        doc="Set to `true` when only events that have serialized context field should be traced.")  # fmt: skip
    adjustment: str = key("field.name.adjustment.mode", default="none", internal=True,
                          values=("none", "avro", "avro_unicode"),
                          doc="How characters that Avro names may not have are replaced in the names of an expanded "
                              "payload's fields.")  # fmt: skip


class Placed(NamedTuple):
    """One column of `table.fields.additional.placement`."""

    column: str
    place: str
    alias: str


def _placed(text: str) -> Placed:
    column, place, *alias = (part.strip() for part in text.split(":"))
    if place.lower() not in _PLACES:
        message = f"{place!r} is no placement; it is one of {', '.join(_PLACES)}"
        raise ConfigError([Problem("table.fields.additional.placement", message)])
    return Placed(column, place.lower(), alias[0] if alias else column)


@dataclass(frozen=True)
class _Shape:
    """What depends on the envelope's schema: functions from an envelope, or from a row, to what the names say."""

    row: Schema
    after: Each
    timestamp: Callable[[Any, Any], int | None]
    id: Each
    id_schema: Schema
    key: Each
    key_schema: Schema
    payload: Each
    payload_schema: Schema
    route: Each
    version: Each | None
    headers: Sequence[tuple[str, Schema, Each]]
    envelope: Sequence[tuple[str, Schema, Each]]
    partition: Each | None


class EventRouter:
    CLASS_NAME = "io.debezium.transforms.outbox.EventRouter"
    CONFIG = EventRouterConfig

    def __init__(self, config: EventRouterConfig) -> None:
        """Raises: ConfigError: a placement that there is not."""
        self._config = config
        self._regex = compile_java(config.regex)
        self._placed = [_placed(text) for text in config.additional or ()]
        self._wrapped = any(each.place == "envelope" for each in self._placed)
        self._json = JsonPayload(nulls=config.json_nulls == "optional_bytes", adjustment=config.adjustment)
        self._values: dict[Any, Schema] = {}
        self._shape = lru_cache(maxsize=1000)(self._compile)
        self._op = lru_cache(maxsize=1000)(lambda schema: needed(schema, "op", Type.STRING, "EventRouter"))
        self._topic = lru_cache(maxsize=1000)(self._routed)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_envelope(schema):
            kept = [at for at, value in enumerate(batch.values) if not is_null(value)]
            return [batch] if len(kept) == len(batch) else [batch.pick(kept)] if kept else []
        op = self._op(schema)
        inserted = [
            (value, headers)
            for value, headers in zip(batch.values, batch.headers, strict=True)
            if not is_null(value) and self._is_insert(op(value))
        ]
        if not inserted:
            return []
        shape, out = self._shape(schema), []
        made = [self._event(shape, value, headers) for value, headers in inserted]
        for (topic, partition, value_schema, dated), run in groupby(made, key=itemgetter(0, 1, 2, 3)):
            _, _, _, _, keys, values, headers, timestamps = zip(*run, strict=True)
            stamps = timestamps if dated else None
            out.append(
                Batch(topic, shape.key_schema, value_schema, keys, values, headers, partition, stamps, batch.offsets)
            )
        return out

    def _is_insert(self, op: str) -> bool:
        if op == "u":
            if self._config.invalid == "fatal":
                raise TransformError("EventRouter: a row of the outbox table was updated; only insert and delete rows "
                                     "there, or set table.op.invalid.behavior to warn")  # fmt: skip
            log = _LOG.warning if self._config.invalid == "warn" else _LOG.error
            log("a row of the outbox table was updated, which makes no event; only insert and delete rows there")
        return op not in ("d", "u")

    def _event(self, shape: _Shape, value: Any, old: tuple[Header, ...]) -> tuple[Any, ...]:
        row = shape.after(value)
        if row is None:
            raise TransformError("Only Struct objects supported for [Read Outbox Event], found: null")
        payload = shape.payload(row)
        payload_schema: Schema | None = shape.payload_schema
        route = shape.route(row)
        headers = [*old, Header("id", shape.id_schema, shape.id(row))]
        if self._config.expand:
            payload_schema, payload = self._expanded(shape.payload_schema, payload)
        if self._wrapped:
            value_schema: Schema | None = self._value_schema(shape, payload_schema, row, route)
            made: Any = (payload, *(read(row) for _, _, read in shape.envelope))
        else:
            value_schema, made = payload_schema, NULL if payload is None else payload
        headers += [Header(name, kind, read(row)) for name, kind, read in shape.headers]
        empty = payload is None or (isinstance(payload, str) and not payload.strip(_TRIMMED))
        if empty and self._config.tombstones:
            made, new_schema = None, None
        else:
            new_schema = value_schema
        found = shape.key(row)
        partition = None if shape.partition is None else shape.partition(row)
        timestamp = shape.timestamp(value, row)
        return (self._topic(route), partition, new_schema, timestamp is not None, NULL if found is None else found,
                made, tuple(headers), timestamp)  # fmt: skip

    def _routed(self, route: str | None) -> str:
        if route is None:
            raise TransformError(f"EventRouter: column {self._config.route!r} is null, and a null is no topic; see "
                                 "route.by.field")  # fmt: skip
        try:
            topic = replaced(self._regex, self._config.replacement, route)
        except IndexError:
            raise TransformError(f"EventRouter: route.topic.replacement {self._config.replacement!r} names a group "
                                 f"that route.topic.regex {self._config.regex!r} does not have") from None  # fmt: skip
        return route if topic is None else topic

    def _expanded(self, schema: Schema, payload: Any) -> tuple[Schema | None, Any]:
        if not isinstance(payload, str):
            _LOG.warning("table.expand.json.payload is on, but a payload is no string; it is left as it is")
            return schema, payload
        try:
            return self._json.expanded(self._config.payload, payload)
        except ValueError as error:
            _LOG.warning("a payload cannot be expanded as JSON; it is left as it is", reason=str(error))
            return schema, payload

    def _value_schema(self, shape: _Shape, payload: Schema | None, row: Any, route: str | None) -> Schema:
        """Kept by payload schema, or by version where there is one, named by the first topic: as Debezium does."""
        if payload is None:
            raise TransformError("EventRouter: an empty JSON array has no schema and cannot stand in an envelope; "
                                 "switch table.expand.json.payload off")  # fmt: skip
        version = None if shape.version is None else shape.version(row)
        kept_by = payload if shape.version is None else version
        schema = self._values.get(kept_by)
        if schema is None:
            before, dot, last = (shape.row.name or "").rpartition(".")
            name = route if shape.row.name is None else f"{before}{dot}{route}.{last}"
            fields = (Field("payload", payload), *(Field(alias, kind) for alias, kind, _ in shape.envelope))
            schema = Schema(Type.STRUCT, name=name, version=version, fields=fields)
            self._values[kept_by] = schema
        return schema

    def _compile(self, schema: Schema) -> _Shape:
        config, transform = self._config, "EventRouter"
        after = schema.field("after")
        if after is None:
            raise TransformError(f"Unknown field: after; {schema.name} is no change event")
        row = after.schema
        own = [each for each in self._placed if config.strict or row.field(each.column) is not None]
        by_place = {
            place: [(each.alias, *self._column(row, each.column)) for each in own if each.place == place]
            for place in _PLACES
        }
        partitions = [each for each in own if each.place == "partition"]
        payload_schema, payload = self._column(row, config.payload)
        id_schema, event_id = self._column(row, config.id)
        key_schema, event_key = self._column(row, config.event_key)
        version = needed(row, config.version, Type.INT32, transform) if config.version and self._wrapped else None
        last = partitions[-1].column if partitions else None
        if self._wrapped and len(by_place["envelope"]) < sum(each.place == "envelope" for each in self._placed):
            missing = next(each.column for each in self._placed if each.place == "envelope" and each not in own)
            raise TransformError(f"Unable to find field {missing} in event, which is to stand in the envelope")
        return _Shape(
            row, reader(schema, "after") or (lambda value: None), self._timestamp(schema, row), event_id, id_schema,
            event_key, key_schema, payload, payload_schema, needed(row, config.route, Type.STRING, transform), version,
            by_place["header"], by_place["envelope"],
            None if last is None else needed(row, last, Type.INT32, transform),
        )  # fmt: skip

    def _column(self, row: Schema, name: str) -> tuple[Schema, Each]:
        read, field = reader(row, name), row.field(name)
        if read is None or field is None:
            raise TransformError(f"Unable to find field {name} in event; the outbox table has "
                                 f"{', '.join(each.name for each in row.fields)}")  # fmt: skip
        return field.schema, read

    def _timestamp(self, schema: Schema, row: Schema) -> Callable[[Any, Any], int | None]:
        """A function from envelope and row to milliseconds since 1970."""
        processed = needed(schema, "ts_ms", Type.INT64, "EventRouter")
        name = self._config.timestamp
        if name is None:
            return lambda value, row: processed(value)
        kind, _ = self._column(row, name)
        own, divisor = needed(row, name, Type.INT64, "EventRouter"), _PER_MILLISECOND.get(kind.name or "")
        if divisor is None:
            raise TransformError(f"Unsupported field type {kind.name or kind.type.name} for event timestamp")

        def timestamp(value: Any, row: Any) -> int | None:
            found: int | None = own(row)
            if found is None:
                late: int | None = processed(value)
                return late
            return found // divisor if found >= 0 else -(-found // divisor)

        return timestamp
