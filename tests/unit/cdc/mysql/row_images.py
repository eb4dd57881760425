"""A small encoder of MySQL row images, written apart from the decoder, from MySQL's documentation of the formats."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdc.mysql.binlog import Kind, Rows, TableMap
from cdc.table import Column, Table, TableId

JDBC = {"TINYINT": 5, "SMALLINT": 5, "MEDIUMINT": 4, "INT": 4, "BIGINT": -5, "DECIMAL": 3, "FLOAT": 6, "DOUBLE": 8,
        "REAL": 8, "VARCHAR": 12, "CHAR": 1, "TEXT": 12, "BINARY": -2, "VARBINARY": -3, "BLOB": 2004, "DATE": 91,
        "TIME": 92, "DATETIME": 93, "TIMESTAMP": 2014, "YEAR": 4, "ENUM": 1, "SET": 1, "BIT": -7}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A column, and how the server stores it."""

    column: Column
    type: int
    meta: int


def column(name: str, type_name: str, type_: int, meta: int = 0, **attributes: Any) -> Stored:
    word = type_name.split()[0]
    described = Column(name=name, position=1, type_name=type_name, type_expression=type_name,
                       jdbc_type=JDBC.get(word, 1111), **attributes)  # fmt: skip
    return Stored(described, type_, meta)


def table(columns: Sequence[Stored]) -> Table:
    return Table(id=TableId("db", "t"), columns=tuple(stored.column for stored in columns))


def table_map(columns: Sequence[Stored]) -> TableMap:
    return TableMap(
        7, "db", "t", bytes(stored.type for stored in columns), tuple(stored.meta for stored in columns),
        tuple(stored.column.optional for stored in columns),
    )  # fmt: skip


def bitmap(flags: Sequence[bool], unused: bool = False) -> bytes:
    filled = [*flags, *[unused] * (-len(flags) % 8)]
    return bytes(sum(flag << i for i, flag in enumerate(filled[at : at + 8])) for at in range(0, len(filled), 8))


def image(encoded: Sequence[bytes | None]) -> bytes:
    """One row image of present columns, None for a null; the unused bits of the bitmap are set, as the server does."""
    return bitmap([value is None for value in encoded], unused=True) + b"".join(v for v in encoded if v is not None)


def rows(
    kind: Kind, images: Sequence[bytes], width: int, *, before: bytes | None = None, after: bytes | None = None
) -> Rows:
    """A rows event between other bytes; all columns stand in it when no bitmap is given."""
    whole = bitmap([True] * width)
    body = b"header" + b"".join(images)
    return Rows(
        kind, 7, width,
        None if kind is Kind.WRITE else before or whole,
        None if kind is Kind.DELETE else after or whole,
        body + b"\xff\xff\xff\xff", 6, len(body),
    )  # fmt: skip


def integer(value: int, size: int) -> bytes:
    return (value % (1 << 8 * size)).to_bytes(size, "little")


def decimal(unscaled: int, precision: int, scale: int) -> bytes:
    sizes = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    digits = str(abs(unscaled)).rjust(precision, "0")
    whole, part = digits[: precision - scale], digits[precision - scale :]
    first = len(whole) % 9
    groups = [whole[:first], *(whole[i : i + 9] for i in range(first, len(whole), 9))]
    groups += [part[i : i + 9] for i in range(0, len(part), 9)]
    raw = bytearray(b"".join(int(group).to_bytes(sizes[len(group)], "big") for group in groups if group))
    if unscaled < 0:
        raw = bytearray(byte ^ 0xFF for byte in raw)
    raw[0] ^= 0x80
    return bytes(raw)


def fraction(micros: int, digits: int) -> bytes:
    """The stored fraction of a value that keeps so many digits."""
    size = (digits + 1) // 2
    return (micros // {0: 1_000_000, 1: 10_000, 2: 100, 3: 1}[size]).to_bytes(size, "big") if size else b""


def date(year: int, month: int, day: int) -> bytes:
    return (year << 9 | month << 5 | day).to_bytes(3, "little")


def datetime(parts: tuple[int, int, int, int, int, int], micros: int = 0, digits: int = 0) -> bytes:
    year, month, day, hour, minute, second = parts
    packed = 1 << 39 | (year * 13 + month) << 22 | day << 17 | hour << 12 | minute << 6 | second
    return packed.to_bytes(5, "big") + fraction(micros, digits)


def timestamp(seconds: int, micros: int = 0, digits: int = 0) -> bytes:
    return seconds.to_bytes(4, "big") + fraction(micros, digits)


def time(micros: int, digits: int = 0) -> bytes:
    """Negative values are the two's complement of the whole, fraction included."""
    size = (digits + 1) // 2
    seconds, rest = divmod(abs(micros), 1_000_000)
    packed = seconds // 3600 << 12 | seconds // 60 % 60 << 6 | seconds % 60
    whole = packed << 8 * size | int.from_bytes(fraction(rest, digits), "big")
    zero = 1 << 8 * size + 23
    return (zero - whole if micros < 0 else zero + whole).to_bytes(3 + size, "big")


def string(raw: bytes, length_bytes: int) -> bytes:
    return len(raw).to_bytes(length_bytes, "little") + raw


def double(value: float) -> bytes:
    return struct.pack("<d", value)
