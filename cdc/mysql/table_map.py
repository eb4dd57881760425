"""The body of a TABLE_MAP event -> which table it is, and its columns as the server stores them. No I/O.

Source: MySQL's source documentation, "Table_map_event", `enum Optional_metadata_field_type`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.mysql.event_bytes import EventBytes


@dataclass(frozen=True, slots=True)
class TableMap:
    """Which table a number stands for in the rows events that follow, and its columns as the server stores them.

    Attributes:
        column_types: one byte a column, `MYSQL_TYPE_*`; 140 and 141 are MariaDB's compressed BLOB and VARCHAR.
        metas: one number a column: VARCHAR and VAR_STRING the greatest length in bytes; STRING (also of ENUM and SET)
            real type * 256 + length byte; NEWDECIMAL precision * 256 + scale; BIT full bytes * 256 + odd bits;
            BLOB, JSON, GEOMETRY, VECTOR the bytes of the length; FLOAT, DOUBLE their size; TIME2, DATETIME2,
            TIMESTAMP2 the digits of fraction; 0 otherwise.
        nullable: one flag a column.

    Optional metadata (`binlog_row_metadata`), None when the server did not send it:
        unsigned: one flag a column, False for those that are no numbers.
        collations: one collation id a column, None for those that hold no text; 63 (binary) for a VECTOR too.
        names: column names (FULL).
        set_values, enum_values: column number -> members, as bytes in the column's character set (FULL).
        geometry_types: column number -> geometry type (FULL).
        primary_key: pairs (column number, prefix length or 0), in key order (FULL).
        visible: one flag a column (FULL).
        dimensions: column number -> length of a VECTOR.
    """

    table_id: int
    database: str
    table: str
    column_types: bytes
    metas: tuple[int, ...]
    nullable: tuple[bool, ...]
    unsigned: tuple[bool, ...] | None = None
    collations: tuple[int | None, ...] | None = None
    names: tuple[str, ...] | None = None
    set_values: dict[int, tuple[bytes, ...]] | None = field(default=None, hash=False)
    enum_values: dict[int, tuple[bytes, ...]] | None = field(default=None, hash=False)
    geometry_types: dict[int, int] | None = field(default=None, hash=False)
    primary_key: tuple[tuple[int, int], ...] | None = None
    visible: tuple[bool, ...] | None = None
    dimensions: dict[int, int] | None = field(default=None, hash=False)


_NUMERIC: Final = frozenset((1, 2, 3, 4, 5, 8, 9, 246))
_ONE_BYTE_META: Final = frozenset((4, 5, 17, 18, 19, 140, 242, 245, 249, 250, 251, 252, 255))
_CHARACTER: Final = frozenset((15, 140, 141, 242, 249, 250, 251, 252, 253, 254))
"""Types that the collations are counted through: MySQL takes a VECTOR for a binary text."""
_VARCHAR, _BIT, _ENUM, _SET, _VAR_STRING, _STRING, _NEWDECIMAL, _GEOMETRY, _VECTOR, _VARCHAR_COMPRESSED = (
    15, 16, 247, 248, 253, 254, 246, 255, 242, 141,
)  # fmt: skip


def real_type(kind: int, meta: int) -> int:
    """ENUM and SET stand in a table map as STRING with their own type in the metadata.

    So does a CHAR, whose type byte there is another one when it is longer than 255 bytes.
    """
    return meta >> 8 if kind == _STRING and meta >> 8 in (_ENUM, _SET) else kind


def _meta(kind: int, raw: EventBytes) -> int:
    """One column's metadata as the docstring of TableMap says."""
    if kind in _ONE_BYTE_META:
        return raw.number(1)
    if kind in (_VARCHAR, _VAR_STRING, _BIT, _VARCHAR_COMPRESSED):
        return raw.number(2)
    if kind in (_STRING, _ENUM, _SET, _NEWDECIMAL):
        return int.from_bytes(raw.take(2), "big")
    return 0


def _flags(raw: bytes, count: int, *, high_first: bool = False) -> tuple[bool, ...]:
    if len(raw) * 8 < count:
        raise ValueError(f"{len(raw)} bytes of flags for {count} columns")
    if high_first:
        return tuple(bool(raw[i >> 3] & 0x80 >> (i & 7)) for i in range(count))
    return tuple(bool(raw[i >> 3] & 1 << (i & 7)) for i in range(count))


def read(raw: EventBytes) -> TableMap:
    """The body of a TABLE_MAP event. Raises: ValueError: the bytes are not one."""
    table_id = raw.number(6)
    raw.take(2)
    database = raw.take(raw.number(1) + 1)[:-1].decode("utf-8", "replace")
    table = raw.take(raw.number(1) + 1)[:-1].decode("utf-8", "replace")
    width = raw.packed()
    types = raw.take(width)
    meta = raw.part(raw.packed())
    metas = tuple(_meta(kind, meta) for kind in types)
    nullable = _flags(raw.take((width + 7) // 8), width)
    known = _optional_metadata(raw, types, metas) if raw else {}
    return TableMap(table_id, database, table, types, metas, nullable, **known)


def _optional_metadata(raw: EventBytes, types: bytes, metas: Sequence[int]) -> dict[str, Any]:
    real = [real_type(kind, meta) for kind, meta in zip(types, metas, strict=True)]
    numbers = [i for i, kind in enumerate(real) if kind in _NUMERIC]
    texts = [i for i, kind in enumerate(real) if kind in _CHARACTER]
    choices = [i for i, kind in enumerate(real) if kind in (_ENUM, _SET)]
    collations: list[int | None] = [None] * len(types)
    known: dict[str, Any] = {}
    while raw:
        field_type = raw.number(1)
        value = raw.part(raw.packed())
        match field_type:
            case 1:
                flags = dict(zip(numbers, _flags(value.rest(), len(numbers), high_first=True), strict=True))
                known["unsigned"] = tuple(flags.get(i, False) for i in range(len(types)))
            case 2 | 10:
                _default_collations(value, texts if field_type == 2 else choices, collations)
            case 3 | 11:
                for i in texts if field_type == 3 else choices:
                    collations[i] = value.packed()
            case 4:
                known["names"] = tuple(value.text().decode("utf-8", "replace") for _ in types)
            case 5 | 6:
                wanted = _SET if field_type == 5 else _ENUM
                members = {i: tuple(_members(value)) for i in choices if real[i] == wanted}
                known["set_values" if field_type == 5 else "enum_values"] = members
            case 7:
                known["geometry_types"] = {i: value.packed() for i, kind in enumerate(real) if kind == _GEOMETRY}
            case 8:
                known["primary_key"] = tuple(_key_columns(value, len(types), prefixed=False))
            case 9:
                known["primary_key"] = tuple(_key_columns(value, len(types), prefixed=True))
            case 12:
                known["visible"] = _flags(value.rest(), len(types), high_first=True)
            case 13:
                known["dimensions"] = {i: value.packed() for i, kind in enumerate(real) if kind == _VECTOR}
    if any(collation is not None for collation in collations):
        known["collations"] = tuple(collations)
    return known


def _default_collations(raw: EventBytes, columns: Sequence[int], collations: list[int | None]) -> None:
    """One collation for all, then pairs (number among these columns, collation) for those that differ."""
    default = raw.packed()
    for i in columns:
        collations[i] = default
    while raw:
        i = columns[raw.packed()]
        collations[i] = raw.packed()


def _members(raw: EventBytes) -> Iterator[bytes]:
    for _ in range(raw.packed()):
        yield raw.text()


def _key_columns(raw: EventBytes, width: int, *, prefixed: bool) -> Iterator[tuple[int, int]]:
    while raw:
        column = raw.packed()
        if column >= width:
            raise ValueError(f"primary key column {column} of a table of {width} columns")
        yield column, raw.packed() if prefixed else 0
