"""Cases for Protobuf and JSON Schema: Connect values to write, values of other writers to read; for `SchemaRecorder`.

CASES='python -m tests.golden.java.schema_cases'; $CASES | java -cp '.:LIBS/*' SchemaRecorder | $CASES pack
"""

# ruff: noqa: E501

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.golden.java.avro_cases import cases as avro_cases
from tests.golden.java.transform_cases import BYTES, INT32, INT64, STRING, TEXT, Json, of, struct, text

Case = tuple[str, str, dict[str, str]]

OPTIONAL = {"optional.for.nullables": "true"}
NUMERIC = {"decimal.format": "NUMERIC", "object.additional.properties": "false"}
GENERAL = {"use.optional.for.nonrequired": "true", "generalized.sum.type.support": "true"}
WRAPPED = {"wrapper.for.nullables": "true"}
PROTOBUF = "io.confluent.connect.protobuf"
JSON = "io.confluent.connect.json"
COLOR = {
    f"{PROTOBUF}.Enum": "Color", f"{PROTOBUF}.Enum.RED": "0", f"{PROTOBUF}.Enum.BLUE": "4",
    f"{PROTOBUF}.Tag": "3",
}  # fmt: skip
ONE_OF = struct(
    f"{PROTOBUF}.Union.choice",
    ("number", of("int32", optional=True, parameters={f"{PROTOBUF}.Tag": "1"})),
    ("word", of("string", optional=True, parameters={f"{PROTOBUF}.Tag": "2"})),
    optional=True,
)
EITHER = struct(
    f"{JSON}.OneOf",
    (f"{JSON}.OneOf.field.0", TEXT),
    (f"{JSON}.OneOf.field.1", of("int32", optional=True)),
    (f"{JSON}.OneOf.field.2", struct("in.Side", ("a", INT32), optional=True)),
    optional=True,
)


def values() -> Iterator[tuple[str, str]]:
    """Those of the Avro cases that ask for no setting, and each of their fields alone."""
    for about, value, config in avro_cases():
        if not config:
            yield about, value
        if not config and about.startswith("all"):
            whole = json.loads(value)
            for field in whole["schema"]["fields"]:
                name = field["field"]
                schema = {"type": "struct", "fields": [field], "optional": False, "name": "one.field.Only"}
                yield f"{about} {name}", text(schema, {name: whole["payload"][name]})
    zeros: Any = {"i": 0, "l": 0, "f": 0.0, "d": 0.0, "b": False, "s": "", "y": "", "n": -0.5}
    kinds = {"i": "int32", "l": "int64", "f": "float", "d": "double", "b": "boolean", "s": "string", "y": "bytes",
             "n": "double"}  # fmt: skip
    for optional in (False, True):
        yield "zeros", text(struct("z.Z", *((k, of(v, optional=optional)) for k, v in kinds.items())), zeros)
    yield (
        "sizes",
        text(
            struct("s.S", *((f"f{i}", INT64) for i in range(20))),
            {f"f{i}": (-1) ** i * 2 ** (3 * i) for i in range(20)},
        ),
    )
    yield "long text", text(struct("s.T", ("s", STRING), ("y", BYTES)), {"s": "é" * 9000, "y": "QUJD" * 100})
    lists = [
        (f"l{at}", {"type": "array", "items": of(kind), "optional": True}) for at, kind in enumerate(kinds.values())
    ]
    yield (
        "lists",
        text(
            struct("s.L", *lists),
            dict(
                zip(
                    (name for name, _ in lists),
                    ([0, 1, -1], [2**60, 0], [0.0, 1.5], [-0.5, 2.5], [True, False], ["", "a"], ["", "QQ=="], []),
                    strict=True,
                )
            ),
        ),
    )
    yield (
        "odd names",
        text(struct("a-b.c d.1x", ("x-y", INT32), ("_u", TEXT), ("é", TEXT)), {"x-y": 1, "_u": "a", "é": "b"}),
    )
    yield (
        "nested same name",
        text(
            struct("n.Outer", ("Inner", struct("n.Inner", ("a", INT32))), ("b", struct("m.Inner", ("a", INT32)))),
            {"Inner": {"a": 1}, "b": {"a": 2}},
        ),
    )
    yield (
        "unnamed",
        text(
            struct(
                None,
                ("a", struct(None, ("b", struct(None, ("c", INT32))))),
                ("m", {"type": "map", "keys": STRING, "values": INT32, "optional": False}),
            ),
            {"a": {"b": {"c": 3}}, "m": {}},
        ),
    )
    yield (
        "map of structs",
        text(
            struct(
                "m.M",
                (
                    "by_name",
                    {
                        "type": "map",
                        "keys": STRING,
                        "values": struct("m.V", ("a", INT32)),
                        "optional": True,
                        "name": "some_map",
                    },
                ),
            ),
            {"by_name": {f"key{i}": {"a": i} for i in range(20)}},
        ),
    )
    decimals = struct("d.D", *(
        (f"d{scale}".replace("-", "m"), of("bytes", optional=True, name="org.apache.kafka.connect.data.Decimal", version=1,
             parameters={"scale": str(scale), **more}))
        for scale, more in ((0, {}), (2, {}), (-3, {}), (20, {"connect.decimal.precision": "38"}))))  # fmt: skip
    for raw in ("AA==", "AQ==", "/w==", "fwAAAAAAAAAAAAAB"):
        yield "decimals", text(decimals, {field["field"]: raw for field in decimals["fields"]})
    days = struct("d.T", ("d", of("int32", name="org.apache.kafka.connect.data.Date", version=1)),
                  ("t", of("int32", name="org.apache.kafka.connect.data.Time", version=1)),
                  ("s", of("int64", name="org.apache.kafka.connect.data.Timestamp", version=1)))  # fmt: skip
    for d, t, s in (
        (0, 0, 0),
        (-1, 3_723_004, -1),
        (19000, 86_399_999, 1_700_000_000_123),
        (-719162, 60_000, -62135596800000),
    ):
        yield "moments", text(days, {"d": d, "t": t, "s": s})
    yield (
        "defaults that are defaults",
        text(
            struct(
                "f.F",
                ("q", of("int32", optional=True, default=5)),
                ("z", of("int32", default=5)),
                ("s", of("string", default="x")),
            ),
            {"q": 5, "z": 0, "s": ""},
        ),
    )


def full(value: str) -> str:
    """Without the nulls in lists, of which Protobuf has none."""
    return value.replace('["a",null,', '["a",').replace("[1,null,-3]", "[1,-3]")


def written() -> Iterator[tuple[str, Case]]:
    for about, value in values():
        alone = about.startswith("all ") and about != "all 2"
        settings = ({},) if alone else ({}, OPTIONAL, WRAPPED)
        yield from (("PROTOBUF", (about, full(value), config)) for config in settings)
        if full(value) != value and not alone:
            yield "PROTOBUF", (f"{about}, null in a list", value, {})
        settings = ({},) if alone else ({}, NUMERIC, GENERAL)
        yield from (("JSON", (about, value, config)) for config in settings)
    many = [
        (about, value)
        for about, value in values()
        if about in ("create", "odd names", "all", "zeros", "nested same name")
    ]
    for about, value in many:
        for name in ("enhanced.protobuf.schema.support", "scrub.invalid.names", "generate.struct.for.nulls",
                     "ignore.default.for.nullables", "flatten.unions"):  # fmt: skip
            yield "PROTOBUF", (about, full(value), {name: "true"})
        yield "JSON", (about, value, {"ignore.default.for.nullables": "true"})
    colors = text(
        struct("e.E", ("c", of("string", name="Color", parameters=COLOR)), ("n", INT32)), {"c": "BLUE", "n": 1}
    )
    numbers = text(struct("e.E", ("c", of("int32", name="Color", parameters=COLOR)), ("n", INT32)), {"c": 4, "n": 1})
    yield "PROTOBUF", ("enum", colors, {})
    yield "PROTOBUF", ("enum", colors, OPTIONAL)
    yield "PROTOBUF", ("enum", numbers, {"int.for.enums": "true"})
    for config in ({}, OPTIONAL, {"flatten.unions": "true"}, {"generate.index.for.unions": "false"}):
        for chosen in ({"number": 0}, {"word": "w"}, None):
            value = text(struct("u.U", ("choice", ONE_OF), ("n", of("int32", parameters={f"{PROTOBUF}.Tag": "9"}))), {
                "choice": chosen, "n": 3})  # fmt: skip
            yield "PROTOBUF", ("oneof", value, config)
    for which, inner in ((0, "x"), (1, 5), (2, {"a": 7})):
        union = {f"{JSON}.OneOf.field.{which}": inner}
        yield "JSON", ("either", text(struct("u.U", ("e", EITHER), ("n", INT32)), {"e": union, "n": 1}), {})
    more = of(
        "string", name="n.E", doc="d", version=2, default="A", parameters={f"{JSON}.Enum": "", f"{JSON}.Enum.A": "A"}
    )
    yield "JSON", ("enum", text(struct("e.E", ("c", more)), {"c": "A"}), {})
    described = struct(
        "in.Side",
        ("a", INT32),
        ("b", of("boolean", doc="bd", version=1, name="b.B")),
        doc="d",
        version=7,
        parameters={"x": "y"},
    )
    listed = {
        "type": "array",
        "items": INT32,
        "optional": False,
        "name": "l.L",
        "version": 2,
        "doc": "ld",
        "default": [1, 2],
    }
    mapped = {
        "type": "map",
        "keys": STRING,
        "values": INT32,
        "optional": False,
        "name": "m.M",
        "doc": "md",
        "default": {"k": 1},
    }
    yield (
        "JSON",
        (
            "described",
            text(
                struct("d.D", ("s", described), ("l", listed), ("m", mapped)),
                {"s": {"a": 1, "b": True}, "l": [], "m": {}},
            ),
            {},
        ),
    )
    letters = {f"{JSON}.Enum": "", f"{JSON}.Enum.A": "A", f"{JSON}.Enum.B": "B"}
    yield (
        "JSON",
        (
            "enum",
            text(
                struct(
                    "e.E",
                    ("c", of("string", parameters=letters)),
                    ("o", of("string", optional=True, parameters=letters)),
                ),
                {"c": "A", "o": None},
            ),
            {},
        ),
    )
    for kind in ("int32", "int64", "float", "double", "boolean", "string", "bytes"):
        empty: Any = {"string": "", "bytes": "", "boolean": False}.get(kind, 0)
        yield "PROTOBUF", ("wrapped alone", text(of(kind), empty), {"wrapper.for.raw.primitives": "false"})
        yield "PROTOBUF", ("alone", text(of(kind, optional=True), empty), {})


def b64(*parts: Any) -> str:
    return base64.b64encode(b"".join(bytes([p]) if isinstance(p, int) else p for p in parts)).decode()


MESSAGES: tuple[tuple[str, str], ...] = (
    ('syntax = "proto3";\nmessage A {\n  sint32 a = 1;\n  sint64 b = 2;\n  uint32 c = 3;\n  uint64 d = 4;\n  fixed32 e = 5;\n  fixed64 f = 6;\n  sfixed32 g = 7;\n  sfixed64 h = 8;\n}\n',
     b64(0, 8, 3, 16, 3, 24, 255, 255, 255, 255, 15, 32, *[255] * 9, 1, 45, 255, 255, 255, 255, 49, *[255] * 8, 61, *[255] * 4, 65, *[255] * 8)),
    ('syntax = "proto3";\npackage p.q;\n// a comment\nmessage A {\n  int32 a = 1; /* b */\n  repeated int32 r = 2;\n  repeated string s = 3;\n  map<string, int32> m = 4;\n  oneof o {\n    int32 x = 5;\n    string y = 6;\n  }\n  optional int32 z = 7;\n  E e = 8;\n  enum E {\n    ZERO = 0;\n    ONE = 1;\n    MINUS = -1;\n  }\n}\n',
     b64(0, 18, 2, 1, 2, 16, 3, 26, 1, b"a", 34, 5, 10, 1, b"k", 16, 9, 50, 1, b"y", 56, 0, 64, 1)),
    ('syntax = "proto3";\nmessage A {\n  int32 a = 1;\n}\nmessage B {\n  A a = 1;\n  .A b = 2;\n  C c = 3;\n  message C {\n    repeated .A d = 1;\n    A x = 2;\n  }\n}\n',
     b64(2, 2, 10, 2, 8, 5, 18, 0)),
    ('syntax = "proto3";\nmessage B {\n  message C {\n    int32 v = 1;\n  }\n  C c = 1;\n}\n', b64(4, 0, 0, 8, 5)),
    ('syntax = "proto2";\nmessage A {\n  required int32 a = 1;\n  optional string b = 2 [default = "x\\"y"];\n  optional E e = 3 [default = TWO];\n  repeated int32 r = 4 [packed = true];\n  enum E {\n    option allow_alias = true;\n    ONE = 1;\n    TWO = 2;\n    DEUX = 2;\n  }\n  reserved 10 to 12, 15;\n  reserved "foo";\n  extensions 100 to max;\n}\n',
     b64(0, 8, 7, 34, 2, 1, 2)),
    ('syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\nimport "google/protobuf/wrappers.proto";\nimport "google/type/date.proto";\nimport "google/type/timeofday.proto";\nimport "confluent/type/decimal.proto";\nimport "confluent/meta.proto";\noption java_package = "x.y";\nmessage A {\n  google.protobuf.Timestamp t = 1;\n  google.protobuf.StringValue s = 2;\n  google.type.Date d = 3;\n  google.type.TimeOfDay o = 4;\n  confluent.type.Decimal n = 5 [(confluent.field_meta) = {\n    params: [\n      {\n        value: "10",\n        key: "precision"\n      },\n      {\n        value: "2",\n        key: "scale"\n      }\n    ]\n  }];\n  int32 tiny = 6 [deprecated = true, (confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];\n}\n',
     b64(0, 10, 4, 8, 5, 16, 1, 18, 2, 10, 0, 26, 7, 8, 228, 15, 16, 2, 24, 3, 34, 4, 8, 1, 16, 2, 42, 7, 10, 1, 5, 16, 1, 24, 2, 48, 9)),
    ('syntax = "proto3";\nmessage A {\n  int32 a = 1;\n  service_type b = 2;\n  message service_type {\n    bytes b = 1;\n  }\n}\nservice S {\n  rpc Get (A) returns (stream A) {\n    option deprecated = true;\n  }\n}\n', b64(0, 18, 3, 10, 1, 9, 120, 1)),
    ('syntax = "proto3";\nmessage R {\n  string v = 1;\n  R next = 2;\n}\n', b64(0, 10, 1, b"a")),
)  # fmt: skip

SCHEMAS: tuple[tuple[str, Any], ...] = (
    ('{"type":"object","title":"T","properties":{"a":{"type":"integer"},"b":{"type":"number"},"c":{"type":"string"},"d":{"type":"boolean"}}}', {"a": 1, "b": 1.5, "c": "x", "d": True}),
    ('{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":["string","null"]}},"required":["a"]}', {"a": 5, "b": None}),
    ('{"type":"object","properties":{"a":{"oneOf":[{"type":"null"},{"type":"integer"}]},"b":{"anyOf":[{"type":"string"},{"type":"integer"}]}}}', {"a": None, "b": 4}),
    ('{"type":"object","properties":{"e":{"enum":["x","y"]},"f":{"type":"string","enum":["p"]},"g":{"const":"k"}}}', {"e": "x", "f": "p", "g": "k"}),
    ('{"type":"object","properties":{"l":{"type":"array","items":{"type":"integer"}},"m":{"type":"object","additionalProperties":{"type":"string"}}}}', {"l": [1, 2], "m": {}}),
    ('{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"string"},"connect.type":"map"}}}', {"m": {"k": "v"}}),
    ('{"$defs":{"P":{"type":"object","title":"P","properties":{"x":{"type":"integer","connect.type":"int32"}}}},"type":"object","properties":{"p":{"$ref":"#/$defs/P"},"q":{"$ref":"#/$defs/P"}}}', {"p": {"x": 1}, "q": {"x": 2}}),
    ('{"definitions":{"P":{"type":"object","properties":{"x":{"type":"integer"}}}},"allOf":[{"$ref":"#/definitions/P"},{"type":"object","properties":{"y":{"type":"string"}}}]}', {"x": 1, "y": "z"}),
    ('{"type":"object","description":"doc","properties":{"a":{"type":"integer","default":7},"b":{"type":"string","default":"dd","connect.version":3,"connect.parameters":{"k":"v"},"title":"n.B"}}}', {"b": "q"}),
    ('{"type":"object","properties":{"z":{"type":"integer","connect.index":1},"a":{"type":"string","connect.index":0}}}', {"z": 1, "a": "s"}),
    ('{"type":"string"}', "x"), ('{"type":"integer"}', 12), ('{"type":"number"}', 0.1), ('{"type":"array","items":{"type":"string"}}', ["a"]),
    ('{"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://example.com/a.json","type":"object","properties":{"n":{"type":"number","minimum":0},"t":{"type":"string","format":"date-time"}}}', {"n": 3, "t": "x"}),
    ('{"oneOf":[{"type":"null"},{"type":"object","title":"O","properties":{"a":{"type":"integer"}}}]}', {"a": 1}),
    ('{"oneOf":[{"type":"string"}]}', "s"),
    ('{"type":"object","properties":{"u":{"oneOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}},{"type":"string"}]}}}', {"u": {"a": 1, "b": 2}}),
    ('{"type":["string","integer"]}', 5),
    ('{"type":"object","properties":{"b":{"type":"string","connect.type":"bytes"},"d":{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.parameters":{"scale":"2"}}}}', {"b": "AQI=", "d": 12.34}),
    ('{"type":"object","properties":{"a":{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}}}}}}', {"a": [{"key": 1, "value": "x"}]}),
    ('{"properties":{"a":{"type":"integer"}}}', {"a": 1}),
    ('{"type":"object","properties":{"a":{}}}', {"a": 1}),
    ('true', 1),
)  # fmt: skip


def read() -> Iterator[Json]:
    for schema, raw in MESSAGES:
        for config in ({}, OPTIONAL, WRAPPED, {"enhanced.protobuf.schema.support": "true"}, {"int.for.enums": "true"},
                       {"generate.struct.for.nulls": "true"}, {"flatten.unions": "true"}, {"optional.for.proto2": "false"},
                       {"generalized.sum.type.support": "true", "generate.index.for.unions": "false"}):  # fmt: skip
            yield {"kind": "PROTOBUF", "config": config, "schema": schema, "bytes": raw}
    for schema, value in SCHEMAS:
        for config in ({}, {"use.optional.for.nonrequired": "true"}, {"generalized.sum.type.support": "true"},
                       {"flatten.singleton.unions": "false"}):  # fmt: skip
            raw = base64.b64encode(json.dumps(value).encode()).decode()
            yield {"kind": "JSON", "config": config, "schema": schema, "bytes": raw}


def usable(line: str) -> bool:
    """Not what only JsonConverter, which shows the values read, could not write."""
    error = json.loads(line).get("error", "")
    return not error.startswith(("DataException: Invalid value", "DataException: Conversion error", "NumberFormat"))


if sys.argv[1:] == ["pack"]:
    sys.stdout.writelines(line for line in sys.stdin if line.startswith("{") and usable(line))
elif __name__ == "__main__":
    for kind, (about, value, config) in written():
        line = {"kind": kind, "about": about, "json": value, "config": config}
        sys.stdout.write(f"{json.dumps(line, ensure_ascii=False)}\n")
    sys.stdout.writelines(f"{json.dumps(line, ensure_ascii=False)}\n" for line in read())
