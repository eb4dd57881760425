"""Strings as Java has them: UTF-16 lengths, serialized bytes.

Source: the documentation of `java.lang.String` and "Java Object Serialization Specification".
"""

from __future__ import annotations

import struct
from typing import Final

_SERIAL_HEADER: Final = b"\xac\xed\x00\x05"
_SHORT, _LONG = b"t", b"|"


def cut(text: str, length: int) -> str:
    """`substring(0, length)`, counted in UTF-16 units; half a character at the end is left out."""
    if text.isascii() or len(text) <= length // 2:
        return text[:length]
    return text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "ignore")


def serialized(text: str) -> bytes:
    """What ObjectOutputStream writes for a String."""
    data = _modified_utf8(text)
    if len(data) < 1 << 16:
        return _SERIAL_HEADER + _SHORT + struct.pack(">H", len(data)) + data
    return _SERIAL_HEADER + _LONG + struct.pack(">Q", len(data)) + data


def _modified_utf8(text: str) -> bytes:
    """Each UTF-16 unit by itself, and zero in two bytes."""
    if text.isascii() and "\0" not in text:
        return text.encode("ascii")
    units = text.encode("utf-16-le", "surrogatepass")
    halves = "".join(chr(unit) for (unit,) in struct.iter_unpack("<H", units))
    return halves.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
