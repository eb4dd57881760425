"""SQL of each database as Confluent's dialects write it."""

from __future__ import annotations

import pytest

from cdc.dialect import DIALECTS, NEVER
from cdc.schema import BOOLEAN, BYTES, INT32, OPTIONAL_STRING, Schema, Type, decimal
from sinks.jdbc.columns import column
from sinks.jdbc.rows import Place
from sinks.jdbc.statements import Names, Statements, add_columns, create_table, truncate
from tests.unit.sinks.jdbc.test_columns import target

EVERY = ("mysql", "mariadb", "postgresql", "sqlserver", "oracle", "sqlite")


def place(names: Names, name: str, schema: Schema, *, keys: int = 0) -> Place:
    return Place(column(name, schema, target(names.database), field=name, keys=keys), "r", 0)


def made(kind: str, *, others: bool = True) -> Statements:
    names = Names(DIALECTS[kind])
    rest = [place(names, "v", OPTIONAL_STRING)] if others else []
    return Statements(names, names.table("t"), [place(names, "k", INT32, keys=1)], rest)


UPSERTS = {
    "mysql": "INSERT INTO `t` (`k`,`v`) VALUES (%s,%s) ON DUPLICATE KEY UPDATE `v`=VALUES(`v`)",
    "mariadb": "INSERT INTO `t` (`k`,`v`) VALUES (%s,%s) ON DUPLICATE KEY UPDATE `v`=VALUES(`v`)",
    "postgresql": 'INSERT INTO "t" ("k","v") VALUES (%s,%s) ON CONFLICT ("k") DO UPDATE SET "v"=EXCLUDED."v"',
    "sqlite": "INSERT INTO `t` (`k`,`v`) VALUES (?,?) ON CONFLICT (`k`) DO UPDATE SET `v`=EXCLUDED.`v`",
    "sqlserver": "merge into [t] with (HOLDLOCK) AS target using (select %s AS [k], %s AS [v]) AS incoming "
    "on(target.[k]=incoming.[k]) when matched then update set target.[v]=incoming.[v] "
    "when not matched then insert([k],[v]) values(incoming.[k],incoming.[v]);",
    "oracle": 'merge into "t" using (select :1 "k", :2 "v" FROM dual) incoming on("t"."k"=incoming."k") '
    'when matched then update set "t"."v"=incoming."v" when not matched then insert("k","v") '
    'values(incoming."k",incoming."v")',
}  # fmt: skip
UPSERTS_OF_KEYS = {
    "mysql": "INSERT INTO `t` (`k`) VALUES (%s) ON DUPLICATE KEY UPDATE `k`=VALUES(`k`)",
    "postgresql": 'INSERT INTO "t" ("k") VALUES (%s) ON CONFLICT ("k") DO NOTHING',
    "sqlserver": "merge into [t] with (HOLDLOCK) AS target using (select %s AS [k]) AS incoming "
    "on(target.[k]=incoming.[k]) when not matched then insert([k]) values(incoming.[k]);",
}


@pytest.mark.parametrize("kind", EVERY)
def test_upserts(kind: str) -> None:
    assert made(kind).upsert() == UPSERTS[kind]


@pytest.mark.parametrize("kind", UPSERTS_OF_KEYS)
def test_upserts_of_nothing_but_a_key(kind: str) -> None:
    assert made(kind, others=False).upsert() == UPSERTS_OF_KEYS[kind]


def test_the_lock_of_sql_server_may_be_left_out() -> None:
    assert made("sqlserver").upsert(holdlock=False).startswith("merge into [t] AS target using")


def test_updates_and_deletions_go_by_key() -> None:
    assert made("oracle").update() == 'UPDATE "t" SET "v"=:1 WHERE "k"=:2'
    assert made("sqlserver").delete() == "DELETE FROM [t] WHERE [k]=%s"
    assert made("sqlite").update() == "UPDATE `t` SET `v`=? WHERE `k`=?"


def test_a_new_table_has_nulls_defaults_and_a_key() -> None:
    names = Names(DIALECTS["postgresql"])
    fields = {
        "id": INT32, "name": Schema(Type.STRING, default="it's"), "price": decimal(2, optional=True, default=150),
        "ok": BOOLEAN.with_(default=True), "raw": BYTES.with_(optional=True, default=b"\x01"), "more": OPTIONAL_STRING,
    }  # fmt: skip
    places = [place(names, name, schema) for name, schema in fields.items()]
    assert create_table(names, names.table("s.t"), places, places[:1]) == (
        'CREATE TABLE "s"."t" (\n"id" INT NOT NULL,\n"name" TEXT DEFAULT \'it\'\'s\' NOT NULL,\n'
        "\"price\" DECIMAL DEFAULT '1.50',\n\"ok\" BOOLEAN DEFAULT '1' NOT NULL,\n\"raw\" BYTEA DEFAULT '\\x01',\n"
        '"more" TEXT NULL,\nPRIMARY KEY("id"))'
    )


def test_a_text_of_mysql_has_no_default() -> None:
    names = Names(DIALECTS["mysql"])
    text = place(names, "c", Schema(Type.STRING, default="x"))
    assert create_table(names, names.table("t"), [text], []) == "CREATE TABLE `t` (\n`c` TEXT NOT NULL)"
    moment = place(names, "c", Schema(Type.INT64, name="io.debezium.time.Timestamp", default=1_500))
    assert "DATETIME(3) DEFAULT '1970-01-01 00:00:01.5' NOT NULL" in create_table(names, names.table("t"), [moment], [])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mysql", ["ALTER TABLE `t` ADD `a` TEXT NULL, ADD `b` INT NULL"]),
        ("postgresql", ['ALTER TABLE "t" ADD "a" TEXT NULL, ADD "b" INT NULL']),
        ("sqlserver", ["ALTER TABLE [t] ADD [a] varchar(max) NULL, [b] int NULL"]),
        ("oracle", ['ALTER TABLE "t" ADD ("a" VARCHAR2(4000) NULL, "b" NUMBER(10,0) NULL)']),
        ("sqlite", ["ALTER TABLE `t` ADD `a` TEXT NULL", "ALTER TABLE `t` ADD `b` INTEGER NULL"]),
    ],
)
def test_columns_are_added(kind: str, expected: list[str]) -> None:
    names = Names(DIALECTS[kind])
    new = [place(names, "a", OPTIONAL_STRING), place(names, "b", INT32.with_(optional=True))]
    assert add_columns(names, names.table("t"), new) == expected


@pytest.mark.parametrize(
    ("kind", "name", "sql"),
    [
        ("postgresql", "server.public.orders", '"public"."orders"'),
        ("mysql", "server.shop.orders", "`shop`.`orders`"),
        ("mysql", "shop.`a.b`", "`shop`.`a.b`"),
        ("sqlserver", "db.dbo.orders", "[db].[dbo].[orders]"),
        ("sqlite", "server.shop.orders", "`orders`"),
        ("oracle", "shop.orders", '"shop"."orders"'),
    ],
)
def test_names_of_tables_have_parts(kind: str, name: str, sql: str) -> None:
    assert Names(DIALECTS[kind]).table(name).sql == sql


def test_names_may_be_left_without_quotes() -> None:
    names = Names(DIALECTS["postgresql"].quoting(NEVER))
    assert truncate(names, names.table("public.Orders")) == "TRUNCATE TABLE public.Orders"
    with pytest.raises(ValueError, match="no table name"):
        names.table("")
