"""Integers and strings of events, and the end of their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql.event_bytes import EventBytes


def over(raw: bytes) -> EventBytes:
    return EventBytes(raw, 0, len(raw))


def varlen(value: int) -> bytes:
    """An integer as `mysql::serialization` writes it: one byte for each 7 bits, up to 9."""
    more = min(max(0, (value.bit_length() - 1) // 7), 8)
    if more == 8:
        return b"\xff" + value.to_bytes(8, "little")
    return (value << more + 1 | (1 << more) - 1).to_bytes(more + 1, "little")


@given(st.integers(0, 2**64 - 1))
def test_an_integer_of_variable_length_comes_back(value: int) -> None:
    raw = over(varlen(value) + b"x")
    assert raw.varlen() == value
    assert raw.rest() == b"x"


@given(st.integers(-(2**62), 2**62))
def test_a_signed_integer_has_its_sign_in_the_lowest_bit(value: int) -> None:
    assert over(varlen(value << 1 if value >= 0 else (~value << 1) | 1)).varlen(signed=True) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [(b"\xfa", 250), (b"\xfc\xfb\x00", 251), (b"\xfd\x00\x00\x01", 65536), (b"\xfe" + b"\xff" * 8, 2**64 - 1)],
)
def test_a_length_encoded_integer_has_one_to_nine_bytes(raw: bytes, value: int) -> None:
    assert over(raw).packed() == value


@pytest.mark.parametrize("raw", [b"", b"\xfc\x00", b"\xfb", b"\xff", b"\xfe\x01"])
def test_what_is_no_length_encoded_integer_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        over(raw).packed()


def test_nothing_is_read_past_the_end_of_a_part() -> None:
    raw = over(b"\x03abcd")
    part = raw.part(3)
    assert part.take(3) == b"\x03ab"
    assert not part
    with pytest.raises(ValueError, match="1 bytes wanted where 0 are left"):
        part.number(1)
    assert raw.rest() == b"cd"
    with pytest.raises(ValueError):
        EventBytes(b"", 1, 0)
