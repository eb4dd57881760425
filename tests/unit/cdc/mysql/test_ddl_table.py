from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.mysql.schema_change import Kind
from cdc.table import TableId
from tests.mysql_ddl import BASE, catalog, documents, names, only, refused, table


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
    if "PRIMARY KEY" in definitions and not definitions.startswith("PRIMARY"):  # named first, it leaves them nullable
        assert not any(c.optional for c in made.columns if c.name in key)


@pytest.mark.parametrize(
    ("before", "create", "charset"),
    [
        ("", "CREATE TABLE t (c TEXT)", "utf8mb4"),
        ("", "CREATE TABLE t (c TEXT) DEFAULT CHARSET=latin1 COLLATE=latin1_bin", "latin1"),
        ("", "CREATE TABLE t (c TEXT) COLLATE latin2_general_ci", "utf8mb4"),
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
    made = table(BASE, "ALTER TABLE t ALTER c SET DEFAULT (1 + 1)")
    assert [(c.has_default, c.default) for c in made.columns][2] == (True, None)
    made = table(BASE, "ALTER TABLE t ALTER c SET DEFAULT 7", "ALTER TABLE t ALTER c SET DEFAULT NULL")
    assert made.columns[2].default == "7", "Debezium passes over NULL"


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


def test_a_unique_index_of_a_table_that_is_not_captured_is_not_looked_at() -> None:
    made = catalog("CREATE TABLE t (a INT NOT NULL)")
    made.captured = lambda id: False
    assert made.execute("CREATE UNIQUE INDEX u ON t (a)", "d", refused) == []
    assert made.tables[TableId("d", "t")].primary_key == ()


def test_dropping_an_index_is_no_change() -> None:
    made = catalog("CREATE TABLE t (a INT NOT NULL)")
    assert made.execute("DROP INDEX w ON t", "d", refused) == []


def test_a_table_in_a_database_that_is_not_known_takes_the_character_set_of_the_current_one() -> None:
    made = catalog("CREATE DATABASE d CHARSET latin7", "CREATE TABLE unknown.t (c TEXT)")
    assert made.tables[TableId("unknown", "t")].charset == "latin7"


def test_a_primary_key_named_before_its_columns_leaves_them_nullable() -> None:
    made = table("CREATE TABLE t (PRIMARY KEY (a), a INT)")
    assert (made.primary_key, made.columns[0].optional, made.columns[0].has_default) == (("a",), True, True)


def test_converting_and_changing_the_character_set_of_a_table() -> None:
    create = "CREATE TABLE t (a INT, b TEXT, c CHAR(3) CHARACTER SET latin1) CHARSET latin1"
    converted = table(create, "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ADD e TEXT")
    assert [c.charset for c in converted.columns] == [None, "utf8mb4", "utf8mb4", "utf8mb4"]
    changed = table(
        create, "ALTER TABLE t DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin", "ALTER TABLE t ADD e TEXT"
    )
    assert [c.charset for c in changed.columns] == [None, "latin1", "latin1", "latin1"]
    collated = table(create, "ALTER TABLE t COLLATE gbk_bin, ADD e TEXT")
    assert [c.charset for c in collated.columns] == [None, "latin1", "latin1", "latin1"]
    default = table(create, "ALTER TABLE t CONVERT TO CHARSET DEFAULT")
    assert [c.charset for c in default.columns] == [None, "utf8mb4", "utf8mb4"]
