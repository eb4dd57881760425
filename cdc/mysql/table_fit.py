"""Whether a table's definition fits what a TABLE_MAP says of it: number, names and kinds of the columns."""

from __future__ import annotations

from typing import Final

from cdc.mysql.table_map import TableMap
from cdc.mysql.type_family import Family, family, integer_bits
from cdc.table import Column, Table

_STRINGS: Final = frozenset((15, 140, 141, 249, 250, 251, 252, 253, 254))
_TYPES: Final = {
    Family.BOOLEAN: frozenset((1,)),
    Family.BIT: frozenset((16,)),
    Family.FLOAT: frozenset((4, 5)),
    Family.DECIMAL: frozenset((246,)),
    Family.TEXT: _STRINGS,
    Family.BINARY: _STRINGS,
    Family.ENUM: frozenset((247, 254)),
    Family.SET: frozenset((248, 254)),
    Family.JSON: frozenset((245,)) | _STRINGS,
    Family.YEAR: frozenset((13,)),
    Family.DATE: frozenset((10, 14)),
    Family.TIME: frozenset((11, 19)),
    Family.DATETIME: frozenset((12, 18)),
    Family.TIMESTAMP: frozenset((7, 17)),
    Family.POINT: frozenset((255,)),
    Family.GEOMETRY: frozenset((255,)),
    Family.VECTOR: frozenset((242,)) | _STRINGS,
    Family.UUID: _STRINGS,
    Family.INET: _STRINGS,
}
"""The `MYSQL_TYPE_*` in which a log may hold values of a family. MariaDB keeps JSON and VECTOR as strings."""
_INTEGERS: Final = {8: 1, 16: 2, 24: 9, 32: 3, 64: 8}


def fits(table: Table, table_map: TableMap) -> bool:
    """Whether rows of the TABLE_MAP can be those of the table. Names are compared where the log has them."""
    if len(table.columns) != len(table_map.column_types):
        return False
    if table_map.names is not None:
        names = [column.name.lower() for column in table.columns]
        if names != [name.lower() for name in table_map.names]:
            return False
    return all(map(column_fits, table.columns, table_map.column_types))


def column_fits(column: Column, stored: int) -> bool:
    """The same of one column and its `MYSQL_TYPE_*`."""
    kind = family(column)
    if kind is Family.INTEGER:
        return stored == _INTEGERS[integer_bits(column)]
    return stored in _TYPES[kind]
