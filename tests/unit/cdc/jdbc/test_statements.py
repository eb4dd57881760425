"""The SELECT of each mode, in the SQL of each database."""

from __future__ import annotations

import pytest

from cdc.dialect import DIALECTS, NEVER, TableName
from cdc.jdbc.session import PRODUCTS, product
from cdc.jdbc.statements import BOTH, BULK, INCREMENTING, TIMESTAMP, Select, of_table

TABLE = TableName(None, "shop", "orders")


def _select(kind: str, mode: str, *times: str, suffix: str = "", base: str | None = None) -> Select:
    dialect = DIALECTS[kind]
    number = "id" if mode in (INCREMENTING, BOTH) else None
    return Select(dialect, base or of_table(dialect, TABLE), mode, product(kind).MARK, number, times, suffix)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mysql", "SELECT * FROM `shop`.`orders` WHERE `id` > %s ORDER BY `id` ASC"),
        ("mariadb", "SELECT * FROM `shop`.`orders` WHERE `id` > %s ORDER BY `id` ASC"),
        ("postgresql", 'SELECT * FROM "shop"."orders" WHERE "id" > %s ORDER BY "id" ASC'),
        ("sqlite", "SELECT * FROM `shop`.`orders` WHERE `id` > ? ORDER BY `id` ASC"),
        ("oracle", 'SELECT * FROM "shop"."orders" WHERE "id" > :1 ORDER BY "id" ASC'),
        ("sqlserver", "SELECT * FROM [shop].[orders] WHERE [id] > %s ORDER BY [id] ASC"),
    ],
)
def test_rows_of_a_higher_number_are_read_in_the_order_of_numbers(kind: str, expected: str) -> None:
    select = _select(kind, INCREMENTING)
    assert select.sql() == expected
    assert " <= " in select.bounded().sql()


@pytest.mark.parametrize("kind", PRODUCTS)
def test_timestamps_are_read_between_two_moments(kind: str) -> None:
    dialect = DIALECTS[kind]
    time, first = dialect.quote("changed"), dialect.quote("made")
    marks = [":1", ":2", ":3", ":4"] if kind == "oracle" else [product(kind).MARK] * 4
    table = of_table(dialect, TABLE)
    assert _select(kind, TIMESTAMP, "changed").sql() == (
        f"{table} WHERE {time} > {marks[0]} AND {time} < {marks[1]} ORDER BY {time} ASC"
    )
    both = f"COALESCE({time},{first})"
    assert _select(kind, BOTH, "changed", "made", suffix="FOR SHARE").sql() == (
        f"{table} WHERE {both} < {marks[0]} AND (({both} = {marks[1]} AND {dialect.quote('id')} > {marks[2]}) OR "
        f"{both} > {marks[3]}) ORDER BY {both},{dialect.quote('id')} ASC FOR SHARE"
    )


def test_a_query_stays_as_it_is_and_its_percent_signs_are_no_parameters() -> None:
    query = "SELECT * FROM o WHERE name LIKE 'a%'"
    assert _select("mysql", BULK, base=query).sql() == query
    assert _select("mysql", INCREMENTING, base="SELECT id, '%' AS p FROM o").sql() == (
        "SELECT id, '%%' AS p FROM o WHERE `id` > %s ORDER BY `id` ASC"
    )


def test_names_are_not_quoted_when_that_is_asked_for() -> None:
    dialect = DIALECTS["postgresql"].quoting(NEVER)
    select = Select(dialect, of_table(dialect, TABLE), TIMESTAMP, "%s", None, ["changed"])
    assert select.sql() == "SELECT * FROM shop.orders WHERE changed > %s AND changed < %s ORDER BY changed ASC"
