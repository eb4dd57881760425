"""Filters, keys and the order of tables."""

from __future__ import annotations

from typing import Any

from cdc.config import parse
from cdc.envelope import EnvelopeSettings
from cdc.mysql import source_info
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.types import TypeOptions
from cdc.table import Column, Table, TableId

NEEDED = {"topic.prefix": "shop", "database.hostname": "db", "database.user": "u", "database.server.id": "1"}


def capture(**given: str) -> Capture:
    config = parse(MySqlConfig, NEEDED | {name.replace("_", "."): text for name, text in given.items()})
    return Capture(config, EnvelopeSettings(prefix="shop", source=source_info.schema()), TypeOptions())


def table(*names: str, key: tuple[str, ...] = ("id",)) -> Table:
    columns = tuple(
        Column(name=name, position=i, type_name="INT", type_expression="INT", jdbc_type=4, optional=name not in key)
        for i, name in enumerate(names, 1)
    )
    return Table(id=TableId("inv", "t"), columns=columns, primary_key=key)


def names(fields: Any) -> list[str]:
    return [field.name for field in fields]


def test_everything_but_the_systems_own_databases_is_captured_by_default() -> None:
    found = capture()
    assert found.table(TableId("inv", "t"))
    assert not found.table(TableId("mysql", "user"))
    assert not found.recorded(TableId("performance_schema", "x"))
    assert capture(table_ignore_builtin="false").table(TableId("mysql", "user"))


def test_lists_match_whole_names_without_regard_to_case() -> None:
    found = capture(database_include_list="INV", table_include_list="inv\\.(a|b)")
    assert found.table(TableId("inv", "a"))
    assert not found.table(TableId("inv", "ab"))
    assert not found.table(TableId("inventory", "a"))


def test_what_an_exclude_list_matches_is_left_out() -> None:
    found = capture(table_exclude_list="inv\\.secret.*")
    assert not found.table(TableId("inv", "secrets"))
    assert found.table(TableId("inv", "t"))


def test_a_table_without_captured_tables_of_its_database_is_recorded_all_the_same() -> None:
    assert capture(database_include_list="inv").recorded(TableId("other", "t"))


def test_an_excluded_key_column_stands_in_the_key_alone() -> None:
    shape = capture(column_exclude_list="inv\\.t\\.id").shape(table("id", "a"))
    assert names(shape.envelope.row_schema.fields) == ["a"]
    assert shape.envelope.key_schema is not None
    assert names(shape.envelope.key_schema.fields) == ["id"]
    assert [column.name for column in shape.columns] == ["a", "id"]


def test_a_primary_key_keeps_its_own_order() -> None:
    shape = capture().shape(table("p", "q", key=("q", "p")))
    assert shape.envelope.key_schema is not None
    assert names(shape.envelope.key_schema.fields) == ["q", "p"]


def test_message_key_columns_replace_the_primary_key_in_their_own_order() -> None:
    shape = capture(message_key_columns="(.*).t:b,a;other.x:y").shape(table("id", "a", "b"))
    assert shape.envelope.key_schema is not None
    assert names(shape.envelope.key_schema.fields) == ["b", "a"]  # recorded from Debezium


def test_a_table_that_message_key_columns_does_not_name_keeps_its_key() -> None:
    shape = capture(message_key_columns="inv.other:a").shape(table("id", "a"))
    assert shape.envelope.key_schema is not None
    assert names(shape.envelope.key_schema.fields) == ["id"]


def test_a_shape_is_made_once_for_each_version_of_a_table() -> None:
    found, first = capture(), table("id")
    assert found.shape(first) is found.shape(first)
    assert found.shape(table("id", "a")) is not found.shape(first)
