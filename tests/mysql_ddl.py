"""Tables as DDL makes them, for tests: a catalog of database `d`, its table `t`, a column of it."""

from __future__ import annotations

from cdc.mysql.ddl import Catalog, Effect, Unparseable
from cdc.mysql.schema_change import change_document
from cdc.table import Column, Table, TableId

BASE = "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9) DEFAULT 'x', c INT NOT NULL)"


def refused(error: Unparseable) -> None:
    raise AssertionError(error)


def catalog(*sql: str, comments: bool = False) -> Catalog:
    """A catalog of database `d` after statements that all must be understood."""
    made = Catalog(comments=comments)
    made.execute("SET character_set_server=utf8mb4, collation_server=utf8mb4_0900_ai_ci", "")
    for statement in sql:
        made.execute(statement, "d", refused)
    return made


def table(*sql: str, comments: bool = False) -> Table:
    """The table `d.t` after statements."""
    return catalog(*sql, comments=comments).tables[TableId("d", "t")]


def column(definition: str, *, comments: bool = False) -> Column:
    return table(f"CREATE TABLE t (c {definition})", comments=comments).columns[0]


def names(found: Table) -> str:
    assert [c.position for c in found.columns] == list(range(1, len(found.columns) + 1))
    return " ".join(c.name for c in found.columns)


def only(effects: list[Effect] | None) -> Effect:
    assert effects is not None
    assert len(effects) == 1
    return effects[0]


def documents(effects: list[Effect] | None) -> list[object]:
    return [change_document(change) for effect in effects or () for change in effect.table_changes]
