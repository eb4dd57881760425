"""The order in which Java reads its hash maps and sets of texts: it shows wherever Debezium writes one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def hash_code(text: str) -> int:
    """`String.hashCode()`, as 32 bits without a sign."""
    code = 0
    for (unit,) in struct.iter_unpack("<H", text.encode("utf-16-le", "surrogatepass")):
        code = code * 31 + unit & 0xFFFFFFFF
    return code


def in_hash_order(items: Iterable[T], buckets: int | None = None, text: Callable[[T], str] = str) -> list[T]:
    """`items` as a map of so many buckets gives them (None: one that grew by them); those of one stay as they stand."""
    listed = list(items)
    size = map_buckets(len(listed)) if buckets is None else buckets

    def bucket(item: T) -> int:
        code = hash_code(text(item))
        return (code ^ code >> 16) & (size - 1)  # the map mixes the high bits into the low ones

    return sorted(listed, key=bucket)


def map_buckets(count: int, buckets: int = 16) -> int:
    """Buckets of a HashMap that had so many `buckets` and holds `count` entries: it doubles past three quarters."""
    while count > buckets * 3 // 4:
        buckets *= 2
    return buckets


def joined_buckets(count: int) -> int:
    """Buckets of a HashMap into which maps of one entry were put one after the other."""
    return map_buckets(count, 2)


def concurrent_buckets(count: int) -> int:
    """The same of a ConcurrentHashMap, which grows an entry earlier, and of a HashSet made of a collection."""
    return map_buckets(count + 1)


def copied_buckets(count: int) -> int:
    """Buckets of a HashMap that was made as a copy of a map of so many entries."""
    if not count:
        return 16
    wanted, buckets = int(count / 0.75 + 1), 1
    while buckets < wanted:
        buckets *= 2
    return buckets
