"""Key bytes to partition number, as Kafka's Java clients place keyed records."""

from __future__ import annotations

from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """MurmurHash2, 32 bits, unsigned, with the seed of Kafka's clients. Source: Austin Appleby, MurmurHash2."""
    length = len(key)
    h = _SEED ^ length
    body = length & ~3
    for at in range(0, body, 4):
        k = int.from_bytes(key[at : at + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if body < length:
        h = (h ^ int.from_bytes(key[body:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=65536)
def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner puts a keyed record. Source: `Utils.toPositive(Utils.murmur2(key)) % n`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
