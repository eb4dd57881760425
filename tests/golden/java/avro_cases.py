"""Cases for Avro: Connect values to write, Avro values to read; what `AvroRecorder.java` is to run, one a line.

python -m tests.golden.java.avro_cases | java -cp '.:LIBS/*' AvroRecorder | python -m tests.golden.java.avro_cases pack
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tests.golden.java.transform_cases import (
    INT32,
    INT64,
    MOMENTS,
    OUTBOX_ENVELOPE,
    STRING,
    TEXT,
    TIMES,
    envelope,
    event,
    events,
    of,
    outbox,
    struct,
    text,
    times,
)

OURS, APICURIO = "io.confluent.connect.avro", "io.apicurio.registry.utils.converter.avro"


def cases() -> Iterator[tuple[str, str, dict[str, str]]]:
    for about, v in events():
        if v:
            yield about, v, {}
    schema = envelope("p.shop.orders", *TIMES)
    yield "times", text(schema, event("u", times(*MOMENTS[1]), times(*MOMENTS[2]))), {}
    yield "outbox", text(OUTBOX_ENVELOPE, event("c", outbox(), None)), {}
    kinds: Any = (
        ("i8", of("int8")),
        ("i16", of("int16", optional=True)),
        ("i32", of("int32", default=7)),
        ("i64", of("int64", optional=True, default=8)),
        ("f", of("float", default=0.1)),
        ("d", of("double", optional=True, default=1e10)),
        ("b", of("boolean", default=True)),
        ("s", of("string", default='x"\u00fc')),
        ("by", of("bytes", default="AQL/")),
        (
            "dec",
            of(
                "bytes",
                name="org.apache.kafka.connect.data.Decimal",
                version=1,
                parameters={"scale": "3", "connect.decimal.precision": "10"},
            ),
        ),
        (
            "dec2",
            of(
                "bytes",
                optional=True,
                name="org.apache.kafka.connect.data.Decimal",
                version=1,
                parameters={"scale": "-2"},
            ),
        ),
        (
            "decd",
            of(
                "bytes",
                optional=True,
                name="org.apache.kafka.connect.data.Decimal",
                version=1,
                parameters={"scale": "2"},
                default="AQI=",
            ),
        ),
        ("date", of("int32", name="org.apache.kafka.connect.data.Date", version=1)),
        ("time", of("int32", optional=True, name="org.apache.kafka.connect.data.Time", version=1)),
        ("ts", of("int64", optional=True, name="org.apache.kafka.connect.data.Timestamp", version=1, default=5)),
        ("arr", {"type": "array", "items": of("int32", optional=True), "optional": False}),
        ("map", {"type": "map", "keys": STRING, "values": of("string", optional=True), "optional": True}),
        ("map2", {"type": "map", "keys": INT32, "values": TEXT, "optional": False}),
        ("map3", {"type": "map", "keys": TEXT, "values": INT64, "optional": True, "name": "my.Map"}),
        ("st", struct("inner.One", ("a", INT32))),
        ("st2", struct("inner.One", ("a", INT32), optional=True)),
        ("noname", struct(None, ("z", TEXT))),
        ("noname2", struct(None, ("y", TEXT), optional=True)),
        ("en", of("string", name="io.debezium.data.Enum", version=1, parameters={"allowed": "a,b"}, default="a")),
        ("doc", of("string", optional=True, doc="a doc", version=3, name="x.Y")),
        ("arrst", {"type": "array", "items": struct("inner.Two", ("q", INT32)), "optional": True}),
    )
    row: dict[str, Any] = {
        "i8": -5,
        "i16": None,
        "i32": 70000,
        "i64": None,
        "f": 1.5,
        "d": None,
        "b": False,
        "s": "y",
        "by": "AA==",
        "dec": "AQI=",
        "dec2": None,
        "decd": None,
        "date": 5,
        "time": None,
        "ts": None,
        "arr": [1, None, -3],
        "map": {"k1": "v"},
        "map2": [[1, "a"], [2, None]],
        "map3": {"q": 6, "r": 7},
        "st": {"a": 1},
        "st2": None,
        "noname": {"z": None},
        "noname2": {"y": "h"},
        "en": "b",
        "doc": None,
        "arrst": [{"q": 9}],
    }
    allv = text(struct("my.space.All", *kinds, version=4, doc="top"), row)
    row2 = {
        **row,
        "i16": 3,
        "i64": 2**62,
        "d": 0.5,
        "dec2": "/w==",
        "decd": "AA==",
        "time": 86399999,
        "ts": -1,
        "map": None,
        "map3": None,
        "st2": {"a": -(2**31)},
        "noname": {"z": "é😀"},
        "doc": "d",
        "arrst": None,
        "arr": [],
    }
    for c in ({}, {"connect.meta.data": "false"}, {"enhanced.avro.schema.support": "true"}):
        yield "all", allv, c
        yield "all 2", text(struct("my.space.All", *kinds, version=4, doc="top"), row2), c
    plain: Any = (
        (INT32, 5),
        (TEXT, "x"),
        (STRING, "é"),
        (INT64, -(2**63)),
        (of("double"), 1.5),
        (of("boolean"), True),
        (of("bytes", optional=True), "AQI="),
        ({"type": "array", "items": STRING, "optional": False}, ["a"]),
        (of("string", name="a.b"), "q"),
        (of("int64", name="io.debezium.time.MicroTimestamp", version=1), 5),
    )
    for s, v in plain:
        yield "plain", text(s, v), {}
    yield (
        "no namespace",
        text(
            struct("Top", ("in", struct("Inner", ("a", INT32))), ("x", struct("ns.Other", ("a", INT32)))),
            {"in": {"a": 1}, "x": {"a": 2}},
        ),
        {},
    )
    en = {
        "io.confluent.connect.avro.Enum": "my.Color",
        "io.confluent.connect.avro.Enum.RED": "RED",
        "io.confluent.connect.avro.Enum.BLUE": "BLUE",
    }
    yield (
        "enum",
        text(
            struct(
                "e.E",
                ("c", of("string", parameters=en, name="my.Color")),
                ("o", of("string", optional=True, parameters=en, name="my.Color")),
            ),
            {"c": "RED", "o": "BLUE"},
        ),
        {"enhanced.avro.schema.support": "true"},
    )
    yield "optional top", text(struct("o.T", ("a", INT32), optional=True), {"a": 1}), {}


def readers() -> Iterator[tuple[str, str, dict[str, str]]]:
    def w(*b: int) -> str:
        return base64.b64encode(bytes(b)).decode()

    R = '{"type":"record","name":"R","namespace":"n","fields":[%s]}'
    for f, b in (
        ('{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null,"doc":"fd"}', w(2, 0)),
        ('{"name":"a","type":{"type":"enum","name":"E","symbols":["X","Y"],"doc":"ed","default":"X"}}', w(2)),
        ('{"name":"a","type":["int","string"]}', w(2, 2, 97)),
        ('{"name":"a","type":["null","int","string"]}', w(2, 4)),
        ('{"name":"a","type":{"type":"fixed","name":"F","size":2}}', w(1, 2)),
        ('{"name":"a","type":{"type":"long","logicalType":"timestamp-micros"}}', w(4)),
        ('{"name":"a","type":{"type":"long","logicalType":"timestamp-millis"}}', w(4)),
        ('{"name":"a","type":{"type":"string","logicalType":"uuid"}}', w(2, 97)),
        ('{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}}', w(2, 5)),
        ('{"name":"a","type":{"type":"int","logicalType":"date"},"default":3}', w(4)),
        ('{"name":"a","type":{"type":"map","values":"long"},"default":{"k":1}}', w(0)),
        ('{"name":"a","type":"string","default":"d"},{"name":"b","type":"bytes","default":"\\u00ff"}', w(2, 97, 2, 1)),
        ('{"name":"a","type":{"type":"array","items":"int"},"default":[1]}', w(0)),
        ('{"name":"a","type":["int","null"],"default":4}', w(2)),
        (
            '{"name":"a","type":{"type":"record","name":"S","fields":[{"name":"x","type":"int"}]}},{"name":"b","type":["null","S"]}',
            w(2, 2, 4),
        ),
        (
            '{"name":"a","type":"double","default":1.5},{"name":"f","type":"float","default":0.1}',
            w(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        ),
    ):
        for c in ({}, {"connect.meta.data": "false"}, {"enhanced.avro.schema.support": "true"}):
            yield R % f, b, c
    for s, b in (
        ('"int"', w(2)),
        ('"string"', w(2, 97)),
        ('["null","string"]', w(2, 2, 97)),
        ('{"type":"record","name":"T","doc":"td","fields":[]}', w()),
    ):
        yield s, b, {}


def packed(lines: Iterable[str]) -> Iterator[str]:
    """What the recorder wrote, with the namespace that Confluent's class has."""
    for line in lines:
        if line.startswith("{"):
            yield json.dumps(json.loads(line.replace(APICURIO, OURS)), ensure_ascii=False)


def made() -> Iterator[str]:
    for about, value, config in cases():
        yield json.dumps({"about": about, "json": value, "config": config}, ensure_ascii=False)
    for schema, raw, config in readers():
        yield json.dumps({"avro": schema, "bytes": raw, "config": config}, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in (packed(sys.stdin) if sys.argv[1:] == ["pack"] else made()))
