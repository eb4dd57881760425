"""Columns as their databases tell them, to Connect schemas and values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.constants import FIELD_TYPE as F
from pymysql.constants import FLAG

from cdc.errors import DataError
from cdc.java.zones import zone_named
from cdc.jdbc import moments, mysql, oracle, postgres, sqlite, sqlserver
from cdc.jdbc.columns import Column, Kind
from cdc.jdbc.types import BEST_FIT, EAGER, GRANULARITIES, PRECISION_ONLY, Options, compiled, field
from cdc.schema import FLOAT64, INT8, INT16, INT32, INT64, Schema, Type, decimal

NEW_YEAR = 1_704_067_200_000_000
"""2024-01-01 in microseconds."""


def _schema(column: Column, options: Options = Options()) -> Schema:  # noqa: B008
    found = field(column, options)
    assert found is not None
    return found[0]


def _one(column: Column, value: Any, options: Options = Options(), functions: Any = None) -> Any:  # noqa: B008
    shape = compiled("t", [column], options, functions or {})
    ((found,),) = shape.convert([(value,)])
    return found


@pytest.mark.parametrize(
    ("precision", "scale", "mapping", "expected"),
    [
        (2, 0, "none", decimal(0, precision=2)), (2, 0, PRECISION_ONLY, INT8), (4, 0, PRECISION_ONLY, INT16),
        (9, 0, PRECISION_ONLY, INT32), (18, 0, PRECISION_ONLY, INT64),
        (19, 0, PRECISION_ONLY, decimal(0, precision=19)), (5, 2, PRECISION_ONLY, decimal(2, precision=5)),
        (5, -2, PRECISION_ONLY, decimal(-2, precision=5)), (5, -2, BEST_FIT, INT32), (5, 2, BEST_FIT, FLOAT64),
        (19, 2, BEST_FIT, decimal(2, precision=19)), (19, 2, EAGER, FLOAT64), (19, 0, EAGER, decimal(0, precision=19)),
        (0, -127, "none", decimal(127, precision=0)),
    ],
)  # fmt: skip
def test_a_numeric_column_becomes_what_its_mapping_says(
    precision: int, scale: int, mapping: str, expected: Schema
) -> None:
    column = Column("n", Kind.NUMERIC, False, precision, scale)
    assert _schema(column, Options(numeric=mapping)) == expected


def test_a_decimal_column_is_never_mapped() -> None:
    column = Column("n", Kind.DECIMAL, False, 4, 0)
    assert _schema(column, Options(numeric=EAGER)) == decimal(0, precision=4)


def test_numbers_of_a_mapped_column_are_numbers() -> None:
    column = postgres.column("n", 1700, (5 << 16) + 2 + 4, True, ("", "b"))
    assert _one(column, Decimal("-12.30"), Options(numeric=BEST_FIT), postgres.FUNCTIONS) == -12.3
    assert _one(column, Decimal("-12.30"), Options(), postgres.FUNCTIONS) == -1230


def test_a_timestamp_has_the_granularity_that_is_asked_for() -> None:
    column = Column("t", Kind.TIMESTAMP)
    micros = NEW_YEAR + 123_456
    found = [_one(column, micros, Options(granularity=each)) for each in GRANULARITIES]
    assert found == [
        micros // 1000, micros, str(micros), "2024-01-01T00:00:00.123456", micros * 1000, f"{micros}000",
        "2024-01-01T00:00:00.123456000",
    ]  # fmt: skip
    names = [_schema(column, Options(granularity=each)).name for each in GRANULARITIES]
    assert names == ["org.apache.kafka.connect.data.Timestamp", *[None] * 6]


def test_wall_clocks_are_read_in_the_zone_of_the_database() -> None:
    berlin = Options(zone=zone_named("Europe/Berlin"))
    column = Column("t", Kind.TIMESTAMP)
    assert _one(column, NEW_YEAR, berlin) == (NEW_YEAR - 3_600_000_000) // 1000
    assert _one(replace(column, zoned=True), NEW_YEAR, berlin) == NEW_YEAR // 1000
    iso = replace(berlin, granularity="micros_iso_datetime_string")
    assert _one(column, NEW_YEAR, iso) == "2024-01-01T00:00:00.000000"
    assert _one(replace(column, zoned=True), NEW_YEAR, iso) == "2024-01-01T01:00:00.000000"
    assert _one(Column("t", Kind.TIME), 7_200_000_000, berlin) == 3_600_000


def test_old_dates_are_julian_unless_everybody_s_calendar_is_asked_for() -> None:
    day = moments.day("1582-10-04")
    assert _one(Column("d", Kind.DATE), day) == moments.GREGORIAN_DAY - 1
    assert _one(Column("d", Kind.DATE), day, Options(legacy=False)) == day
    assert _one(Column("d", Kind.DATE), moments.GREGORIAN_DAY) == moments.GREGORIAN_DAY
    assert _one(Column("t", Kind.TIMESTAMP), day * moments.DAY_MICROS) == (moments.GREGORIAN_DAY - 1) * 86_400_000


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_a_timestamp_in_text_is_read_as_it_is_written(moment: datetime) -> None:
    micros = moments.of_datetime(moment)
    assert moments.wall(moments.text(micros)) == micros
    assert moments.text(micros) == moment.strftime("%Y").zfill(4) + moment.strftime("-%m-%d %H:%M:%S.%f")
    assert moments.as_datetime(micros) == moment


def test_seconds_before_1970_are_counted_as_the_original_counts_them() -> None:
    assert moments.java_micros(-500_000) == 500_000
    assert moments.java_micros(-1_000_000) == -1_000_000
    assert moments.java_micros(NEW_YEAR + 5) == NEW_YEAR + 5


def _packet(code: int, **attributes: Any) -> Any:
    plain = {"name": "c", "type_code": code, "flags": 0, "length": 10, "scale": 0, "charsetnr": 45}
    return SimpleNamespace(**{**plain, **attributes})


def _mysql(code: int, *, maria: bool = False, parameters: Any = None, **attributes: Any) -> Column:
    return mysql.column(_packet(code, **attributes), parameters or {}, maria=maria)


def test_mysql_columns_are_what_connector_j_takes_them_for() -> None:
    assert _schema(_mysql(F.TINY)).type is Type.INT8
    assert _schema(_mysql(F.TINY, flags=FLAG.UNSIGNED)).type is Type.INT16
    assert _schema(_mysql(F.SHORT, flags=FLAG.UNSIGNED)).type is Type.INT32
    assert _schema(_mysql(F.INT24)).type is Type.INT32
    assert _schema(_mysql(F.LONG, flags=FLAG.UNSIGNED)).type is Type.INT64
    assert _schema(_mysql(F.LONGLONG, flags=FLAG.UNSIGNED)).type is Type.INT64
    assert _schema(_mysql(F.FLOAT)).type is Type.FLOAT32
    assert _schema(_mysql(F.TINY, length=1)).type is Type.INT8
    assert _schema(_mysql(F.BIT, length=1)).type is Type.INT8
    assert _schema(_mysql(F.NEWDECIMAL, length=12, scale=2, flags=FLAG.NOT_NULL)) == decimal(2, precision=10)
    assert _schema(_mysql(F.BLOB, charsetnr=63)).type is Type.BYTES
    assert _schema(_mysql(F.BLOB)).type is Type.STRING
    assert _schema(_mysql(F.YEAR)).name == "org.apache.kafka.connect.data.Date"
    assert _schema(_mysql(F.YEAR, parameters={"yearisdatetype": "false"})).type is Type.INT16
    assert not _schema(_mysql(F.LONG, flags=FLAG.NOT_NULL)).optional


def test_mariadb_s_driver_takes_tinyint_1_for_a_boolean() -> None:
    column = _mysql(F.TINY, maria=True, length=1)
    assert (_schema(column).type, _one(column, 1)) == (Type.BOOLEAN, True)
    parameters = {"transformedbitisboolean": "false"}
    assert _schema(_mysql(F.TINY, maria=True, length=1, parameters=parameters)).type is Type.INT8


def test_mysql_s_texts_become_values() -> None:
    functions = mysql.FUNCTIONS
    assert _one(_mysql(F.NEWDECIMAL, length=12, scale=2), "-12.30", functions=functions) == -1230
    assert (
        _one(_mysql(F.DATETIME, scale=6), "2024-01-01 00:00:00.123456", functions=functions) == NEW_YEAR // 1000 + 123
    )
    assert _one(_mysql(F.TIME), "01:02:03.5", functions=functions) == 3_723_500
    assert _one(_mysql(F.DATE), "2024-01-01", functions=functions) == NEW_YEAR // moments.DAY_MICROS
    assert _one(_mysql(F.BIT, length=1), b"\x01", functions=functions) == 1


def test_zeros_for_a_date_are_refused_or_null_as_the_url_says() -> None:
    zero = "0000-00-00 00:00:00"
    with pytest.raises(DataError, match=r"column c \(DATETIME\) of t holds a date of zeros"):
        _one(_mysql(F.DATETIME), zero, functions=mysql.FUNCTIONS)
    null = _mysql(F.DATETIME, parameters={"zerodatetimebehavior": "convert_to_null"})
    assert compiled("t", [null], Options(legacy=False), mysql.FUNCTIONS).convert([(zero,)]) == [(None,)]


@pytest.mark.parametrize(
    ("oid", "modifier", "value", "expected"),
    [
        (21, -1, 1, 1), (1700, (10 << 16) + 2 + 4, Decimal("-12.3"), -1230), (1700, -1, Decimal("5.00"), 5),
        (790, -1, 125, 1.25), (1560, 1, b"\0\0\0\1\x80", True), (1560, 5, b"\0\0\0\5\x28", 101),
        (1560, 10, b"\0\0\0\x0a\x00\x40", b"0000000001"), (1082, -1, 8766, 19723), (1083, -1, 3_723_500_000, 3_723_500),
        (1114, 3, NEW_YEAR - 946_684_800_000_000, NEW_YEAR // 1000),
        (1114, -1, (1 << 63) - 1, 9_223_372_036_825_200_000),
        (1266, -1, (3_600_000_000).to_bytes(8, "big") + (-3600).to_bytes(4, "big", signed=True), 0),
    ],
)  # fmt: skip
def test_postgres_values_are_what_pgjdbc_gives(oid: int, modifier: int, value: Any, expected: Any) -> None:
    column = postgres.column("c", oid, modifier, True, ("", "b"))
    assert _one(column, value, functions=postgres.FUNCTIONS) == expected


def test_a_numeric_without_a_scale_holds_no_fraction() -> None:
    with pytest.raises(DataError, match=r"column c .* ALTER TABLE"):
        _one(postgres.column("c", 1700, -1, True, ("", "b")), Decimal("5.5"), functions=postgres.FUNCTIONS)


def test_columns_no_record_can_hold_are_left_out() -> None:
    columns = [Column("a", Kind.INTEGER), Column("b", Kind.OTHER), Column("c", Kind.TEXT)]
    shape = compiled("t", columns, Options(), {})
    assert [each.name for each in shape.schema.fields] == ["a", "c"]
    assert shape.convert([(1, [2], "x"), (None, None, None)]) == [(1, "x"), (None, None)]
    assert shape.dropped == (columns[1],)
    assert shape.schema.name == "t"


def test_sqlite_columns_go_by_their_declared_types() -> None:
    rows = [(5_000_000_000, "2024-01-01 00:00:00", 1.5, "x", 3)]
    made = [
        sqlite.column(name, declared, False, rows=rows, at=at)
        for at, (name, declared) in enumerate(
            [("id", "INTEGER"), ("t", "TIMESTAMP"), ("n", "DECIMAL(5,2)"), ("v", "VARCHAR(10)"), ("q", "")]
        )
    ]
    assert [each.kind for each in made] == [Kind.BIGINT, Kind.TIMESTAMP, Kind.DECIMAL, Kind.TEXT, Kind.INTEGER]
    shape = compiled("t", made, Options(), sqlite.FUNCTIONS)
    assert shape.convert(rows) == [(5_000_000_000, NEW_YEAR // 1000, 150, "x", 3)]
    millis = sqlite.column("t", "TIMESTAMP", False, rows=[], at=0)
    assert _one(millis, NEW_YEAR // 1000, functions=sqlite.FUNCTIONS) == NEW_YEAR // 1000


def test_oracle_columns_are_what_its_jdbc_driver_takes_them_for() -> None:
    number = oracle.column("N", "DB_TYPE_NUMBER", 10, 2, True)
    assert _one(number, Decimal("1.5"), functions=oracle.FUNCTIONS) == 150
    assert _schema(oracle.column("N", "DB_TYPE_NUMBER", 0, -127, True)).scale == 127
    assert _schema(oracle.column("N", "DB_TYPE_NUMBER", 5, 0, False), Options(numeric=BEST_FIT)) == INT32
    day = oracle.column("D", "DB_TYPE_DATE", None, None, True)
    assert _one(day, datetime(2024, 1, 1), functions=oracle.FUNCTIONS) == NEW_YEAR // 1000
    assert _schema(oracle.column("C", "DB_TYPE_CLOB", None, None, True)).type is Type.STRING
    assert field(oracle.column("R", "DB_TYPE_ROWID", None, None, True), Options()) is None


def test_sql_server_columns_are_what_its_jdbc_driver_takes_them_for() -> None:
    def of(kind: str, value: Any, precision: int = 0, scale: int = 0) -> Any:
        return _one(sqlserver.column("c", kind, True, precision, scale), value, functions=sqlserver.FUNCTIONS)

    assert _schema(sqlserver.column("c", "tinyint", True, 3, 0)).type is Type.INT16
    assert _schema(sqlserver.column("c", "bit", True, 1, 0)).type is Type.INT8
    assert of("decimal(10,2)", Decimal("1.50"), 10, 2) == 150
    assert of("bit", True) == 1
    assert of("date", date(2024, 1, 1)) == 19723
    assert of("time(7)", time(1, 2, 3, 500_000), 16, 7) == 3_723_500
    assert of("datetime2(7)", datetime(2024, 1, 1)) == NEW_YEAR // 1000
    east = datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert of("datetimeoffset(7)", east) == NEW_YEAR // 1000
