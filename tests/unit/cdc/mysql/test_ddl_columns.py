from __future__ import annotations

import pytest

from tests.mysql_ddl import column


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
        ("LONG CHAR VARYING", (12, "LONG VARCHAR", None, None)),
        ("LONG CHARACTER VARYING", (12, "LONG VARCHAR", None, None)),
        ("NATIONAL VARCHARACTER(4)", (-9, "NATIONAL VARCHAR", 4, None)),
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
        ("VARCHAR(5) NOT NULL COLLATE utf8_bin", "utf8mb4"),
        ("VARCHAR(5) NOT NULL COLLATE utf8mb3_bin", "utf8mb3"),
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
        ("VARCHAR(9) DEFAULT _utf8mb4'x' COLLATE utf8mb4_bin", True, True, "_utf8mb4'x'"),
        ("VARCHAR(9) DEFAULT _utf8mb4'x'", True, True, "_utf8mb4'x'"),
        ("DATETIME(4) DEFAULT LOCALTIME(4)", True, True, "LOCALTIME(4)"),
        ("DATETIME DEFAULT NOW() ON UPDATE LOCALTIME", True, True, "1970-01-01 00:00:00"),
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
