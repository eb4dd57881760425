"""Keys of chunks: Java's values as Debezium 3.5.0.Final stored them in its offsets, and what SQL compares with."""

from __future__ import annotations

import pytest

from cdc.java.objects import read, write
from cdc.mysql.chunk_keys import expression, key_of, literals
from cdc.mysql.ddl import Catalog
from cdc.table import Column, TableId

STORED = {
    "a INT UNSIGNED, b SMALLINT, c TINYINT, d MEDIUMINT UNSIGNED, e BIGINT": (
        ["2", "300", "5", "70000", "2"],
        "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c0200007870000000057372000e6a6176612e6c61"
        "6e672e4c6f6e673b8be490cc8f23df0200014a000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b02"
        "000078700000000000000002737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787100"
        "7e00030000012c7371007e0005000000057371007e00050001117071007e0004",
        ["2", "300", "5", "70000", "2"],
    ),
    "d DATETIME(3), ts TIMESTAMP(6), t TIME(3), y YEAR": (
        ["2024-03-02 00:00:00.000", "2024-01-01 00:00:01.000000", "838:59:59.000", "1999"],
        "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000004737200126a6176612e7371"
        "6c2e54696d657374616d702618d5c80153bf650200014900056e616e6f737872000e6a6176612e7574696c2e44617465686a81014b5974"
        "19030000787077080000018dfc75e00078000000007371007e000277080000018cc251f7e878000000007372000d6a6176612e74696d65"
        "2e536572955d84ba1b2248b20c00007870770d0100000000002e166f00000000787372000d6a6176612e73716c2e4461746514fa46683f"
        "3566970200007871007e00037708000000d5131e800078",
        ["'2024-03-02 00:00:00.000000'", "'2024-01-01 00:00:01.000000'", "'838:59:59.000000'", "1999"],
    ),
    "s VARCHAR(9), b VARBINARY(5), c CHAR(4)": (
        ["ü", "\x7f", "z"],
        "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000003740002c3bc757200025b42"
        "acf317f8060854e00200007870000000017f7400017a",
        ["_utf8mb4'ü'", "X'7f'", "_utf8mb4'z'"],
    ),
}


def columns(definition: str) -> list[Column]:
    catalog = Catalog()
    catalog.execute(f"CREATE TABLE a.t ({definition})", "a")
    return list(catalog.tables[TableId("a", "t")].columns)


@pytest.mark.parametrize("definition", STORED)
def test_a_key_is_stored_as_debezium_stores_it_and_compared_as_it_was(definition: str) -> None:
    texts, stored, compared = STORED[definition]
    key = key_of(columns(definition), [text.encode() for text in texts])
    assert write(key).hex() == stored
    assert read(bytes.fromhex(stored)) == key
    assert literals(columns(definition), key) == compared


@pytest.mark.parametrize(
    ("definition", "selected", "text", "compared"),
    [
        ("k ENUM('z','a')", "`k` + 0", "2", "2"),
        ("k SET('z','a')", "`k` + 0", "3", "3"),
        ("k BIT(12)", "`k` + 0", "513", "513"),
        ("k FLOAT", "`k` * 1e0", "0.10000000149011612", "0.10000000149011612e0"),
        ("k DECIMAL(9,2)", "`k`", "-0.05", "-0.05"),
        ("k BIGINT UNSIGNED", "`k`", "18446744073709551615", "18446744073709551615"),
        ("k TIME", "`k`", "-01:00:00", "'-01:00:00.000000'"),
        ("k VARCHAR(9)", "`k`", "it's \\", "_utf8mb4'it''s \\\\'"),
    ],
)
def test_types_are_compared_in_the_order_in_which_they_stand(
    definition: str, selected: str, text: str, compared: str
) -> None:
    (column,) = columns(definition)
    assert expression(column) == selected
    assert literals([column], key_of([column], [text.encode()])) == [compared]


def test_null_stays_null() -> None:
    (column,) = columns("k INT")
    assert literals([column], key_of([column], [None])) == [None]
