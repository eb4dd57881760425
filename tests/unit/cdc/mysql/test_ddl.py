"""DDL text to table changes: against what Debezium recorded, and statement by statement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql.ddl import Catalog, Effect, Unparseable
from cdc.mysql.schema_change import Kind, change_document
from cdc.table import Column, Table, TableId

GOLDEN = Path(__file__).parents[3] / "golden" / "mysql"
CASES = ("ddl", "inventory", "types_numeric", "types_string", "types_temporal")


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


@pytest.mark.parametrize("case", CASES)
def test_recorded_statements_give_the_recorded_table_changes(case: str) -> None:
    lines = (GOLDEN / case / "events.jsonl").read_text().splitlines()
    recorded = [r["value"] for line in lines if (r := json.loads(line))["topic"] == f"gm_{case}-history"]
    assert len(recorded) >= 6
    made = Catalog()
    for value in recorded:
        effects = made.execute(value["ddl"], value["databaseName"], refused)
        assert effects is not None
        assert json.dumps(documents(effects)) == json.dumps(value["tableChanges"])
        assert [effect.ddl for effect in effects] in ([], [value["ddl"]])
        assert {effect.database for effect in effects} <= {value["databaseName"]}


def test_the_statements_that_were_run_give_the_recorded_records() -> None:
    made = Catalog()
    made.execute("SET character_set_server=utf8mb4", "")
    ddl, changes, tables = [], [], []
    for statement in (GOLDEN / "ddl" / "setup.sql").read_text().splitlines():
        made.execute(statement, "gddl", refused)
    for line in (GOLDEN / "ddl" / "changes.sql").read_text().splitlines():
        statement = line.rstrip(";")
        if statement.startswith("CREATE TABLE gddl.sel"):  # as it stands in the log
            definitions = "\n  `z` int NOT NULL,\n  `y` char(3) DEFAULT NULL,\n  PRIMARY KEY (`z`)\n"
            statement = f"CREATE TABLE `sel` ({definitions}) START TRANSACTION"
        effects = made.execute(statement, "gddl", refused)
        if effects is None or [e.kind for e in effects] == [Kind.TRUNCATE]:
            continue
        for effect in effects or [Effect(Kind.DATABASE, "gddl", statement)]:
            ddl.append(effect.ddl)
            changes.append(documents([effect]))
            tables.append({e.table.name for e in effects if e.table is not None})
    lines = map(json.loads, (GOLDEN / "ddl" / "events.jsonl").read_text().splitlines())
    records = list(lines)
    history = [r["value"] for r in records if r["topic"] == "gm_ddl-history"][6:]
    sources = [r["value"]["payload"]["source"] for r in records if r["topic"] == "gm_ddl"][6:]
    assert ddl == [value["ddl"] for value in history]
    assert json.dumps(changes) == json.dumps([value["tableChanges"] for value in history])
    assert tables == [set(filter(None, source["table"].split(","))) for source in sources]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("INTEGER", (4, "INTEGER", None, None)),
        ("int(11) unsigned zerofill", (4, "INT UNSIGNED ZEROFILL", 11, None)),
        ("INT ZEROFILL UNSIGNED", (4, "INT UNSIGNED ZEROFILL", None, None)),
        ("MEDIUMINT(5) ZEROFILL", (4, "MEDIUMINT UNSIGNED ZEROFILL", 5, None)),
        ("DECIMAL(5,2) SIGNED ZEROFILL", (3, "DECIMAL UNSIGNED ZEROFILL", 5, 2)),
        ("BIGINT SIGNED", (-5, "BIGINT SIGNED", None, None)),
        ("TINYINT(1)", (5, "TINYINT", 1, None)),
        ("BOOL", (16, "BOOL", None, None)),
        ("BOOLEAN", (16, "BOOLEAN", None, None)),
        ("INT1", (5, "INT1", None, None)),
        ("MIDDLEINT", (4, "MIDDLEINT", None, None)),
        ("DEC", (3, "DEC", 10, 0)),
        ("DECIMAL(0)", (3, "DECIMAL", 10, 0)),
        ("INT SIGNED UNSIGNED", (4, "INT UNSIGNED", None, None)),
        ("DECIMAL(8)", (3, "DECIMAL", 8, 0)),
        ("NUMERIC(12,4) UNSIGNED", (2, "NUMERIC UNSIGNED", 12, 4)),
        ("FIXED(3 , 1)", (3, "FIXED", 3, 1)),
        ("REAL", (7, "REAL", None, None)),
        ("DOUBLE PRECISION", (8, "DOUBLE PRECISION", None, None)),
        ("DOUBLE(7,2) UNSIGNED", (8, "DOUBLE UNSIGNED", 7, 2)),
        ("FLOAT(24)", (6, "FLOAT", 24, None)),
        ("FLOAT4", (6, "FLOAT4", None, None)),
        ("BIT", (-7, "BIT", 1, None)),
        ("BIT(17)", (-7, "BIT", 17, None)),
        ("YEAR(4)", (4, "YEAR", 4, None)),
        ("DATE", (91, "DATE", None, None)),
        ("TIME(6)", (92, "TIME", 6, None)),
        ("DATETIME(3)", (93, "DATETIME", 3, None)),
        ("TIMESTAMP", (2014, "TIMESTAMP", None, None)),
        ("BINARY", (-2, "BINARY", None, None)),
        ("VARBINARY(20)", (-3, "VARBINARY", 20, None)),
        ("CHAR(5) BYTE", (-2, "BINARY", 5, None)),
        ("BLOB(100)", (2004, "BLOB", 100, None)),
        ("LONG VARBINARY", (2004, "LONG VARBINARY", None, None)),
        ("JSON", (1111, "JSON", None, None)),
        ("GEOMCOLLECTION SRID 4326", (1111, "GEOMCOLLECTION", None, None)),
        ("VECTOR", (1111, "VECTOR", 2048, None)),
        ("VECTOR(3)", (1111, "VECTOR", 3, None)),
        ("SERIAL", (-5, "BIGINT UNSIGNED", None, None)),
        ("CHARACTER(3)", (1, "CHARACTER", 3, None)),
        ("CHAR VARYING(9)", (12, "CHAR VARYING", 9, None)),
        ("VARCHAR(9) BINARY", (12, "VARCHAR BINARY", 9, None)),
        ("LONG", (12, "LONG", None, None)),
        ("LONG VARCHAR", (12, "LONG VARCHAR", None, None)),
        ("NCHAR", (-15, "NCHAR", 1, None)),
        ("NATIONAL CHAR(4)", (-15, "NATIONAL CHAR", 4, None)),
        ("NATIONAL VARCHAR(4)", (-9, "NATIONAL VARCHAR", 4, None)),
        ("NATIONAL CHARACTER VARYING(4)", (-9, "NATIONAL CHARACTER VARYING", 4, None)),
        ("NVARCHAR(4)", (-9, "NVARCHAR", 4, None)),
        ("ENUM('a','b,c')", (1, "ENUM", 1, None)),
        ("SET('a','b','c')", (1, "SET", 5, None)),
        ("LONGTEXT(4294967295)", (12, "LONGTEXT", 2147483647, None)),
    ],
)
def test_a_type_has_debeziums_number_name_length_and_scale(
    definition: str, expected: tuple[int, str, int | None, int | None]
) -> None:
    found = column(definition)
    assert (found.jdbc_type, found.type_name, found.length, found.scale) == expected
    assert found.type_expression == found.type_name


@pytest.mark.parametrize(
    ("definition", "charset"),
    [
        ("VARCHAR(5)", "utf8mb4"),
        ("VARCHAR(5) CHARACTER SET latin1", "latin1"),
        ("VARCHAR(5) CHARSET = 'gbk' COLLATE gbk_bin", "gbk"),
        ("VARCHAR(5) COLLATE sjis_bin", "sjis"),
        ("VARCHAR(5) NOT NULL COLLATE utf8_bin", "utf8mb3"),
        ("VARCHAR(5) CHARACTER SET DEFAULT", "utf8mb4"),
        ("CHAR(5) ASCII", "latin1"),
        ("CHAR(5) UNICODE", "ucs2"),
        ("ENUM('a') CHARACTER SET latin1", "latin1"),
        ("SET('a') COLLATE latin1_bin", "latin1"),
        ("NCHAR(5)", "utf8"),
        ("TEXT", "utf8mb4"),
        ("BLOB", None),
        ("INT", None),
        ("JSON", None),
    ],
)
def test_a_text_column_has_its_own_character_set_or_its_tables(definition: str, charset: str | None) -> None:
    assert column(definition).charset == charset


@pytest.mark.parametrize(
    ("definition", "optional", "has_default", "default"),
    [
        ("INT", True, True, None),
        ("INT NOT NULL", False, False, None),
        ("INT NULL DEFAULT NULL", True, True, None),
        ("INT DEFAULT 5", True, True, "5"),
        ("INT NOT NULL DEFAULT -3", False, True, "-3"),
        ("DECIMAL(5,2) DEFAULT - 1.50", True, True, "-1.50"),
        ("INT DEFAULT +4", True, True, "+4"),
        ("FLOAT DEFAULT 1e3", True, True, "1e3"),
        ("VARCHAR(9) NOT NULL DEFAULT ''", False, True, ""),
        ("VARCHAR(9) DEFAULT 'it''s'", True, True, "it''s"),
        ('VARCHAR(9) DEFAULT "x"', True, True, "x"),
        ("VARCHAR(9) DEFAULT _utf8mb4'x' COLLATE utf8mb4_bin", True, True, "x"),
        ("BIT(3) DEFAULT b'101'", True, True, "101"),
        ("BIT(3) DEFAULT 0b101", True, True, "101"),
        ("VARBINARY(3) NOT NULL DEFAULT x'41'", False, False, None),
        ("BOOLEAN DEFAULT TRUE", True, True, "TRUE"),
        ("CHAR(36) NOT NULL DEFAULT (UUID())", False, True, None),
        ("JSON DEFAULT (JSON_ARRAY(1,'),'))", True, True, None),
        ("TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", False, True, "1970-01-01 00:00:00"),
        ("TIMESTAMP(6) NULL DEFAULT NOW(6) ON UPDATE NOW(6)", True, True, "1970-01-01 00:00:00"),
        ("TIMESTAMP NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP()", True, True, "2020-01-01"),
        ("INT PRIMARY KEY", False, False, None),
        ("INT KEY DEFAULT 1", False, True, "1"),
        ("SERIAL", False, False, None),
        ("INT GENERATED ALWAYS AS (1 + 2) STORED NOT NULL", False, False, None),
        ("INT AS (a + (b * 2)) VIRTUAL", True, True, None),
        ("INT CONSTRAINT x CHECK (c > 0) NOT ENFORCED NOT NULL", False, False, None),
        ("INT CHECK (c > 0) DEFAULT 2 INVISIBLE", True, True, "2"),
        ("INT REFERENCES o (id) MATCH FULL ON DELETE SET NULL ON UPDATE NO ACTION DEFAULT 1", True, True, "1"),
        ("INT COLUMN_FORMAT FIXED STORAGE DISK ENGINE_ATTRIBUTE = '{}' NOT NULL", False, False, None),
        ("GEOMETRY NOT NULL SRID 4326", False, False, None),
        ("INT /*!80023 INVISIBLE */ NOT NULL", False, False, None),
    ],
)
def test_nullability_and_default_are_read_from_any_mix_of_attributes(
    definition: str, optional: bool, has_default: bool, default: str | None
) -> None:
    found = column(definition)
    assert (found.optional, found.has_default, found.default) == (optional, has_default, default)


def test_auto_increment_is_shown_as_generated_and_a_generated_column_is_not() -> None:
    assert (column("INT AUTO_INCREMENT").auto_incremented, column("INT AUTO_INCREMENT").generated) == (True, True)
    assert (column("INT AS (1)").auto_incremented, column("INT AS (1)").generated) == (False, False)
    assert column("TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP").auto_incremented
    assert not column("TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP").auto_incremented


def test_comments_are_kept_only_when_asked_for() -> None:
    sql = "CREATE TABLE t (c INT COMMENT 'it''s') COMMENT='of t'"
    assert (table(sql).comment, table(sql).columns[0].comment) == (None, None)
    kept = table(sql, comments=True)
    assert (kept.comment, kept.columns[0].comment) == ("of t", "it''s")


@pytest.mark.parametrize(
    ("definitions", "key"),
    [
        ("a INT, b INT, PRIMARY KEY (b, a)", ("b", "a")),
        ("a INT, b INT, CONSTRAINT pk PRIMARY KEY USING BTREE (b DESC)", ("b",)),
        ("a VARCHAR(9), PRIMARY KEY (`A`(5) ASC) COMMENT 'x'", ("a",)),
        ("PRIMARY KEY (a), a INT", ("a",)),
        ("a INT NOT NULL, b INT, UNIQUE (b), UNIQUE KEY u (a)", ("a",)),
        ("a INT NOT NULL, b INT NOT NULL, UNIQUE INDEX u (b, a), PRIMARY KEY (a)", ("a",)),
        ("a INT NOT NULL, UNIQUE ((a + 1))", ()),
        ("a INT UNIQUE, b INT", ("a",)),
        ("a INT UNIQUE, b INT PRIMARY KEY", ("b",)),
        ("a SERIAL, b INT", ("a",)),
        ("a INT, KEY k (a), FULLTEXT (a), SPATIAL INDEX s (a), INDEX (a) USING HASH", ()),
        ("a INT, CHECK (a > 1), CONSTRAINT c CHECK (a > 2), CONSTRAINT FOREIGN KEY f (a) REFERENCES d.o (a) "
         "ON DELETE CASCADE", ()),
    ],
)  # fmt: skip
def test_the_key_is_the_primary_key_or_the_first_unique_one(definitions: str, key: tuple[str, ...]) -> None:
    made = table(f"CREATE TABLE t ({definitions})")
    assert made.primary_key == key
    if "PRIMARY KEY" in definitions:
        assert not any(c.optional for c in made.columns if c.name in key)


@pytest.mark.parametrize(
    ("before", "create", "charset"),
    [
        ("", "CREATE TABLE t (c TEXT)", "utf8mb4"),
        ("", "CREATE TABLE t (c TEXT) DEFAULT CHARSET=latin1 COLLATE=latin1_bin", "latin1"),
        ("", "CREATE TABLE t (c TEXT) COLLATE latin2_general_ci", "latin2"),
        ("CREATE DATABASE d CHARACTER SET gbk", "CREATE TABLE t (c TEXT)", "gbk"),
        ("CREATE DATABASE d DEFAULT COLLATE = sjis_bin", "CREATE TABLE t (c TEXT)", "sjis"),
        (
            "CREATE DATABASE IF NOT EXISTS `d` /*!40100 DEFAULT CHARACTER SET latin1 */",
            "CREATE TABLE t (c TEXT)",
            "latin1",
        ),
        ("ALTER DATABASE d CHARSET latin7", "CREATE TABLE d.t (c TEXT)", "latin7"),
        ("ALTER SCHEMA DEFAULT CHARACTER SET = latin7 READ ONLY = 0", "CREATE TABLE d.t (c TEXT)", "latin7"),
        ("CREATE DATABASE d CHARACTER SET DEFAULT", "CREATE TABLE t (c TEXT)", "utf8mb4"),
        ("SET @@global.character_set_server = 'latin5'", "CREATE TABLE t (c TEXT)", "latin5"),
        ("SET character_set_database = cp850", "CREATE TABLE t (c TEXT)", "cp850"),
    ],
)
def test_a_tables_character_set_is_inherited_from_database_and_server(before: str, create: str, charset: str) -> None:
    made = table(before, create)
    assert (made.charset, made.columns[0].charset) == (charset, charset)


@pytest.mark.parametrize(
    "tail",
    [
        "ENGINE=InnoDB AUTO_INCREMENT 5 ROW_FORMAT=DYNAMIC, COMMENT 'x, (y' STATS_PERSISTENT=DEFAULT",
        "PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN MAXVALUE)",
        "/*!50100 PARTITION BY HASH (a) PARTITIONS 4 */",
        "DATA DIRECTORY = '/x' UNION = (d.x, d.y) ENCRYPTION='N' START TRANSACTION",
        "IGNORE AS SELECT 1 AS a",
        "SELECT CHARSET('x') AS a",
    ],
)
def test_what_follows_the_columns_does_not_matter(tail: str) -> None:
    assert names(table(f"CREATE TABLE IF NOT EXISTS d . t (a INT, b TEXT) {tail}")) == "a b"
    assert table(f"CREATE TABLE t (a INT, b TEXT) {tail}").charset == "utf8mb4"


def test_names_may_be_quoted_in_every_way_and_be_keywords() -> None:
    made = table(
        'CREATE TABLE "d"."t" (`key` INT, `a``b` INT, "index" INT, name INT, `sp ace` INT, t.x INT, größe INT)'
    )
    assert names(made) == "key a`b index name sp ace x größe"


def test_create_like_copies_and_if_not_exists_leaves_alone() -> None:
    made = catalog(
        "CREATE TABLE o (a INT PRIMARY KEY) COMMENT 'x'", "CREATE TABLE t LIKE o", "CREATE TABLE u (LIKE d.o)"
    )
    for name in ("t", "u"):
        assert made.tables[TableId("d", name)] == replace(made.tables[TableId("d", "o")], id=TableId("d", name))
    assert made.execute("CREATE TABLE IF NOT EXISTS o (b INT)", "d", refused) == []
    assert names(made.tables[TableId("d", "o")]) == "a"


BASE = "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9) DEFAULT 'x', c INT NOT NULL)"


@pytest.mark.parametrize(
    ("clauses", "columns"),
    [
        ("ADD n INT", "a b c n"),
        ("ADD COLUMN n INT FIRST", "n a b c"),
        ("ADD n INT AFTER a, ADD m INT AFTER n", "a n m b c"),
        ("ADD COLUMN (n INT, m INT, KEY (n), UNIQUE (m))", "a b c n m"),
        ("ADD (n INT)", "a b c n"),
        ("ADD n INT AFTER c", "a b c n"),
        ("DROP b", "a c"),
        ("DROP COLUMN `B`", "a c"),
        ("DROP COLUMN a, DROP PRIMARY KEY", "b c"),
        ("DROP b RESTRICT, ADD b INT FIRST", "b a c"),
        ("MODIFY c INT FIRST", "c a b"),
        ("MODIFY COLUMN a INT AFTER b", "b a c"),
        ("MODIFY a INT AFTER c", "b c a"),
        ("CHANGE b bb TEXT", "a bb c"),
        ("CHANGE COLUMN c B2 INT FIRST", "B2 a b"),
        ("CHANGE b B VARCHAR(3)", "a B c"),
        ("RENAME COLUMN a TO b, RENAME COLUMN b TO a", "b a c"),
        ("RENAME COLUMN b TO bb, ALTER b SET DEFAULT 'y', ADD n INT AFTER bb", "a bb n c"),
        ("CHANGE a b INT, CHANGE b c INT, CHANGE c a INT FIRST", "a b c"),
        ("CHANGE a n INT, ADD a INT", "n b c a"),
        (
            "ADD INDEX i (b), ADD KEY (c), ADD FULLTEXT f (b), ADD UNIQUE u (b), DROP INDEX i, RENAME INDEX f TO g",
            "a b c",
        ),
        ("ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES o (id) ON DELETE CASCADE, DROP FOREIGN KEY g", "a b c"),
        ("ADD CONSTRAINT CHECK (c > 1), DROP CHECK k, DROP CONSTRAINT l, ALTER CHECK m NOT ENFORCED", "a b c"),
        ("ALTER INDEX i INVISIBLE, ALTER COLUMN c SET INVISIBLE, DISABLE KEYS, FORCE", "a b c"),
        ("ENGINE=InnoDB ROW_FORMAT=COMPRESSED COMMENT='x, y', AUTO_INCREMENT 7, ADD n INT", "a b c n"),
        ("ALGORITHM=INPLACE, LOCK=NONE, ADD n INT", "a b c n"),
        ("ADD n INT, ALGORITHM INSTANT", "a b c n"),
        ("ADD PARTITION (PARTITION p1 VALUES LESS THAN (9), PARTITION p2 VALUES LESS THAN (10))", "a b c"),
        ("DROP PARTITION p1, p2", "a b c"),
        ("REORGANIZE PARTITION p1, p2 INTO (PARTITION p VALUES LESS THAN (3))", "a b c"),
        ("EXCHANGE PARTITION p WITH TABLE d.x WITHOUT VALIDATION", "a b c"),
        ("TRUNCATE PARTITION ALL", "a b c"),
        ("COALESCE PARTITION 2", "a b c"),
        ("REMOVE PARTITIONING", "a b c"),
        ("ADD n INT PARTITION BY HASH (a) PARTITIONS 3", "a b c n"),
        ("PARTITION BY KEY () PARTITIONS 2", "a b c"),
        ("ORDER BY a, b DESC", "a b c"),
        ("DISCARD TABLESPACE", "a b c"),
        ("SECONDARY_LOAD", "a b c"),
        ("WITH VALIDATION, ADD n INT AS (a+1) STORED", "a b c n"),
        ("", "a b c"),
    ],
)
def test_alter_table_places_columns_as_mysql_does(clauses: str, columns: str) -> None:
    made = catalog(BASE)
    effects = made.execute(f"ALTER TABLE t {clauses}", "d", refused)
    assert effects is not None
    assert [(e.kind, e.ddl) for e in effects] == [(Kind.ALTER, f"ALTER TABLE t {clauses}".strip())]
    assert names(made.tables[TableId("d", "t")]) == columns


def test_altered_columns_get_their_new_shape_and_nothing_of_the_old_one() -> None:
    made = table(BASE, "ALTER TABLE t MODIFY b INT, MODIFY c DECIMAL(5,2) NULL DEFAULT 1.5, CHANGE a a BIGINT NOT NULL")
    a, b, c = made.columns
    assert (a.type_name, a.optional, a.has_default) == ("BIGINT", False, False)
    assert (b.type_name, b.length, b.default, b.charset) == ("INT", None, None, None)
    assert (c.length, c.scale, c.optional, c.default) == (5, 2, True, "1.5")


def test_a_default_is_set_and_dropped() -> None:
    made = table(BASE, "ALTER TABLE t ALTER c SET DEFAULT 7, ALTER COLUMN b DROP DEFAULT")
    assert [(c.has_default, c.default) for c in made.columns] == [(False, None), (True, None), (True, "7")]
    made = table(BASE, "ALTER TABLE t ALTER b SET DEFAULT NULL, ALTER c SET DEFAULT (1 + 1)")
    assert [(c.has_default, c.default) for c in made.columns] == [(False, None), (True, None), (True, None)]


@pytest.mark.parametrize(
    ("clauses", "key"),
    [
        ("DROP PRIMARY KEY", ()),
        ("DROP PRIMARY KEY, ADD PRIMARY KEY (c, a)", ("c", "a")),
        ("DROP COLUMN a", ()),
        ("CHANGE a id INT NOT NULL", ("id",)),
        ("RENAME COLUMN a TO id", ("id",)),
        ("DROP PRIMARY KEY, ADD UNIQUE (b), ADD CONSTRAINT u UNIQUE KEY u (c)", ("c",)),
        ("DROP PRIMARY KEY, ADD n INT NOT NULL UNIQUE", ("n",)),
        ("ADD UNIQUE (c)", ("a",)),
        ("RENAME COLUMN a TO b, RENAME COLUMN b TO a", ("b",)),
        ("DROP COLUMN a, ADD COLUMN n INT AUTO_INCREMENT PRIMARY KEY FIRST", ("n",)),
    ],
)
def test_alter_table_changes_the_key(clauses: str, key: tuple[str, ...]) -> None:
    assert table(BASE, f"ALTER TABLE t {clauses}").primary_key == key


def test_a_primary_key_added_later_makes_its_columns_required() -> None:
    made = table("CREATE TABLE t (a INT, b INT DEFAULT 5)", "ALTER TABLE t ADD PRIMARY KEY (a, b)")
    assert [(c.optional, c.has_default, c.default) for c in made.columns] == [(False, False, None), (False, True, "5")]


def test_a_unique_index_serves_as_key_only_while_there_is_none() -> None:
    made = catalog("CREATE TABLE t (a INT NOT NULL, b INT)")
    assert documents(made.execute("CREATE UNIQUE INDEX u ON t (b)", "d", refused)) != []
    assert made.tables[TableId("d", "t")].primary_key == ()
    effect = only(made.execute("CREATE UNIQUE INDEX u USING BTREE ON d.t (a) ALGORITHM=INPLACE", "x", refused))
    assert (effect.kind, effect.database, effect.table) == (Kind.ALTER, "d", TableId("d", "t"))
    assert made.tables[TableId("d", "t")].primary_key == ("a",)
    assert made.execute("CREATE UNIQUE INDEX v ON t (a)", "d", refused) == []
    assert made.execute("CREATE INDEX w ON t (b)", "d", refused) == []
    assert made.execute("DROP INDEX w ON t", "d", refused) == []


def test_converting_and_changing_the_character_set_of_a_table() -> None:
    create = "CREATE TABLE t (a INT, b TEXT, c CHAR(3) CHARACTER SET latin1) CHARSET latin1"
    converted = table(create, "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ADD e TEXT")
    assert [c.charset for c in converted.columns] == [None, "utf8mb4", "utf8mb4", "utf8mb4"]
    changed = table(
        create, "ALTER TABLE t DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin", "ALTER TABLE t ADD e TEXT"
    )
    assert [c.charset for c in changed.columns] == [None, "latin1", "latin1", "utf8mb4"]
    collated = table(create, "ALTER TABLE t COLLATE gbk_bin, ADD e TEXT")
    assert [c.charset for c in collated.columns] == [None, "latin1", "latin1", "gbk"]
    default = table(create, "ALTER TABLE t CONVERT TO CHARSET DEFAULT")
    assert [c.charset for c in default.columns] == [None, "utf8mb4", "utf8mb4"]


def test_rename_table_keeps_the_old_id_and_alter_rename_does_not() -> None:
    made = catalog("CREATE TABLE t (a INT)", "CREATE TABLE u (b INT)")
    effects = made.execute("RENAME TABLE t TO x , u TO `t`, x TO o.u", "d", refused) or []
    assert [effect.ddl for effect in effects] == [
        "RENAME TABLE t TO x",
        "RENAME TABLE u TO `t`",
        "RENAME TABLE x TO o.u",
    ]
    assert [str(effect.table_changes[0].previous_id) for effect in effects] == ["d.t", "d.u", "d.x"]
    assert {str(id): names(found) for id, found in made.tables.items()} == {"d.t": "b", "o.u": "a"}
    effect = only(made.execute("ALTER TABLE t RENAME TO v, ADD c INT", "d", refused))
    assert (effect.table, effect.table_changes[0].previous_id) == (TableId("d", "v"), None)
    assert sorted(map(str, made.tables)) == ["d.v", "o.u"]


def test_a_drop_of_several_tables_is_an_effect_each() -> None:
    made = catalog("CREATE TABLE t (a INT)", "CREATE TABLE u (b INT)")
    effects = made.execute("DROP TABLE IF EXISTS `t`,o.`u` CASCADE /* generated by server */", "d", refused) or []
    assert [effect.ddl for effect in effects] == [
        "DROP TABLE IF EXISTS `d`.`t` CASCADE",
        "DROP TABLE IF EXISTS `o`.`u` CASCADE",
    ]
    assert [effect.kind for effect in effects] == [Kind.DROP, Kind.DROP]
    assert list(made.tables) == [TableId("d", "u")]


def test_each_statement_of_a_text_has_its_own_text() -> None:
    made = catalog("CREATE TABLE t (a INT)")
    effects = (
        made.execute("DROP TABLE t; /* again */ DROP TABLE t ; RENAME TABLE a TO b;RENAME TABLE a TO b", "d") or []
    )
    assert [effect.ddl for effect in effects] == ["DROP TABLE `d`.`t`"] * 2 + ["RENAME TABLE a TO b"] * 2


def test_dropping_a_database_drops_its_tables_and_character_set() -> None:
    made = catalog("CREATE DATABASE d CHARSET gbk", "CREATE TABLE t (a INT)", "CREATE TABLE o.t (a INT)")
    effects = made.execute("DROP DATABASE IF EXISTS d", "", refused)
    assert effects == [Effect(Kind.DATABASE, "d", "DROP DATABASE IF EXISTS d")]
    assert list(made.tables) == [TableId("o", "t")]
    assert made.charset_for("d") == "utf8mb4"


def test_use_holds_for_the_rest_of_the_text() -> None:
    made = Catalog()
    effects = made.execute("USE `o`; CREATE TABLE t (a INT); CREATE TABLE d.t (a INT)", "d", refused) or []
    assert [(effect.kind, effect.database) for effect in effects] == [
        (Kind.DATABASE, "o"),
        (Kind.CREATE, "o"),
        (Kind.CREATE, "d"),
    ]
    assert list(made.tables) == [TableId("o", "t"), TableId("d", "t")]


@pytest.mark.parametrize("sql", ["TRUNCATE TABLE t", "TRUNCATE d.t", "SET STATEMENT a=1 FOR TRUNCATE TABLE t"])
def test_truncate_is_told_and_changes_nothing(sql: str) -> None:
    made = catalog(BASE)
    effect = only(made.execute(sql, "d", refused))
    assert (effect.kind, effect.table, effect.table_changes) == (Kind.TRUNCATE, TableId("d", "t"), ())


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN", "COMMIT", "XA START 'x'", "SAVEPOINT `x`", "INSERT INTO t VALUES (1)", "REPLACE INTO t VALUES (1)",
        "UPDATE t SET a=1", "DELETE FROM t", "GRANT ALL ON *.* TO a", "REVOKE ALL ON t FROM a", "FLUSH RELAY LOGS",
        "FLUSH PRIVILEGES", "ANALYZE TABLE t", "OPTIMIZE NO_WRITE_TO_BINLOG TABLE t", "CREATE USER a@b", "DROP ROLE a",
        "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`%` SQL SECURITY DEFINER VIEW `vw` AS SELECT 1", "DROP VIEW v",
        "CREATE DEFINER=CURRENT_USER() TRIGGER t BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a=1; DROP TABLE t; END",
        "CREATE DEFINER=a@b PROCEDURE p() BEGIN ALTER TABLE t DROP a; END",
        "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE TEMPORARY TABLE t (x INT)", "DROP TEMPORARY TABLE IF EXISTS `t` /* generated by server */",
        "# Dummy event replacing event type 160", "", "-- nothing", "ROLLBACK",
    ],
)  # fmt: skip
def test_what_is_no_ddl_on_tables_is_not_recorded(sql: str) -> None:
    made = catalog(BASE)
    assert made.execute(sql, "d", refused) is None
    assert names(made.tables[TableId("d", "t")]) == "a b c"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DROP TABLE t; END", "DROP EVENT e", "SET NAMES utf8mb4",
        "SET PASSWORD FOR a = 'x'", "CREATE TABLESPACE s ADD DATAFILE 'x'", "ALTER INSTANCE ROTATE INNODB MASTER KEY",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')", "FLUSH TABLES", "RENAME USER a TO b",
        "INSTALL PLUGIN p SONAME 'x'", "DROP INDEX i ON t", "ALTER TABLE unknown ADD a INT",
        "CREATE SPATIAL REFERENCE SYSTEM 1", "CREATE TABLE x LIKE unknown", "ALTER DATABASE d CHARSET latin1",
        "CREATE RESOURCE GROUP g TYPE = USER", "%&/()=",
    ],
)  # fmt: skip
def test_other_ddl_is_recorded_and_changes_no_table(sql: str) -> None:
    made = catalog(BASE)
    assert made.execute(sql, "d", refused) == []
    assert {str(id): names(found) for id, found in made.tables.items()} == {"d.t": "a b c"}


@pytest.mark.parametrize(
    ("sql", "tables", "reason"),
    [
        ("CREATE TABLE n (a WHATEVER)", ["d.n"], "unknown column type 'WHATEVER', found '\\)'"),
        ("CREATE TABLE n (a INT FLUFFY)", ["d.n"], "unknown column attribute, found 'FLUFFY'"),
        ("CREATE TABLE n SELECT * FROM t", ["d.n"], "columns come from a query"),
        ("CREATE TABLE n (a INT", ["d.n"], "found the end"),
        ("ALTER TABLE t MODIFY gone INT", ["d.t"], "table d.t has no column 'gone' to modify; known are a, b, c"),
        ("ALTER TABLE t CHANGE gone away INT", ["d.t"], "has no column 'gone' to change"),
        ("ALTER TABLE t FROBNICATE", ["d.t"], "unknown clause of ALTER TABLE, found 'FROBNICATE'"),
        ("RENAME TABLE t o", ["d.t"], "expected TO, found 'o'"),
        ("RENAME TABLE t TO o, x y", ["d.t"], "expected TO, found 'y'"),
        ("DROP TABLE 5, t", ["d.t"], "expected a name, found '5'"),
        ("CREATE UNIQUE INDEX u ON t", ["d.t"], "expected '\\(', found the end"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_tables_and_changes_nothing(
    sql: str, tables: list[str], reason: str
) -> None:
    made = catalog(BASE)
    found: list[Unparseable] = []
    assert made.execute(f"{sql}; CREATE TABLE after (a INT)", "d", found.append) is not None
    assert [(error.statement, list(map(str, error.tables))) for error in found] == [(sql, tables)]
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(found[0].reason)
    assert sorted(map(str, made.tables)) == ["d.after", "d.t"]
    assert names(made.tables[TableId("d", "t")]) == "a b c"


def test_a_statement_read_twice_does_no_harm() -> None:
    made = catalog(BASE)
    for sql in (
        "ALTER TABLE t ADD n INT AFTER a, DROP b",
        "ALTER TABLE t CHANGE c cc INT FIRST",
        "ALTER TABLE t RENAME COLUMN n TO m",
        "RENAME TABLE t TO u",
        "DROP TABLE IF EXISTS x",
        "CREATE TABLE y (a INT)",
    ):
        made.execute(sql, "d", refused)
        once = dict(made.tables)
        made.execute(sql, "d", refused)
        assert made.tables == once


def test_a_server_that_folds_names_has_one_table_whatever_the_case() -> None:
    made = Catalog(fold_names=True)
    made.execute("CREATE TABLE D.T (A INT); ALTER TABLE d.t ADD b INT", "", refused)
    assert {str(id): names(found) for id, found in made.tables.items()} == {"d.t": "A b"}


# Properties

identifiers = st.text(
    st.characters(min_codepoint=1, max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=8
)
strings = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), max_size=8)


def backquoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


types = st.one_of(
    st.sampled_from(
        ["INT", "BIGINT UNSIGNED", "TINYINT(1)", "DATETIME(6)", "JSON", "TEXT", "BLOB", "BIT(3)", "DOUBLE"]
    ),
    st.tuples(st.integers(1, 65), st.integers(0, 30)).map(lambda size: f"DECIMAL({size[0]},{size[1]})"),
    st.integers(0, 9999).map(lambda size: f"VARCHAR({size}) CHARACTER SET latin1"),
    st.lists(strings, min_size=1, max_size=4).map(lambda members: f"ENUM({','.join(map(quoted, members))})"),
)


@st.composite
def definitions(draw: st.DrawFn) -> tuple[str, str, str, bool, str | None, str]:
    """A column: its name, its type, its definition, whether it may be null, its default, its comment."""
    name, type_, optional = draw(identifiers), draw(types), draw(st.booleans())
    default, comment = draw(st.none() | strings), draw(strings)
    words = [backquoted(name), type_, "NULL" if optional else "NOT NULL"]
    words += [] if default is None else [f"DEFAULT {quoted(default)}"]
    gap = draw(st.sampled_from([" ", "\n", " /* ) , */ ", " -- x\n"]))
    return name, type_, gap.join([*words, f"COMMENT {quoted(comment)}"]), optional, default, comment


@given(st.lists(definitions(), min_size=1, max_size=6, unique_by=lambda column: column[0].lower()), identifiers)
def test_a_printed_table_is_read_as_it_was(
    columns: list[tuple[str, str, str, bool, str | None, str]], name: str
) -> None:
    made = Catalog(comments=True)
    made.execute(f"CREATE TABLE {backquoted(name)} ({', '.join(c[2] for c in columns)}) ENGINE=InnoDB", "d", refused)
    found = made.tables[TableId("d", name)]
    for read, (column_name, type_, _, optional, default, comment) in zip(found.columns, columns, strict=True):
        assert (read.name, read.optional) == (column_name, optional)
        assert type_.startswith(read.type_name.split()[0])
        assert read.comment == quoted(comment)[1:-1]
        assert read.default == (None if default is None else quoted(default)[1:-1])
        assert read.has_default == (optional or default is not None)


WORDS = """
    CREATE ALTER DROP RENAME TABLE t `u` ( ) , ; INT TEXT ADD COLUMN MODIFY CHANGE PRIMARY KEY UNIQUE DEFAULT 5 'x' TO
    FIRST AFTER a b SET ENUM LIKE NOT NULL CONSTRAINT CHECK COLLATE CHARACTER = . @ DATABASE INDEX ON USE"""


@given(st.lists(st.sampled_from(WORDS.split()), max_size=25).map(" ".join))
def test_any_row_of_words_is_read_or_refused(sql: str) -> None:
    made = catalog("CREATE TABLE t (a INT, b INT)")
    refusals: list[Unparseable] = []
    effects = made.execute(sql, "d", refusals.append)
    assert effects is None or all(effect.ddl for effect in effects)
    for found in made.tables.values():
        assert [c.position for c in found.columns] == list(range(1, len(found.columns) + 1))


@given(st.text(max_size=100))
def test_any_text_after_alter_table_is_read_or_refused(text: str) -> None:
    made = catalog("CREATE TABLE t (a INT, b INT)")
    made.execute("ALTER TABLE t " + text, "d")
    assert made.execute("CREATE TABLE v (a INT)", "d", refused) is not None
