"""Tables of MariaDB that are more than what their definition says: sequences, and system-versioned tables. No I/O.

Source: MariaDB's Knowledge Base, "CREATE SEQUENCE", "System-Versioned Tables"; observed events.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from cdc.mysql.table_map import TableMap
from cdc.table import Column, Table

_BIGINT, _TINYINT, _TIMESTAMP2 = 8, 1, 17
_SEQUENCE: Final = bytes((*[_BIGINT] * 6, _TINYINT, _BIGINT))
_SEQUENCE_NAMES: Final = (
    "next_not_cached_value", "minimum_value", "maximum_value", "start_value", "increment", "cache_size",
    "cycle_option", "cycle_count",
)  # fmt: skip
_PERIOD_NAMES: Final = ("row_start", "row_end")
_PERIODS: Final = {
    bytes((_TIMESTAMP2,) * 2): ("TIMESTAMP", 2014, 6),
    bytes((_BIGINT,) * 2): ("BIGINT UNSIGNED", -5, 20),
}
_FOREVER: Final = frozenset(("2038-01-19T03:14:07.999999Z", "2106-02-07T06:28:15.999999Z", -1, 2**64 - 1))
"""The end of a row that is current: the greatest TIMESTAMP, since 11.5 a later one, or the greatest transaction."""


def is_sequence(table_map: TableMap) -> bool:
    """A sequence stands in the log like a table of one row. Where columns have no names, their types tell."""
    if table_map.names is not None:
        return table_map.names == _SEQUENCE_NAMES
    return table_map.column_types == _SEQUENCE and not any(table_map.nullable)


def with_period(table: Table, table_map: TableMap) -> Table | None:
    """The table with the two columns that the log has beyond its definition: it is WITH SYSTEM VERSIONING.

    None for any other table, and for one that declares its period columns itself.
    """
    width, names = len(table.columns), table_map.names
    found = _PERIODS.get(table_map.column_types[width:])
    if found is None or any(table_map.nullable[width:]) or (names is not None and names[width:] != _PERIOD_NAMES):
        return None
    type_name, jdbc_type, length = found
    period = tuple(
        Column(name=name, position=width + i, type_name=type_name, type_expression=type_name, jdbc_type=jdbc_type,
               length=length, optional=False)
        for i, name in enumerate(_PERIOD_NAMES, 1)
    )  # fmt: skip
    return replace(table, columns=(*table.columns, *period))


def current_rows(operation: str, images: list[Any]) -> tuple[str, list[Any]]:
    """What an event did to current rows; the end of each row's period stands last in it, and is taken away.

    An update that ends a row is its deletion. Rows of the past, which every update and delete inserts, are no events.
    """
    if operation != "u":
        return operation, [row[:-1] for row in images if row[-1] in _FOREVER]
    if any(after[-1] not in _FOREVER for _, after in images):
        return "d", [before[:-1] for before, after in images if after[-1] not in _FOREVER]
    return operation, [(before[:-1], after[:-1]) for before, after in images]
