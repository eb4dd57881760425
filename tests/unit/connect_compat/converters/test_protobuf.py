"""Protobuf against what Confluent's ProtobufData made of the same values, and the converter with a registry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from cdc.config import parse
from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import BYTES, INT32, INT64, OPTIONAL_STRING, STRING, Schema, Type, array, map_of, struct
from connect_compat.converters.proto_bytes import calendar_day, day_number, number, read_zigzag, zigzag
from connect_compat.converters.proto_files import parse_file
from connect_compat.converters.proto_read import readable
from connect_compat.converters.proto_runtime import message_class
from connect_compat.converters.proto_schema import ProtoForm, proto_text
from connect_compat.converters.proto_text import parse_proto, unquoted
from connect_compat.converters.proto_write import compile_writer
from connect_compat.converters.protobuf import ProtobufConverter
from tests.fake_registry import FakeRegistry, fake_registry
from tests.unit.connect_compat.converters.schema_cases import by_about, config_of, given, raw, shown

WRITTEN, READ = by_about("PROTOBUF", "json"), by_about("PROTOBUF", "schema")


def nothing(imported: str) -> None:
    return None


def written(schema: Schema, value: Any, form: ProtoForm) -> tuple[str, bytes]:
    """The text of the schema, and the value behind the places of its message."""
    made = proto_text(schema, form)
    parsed = parse_file(made.text, nothing)
    places = parsed.indexes(made.message)
    before = b"\0" if places == (0,) else zigzag(len(places)) + b"".join(map(zigzag, places))
    return made.text, before + compile_writer(schema, parsed.at(places), form)(value)


def read(text: str, data: bytes, form: ProtoForm) -> tuple[Schema, Any]:
    parsed = parse_file(text, nothing)
    count, at = read_zigzag(data, 0)
    places = []
    for _ in range(count):
        place, at = read_zigzag(data, at)
        places.append(place)
    descriptor = parsed.at(tuple(places) or (0,))
    schema, value = readable(descriptor, parsed.params, form)
    return schema, value(message_class(descriptor).FromString(data[at:]))


@pytest.mark.parametrize("about", WRITTEN)
def test_schema_and_bytes_are_those_of_confluent(about: str) -> None:
    for case in WRITTEN[about]:
        form = config_of(case, ProtobufConverter).form()
        schema, value = given(case)
        if "bytes" not in case:
            with pytest.raises(ConversionError):
                written(schema, value, form)
        else:
            assert written(schema, value, form) == (case["schema"], raw(case)), case["config"]


@pytest.mark.parametrize("about", READ)
def test_what_is_read_has_the_schema_and_value_of_confluent(about: str) -> None:
    for case in READ[about]:
        form = config_of(case, ProtobufConverter).form()
        if "back" not in case:
            with pytest.raises(ConversionError, match="holds itself"):
                read(case["schema"], raw(case), form)
        else:
            assert shown(*read(case["schema"], raw(case), form)) == case["back"], case["config"]


@example(st.integers(-(2**63), 2**63 - 1))
def test_every_number_is_read_as_written(value: int) -> None:
    assert read_zigzag(data := zigzag(value), 0) == (value, len(data))
    assert len(number(value)) == (10 if value < 0 else max((value.bit_length() + 6) // 7, 1))


@example(st.integers(-719_000, 2_900_000))
def test_every_day_has_one_date(days: int) -> None:
    assert day_number(*calendar_day(days)) == days


@example(st.text(max_size=30))
def test_any_text_is_a_schema_or_told_to_be_none(text: str) -> None:
    try:
        parse_proto(text, "x")
    except ConversionError as error:
        assert "Protobuf" in str(error)


def test_escapes_in_texts_are_read() -> None:
    assert unquoted(r'"a\"\n\101\x41é\\"') == 'a"\nAAé\\'


FIELDS = st.recursive(
    st.one_of(
        st.tuples(st.just(INT64), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(INT32), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.just(STRING), st.text(st.characters(exclude_categories=["Cs"]))),
        st.tuples(st.just(BYTES), st.binary()),
        st.tuples(st.just(Schema(Type.FLOAT64)), st.floats(allow_nan=False)),
        st.tuples(st.just(Schema(Type.BOOLEAN)), st.booleans()),
        st.tuples(st.just(array(INT64)), st.lists(st.integers(-(2**63), 2**63 - 1))),
        st.tuples(st.just(map_of(STRING, INT32)), st.dictionaries(st.text("abc"), st.integers(0, 9))),
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(
        lambda pairs: (struct(*((f"f{at}", schema) for at, (schema, _) in enumerate(pairs))),
                       tuple(value for _, value in pairs))
    ),
    max_leaves=12,
)  # fmt: skip


@example(FIELDS)
def test_any_value_is_read_as_written(pair: tuple[Schema, Any]) -> None:
    schema, value = struct(("only", pair[0]), name="a.B"), (pair[1],)
    text, data = written(schema, value, ProtoForm())
    assert read(text, data, ProtoForm())[1] == value


ROW = struct(("id", INT32), ("note", OPTIONAL_STRING), name="shop.orders.Value")
TEXT = 'syntax = "proto3";\npackage shop.orders;\n\nmessage Value {\n  int32 id = 1;\n  string note = 2;\n}\n'


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as fake:
        yield fake


def converter(fake: FakeRegistry, **config: str) -> ProtobufConverter:
    settings = {name.replace("_", "."): value for name, value in config.items()}
    declared = parse(ProtobufConverter.CONFIG, {"schema.registry.url": fake.url, **settings})
    return ProtobufConverter(declared, is_key=False)


def test_a_schema_is_registered_once_and_read_back_with_its_version(registry: FakeRegistry) -> None:
    protobuf = converter(registry)
    out = protobuf.encode("orders", ROW, [(1, "a"), None, NULL, (2, None)])
    assert out == [b"\0\0\0\0\1\0\x08\1\x12\1a", None, None, b"\0\0\0\0\1\0\x08\2"]
    protobuf.encode("orders", ROW, [(3, "c")])
    assert registry.asked == ["POST /subjects/orders-value/versions"]
    assert registry.schemas[1] == {"schema": TEXT, "schemaType": "PROTOBUF"}
    (schema, value), (none, tombstone) = converter(registry).decode("orders", out[:2])
    assert (value, none, tombstone) == ((1, "a"), None, None)
    assert schema is not None and (schema.name, schema.version) == ("Value", 1)


def test_the_newest_schema_of_the_subject_has_the_last_word(registry: FakeRegistry) -> None:
    newest = TEXT.replace("note = 2", "note = 7")
    registry.add("orders-value", {"schema": newest, "schemaType": "PROTOBUF"})
    protobuf = converter(registry, auto_register_schemas="false", use_latest_version="true")
    assert protobuf.encode("orders", ROW, [(1, "a")]) == [b"\0\0\0\0\1\0\x08\1\x3a\1a"]


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [("RecordNameStrategy", "shop.orders.Value"), ("TopicRecordNameStrategy", "orders-shop.orders.Value")],
)
def test_subjects_are_named_by_the_strategy(registry: FakeRegistry, strategy: str, subject: str) -> None:
    named = f"io.confluent.kafka.serializers.subject.{strategy}"
    out = converter(registry, value_subject_name_strategy=named).encode("orders", ROW, [(1, "a")])
    assert [*registry.subjects] == [subject]
    ((schema, _),) = converter(registry, value_subject_name_strategy=named).decode("orders", out)
    assert schema is not None and schema.version == 1


def test_schemas_that_others_import_are_fetched(registry: FakeRegistry) -> None:
    inner = 'syntax = "proto3";\npackage a;\nmessage Inner {\n  int32 x = 1;\n}\n'
    registry.add("inner", {"schema": inner, "schemaType": "PROTOBUF"})
    outer = 'syntax = "proto3";\nimport "a/inner.proto";\nmessage Outer {\n  a.Inner in = 1;\n}\n'
    reference = {"name": "a/inner.proto", "subject": "inner", "version": 1}
    registry.add("t-value", {"schema": outer, "schemaType": "PROTOBUF", "references": [reference]})
    ((_, value),) = converter(registry).decode("t", [b"\0\0\0\0\2\0\x0a\2\x08\3"])
    assert value == ((3,),)
    with pytest.raises(ConversionError, match=r"imports 'b\.proto', which is no reference"):
        parse_file('syntax = "proto3";\nimport "b.proto";\nmessage A {}', nothing)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'{"a":1}', "JsonConverter"), (b"\0\0\0\0\7\0", "has no schema 7"), (b"\0\0\0\0\1\0\x0a\5", "no message"),
     (b"\0\0\0\0\1\2\x0c", "has no message at"), (b"\0\0\0\0\1", "not of schema 1")],
)  # fmt: skip
def test_what_is_no_protobuf_is_told(registry: FakeRegistry, data: bytes, words: str) -> None:
    registry.add("t-value", {"schema": TEXT, "schemaType": "PROTOBUF"})
    with pytest.raises(ConversionError, match=words):
        converter(registry).decode("t", [data])


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (None, {"a": 1}, "has no schema"),
        (ROW, (None, "a"), "'id'"),
        (ROW, ("x", "a"), "'id'"),
        (struct(("a-b", INT32), name="R"), (1,), "scrub.invalid.names"),
        (struct(("a", array(OPTIONAL_STRING)), name="R"), (["x", None],), "holds a null"),
        (array(INT32), [1], "no ARRAY as a whole value"),
    ],
)
def test_what_cannot_be_written_is_named(registry: FakeRegistry, schema: Schema | None, value: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        converter(registry).encode("t", schema, [value])


def test_without_its_runtime_the_extra_is_named_and_all_else_works() -> None:
    code = (
        "import sys; sys.modules['google.protobuf'] = None\n"
        "from connect_compat.plugins import Kind, Plugins\n"
        "plugin = Plugins().get('ProtobufConverter', Kind.CONVERTER); assert plugin.settings()\n"
        "from cdc.config import parse\n"
        "try: plugin.load()(parse(plugin.config_class(), {'schema.registry.url': 'http://x'}), False)\n"
        "except ImportError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.endswith("pip install 'tailrace[protobuf]'\n")


EDITION = """edition = "2023";
package shop;
option features.field_presence = IMPLICIT;
option java_package = "x";
message Row {
  option features.enum_type = OPEN;
  int32 id = 1;
  string note = 2 [features.field_presence = EXPLICIT];
  repeated int32 xs = 3 [features = { repeated_field_encoding: EXPANDED }];
  repeated int32 ys = 4;
  oneof rest { option features.(pb.java).x = Y; int32 a = 5; }
}
"""


def test_schemas_of_an_edition_are_read_and_written_by(registry: FakeRegistry) -> None:
    registry.add("t-value", {"schema": EDITION, "schemaType": "PROTOBUF"})
    row = struct(("id", INT32), ("note", OPTIONAL_STRING), ("xs", array(INT32)), ("ys", array(INT32)), name="shop.Row")
    newest = converter(registry, auto_register_schemas="false", use_latest_version="true")
    out = newest.encode("t", row, [(0, "", [1, 2], [1, 2]), (3, None, [], [])])
    assert out == [b"\0\0\0\0\1\0\x12\0\x18\1\x18\2\x22\2\1\2", b"\0\0\0\0\1\0\x08\3"]
    (_, first), (schema, second) = converter(registry).decode("t", out)
    assert (first, second) == ((None, 0, "", [1, 2], [1, 2]), (None, 3, None, [], []))
    assert schema is not None and schema.name == "Row"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('edition = "2099";\nmessage A {}', r"schema 1 of subject 't-value': .* edition '2099', and .* are 2023"),
        ('edition = "2023";\nmessage A { int32 a = 1 [features.field_presence = X]; }',
         r"schema 1 of subject 't-value': .* field_presence to 'X'; its values are .*EXPLICIT, IMPLICIT"),
    ],
)  # fmt: skip
def test_an_edition_that_cannot_be_read_is_told_with_subject_and_id(
    registry: FakeRegistry, text: str, words: str
) -> None:
    registry.add("t-value", {"schema": text, "schemaType": "PROTOBUF"})
    with pytest.raises(ConversionError, match=words):
        converter(registry).decode("t", [b"\0\0\0\0\1\0"])


def test_groups_are_not_written(registry: FakeRegistry) -> None:
    text = 'edition = "2023";\nmessage R { message In { int32 x = 1; }\n'
    text += "In in = 1 [features.message_encoding = DELIMITED]; }"
    registry.add("t-value", {"schema": text, "schemaType": "PROTOBUF"})
    newest = converter(registry, auto_register_schemas="false", use_latest_version="true")
    with pytest.raises(ConversionError, match="'in' is a group"):
        newest.encode("t", struct(("in", struct(("x", INT32))), name="R"), [((1,),)])
