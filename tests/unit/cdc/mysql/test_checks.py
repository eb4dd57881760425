"""Each thing that can be wrong with a server, told with its remedy and at the right key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cdc.config import parse
from cdc.envelope import EnvelopeSettings
from cdc.errors import SourceError
from cdc.mysql import source_info, wire
from cdc.mysql.capture import Capture
from cdc.mysql.checks import Findings, look
from cdc.mysql.config import MySqlConfig
from cdc.mysql.server import Server
from cdc.mysql.types import TypeOptions

NEEDED = {"topic.prefix": "shop", "database.hostname": "db", "database.user": "u", "database.server.id": "1"}
GOOD = {
    "log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL",
    "gtid_mode": "ON",
}  # fmt: skip
ENOUGH = "GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `u`@`%`"


class Answering(Server):
    """A server that answers from a table instead of a socket."""

    def __init__(self, variables: Mapping[str, str], grants: Sequence[str], tables: Sequence[tuple[str, str]]) -> None:
        self.settings = wire.Settings(host="db", user="u")
        self._variables = variables
        self._answers: dict[str, list[tuple[Any, ...]]] = {
            "SELECT CURRENT_USER()": [("u@%",)],
            "SHOW GRANTS": [(line,) for line in grants],
            "SHOW DATABASES": [(name,) for name in dict.fromkeys(database for database, _ in tables)],
        }
        self._tables = list(tables)

    def tried(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        if sql.startswith("SHOW GLOBAL VARIABLES"):
            return [(name, value) for name, value in self._variables.items() if f"'{name}'" in sql]
        if "information_schema.tables" in sql:
            return self._tables
        return self._answers[sql]

    def version(self) -> tuple[int, ...]:
        return (9, 7, 4)

    def is_mariadb(self) -> bool:
        return False


def found(
    *,
    variables: Mapping[str, str] = GOOD,
    grants: Sequence[str] = (ENOUGH,),
    tables: Sequence[tuple[str, str]] = (("inv", "t"),),
    **given: str,
) -> Findings:
    config = parse(MySqlConfig, NEEDED | {name.replace("_", "."): text for name, text in given.items()})
    capture = Capture(config, EnvelopeSettings(prefix="shop", source=source_info.schema()), TypeOptions())
    return look(Answering(variables, grants, tables), config, capture)


def test_a_good_server_gives_no_problem_and_no_warning() -> None:
    result = found()
    assert (result.problems, result.warnings) == ((), ())
    assert result.facts["mysql.version"] == "9.7.4"
    result.require()


@pytest.mark.parametrize(
    ("privilege", "remedy"),
    [
        ("REPLICATION SLAVE", "GRANT REPLICATION SLAVE ON *.* TO 'u'@'%'"),
        ("REPLICATION CLIENT", "GRANT REPLICATION CLIENT ON *.* TO 'u'@'%'"),
        ("SELECT", "GRANT SELECT ON *.* TO 'u'@'%'"),
        ("RELOAD", "GRANT RELOAD, LOCK TABLES ON *.* TO 'u'@'%'"),
    ],
)
def test_a_missing_privilege_is_told_with_its_grant(privilege: str, remedy: str) -> None:
    lacking = ENOUGH.replace(privilege + ", ", "").replace(", " + privilege, "")
    (problem,) = found(grants=[lacking]).problems
    assert problem.key == "database.user"
    assert privilege in problem.message
    assert remedy in problem.message


def test_a_captured_table_that_cannot_be_read_is_named() -> None:
    grants = [ENOUGH.replace("SELECT, ", ""), "GRANT SELECT ON `inv`.`t` TO `u`@`%`", "GRANT INSERT ON `inv`.`x` TO u"]
    (problem,) = found(grants=grants, tables=[("inv", "t"), ("inv", "x")]).problems
    assert "GRANT SELECT ON `inv`.`x` TO 'u'@'%'" in problem.message


def test_lock_tables_is_enough_in_place_of_reload() -> None:
    assert found(grants=[ENOUGH.replace("RELOAD", "LOCK TABLES")]).problems == ()


def test_no_lock_needs_no_privilege_to_lock() -> None:
    assert found(grants=[ENOUGH.replace("RELOAD, ", "")], snapshot_locking_mode="none").problems == ()


def test_hidden_databases_are_a_warning() -> None:
    result = found(grants=[ENOUGH.replace("SHOW DATABASES, ", "")])
    assert result.problems == ()
    assert "GRANT SHOW DATABASES ON *.* TO 'u'@'%'" in result.warnings[0]


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("log_bin", "OFF", "start mysqld with log_bin"),
        ("binlog_format", "MIXED", "SET PERSIST binlog_format = 'ROW'"),
        ("binlog_format", "STATEMENT", "SET PERSIST binlog_format = 'ROW'"),
        ("binlog_row_image", "MINIMAL", "SET PERSIST binlog_row_image = 'FULL'"),
        ("binlog_row_image", "NOBLOB", "SET PERSIST binlog_row_image = 'FULL'"),
    ],
)
def test_a_log_without_whole_rows_is_refused_with_the_statement(name: str, value: str, remedy: str) -> None:
    (problem,) = found(variables=GOOD | {name: value}).problems
    assert problem.key == "database.hostname"
    assert f"{name}={value}" in problem.message
    assert remedy in problem.message


def test_a_doubtful_log_is_a_warning() -> None:
    result = found(variables=GOOD | {"gtid_mode": "ON_PERMISSIVE"})
    assert result.problems == ()
    assert "gtid_mode=ON_PERMISSIVE" in result.warnings[0]


def test_what_an_include_list_names_in_vain_is_a_warning() -> None:
    result = found(database_include_list="inv,gone", table_include_list="inv\\.t,inv\\.typo")
    assert result.problems == ()
    assert [warning.split(":")[0] for warning in result.warnings] == ["database.include.list", "table.include.list"]
    assert "'gone'" in result.warnings[0]
    assert "'inv\\\\.typo'" in result.warnings[1]


def test_every_problem_is_raised_at_once() -> None:
    with pytest.raises(SourceError) as caught:
        found(variables=GOOD | {"binlog_format": "MIXED"}, grants=["GRANT USAGE ON *.* TO u"]).require()
    assert len(str(caught.value).splitlines()) == 5


TWO = (("inv", "a"), ("inv", "b"), ("mysql", "user"))


def test_a_guardrail_stops_or_warns_a_connector_that_keeps_too_many_tables() -> None:
    warned = found(tables=TWO, guardrail_collections_max="1")
    assert warned.problems == ()
    assert any("2 tables are kept and guardrail.collections.max is 1" in warning for warning in warned.warnings)
    (problem,) = found(
        tables=TWO, guardrail_collections_max="1", guardrail_collections_limit_action="fail"
    ).problems  # fmt: skip
    assert problem.key == "guardrail.collections.max"
    assert "store.only.captured.tables.ddl=true" in problem.message


def test_a_guardrail_counts_captured_tables_where_only_those_are_kept() -> None:
    result = found(
        tables=TWO, guardrail_collections_max="1", table_include_list="inv\\.a",
        schema_history_internal_store_only_captured_tables_ddl="true",
    )  # fmt: skip
    assert result.warnings == ()


def test_a_signal_table_that_is_missing_or_cannot_be_written_is_told_with_its_statement() -> None:
    (missing,) = found(signal_data_collection="inv.signals").warnings
    assert "inv.signals is not there" in missing
    assert "CREATE TABLE `inv`.`signals`" in missing
    tables = [("inv", "t"), ("inv", "signals")]
    (unwritten,) = found(tables=tables, signal_data_collection="inv.signals").warnings
    assert "GRANT INSERT, DELETE ON `inv`.`signals` TO 'u'@'%'" in unwritten
    assert found(tables=tables, signal_data_collection="inv.signals", read_only="true").warnings == ()
