"""Numbers and lengths in Avro's binary form. Source: Apache Avro 1.12 Specification, "Binary Encoding"."""

from __future__ import annotations

from struct import Struct
from typing import Final

_CHUNK: Final = 1 << 14
_LIMIT: Final = 1 << 64
DOUBLE: Final = Struct("<d")
FLOAT: Final = Struct("<f")
SHORT: Final = [bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(_CHUNK)]
"""The whole form of each number (already zigzag) that takes one byte or two."""
_MORE: Final = [bytes((n & 127 | 128, n >> 7 | 128)) for n in range(_CHUNK)]


def long(zigzag: int) -> bytes:
    """A number that takes more than two bytes: zigzag, so never negative. Raises: OverflowError: beyond 64 bits."""
    if not 0 <= zigzag < _LIMIT:
        raise OverflowError("a number does not fit 64 bits")
    low, high = _MORE[zigzag & 16383], zigzag >> 14
    if high < _CHUNK:
        return low + SHORT[high]
    middle, high = _MORE[high & 16383], high >> 14
    if high < _CHUNK:
        return low + middle + SHORT[high]
    upper, high = _MORE[high & 16383], high >> 14
    if high < _CHUNK:
        return low + middle + upper + SHORT[high]
    return low + middle + upper + _MORE[high & 16383] + SHORT[high >> 14]


def number(value: int) -> bytes:
    """An int or a long."""
    zigzag = (value << 1) ^ (value >> 63)
    return SHORT[zigzag] if 0 <= zigzag < _CHUNK else long(zigzag)


def text(value: str) -> bytes:
    raw = value.encode()
    size = len(raw) << 1
    return (SHORT[size] if size < _CHUNK else long(size)) + raw


def blob(raw: bytes) -> bytes:
    size = len(raw) << 1
    return (SHORT[size] if size < _CHUNK else long(size)) + raw


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next item begins. Raises: IndexError: the bytes end within it."""
    byte = data[at]
    at += 1
    value, shift = byte & 127, 7
    while byte > 127:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), at
