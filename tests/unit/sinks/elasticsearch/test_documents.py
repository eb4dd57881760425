"""Documents and mappings as Confluent's sink writes them."""

import math

import orjson
import pytest

from cdc.record import NULL
from cdc.schema import (
    BYTES,
    DATE,
    DECIMAL,
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
    decimal_text,
    map_of,
    struct,
)  # fmt: skip
from sinks.elasticsearch.documents import document
from sinks.elasticsearch.mapping import mapping

ROW = struct(
    ("id", INT32),
    ("name", OPTIONAL_STRING),
    ("price", decimal(2)),
    ("day", Schema(Type.INT32, name=DATE, version=1)),
    ("raw", BYTES),
    ("tags", array(STRING)),
    ("limits", map_of(STRING, decimal(1))),
    ("inner", struct(("x", FLOAT64), optional=True)),
    ("size", Schema(Type.STRING, optional=True, default="M")),
)
VALUE = (7, None, -1999, 10, b"\x00\xff", ["a"], {"low": 15}, (1.5,), None)


def written(ignore_schema: bool, compact_maps: bool = True) -> object:
    return orjson.loads(document(ROW, ignore_schema, compact_maps)(VALUE))


def test_with_its_schema_a_decimal_is_a_double_and_a_date_milliseconds() -> None:
    assert written(ignore_schema=False) == {
        "id": 7, "name": None, "price": -19.99, "day": 864_000_000, "raw": "AP8=", "tags": ["a"],
        "limits": {"low": 1.5}, "inner": {"x": 1.5}, "size": "M",
    }  # fmt: skip


def test_without_its_schema_a_decimal_keeps_every_digit_and_a_date_its_days() -> None:
    exact = struct(("d", decimal(20)), ("day", Schema(Type.INT32, name=DATE, version=1)))
    assert document(exact, True, True)((-1, 10)) == b'{"d":-0.00000000000000000001,"day":10}'


def test_maps_become_lists_of_entries_when_they_are_not_compacted() -> None:
    document_of = orjson.loads(document(ROW, False, False)(VALUE))
    assert document_of["limits"] == [{"key": "low", "value": 1.5}]


def test_a_null_struct_stays_null() -> None:
    row = struct(("inner", struct(("x", decimal(0)), optional=True)))
    assert document(row, False, True)((None,)) == b'{"inner":null}'
    assert document(row, False, True)(NULL) == b"null"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (STRING, {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}),
        (Schema(Type.INT8), {"type": "byte"}),
        (INT64, {"type": "long"}),
        (Schema(Type.INT64, name=TIMESTAMP, version=1), {"type": "date"}),
        (decimal(4), {"type": "double"}),
        (BYTES, {"type": "binary"}),
        (array(INT32), {"type": "integer"}),
        (Schema(Type.INT32, optional=True, default=5), {"type": "integer", "null_value": 5}),
        (Schema(Type.INT32, name=DATE, version=1, default=10), {"type": "date", "null_value": 864_000_000}),
        (
            Schema(Type.BYTES, name=DECIMAL, parameters=(("scale", "2"),), default=-1999),
            {"type": "double", "null_value": -19.99},
        ),
        (struct(("a", INT32)), {"properties": {"a": {"type": "integer"}}}),
        (map_of(STRING, INT32), {"properties": {}}),
    ],
)
def test_each_type_has_its_mapping(schema: Schema, expected: object) -> None:
    assert mapping(schema, compact_maps=True) == expected


def test_every_decimal_is_the_nearest_double() -> None:
    for unscaled, scale in ((1, 1), (123456789012345678901234567890, 20), (-7, 3), (25, -2)):
        text = document(struct(("d", decimal(scale))), False, True)((unscaled,))
        assert orjson.loads(text) == {"d": float(decimal_text(unscaled, scale))}


def test_maps_without_their_schema_are_written_as_connect_writes_them() -> None:
    row = struct(("m", map_of(INT32, STRING)), ("n", map_of(STRING, INT32)))
    assert document(row, True, False)(({1: "a"}, {"x": 2})) == b'{"m":[[1,"a"]],"n":{"x":2}}'
    assert document(row, False, True)(({1: "a"}, {"x": 2})) == b'{"m":[{"key":1,"value":"a"}],"n":{"x":2}}'


def test_numbers_that_json_does_not_have_are_text() -> None:
    row = struct(("x", FLOAT64), ("xs", array(FLOAT64)))
    values = (math.nan, [math.inf, -math.inf, 0.5])
    assert document(row, False, True)(values) == b'{"x":"NaN","xs":["Infinity","-Infinity",0.5]}'
