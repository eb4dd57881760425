"""The column converters that come with Debezium, value for value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdc.mysql.custom_converters import Conversion, CustomConverters, problems
from cdc.mysql.type_family import TypeOptions
from cdc.schema import Type
from cdc.table import Column, TableId

TINY = "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter"
SINK = "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter"
TABLE = TableId("shop", "t")


def column(type_name: str, jdbc_type: int = 5, **more: Any) -> Column:
    return Column(name="c", position=1, type_name=type_name, type_expression=type_name, jdbc_type=jdbc_type, **more)


def converted(described: Column, class_name: str = SINK, **settings: str) -> Conversion | None:
    raw = {"converters": "x", "x.type": class_name, **{f"x.{key}": value for key, value in settings.items()}}
    return CustomConverters(raw).of(TABLE, described, TypeOptions())


def made(described: Column, **settings: str) -> Conversion:
    found = converted(described, **settings)
    assert found is not None
    return found


def test_a_tinyint_of_one_digit_is_a_truth_value() -> None:
    found = converted(column("TINYINT", length=1, default="1", has_default=True), TINY)
    assert found is not None
    assert (found.schema.type, found.default) == (Type.BOOLEAN, True)
    assert list(map(found.log, (None, 0, 1, 2, -1))) == [None, False, True, True, False]
    assert list(map(found.snapshot, (None, 0, 1, 2, -1))) == [None, False, True, True, False]


@pytest.mark.parametrize(
    ("described", "settings"),
    [
        (column("TINYINT", length=4), {}),
        (column("TINYINT"), {}),
        (column("INT", length=1), {}),
        (column("TINYINT", length=1), {"selector": "shop.t.other"}),
        (column("BOOLEAN", 16), {"length.checker": "false"}),
    ],
)
def test_other_columns_are_left_alone(described: Column, settings: dict[str, str]) -> None:
    assert converted(described, TINY, **settings) is None
    assert converted(described) is None


def test_the_length_counts_unless_it_is_not_to_be_looked_at() -> None:
    assert (
        converted(column("TINYINT UNSIGNED"), TINY, **{"length.checker": "false", "selector": "SHOP.t.C"}) is not None
    )


def test_the_first_converter_that_wants_a_column_has_it() -> None:
    raw = {"converters": "a, b", "a.type": SINK, "a.selector.boolean": ".*", "b.type": TINY}
    found = CustomConverters(raw).of(TABLE, column("TINYINT", length=1), TypeOptions())
    assert found is not None and found.schema.type is Type.INT16


MEMBERS: dict[str, Any] = {"jdbc_type": 1, "enum_values": ("x", "1,2")}


@pytest.mark.parametrize(
    ("described", "shown", "log", "snapshot"),
    [
        (column("INT", 4), -3, 0, 0),
        (column("DECIMAL", 3, length=5, scale=2), 99, 0, 0),
        (column("DECIMAL", 3, length=5, scale=2), 100, 1, 1),
        (column("BOOLEAN", 16), True, 1, 1),
        (column("BIT", -7, length=1), True, 0, 1),
        (column("ENUM", **MEMBERS), "x", 1, 0),
        (column("DATE", 91), 3, 0, 0),
    ],
)
def test_what_is_to_be_a_boolean_is_a_small_number(described: Column, shown: Any, log: int, snapshot: int) -> None:
    found = made(described, **{"selector.boolean": r"shop\.t\..*"})
    assert (found.schema.type, found.log(shown), found.snapshot(shown)) == (Type.INT16, log, snapshot)


def test_a_real_is_read_in_full() -> None:
    found = made(column("REAL", 7), **{"selector.real": ".*"})
    assert (found.schema.type, found.log(0.1), found.decoded) == (
        Type.FLOAT64,
        0.1,
        replace(column("REAL", 7), jdbc_type=8),
    )
    single = made(column("DOUBLE", 8), **{"selector.real": ".*", "treat.real.as.double": "false"})
    assert (single.schema.type, single.log(0.1)) == (Type.FLOAT32, pytest.approx(0.1))
    assert single.log(0.1) != 0.1
    assert made(column("DECIMAL", 3, length=5, scale=2), **{"selector.real": ".*"}).log(-150) == -1.5
    assert made(column("DATE", 91), **{"selector.real": ".*"}).log(3) == 0.0


@pytest.mark.parametrize(
    ("described", "shown", "log", "snapshot"),
    [
        (column("VARCHAR", 12, charset="utf8mb4"), "é", "é", "é"),
        (column("VARCHAR", 12, charset="latin1"), "aé", "a\ufffd", "a\ufffd"),
        (column("TEXT", 12, charset="sjis"), "あ", "\ufffd\ufffd", "\ufffd\ufffd"),
        (column("TEXT", 12, charset="utf16"), "a", "\0a", "\0a"),
        (column("ENUM", **MEMBERS), "1\\,2", "2", "1\\,2"),
        (column("ENUM", **MEMBERS), "", "0", ""),
        (column("SET", jdbc_type=1, enum_values=("x", "y")), "x,y", "3", "x,y"),
        (column("BLOB", 2004), b"a\xff", "a\ufffd", "a\ufffd"),
        (column("DECIMAL", 3, length=5, scale=2), 150, "1.50", "1.50"),
        (column("INT", 4), 7, "7", "7"),
        (column("DATE", 91), 3, "", ""),
    ],
)  # fmt: skip
def test_what_is_to_be_a_text_is_one(described: Column, shown: Any, log: str, snapshot: str) -> None:
    found = made(described, **{"selector.string": ".*"})
    charset = (("__debezium.source.column.character_set", described.charset),) if described.charset else ()
    assert (found.schema.type, found.schema.parameters) == (Type.STRING, charset)
    assert (found.log(shown), found.snapshot(shown), found.log(None)) == (log, snapshot, None)


def test_a_class_that_is_not_at_hand_is_refused_with_those_that_are() -> None:
    raw = {"converters": "a,b,c", "a.type": "org.example.Mine", "c.type": TINY}
    first, second = problems(raw)
    assert first.key == second.key == "converters"
    assert "org.example.Mine is a Java class" in first.message
    assert TINY in first.message
    assert "b.type" in second.message
    assert problems({}) == []
