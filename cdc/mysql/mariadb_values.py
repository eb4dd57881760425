"""Values that only MariaDB stores -> text and bytes: UUID, INET4, INET6, compressed columns.

The server leaves out the zeros at the end of a UUID and of an address. Source: MariaDB's Knowledge Base, "UUID Data
Type", "INET6", "Storage-Engine Independent Column Compression", and observed bytes.
"""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_MAPPED: Final = bytes(10) + b"\xff\xff"
_ZLIB: Final = 8
_RAW: Final = 8
"""Flag: the compressed bytes have no header of zlib's."""


def uuid_text(raw: bytes) -> str:
    digits = raw.ljust(16, b"\0").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def inet4_text(raw: bytes) -> str:
    return str(IPv4Address(raw.ljust(4, b"\0")))


def inet6_text(raw: bytes) -> str:
    """As the server prints it: an IPv4 address inside is written with dots."""
    address = raw.ljust(16, b"\0")
    inside = str(IPv4Address(address[12:]))
    if address[:12] == _MAPPED:
        return f"::ffff:{inside}"
    if address[:12] == bytes(12) and address[12:14] != bytes(2):
        return f"::{inside}"
    return str(IPv6Address(address))


def inflated(raw: bytes) -> bytes:
    """A value of a compressed column: zero and the value, or method and flags, its size, and the compressed value.

    Raises: ValueError: a method that is not known, or damaged bytes.
    """
    if not raw:
        return raw
    head = raw[0]
    if not head:
        return raw[1:]
    if head >> 4 != _ZLIB:
        raise ValueError(f"a column is compressed by the unknown method {head >> 4}")
    try:
        return zlib.decompress(raw[1 + (head & 7) :], -15 if head & _RAW else 15)
    except zlib.error as error:
        raise ValueError(str(error)) from error
