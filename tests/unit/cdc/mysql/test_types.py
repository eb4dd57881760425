"""Schemas of columns that no recorded case has: modes, synonyms, geometry, propagated types."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.errors import DecodeError
from cdc.mysql.types import GEOMETRY, POINT, TypeOptions, field_schema
from cdc.schema import BOOLEAN, BYTES, FLOAT32, FLOAT64, INT16, INT32, INT64, STRING, Schema, Type, array
from cdc.table import Column, TableId, any_of
from tests.unit.cdc.mysql.row_images import column

TABLE = TableId("db", "t")


def schema(type_name: str, options: TypeOptions | None = None, **attributes: Any) -> Schema:
    described = column("c", type_name, 0, **({"optional": False} | attributes)).column
    return field_schema(described, options or TypeOptions(), TABLE)


@pytest.mark.parametrize(
    ("type_name", "expected"),
    [
        ("INT1", INT16), ("INT2", INT16), ("INT2 UNSIGNED", INT32), ("INT3 UNSIGNED", INT32), ("MIDDLEINT", INT32),
        ("INTEGER UNSIGNED", INT32), ("INT4", INT32), ("INT8", INT64), ("SERIAL", INT64), ("INT ZEROFILL", INT64),
        ("FLOAT", FLOAT32), ("FLOAT UNSIGNED", FLOAT32), ("DOUBLE PRECISION", FLOAT64), ("BOOL", BOOLEAN),
        ("LONGTEXT", STRING), ("LONGBLOB", BYTES), ("POINT", POINT), ("MULTIPOLYGON", GEOMETRY),
        ("GEOMCOLLECTION", GEOMETRY), ("VECTOR", array(FLOAT32, name="io.debezium.data.FloatVector", version=1)),
    ],
)  # fmt: skip
def test_types_and_their_synonyms(type_name: str, expected: Schema) -> None:
    assert schema(type_name) == expected


@pytest.mark.parametrize(
    ("jdbc_type", "expected"), [(12, STRING), (-15, STRING), (2005, STRING), (-4, BYTES), (7, FLOAT32), (16, BOOLEAN)]
)
def test_other_synonyms_go_by_their_jdbc_type(jdbc_type: int, expected: Schema) -> None:
    described = Column(
        name="c", position=1, type_name="A SYNONYM", type_expression="", jdbc_type=jdbc_type, optional=False
    )
    assert field_schema(described, TypeOptions()) == expected


def test_long_floats_and_those_with_decimals_are_double() -> None:
    assert [schema("FLOAT", length=length) for length in (24, 25)] == [FLOAT32, FLOAT64]
    assert schema("FLOAT", length=7, scale=3) == FLOAT64


@pytest.mark.parametrize(
    ("mode", "types"),
    [
        ("adaptive_time_microseconds", ["time.Date", "time.MicroTime", "time.Timestamp", "time.MicroTimestamp"]),
        ("microseconds", ["time.Date", "time.MicroTime", "time.MicroTimestamp", "time.MicroTimestamp"]),
        ("nanoseconds", ["time.Date", "time.NanoTime", "time.NanoTimestamp", "time.NanoTimestamp"]),
        ("isostring", ["time.IsoDate", "time.IsoTime", "time.IsoTimestamp", "time.IsoTimestamp"]),
    ],
)
def test_time_precision_modes(mode: str, types: list[str]) -> None:
    options = TypeOptions(time_precision=mode)
    found = [schema("DATE", options), schema("TIME", options, length=6)]
    found += [schema("DATETIME", options, length=length) for length in (3, 6)]
    assert [(s.name, s.version) for s in found] == [(f"io.debezium.{name}", 1) for name in types]
    assert {s.type for s in found} <= ({Type.STRING} if mode == "isostring" else {Type.INT32, Type.INT64})
    zoned = schema("TIMESTAMP", options)
    assert (zoned.type, zoned.name) == (Type.STRING, "io.debezium.time.ZonedTimestamp")


def test_geometries_are_optional_even_where_null_is_not_possible() -> None:
    assert schema("GEOMETRY").optional
    assert not schema("POINT").optional


def test_a_comment_documents_the_field() -> None:
    assert schema("INT", comment="how many").doc == "how many"
    assert schema("POINT").doc == "Geometry (POINT)"


def test_source_types_are_propagated_where_asked_for() -> None:
    expected = (
        ("scale", "2"), ("connect.decimal.precision", "5"),
        ("__debezium.source.column.type", "DECIMAL UNSIGNED"), ("__debezium.source.column.length", "5"),
        ("__debezium.source.column.scale", "2"), ("__debezium.source.column.comment", "price"),
        ("__debezium.source.column.name", "c"),
    )  # fmt: skip
    attributes: dict[str, Any] = {"length": 5, "scale": 2, "comment": "price"}
    by_name = TypeOptions(propagate=any_of([r"db\.t\.c"]))
    by_type = TypeOptions(propagate_types=any_of([r".+\.DECIMAL UNSIGNED"]))
    assert schema("DECIMAL UNSIGNED", by_name, **attributes).parameters == expected
    assert schema("DECIMAL UNSIGNED", by_type, **attributes).parameters == expected
    assert schema("INT", TypeOptions(propagate=any_of([r"db\.t\.d"]))).parameters == ()
    assert schema("INT", by_name).parameters == (
        ("__debezium.source.column.type", "INT"), ("__debezium.source.column.name", "c"),
    )  # fmt: skip


def test_an_unknown_type_says_how_to_leave_the_column_out() -> None:
    with pytest.raises(DecodeError, match=r"'c' has the type 'HYPERCUBE'.*column\.exclude\.list"):
        schema("HYPERCUBE")
