"""JsonConverter: the bytes of Kafka Connect 4.3.1, both ways."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cdc.json.shape
from cdc.config import parse
from cdc.errors import ConversionError
from cdc.java.numbers import float_text
from cdc.record import NULL
from cdc.schema import (
    BOOLEAN,
    BYTES,
    DATE,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    Field,
    Schema,
    Type,
    array,
    decimal,
    map_of,
    struct,
)
from connect_compat.converters.json import JsonConverter
from tests.twins import both

twin = both(cdc.json.shape)
GOLDEN = Path(__file__).parents[3] / "golden" / "json_converter"
EVENTS, TEXTS = (
    [json.loads(line) for line in (GOLDEN / name).read_text().rstrip("\n").split("\n")]
    for name in ("events.jsonl", "texts.jsonl")
)


def converter(**settings: str) -> JsonConverter:
    raw: dict[str, str | None] = {name.replace("_", "."): value for name, value in settings.items()}
    return JsonConverter(parse(JsonConverter.CONFIG, raw), is_key=False)


PLAIN = {"schemas_enable": "false"}


def encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["case"])
def test_recorded_events_read_and_written_again_are_the_same_bytes(event: dict[str, str | None]) -> None:
    with_schemas, without = converter(), converter(**PLAIN)
    for part in ("key", "value"):
        raw = encoded(event[part])
        ((schema, value),) = with_schemas.decode("t", [raw])
        assert with_schemas.encode("t", schema, [value]) == [raw]
        assert without.encode("t", schema, [value, value]) == [encoded(event[part + "_plain"])] * 2


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case["about"])
def test_what_kafka_connect_reads_and_writes_we_read_and_write(case: dict[str, Any]) -> None:
    read = JsonConverter(parse(JsonConverter.CONFIG, case["from"]), is_key=False)
    write = JsonConverter(parse(JsonConverter.CONFIG, case["to"]), is_key=False)
    raw = encoded(case["text"])
    if case["out"] is None and "error" in case:
        with pytest.raises(ConversionError):
            [write.encode("t", schema, [value]) for schema, value in read.decode("t", [raw])]
        return
    ((schema, value),) = read.decode("t", [raw])
    assert write.encode("t", schema, [value]) == [encoded(case["out"])]


LEAVES = st.sampled_from([Type.INT8, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64, Type.BOOLEAN, Type.STRING])
NAMES = st.text(min_size=1, max_size=5).filter(str.isprintable)


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Schema:
    optional = draw(st.booleans())
    kinds = ["leaf", "bytes", "decimal"] + (["array", "map", "pairs", "struct", "struct"] if depth else [])
    match draw(st.sampled_from(kinds)):
        case "bytes":
            return Schema(Type.BYTES, optional=optional)
        case "decimal":
            return decimal(draw(st.integers(0, 12)), optional=optional)
        case "array":
            return array(draw(schemas(depth=depth - 1)), optional=optional)
        case "map":
            return map_of(STRING, draw(schemas(depth=depth - 1)), optional=optional)
        case "pairs":
            return map_of(INT32, draw(schemas(depth=depth - 1)), optional=optional)
        case "struct":
            names = draw(st.lists(NAMES, max_size=5, unique=True))
            return Schema(
                Type.STRUCT,
                optional=optional,
                name=draw(st.none() | NAMES),
                version=draw(st.none() | st.integers(1, 9)),
                parameters=tuple(draw(st.dictionaries(NAMES, NAMES, max_size=2)).items()),
                fields=tuple(Field(name, draw(schemas(depth=depth - 1))) for name in names),
            )
    return Schema(draw(LEAVES), optional=optional)


INTEGERS = {Type.INT8: 7, Type.INT16: 15, Type.INT32: 31, Type.INT64: 63}


def values(schema: Schema) -> st.SearchStrategy[Any]:
    present = present_values(schema)
    return st.none() | present if schema.optional else present


def present_values(schema: Schema) -> st.SearchStrategy[Any]:
    match schema.type:
        case Type.STRUCT:
            return st.tuples(*(values(field.schema) for field in schema.fields))
        case Type.ARRAY if schema.items is not None:
            return st.lists(values(schema.items), max_size=3)
        case Type.MAP if schema.keys is not None and schema.items is not None:
            return st.dictionaries(present_values(schema.keys), values(schema.items), max_size=3)
        case Type.BYTES:
            return st.integers(-(10**30), 10**30) if schema.name else st.binary(max_size=9)
        case Type.FLOAT32:
            return st.floats(allow_nan=False, width=32).map(lambda single: float(float_text(single)))
        case Type.FLOAT64:
            return st.floats(allow_nan=False)
        case Type.BOOLEAN:
            return st.booleans()
        case Type.STRING:
            return st.text(max_size=9)
        case kind:
            bits = INTEGERS[kind]
            return st.integers(-(2**bits), 2**bits - 1)


@given(schemas(depth=3), st.data(), st.sampled_from(["BASE64", "NUMERIC"]))
def test_what_is_written_reads_back(schema: Schema, data: st.DataObject, decimals: str) -> None:
    given_values = data.draw(st.lists(values(schema), max_size=3))
    given_values = [NULL if value is None else value for value in given_values]
    both = converter(decimal_format=decimals)
    back = both.decode("t", both.encode("t", schema, given_values))
    assert back == [(schema, value) for value in given_values]


@given(schemas(depth=2), st.data())
def test_an_envelope_is_written_like_any_other_struct(row: Schema, data: st.DataObject) -> None:
    source = struct(("name", STRING), ("pos", INT64), ("row", INT32), ("thread", OPTIONAL_STRING))
    row = struct(("%a", row), name="v", optional=True)
    fields = (
        ("before", row),
        ("after", row),
        ("source", source),
        ("transaction", row),
        ("op", STRING),
        ("ts_ms", INT64),
    )
    envelope = struct(*fields, name="x.Envelope")
    batch = data.draw(st.lists(values(envelope), max_size=4))
    for settings_, named in (({}, 1), (PLAIN, 0)):
        each = converter(**settings_)
        as_struct = each.encode("t", envelope.with_(name="x.Struct"), batch)
        as_envelope = each.encode("t", envelope, batch)
        assert as_envelope == [
            text and text.replace(b'"name":"x.Struct"', b'"name":"x.Envelope"', named) for text in as_struct
        ], "alike but for the name, which stands in the schema, before any value"


def test_a_tombstone_is_no_bytes_and_a_null_under_a_schema_is_json_null() -> None:
    text = b'{"schema":{"type":"string","optional":true},"payload":null}'
    assert converter().encode("t", OPTIONAL_STRING, [None, NULL]) == [None, text]
    assert converter(**PLAIN).encode("t", OPTIONAL_STRING, [None, NULL]) == [None, b"null"]
    assert converter().decode("t", [None, text]) == [(None, None), (OPTIONAL_STRING, NULL)]


def test_not_a_number_reads_back() -> None:
    ((_, value),) = converter().decode("t", converter().encode("t", FLOAT64, [math.nan]))
    assert math.isnan(value)


def test_a_record_with_other_spaces_or_another_order_than_connect_writes_is_read() -> None:
    loose = [b'{ "payload": 1, "schema": {"type": "int64"} }', b'{"schema": {"type": "int64"}, "payload": 1}']
    raw = [loose[0], b'{"schema":{"type":"int64"},"payload":2}', *loose]
    assert converter().decode("t", raw) == [(INT64, 1), (INT64, 2), (INT64, 1), (INT64, 1)]


def test_a_change_of_schema_between_records_is_noticed() -> None:
    both = converter()
    texts = [
        text for schema, value in ((INT64, 1), (STRING, "a"), (INT64, 2)) for text in both.encode("t", schema, [value])
    ]
    assert both.decode("t", texts) == [(INT64, 1), (STRING, "a"), (INT64, 2)]


def test_a_third_member_after_a_known_schema_is_refused() -> None:
    good = b'{"schema":{"type":"int64"},"payload":1}'
    with pytest.raises(ConversionError, match=r"value\.converter\.schemas\.enable=false"):
        converter().decode("t", [good, b'{"schema":{"type":"int64"},"payload":1,"x":2}'])


def test_decimals_as_numbers_keep_every_digit() -> None:
    schema = struct(("d", decimal(20)))
    raw = (
        b'{"schema":{"type":"struct","fields":[{"type":"bytes","optional":false,'
        b'"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"20"},"field":"d"}],'
        b'"optional":false},"payload":{"d":1.12345678901234567890}}'
    )
    both = converter(decimal_format="numeric")
    assert both.decode("t", [raw]) == [(schema, (112345678901234567890,))]
    assert both.encode("t", schema, [(112345678901234567890,)]) == [raw]


def test_a_fixed_schema_reads_bare_payloads() -> None:
    fixed = converter(schema_content='{"type":"struct","fields":[{"type":"int32","field":"a"}]}')
    assert fixed.decode("t", [b'{"a":1}', None, b""]) == [(struct(("a", INT32)), (1,)), (None, None), (None, None)]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (struct(("id", INT32)), (None,), "field 'id' is null but required"),
        (struct(("id", INT32)), (1, 2), "has 2 members but its schema has 1"),
        (struct(("r", struct(("f", FLOAT64)))), (("x",),), "field 'r.f' is a str where FLOAT64 must stand"),
        (struct(("b", BYTES)), ("x",), "field 'b' is a str where BYTES must stand"),
        (struct(("f", FLOAT32)), ("x",), "field 'f' is a str where FLOAT32 must stand"),
        (array(STRING), ["a", None], r"field '\[1\]' is null but required"),
        (map_of(STRING, INT64), {"k": 2**64}, "does not fit 64 bits"),
        (STRING, "\ud83d", "half of a surrogate pair"),
        (BOOLEAN, NULL, "the value is null but required"),
    ],
)
def test_a_value_that_cannot_be_written_is_named_but_not_shown(schema: Schema, value: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words) as caught:
        converter().encode("orders", schema, [value])
    assert "'orders'" in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{a", "not JSON"),
        (b"\xff\xfe", "StringConverter"),
        (b'{"a":1}', r"set value\.converter\.schemas\.enable=false"),
        (b"", r"set value\.converter\.schemas\.enable=false"),
        (b'{"schema":{"type":"foo"},"payload":1}', "Unknown schema type: foo"),
        (b'{"schema":{"type":"bytes"},"payload":"!"}', "not base64"),
        (
            b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{"a":"x"}}',
            "field 'a': a str",
        ),
        (b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{}}', "required field 'a'"),
        (b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":[1]}', "a list where STRUCT"),
    ],
)
def test_bytes_that_cannot_be_read_are_refused_with_the_remedy(raw: bytes, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        converter().decode("t", [raw])


def test_a_key_is_told_to_set_the_key_converter() -> None:
    key = JsonConverter(parse(JsonConverter.CONFIG, {}), is_key=True)
    with pytest.raises(ConversionError, match=r"set key\.converter\.schemas\.enable=false"):
        key.decode("t", [b"1"])


def test_more_schemas_than_the_cache_holds_are_still_right() -> None:
    small = converter(schemas_cache_size="2")
    all_ = [struct((f"f{i}", INT32)) for i in range(5)]
    for _ in range(2):
        for schema in all_:
            assert small.decode("t", small.encode("t", schema, [(1,)])) == [(schema, (1,))]


def test_a_logical_name_alone_changes_nothing() -> None:
    schema = Schema(Type.INT32, name=DATE, version=1)
    assert converter(**PLAIN).encode("t", schema, [18000]) == [b"18000"]
