"""The DDL parser against a real MySQL: after every statement our tables are those of information_schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cdc.mysql.ddl import Catalog
from cdc.table import TableId
from tests.server.information_schema import Server, check, refused

DATABASE = "b_ddl"

STATEMENTS = [
    "CREATE TABLE t1 (id INT PRIMARY KEY, v VARCHAR(10))",
    "ALTER TABLE t1 ADD COLUMN n INT NOT NULL DEFAULT 5",
    "ALTER TABLE t1 ADD COLUMN f CHAR(3) FIRST, ADD COLUMN g DECIMAL(6,2) NULL DEFAULT 1.25 AFTER v, "
    "ADD (h INT, k DATETIME(3))",
    "ALTER TABLE t1 CHANGE COLUMN v value VARCHAR(40) CHARACTER SET latin1 NOT NULL DEFAULT 'none' COMMENT 'a, b', "
    "MODIFY n BIGINT UNSIGNED NULL, DROP COLUMN h",
    "ALTER TABLE t1 RENAME COLUMN k TO kk, ALTER COLUMN n SET DEFAULT 9, ALTER COLUMN g DROP DEFAULT",
    "ALTER TABLE t1 RENAME COLUMN f TO g, RENAME COLUMN g TO f",
    "ALTER TABLE t1 CHANGE n kk INT, CHANGE kk n TIME(2) AFTER id, ADD z INT AFTER kk",
    "ALTER TABLE t1 CHANGE z y INT, ADD z BIGINT FIRST",
    "RENAME TABLE t1 TO t2",
    "CREATE TABLE t1 LIKE t2",
    "RENAME TABLE t1 TO swap, t2 TO t1, swap TO t2",
    "ALTER TABLE t2 RENAME TO t3, ADD w TEXT",
    "ALTER TABLE t3 RENAME AS b_ddl.t2",
    "CREATE TABLE numbers (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT(5) ZEROFILL, d INTEGER, e BIGINT SIGNED, "
    "f BOOL, g BOOLEAN NOT NULL DEFAULT TRUE, h DEC, i NUMERIC(12,4) DEFAULT -1.5, j FIXED(5), k FLOAT, l FLOAT(7,3), "
    "m REAL, n DOUBLE PRECISION UNSIGNED, o BIT, p BIT(17) DEFAULT b'101', q INT1, r INT2, s INT3, t INT4, u INT8, "
    "v MIDDLEINT, w FLOAT4, x FLOAT8, y SERIAL)",
    "CREATE TABLE strings (id INT KEY, a CHAR, b CHARACTER(4), c VARCHAR(9) BINARY, d TINYTEXT, e TEXT, f MEDIUMTEXT, "
    "g LONGTEXT, h LONG, i LONG VARCHAR, j NCHAR(5), k NATIONAL CHAR VARYING(6), l NVARCHAR(7), m NATIONAL VARCHAR(8), "
    "n CHAR(3) CHARACTER SET latin1 COLLATE latin1_bin, o VARCHAR(3) COLLATE utf16_bin, p CHAR(2) ASCII, "
    "q CHAR VARYING(3) UNICODE, r NCHAR VARCHAR(2), s NATIONAL CHARACTER(3), t CHARACTER VARYING(12) CHARSET gbk)",
    "CREATE TABLE bytes (a BINARY, b BINARY(3), c VARBINARY(9) NOT NULL DEFAULT 'x', d TINYBLOB, e BLOB, "
    "f MEDIUMBLOB, g LONGBLOB, h LONG VARBINARY, i CHAR(4) BYTE, j VARCHAR(5) BYTE)",
    "CREATE TABLE times (a DATE DEFAULT '2020-01-02', b TIME, c TIME(6), "
    "d DATETIME(3) DEFAULT '2001-02-03 04:05:06.789', e TIMESTAMP, "
    "f TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
    "g TIMESTAMP NULL ON UPDATE NOW(), h DATETIME DEFAULT NOW() NOT NULL, i YEAR, j YEAR(4) DEFAULT 2000, "
    "k DATETIME DEFAULT LOCALTIMESTAMP)",
    "CREATE TABLE others (a ENUM('x','it''s','a,b',\"q\") DEFAULT 'x', b SET('r','g') NOT NULL DEFAULT 'r,g', c JSON, "
    "d GEOMETRY NOT NULL SRID 4326, e POINT, f GEOMCOLLECTION, g VECTOR(3), h VECTOR, i MULTIPOLYGON, "
    "j ENUM('é') CHARACTER SET latin1, k SET('a') COLLATE latin1_bin, l LINESTRING, m MULTIPOINT)",
    "CREATE TABLE defaults (a CHAR(36) DEFAULT (UUID()), b JSON DEFAULT (JSON_ARRAY(1,'),(')), "
    "c INT DEFAULT (1 + (2)), d VARCHAR(20) DEFAULT 'x;y -- z' NOT NULL, e VARCHAR(5) DEFAULT _utf8mb4'abc', "
    "f INT DEFAULT NULL, g VARCHAR(5) DEFAULT 'a' 'b', h VARCHAR(9) DEFAULT '', i DATE DEFAULT (CURRENT_DATE))",
    "CREATE TABLE made (a INT, b INT AS (a + 1), c INT GENERATED ALWAYS AS (a * (2 + 1)) STORED NOT NULL, "
    "d VARCHAR(9) GENERATED ALWAYS AS (CONCAT(a, ')')) VIRTUAL COMMENT 'x', PRIMARY KEY (c), "
    "KEY ((a + 1)), CHECK (a > 0))",
    "CREATE TABLE parent (id INT UNSIGNED NOT NULL AUTO_INCREMENT, code CHAR(2) NOT NULL, PRIMARY KEY (id), "
    "UNIQUE KEY u (code))",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT UNSIGNED REFERENCES parent (id), CONSTRAINT fk FOREIGN KEY ix (p) "
    "REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL, CONSTRAINT ck CHECK (id > 0) NOT ENFORCED)",
    "ALTER TABLE child DROP FOREIGN KEY fk, DROP CHECK ck, ADD CONSTRAINT ck2 CHECK (id > 1), ADD q INT CHECK (q > 2)",
    "ALTER TABLE child ADD CONSTRAINT fk2 FOREIGN KEY (p) REFERENCES parent (id), ALTER CHECK ck2 NOT ENFORCED",
    "CREATE TABLE keyed (a INT, b INT, c VARCHAR(30), PRIMARY KEY USING BTREE (b, a), FULLTEXT KEY ft (c), "
    "INDEX ic (c(10) DESC) INVISIBLE COMMENT 'x, y', UNIQUE INDEX ua (a))",
    "ALTER TABLE keyed DROP PRIMARY KEY, ADD PRIMARY KEY (a)",
    "ALTER TABLE keyed DROP PRIMARY KEY, DROP COLUMN a, ADD id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST",
    "ALTER TABLE keyed RENAME INDEX ic TO ic2, ALTER INDEX ic2 VISIBLE, DROP INDEX ft, ADD INDEX (b), ALGORITHM=COPY",
    "CREATE TABLE nokey (a INT NOT NULL, b INT)",
    "CREATE UNIQUE INDEX u ON nokey (a)",
    "DROP INDEX u ON nokey",
    "ALTER TABLE nokey ADD c INT, ALGORITHM=INSTANT",
    "ALTER TABLE nokey ALTER c SET DEFAULT (3 * 2), ALTER b SET INVISIBLE",
    "ALTER TABLE nokey ALTER c SET DEFAULT NULL, ALTER b SET DEFAULT 4",
    "ALTER TABLE nokey MODIFY a VARCHAR(20) NOT NULL DEFAULT 'x' AFTER c, LOCK=SHARED",
    "ALTER TABLE nokey ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8, COMMENT='c, d'",
    "CREATE TABLE parts (id INT, y INT, note VARCHAR(5), PRIMARY KEY (id, y)) COMMENT='x' PARTITION BY RANGE (y) "
    "(PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN (2010) COMMENT = 'q', "
    "PARTITION pm VALUES LESS THAN MAXVALUE)",
    "ALTER TABLE parts REORGANIZE PARTITION pm INTO (PARTITION p2 VALUES LESS THAN (2020), "
    "PARTITION pm VALUES LESS THAN MAXVALUE)",
    "ALTER TABLE parts DROP PARTITION p0, p1",
    "ALTER TABLE parts TRUNCATE PARTITION pm",
    "ALTER TABLE parts REMOVE PARTITIONING",
    "ALTER TABLE parts ADD extra INT PARTITION BY HASH (id) PARTITIONS 2",
    "ALTER TABLE parts COALESCE PARTITION 1",
    "CREATE TABLE hidden (id INT KEY, a INT INVISIBLE, b INT COLUMN_FORMAT FIXED STORAGE MEMORY, "
    "c INT) /*!50100 PARTITION BY KEY (id) PARTITIONS 2 */",
    "CREATE TABLE latin (a VARCHAR(5), b LONGTEXT, c ENUM('x')) DEFAULT CHARACTER SET = latin1 COLLATE latin1_bin",
    "ALTER TABLE latin ADD d VARCHAR(5), ADD e VARCHAR(5) CHARACTER SET utf8mb4",
    "ALTER TABLE latin DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin",
    "ALTER TABLE latin ADD f VARCHAR(5)",
    "ALTER TABLE latin CONVERT TO CHARACTER SET utf8mb4",
    "ALTER TABLE latin COLLATE latin2_general_ci, ADD g CHAR(2)",
    "CREATE TABLE collated (a VARCHAR(5)) COLLATE = sjis_bin",
    "ALTER DATABASE b_ddl CHARACTER SET latin7",
    "CREATE TABLE inherits (a VARCHAR(5), b NCHAR(2))",
    "ALTER DATABASE b_ddl COLLATE utf8mb4_general_ci",
    "CREATE TABLE inherits2 (a VARCHAR(5))",
    "ALTER TABLE inherits CONVERT TO CHARACTER SET DEFAULT",
    "CREATE TABLE `we``ird na.me` (`key` INT, `a``b` INT, `größe` INT, `sp ace` VARCHAR(2), `1st` INT, `select` INT)",
    "ALTER TABLE `we``ird na.me` DROP `a``b`, CHANGE `1st` `2nd` INT FIRST",
    "CREATE TABLE 2tables (1a INT, $b INT, name INT, type INT, date DATE, comment TEXT, status INT, position INT)",
    "CREATE /* c1 */ TABLE # c2\n commented -- c3\n (a INT /*!80000 NOT NULL */, /* ) */ b INT /*!99999 FLUFF */)",
    "/* lead */ ALTER TABLE commented ADD /*!80000 COLUMN */ c INT; ",
    "CREATE TABLE IF NOT EXISTS commented (x INT)",
    "CREATE TABLE copied AS SELECT id, value FROM t1 WHERE 1 = 0",
    "CREATE TEMPORARY TABLE temp (a INT)",
    "DROP TEMPORARY TABLE temp",
    "CREATE VIEW vw AS SELECT id FROM t1",
    "ALTER VIEW vw AS SELECT 1 AS one",
    "DROP VIEW vw",
    "CREATE PROCEDURE pr() BEGIN DROP TABLE IF EXISTS t1; ALTER TABLE t2 DROP w; END",
    "DROP PROCEDURE pr",
    "CREATE EVENT ev ON SCHEDULE EVERY 1 YEAR DISABLE DO DROP TABLE t1",
    "DROP EVENT ev",
    "TRUNCATE TABLE t1",
    "ANALYZE TABLE t1",
    "ALTER TABLE t1 FORCE, ORDER BY id",
    "ALTER TABLE t1 DISABLE KEYS",
    "DROP TABLE child, parent",
    "DROP TABLE IF EXISTS nothing, `keyed` CASCADE",
    "CREATE TABLE late (a INT, PRIMARY KEY (b), b INT, c INT UNIQUE, UNIQUE (a))",
    "ALTER TABLE late DROP PRIMARY KEY, MODIFY b INT NULL",
]


@pytest.fixture
def server(mysql: Any) -> Iterator[Server]:
    made = Server(mysql, DATABASE)
    made.run(f"DROP DATABASE IF EXISTS {DATABASE}")
    made.run(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    made.run(f"USE {DATABASE}")
    yield made
    made.run(f"DROP DATABASE {DATABASE}")


def test_after_every_statement_our_tables_are_the_servers(server: Server) -> None:
    assert len(STATEMENTS) >= 60
    catalog = Catalog()
    catalog.execute("SET character_set_server=utf8mb4", "")
    catalog.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", "", refused)
    for statement in STATEMENTS:
        server.run(statement)
        sql = statement
        if statement.startswith("CREATE TABLE copied AS"):  # the log has the table that came of it
            sql = server.create_table("copied")
        catalog.execute(sql, DATABASE, refused)
        check(server, catalog.tables, statement)


def test_tables_read_from_show_create_table_are_the_servers(server: Server) -> None:
    for statement in STATEMENTS:
        server.run(statement)
    catalog = Catalog(comments=True)
    catalog.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", "", refused)
    keys = server.keys()
    for name, rows in server.columns().items():
        catalog.execute(server.create_table(name), DATABASE, refused)
        table = catalog.tables[TableId(DATABASE, name)]
        assert [c.comment or "" for c in table.columns] == [row["COLUMN_COMMENT"] for row in rows]
        unique = keys.get(name, {})
        nullable = {row["COLUMN_NAME"] for row in rows if row["IS_NULLABLE"] == "YES"}
        usable = {key for key in unique.values() if None not in key and nullable.isdisjoint(key)}
        assert table.primary_key in ({unique["PRIMARY"]} if "PRIMARY" in unique else usable or {()})
    check(server, catalog.tables)


def test_the_log_holds_text_that_is_read_the_same(server: Server, mysql_address: tuple[str, int]) -> None:
    """What the server writes to its log (a DROP of several tables, CREATE TABLE ... SELECT) is not what was sent."""
    status = server.rows("SHOW BINARY LOG STATUS")[0]
    for statement in STATEMENTS:
        server.run(statement)
    events = server.rows(f"SHOW BINLOG EVENTS IN '{status['FILE']}' FROM {status['POSITION']}")
    catalog = Catalog()
    catalog.execute("SET character_set_server=utf8mb4", "")
    catalog.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", "", refused)
    prefix = f"use `{DATABASE}`; "
    texts = [row["INFO"] for row in events if row["EVENT_TYPE"] == "Query"]
    ddl = [text.removeprefix(prefix) for text in texts if text.startswith(prefix)]
    assert len(ddl) > 60
    for text in ddl:
        catalog.execute(text, DATABASE, refused)
    check(server, catalog.tables)
