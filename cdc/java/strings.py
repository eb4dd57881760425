"""Strings as Java has them: UTF-16 lengths, hash codes, the order of a HashMap, serialized bytes.

Source: the documentation of `java.lang.String`, `java.util.HashMap` and "Java Object Serialization Specification".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

_SERIAL_HEADER: Final = b"\xac\xed\x00\x05"
_SHORT, _LONG = b"t", b"|"
_SMALLEST_TABLE: Final = 16


def cut(text: str, length: int) -> str:
    """`substring(0, length)`, counted in UTF-16 units; half a character at the end is left out."""
    if text.isascii() or len(text) <= length // 2:
        return text[:length]
    return text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "ignore")


def hash_code(text: str) -> int:
    """`String.hashCode()`, as 32 bits without a sign."""
    units = text.encode("utf-16-le", "surrogatepass")
    code = 0
    for (unit,) in struct.iter_unpack("<H", units):
        code = code * 31 + unit & 0xFFFFFFFF
    return code


def table_size(entries: int, size: int = _SMALLEST_TABLE) -> int:
    """Buckets of a HashMap that had `size` of them and holds so many entries: it doubles past three quarters."""
    while entries * 4 > size * 3:
        size *= 2
    return size


def in_hash_order(names: Iterable[str], size: int | None = None) -> list[str]:
    """Names in the order in which a HashMap tells its keys; `names` come in the order of insertion."""
    listed = list(names)
    size = table_size(len(listed)) if size is None else size

    def bucket(name: str) -> int:
        code = hash_code(name)
        return (code ^ code >> 16) & size - 1

    return sorted(listed, key=bucket)


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
