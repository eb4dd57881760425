"""Column types of every kind of field in every database, and what stands in the statement for its values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.connector import SinkConnector
from cdc.schema import (
    BOOLEAN,
    BYTES,
    DATE,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
    map_of,
    struct,
)  # fmt: skip
from sinks.jdbc import confluent, debezium, values
from sinks.jdbc.columns import Target, column
from sinks.jdbc.connector import CONFLUENT, DEBEZIUM
from sinks.jdbc.kinds import Extensions
from sinks.jdbc.rows import COPY, MYSQL, Place, text_writer, tuple_writer

DATABASES = ("mysql", "postgresql", "sqlserver", "oracle", "sqlite")


def target(
    database: str, declared: SinkConnector = CONFLUENT, extensions: Extensions | None = None, **raw: str
) -> Target:
    base = {"connection.url": "jdbc:sqlite:x", "connection.username": "u"} | {
        name.replace("_", "."): value for name, value in raw.items()
    }
    settings = confluent.settings(base)[1] if declared is CONFLUENT else debezium.settings(base, database)[1]
    return Target(database, extensions or Extensions(), settings)


def named(type: Type, name: str, **parameters: str) -> Schema:
    return Schema(type, name=name, version=1, parameters=tuple(parameters.items()))


TIMES, DATA = "io.debezium.time.", "io.debezium.data."
CONFLUENT_TYPES: list[tuple[Schema, tuple[str, ...]]] = [
    (INT8, ("TINYINT", "SMALLINT", "tinyint", "NUMBER(3,0)", "INTEGER")),
    (INT16, ("SMALLINT", "SMALLINT", "smallint", "NUMBER(5,0)", "INTEGER")),
    (INT32, ("INT", "INT", "int", "NUMBER(10,0)", "INTEGER")),
    (INT64, ("BIGINT", "BIGINT", "bigint", "NUMBER(19,0)", "INTEGER")),
    (FLOAT32, ("FLOAT", "REAL", "real", "BINARY_FLOAT", "REAL")),
    (FLOAT64, ("DOUBLE", "DOUBLE PRECISION", "float", "BINARY_DOUBLE", "REAL")),
    (BOOLEAN, ("TINYINT", "BOOLEAN", "bit", "NUMBER(1,0)", "INTEGER")),
    (STRING, ("TEXT", "TEXT", "varchar(max)", "VARCHAR2(4000)", "TEXT")),
    (BYTES, ("VARBINARY(1024)", "BYTEA", "varbinary(max)", "BLOB", "BLOB")),
    (decimal(3), ("DECIMAL(65,3)", "DECIMAL", "decimal(38,3)", "NUMBER(*,3)", "NUMERIC")),
    (named(Type.INT32, DATE), ("DATE", "DATE", "date", "DATE", "NUMERIC")),
    (named(Type.INT32, TIME), ("TIME(3)", "TIME", "time", "DATE", "NUMERIC")),
    (named(Type.INT64, TIMESTAMP), ("DATETIME(3)", "TIMESTAMP", "datetime2", "TIMESTAMP", "NUMERIC")),
    (array(INT32), ("JSON", "INT[]", "nvarchar(max)", "CLOB", "TEXT")),
    (array(array(STRING)), ("JSON", "TEXT[]", "nvarchar(max)", "CLOB", "TEXT")),
    (map_of(STRING, STRING), ("JSON", "JSON", "nvarchar(max)", "CLOB", "TEXT")),
    (named(Type.INT64, TIMES + "MicroTimestamp"),
     ("DATETIME(6)", "TIMESTAMP", "datetime2(6)", "TIMESTAMP(6)", "TEXT")),
    (named(Type.STRING, TIMES + "ZonedTimestamp"),
     ("DATETIME(6)", "TIMESTAMPTZ", "datetimeoffset", "TIMESTAMP(6) WITH TIME ZONE", "TEXT")),
    (named(Type.BYTES, DATA + "Bits", length="12"), ("BIT(12)", "BIT(12)", "varbinary(max)", "BLOB", "BLOB")),
    (named(Type.BYTES, DATA + "Bits", length="99"), ("LONGBLOB", "BIT(99)", "varbinary(max)", "BLOB", "BLOB")),
    (named(Type.STRING, DATA + "Uuid"), ("CHAR(36)", "UUID", "uniqueidentifier", "VARCHAR2(36)", "TEXT")),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "types"), CONFLUENT_TYPES, ids=lambda each: getattr(each, "name", None))
def test_each_kind_has_its_type_in_each_database(schema: Schema, types: tuple[str, ...]) -> None:
    assert tuple(column("c", schema, target(name), field="c").type for name in DATABASES) == types


@pytest.mark.parametrize(
    ("database", "schema", "keys", "expected"),
    [
        ("mysql", STRING, 1, "VARCHAR(255)"), ("mysql", STRING, 4, "VARCHAR(191)"),
        ("mysql", BYTES, 1, "VARBINARY(255)"),
        ("mysql", named(Type.STRING, DATA + "Uuid"), 1, "CHAR(36)"), ("mysql", INT32, 1, "INT"),
        ("sqlserver", STRING, 1, "varchar(900)"), ("sqlserver", STRING, 2, "varchar(450)"),
        ("postgresql", STRING, 1, "TEXT"), ("oracle", STRING, 1, "VARCHAR2(1000)"), ("sqlite", STRING, 1, "TEXT"),
    ],
)  # fmt: skip
def test_texts_in_keys_have_types_that_can_be_keys(database: str, schema: Schema, keys: int, expected: str) -> None:
    assert column("c", schema, target(database), field="c", keys=keys).type == expected


@pytest.mark.parametrize(
    ("schema", "mysql", "postgresql"),
    [
        (STRING, "longtext", "text"), (BYTES, "longblob", "bytea"), (BOOLEAN, "boolean", "boolean"),
        (decimal(2, precision=10), "decimal(10,2)", "numeric(10,2)"),
        (named(Type.STRING, TIMES + "ZonedTimestamp"), "timestamp(6)", "timestamp(6) with time zone"),
        (named(Type.INT32, TIMES + "Year"), "year", "integer"),
        (named(Type.STRING, DATA + "Enum", allowed="a,it's,b\\,c"), "enum('a','it''s','b,c')", "TEXT"),
        (named(Type.STRING, DATA + "EnumSet", allowed="x,y"), "set('x','y')", "TEXT"),
    ],
)  # fmt: skip
def test_debezium_has_types_of_its_own(schema: Schema, mysql: str, postgresql: str) -> None:
    found = [column("c", schema, target(name, DEBEZIUM), field="c").type for name in ("mysql", "postgresql")]
    assert found == [mysql, postgresql]


def test_a_number_may_be_an_instant() -> None:
    there = target("postgresql", timestamp_fields_list="at", db_timezone="Europe/Vienna")
    made = column("at", INT64, there, field="at")
    assert made.type == "TIMESTAMP"
    assert made.convert is not None
    assert made.convert(1_700_000_000_000_001) == "2023-11-14 23:13:20.000001"


VARIABLE = struct(("scale", INT32), ("value", BYTES), name=DATA + "VariableScaleDecimal")
SHAPE = struct(("wkb", BYTES), ("srid", INT32), name=DATA + "geometry.Geometry")
POINT = struct(("x", FLOAT64), ("y", FLOAT64), ("wkb", BYTES), ("srid", INT32), name=DATA + "geometry.Point")
WKB = bytes.fromhex("0101000000000000000000f03f0000000000000040")
WRITTEN: list[tuple[Schema, Any, str, str]] = [
    (INT32, -5, "-5", "-5"),
    (BOOLEAN, True, "1", "1"),
    (FLOAT64, 0.1, "0.1", "'0.1'"),
    (FLOAT64, float("inf"), "inf", "'inf'"),
    (decimal(2), -5, "-0.05", "'-0.05'"),
    (STRING, "a'b\\c\td\ne\rf", "a'b\\\\c\\td\\ne\\rf", "'a''b\\c\td\ne\rf'"),
    (BYTES, b"\x00\xff", "\\\\x00ff", "x'00ff'"),
    (named(Type.INT32, TIMES + "Date"), 20000, "2024-10-04", "'2024-10-04'"),
    (named(Type.INT32, TIMES + "Date"), -719_893, "0002-01-01 BC", "'0002-01-01 BC'"),
    (named(Type.INT32, TIME), 1, "00:00:00.001000", "'00:00:00.001000'"),
    (named(Type.INT64, TIMES + "MicroTime"), -3_020_399_000_001, "-838:59:59.000001", "'-838:59:59.000001'"),
    (named(Type.INT64, TIMES + "NanoTimestamp"), 1_000_000_001, "1970-01-01 00:00:01.000000",
     "'1970-01-01 00:00:01.000000'"),
    (named(Type.STRING, TIMES + "ZonedTimestamp"), "2024-01-02T03:04:05.5Z", "2024-01-02T03:04:05.5Z",
     "'2024-01-02 03:04:05.5'"),
    (named(Type.STRING, TIMES + "ZonedTimestamp"), "2024-01-02T03:04:05+01:00", "2024-01-02T03:04:05+01:00",
     "'2024-01-02 02:04:05'"),
    (named(Type.STRING, TIMES + "ZonedTime"), "23:30:00.25-01:00", "23:30:00.25-01:00", "'00:30:00.25'"),
    (named(Type.INT64, TIMES + "MicroDuration"), 1_500_000, "1500000 microseconds", "1500000"),
    (named(Type.BYTES, DATA + "Bits", length="10"), b"\x05\x02", "1000000101", "517"),
    (VARIABLE, (3, b"\xfb"), "-0.005", "'-0.005'"),
    (array(STRING), ["a,\"b\"", None, "\\"], '{"a,\\\\"b\\\\"",NULL,"\\\\\\\\"}', "'[\"a,\\\"b\\\"\",null,\"\\\\\"]'"),
    (array(decimal(1)), [15, None], '{"1.5",NULL}', "'[1.5,null]'"),
    (map_of(STRING, INT32), {"a": 1}, '{"a":1}', "'{\"a\":1}'"),
    (SHAPE, (WKB, 4326), "\\\\x" + WKB.hex(), "x'e6100000" + WKB.hex() + "'"),
    (POINT, (1.0, 2.0, WKB, None), "(1.0,2.0)", "x'00000000" + WKB.hex() + "'"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "copied", "literal"), WRITTEN)
def test_values_stand_in_copy_and_in_mysql(schema: Schema, value: Any, copied: str, literal: str) -> None:
    for database, spelling, expected in (("postgresql", COPY, copied), ("mysql", MYSQL, literal)):
        place = Place(column("c", schema, target(database), field="c"), "r", 0)
        null = {"postgresql": "\\N", "mysql": "NULL"}[database]
        assert text_writer([place], spelling)([((), (value,)), ((), (None,))]) == [expected, null]


def test_shapes_go_to_postgis_with_their_srid() -> None:
    there = target("postgresql", extensions=Extensions('"public"', True))
    made = column("c", SHAPE, there, field="c")
    assert made.type == '"public".geometry'
    assert made.convert is not None
    extended = "0101000020e6100000" + WKB.hex()[10:]
    assert made.convert((WKB, 4326)) == extended
    assert made.convert((bytes.fromhex(extended), None)) == extended
    assert values.stored(bytes.fromhex(extended), None) == bytes.fromhex("e6100000") + WKB
    vector = column("c", array(FLOAT32, name=DATA + "FloatVector"), there, field="c")
    assert vector.type == "vector"
    assert vector.convert is not None
    assert vector.convert([1.0, 2.5]) == "[1.0,2.5]"


def test_infinity_is_a_word_in_postgresql() -> None:
    made = column("c", named(Type.INT64, TIMES + "MicroTimestamp"), target("postgresql"), field="c").convert
    assert made is not None
    assert [made(9223372036825200000), made(-9223372036832400000)] == ["infinity", "-infinity"]


def test_oracle_gets_objects() -> None:
    row = tuple_writer([
        Place(column("a", named(Type.INT32, DATE), target("oracle"), field="a"), "r", 0),
        Place(column("b", named(Type.INT64, TIMES + "MicroTimestamp"), target("oracle"), field="b"), "r", 1),
        Place(column("c", named(Type.STRING, TIMES + "ZonedTimestamp"), target("oracle"), field="c"), "r", 2),
    ])([((), (1, 1, "2024-01-01T01:00:00+01:00"))])  # fmt: skip
    assert row == [(date(1970, 1, 2), datetime(1970, 1, 1, 0, 0, 0, 1), datetime(2024, 1, 1, tzinfo=UTC))]


def test_a_null_is_written_as_what_stands_for_it() -> None:
    place = Place(column("c", decimal(1), target("postgresql"), field="c"), "r", 0, 15)
    assert text_writer(["<", place, ">{'\"}"], COPY)([((), (None,))]) == ["<1.5>{'\"}"]


@given(st.integers(-2_000_000, 4_000_000))
def test_dates_of_any_year_are_those_of_the_calendar(days: int) -> None:
    text = values.date_text(days)
    first = date(1970, 1, 1).toordinal()
    if 1 <= days + first <= date.max.toordinal():
        assert text == date.fromordinal(days + first).isoformat()
    later = values.date_text(days + 146_097)  # four hundred years on it is the same day
    year = int(text[:-9] if text.endswith("BC") else text[:-6])
    year = 1 - year if text.endswith("BC") else year
    later_year = int(later[:-9] if later.endswith("BC") else later[:-6])
    assert (1 - later_year if later.endswith("BC") else later_year) == year + 400
    assert later.removesuffix(" BC")[-6:] == text.removesuffix(" BC")[-6:]


@given(st.integers(-(10**16), 2 * 10**17), st.sampled_from(["UTC", "Europe/Vienna", "America/St_Johns"]))
def test_instants_are_the_wall_clock_of_their_zone(micros: int, zone: str) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ", "microseconds")
    assert values.instants(1_000_000, ZoneInfo(zone))(micros) == wall
    assert values.shifted(ZoneInfo(zone))(at.isoformat(timespec="microseconds")) == wall
