"""The order in which Java reads its hash maps and sets of texts: it shows wherever Debezium writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def text_hash(text: str) -> int:
    """`String.hashCode`, of which the high bits are mixed into the low ones, as an unsigned 32-bit number."""
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        code = (code * 31 + int.from_bytes(units[at : at + 2], "big")) & 0xFFFFFFFF
    return code ^ code >> 16


def in_hash_order(items: Iterable[T], buckets: int, text: Callable[[T], str] = str) -> list[T]:
    """`items` as a map of so many buckets gives them; those of one bucket stay as they stand."""
    return sorted(items, key=lambda item: text_hash(text(item)) & (buckets - 1))


def map_buckets(count: int) -> int:
    """Buckets of a HashMap that grew to so many entries."""
    buckets = 16
    while count > buckets * 3 // 4:
        buckets *= 2
    return buckets


def joined_buckets(count: int) -> int:
    """Buckets of a HashMap into which maps of one entry were put one after the other."""
    buckets = 2
    while count > buckets * 3 // 4:
        buckets *= 2
    return buckets


def concurrent_buckets(count: int) -> int:
    """The same of a ConcurrentHashMap, which grows an entry earlier."""
    return map_buckets(count + 1)


def copied_buckets(count: int) -> int:
    """Buckets of a HashMap that was made as a copy of a map of so many entries."""
    if not count:
        return 16
    wanted, buckets = int(count / 0.75 + 1), 1
    while buckets < wanted:
        buckets *= 2
    return buckets
