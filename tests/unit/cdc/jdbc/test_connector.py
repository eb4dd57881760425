"""The JDBC source's config: what is accepted, what is refused and with what remedy, and how tasks share tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.database import database
from cdc.dialect import TableName
from cdc.errors import SourceError
from cdc.jdbc import tables
from cdc.jdbc.checks import problems, warned
from cdc.jdbc.columns import Definition
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.connector import JDBC_SOURCE, task_configs
from cdc.jdbc.source import JdbcSource
from cdc.record import SourceContext

CONFIGS = Path(__file__).parents[3] / "golden/configs"
PLAIN = {"connection.url": "jdbc:mysql://db/shop", "mode": "incrementing", "topic.prefix": "shop-"}
TABLE = TableName("shop", None, "orders")


def _config(**given: str) -> JdbcSourceConfig:
    return parse(JdbcSourceConfig, {**PLAIN, **{name.replace("_", "."): text for name, text in given.items()}})


@pytest.mark.parametrize("name", ["jdbc-source-connector", "mysql-source-jdbc"])
def test_the_users_configs_are_accepted_as_they_are(name: str) -> None:
    raw = json.loads((CONFIGS / f"{name}.post.json").read_text())["config"]
    config = parse(JdbcSourceConfig, raw)
    assert problems(config) == []
    where = database(raw)
    assert (where.kind, str(where.url)) == ("mysql", "localhost:3306/mydb")
    said = list(warned(config, where))
    assert [text.partition(" ")[0] for text in said] == (["topic.prefix"] if "topic.prefix" not in raw else [])
    assert isinstance(JDBC_SOURCE.build(raw, SourceContext("c", 0, _no_topics())), JdbcSource)


def _no_topics() -> Any:
    return None


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"mode": ""}, "mode"),
        ({"mode": "timestamp"}, "timestamp.column.name"),
        ({"table_whitelist": "a", "table_blacklist": "b"}, "table.blacklist"),
        ({"table_exclude_list": "a"}, "table.exclude.list"),
        ({"table_whitelist": "a", "table_include_list": "b"}, "table.whitelist"),
        ({"query": "SELECT 1 id"}, "incrementing.column.name"),
        ({"query": "DELETE FROM t", "mode": "bulk"}, "query"),
        ({"query": "SELECT 1", "mode": "bulk", "topic_prefix": ""}, "topic.prefix"),
        ({"query": "SELECT 1", "mode": "bulk", "table_whitelist": "a"}, "query"),
        ({"transaction_isolation_mode": "SQL_SERVER_SNAPSHOT"}, "transaction.isolation.mode"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(given: dict[str, str], key: str) -> None:
    assert key in [problem.key for problem in problems(_config(**given))]


def test_tables_are_chosen_by_bare_or_full_names_or_by_patterns() -> None:
    others = [TableName("shop", None, "customers"), TableName("old", None, "orders")]
    where = database(PLAIN)

    def chosen(**given: str) -> list[str]:
        wanted = tables.wanted(_config(**given), where)
        return [str(table) for table in (TABLE, *others) if wanted(table)]

    assert chosen() == ["shop.orders", "shop.customers", "old.orders"]
    assert chosen(table_whitelist="orders") == ["shop.orders", "old.orders"]
    assert chosen(table_whitelist="shop.orders, `shop`.`customers`") == ["shop.orders", "shop.customers"]
    assert chosen(table_blacklist="orders") == ["shop.customers"]
    assert chosen(table_include_list=r"shop\..*", table_exclude_list=".*customers") == ["shop.orders"]


def test_tasks_share_the_tables_and_a_new_table_moves_none_of_them() -> None:
    raw = {**PLAIN, "table.whitelist": "a,b,c"}
    assert task_configs(raw, 1) == [raw]
    assert len(task_configs(raw, 9)) == 3
    assert len(task_configs({**PLAIN, "query": "SELECT 1"}, 9)) == 1
    there = [TableName("shop", None, f"t{number}") for number in range(20)]

    def of(task: int, known: list[TableName]) -> set[TableName]:
        return set(tables.shared(parse(JdbcSourceConfig, task_configs(PLAIN, 3)[task]), known))

    shares = [of(task, there) for task in range(3)]
    assert set().union(*shares) == set(there)
    assert sum(map(len, shares)) == len(there)
    more = [*there, TableName("shop", None, "new")]
    assert [of(task, more) - {more[-1]} for task in range(3)] == shares


COLUMNS = [Definition("ID", False, True), Definition("at", True, False), Definition("n", True, False)]


def test_columns_are_found_by_themselves_by_name_or_by_mapping() -> None:
    assert tables.incrementing_of(_config(), TABLE, COLUMNS) == "ID"
    assert tables.incrementing_of(_config(incrementing_column_name="N"), TABLE, COLUMNS) == "n"
    mapped = _config(mode="timestamp+incrementing", incrementing_column_mapping=r".*orders:n,shop\.c.*:ID",
                     timestamp_columns_mapping=r"shop\.orders:[AT|n],other:[x]")  # fmt: skip
    assert tables.incrementing_of(mapped, TABLE, COLUMNS) == "n"
    assert tables.timestamps_of(mapped, TABLE, COLUMNS) == ["at", "n"]
    with pytest.raises(SourceError, match="matches more than one"):
        tables.incrementing_of(_config(incrementing_column_mapping=".*:n,shop.*:ID"), TABLE, COLUMNS)


def test_what_a_table_lacks_is_said_with_key_table_and_remedy() -> None:
    with pytest.raises(SourceError, match=r"shop\.orders has no column x; it has ID, at, n"):
        tables.incrementing_of(_config(incrementing_column_name="x"), TABLE, COLUMNS)
    with pytest.raises(SourceError, match="no auto-increment column; name the column"):
        tables.incrementing_of(_config(), TABLE, COLUMNS[1:])
    wrong = tables.nullable_problem(_config(incrementing_column_name="n"), TABLE, COLUMNS)
    assert wrong is not None
    assert wrong[0] == "incrementing.column.name"
    assert "nullable; make it NOT NULL" in wrong[1]
    assert tables.nullable_problem(_config(incrementing_column_name="n", validate_non_null="false"), TABLE, COLUMNS) \
        is None  # fmt: skip


def test_sql_patterns_match_as_in_sql() -> None:
    assert tables.like("sh%")("shop")
    assert tables.like("s_op")("shop")
    assert not tables.like(r"s\_op")("shop")
    assert not tables.like("sho")("shop")
