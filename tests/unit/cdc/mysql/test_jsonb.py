# ruff: noqa: E501
"""Binary JSON to text; the bytes are a MySQL 9.7 server's."""

from __future__ import annotations

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.mysql import jsonb

RECORDED = [
    ('0005007a002700010028000100290001002a0003002d0003000501000230000053000a6a000972006162636269676e6567050023000401000402000400000b13000b1b00000000000000f83f000000205fa012c2010017000b0001000c0c00640ac3a9f09f98800a227122ffffffffffffffff0000000000000080', '{"a":1,"b":[true,false,null,1.5,-20000000000],"c":{"d":"é😀\\n\\"q\\""},"big":18446744073709551615,"neg":-9223372036854775808}'),
    ('09005ed0b200000000', '3000000000'),
    ('08005ed0b2', '3000000000'),
    ('0ff6070b028000000c32', '12.50'),
    ('0ff60b130a7ffffffffff0bdbfff', '-0.0010000000'),
    ('0ff61224097ffffff3eb655bcaf204c72df8a432ea', '-12345678901234567890.123456789'),
    ('0f0c08f45b0a0531c4b819', '"2026-01-02 03:04:05.6789"'),
    ('0f0a080000000000c4b819', '"2026-01-02"'),
    ('0f0b08000000345dffffff', '"11:0-12:0-12"'),
    ('0f0b08e05ef8335dffffff', '"11:0-12:0-13.00000-5"'),
    ('0f0b080500004240060000', '"100:01:02.000005"'),
    ('0200000400', '[]'),
    ('0000000400', '{}'),
    ('0c03011f2f', '"\\u0001\\u001F/"'),
    ('0f0f03010203', '"AQID"'),
    ('0f0f0105', '"BQ=="'),
    ('020100120002070001000b0002070000000400', '[[[]]]'),
    ('0400', 'null'),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "text"), RECORDED)
def test_a_value_is_written_as_debezium_streams_it(raw: str, text: str) -> None:
    assert jsonb.text(bytes.fromhex(raw)) == text


def test_no_bytes_are_a_null() -> None:
    assert jsonb.text(b"") == "null"


@given(st.text())
def test_strings_come_back_through_any_json_reader(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    size = bytes((len(raw) & 127 | 128, len(raw) >> 7))
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert json.loads(jsonb.text(b"\x0c" + size + raw)) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_come_back_and_have_no_exponent(value: float) -> None:
    text = jsonb.text(b"\x0b" + struct.pack("<d", value))
    assert float(text) == value
    assert "e" not in text.lower()


@given(st.sampled_from([bytes.fromhex(raw) for raw, _ in RECORDED]), st.data())
def test_damaged_values_never_give_more_than_an_error(raw: bytes, data: st.DataObject) -> None:
    damaged = bytearray(raw[: data.draw(st.integers(1, len(raw)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        jsonb.text(bytes(damaged))


def test_a_value_that_holds_itself_is_refused() -> None:
    with pytest.raises(DecodeError, match="nested too deep"):
        jsonb.text(bytes((2, 1, 0, 7, 0, 2, 0, 0)))


@pytest.mark.parametrize("raw", ["0d", "0403", "0b00", "0c05", "0f0b0401020304", "0ff6030201ff", "02ffff0400"])
def test_what_is_no_value_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        jsonb.text(bytes.fromhex(raw))
