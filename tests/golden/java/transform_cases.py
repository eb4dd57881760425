"""Cases for Debezium's transforms: what `Recorder.java` is to run, one JSON object a line.

python transform_cases.py event_router | java -cp '.:LIBS/*' Recorder | python transform_cases.py pack > recorded
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from struct import pack
from typing import Any

Json = dict[str, Any]
Case = Json
NO_DEFAULTS = {"replace.null.with.default": "false"}


def of(kind: str, *, optional: bool = False, **more: Any) -> Json:
    return {"type": kind, "optional": optional, **more}


def struct(name: str | None, *fields: tuple[str, Json], optional: bool = False, **more: Any) -> Json:
    members = [{**schema, "field": field} for field, schema in fields]
    return {"type": "struct", "fields": members, "optional": optional, **({"name": name} if name else {}), **more}


INT32, INT64, STRING, BYTES = of("int32"), of("int64"), of("string"), of("bytes")
TEXT = of("string", optional=True)
SOURCE = struct(
    "io.debezium.connector.mysql.Source",
    ("version", STRING),
    ("connector", STRING),
    ("name", STRING),
    ("ts_ms", INT64),
    ("snapshot", of("string", optional=True, default="false")),
    ("db", STRING),
    ("table", TEXT),
    ("ts_us", of("int64", optional=True)),
    ("ts_ns", of("int64", optional=True)),
)


def source(table: str = "orders") -> Json:
    return {
        "version": "3.5",
        "connector": "mysql",
        "name": "p",
        "ts_ms": 1700000000123,
        "snapshot": None,
        "db": "shop",
        "table": table,
        "ts_us": 1700000000123456,
        "ts_ns": None,
    }


def envelope(name: str, *fields: tuple[str, Json]) -> Json:
    row = {"optional": True, "name": f"{name}.Value"}
    side = {**struct(None, *fields), **row}
    return struct(
        f"{name}.Envelope",
        ("before", side),
        ("after", side),
        ("source", SOURCE),
        ("op", STRING),
        ("ts_ms", of("int64", optional=True)),
        version=2,
    )


def event(op: str, after: Json | None, before: Json | None = None, table: str = "orders") -> Json:
    return {"before": before, "after": after, "source": source(table), "op": op, "ts_ms": 1700000001000}


def text(schema: Json | None, payload: Any) -> str:
    return json.dumps({"schema": schema, "payload": payload}, separators=(",", ":"), ensure_ascii=False)


def case(
    about: str,
    transform: str,
    config: Json,
    value: str | None,
    *,
    topic: str = "p.shop.orders",
    key: str | None = text(struct("p.shop.orders.Key", ("id", INT32)), {"id": 7}),
    headers: list[list[Any]] | None = None,
    timestamp: int | None = None,
    sink: bool = False,
) -> Case:
    record: Json = {"topic": topic, "key": key, "value": value}
    if headers:
        record["headers"] = headers
    if timestamp is not None:
        record["timestamp"] = timestamp
    return {
        "op": "transform",
        "about": about,
        "class": f"io.debezium.transforms.{transform}",
        "config": config,
        "record": record,
        "key.converter": NO_DEFAULTS,
        "value.converter": NO_DEFAULTS,
        "sink": sink,
    }


HEARTBEAT = text(struct("io.debezium.connector.common.Heartbeat", ("ts_ms", INT64)), {"ts_ms": 5})
PLAIN = text(struct("plain", ("a", INT32), ("b", TEXT)), {"a": 1, "b": None})

ROW = (
    ("id", INT32),
    ("name", STRING),
    ("note", TEXT),
    ("qty", of("int32", optional=True, default=5)),
    ("big", INT64),
    ("price", of("bytes", name="org.apache.kafka.connect.data.Decimal", version=1, parameters={"scale": "2"})),
    ("ratio", of("double", optional=True)),
    ("single", of("float", optional=True)),
    ("on", of("boolean", optional=True)),
    ("raw", of("bytes", optional=True)),
    ("tags", {"type": "array", "items": TEXT, "optional": True}),
    ("day", of("int32", optional=True, name="org.apache.kafka.connect.data.Date", version=1)),
    ("at", of("int64", optional=True, name="org.apache.kafka.connect.data.Timestamp", version=1)),
    ("small", of("int16", optional=True)),
)
ROW_ENVELOPE = envelope("p.shop.orders", *ROW)
FIRST = {
    "id": 7,
    "name": "ann",
    "note": None,
    "qty": None,
    "big": 2**40 + 3,
    "price": "AQID",
    "ratio": 1.5,
    "single": 0.1,
    "on": True,
    "raw": None,
    "tags": ["a", None, "\u00fc"],
    "day": 19000,
    "at": 1700000000123,
    "small": -3,
}
SECOND = {
    **FIRST,
    "name": "J\u00f8rgen \U0001f600 and a longer text of many bytes",
    "note": "",
    "big": -1,
    "price": "gA==",
    "ratio": None,
    "on": False,
    "tags": [],
    "day": -1,
    "small": None,
}


def events() -> Iterator[tuple[str, str | None]]:
    yield "create", text(ROW_ENVELOPE, event("c", FIRST))
    yield "update", text(ROW_ENVELOPE, event("u", SECOND, FIRST))
    yield "update of nothing", text(ROW_ENVELOPE, event("u", FIRST, FIRST))
    yield "delete", text(ROW_ENVELOPE, event("d", None, SECOND))
    yield "read", text(ROW_ENVELOPE, event("r", SECOND))
    yield "truncate", text(ROW_ENVELOPE, event("t", None))
    yield "tombstone", None
    yield "heartbeat", HEARTBEAT
    yield "plain", PLAIN


def extract_changed_record_state() -> Iterator[Case]:
    for config in (
        {"header.changed.name": "changed", "header.unchanged.name": "unchanged"},
        {"header.changed.name": "c"},
        {"header.unchanged.name": "u"},
        {},
        {"header.changed.name": " "},
    ):
        for about, value in events():
            yield case(about, "ExtractChangedRecordState", config, value, headers=[["old", text(INT32, 1)]])


def partition_routing() -> Iterator[Case]:
    every = ",".join(f"change.{name}" for name, _ in ROW if name != "raw")
    for hashed in ("java", "murmur"):
        for fields in (
            "change.id",
            "after.name",
            "before.name",
            "source.table",
            "source.nope,change.name",
            "nope",
            "op",
            "change",
            "change.big, change.price ,change.on",
            every,
            "ts_ms",
            "change.note",
            "source.snapshot",
            "change.qty",
            "change.ratio,change.single",
            "change.tags",
            "change.day",
            "change.at",
        )[:: 1 if hashed == "java" else 3]:
            for about, value in events():
                config = {
                    "partition.payload.fields": fields,
                    "partition.topic.num": "7",
                    "partition.hash.function": hashed,
                }
                yield case(about, "partitions.PartitionRouting", config, value)
    for length in range(1, 36, 2):
        row = {**FIRST, "name": "\u00e9x" * (length // 2) + "z" * (length % 2)}
        config = {
            "partition.payload.fields": "after.name",
            "partition.topic.num": "1000003",
            "partition.hash.function": "murmur",
        }
        yield case(f"{length} characters", "partitions.PartitionRouting", config, text(ROW_ENVELOPE, event("c", row)))
    for config in (
        {"partition.payload.fields": "change.id", "partition.topic.num": "0"},
        {"partition.topic.num": "3"},
        {"partition.payload.fields": "a,,b", "partition.topic.num": "3"},
    ):
        yield case("config", "partitions.PartitionRouting", config, text(ROW_ENVELOPE, event("c", FIRST)))


def header_to_value() -> Iterator[Case]:
    headers = [["trace", text(STRING, "t1")], ["n", text(INT32, 5)], ["trace", text(TEXT, "t2")], ["x", text(INT64, 9)]]
    nested = struct("s", ("a", INT32))
    headers.append(["deep", text(nested, {"a": 3})])
    for operation in ("move", "copy"):
        for names, fields in (
            ("n", "n"),
            ("n,x", "after.n,x"),
            ("absent", "q"),
            ("deep", "source.deep"),
            ("n,absent", "before.n,z"),
            ("n", "nope.n"),
            ("n", "op.n"),
            ("n", "id"),
            ("x,n", "a1,b1"),
        ):
            config = {"headers": names, "fields": fields, "operation": operation}
            for about, value in events():
                yield case(about, "HeaderToValue", config, value, headers=[headers[1], headers[3], headers[4]])
    update = text(ROW_ENVELOPE, event("u", SECOND, FIRST))
    yield case("no headers", "HeaderToValue", {"headers": "n", "fields": "n", "operation": "move"}, update)
    yield case("config", "HeaderToValue", {"headers": "n,m", "fields": "n", "operation": "move"}, update)
    yield case("config", "HeaderToValue", {"headers": "n", "fields": "n", "operation": "drop"}, update)
    yield case("config", "HeaderToValue", {"headers": "n", "fields": "n"}, update)
    yield case(
        "no schema",
        "HeaderToValue",
        {"headers": "n", "fields": "n", "operation": "copy"},
        text(None, {"a": 1}),
        headers=[headers[1]],
    )


CHANGE = struct("io.debezium.connector.schema.Change", ("type", STRING), ("id", STRING))
CHANGES = {"type": "array", "items": CHANGE, "optional": True}
SCHEMA_CHANGE = struct(
    "io.debezium.connector.mysql.SchemaChangeValue",
    ("ts_ms", INT64),
    ("ddl", TEXT),
    ("tableChanges", CHANGES),
    version=1,
)


def schema_change_event_filter() -> Iterator[Case]:
    for excluded in ("CREATE", "ALTER, DROP", "DATABASE", "TRUNCATE,CREATE,ALTER,DROP,DATABASE", "create", ""):
        for kinds in (["CREATE"], ["ALTER", "CREATE"], ["DROP"], [], None):
            changes = None if kinds is None else [{"type": kind, "id": '"a"."b"'} for kind in kinds]
            value = text(SCHEMA_CHANGE, {"ts_ms": 1, "ddl": "x", "tableChanges": changes})
            config = {"schema.change.event.exclude.list": excluded}
            yield case(f"{kinds}", "SchemaChangeEventFilter", config, value, topic="p")
        for about, each in events():
            yield case(about, "SchemaChangeEventFilter", {"schema.change.event.exclude.list": excluded}, each)
    yield case("config", "SchemaChangeEventFilter", {}, HEARTBEAT)


def logical(kind: str, name: str, **more: Any) -> Json:
    return of(kind, optional=True, name=name, version=1, **more)


TIMES = (
    ("id", INT32),
    ("zoned", logical("string", "io.debezium.time.ZonedTimestamp")),
    ("micro", logical("int64", "io.debezium.time.MicroTimestamp")),
    ("nano", logical("int64", "io.debezium.time.NanoTimestamp")),
    ("milli", logical("int64", "io.debezium.time.Timestamp")),
    ("connect", logical("int64", "org.apache.kafka.connect.data.Timestamp")),
    ("day", logical("int32", "io.debezium.time.Date")),
    ("time", logical("int64", "io.debezium.time.MicroTime")),
    ("fixed", logical("int64", "io.debezium.time.MicroTimestamp", default=1529507596945104)),
    ("clock", logical("string", "io.debezium.time.ZonedTime")),
)


def times(zoned: str | None, seconds: int | None, clock: str | None = None) -> Json:
    if seconds is None:
        return dict.fromkeys(name for name, _ in TIMES) | {"id": 1, "zoned": zoned, "clock": clock}
    return {
        "id": 1,
        "zoned": zoned,
        "micro": seconds * 10**6 + 123457,
        "nano": seconds * 10**9 + 5 if abs(seconds) < 10**9 * 9 else None,
        "milli": seconds * 1000 + 7,
        "connect": seconds * 1000 + 8,
        "day": 19000,
        "time": 5,
        "fixed": seconds * 10**6,
        "clock": clock,
    }


MOMENTS = (
    ("2020-01-01T11:55:30Z", 1577879730),
    ("2020-07-01T11:55:30.123456Z", 1593604530),
    ("2021-03-28T02:30:00Z", 1616898600),
    ("2021-10-31T02:30:00.100Z", 1635647400),
    ("1969-12-31T23:59:59.999999999+05:30", -1),
    ("1890-05-05T12:00:00-03:00", -2513000000),
    ("0001-01-01T00:00:00Z", -62135596800),
    ("9999-12-31T23:59:59.999999Z", 253402300799),
    ("2038-06-01T00:00:00+01:00", 2158963200),
    ("2100-07-01T10:10:10Z", 4118192410),
    (None, None),
    ("2022-11-06T01:30:00-04:00", 1667698200),
)


def timezone_converter() -> Iterator[Case]:
    schema = envelope("p.shop.orders", *TIMES)
    for zone in (
        "America/New_York",
        "+05:30",
        "UTC",
        "Asia/Kolkata",
        "Europe/Berlin",
        "Pacific/Apia",
        "-03:00:10",
        "Z",
        "Nowhere/Land",
        "5:30",
        "+19:00",
        "Europe/London",
        "Africa/Monrovia",
    ):
        for zoned, seconds in MOMENTS:
            fixed = zone in ("UTC", "+05:30", "-03:00:10")
            clock = "10:15:30.120Z" if fixed and zoned else None
            value = text(schema, event("u", times(zoned, seconds, clock), times(zoned, seconds)))
            yield case(f"{zoned}", "TimezoneConverter", {"converted.timezone": zone}, value)
    zoned, seconds = MOMENTS[1]
    for listed in (
        "source:orders",
        "source:orders:micro",
        "topic:p.shop.orders",
        "topic:p.shop.orders:after.micro",
        "orders:micro",
        "p.shop.orders:zoned",
        "source:other",
        "source:orders:source.ts_ms",
        "source:orders:source.ts_us,source:orders:id",
        "source:orders:before.nano,orders:milli",
        "topic:p.shop.orders:micro,p.shop.other:nano",
        "orders",
        "a:b:c:d",
        "source:orders:day,source:orders:time",
        "source:orders:source.ts_ns",
        "source:orders:source.snapshot",
    ):
        for kind in ("include.list", "exclude.list"):
            config = {"converted.timezone": "Asia/Tokyo", kind: listed}
            for op, after, before in (
                ("u", times(zoned, seconds), times(zoned, seconds)),
                ("c", times(None, None), None),
                ("d", None, times(zoned, seconds)),
            ):
                yield case(op, "TimezoneConverter", config, text(schema, event(op, after, before)))
    both = {"converted.timezone": "UTC", "include.list": "source:a", "exclude.list": "source:b"}
    yield case("config", "TimezoneConverter", both, None)
    yield case("config", "TimezoneConverter", {}, None)
    for about, each in events():
        yield case(about, "TimezoneConverter", {"converted.timezone": "Asia/Tokyo"}, each)


OUTBOX = (
    ("id", STRING),
    ("aggregatetype", STRING),
    ("aggregateid", STRING),
    ("type", STRING),
    ("payload", of("string", optional=True, name="io.debezium.data.Json", version=1)),
    ("tenant", TEXT),
    ("part", of("int32", optional=True)),
    ("version", INT32),
    ("at", of("int64", optional=True, name="io.debezium.time.MicroTimestamp", version=1)),
    ("ms", of("int64", optional=True, name="io.debezium.time.Timestamp", version=1)),
    ("long", INT64),
    ("ns", of("int64", optional=True, name="io.debezium.time.NanoTimestamp", version=1)),
    ("raw", of("bytes", optional=True)),
    ("maybe", of("string", optional=True, default="d")),
)
OUTBOX_ENVELOPE = envelope("p.shop.outbox", *OUTBOX)


def outbox(payload: str | None = '{"a":1}', **more: Any) -> Json:
    return {
        "id": "e-1",
        "aggregatetype": "Order",
        "aggregateid": "o7",
        "type": "Created",
        "payload": payload,
        "tenant": "t1",
        "part": 3,
        "version": 4,
        "at": 1700000000123456,
        "ms": 1700000000123,
        "long": 5,
        "ns": 1700000000123456789,
        "raw": "AQI=",
        "maybe": None,
        **more,
    }


def event_router() -> Iterator[Case]:
    placement = "table.fields.additional.placement"
    configs: tuple[Json, ...] = (
        {},
        {"route.tombstone.on.empty.payload": "true"},
        {placement: "type:header"},
        {placement: "type:header:eventType,tenant:header,part:partition,maybe:header"},
        {placement: "type:envelope:eventType, tenant:envelope ,maybe:envelope"},
        {placement: "type:envelope,version:header", "table.field.event.schema.version": "version"},
        {placement: "type:envelope", "table.field.event.schema.version": "long"},
        {placement: "nope:header"},
        {placement: "nope:header", "table.fields.additional.error.on.missing": "false"},
        {placement: "nope:envelope", "table.fields.additional.error.on.missing": "false"},
        {placement: "type"},
        {placement: "type:somewhere"},
        {placement: "tenant:partition"},
        {placement: "type:HEADER"},
        {"route.by.field": "type"},
        {"route.by.field": "tenant"},
        {"route.by.field": "nope"},
        {"route.by.field": "version"},
        {"route.topic.replacement": "x.${routedByValue}.y"},
        {"route.topic.regex": "Ord(.*)", "route.topic.replacement": "z$1"},
        {"route.topic.regex": "Nope(.*)", "route.topic.replacement": "z$1"},
        {"route.topic.replacement": "$9"},
        {"table.field.event.key": "version"},
        {"table.field.event.key": "nope"},
        {"table.field.event.key": "tenant"},
        {"table.field.event.id": "version"},
        {"table.field.event.id": "nope"},
        {"table.field.event.payload": "raw"},
        {"table.field.event.payload": "version"},
        {"table.field.event.payload": "nope"},
        {"table.field.event.payload": "maybe"},
        {"table.field.event.timestamp": "at"},
        {"table.field.event.timestamp": "ms"},
        {"table.field.event.timestamp": "ns"},
        {"table.field.event.timestamp": "long"},
        {"table.field.event.timestamp": "type"},
        {"table.field.event.timestamp": "nope"},
        {"table.op.invalid.behavior": "error"},
        {"table.op.invalid.behavior": "fatal"},
        {"table.op.invalid.behavior": "zap"},
        {"table.expand.json.payload": "true"},
        {"route.topic.regex": "("},
    )
    rows = (
        ("create", event("c", outbox(), None, "outbox")),
        ("read", event("r", outbox("[1,2]"), None, "outbox")),
        ("empty", event("c", outbox(" \t", tenant=None, part=None, at=None), None, "outbox")),
        ("null", event("c", outbox(None, at=-1500), None, "outbox")),
        ("delete", event("d", None, outbox(), "outbox")),
        ("update", event("u", outbox(), outbox(), "outbox")),
        ("truncate", event("t", None, None, "outbox")),
    )
    transform = "outbox.EventRouter"
    for config in configs:
        for about, row in rows[: 1 if config.get(placement) == "type:somewhere" else 9]:
            yield case(about, transform, config, text(OUTBOX_ENVELOPE, row), headers=[["old", text(INT32, 1)]])
    for about, value in (("tombstone", None), ("heartbeat", HEARTBEAT), ("plain", PLAIN)):
        yield case(about, transform, {}, value)
    for nulls in ("ignore", "optional_bytes"):
        for payload in PAYLOADS:
            config = {"table.expand.json.payload": "true", "table.json.payload.null.behavior": nulls}
            yield case(payload, transform, config, text(OUTBOX_ENVELOPE, event("c", outbox(payload), None, "outbox")))
    for mode in ("none", "avro", "avro_unicode"):
        config = {"table.expand.json.payload": "true", "field.name.adjustment.mode": mode}
        value = text(OUTBOX_ENVELOPE, event("c", outbox('{"a-b":1,"9x":{"y z":2},"ok":3}'), None, "outbox"))
        yield case(mode, transform, config, value)
    config = {"table.expand.json.payload": "true", placement: "type:envelope"}
    yield case(
        "wrapped", transform, config, text(OUTBOX_ENVELOPE, event("c", outbox('{"a":{"b":[1]}}'), None, "outbox"))
    )


PAYLOADS = (
    '{"a":1,"b":2147483648,"c":1.5,"d":"x","e":true,"f":null,"g":[],"h":[1,2],"i":{"j":{"k":[{"l":1},{"l":3}]}}}',
    '{"a":[1,2147483648]}',
    '{"a":[1,1.5]}',
    '{"a":[1,"x"]}',
    '{"a":[null,null]}',
    '{"a":[null,1]}',
    '{"a":[[1],[2,3]]}',
    '{"a":[[],[1]]}',
    '{"a":[{"b":null},{"b":1},{"b":"x"}]}',
    '{"a":1e5,"b":-0.0,"c":1E400}',
    '{"a":12345678901234567890}',
    '[{"a":1}]',
    "[]",
    "{}",
    "",
    "x",
    "12",
    '{"a":1',
    '{"a":1} trailing',
    '{"a":1,"a":"twice"}',
    '{"":1,"b c":{"":2}}',
    '{"a":NaN}',
    '{"a":"\\u00e9\\ud83d\\ude00"}',
    '{"a":[{"b":[{"c":1}]},{"b":[{"c":2}]}]}',
    '{"a":{}}',
    '{"a":[{}]}',
    ' {"a":1}',
    '{"a":[true,false]}',
    '{"a":[{"b":1},null]}',
    '{"a":-2147483649}',
)

CONDITIONS = (
    "value.op == 'u'",
    "value.op != 'd' || value.before.id != 2",
    "value.before.id == 7",
    "value.before?.id == 7",
    'value.after.name == "ann"',
    "value.after.nope == 1",
    "value.nope",
    "value.after.id",
    "value.after.note == null",
    "value.after.qty == 5",
    "value.after.qty > 4 && value.after.qty <= 5",
    "value.after.price == -1.28",
    "value.after.price > 100",
    "value.after.price + 1 == 660.52",
    "value.after.ratio == 1.5",
    "value.after.ratio > 1",
    "value.after.single == 0.1",
    "value.after.big == 1099511627779",
    "value.after.big == -1L",
    "value.after.on",
    "!value.after.on",
    "value.after.on == true",
    "value.after.tags.size() == 3",
    "value.after.tags[0] == 'a'",
    "value.after.tags[9] == null",
    "'a' in value.after.tags",
    "value.op in ['c', 'r']",
    "!(value.op in ['c', 'r'])",
    "value.after.tags.contains('a')",
    "value.after.name.startsWith('a')",
    "value.after.name.length() == 3",
    "value.after.name.size() > 3",
    "value.after.name =~ /n+/ ? true : false",
    "value.after.name ==~ /a.*/",
    "value.after.name ==~ 'an'",
    "value.after.name.matches('an+')",
    "value.after.name.toUpperCase() == 'ANN'",
    "value.after.name.substring(1) == 'nn'",
    "value.after.name.substring(1, 2) == 'n'",
    "value.after.name[0] == 'a'",
    "value.after.name < 'b'",
    "value.after.note < 'b'",
    "value.after.id < null",
    "value.after.id == '7'",
    "value.after.id + 1 == 8",
    "value.after.id * 2 - 4 == 10",
    "value.after.id / 2 == 3.5",
    "value.after.id % 4 == 3",
    "-value.after.id == -7",
    "value.after.name + 1 == 'ann1'",
    "(value.after.note ?: 'none') == 'none'",
    "value.after.get('id') == 7",
    "value.getString('op') == 'c'",
    "value['op'] == 'c'",
    "value.after['id'] == 7",
    "value.source.table == 'orders'",
    "value.source.snapshot == 'false'",
    "topic == 'p.shop.orders'",
    "topic.endsWith('orders')",
    "key.id == 7",
    "key == null",
    "value != null",
    "header.old.value == 1",
    "header['old'].value == 1",
    "header.absent == null",
    "header.absent?.value == 1",
    "header.containsKey('old')",
    "valueSchema.name() == 'p.shop.orders.Envelope'",
    "valueSchema.field('op') != null",
    "keySchema.field('x') == null",
    "valueSchema.field('nope') != null",
    "value.op == 'c' && value.after.id",
    "value.op <=> 'c'",
    "true",
    "null",
    "1",
    "operation != 'd'",
    "value.op != 'd",
    "value.op.nope()",
    "value.ts_ms > 1700000000000",
    "value.source.ts_ms.intValue() > 0",
    "\"${value.op}-${value.after.id}\" == 'c-7'",
    "\"$value.op\".toString() == 'c'",
    "return value.op == 'c';",
    "value.after.day == 19000",
    "value.op.equals('c')",
    "value.op.equalsIgnoreCase('C')",
    "'x'.isEmpty() || value.op == 'c'",
    "[1, 2].contains(value.after.id - 6)",
    "value.after.id == 7.0",
    "value.after.id.equals(7)",
)
TOPICS = (
    "value.op == 'u' ? 'updates' : null",
    "value == null ? 'nulls' : (value.op == 'c' ? 'ones' : null)",
    "1",
    "topic + '.x'",
    "'t-' + value.source.table",
    "value.after.name",
    "value.op",
    '"t-${value.op}".toString()',
    "value.before.name",
    "topic.replace('p.', '')",
    "topic.replaceAll('(\\\\w+)$', 'x-$1')",
    "topic.toUpperCase()",
    "''",
    "value.after?.note",
)
NULLS = ("drop", "keep", "evaluate")


def scripted(transform: str, name: str, sources: tuple[str, ...]) -> Iterator[Case]:
    chosen = [each for each in events() if each[0] in ("create", "update", "delete", "tombstone", "plain")]
    headers = [["old", text(INT32, 1)]]
    for source in sources:
        for about, value in chosen[:2] if transform == "Filter" else chosen:
            yield case(about, transform, {"language": "jsr223.groovy", name: source}, value, headers=headers)
    for source in sources[:3]:
        for about, value in chosen:
            for nulls in NULLS:
                config = {"language": "jsr223.groovy", name: source, "null.handling.mode": nulls}
                yield case(about, transform, config, value, headers=headers)
        for pattern in ("p.*", "shop", "("):
            config = {"language": "jsr223.groovy", name: source, "topic.regex": pattern}
            yield case("pattern", transform, config, chosen[0][1], headers=headers)
    for config in ({"language": "groovy", name: "true"}, {name: "true"}, {"language": "jsr223.groovy"}):
        yield case("config", transform, config, chosen[0][1])


def scripted_filter() -> Iterator[Case]:
    return scripted("Filter", "condition", CONDITIONS)


def content_based_router() -> Iterator[Case]:
    return scripted("ContentBasedRouter", "topic.expression", TOPICS)


def small_transforms() -> Iterator[Case]:
    insert = "connector.mysql.transforms.ReadToInsertEvent"
    for about, value in events():
        yield named(case(about, insert, {}, value, headers=[["old", text(INT32, 1)]], timestamp=5))
    decode = "connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"
    message = struct(
        "io.debezium.connector.postgresql.Message", ("prefix", TEXT), ("content", of("bytes", optional=True))
    )
    schema = struct(
        "io.debezium.connector.postgresql.MessageValue",
        ("op", TEXT),
        ("ts_ms", of("int64", optional=True)),
        ("source", SOURCE),
        ("message", message),
    )
    for content in ('{"a":1,"b":null,"c":{"d":[1]}}', "[1]", "[]", "x", "", "{}"):
        for nulls in ("true", "false"):
            inside = {"prefix": "p", "content": base64.b64encode(content.encode()).decode()}
            value = text(schema, {"op": "m", "ts_ms": 5, "source": source(), "message": inside})
            yield named(case(content, decode, {"fields.null.include": nulls}, value))


def named(made: Case) -> Case:
    return {**made, "class": made["class"].replace("debezium.transforms.", "debezium.")}


def shape(kind: int, *parts: Any, order: str = "<", srid: int | None = None) -> bytes:
    """A shape in WKB: doubles are coordinates, whole numbers counts, bytes shapes within it."""
    number = kind if srid is None else kind | 0x20000000
    out = (b"\1" if order == "<" else b"\0") + pack(f"{order}I", number)
    out += b"" if srid is None else pack(f"{order}I", srid)
    for part in parts:
        out += part if isinstance(part, bytes) else pack(order + ("I" if isinstance(part, int) else "d"), part)
    return out


GEOMETRY = struct(
    "io.debezium.data.geometry.Geometry", ("wkb", BYTES), ("srid", of("int32", optional=True)), optional=True, version=1
)
SHAPES: tuple[bytes, ...] = (
    shape(1, 1.5, 2.5), shape(1, 1.5, 2.5, order=">"), shape(1, 1.5, 2.5, srid=4326), shape(0x80000001, 1.0, 2.0, 3.0),
    shape(0xC0000001, 1.0, 2.0, 3.0, 4.0), shape(2, 2, 1.0, 2.0, 3.0, 4.0),
    shape(3, 1, 3, 0.0, 1.0, 2.0, 3.0, 0.0, 1.0),
    shape(4, 2, shape(1, 1.0, 2.0), shape(1, 3.0, 4.0)), shape(5, 1, shape(2, 1, 5.0, 6.0)),
    shape(6, 1, shape(3, 1, 1, 7.0, 8.0)), shape(7, 2, shape(1, 1.0, 2.0), shape(2, 1, 3.0, 4.0)), shape(7, 0),
    shape(7, 1, shape(7, 1, shape(1, 9.0, 8.0)), srid=3857), shape(9, 1.0), shape(2, 5, 1.0), b"\1",
)  # fmt: skip


def geometry_transforms() -> Iterator[Case]:
    columns = (("id", INT32), ("g", GEOMETRY), ("d", of("int32", optional=True, default=4)))
    one = envelope("p.shop.orders", *columns)
    nested = struct("n", ("l", {"type": "array", "items": GEOMETRY, "optional": True}),
                    ("s", struct("in", ("g", GEOMETRY), optional=True)),
                    ("m", {"type": "map", "keys": STRING, "values": GEOMETRY, "optional": True}))  # fmt: skip
    configs: list[tuple[str, Json]] = [("SwapGeometryCoordinates", {}), ("SwapGeometryCoordinates", {"srids": "5,7"})]
    configs += [("GeometryFormatTransformer", {**each}) for each in ({}, {"format": "ewkb"}, {"format": "wkb"})]
    for transform, config in configs:
        for raw in SHAPES:
            for srid in (4326, 7, None):
                row = {"id": 1, "g": {"wkb": base64.b64encode(raw).decode(), "srid": srid}, "d": None}
                yield case("shape", transform, config, text(one, event("u", row, {**row, "g": None})))
        inner = {"wkb": base64.b64encode(SHAPES[0]).decode(), "srid": 4326}
        yield case(
            "nested", transform, config, text(nested, {"l": [inner, None], "s": {"g": inner}, "m": {"k": inner}})
        )
        for value in (None, text(None, {"a": 1}), PLAIN, text(STRING, "x")):
            yield case("other", transform, config, value)


def vectors_and_columns() -> Iterator[Case]:
    def vector(name: str, kind: str, optional: bool) -> Json:
        return {
            "type": "array",
            "items": of(kind),
            "optional": optional,
            "name": f"io.debezium.data.{name}",
            "version": 1,
        }

    sparse = struct("io.debezium.data.SparseDoubleVector", ("dimensions", of("int16")),
                    ("vector", {"type": "map", "keys": of("int16"), "values": of("double"), "optional": False}),
                    optional=True, version=1)  # fmt: skip
    columns = (("id", INT32), ("v", vector("DoubleVector", "double", True)),
               ("f", vector("FloatVector", "float", False)),
               ("s", sparse), ("q", of("int32", optional=True, default=3)))  # fmt: skip
    one = envelope("p.shop.orders", *columns)
    full = {
        "id": 1,
        "v": [1.0, -2.5e10, 1e-5],
        "f": [0.1, 3.0],
        "s": {"dimensions": 9, "vector": [[7, 1.5], [2, 0.1]]},
        "q": None,
    }
    none: Json = {"id": 2, "v": None, "f": [], "s": None, "q": 5}
    for value in (text(one, event("u", full, none)), text(one, event("d", None, full)), None, PLAIN,
                  text(None, {"a": 1}),
                  text(struct("r", *columns, version=3, doc="d"), full), text(STRING, "x")):  # fmt: skip
        yield case("vector", "VectorToJsonConverter", {}, value)
    said = "__debezium.source.column."

    def column(kind: str, **words: str) -> Json:
        return of(kind, optional=True, parameters={said + name: word for name, word in words.items()})

    described = (
        ("id", column("int32", type="INT", name="id")),
        ("n", {**column("string", type="VARCHAR", length="20", name="n", comment="a name"), "default": "x"}),
        ("p", column("double", type="DECIMAL", length="9", scale="2", name="P")),
    )
    two, row = envelope("p.shop.orders", *described), {"id": 1, "n": None, "p": 1.5}
    for config in ({}, {"schema.name.adjustment.mode": "avro"}):
        for op, after, before in (("c", row, None), ("u", row, row), ("d", None, row), ("t", None, None)):
            yield case("columns", "ExtractSchemaToNewRecord", config, text(two, event(op, after, before)))
        for value in (None, PLAIN, text(ROW_ENVELOPE, event("c", FIRST)), text(None, {"a": 1})):
            yield case("other", "ExtractSchemaToNewRecord", config, value)


def naming_transforms() -> Iterator[Case]:
    row = struct("r", ("orderId", INT32), ("Total2Pay", of("int32", optional=True, default=7)), ("a.b_c", TEXT),
                 ("inner", struct("i", ("innerName", INT32))))  # fmt: skip
    value = {"orderId": 1, "Total2Pay": None, "a.b_c": "x", "inner": {"innerName": 3}}
    columns = (("orderId", INT32), ("qty", of("int32", optional=True, default=5)))
    event_ = text(
        envelope("p.shop.orders", *columns), event("u", {"orderId": 2, "qty": None}, {"orderId": 2, "qty": 1})
    )
    key = text(struct("p.shop.orders.Key", ("orderId", INT32)), {"orderId": 7})
    given: list[Json] = [{}, {"prefix": "p_", "suffix": "_s"}]
    given += [{"style": style} for style in ("snake_case", "CAMEL_CASE", "upper_case", "lower_case", "default", "x")]
    for words in given:
        for transform, start in (("CollectionNameTransformation", "collection"), ("FieldNameTransformation", "column")):
            config = {f"{start}.naming.{name}": word for name, word in words.items()}
            for each in (text(row, value), event_, None, text(None, {"aB": 1}), text(STRING, "x")):
                made = case("naming", transform, config, each, key=key, topic="p.shopDb.order_Items2")
                yield {**made, "class": made["class"].replace("debezium.", "debezium.connector.jdbc.")}


SETS: dict[str, Callable[[], Iterator[Case]]] = {
    made.__name__: made
    for made in (
        extract_changed_record_state,
        partition_routing,
        header_to_value,
        schema_change_event_filter,
        timezone_converter,
        event_router,
        scripted_filter,
        content_based_router,
        small_transforms,
        geometry_transforms,
        vectors_and_columns,
        naming_transforms,
    )
}

_SCHEMA = re.compile(r'^\{"schema":(.*),"payload":', re.DOTALL)


def packed(lines: Iterable[str]) -> Iterator[str]:
    """What the recorder wrote, with each schema once: the first line lists them, `@3@` stands for the fourth."""
    schemas: dict[str, int] = {}

    def short(item: Any) -> Any:
        if isinstance(item, str) and (found := _SCHEMA.match(item)) and len(found[1]) > 100:
            at = schemas.setdefault(found[1], len(schemas))
            return f'{{"schema":@{at}@,"payload":{item[found.end() :]}'
        if isinstance(item, list):
            return [short(each) for each in item]
        return {name: short(each) for name, each in item.items()} if isinstance(item, dict) else item

    cases = [short(json.loads(line)) for line in lines if line.startswith('{"op"')]
    yield json.dumps({"schemas": list(schemas)}, ensure_ascii=False)
    for each in cases:
        for name in ("op", "key.converter", "value.converter", *(() if each.get("sink") else ("sink",))):
            each.pop(name, None)
        yield json.dumps(each, ensure_ascii=False)


if __name__ == "__main__":
    made = packed(sys.stdin) if sys.argv[1] == "pack" else map(json.dumps, SETS[sys.argv[1]]())
    sys.stdout.writelines(f"{line}\n" for line in made)
