"""Defaults in DDL become the defaults of schemas as in Debezium."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cdc.errors import DecodeError
from cdc.mysql.column_default import default_value
from cdc.mysql.type_family import TypeOptions
from tests.unit.cdc.mysql.row_images import column


def default(type_name: str, text: str | None, options: TypeOptions | None = None, **attributes: Any) -> Any:
    described = column("c", type_name, 0, has_default=True, default=text, **attributes).column
    return default_value(described, options or TypeOptions())


@pytest.mark.parametrize(
    ("type_name", "text", "expected"),
    [
        ("INT", None, None),
        ("INT", " 5 ", 5),
        ("INT", "-3", -3),
        ("INT", "1.5", 2),
        ("INT", "-1.5", -1),
        ("INT", "true", 1),
        ("INT", "(1 + 1)", None),
        ("TINYINT", "FALSE", 0),
        ("TINYINT UNSIGNED", "255", 255),
        ("SMALLINT UNSIGNED", "65535", 65535),
        ("INT UNSIGNED", "4294967295", 4294967295),
        ("BIGINT", "-9223372036854775808", -(2**63)),
        ("BIGINT", "9007199254740993", 9007199254740992),
        ("BIGINT UNSIGNED", "18446744073709551615", 2**63 - 1),
        ("DOUBLE", "1e3", 1000.0),
        ("FLOAT", "0.1", 0.10000000149011612),
        ("YEAR", "99", 1999),
        ("YEAR", "2026", 2026),
        ("VARCHAR", " x''y ", " x''y "),
        ("VARCHAR", "_utf8mb4'x'", "x"),
        ("VARCHAR", "true", "true"),
        ("BLOB", "é", b"\xc3\xa9"),
        ("JSON", "{}", "{}"),
        ("GEOMETRY", "x", None),
        ("VECTOR", "x", None),
        ("BOOLEAN", "2", True),
        ("BOOLEAN", "False", False),
    ],
)
def test_numbers_and_texts(type_name: str, text: str | None, expected: object) -> None:
    found = default(type_name, text)
    assert (type(found), found) == (type(expected), expected)


def test_unsigned_bigint_shown_as_decimal_keeps_its_value() -> None:
    assert default("BIGINT UNSIGNED", "18446744073709551615", TypeOptions(bigint_unsigned="precise")) == 2**64 - 1


@pytest.mark.parametrize(("mode", "expected"), [("precise", -151), ("string", "-1.51"), ("double", -1.51)])
def test_decimals_are_rounded_half_up_to_the_scale(mode: str, expected: object) -> None:
    assert default("DECIMAL", "-1.505", TypeOptions(decimal=mode), length=5, scale=2) == expected


def test_decimals_keep_all_of_65_digits() -> None:
    assert default("DECIMAL", "9" * 35 + "." + "9" * 30, length=65, scale=30) == int("9" * 65)


def test_bits_are_binary_digits() -> None:
    assert default("BIT", "1", length=1) is True
    assert default("BIT", "0", length=1) is False
    assert default("BIT", "10000000000000001", length=17) == b"\1\0\1"
    assert default("BIT", "1", length=17) == b"\1\0\0"
    assert default("BIT", "3", length=17) is None


@pytest.mark.parametrize(("mode", "expected"), [("base64", "YQ=="), ("base64-url-safe", "YQ=="), ("hex", "61")])
def test_binary_is_shown_as_the_mode_says_but_not_padded(mode: str, expected: str) -> None:
    assert default("BINARY", "a", TypeOptions(binary=mode), length=4) == expected


ZEROS = ["0000-00-00", "2024-00-01", "2024-01-00", "0", "0000-00-00 00:00:00", "tomorrow", "2023-13-29"]


@pytest.mark.parametrize(
    ("text", "days"), [("2023-02-29", 19416), ("2024-02-31", 19782), ("2024-06-31", 19904), ("2024-06-32", None)]
)
def test_the_31st_of_a_shorter_month_is_its_last_day(text: str, days: int | None) -> None:
    assert default("DATE", text) == days
    assert default("DATETIME", text) == (None if days is None else days * 86_400_000)


def test_a_default_that_cannot_be_read_stops_the_task_where_the_config_says_so() -> None:
    assert default("TIME", "x") is None
    with pytest.raises(DecodeError, match="warn"):
        default("TIME", "x", TypeOptions(fail_on_failure=True))


@pytest.mark.parametrize("text", ZEROS)
def test_a_date_no_calendar_has_is_no_default_or_1970(text: str) -> None:
    assert default("DATE", text) is None
    assert default("DATE", text, optional=False) == 0
    assert default("DATETIME", text) is None
    assert default("DATETIME", text, optional=False) == 0
    iso = TypeOptions(time_precision="isostring")
    assert default("DATE", text, iso, optional=False) == "1970-01-01Z"
    assert default("DATETIME", text, iso, optional=False) == "1970-01-01T00:00:00Z"


def test_dates_and_times() -> None:
    assert default("DATE", "2000-01-02") == 10958
    assert default("DATE", "2000-01-02 03:04:05") == 10958
    assert default("DATE", "0069-01-01") == (date(2069, 1, 1) - date(1970, 1, 1)).days
    assert default("DATE", "0069-01-01", TypeOptions(adjust_years=False)) == (date(69, 1, 1) - date(1970, 1, 1)).days
    assert default("DATETIME", "2001-02-03 04:05:06.789", length=3) == 981173106789
    assert default("DATETIME", "2001-02-03", length=6) == 981158400000000
    assert default("DATETIME", "2001-02-03 04:05:06.5", TypeOptions(time_precision="nanoseconds")) == 981173106500000000
    assert default("DATETIME", "2001-02-03 25:00:00") is None
    assert default("TIME", "-01:02:03.5") == -3723500000
    assert default("TIME", "2001-02-03 01:00:00") == 3600000000
    assert default("TIME", "-00:00:01", TypeOptions(time_precision="connect")) is None
    assert default("TIME", "noon") is None


def test_timestamps_have_the_columns_digits_and_1970_stands_for_now() -> None:
    assert default("TIMESTAMP", "2001-02-03 04:05:06", optional=False) == "2001-02-03T04:05:06Z"
    assert default("TIMESTAMP", "2001-02-03 04:05:06.5", length=3) == "2001-02-03T04:05:06.500Z"
    assert default("TIMESTAMP", "1970-01-01 00:00:00", optional=False, length=3) == "1970-01-01T00:00:00Z"
    assert default("TIMESTAMP", "1970-01-01 00:00:00") is None
    assert default("TIMESTAMP", "0000-00-00 00:00:00", optional=False) == "1970-01-01T00:00:00Z"
    assert default("TIMESTAMP", "CURRENT_TIMESTAMP") is None
