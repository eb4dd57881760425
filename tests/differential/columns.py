"""Random column definitions, as they stand in CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.differential.literals import quoted

CHARSETS = ("utf8mb4", "utf8mb3", "latin1", "ascii", "gbk", "sjis", "cp932", "ujis", "euckr", "big5", "gb18030",
            "utf16", "utf16le", "utf32", "ucs2", "cp1251", "koi8r", "koi8u", "latin2",
            "latin5", "latin7", "greek", "hebrew",
            "cp1250", "cp1256", "cp1257", "cp850", "cp852", "cp866", "tis620", "macroman", "binary")  # fmt: skip
COLLATIONS = ("utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb4_0900_as_cs", "latin1_general_cs", "latin1_bin", "gbk_bin",
              "utf8mb3_general_ci", "utf16_bin", "cp1251_general_ci", "ascii_bin")  # fmt: skip
MEMBERS = ("a", "b", "c d", "", "x,y", "it's", 'q"q', "é", "日本", "Z" * 20, "back\\slash", "(p)", " lead", "😀")
SPATIAL = ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
           "GEOMETRYCOLLECTION")  # fmt: skip


def integer(random: Random) -> str:
    name = random.choice(("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "INT2", "INT8"))
    width = random.choice(("", "", "", "(1)", "(3)", "(11)"))
    if random.random() < 0.3:  # without a width: Debezium's driver stops at a number that is wider than ZEROFILL fills
        return name + random.choice((" ZEROFILL", " UNSIGNED ZEROFILL"))
    return name + width + random.choice(("", "", " UNSIGNED"))


def boolean(random: Random) -> str:
    return random.choice(("BOOL", "BOOLEAN", "TINYINT(1)", "BIT", "BIT(1)"))


def exact(random: Random) -> str:
    digits = random.choice((1, 2, 5, 9, 10, 18, 19, 30, 38, 65))
    scale = random.randint(0, min(digits, 30))
    name = random.choice(("DECIMAL", "NUMERIC", "DEC", "FIXED"))
    size = random.choice(("", f"({digits})", f"({digits},{scale})", f"({digits}, {scale})", f"({digits},{scale})"))
    return name + size + random.choice(("", "", "", " UNSIGNED"))


def floating(random: Random) -> str:
    name = random.choice(("FLOAT", "FLOAT(10)", "FLOAT(24)", "FLOAT(25)", "FLOAT(53)", "FLOAT(7,3)", "FLOAT(10,0)",
                          "DOUBLE", "DOUBLE PRECISION", "DOUBLE(10,2)", "DOUBLE(53,30)", "REAL"))  # fmt: skip
    return name + random.choice(("", "", "", " UNSIGNED"))


def bits(random: Random) -> str:
    return f"BIT({random.choice((1, 2, 7, 8, 9, 16, 31, 33, 63, 64))})"


def text(random: Random) -> str:
    size = random.choice((0, 1, 3, 20, 40, 100))
    name = random.choice((f"CHAR({size})", f"VARCHAR({size})", f"VARCHAR({size or 1})", "CHAR", "TINYTEXT", "TEXT",
                          "MEDIUMTEXT", "LONGTEXT", "TEXT(300)", f"NCHAR({size})", f"NVARCHAR({size})",
                          f"CHARACTER VARYING({size})", f"NATIONAL CHAR({size})", f"CHARACTER({size})"))  # fmt: skip
    if name.startswith("N"):
        return name
    chosen = random.random()
    if chosen < 0.35:
        return f"{name} {random.choice(('CHARACTER SET', 'CHARSET'))} {random.choice(CHARSETS)}"
    if chosen < 0.5:
        return f"{name} COLLATE {random.choice(COLLATIONS)}"
    return name


def binary(random: Random) -> str:
    size = random.choice((1, 3, 8, 16, 40))
    return random.choice((f"BINARY({size})", "BINARY", f"VARBINARY({size})", "TINYBLOB", "BLOB", "MEDIUMBLOB",
                          "LONGBLOB", "BLOB(200)"))  # fmt: skip


def members(random: Random) -> str:
    chosen = random.sample(MEMBERS, random.randint(1, 6))
    if (name := random.choice(("ENUM", "SET"))) == "SET":
        chosen = [member for member in chosen if "," not in member] or ["m"]
    charset = random.choice(("", "", "", " CHARACTER SET utf8mb4", " CHARACTER SET gbk", " CHARACTER SET latin1"))
    return f"{name}({random.choice((',', ', ')).join(map(quoted, chosen))}){charset}"


def temporal(random: Random) -> str:
    name = random.choice(("DATE", "TIME", "DATETIME", "TIMESTAMP", "YEAR", "YEAR(4)"))
    fraction = random.choice(("", "", "(0)", "(1)", "(3)", "(4)", "(6)"))
    return name if name.startswith(("YEAR", "DATE")) and name != "DATETIME" else name + fraction


def document(random: Random) -> str:
    return "JSON"


def spatial(random: Random) -> str:
    return random.choice(SPATIAL) + random.choice(("", "", " SRID 4326", " SRID 0"))


def vector(random: Random) -> str:
    return random.choice(("VECTOR", "VECTOR(3)", "VECTOR(1)"))


def address(random: Random) -> str:
    """A type of MariaDB; MySQL refuses it."""
    return "UUID"  # no INET4, INET6: the parser of Debezium for MariaDB refuses them


KINDS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (integer, 6), (boolean, 2), (exact, 4), (floating, 3), (bits, 2), (text, 7), (binary, 4), (members, 3),
    (temporal, 6), (document, 3), (spatial, 2), (vector, 1), (address, 0.3),
)  # fmt: skip


def type_text(random: Random) -> str:
    kind = random.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0]
    return kind(random)


def key_type(random: Random) -> str:
    """A type that a key may hold whole."""
    kind = random.choice((integer, integer, integer, exact, temporal, binary, text, members))
    while True:
        made = kind(random)
        if not any(part in made for part in ("TEXT", "BLOB", "(0)")):
            return made


def definition(random: Random, nullability: str | None = None) -> str:
    """A type and what may follow it: nullability (this one, if given), default, comment, visibility."""
    made = type_text(random)
    nullability = nullability or random.choice(("", "", "NULL", "NOT NULL", "NOT NULL"))
    parts = [made, nullability, _default(random, made)]
    if random.random() < 0.2 and not made.startswith(SPATIAL):  # Debezium with include.schema.comments stops at those
        parts.append("COMMENT " + quoted(random.choice(("c", "it's", "é日本😀", "", 'say "x"', "a\nb"))))
    if random.random() < 0.04:
        parts.append("INVISIBLE")
    return " ".join(part for part in parts if part)


def _default(random: Random, made: str) -> str:
    if random.random() < 0.5:
        return ""
    name = made.split("(")[0].split(" ")[0]
    if random.random() < 0.15:
        return "DEFAULT NULL"
    choices: tuple[str, ...]
    match name:
        case "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "INTEGER" | "BIGINT" | "INT2" | "INT8":
            choices = ("0", "1", "'7'", "-1", "127", "'0'", "(1 + 1)", "1.5", "'12'", "true")
        case "BOOL" | "BOOLEAN":
            choices = ("0", "1", "true", "FALSE", "'1'")
        case "DECIMAL" | "NUMERIC" | "DEC" | "FIXED":
            choices = ("0", "1", "'1.50'", "0.1", "'0'", "'9.99'", "-0.5", "1e0", "00.10")
        case "FLOAT" | "DOUBLE" | "REAL":
            choices = ("0", "1.5", "'2.25'", "1e3", "-0.1", "'1e-3'", "(pi())", "3.0")
        case "BIT":
            choices = ("b'0'", "b'1'", "1", "0", "0x01", "B'1'", "'1'")
        case "CHAR" | "VARCHAR" | "NCHAR" | "NVARCHAR" | "CHARACTER" | "NATIONAL":
            choices = ("''", "'a'", "'it''s'", '"q"', "'b\\\\s'", "0", "1.5", "(uuid())", "'é'", "'NULL'", "x'41'",
                       "'  x '", "_utf8mb4'u'")  # fmt: skip
        case "BINARY" | "VARBINARY":
            choices = ("''", "'a'", "0x41", "x'00FF'", "'abc'", "('z')", "b'1000001'")
        case "ENUM" | "SET":
            choices = ("'a'", "'b'", "''", "1", "'é'")
        case "DATE":
            choices = ("'2020-01-02'", "'0000-00-00'", "(curdate())", "'1000-01-01'", "20200102")
        case "TIME":
            choices = ("'00:00:00'", "'12:34:56'", "'-838:59:59'", "'10:00'", "123456", "'23:59:59.999999'")
        case "DATETIME" | "TIMESTAMP":
            digits = made[made.find("(") : made.find(")") + 1]
            now = "CURRENT_TIMESTAMP" + digits
            choices = ("'2020-01-02 03:04:05'", "'0000-00-00 00:00:00'", now, f"{now} ON UPDATE {now}",
                       f"NOW{digits or '()'}",
                       "'2020-01-02 03:04:05.123456'", "'2020-01-02'", "0", f"LOCALTIME{digits}",
                       "'1970-01-01 00:00:01'", now.lower())  # fmt: skip
        case "YEAR":
            choices = ("2020", "'2021'", "0", "'70'", "1901", "'0000'", "99")
        case "JSON":
            choices = ("('{}')", "(json_object('a', 1))", "(json_array())", "('null')")
        case "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB":
            choices = ("('x')", "('')", "(concat('a', 'b'))")
        case "POINT":
            choices = ("(point(1, 2))",)
        case _:
            return ""
    return "DEFAULT " + random.choice(choices)


def generated(random: Random, other: str) -> str:
    """A generated column on the column `other`."""
    made = random.choice((f"INT GENERATED ALWAYS AS (length({other}))", f"VARCHAR(50) AS (left(hex({other}), 20))",
                          f"BIGINT AS (length({other}) + 1)", f"BOOL AS ({other} IS NULL)"))  # fmt: skip
    return f"{made} {random.choice(('VIRTUAL', 'STORED', ''))}{random.choice(('', ' COMMENT ' + quoted('g')))}"
