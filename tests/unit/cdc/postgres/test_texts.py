"""Arrays, hstore, bits, numbers and moments from PostgreSQL's texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.postgres import moments, texts


def literal(items: list[str | None]) -> str:
    """An array literal as the server writes it, every item quoted."""
    shown = ["NULL" if item is None else '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items]
    return "{" + ",".join(shown) + "}"


def test_array_literals_are_taken_apart() -> None:
    assert texts.array_items('{a,"b c","d\\"e",NULL,"","NULL"}') == ["a", "b c", 'd"e', None, "", "NULL"]
    assert texts.array_items("{}") == []
    assert texts.array_items("[0:1]={1,2}") == ["1", "2"]


def test_arrays_within_arrays_are_told_by_their_literals() -> None:
    assert texts.inner_arrays('{{a,"}"},{NULL,"\\"{"}}') == ['{a,"}"}', '{NULL,"\\"{"}']
    assert texts.inner_arrays("[1:1][2:3]={{1,2}}") == ["{1,2}"]
    assert texts.inner_arrays("{{{1},{2}},{{3},{4}}}") == ["{{1},{2}}", "{{3},{4}}"]
    assert [texts.inner_arrays(text) for text in ("{1,2}", "{}", '{"{1}"}', "[0:1]={1,2}")] == [None] * 4


@given(st.lists(st.one_of(st.none(), st.text()), max_size=10))
def test_any_items_come_back_from_an_array(items: list[str | None]) -> None:
    assert texts.array_items(literal(items)) == items


def test_hstores_are_taken_apart() -> None:
    text = '"k1"=>"v1", "k2"=>NULL, "k 3"=>"q\\"q"'
    assert texts.hstore(text) == {"k1": "v1", "k2": None, "k 3": 'q"q'}
    assert texts.hstore("") == {}
    with pytest.raises(ValueError, match="no hstore"):
        texts.hstore("k=>v")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_number_keeps_its_value(number: Decimal) -> None:
    text = f"{number:f}"
    assert texts.unscaled(text, 6) == Fraction(text) * 10**6
    scale, raw = texts.variable_scale(text)
    assert Fraction(int.from_bytes(raw, "big", signed=True), 10**scale) == Fraction(text)


def test_bits_and_money_and_geometry() -> None:
    assert [texts.bits(text) for text in ("", "0", "10101", "111111111")] == [b"", b"", b"\x15", b"\xff\x01"]
    assert [texts.money(text) for text in ("$1,234.50", "-$0.05", "($1.00)")] == ["1234.50", "-0.05", "-1.00"]
    raw = "0101000020E6100000000000000000F03F0000000000000040"
    assert texts.ewkb(raw) == (bytes.fromhex(raw), 4326)
    plain = "0101000000000000000000F03F0000000000000040"
    assert texts.ewkb(plain) == (bytes.fromhex(plain), None)


def test_sparse_vectors_are_taken_apart() -> None:
    dimensions, values = texts.sparse_vector("{1:1.5,4:2,9:-1}/10")
    assert (dimensions, list(values.items())) == (10, [(4, 2.0), (1, 1.5), (9, -1.0)])
    assert texts.sparse_vector("{}/3") == (3, {})


def test_moments_as_debezium_counts_them() -> None:
    assert moments.days("2026-11-21", julian=False) == 20778
    assert [moments.days(text, julian=True) for text in ("infinity", "0044-03-15 BC")] == [-622191234, -703383]
    assert moments.days("-infinity", julian=False) == -2147472691
    assert moments.micros("1582-10-14 12:00:00", julian=True) == -12218472000000000
    assert moments.micros("294276-12-31 23:59:59", julian=False) == 2**63 - 1
    assert moments.zoned_timestamp("0044-03-15 12:00:00+00 BC", 6, julian=True) == "-0043-03-13T12:00:00.000000Z"
    assert moments.zoned_timestamp("2026-11-20 19:32:03.12+00", 3, julian=False) == "2026-11-20T19:32:03.120Z"
    assert moments.zoned_time("12:34:56.789012+02") == "10:34:56.789012Z"
    assert moments.zoned_time("00:00:00+15:59") == "08:01:00Z"
    assert moments.time_micros("24:00:00") == 86_400_000_000
    assert moments.interval_micros("P1Y2M3DT4H5M6.789S") == 37091106789000
    assert moments.interval_micros("P-1M1DT-1S") == -2543401000000
    assert moments.interval_micros("P178000000Y") == 2**63 - 1
    assert moments.interval_text("P-1Y") == "P-1Y0M0DT0H0M0S"
    assert moments.iso_date("10000-01-01", julian=False) == "+10000-01-01Z"
    assert moments.iso_date("-infinity", julian=True) == "+292269055-12-02Z"
    assert moments.iso_timestamp("infinity", julian=False) == "+294247-01-10T04:00:25.2Z"
    assert moments.iso_time("24:00:00") == "00:00:00Z"
    assert moments.nanos("1500-02-28 01:02:03", julian=False) == 3619989396709551616


@given(st.dates(), st.times())
def test_a_timestamp_of_our_calendar_is_counted_as_python_counts(day: date, of_day: time) -> None:
    text = f"{day} {of_day}"
    parsed = datetime.fromisoformat(text)
    expected = (parsed - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert moments.micros(text, julian=False) == expected


@given(st.datetimes(), st.integers(0, 6), st.booleans(), st.sampled_from(["+00", "+05:30", "-11", "+00 BC"]))
def test_what_is_made_for_usual_texts_reads_as_what_reads_them_all(
    moment: datetime, digits: int, julian: bool, zone: str
) -> None:
    text = str(moment).rstrip("0") if moment.microsecond else str(moment)
    assert moments.micros_reader(julian=julian)(text) == moments.micros(text, julian=julian)
    assert moments.millis_reader(julian=julian)(text) == moments.millis(text, julian=julian)
    zoned = text + zone
    expected = moments.zoned_timestamp(zoned, digits, julian=julian)
    assert moments.zoned_timestamp_reader(digits, julian=julian)(zoned) == expected


@pytest.mark.parametrize("text", ["infinity", "-infinity"])
def test_infinite_moments_are_read_alike(text: str) -> None:
    assert moments.micros_reader(julian=True)(text) == moments.micros(text, julian=True)
    assert moments.millis_reader(julian=True)(text) == moments.millis(text, julian=True)
    assert moments.zoned_timestamp_reader(6, julian=True)(text) == text
