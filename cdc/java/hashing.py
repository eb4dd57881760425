"""Java's `hashCode` of a value of a schema, and the MurmurHash3 that Debezium chooses partitions with.

Both are 32-bit signed numbers. Source: the `hashCode` contracts of `java.lang`, `java.math`, `java.nio`, `java.util`;
MurmurHash3 x64 of 128 bits in its first form (constants of revision 136).
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack
from typing import Any, Final

from cdc.java.order import hash_code
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type

Hash = Callable[[Any], int]
_LONG: Final = 2**64 - 1
_DAY: Final = 86_400_000
_SEED: Final = 9001


def signed(value: int) -> int:
    """The lowest 32 bits as Java's `int`."""
    return (value & 0xFFFFFFFF) - ((value & 0x80000000) << 1)


def java_hash(schema: Schema) -> Hash:
    """A function from a value of `schema` to its `hashCode`; bytes as a `ByteBuffer`, a struct as its list of items.

    A Java struct's own `hashCode` differs from one run to the next, so there is none to be equal to.
    """
    if schema.name == DECIMAL:
        scale = schema.scale
        return lambda value: signed(31 * _big(value) + scale)
    if schema.name == DATE:
        return lambda days: _of_long(days * _DAY)
    if schema.name in (TIME, TIMESTAMP):
        return _of_long
    plain = _PLAIN.get(schema.type)
    if plain is not None:
        return plain
    if schema.type is Type.STRUCT:
        hashes = [java_hash(field.schema) for field in schema.fields]
        return lambda items: _of_items(zip(hashes, items, strict=True))
    assert schema.items is not None
    element = java_hash(schema.items)
    if schema.type is Type.ARRAY:
        return lambda items: _of_items((element, item) for item in items)
    assert schema.keys is not None
    name = java_hash(schema.keys)
    return lambda pairs: signed(sum(name(key) ^ (0 if item is None else element(item)) for key, item in pairs.items()))


def _of_items(items: Any) -> int:
    total = 1
    for hashed, item in items:
        total = 31 * total + (0 if item is None else hashed(item))
    return signed(total)


def _of_long(value: int) -> int:
    bits = value & _LONG
    return signed(bits ^ bits >> 32)


def _big(value: int) -> int:
    """`BigInteger.hashCode`: the magnitude's 32-bit digits, with the sign."""
    magnitude, total = abs(value), 0
    for shift in range((magnitude.bit_length() + 31) // 32 * 32 - 32, -1, -32):
        total = 31 * total + (magnitude >> shift & 0xFFFFFFFF)
    return signed(-total if value < 0 else total)


def _of_double(value: float) -> int:
    return _of_long(0x7FF8000000000000 if value != value else unpack(">q", pack(">d", value))[0])


def _of_float(value: float) -> int:
    return 0x7FC00000 if value != value else int(unpack(">i", pack(">f", value))[0])


def _of_bytes(value: bytes) -> int:
    total = 1
    for byte in reversed(value):
        total = 31 * total + (byte - 256 if byte > 127 else byte)
    return signed(total)


_PLAIN: Final[dict[Type, Hash]] = {
    Type.INT8: int, Type.INT16: int, Type.INT32: int, Type.INT64: _of_long, Type.STRING: hash_code,
    Type.BOOLEAN: lambda value: 1231 if value else 1237, Type.BYTES: _of_bytes, Type.FLOAT64: _of_double,
    Type.FLOAT32: _of_float,
}  # fmt: skip


def murmur_hash(schema: Schema) -> Hash:
    """As Debezium's `partition.hash.function=murmur`: of a string's UTF-8, else of the four bytes of its `hashCode`."""
    if schema.type is Type.STRING:
        return lambda text: murmur(text.encode("utf-8", "replace"))
    java = java_hash(schema)
    return lambda value: murmur(pack("<i", java(value)))


def murmur(data: bytes) -> int:
    """The upper half of the first of the two 64-bit words, as Java's `int`."""
    h1, h2 = 0x9368E53C2F6AF274 ^ _SEED, 0x586DCD208F7CD3FD ^ _SEED
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    whole = len(data) // 16 * 16
    blocks = [unpack("<QQ", data[at : at + 16]) for at in range(0, whole, 16)]
    if len(data) > whole:
        blocks.append((_tail(data[whole : whole + 8]), _tail(data[whole + 8 :])))
    for k1, k2 in blocks:
        h1 = ((h1 ^ _mixed(k1, c1, c2)) + h2) & _LONG
        h2 = _turned(h2, 41)
        h2 = ((h2 ^ _mixed(k2, c2, c1)) + h1) & _LONG
        h1, h2 = (h1 * 3 + 0x52DCE729) & _LONG, (h2 * 3 + 0x38495AB5) & _LONG
        c1, c2 = (c1 * 5 + 0x7B7D159C) & _LONG, (c2 * 5 + 0x6BCE6396) & _LONG
    h2 ^= len(data)
    h1 = (h1 + h2) & _LONG
    h2 = (h2 + h1) & _LONG
    return signed((_finished(h1) + _finished(h2)) >> 32)


def _tail(data: bytes) -> int:
    """Up to eight bytes, low first. Java's are signed, so a byte above 127 turns all the bits above it."""
    word = 0
    for at, byte in enumerate(data):
        word ^= ((byte - 256 if byte > 127 else byte) << 8 * at) & _LONG
    return word


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _LONG


def _mixed(word: int, first: int, second: int) -> int:
    return _turned(word * first & _LONG, 23) * second & _LONG


def _finished(word: int) -> int:
    word ^= word >> 33
    word = word * 0xFF51AFD7ED558CCD & _LONG
    word ^= word >> 33
    word = word * 0xC4CEB9FE1A85EC53 & _LONG
    return word ^ word >> 33
