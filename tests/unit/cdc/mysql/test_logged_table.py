"""A table as a TABLE_MAP with all metadata tells it, completed by tables that have columns like its own."""

from __future__ import annotations

from dataclasses import replace

from cdc.mysql.ddl import Catalog
from cdc.mysql.logged_table import logged_table
from cdc.mysql.table_map import TableMap
from cdc.table import Table, TableId

UTF8MB4, LATIN1, BINARY = 255, 8, 63
LOGGED = TableMap(
    1, "d", "t", bytes((3, 15, 254, 254, 246, 18, 252, 15, 1)),
    (0, 40, 0xFE07, 0xF701, 10 << 8 | 2, 3, 2, 9, 0), (False, True, True, True, True, False, True, True, True),
    unsigned=(True, False, False, False, False, False, False, False, False),
    collations=(None, UTF8MB4, LATIN1, LATIN1, None, None, UTF8MB4, BINARY, None),
    names=("id", "v", "c", "e", "n", "at", "te", "b", "small"), enum_values={3: (b"a", b"it's", b"\xfc")},
    set_values={}, primary_key=((0, 0),),
)  # fmt: skip


def made(ddl: str) -> Table:
    catalog = Catalog()
    catalog.execute(ddl, "d")
    return catalog.tables[TableId("d", "t")]


AS_LOGGED = made(
    "CREATE TABLE t (id INT UNSIGNED NOT NULL, v VARCHAR(10) CHARACTER SET utf8mb4, c CHAR(7) CHARACTER SET latin1, "
    "e ENUM('a','it''s','ü') CHARACTER SET latin1, n DECIMAL(10,2), `at` DATETIME(3) NOT NULL, "
    "te TEXT CHARACTER SET utf8mb4, b VARBINARY(9), small TINYINT, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4"
)


def test_the_log_alone_tells_types_sizes_members_and_keys() -> None:
    assert logged_table(LOGGED, ()) == AS_LOGGED


def test_a_log_that_names_no_columns_tells_no_table() -> None:
    assert logged_table(replace(LOGGED, names=None), (AS_LOGGED,)) is None


def test_defaults_and_comments_come_from_the_first_column_of_the_same_name_and_kind() -> None:
    newer = made(
        "CREATE TABLE t (extra INT, v VARCHAR(99) CHARACTER SET utf8mb4 DEFAULT 'no', ID INT UNSIGNED NOT NULL "
        "AUTO_INCREMENT, n DECIMAL(10,3) DEFAULT 1, small TINYINT(1) DEFAULT 1, e ENUM('a') CHARACTER SET latin1, "
        "PRIMARY KEY (ID)) DEFAULT CHARSET=latin1"
    )
    older = made("CREATE TABLE t (v VARCHAR(10) CHARACTER SET utf8mb4 DEFAULT 'yes', n DECIMAL(10,2) DEFAULT 2)")
    found = logged_table(LOGGED, (newer, older))
    assert found is not None
    assert [column.name for column in found.columns] == list(LOGGED.names or ())
    assert [column.position for column in found.columns] == list(range(1, 10))
    assert {c.name: c.default for c in found.columns if c.default is not None} == {"v": "yes", "n": "2", "small": "1"}
    assert found.columns[0].auto_incremented and found.columns[3] == AS_LOGGED.columns[3]
    assert (found.primary_key, found.charset) == (("id",), "latin1")


def test_a_table_without_a_primary_key_has_the_unique_one_of_a_table_like_it() -> None:
    without = replace(LOGGED, primary_key=None)
    unique = replace(AS_LOGGED, primary_key=("at", "id"))
    found = logged_table(without, (unique,))
    assert found is not None and found.primary_key == ("at", "id")
    nullable = replace(AS_LOGGED, primary_key=("v",))
    found = logged_table(without, (nullable,))
    assert found is not None and found.primary_key == ()
