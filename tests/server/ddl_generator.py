"""Random DDL, the same for the same seed: what a server takes of it is compared with what we make of it.

Many statements are wrong (a column that is there twice, a default that does not fit): those the server refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

NAMES = [
    "a",
    "b",
    "c",
    "d",
    "Id",
    "`key`",
    "`größe`",
    "`we``ird`",
    "`sp ace`",
    "名前",
    "`1st`",
    "status",
    "`select`",
    "`a.b`",
]
TABLES = ["t1", "t2", "t3", "`T 4`", "`ünï`", "`we``ird na.me`"]
CHARSETS = ["latin1", "utf8mb4", "utf8mb3", "gbk", "ascii", "cp1251"]
TYPES = [
    "INT", "INT(11)", "INT UNSIGNED", "BIGINT", "BIGINT UNSIGNED", "TINYINT(1)", "TINYINT", "SMALLINT ZEROFILL", "BOOL",
    "MEDIUMINT UNSIGNED", "DECIMAL", "DECIMAL(7)", "NUMERIC(12,4)", "DEC(5,0)", "FLOAT", "DOUBLE", "DOUBLE PRECISION",
    "FLOAT(7,3)", "BIT", "BIT(9)", "DATE", "TIME", "TIME(3)", "DATETIME", "DATETIME(6)", "TIMESTAMP NULL",
    "TIMESTAMP(2) NULL", "YEAR", "CHAR", "CHAR(7)", "VARCHAR(20)", "VARCHAR(300)", "TINYTEXT", "TEXT", "MEDIUMTEXT",
    "LONGTEXT", "BINARY(4)", "VARBINARY(9)", "BLOB", "LONGBLOB", "ENUM('x','it''s','a,b')", "SET('r','g','b')",
    "ENUM(\"p\", 'q')", "NCHAR(3)", "NATIONAL VARCHAR(8)", "CHARACTER VARYING(12)", "POINT", "LINESTRING",
]  # fmt: skip
TEXTS = ("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "ENUM", "SET")
NOISE = [
    "CREATE OR REPLACE VIEW noise_v AS SELECT 1 AS a",
    "DROP VIEW IF EXISTS noise_v",
    "CREATE TEMPORARY TABLE IF NOT EXISTS noise_t (a INT)",
    "DROP TEMPORARY TABLE IF EXISTS noise_t",
    "DROP PROCEDURE IF EXISTS noise_p",
    "CREATE PROCEDURE noise_p() BEGIN DROP TABLE IF EXISTS t1; ALTER TABLE t2 DROP COLUMN a; END",
    "CREATE TRIGGER noise_r BEFORE INSERT ON t1 FOR EACH ROW SET @a = 1; ",
    "SET @x = 'ALTER TABLE t1 DROP COLUMN a'",
    "ANALYZE TABLE t1",
    "FLUSH TABLES",
]


class Statements:
    """Makes statements about the tables that there are."""

    def __init__(self, seed: int, *, mariadb: bool) -> None:
        self._random = Random(seed)
        self._mariadb = mariadb

    def statement(self, tables: Mapping[str, Sequence[str]]) -> str:
        """One statement. `tables`: their names and those of their columns, as they are now."""
        random = self._random
        if not tables or (len(tables) < len(TABLES) and random.random() < 0.15):
            return self._create(tables)
        makers = [self._alter] * 14 + [self._index, self._rename, self._drop, self._like, self._create, self._truncate]
        if random.random() < 0.05:
            return random.choice(NOISE).rstrip("; ")
        return random.choice(makers)(tables)

    def _one(self, tables: Mapping[str, Sequence[str]]) -> str:
        return self._quoted(self._random.choice(list(tables)))

    @staticmethod
    def _quoted(name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _maybe(self, text: str, chance: float = 0.3) -> str:
        return text if self._random.random() < chance else ""

    # Columns

    def _definition(self) -> str:
        random = self._random
        kind = random.choice(TYPES)
        parts = [kind]
        if kind.partition("(")[0] in TEXTS and random.random() < 0.3:
            charset = random.choice(CHARSETS)
            parts.append(
                random.choice(
                    [f"CHARACTER SET {charset}", f"CHARSET {charset} COLLATE {charset}_bin", f"COLLATE {charset}_bin"]
                )
            )
        if random.random() < 0.08 and kind.startswith(("INT", "BIGINT")):
            parts.append(random.choice(["AS (1 + 2)", "GENERATED ALWAYS AS (3 * (2 + 1)) STORED", "AS (7) VIRTUAL"]))
            return " ".join(parts)
        extras = [
            random.choice(["NULL", "NOT NULL", "NOT NULL", ""]),
            self._default(kind),
            self._maybe("COMMENT 'c, ''d'') x'", 0.1),
            self._maybe("UNIQUE", 0.04),
            self._maybe("INVISIBLE", 0.04),
            self._maybe("/*!50700 COMMENT 'v' */", 0.03),
        ]
        random.shuffle(extras)
        return " ".join([*parts, *filter(None, extras)])

    def _default(self, kind: str) -> str:
        random = self._random
        if random.random() < 0.55:
            return ""
        if kind.startswith(("DATETIME", "TIMESTAMP")):
            digits = kind[kind.find("(") :].partition(")")[0] + ")" if "(" in kind else ""
            now = random.choice(["CURRENT_TIMESTAMP", "NOW"]) + (digits or "()")
            return f"DEFAULT {now}" + self._maybe(f" ON UPDATE CURRENT_TIMESTAMP{digits}")
        if kind.startswith(("CHAR", "VARCHAR", "NCHAR", "NATIONAL")):
            return random.choice(["DEFAULT 'x'", "DEFAULT ''", 'DEFAULT "y"', "DEFAULT NULL", "DEFAULT (LEFT('e', 1))"])
        if kind.startswith("ENUM('x'"):
            return "DEFAULT 'x'"
        if kind.startswith("SET"):
            return "DEFAULT 'r,g'"
        if kind.startswith("DATE"):
            return "DEFAULT '2020-02-29'"
        return random.choice(["DEFAULT 1", "DEFAULT '1'", "DEFAULT NULL", "DEFAULT (1 + 0)"])

    def _column(self) -> str:
        return f"{self._name()} {self._definition()}"

    def _place(self, columns: Sequence[str]) -> str:
        if self._random.random() < 0.65:
            return ""
        after = self._quoted(self._random.choice(columns)) if columns else self._name()
        return self._random.choice([" FIRST", f" AFTER {after}", f" AFTER {self._name()}"])

    # Statements

    def _create(self, tables: Mapping[str, Sequence[str]]) -> str:
        random = self._random
        names = random.sample(NAMES, random.randint(1, 6))
        items = [f"{name} {self._definition()}" for name in names]
        if random.random() < 0.6:
            key = random.choice(["PRIMARY KEY", "KEY", "NOT NULL UNIQUE"])
            items[0] = f"{names[0]} {random.choice(['INT', 'BIGINT UNSIGNED', 'VARCHAR(30)'])} {key}"
        elif random.random() < 0.5:
            items.append(f"PRIMARY KEY ({', '.join(random.sample(names, random.randint(1, min(2, len(names)))))})")
        if random.random() < 0.3:
            items.append(f"UNIQUE KEY u ({random.choice(names)}), KEY k ({random.choice(names)} DESC), CHECK (1 < 2)")
        if random.random() < 0.3:
            random.shuffle(items)
        options = [
            self._maybe(f"DEFAULT CHARSET={random.choice(CHARSETS)}"),
            self._maybe("COMMENT='t, (x'", 0.2),
            self._maybe("ENGINE=InnoDB", 0.2),
            self._maybe("ROW_FORMAT=DYNAMIC", 0.1),
            self._maybe(f"COLLATE {random.choice(CHARSETS)}_bin", 0.1),
        ]
        random.shuffle(options)
        head = "CREATE TABLE"
        if self._mariadb and random.random() < 0.3:
            head = "CREATE OR REPLACE TABLE"
        elif random.random() < 0.2:
            head = "CREATE TABLE IF NOT EXISTS"
        partitions = self._maybe(f" PARTITION BY KEY ({names[0]}) PARTITIONS 2", 0.1)
        return f"{head} {random.choice(TABLES)} ({', '.join(items)}) {' '.join(filter(None, options))}{partitions}"

    def _like(self, tables: Mapping[str, Sequence[str]]) -> str:
        new = self._random.choice(TABLES)
        return self._random.choice(
            [f"CREATE TABLE {new} LIKE {self._one(tables)}", f"CREATE TABLE {new} (LIKE {self._one(tables)})"]
        )

    def _drop(self, tables: Mapping[str, Sequence[str]]) -> str:
        if self._random.random() < 0.6:
            return f"DROP TABLE IF EXISTS {self._random.choice(TABLES)}"
        names = self._random.sample(list(tables), min(len(tables), self._random.randint(1, 2)))
        return f"DROP TABLE {', '.join(map(self._quoted, names))}" + self._maybe(" CASCADE")

    def _truncate(self, tables: Mapping[str, Sequence[str]]) -> str:
        return f"TRUNCATE {self._one(tables)}"

    def _rename(self, tables: Mapping[str, Sequence[str]]) -> str:
        if len(tables) > 1 and self._random.random() < 0.5:
            one, two = map(self._quoted, self._random.sample(list(tables), 2))
            return f"RENAME TABLE {one} TO swap, {two} TO {one}, swap TO {two}"
        return f"RENAME TABLE {self._one(tables)} TO {self._random.choice(TABLES)}"

    def _index(self, tables: Mapping[str, Sequence[str]]) -> str:
        table = self._random.choice(list(tables))
        column = self._quoted(self._random.choice(tables[table]))
        if self._random.random() < 0.3:
            return f"DROP INDEX {self._random.choice(['u', 'k', 'x1'])} ON {self._quoted(table)}"
        unique = self._maybe("UNIQUE ", 0.5)
        return f"CREATE {unique}INDEX x1 ON {self._quoted(table)} ({column})"

    def _alter(self, tables: Mapping[str, Sequence[str]]) -> str:
        table = self._random.choice(list(tables))
        clauses = [self._clause(tables[table]) for _ in range(self._random.choice([1, 1, 1, 2, 3, 4]))]
        taken = {f"RENAME TO {name}" for name in TABLES if name.strip("`").replace("``", "`") in tables}
        clauses = [clause for clause in clauses if clause not in taken] or ["FORCE"]
        alone = [clause for clause in clauses if clause.startswith("CONVERT")]
        clauses = alone[:1] or clauses  # MariaDB converts columns that the same statement adds, MySQL does not
        if self._random.random() < 0.1:
            clauses.append(self._random.choice(["ALGORITHM=COPY", "LOCK=SHARED", "FORCE", "ENGINE=InnoDB"]))
        return f"ALTER TABLE {self._quoted(table)} {', '.join(clauses)}"

    def _clause(self, columns: Sequence[str]) -> str:
        random = self._random
        column = self._quoted(random.choice(columns))
        if random.random() < 0.1:
            column = column.upper()
        there = self._maybe("IF EXISTS ", 0.3) if self._mariadb else ""
        missing = self._maybe("IF NOT EXISTS ", 0.3) if self._mariadb else ""
        word = self._maybe("COLUMN ", 0.5)
        return random.choice([
            f"ADD {word}{missing}{self._column()}{self._place(columns)}",
            f"ADD {word}{missing}{self._column()}{self._place(columns)}",
            f"ADD {word}({self._column()}, {self._column()})",
            f"DROP {word}{there}{column}",
            f"MODIFY {word}{there}{column} {self._definition()}{self._place(columns)}",
            f"MODIFY {word}{there}{column} {self._definition()}{self._place(columns)}",
            f"CHANGE {word}{there}{column} {self._name()} {self._definition()}{self._place(columns)}",
            f"RENAME COLUMN {column} TO {self._name()}",
            f"ALTER {word}{column} {random.choice(['SET DEFAULT 1', 'DROP DEFAULT', 'SET DEFAULT NULL'])}",
            f"ADD PRIMARY KEY ({column})",
            "DROP PRIMARY KEY",
            f"ADD UNIQUE KEY u ({column})",
            f"ADD INDEX k ({column})",
            f"CONVERT TO CHARACTER SET {random.choice(CHARSETS)}",
            f"DEFAULT CHARACTER SET {random.choice(CHARSETS)}",
            f"COMMENT 'x, {random.randint(1, 9)}'",
            f"RENAME TO {random.choice(TABLES)}",
            "PARTITION BY HASH (1) PARTITIONS 2",
        ])  # fmt: skip
