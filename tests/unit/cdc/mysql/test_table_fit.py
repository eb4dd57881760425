"""A definition against what a TABLE_MAP says."""

from __future__ import annotations

import pytest

from cdc.mysql.ddl import Catalog
from cdc.mysql.table_fit import fits
from cdc.mysql.table_map import TableMap
from cdc.table import Table, TableId


def table(columns: str) -> Table:
    catalog = Catalog()
    catalog.execute(f"CREATE TABLE t ({columns})", "d")
    return catalog.tables[TableId("d", "t")]


def table_map(*types: int, names: tuple[str, ...] | None = None) -> TableMap:
    count = len(types)
    return TableMap(1, "d", "t", bytes(types), (0,) * count, (True,) * count, names=names)


@pytest.mark.parametrize(
    ("columns", "types"),
    [
        ("a INT, b BIGINT UNSIGNED, c TINYINT, d SMALLINT, e MEDIUMINT", (3, 8, 1, 2, 9)),
        ("a VARCHAR(5), b CHAR(5), c TEXT, d BLOB, e BINARY(3)", (15, 254, 252, 252, 254)),
        ("a ENUM('x'), b SET('x'), c JSON, d DECIMAL(5,2), e BIT(3)", (254, 254, 245, 246, 16)),
        (
            "a DATE, b TIME, c DATETIME(3), d TIMESTAMP, e YEAR, f POINT, g FLOAT, h DOUBLE",
            (10, 19, 18, 17, 13, 255, 4, 5),
        ),
    ],
)
def test_rows_of_the_same_kinds_fit(columns: str, types: tuple[int, ...]) -> None:
    assert fits(table(columns), table_map(*types))
    assert not fits(table(columns), table_map(*types[:-1]))
    assert not fits(table(columns), table_map(*types[:-1], 6))


def test_names_are_compared_where_the_log_has_them() -> None:
    assert fits(table("a INT, B INT"), table_map(3, 3, names=("A", "b")))
    assert not fits(table("a INT, b INT"), table_map(3, 3, names=("b", "a")))
