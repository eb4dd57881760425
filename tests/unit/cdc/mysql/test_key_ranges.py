"""Key values as SQL conditions and as offsets keep them."""

from __future__ import annotations

import pytest

from cdc.errors import SourceError
from cdc.mysql.key_ranges import Described, Key, walkable

ID = Described("id", "int", "int unsigned", None, None, None)
NAME = Described("na`me", "varchar", "varchar(9)", "latin1", "latin1_swedish_ci", None)
RAW = Described("raw", "varbinary", "varbinary(9)", None, None, None)


def key(*columns: Described) -> Key:
    found = walkable(columns)
    assert found is not None
    return found


def test_a_condition_begins_with_what_the_server_can_seek() -> None:
    pair = key(ID, NAME)
    assert pair.condition(None, None) == "TRUE"
    assert pair.condition(("5", "41"), None) == "`id` >= 5 AND (`id` > 5 OR (`na``me` > _utf8mb4 x'41'))"
    assert pair.condition(None, ("9", "")) == "`id` <= 9 AND (`id` < 9 OR (`na``me` <= _utf8mb4 x''))"
    assert key(RAW).condition(("00ff",), ("ff",)) == "`raw` > x'00ff' AND `raw` <= x'ff'"
    assert pair.order == "`id`, `na``me`"


@pytest.mark.parametrize(
    "column",
    [
        Described("e", "enum", "enum('b','a')", "utf8mb4", "utf8mb4_bin", None),
        Described("f", "double", "double", None, None, None),
        Described("b", "bit", "bit(3)", None, None, None),
        NAME._replace(prefix=3),
        NAME._replace(charset="sjis", collation="sjis_bin"),
    ],
)
def test_keys_whose_order_is_not_that_of_comparisons_are_not_walked(column: Described) -> None:
    assert walkable([ID, column]) is None
    assert walkable([]) is None


@pytest.mark.parametrize("value", [("1 OR 1",), ("0x1",), ("",), ("1", "2"), ()])
def test_a_value_from_an_offset_is_no_place_for_sql(value: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match="reset the connector's offsets"):
        key(ID).condition(value, None)
    with pytest.raises(SourceError):
        key(NAME).condition(("' OR '",), None)


def test_a_row_gives_its_key_value() -> None:
    read = key(NAME, ID).reader(["id", "x", "na`me"])
    assert read is not None and read((b"7", None, b"\xe4'")) == ("e427", "7")
    assert key(ID).reader(["x"]) is None


def test_whole_numbers_are_divided_evenly() -> None:
    assert key(ID).evenly(("0",), ("100",), 4) == [("25",), ("50",), ("75",)]
    assert key(ID).evenly(("7",), ("7",), 4) == []
    assert key(NAME).evenly(("41",), ("42",), 4) is None
