"""Sequences and system-versioned tables, told by what stands in the log."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.mysql.mariadb_tables import current_rows, is_sequence, with_period
from cdc.mysql.table_map import TableMap
from cdc.table import Column, Table, TableId

NAMES = ("next_not_cached_value", "minimum_value", "maximum_value", "start_value", "increment", "cache_size",
         "cycle_option", "cycle_count")  # fmt: skip
SEQUENCE = bytes((8, 8, 8, 8, 8, 8, 1, 8))
FOREVER, PAST = "2106-02-07T06:28:15.999999Z", "2026-11-21T11:00:00.000001Z"
TABLE = Table(
    id=TableId("d", "t"),
    columns=(Column(name="id", position=1, type_name="INT", type_expression="INT", jdbc_type=4),),
    primary_key=("id",),
)


def table_map(types: bytes, names: tuple[str, ...] | None = None, nullable: bool = False) -> TableMap:
    return TableMap(1, "d", "t", types, (6,) * len(types), (nullable,) * len(types), names=names)


@pytest.mark.parametrize(
    ("seen", "sequence"),
    [
        (table_map(SEQUENCE, NAMES), True),
        (table_map(SEQUENCE), True),
        (table_map(SEQUENCE, nullable=True), False),
        (table_map(SEQUENCE, tuple("abcdefgh")), False),
        (table_map(SEQUENCE[:-1]), False),
    ],
)
def test_a_sequence_is_known_by_its_columns(seen: TableMap, sequence: bool) -> None:
    assert is_sequence(seen) is sequence


@pytest.mark.parametrize("names", [None, ("id", "row_start", "row_end")])
@pytest.mark.parametrize("period", [b"\x11\x11", b"\x08\x08"])
def test_a_versioned_table_has_two_columns_more_in_the_log(names: tuple[str, ...] | None, period: bytes) -> None:
    found = with_period(TABLE, table_map(b"\x03" + period, names))
    assert found is not None
    assert [column.name for column in found.columns] == ["id", "row_start", "row_end"]


@pytest.mark.parametrize(
    "seen",
    [
        table_map(b"\x03"),
        table_map(b"\x03\x11\x11", ("id", "a", "b")),
        table_map(b"\x03\x11\x11", nullable=True),
        table_map(b"\x03\x11\x08"),
    ],
)
def test_other_columns_make_no_versioned_table(seen: TableMap) -> None:
    assert with_period(TABLE, seen) is None


@pytest.mark.parametrize(
    ("operation", "images", "current"),
    [
        ("c", [(1, FOREVER), (2, PAST)], ("c", [(1,)])),
        ("c", [(1, PAST)], ("c", [])),
        ("u", [((1, FOREVER), (2, FOREVER))], ("u", [((1,), (2,))])),
        ("u", [((1, FOREVER), (1, PAST)), ((2, FOREVER), (2, PAST))], ("d", [(1,), (2,)])),
        ("d", [(1, PAST)], ("d", [])),
        ("c", [(1, -1), (2, 2**64 - 1), (3, 77)], ("c", [(1,), (2,)])),
    ],
)
def test_only_what_happened_to_current_rows_is_told(operation: str, images: list[Any], current: Any) -> None:
    assert current_rows(operation, images) == current
