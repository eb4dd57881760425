"""JSON Schema against what Confluent's JsonSchemaData made of the same values, and the converter with a registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from cdc.config import parse
from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import BYTES, INT32, INT64, OPTIONAL_STRING, STRING, Schema, Type, array, decimal, map_of, struct
from connect_compat.converters.draft import JsonSchemaConverter
from connect_compat.converters.draft_read import readable
from connect_compat.converters.draft_schema import DraftForm, draft_text
from connect_compat.converters.draft_types import parse_draft
from connect_compat.converters.draft_write import compile_writer
from tests.fake_registry import FakeRegistry, fake_registry
from tests.unit.connect_compat.converters.schema_cases import by_about, config_of, given, raw, shown

WRITTEN, READ = by_about("JSON", "json"), by_about("JSON", "schema")


def nothing(referred: str) -> None:
    return None


@pytest.mark.parametrize("about", WRITTEN)
def test_schema_and_bytes_are_those_of_confluent(about: str) -> None:
    for case in WRITTEN[about]:
        form = config_of(case, JsonSchemaConverter).form()
        schema, value = given(case)
        assert draft_text(schema, form) == case["schema"], case["config"]
        assert compile_writer(schema, form, b"")([value]) == [raw(case)], case["config"]


@pytest.mark.parametrize("about", READ)
def test_what_is_read_has_the_schema_and_value_of_confluent(about: str) -> None:
    for case in READ[about]:
        form = config_of(case, JsonSchemaConverter).form()
        if "back" not in case:
            with pytest.raises(ConversionError):
                readable(parse_draft(case["schema"], nothing), form)
        else:
            schema, read = readable(parse_draft(case["schema"], nothing), form)
            assert shown(schema, read(json.loads(raw(case), parse_float=Decimal))) == case["back"], case["config"]


VALUES = st.recursive(
    st.one_of(
        st.tuples(st.just(INT64), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(OPTIONAL_STRING), st.none() | st.text(st.characters(exclude_categories=["Cs"]))),
        st.tuples(st.just(BYTES), st.binary()),
        st.tuples(st.just(decimal(3)), st.integers(-(10**30), 10**30)),
        st.tuples(st.just(Schema(Type.FLOAT64)), st.floats(allow_nan=False, allow_infinity=False)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(
            lambda pairs: (struct(*((f"f{at}", schema) for at, (schema, _) in enumerate(pairs))),
                           tuple(value for _, value in pairs))
        ),
        inner.map(lambda pair: (array(pair[0]), [pair[1]] * 3)),
        inner.map(lambda pair: (map_of(STRING, pair[0]), {"k": pair[1]})),
        inner.map(lambda pair: (map_of(INT64, pair[0]), {5: pair[1]})),
    ),
    max_leaves=12,
)  # fmt: skip


@example(VALUES, st.booleans())
def test_any_value_is_read_as_written(pair: tuple[Schema, Any], numeric: bool) -> None:
    schema, value = pair
    form = DraftForm(numeric=numeric)
    (text,) = compile_writer(schema, form, b"")([NULL if value is None else value])
    assert text is not None
    there, read = readable(parse_draft(draft_text(schema, form), nothing), form)
    assert read(json.loads(text, parse_float=Decimal)) == value
    assert there == schema


ROW = struct(("id", INT32), ("note", OPTIONAL_STRING), name="shop.orders.Value")
ENUM = {"type": "object", "properties": {"c": {"$ref": "color.json"}}}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as fake:
        yield fake


def converter(fake: FakeRegistry, **config: str) -> JsonSchemaConverter:
    settings = {name.replace("_", "."): value for name, value in config.items()}
    declared = parse(JsonSchemaConverter.CONFIG, {"schema.registry.url": fake.url, **settings})
    return JsonSchemaConverter(declared, is_key=False)


def test_a_schema_is_registered_once_and_read_back_with_its_version(registry: FakeRegistry) -> None:
    out = converter(registry).encode("orders", ROW, [(1, "a"), None, (2, None)])
    assert out == [b'\0\0\0\0\1{"id":1,"note":"a"}', None, b'\0\0\0\0\1{"id":2,"note":null}']
    assert registry.asked == ["POST /subjects/orders-value/versions"]
    assert registry.schemas[1]["schemaType"] == "JSON"
    assert converter(registry).decode("orders", out) == [
        (ROW.with_(version=1), (1, "a")), (None, None), (ROW.with_(version=1), (2, None))
    ]  # fmt: skip


def test_a_null_under_its_schema_is_no_tombstone(registry: FakeRegistry) -> None:
    optional = ROW.with_(optional=True)
    out = converter(registry).encode("orders", optional, [NULL, None])
    assert out == [b"\0\0\0\0\1null", None]
    assert converter(registry).decode("orders", out)[0] == (optional.with_(version=1), NULL)


def test_schemas_that_others_refer_to_are_fetched(registry: FakeRegistry) -> None:
    registry.add("color", {"schema": '{"enum":["RED","BLUE"]}', "schemaType": "JSON"})
    reference = {"name": "color.json", "subject": "color", "version": 1}
    registry.add("t-value", {"schema": json.dumps(ENUM), "schemaType": "JSON", "references": [reference]})
    ((_, value),) = converter(registry).decode("t", [b'\0\0\0\0\2{"c":"RED"}'])
    assert value == ("RED",)
    with pytest.raises(ConversionError, match=r"refers to 'color\.json', which is no reference"):
        parse_draft(json.dumps(ENUM), nothing)


def test_the_kind_of_another_converter_is_named(registry: FakeRegistry) -> None:
    registry.add("t-value", {"schema": '"int"'})
    with pytest.raises(ConversionError, match="is AVRO, not JSON; use the converter for AVRO"):
        converter(registry).decode("t", [b"\0\0\0\0\1\2"])


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'{"a":1}', "JsonConverter"), (b"\0\0\0\0\1{", "not of schema 1"), (b"\0\0\0\0\1[]", "encoded as JSON objects")],
)
def test_what_is_not_of_the_schema_is_told(registry: FakeRegistry, data: bytes, words: str) -> None:
    registry.add("t-value", {"schema": draft_text(ROW, DraftForm()), "schemaType": "JSON"})
    with pytest.raises(ConversionError, match=words):
        converter(registry).decode("t", [data])


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (None, {"a": 1}, "has no schema"),
        (ROW, (None, "a"), "'id'"),
        (struct(("m", map_of(INT32, INT32)), name="R"), ({1: None},), "'m{}'"),
    ],
)
def test_what_cannot_be_written_is_named(registry: FakeRegistry, schema: Schema | None, value: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        converter(registry).encode("t", schema, [value])
