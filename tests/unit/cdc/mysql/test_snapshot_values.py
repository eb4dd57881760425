"""Texts of a SELECT become row tuples; what the SELECT asks for is exact."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.errors import DecodeError
from cdc.mysql.snapshot_values import compile_snapshot_rows, snapshot_select
from cdc.mysql.type_family import TypeOptions
from tests.unit.cdc.mysql.row_images import column, table


def read(type_name: str, text: bytes | None, options: TypeOptions | None = None, **attributes: Any) -> Any:
    described = column("c", type_name, 0, **attributes).column
    return compile_snapshot_rows([described], options or TypeOptions())([(text,)])[0][0]


def test_the_select_asks_for_every_column_as_the_server_shows_it() -> None:
    described = table([column("a", "INT", 3), column("`x`", "DATE", 10), column("l", "CHAR", 254, charset="latin1")])
    assert snapshot_select(described, described.columns) == "`a`, ```x```, `l`"


def test_a_table_of_which_no_column_is_captured_still_has_rows() -> None:
    assert snapshot_select(table([]), []) == "NULL"
    assert compile_snapshot_rows([], TypeOptions())([(None,), (None,)]) == [(), ()]


@pytest.mark.parametrize(
    ("type_name", "text", "expected"),
    [
        ("INT ZEROFILL", b"0042", 42),
        ("BIGINT UNSIGNED", b"18446744073709551615", -1),
        ("BIGINT UNSIGNED", b"9223372036854775807", 2**63 - 1),
        ("BIGINT", b"-9223372036854775808", -(2**63)),
        ("BOOLEAN", b"2", True),
        ("FLOAT", b"0.10000000149011612", 0.10000000149011612),
        ("DECIMAL", b"-0.01", -1),
        ("YEAR", b"0000", 2000),
        ("YEAR", b"1901", 1901),
        ("ENUM", b"with,comma", "with,comma"),
        ("JSON", b'{"a": 1}', '{"a": 1}'),
        ("VARBINARY", b"\xff", b"\xff"),
        ("DATE", b"0000-00-00", None),
        ("DATE", b"0000-01-01", 10957),
        ("DATETIME", b"2024-02-00 00:00:00", None),
        ("TIMESTAMP", b"2026-11-21 01:02:00", "2026-11-21T01:02:00Z"),
        ("TIMESTAMP", b"0000-00-00 00:00:00", None),
        ("TIME", b"-838:59:59", -3020399000000),
    ],
)
def test_values(type_name: str, text: bytes, expected: object) -> None:
    found = read(type_name, text)
    assert (type(found), found) == (type(expected), expected)
    assert read(type_name, None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"120000", ".12Z"), (b"000000", "Z"), (b"000001", ".000001Z"), (b"100000", ".1Z")],
)
def test_the_fraction_of_a_timestamp_is_as_short_as_it_can_be(text: bytes, expected: str) -> None:
    raw = b"2026-11-21 01:02:00." + text
    assert read("TIMESTAMP", raw, length=6) == "2026-11-21T01:02:00" + expected


@pytest.mark.parametrize(
    ("mode", "digits", "expected"),
    [
        ("adaptive_time_microseconds", 3, -1), ("adaptive_time_microseconds", 4, -1000), ("connect", 6, -1),
        ("microseconds", 3, -1000), ("nanoseconds", 3, -1_000_000), ("isostring", 3, "1969-12-31T23:59:59.999Z"),
    ],
)  # fmt: skip
def test_datetimes_are_counted_in_the_unit_of_the_mode(mode: str, digits: int, expected: object) -> None:
    raw = b"1969-12-31 23:59:59." + b"999000"[:digits]
    assert read("DATETIME", raw, TypeOptions(time_precision=mode), length=digits) == expected


def test_a_zero_date_where_null_is_not_possible_is_the_default_or_1970() -> None:
    zero = b"0000-00-00 00:00:00"
    assert read("DATETIME", zero, optional=False) == 0
    assert read("DATETIME", zero, optional=False, has_default=True, default="1970-01-01 00:00:01") == 1000
    assert read("DATETIME", zero, TypeOptions(time_precision="isostring"), optional=False) == "1970-01-01T00:00:00Z"
    assert read("TIMESTAMP", zero, optional=False) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(("mode", "expected"), [("string", "1.50"), ("double", 1.5)])
def test_decimal_modes(mode: str, expected: object) -> None:
    assert read("DECIMAL", b"001.50", TypeOptions(decimal=mode), length=5, scale=2) == expected


@pytest.mark.parametrize("raw", [(b"x",), (b"1", b"2"), (None,)])
def test_a_row_that_does_not_fit_raises_decode_error(raw: tuple[bytes | None, ...]) -> None:
    described = column("c", "INT", 3, optional=False).column
    with pytest.raises(DecodeError, match="the snapshot has to start anew"):
        compile_snapshot_rows([described], TypeOptions())([raw])
