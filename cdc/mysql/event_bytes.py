"""Bytes of a binary log event, read forward and never past their end: fixed, length-encoded and varlen integers."""

from __future__ import annotations


class EventBytes:
    """Reads forward through part of an event; a ValueError past its end."""

    __slots__ = ("at", "end", "raw")

    def __init__(self, raw: bytes, at: int, end: int) -> None:
        if at > end:
            raise ValueError(f"{at - end} bytes too short")
        self.raw, self.at, self.end = raw, at, end

    def take(self, size: int) -> bytes:
        start, stop = self.at, self.at + size
        if stop > self.end:
            raise ValueError(f"{size} bytes wanted where {self.end - start} are left")
        self.at = stop
        return self.raw[start:stop]

    def rest(self) -> bytes:
        return self.take(self.end - self.at)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def packed(self) -> int:
        """MySQL's length-encoded integer of 1, 3, 4 or 9 bytes."""
        first = self.number(1)
        if first < 0xFB:
            return first
        if first in (0xFB, 0xFF):
            raise ValueError(f"{first:#x} begins no length-encoded integer")
        return self.number({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def text(self) -> bytes:
        """A length-encoded string."""
        return self.take(self.packed())

    def varlen(self, *, signed: bool = False) -> int:
        """An integer of `mysql::serialization`: as many more bytes as the first has low one-bits; sign lowest."""
        first = self.number(1)
        more = (~first & -~first).bit_length() - 1
        value = first >> (more + 1) if more < 8 else 0
        value |= self.number(more) << (7 - more if more < 8 else 0)
        if not signed:
            return value
        return ~(value >> 1) if value & 1 else value >> 1

    def part(self, size: int) -> EventBytes:
        start = self.at
        self.take(size)
        return EventBytes(self.raw, start, start + size)

    def __bool__(self) -> bool:
        return self.at < self.end
