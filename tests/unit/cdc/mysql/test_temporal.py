"""The calendar, from year 0 on, and the caches."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql.temporal import Cache, civil, date_text, day_number, full_year, instant_text


@given(st.dates())
def test_day_numbers_are_pythons(day: date) -> None:
    number = (day - date(1970, 1, 1)).days
    assert day_number(day.year, day.month, day.day) == number
    assert civil(number) == (day.year, day.month, day.day)
    assert date_text(number) == day.isoformat()


def test_year_0_is_a_leap_year_before_year_1() -> None:
    assert day_number(0, 12, 31) == (date(1, 1, 1) - date(1970, 1, 1)).days - 1
    assert day_number(0, 2, 29) is not None
    assert civil(day_number(0, 1, 1) or 0) == (0, 1, 1)


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_day_exists_when_python_says_so(year: int, month: int, day: int) -> None:
    try:
        exists = date(year or 4, month, day) is not None
    except ValueError:
        exists = False
    assert (day_number(year, month, day) is not None) == exists


def test_years_of_two_digits() -> None:
    assert [full_year(year) for year in (0, 69, 70, 99, 100, 2026)] == [2000, 2069, 1970, 1999, 100, 2026]


def test_instants_before_1970() -> None:
    assert instant_text(-1, 0) == "1969-12-31T23:59:59.999999Z"
    assert instant_text(-1_000_000, 3) == "1969-12-31T23:59:59.000Z"


def test_a_cache_asks_once_and_stays_small() -> None:
    asked: list[int] = []
    cache: Cache[int, int] = Cache(lambda key: asked.append(key) or key * 2, limit=2)  # type: ignore[func-returns-value]
    assert [cache[key] for key in (1, 1, 2, 3, 3)] == [2, 2, 4, 6, 6]
    assert asked == [1, 2, 3]
    assert len(cache) == 1
