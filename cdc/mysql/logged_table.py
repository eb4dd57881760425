"""A TABLE_MAP with all metadata -> the table as it stood in the log, when neither history nor server has it so. No I/O.

The log tells names, types, character sets, members, nullability and the primary key (`binlog_row_metadata=FULL`). What
it does not tell, defaults and comments above all, is taken from a column of the same name and kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from cdc.mysql.charset import charset
from cdc.mysql.column_decoder import char_bytes
from cdc.mysql.ddl import Catalog
from cdc.mysql.schema_change import quoted_member
from cdc.mysql.table_fit import column_fits
from cdc.mysql.table_map import TableMap, real_type
from cdc.mysql.type_family import Family, family, is_unsigned, type_word
from cdc.table import Column, Table, TableId

_PLAIN: Final = {
    1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 7: "timestamp", 8: "bigint", 9: "mediumint",
    10: "date", 11: "time", 12: "datetime", 13: "year", 14: "date", 245: "json",
}  # fmt: skip
_FRACTIONS: Final = {17: "timestamp", 18: "datetime", 19: "time"}
_SIZES: Final = {1: "tiny", 2: "", 3: "medium", 4: "long"}
_GEOMETRIES: Final = ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
                      "geometrycollection")  # fmt: skip
_WIDTHS: Final = {
    **dict.fromkeys(("utf8mb4", "utf16", "utf16le", "utf32", "gb18030"), 4),
    **dict.fromkeys(("utf8mb3", "utf8", "ujis", "eucjpms"), 3),
    **dict.fromkeys(("ucs2", "gbk", "gb2312", "big5", "sjis", "cp932", "euckr"), 2),
}  # fmt: skip
"""Greatest number of bytes of a character, where it is not one."""
_BINARY: Final = 63
_TOLD_BY_KIND: Final = (Family.UUID, Family.INET, Family.JSON, Family.VECTOR, Family.BOOLEAN)
"""Types that the log tells from no other one of the same storage."""
_SHOWN_ONLY: Final = (Family.INTEGER, Family.FLOAT, Family.YEAR)
"""Types whose length does not change what is stored."""


def logged_table(table_map: TableMap, likes: Sequence[Table]) -> Table | None:
    """The table of the rows that follow; None when the log does not name its columns.

    `likes` are tables that may have columns of it; the first that has one of the same kind gives what the log lacks.
    """
    if table_map.names is None:
        return None
    id = TableId(table_map.database, table_map.table)
    texts = [f"{_quoted(name)} {_type(table_map, i)}{_null(table_map, i)}" for i, name in enumerate(table_map.names)]
    key = [table_map.names[i] for i, _ in table_map.primary_key or ()]
    if key:
        texts.append(f"PRIMARY KEY ({', '.join(map(_quoted, key))})")
    catalog = Catalog()
    default = next((like.charset for like in likes), None) or "utf8mb4"
    catalog.execute(
        f"CREATE TABLE {'.'.join(map(_quoted, id))} ({', '.join(texts)}) DEFAULT CHARSET={default}", id.database
    )
    table = catalog.tables[id]
    columns = [_completed(c, table_map.column_types[i], likes) for i, c in enumerate(table.columns)]
    return replace(table, columns=tuple(columns), primary_key=table.primary_key or _unique_key(columns, likes),
                   comment=next((like.comment for like in likes), None))  # fmt: skip


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _null(table_map: TableMap, number: int) -> str:
    return "" if table_map.nullable[number] else " NOT NULL"


def _type(table_map: TableMap, number: int) -> str:
    kind, meta = table_map.column_types[number], table_map.metas[number]
    real = real_type(kind, meta)
    if real in _PLAIN:
        unsigned = table_map.unsigned is not None and table_map.unsigned[number]
        return _PLAIN[real] + (" unsigned" if unsigned else "")
    if real in _FRACTIONS:
        return f"{_FRACTIONS[real]}({meta})"
    match real:
        case 246:
            unsigned = table_map.unsigned is not None and table_map.unsigned[number]
            return f"decimal({meta >> 8},{meta & 255})" + (" unsigned" if unsigned else "")
        case 16:
            return f"bit({(meta >> 8) * 8 + (meta & 255)})"
        case 242:
            return f"vector({(table_map.dimensions or {}).get(number, 2048)})"
        case 255:
            return _GEOMETRIES[(table_map.geometry_types or {}).get(number, 0) % len(_GEOMETRIES)]
        case 247 | 248:
            return _choice(table_map, number, "enum" if real == 247 else "set")
    return _string(table_map, number, real)


def _collation(table_map: TableMap, number: int) -> int:
    found = table_map.collations[number] if table_map.collations is not None else None
    return _BINARY if found is None else found


def _choice(table_map: TableMap, number: int, word: str) -> str:
    name, codec = charset(_collation(table_map, number))
    members = (table_map.enum_values if word == "enum" else table_map.set_values) or {}
    texts = ",".join(quoted_member(raw.decode(codec, "replace")) for raw in members.get(number, ()))
    return f"{word}({texts}) CHARACTER SET {name}"


def _string(table_map: TableMap, number: int, real: int) -> str:
    """CHAR, VARCHAR and TEXT, or with the binary collation BINARY, VARBINARY and BLOB."""
    collation, meta = _collation(table_map, number), table_map.metas[number]
    is_text, name = collation != _BINARY, charset(collation)[0]
    tail = f" CHARACTER SET {name}" if is_text else ""
    if real in (15, 253, 141, 254):
        longest = char_bytes(meta) if real == 254 else meta
        if real == 141:
            longest -= 1  # MariaDB keeps a byte for the way it is compressed
        word = {True: ("varchar", "char"), False: ("varbinary", "binary")}[is_text][real == 254]
        return f"{word}({longest // (_WIDTHS.get(name, 1) if is_text else 1)}){tail}"
    return f"{_SIZES.get(meta, 'long')}{'text' if is_text else 'blob'}{tail}"


def _completed(made: Column, stored: int, likes: Sequence[Table]) -> Column:
    """The column of the same name and kind in one of the tables; else the one that the log alone tells."""
    for like in likes:
        found = like.column(made.name)
        if found is not None and _same(found, made, stored):
            return replace(found, name=made.name, position=made.position)
    return made


def _same(known: Column, made: Column, stored: int) -> bool:
    if known.optional != made.optional or not column_fits(known, stored):
        return False
    kind = family(known)
    if kind in _TOLD_BY_KIND:
        return True
    if kind in _SHOWN_ONLY:
        return is_unsigned(known) == is_unsigned(made) and family(made) is kind
    return _told(known) == _told(made)


def _told(column: Column) -> tuple[object, ...]:
    return (type_word(column), column.length, column.scale, column.charset, column.enum_values, is_unsigned(column))


def _unique_key(columns: Sequence[Column], likes: Sequence[Table]) -> tuple[str, ...]:
    """The log tells no key but the primary one: a table without has the unique key that a like one has."""
    return next(_keys(columns, likes), ())


def _keys(columns: Sequence[Column], likes: Sequence[Table]) -> Iterator[tuple[str, ...]]:
    required = {column.name.lower() for column in columns if not column.optional}
    for like in likes:
        if like.primary_key and required.issuperset(name.lower() for name in like.primary_key):
            yield like.primary_key
