"""Paths of records, as Confluent's partitioners encode them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cdc.schema import BYTES, INT64, OPTIONAL_STRING, STRING, TIMESTAMP, Schema, Type, struct
from sinks.s3.joda import compile_pattern
from sinks.s3.partition import (
    HOUR_MS,
    FieldPartitioner,
    Paths,
    SchemaPartitioner,
    TimePartitioner,
    Times,
    Unplaced,
    field_time,
    record_time,
    wallclock,
)
from tests.unit.sinks.s3.files import SCHEMA, batch

NESTED = struct(("after", struct(("a.b", STRING), ("ok", Schema(Type.BOOLEAN)), optional=True)), ("raw", BYTES))
VIENNA = ZoneInfo("Europe/Vienna")


def test_fields_and_their_values_make_a_path() -> None:
    by_both = FieldPartitioner(("country", "id"), "/")
    assert by_both.paths(batch([(1, "at", 0), (2, "d/e", 0)]), 0) == ["country=at/id=1", "country=d/e/id=2"]


def test_fields_of_structs_are_reached_by_points_and_a_missing_struct_is_null() -> None:
    records = batch([(("x", True), b""), (None, b"")], schema=NESTED)
    assert FieldPartitioner(("after.ok",), "/").paths(records, 0) == ["after.ok=true", "after.ok=null"]


@pytest.mark.parametrize(("name", "said"), [("raw", "of type bytes"), ("gone", "not in the records"),
                                            ("after", "of type struct")])  # fmt: skip
def test_a_field_that_makes_no_path_is_named(name: str, said: str) -> None:
    with pytest.raises(Unplaced, match=said):
        FieldPartitioner((name,), "/").paths(batch([(None, b"")], schema=NESTED), 0)


def test_schemaless_records_go_by_their_members() -> None:
    records = batch([{"a": {"b": 1}}, {"a": {"b": None}}], schema=None)
    assert FieldPartitioner(("a.b",), "/").paths(records, 0) == ["a.b=1", "a.b=null"]
    with pytest.raises(Unplaced, match="not in the record"):
        FieldPartitioner(("c",), "/").paths(records, 0)


def hourly(times: Times, zone: ZoneInfo = VIENNA) -> TimePartitioner:
    return TimePartitioner("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", HOUR_MS, zone, "en", times)


def test_a_time_is_cut_to_the_hour_of_the_zone() -> None:
    moments = [1_700_000_000_000, 1_700_000_000_000 + HOUR_MS]
    paths: Paths = hourly(record_time).paths(batch([(1, "at", 0)] * 2, timestamps=moments), 0)
    assert paths == ["year=2023/month=11/day=14/hour=23", "year=2023/month=11/day=15/hour=00"]
    assert hourly(wallclock).paths(batch([(1, "at", 0)] * 2), 1_700_000_000_000) == paths[0]


def test_hours_are_those_of_the_wall_when_clocks_change() -> None:
    before = int(datetime(2024, 10, 27, 0, 30, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)
    paths = hourly(record_time).paths(
        batch([(1, "", 0)] * 3, timestamps=[before, before + HOUR_MS, before + 2 * HOUR_MS]), 0
    )
    assert [path[-2:] for path in paths] == ["02", "02", "03"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [(INT64, 1_700_000_000_000), (Schema(Type.INT64, name=TIMESTAMP), 1_700_000_000_000), (STRING, "1700000000000"),
     (STRING, "2023-11-14T22:13:20Z"), (STRING, "2023-11-14T23:13:20+01:00"), (STRING, "2023-11-14T22:13:20")],
)  # fmt: skip
def test_a_field_gives_the_time_in_milliseconds_or_as_text(kind: Schema, value: object) -> None:
    records = batch([(value,)], schema=struct(("at", kind)))
    assert field_time("at")(records, 0) == [1_700_000_000_000]


@pytest.mark.parametrize("value", [None, "soon"])
def test_a_field_without_a_time_is_named(value: object) -> None:
    with pytest.raises(Unplaced, match="field at holds"):
        field_time("at")(batch([(value,)], schema=struct(("at", OPTIONAL_STRING))), 0)


def test_the_schemas_name_may_stand_before_or_after() -> None:
    inner = FieldPartitioner(("country",), "/")
    records = batch([(1, "at", 0)])
    assert SchemaPartitioner(inner, "/", prefix=True).paths(records, 0) == ["schema_name=shop.Value/country=at"]
    assert SchemaPartitioner(inner, "/", prefix=False).paths(records, 0) == ["country=at/schema_name=shop.Value"]
    assert SCHEMA.name == "shop.Value"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("YYYY-MM-dd", "2024-02-05"), ("yy/M/d", "24/2/5"), ("'o''clock' H:m:s.SSS", "o'clock 9:5:7.123"), ("D", "36"),
     ("xxxx-'W'ww-e", "2024-W06-1"), ("hh a", "09 AM"), ("KK kk", "09 09"), ("EEE EEEE", "Mon Monday"),
     ("MMM MMMM", "Feb February"), ("Z ZZ ZZZ z", "+0100 +01:00 Europe/Vienna CET"), ("G CC", "AD 20"),
     ("dd''HH", "05'09")],
)  # fmt: skip
def test_patterns_are_those_of_joda_time(pattern: str, text: str) -> None:
    assert compile_pattern(pattern, "en")(datetime(2024, 2, 5, 9, 5, 7, 123456, VIENNA)) == text


@pytest.mark.parametrize(("pattern", "locale", "said"), [
    ("year=YYYY", "en", "'r' is no letter|'e' is|no letter"), ("'year=YYYY", "en", "not closed"),
    ("MMM", "de", "locale en only"),
])  # fmt: skip
def test_a_pattern_that_cannot_be_written_is_refused(pattern: str, locale: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compile_pattern(pattern, locale)
