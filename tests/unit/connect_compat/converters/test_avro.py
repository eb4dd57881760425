"""Avro against what Confluent's AvroData made of the same values, and the converter with a registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cdc.avro.shape
from cdc.avro.bytes import number, read_number
from cdc.avro.schema import AvroForm, avro_text
from cdc.avro.shape import compile_shape
from cdc.avro.types import parse_avro
from cdc.avro.write import compile_writer
from cdc.config import parse
from cdc.errors import ConversionError, LogUnavailable
from cdc.record import NULL
from cdc.schema import BYTES, INT32, INT64, OPTIONAL_INT32, OPTIONAL_STRING, STRING, Schema, Type, struct
from connect_compat.converters.avro import AvroConverter
from connect_compat.converters.avro_read import Reading, readable
from connect_compat.converters.json import JsonConverter
from tests.fake_registry import FakeRegistry, fake_registry
from tests.twins import both

twin = both(cdc.avro.shape)

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "golden" / "avro" / "cases.jsonl").read_text().split("\n")
    if line
]
JSON = JsonConverter(parse(JsonConverter.CONFIG, {"replace.null.with.default": "false"}), is_key=False)
WRITTEN = [case for case in CASES if "json" in case]


def form(config: dict[str, str]) -> AvroForm:
    return AvroForm(
        enhanced=config.get("enhanced.avro.schema.support") == "true",
        metadata=config.get("connect.meta.data") != "false",
        scrub=config.get("scrub.invalid.names") == "true",
    )


def name(case: dict[str, Any]) -> str:
    return f"{case.get('about') or case['avro']}-{case['config']}"


@pytest.mark.parametrize("case", WRITTEN, ids=name)
def test_schema_and_bytes_are_those_of_confluent(case: dict[str, Any]) -> None:
    ((schema, value),) = JSON.decode("t", [case["json"].encode()])
    assert schema is not None
    text = avro_text(schema, form(case["config"]))
    assert text == case["avro"]
    write = compile_writer(schema, parse_avro(text), form(case["config"]))
    bare, expected = None if value is NULL else value, base64.b64decode(case["bytes"])
    assert write(bare) == expected
    shape = compile_shape(schema, parse_avro(text), form(case["config"]))
    if shape is not None and bare is not None:
        assert shape.rows(b"<", [bare], b">") == [b"<" + expected + b">"]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_read_has_the_schema_and_value_of_confluent(case: dict[str, Any]) -> None:
    settings = form(case["config"])
    schema, read = readable(parse_avro(case["avro"]), Reading(settings.enhanced, settings.metadata))
    value, end = read(raw := base64.b64decode(case["bytes"]), 0)
    assert end == len(raw)
    (text,) = JSON.encode("t", schema, [NULL if value is None else value])
    assert text is not None
    assert text.decode() == case["back"]


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_long_is_read_as_written(value: int) -> None:
    raw = number(value)
    assert read_number(raw, 0) == (value, len(raw))


ROW = struct(("id", INT32), ("note", OPTIONAL_STRING), name="shop.orders.Value")
WIDER = struct(("id", INT32), ("note", OPTIONAL_STRING), ("qty", INT32), name="shop.orders.Value")


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as fake:
        yield fake


def converter(fake: FakeRegistry, **config: str) -> AvroConverter:
    settings = {name.replace("_", "."): value for name, value in config.items()}
    return AvroConverter(parse(AvroConverter.CONFIG, {"schema.registry.url": fake.url, **settings}), is_key=False)


def test_a_schema_is_registered_once_and_read_back_with_its_version(registry: FakeRegistry) -> None:
    avro = converter(registry)
    raw = avro.encode("orders", ROW, [(1, "a"), None, NULL, (2, None)])
    assert [each is None for each in raw] == [False, True, True, False]
    assert raw[0] == b"\0\0\0\0\1" + b"\2\2\2a"
    assert avro.encode("orders", ROW, [(3, "c")]) == [b"\0\0\0\0\1" + b"\6\2\2c"]
    assert registry.asked == ["POST /subjects/orders-value/versions"]
    (schema, value), (none, tombstone) = converter(registry).decode("orders", raw[:2])
    assert (value, none, tombstone) == ((1, "a"), None, None)
    assert schema == ROW.with_(version=1)


def test_a_schema_that_does_not_fit_is_explained_and_nothing_is_written(registry: FakeRegistry) -> None:
    avro = converter(registry)
    avro.encode("orders", ROW, [(1, "a")])
    with pytest.raises(ConversionError, match=r"orders-value.*READER_FIELD_MISSING_DEFAULT_VALUE at qty.*/config/"):
        avro.encode("orders", WIDER, [(1, "a", 2)])
    assert avro.encode("orders", ROW, [(1, "a")])


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [
        ("TopicNameStrategy", "orders-value"), ("RecordNameStrategy", "shop.orders.Value"),
        ("TopicRecordNameStrategy", "orders-shop.orders.Value"),
    ],
)  # fmt: skip
def test_subjects_are_named_by_the_strategy(registry: FakeRegistry, strategy: str, subject: str) -> None:
    named = f"io.confluent.kafka.serializers.subject.{strategy}"
    converter(registry, value_subject_name_strategy=named).encode("orders", ROW, [(1, "a")])
    assert [*registry.subjects] == [subject]


def test_without_registering_the_schema_must_be_there(registry: FakeRegistry) -> None:
    avro = converter(registry, auto_register_schemas="false")
    with pytest.raises(ConversionError, match=r"auto\.register\.schemas is false; register it: \{"):
        avro.encode("orders", ROW, [(1, "a")])
    registry.add("orders-value", {"schema": avro_text(ROW, AvroForm())})
    assert avro.encode("orders", ROW, [(1, "a")]) == [b"\0\0\0\0\1\2\2\2a"]


def test_the_newest_schema_of_the_subject_orders_and_completes_the_fields(registry: FakeRegistry) -> None:
    fields = [{"name": "extra", "type": "string", "default": "x"}, {"name": "note", "type": ["string", "null"]},
              {"name": "id", "type": "long"}]  # fmt: skip
    registry.add("orders-value", {"schema": json.dumps({"type": "record", "name": "R", "fields": fields})})
    avro = converter(registry, auto_register_schemas="false", use_latest_version="true")
    assert avro.encode("orders", ROW, [(1, None)]) == [b"\0\0\0\0\1\2x\2\2"]


def test_schemas_that_others_refer_to_are_fetched(registry: FakeRegistry) -> None:
    inner = {"type": "record", "name": "Inner", "namespace": "a", "fields": [{"name": "x", "type": "int"}]}
    registry.add("inner", {"schema": json.dumps(inner)})
    outer = {"type": "record", "name": "Outer", "fields": [{"name": "in", "type": "a.Inner"}]}
    reference = {"name": "a.Inner", "subject": "inner", "version": 1}
    number_ = registry.add("t-value", {"schema": json.dumps(outer), "references": [reference]})
    ((schema, value),) = converter(registry).decode("t", [b"\0" + number_.to_bytes(4, "big") + b"\6"])
    assert value == ((3,),)
    assert schema is not None and schema.fields[0].schema.name == "a.Inner"


UNION = {
    "type": "record", "name": "R", "doc": "of R", "fields": [
        {"name": "u", "type": ["null", "int", {"type": "record", "name": "a.In", "fields": []}], "doc": "of u"},
        {"name": "e", "type": {"type": "enum", "name": "a.E", "symbols": ["X", "Y"], "doc": "of E"}, "doc": "of e"},
        {"name": "n", "type": "int", "default": 5},
    ],
}  # fmt: skip


def test_enums_and_unions_go_by_the_names_of_all_converters_when_asked_for() -> None:
    schema, read = readable(parse_avro(json.dumps(UNION)), Reading(general=True))
    union, enum, _ = (each.schema for each in schema.fields)
    name = "connect_union_0"
    assert (union.name, union.optional) == (name, True)
    assert union.parameters == (("org.apache.kafka.connect.data.Union", name),)
    assert [f.name for f in union.fields] == ["connect_union_field_1", "connect_union_field_2"]
    general = "org.apache.kafka.connect.data.Enum"
    assert dict(enum.parameters).items() >= {general: "a.E", f"{general}.X": "0", f"{general}.Y": "1"}.items()
    assert read(b"\2\6\2\0", 0) == (((3, None), "Y", 0), 4)
    written = avro_text(struct(("e", enum), name="R"), AvroForm(general=True, metadata=False))
    made = json.loads(written)["fields"][0]["type"]
    assert made == {"type": "enum", "name": "E", "namespace": "a", "symbols": ["X", "Y"], "doc": "of E"}
    assert compile_writer(struct(("e", enum), name="R"), parse_avro(written), AvroForm(general=True))(("Y",)) == b"\2"


def test_docs_are_those_of_fields_when_those_of_types_are_discarded() -> None:
    schema, _ = readable(parse_avro(json.dumps(UNION)), Reading(discard=True))
    union, enum, number_ = (each.schema for each in schema.fields)
    assert (schema.doc, union.doc, enum.doc) == ("of R", "of u", "of e")
    assert schema.parameters == (("connect.record.doc", "of R"),)
    assert ("connect.enum.doc", "of E") in enum.parameters
    assert (number_.default, number_.parameters) == (5, ())
    text = avro_text(struct(("a", INT32.with_(doc="of a")), name="R", parameters=schema.parameters),
                     AvroForm(discard=True))  # fmt: skip
    made = json.loads(text)
    assert (made["doc"], made["fields"][0]["doc"]) == ("of R", "of a")


def test_bytes_alone_stand_without_a_length(registry: FakeRegistry) -> None:
    avro = converter(registry)
    raw = avro.encode("t", BYTES, [b"ab"])
    assert raw == [b"\0\0\0\0\1ab"]
    assert [value for _, value in avro.decode("t", raw)] == [b"ab"]


def test_a_registry_that_is_away_is_an_outage(registry: FakeRegistry) -> None:
    registry.status = 503
    with pytest.raises(LogUnavailable, match="busy or failing: 503"):
        converter(registry).encode("t", ROW, [(1, "a")])
    registry.status = 200
    gone = AvroConverter(parse(AvroConverter.CONFIG, {"schema.registry.url": "http://127.0.0.1:9"}), is_key=False)
    with pytest.raises(LogUnavailable, match=r"http://127\.0\.0\.1:9 does not answer"):
        gone.encode("t", ROW, [(1, "a")])
    both = AvroConverter(
        parse(AvroConverter.CONFIG, {"schema.registry.url": f"http://127.0.0.1:9,{registry.url}"}), is_key=False
    )
    assert both.encode("t", ROW, [(1, "a")])


def test_user_and_token_are_sent(registry: FakeRegistry) -> None:
    converter(
        registry, basic_auth_credentials_source="USER_INFO", basic_auth_user_info="ann:secret"
    ).encode("t", ROW, [(1, "a")])  # fmt: skip
    assert registry.headers["Authorization"] == "Basic " + base64.b64encode(b"ann:secret").decode()
    converter(registry, bearer_auth_token="tok").encode("t", ROW, [(1, "a")])
    assert registry.headers["Authorization"] == "Bearer tok"


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b'{"a":1}', "JsonConverter"), (b"\0\0\0\0\7x", "has no schema 7"), (b"\0\0\0\0\1", "bytes are not of schema 1")],
)
def test_what_is_no_avro_is_told(registry: FakeRegistry, raw: bytes, words: str) -> None:
    registry.add("t-value", {"schema": avro_text(ROW, AvroForm())})
    with pytest.raises(ConversionError, match=words):
        converter(registry).decode("t", [raw])


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (None, {"a": 1}, "has no schema"),
        (ROW, (None, "a"), "'id'"),
        (ROW, ("x", "a"), "'id'"),
        (struct(("a-b", INT32), name="R"), (1,), "scrub.invalid.names"),
        (struct(("a", INT64), name="R"), (2**70,), "'a'"),
    ],
)
def test_what_cannot_be_written_names_the_field(
    registry: FakeRegistry, schema: Schema | None, value: Any, words: str
) -> None:
    with pytest.raises(ConversionError, match=words):
        converter(registry).encode("t", schema, [value])


VALUES = st.recursive(
    st.one_of(
        st.tuples(st.just(INT64), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(OPTIONAL_INT32), st.none() | st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.just(STRING), st.text(st.characters(exclude_categories=["Cs"]))),
        st.tuples(st.just(BYTES), st.binary()),
        st.tuples(st.just(Schema(Type.FLOAT64)), st.floats(allow_nan=False)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(
            lambda pairs: (struct(*((f"f{at}", schema) for at, (schema, _) in enumerate(pairs))),
                           tuple(value for _, value in pairs))
        ),
        inner.map(lambda pair: (Schema(Type.ARRAY, items=pair[0]), [pair[1]] * 3)),
        inner.map(lambda pair: (Schema(Type.MAP, keys=STRING, items=pair[0]), {"k": pair[1]})),
    ),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_any_value_is_read_as_written(pair: tuple[Schema, Any]) -> None:
    schema, value = pair
    avro = parse_avro(avro_text(schema, AvroForm()))
    raw = compile_writer(schema, avro, AvroForm())(value)
    made = readable(avro, Reading())
    assert made.read(raw, 0) == (value, len(raw))
    assert made.schema == schema
