"""Dates by SimpleDateFormat patterns; more cases stand with TimestampConverter's recordings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.java.dates import date_of, date_pattern, days_of

EVERYTHING = date_pattern("EEEE, d MMMM yyyy G HH:mm:ss.SSS Z")


@given(st.integers(-10_000_000, 10_000_000))
def test_a_count_of_days_and_its_date_are_one(days: int) -> None:
    assert days_of(*date_of(days)) == days


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_dates_are_those_of_the_gregorian_calendar(moment: datetime) -> None:
    days = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert date_of(days) == (moment.year, moment.month, moment.day)


@given(st.integers(-(10**14), 10**14))
def test_a_moment_reads_back_from_its_text(millis: int) -> None:
    assert EVERYTHING.parse(EVERYTHING.format(millis), 2024) == millis


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("dd/MM/yy", "01/02/03", "2003-02-01T00:00"),
        ("dd/MM/yy", "01/02/99", "1999-02-01T00:00"),
        ("yyyyMMddHHmmss", "20240229235958", "2024-02-29T23:59:58"),
        ("yyyy-MM-dd hh:mm a", "2024-01-01 12:30 am", "2024-01-01T00:30"),
        ("yyyy-MM-dd KK:mm a", "2024-01-01 00:30 PM", "2024-01-01T12:30"),
        ("yyyy-MM-dd kk", "2024-01-01 24", "2024-01-01T00:00"),
        ("yyyy DDD", "2024 060", "2024-02-29T00:00"),
        ("yyyy-MM-dd'T'HH:mmX", "2024-01-01T00:00-01", "2024-01-01T01:00"),
        ("yyyy-MM-dd", "2024-13-01", "2025-01-01T00:00"),
        ("d MMM yyyy", "1 sep 2024", "2024-09-01T00:00"),
    ],
)
def test_a_text_is_read_as_java_reads_it(pattern: str, text: str, wanted: str) -> None:
    millis = date_pattern(pattern).parse(text, 2024)
    assert datetime.fromtimestamp(millis / 1000, UTC) == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


@pytest.mark.parametrize("pattern", ["yyyy-bb", "'open"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="date pattern"):
        date_pattern(pattern)


def test_a_text_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="yyyy-MM-dd"):
        date_pattern("yyyy-MM-dd").parse("yesterday", 2024)
