"""Rows events written by an encoder of our own are decoded to what was encoded; damaged ones raise DecodeError.

Everything runs twice, by the functions in Python and by the compiled twin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.mysql.binlog import Kind, Rows
from cdc.mysql.row_decoder import compile_rows
from cdc.mysql.type_family import TypeOptions
from tests.twins import KINDS, twin
from tests.unit.cdc.mysql import row_images as encode
from tests.unit.cdc.mysql.row_images import Stored, column

EPOCH = date(1970, 1, 1)
DEFAULTS = TypeOptions()
_twins: list[Any] = []


@pytest.fixture(scope="module", autouse=True, params=KINDS)
def each_twin(request: pytest.FixtureRequest) -> Iterator[None]:
    _twins.append(twin(request.param))
    yield
    _twins.pop()


def decode(columns: list[Stored], event: Rows, options: TypeOptions = DEFAULTS, *wanted: int) -> list[Any]:
    table = encode.table(columns)
    captured = [table.columns[i] for i in wanted] if wanted else table.columns
    read = compile_rows(table, encode.table_map(columns), options, captured, event, twin=_twins[-1])
    return read(event.body, event.start, event.end)


def one(stored: Stored, raw: bytes, options: TypeOptions = DEFAULTS) -> Any:
    """What a single column's bytes become."""
    [(value,)] = decode([stored], encode.rows(Kind.WRITE, [encode.image([raw])], 1), options)
    return value


WIDTHS = {"TINYINT": (1, 1), "SMALLINT": (2, 2), "MEDIUMINT": (9, 3), "INT": (3, 4), "BIGINT": (8, 8)}


@given(st.sampled_from(sorted(WIDTHS)), st.booleans(), st.data())
def test_every_integer_comes_back(name: str, unsigned: bool, data: st.DataObject) -> None:
    type_, size = WIDTHS[name]
    low, high = (0, 256**size - 1) if unsigned else (-(256**size) // 2, 256**size // 2 - 1)
    value = data.draw(st.integers(low, high))
    stored = column("i", name + " UNSIGNED" * unsigned, type_)
    assert one(stored, encode.integer(value, size), TypeOptions(bigint_unsigned="precise")) == value
    wrapped = value - 2**64 if name == "BIGINT" and value >= 2**63 else value
    assert one(stored, encode.integer(value, size)) == wrapped


@given(st.integers(1, 65), st.data())
def test_every_decimal_comes_back(precision: int, data: st.DataObject) -> None:
    scale = data.draw(st.integers(0, min(30, precision)))
    unscaled = data.draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    stored = column("d", "DECIMAL", 246, precision << 8 | scale, length=precision, scale=scale)
    raw = encode.decimal(unscaled, precision, scale)
    assert one(stored, raw) == unscaled
    text = one(stored, raw, TypeOptions(decimal="string"))
    assert re.fullmatch(r"-?\d+" + (rf"\.\d{{{scale}}}" if scale else ""), text)
    assert int(text.replace(".", "")) == unscaled
    assert one(stored, raw, TypeOptions(decimal="double")) == float(text)


@given(st.floats(allow_nan=False))
def test_every_double_comes_back(value: float) -> None:
    assert one(column("f", "DOUBLE", 5, 8), encode.double(value)) == value


dates = st.dates(date(100, 1, 1), date(9999, 12, 31))


@given(dates)
def test_every_date_is_its_day_number(day: date) -> None:
    stored, raw = column("d", "DATE", 10), encode.date(day.year, day.month, day.day)
    assert one(stored, raw) == (day - EPOCH).days
    assert one(stored, raw, TypeOptions(time_precision="isostring")) == day.isoformat() + "Z"


moments = st.datetimes(datetime(100, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
UNITS = {"microseconds": 1, "nanoseconds": 1000, "connect": 0, "adaptive_time_microseconds": 0}


@given(moments, st.integers(0, 6), st.sampled_from(sorted(UNITS)))
def test_every_datetime_is_counted_in_the_unit_of_the_mode(moment: datetime, digits: int, mode: str) -> None:
    micros = moment.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits)
    stored = column("d", "DATETIME", 18, digits, length=digits or None)
    raw = encode.datetime(moment.timetuple()[:6], micros, digits)
    exact = (moment.replace(microsecond=micros) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    adaptive = mode == "adaptive_time_microseconds" and digits > 3
    expected = exact * UNITS[mode] if UNITS[mode] else exact if adaptive else exact // 1000
    overflown = (expected + 2**63) % 2**64 - 2**63  # nanoseconds before 1677 and after 2262
    assert one(stored, raw, TypeOptions(time_precision=mode)) == overflown


@given(st.integers(0, 2**31 - 1), st.integers(0, 999_999), st.integers(0, 6))
def test_every_timestamp_is_a_text_with_the_columns_digits(seconds: int, micros: int, digits: int) -> None:
    micros = micros // 10 ** (6 - digits) * 10 ** (6 - digits)
    stored = column("d", "TIMESTAMP", 17, digits, length=digits or None)
    text = one(stored, encode.timestamp(seconds, micros, digits))
    moment = datetime.fromtimestamp(seconds, UTC)
    shown = f".{micros:06d}"[: digits + 1] if digits else ""
    assert text == f"{moment:%Y-%m-%dT%H:%M:%S}{shown}Z"


@given(st.integers(-3_020_399_000_000, 3_020_399_000_000), st.integers(0, 6))
def test_every_time_is_its_microseconds(micros: int, digits: int) -> None:
    kept = abs(micros) // 10 ** (6 - digits) * 10 ** (6 - digits)
    micros = -kept if micros < 0 else kept
    stored, raw = column("t", "TIME", 19, digits, length=digits or None), encode.time(micros, digits)
    assert one(stored, raw) == micros
    assert one(stored, raw, TypeOptions(time_precision="nanoseconds")) == micros * 1000
    within = 0 <= micros <= 86_400_000_000
    assert one(stored, raw, TypeOptions(time_precision="connect")) == (micros // 1000 if within else None)


@given(st.text(), st.sampled_from(["utf8mb4", "utf16", "utf32"]))
def test_every_text_comes_back(text: str, charset: str) -> None:
    codec = {"utf8mb4": "utf-8", "utf16": "utf-16-be", "utf32": "utf-32-be"}[charset]
    raw = text.encode(codec)
    for type_, meta, size in ((15, 1000, 2), (252, 2, 2), (252, 3, 3), (252, 4, 4)):
        stored = column("s", "VARCHAR" if type_ == 15 else "TEXT", type_, meta, charset=charset)
        assert one(stored, encode.string(raw, size)) == text


@pytest.mark.parametrize(
    ("type_", "meta", "size"),
    [(15, 255, 1), (15, 256, 2), (253, 40, 1), (254, 254 << 8 | 255, 1), (254, 0xCE00 | 252, 2)],
)
def test_the_length_of_a_char_takes_one_byte_up_to_255_bytes(type_: int, meta: int, size: int) -> None:
    assert one(column("s", "CHAR", type_, meta, charset="latin1"), encode.string(b"caf\xe9", size)) == "café"


def test_text_that_the_character_set_does_not_define_shows_replacement_characters() -> None:
    columns = [column("a", "VARCHAR", 15, 40, charset="utf8mb4"), column("b", "VARCHAR", 15, 40, charset="gbk")]
    images = [
        encode.image([encode.string(b"ok", 1), encode.string("中".encode("gbk"), 1)]),
        encode.image([encode.string(b"\xff!", 1), encode.string(b"\xff", 1)]),
    ]
    assert decode(columns, encode.rows(Kind.WRITE, images, 2)) == [("ok", "中"), ("�!", "�")]


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("bytes", b"\xfb\xff\0"), ("base64", "+/8A"), ("base64-url-safe", "-_8A"), ("hex", "fbff00")],
)
def test_binary_is_padded_to_its_length_and_shown_as_the_mode_says(mode: str, shown: object) -> None:
    stored = column("b", "BINARY", 254, 254 << 8 | 3, length=3)
    assert one(stored, encode.string(b"\xfb\xff", 1), TypeOptions(binary=mode)) == shown


def test_varbinary_is_not_padded() -> None:
    assert one(column("b", "BINARY", 254, 254 << 8 | 1), b"\0") == b"", "BINARY without a length is not padded"
    assert one(column("b", "VARBINARY", 15, 3, length=3), encode.string(b"\xfb", 1)) == b"\xfb"


def test_enum_and_set_show_their_members_a_comma_escaped() -> None:
    members = ("a", "b,c", "d")
    enum = column("e", "ENUM", 254, 247 << 8 | 1, enum_values=members)
    assert [one(enum, bytes([i])) for i in range(4)] == ["", "a", "b\\,c", "d"]
    assert one(column("e", "ENUM", 254, 247 << 8 | 2, enum_values=members), b"\2\0") == "b\\,c"
    chosen = column("s", "SET", 254, 248 << 8 | 1, enum_values=members)
    assert [one(chosen, bytes([i])) for i in (0, 1, 5, 7)] == ["", "a", "a,d", "a,b\\,c,d"]


@given(st.integers(2, 64), st.data())
def test_bits_are_little_endian(width: int, data: st.DataObject) -> None:
    value, size = data.draw(st.integers(0, 2**width - 1)), (width + 7) // 8
    stored = column("b", "BIT", 16, width // 8 << 8 | width % 8, length=width)
    assert one(stored, value.to_bytes(size, "big")) == value.to_bytes(size, "little")


def test_bit_1_and_boolean_are_truth_values() -> None:
    assert [one(column("b", "BIT", 16, 1, length=1), raw) for raw in (b"\0", b"\1")] == [False, True]
    assert [one(column("b", "BOOLEAN", 1), raw) for raw in (b"\0", b"\1", b"\2")] == [False, True, True]


def test_real_in_streamed_ddl_is_rounded_to_32_bits() -> None:
    stored = column("r", "REAL", 5, 8)
    assert one(stored, encode.double(0.1)) == 0.1
    single = Stored(replace(stored.column, jdbc_type=7), stored.type, stored.meta)
    assert one(single, encode.double(0.1)) == 0.10000000149011612
    assert one(single, encode.double(-1e300)) == float("-inf")


POINT = b"\1\1\0\0\0" + encode.double(1.5) + encode.double(-2)


def test_points_have_coordinates_and_geometries_only_their_wkb() -> None:
    raw = encode.integer(4326, 4) + POINT
    assert one(column("p", "POINT", 255, 4), encode.string(raw, 4)) == (1.5, -2.0, POINT, 4326)
    assert one(column("g", "GEOMETRY", 255, 4), encode.string(b"\0\0\0\0" + POINT, 4)) == (POINT, None)
    with pytest.raises(DecodeError):
        one(column("p", "POINT", 255, 4), encode.string(raw + b"\0", 4))


def test_a_vector_is_a_list_of_floats() -> None:
    raw = b"\0\0\x80\x3f\0\0\0\xc0"
    assert one(column("v", "VECTOR", 242, 4), encode.string(raw, 4)) == [1.0, -2.0]


def test_json_is_a_text_and_no_bytes_are_no_document() -> None:
    assert one(column("j", "JSON", 245, 4), encode.string(b"\4\1", 4)) == "true"
    assert one(column("j", "JSON", 245, 4), encode.string(b"", 4)) is None
    assert one(column("j", "JSON", 245, 4, optional=False), encode.string(b"", 4)) == "{}"


@pytest.mark.parametrize(("year", "month", "day"), [(0, 0, 0), (2024, 0, 1), (2024, 2, 0), (0, 1, 1), (2023, 2, 29)])
def test_a_date_no_calendar_has_is_null_or_the_default_or_1970(year: int, month: int, day: int) -> None:
    raw_date, raw_moment = encode.date(year, month, day), encode.datetime((year, month, day, 1, 2, 3))
    assert one(column("d", "DATE", 10), raw_date) is None
    assert one(column("d", "DATE", 10, optional=False), raw_date) == 0
    assert one(column("d", "DATE", 10, optional=False, has_default=True, default="2000-01-02"), raw_date) == 10958
    assert one(column("d", "DATETIME", 18), raw_moment) is None
    assert one(column("d", "DATETIME", 18, optional=False), raw_moment) == 0
    iso = TypeOptions(time_precision="isostring")
    assert one(column("d", "DATE", 10, optional=False), raw_date, iso) == "1970-01-01Z"
    assert one(column("d", "DATETIME", 18, optional=False), raw_moment, iso) == "1970-01-01T00:00:00Z"


def test_years_of_two_digits_are_adjusted_unless_told_not_to() -> None:
    stored, raw = column("d", "DATE", 10), encode.date(69, 12, 31)
    assert one(stored, raw) == (date(2069, 12, 31) - EPOCH).days
    assert one(stored, encode.date(70, 1, 1)) == 0
    assert one(stored, raw, TypeOptions(adjust_years=False)) == (date(69, 12, 31) - EPOCH).days
    moment = column("d", "DATETIME", 18)
    assert one(moment, encode.datetime((70, 1, 1, 0, 0, 1))) == 1000


def test_times_of_servers_before_5_6_4_are_read() -> None:
    assert one(column("t", "TIME", 11), encode.integer(123456, 3)) == 45_296_000_000
    assert one(column("t", "TIME", 11), encode.integer(-123456, 3)) == -45_296_000_000
    assert one(column("d", "DATETIME", 12), encode.integer(20261121010203, 8)) == 1_795_222_923_000
    assert one(column("d", "DATETIME", 12), encode.integer(0, 8)) is None
    assert one(column("d", "TIMESTAMP", 7), encode.integer(1, 4)) == "1970-01-01T00:00:01Z"


def test_iso_texts_are_as_short_as_they_can_be() -> None:
    iso = TypeOptions(time_precision="isostring")
    assert one(column("t", "TIME", 19, 6, length=6), encode.time(3_723_500_000, 6), iso) == "01:02:03.5Z"
    assert one(column("t", "TIME", 19), encode.time(-1_000_000), iso) is None
    moment = column("d", "DATETIME", 18, 6, length=6)
    raw = encode.datetime((2026, 1, 2, 3, 4, 5), 60, 6)
    assert one(moment, raw, iso) == "2026-01-02T03:04:05.00006Z"


MIXED = [
    column("id", "BIGINT", 8, optional=False),
    column("a", "INT", 3),
    column("m", "MEDIUMINT", 9),
    column("s", "VARCHAR", 15, 300, charset="utf8mb4"),
    column("n", "DECIMAL", 246, 10 << 8 | 2, length=10, scale=2, optional=False),
    column("d", "DATE", 10),
    column("t", "TEXT", 252, 3, charset="utf8mb4"),
    column("y", "YEAR", 13, optional=False),
    column("b", "TINYINT UNSIGNED", 1),
    column("u", "DATETIME", 18, 3, length=3),
]
VALUES = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**23), 2**23 - 1),
    st.none() | st.text(max_size=70),
    st.integers(-(10**10) + 1, 10**10 - 1),
    st.none() | dates,
    st.none() | st.text(max_size=400),
    st.integers(1901, 2155),
    st.none() | st.integers(0, 255),
    st.none() | moments,
)


def mixed_image(row: tuple[Any, ...]) -> bytes:
    encoders: list[Any] = [
        lambda v: encode.integer(v, 8), lambda v: encode.integer(v, 4), lambda v: encode.integer(v, 3),
        lambda v: encode.string(v.encode(), 2), lambda v: encode.decimal(v, 10, 2),
        lambda v: encode.date(v.year, v.month, v.day), lambda v: encode.string(v.encode(), 3),
        lambda v: bytes([v - 1900]), lambda v: encode.integer(v, 1),
        lambda v: encode.datetime(v.timetuple()[:6], v.microsecond, 3),
    ]  # fmt: skip
    return encode.image([None if v is None else write(v) for write, v in zip(encoders, row, strict=True)])


def mixed_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    day, moment = row[5], row[9]
    return (
        *row[:5],
        None if day is None else (day - EPOCH).days,
        *row[6:9],
        None if moment is None else (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1),
    )


@given(st.lists(VALUES, max_size=4))
def test_rows_of_many_columns_with_and_without_nulls_come_back(rows: list[tuple[Any, ...]]) -> None:
    images, expected = [mixed_image(row) for row in rows], [mixed_row(row) for row in rows]
    assert decode(MIXED, encode.rows(Kind.WRITE, images, len(MIXED))) == expected
    assert decode(MIXED, encode.rows(Kind.DELETE, images, len(MIXED))) == expected
    pairs = encode.rows(Kind.UPDATE, images + images[:1] * (len(images) % 2), len(MIXED))
    both = expected + expected[:1] * (len(images) % 2)
    assert decode(MIXED, pairs) == list(zip(both[::2], both[1::2], strict=True))


@given(VALUES, st.lists(st.integers(0, len(MIXED) - 1), min_size=1, unique=True))
def test_columns_that_are_not_captured_are_passed_over(row: tuple[Any, ...], wanted: list[int]) -> None:
    event = encode.rows(Kind.WRITE, [mixed_image(row)], len(MIXED))
    assert decode(MIXED, event, DEFAULTS, *wanted) == [tuple(mixed_row(row)[i] for i in wanted)]


def test_columns_that_do_not_stand_in_the_event_are_none_unless_the_row_before_tells_them() -> None:
    columns = [column("id", "INT", 3, optional=False), column("a", "INT", 3), column("b", "INT", 3)]
    images = [encode.image([encode.integer(1, 4)]), encode.image([encode.integer(7, 4), None])]
    before, after = encode.bitmap([True, False, False]), encode.bitmap([False, True, True])
    event = encode.rows(Kind.UPDATE, images, 3, before=before, after=after)
    assert decode(columns, event) == [((1, None, None), (1, 7, None))]


@given(VALUES, st.data())
def test_a_truncated_or_prolonged_event_raises_decode_error(row: tuple[Any, ...], data: st.DataObject) -> None:
    event = encode.rows(Kind.WRITE, [mixed_image(row)], len(MIXED))
    table = encode.table(MIXED)
    read = compile_rows(table, encode.table_map(MIXED), DEFAULTS, table.columns, event, twin=_twins[-1])
    end = data.draw(st.integers(event.start + 1, event.end - 1))
    with pytest.raises(DecodeError):
        read(event.body, event.start, end)
    with pytest.raises(DecodeError):
        read(event.body[:end], event.start, end)
    with pytest.raises(DecodeError):
        read(event.body[:end], event.start, event.end)
    with pytest.raises(DecodeError):
        read(event.body, event.start, event.end + 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_raise_decode_error(raw: bytes) -> None:
    columns = [*MIXED, column("j", "JSON", 245, 4), column("e", "ENUM", 254, 247 << 8 | 1, enum_values=("a",))]
    event = encode.rows(Kind.WRITE, [raw], len(columns))
    try:
        rows = decode(columns, event)
    except DecodeError as error:
        assert "db.t" in str(error) or "JSON" in str(error)
    else:
        assert all(len(row) == len(columns) for row in rows)


def test_an_event_whose_rows_hold_no_column_raises_decode_error() -> None:
    columns = [column("id", "INT", 3)]
    event = encode.rows(Kind.WRITE, [b"x"], 1, after=b"\0")
    with pytest.raises(DecodeError):
        decode(columns, event)


def test_a_table_of_another_width_or_type_than_the_log_says_what_to_do() -> None:
    columns = [column("id", "INT", 3)]
    event = encode.rows(Kind.WRITE, [encode.image([encode.integer(1, 4)])], 1)
    table = encode.table([*columns, column("b", "INT", 3)])
    with pytest.raises(DecodeError, match=r"db\.t has 2 columns .* but 1 in .*history rebuild"):
        compile_rows(table, encode.table_map(columns), DEFAULTS, table.columns, event, twin=_twins[-1])
    for wrong in (column("id", "BIGINT", 3), column("id", "VARCHAR", 3, charset="utf8mb4")):
        with pytest.raises(DecodeError, match=r"column 'id' is (BIGINT|VARCHAR) .* but of type 3 .*history rebuild"):
            decode([wrong], event)
    with pytest.raises(DecodeError, match=r"column\.exclude\.list"):
        decode([column("id", "HYPERCUBE", 3)], event)
