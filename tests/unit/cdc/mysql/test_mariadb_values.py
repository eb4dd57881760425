"""UUIDs, addresses and compressed values as MariaDB's log holds them, against what the server prints."""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql.mariadb_values import inet4_text, inet6_text, inflated, uuid_text


@given(st.uuids())
def test_a_uuid_is_whole_though_its_zeros_at_the_end_are_not_stored(uuid: UUID) -> None:
    assert uuid_text(uuid.bytes.rstrip(b"\0")) == str(uuid)


def test_a_uuid_of_zeros_alone_is_stored_as_nothing() -> None:
    assert uuid_text(b"") == "00000000-0000-0000-0000-000000000000"


@given(st.ip_addresses(v=4))
def test_an_inet4_is_whole(address: IPv4Address) -> None:
    assert inet4_text(address.packed.rstrip(b"\0")) == str(address)


@given(st.ip_addresses(v=6))
def test_an_inet6_is_read_again_from_its_text(address: IPv6Address) -> None:
    assert IPv6Address(inet6_text(address.packed.rstrip(b"\0"))) == address


@pytest.mark.parametrize(
    "text", ["::", "::1", "fe80::", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4", "::1.2.3.4", "1::"]
)
def test_an_inet6_is_printed_as_the_server_prints_it(text: str) -> None:
    assert inet6_text(IPv6Address(text).packed) == text


def _raw(content: bytes) -> bytes:
    maker = zlib.compressobj(wbits=-15)
    return maker.compress(content) + maker.flush()


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("8a0258" + _raw(b"ab" * 300).hex(), b"ab" * 300),
        ("0073686f7274", b"short"),
        ("", b""),
        ("820258" + zlib.compress(b"ab" * 300).hex(), b"ab" * 300),
    ],
)
def test_a_compressed_value_is_inflated_when_it_was_worth_it(stored: str, value: bytes) -> None:
    assert inflated(bytes.fromhex(stored)) == value


@pytest.mark.parametrize("stored", ["90aa", "8a0258ffff"])
def test_an_unknown_method_and_damaged_bytes_are_refused(stored: str) -> None:
    with pytest.raises(ValueError, match=r"unknown method 9|invalid|incomplete"):
        inflated(bytes.fromhex(stored))
