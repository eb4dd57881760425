"""Random table definitions and their changes."""

from __future__ import annotations

from random import Random

from tests.differential.columns import COLLATIONS, definition, generated, key_type
from tests.differential.literals import quoted
from tests.differential.options import HIDDEN
from tests.differential.session import Session, Table, named

NAMES = ("id", "a", "b", "Name", "c_1", "é", "two words", "order", "x-y", "A1", "value", "日付", "key", "d", "e", "f",
         "g", "h", "dot.ted", "UPPER", "date", "1st", "ts")  # fmt: skip
TABLES = ("t", "orders", "Mixed", "two words", "te-st", "über", "t1", "x.y", "select")
TABLE_CHARSETS = ("", "", "", " DEFAULT CHARSET=latin1", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " CHARSET gbk",
                  " DEFAULT CHARACTER SET = utf16", " COLLATE=latin1_swedish_ci", " CHARSET=utf8mb3")  # fmt: skip

_NEW_DEFAULTS = ("NULL", "1", "0", "'a'", "'2020-01-01'")
_CONVERTED = ("utf8mb4", "latin1", "utf8mb4 COLLATE utf8mb4_bin", "gbk")


class Tables:
    """Makes and changes the tables of some databases."""

    def __init__(self, random: Random, session: Session) -> None:
        self._random, self._session = random, session

    def free_name(self, database: str) -> str:
        taken = {name.lower() for name in self._session.names(database)}
        free = [name for name in TABLES if name.lower() not in taken]
        return self._random.choice(free) if free else f"t{self._random.randint(100, 999)}"

    def create(self, database: str) -> None:
        random = self._random
        name = self.free_name(database)
        names = sorted(random.sample(NAMES, random.randint(1, 9)), key=lambda column: column in HIDDEN)
        keyed = random.choice(("one", "one", "one", "several", "inline", "unique", "none", "counted"))
        count = {"none": 0, "several": 2}.get(keyed, 1)
        count = min(count, len(names))
        lines = []
        for number, column in enumerate(names):
            if number >= count:
                lines.append(f"{self._quoted(column)} {definition(random)}")
            elif keyed == "counted":
                counter = random.choice(("INT", "BIGINT UNSIGNED", "SMALLINT"))
                lines.append(f"{self._quoted(column)} {counter} NOT NULL AUTO_INCREMENT")
            else:
                nullable = random.choice((" NOT NULL", " NOT NULL", ""))
                lines.append(
                    f"{self._quoted(column)} {key_type(random)}{nullable}{' PRIMARY KEY' * (keyed == 'inline')}"
                )
        if len(names) > count and random.random() < 0.15:
            lines.append(f"gen {generated(random, named(names[-1]))}")
        columns = ", ".join(map(self._quoted, reversed(names[:count]) if random.random() < 0.5 else names[:count]))
        if keyed in ("one", "several", "counted") and columns:
            lines.append(f"{random.choice(('', 'CONSTRAINT pk '))}PRIMARY KEY ({columns})")
        elif keyed == "unique" and columns:
            lines.append(f"UNIQUE {random.choice(('', 'KEY ', 'INDEX u '))}({columns})")
        random_order = lines if random.random() < 0.7 else random.sample(lines, len(lines))
        comment = random.choice(("", "", "", " COMMENT='a table'", " COMMENT 'it''s é'"))
        between = random.choice((", ", ",\n  ", " , "))
        verb = random.choice(("CREATE TABLE", "CREATE TABLE", "create table", "CREATE TABLE IF NOT EXISTS"))
        engine = random.choice(("", "", " ENGINE=InnoDB", " ENGINE = InnoDB ROW_FORMAT=DYNAMIC"))
        self._session.run(
            f"{verb} {self._place(database, name)} ({between.join(random_order)})"
            f"{engine}{random.choice(TABLE_CHARSETS)}{comment}"
        )

    def alter(self, table: Table) -> None:
        """One ALTER TABLE of one or more parts, or what stands for one."""
        random = self._random
        chosen = random.random()
        if chosen < 0.8:
            parts = [self._part(table) for _ in range(random.choice((1, 1, 1, 2, 3)))]
            between = random.choice((", ", ",\n", " , "))
            end = random.choice(("", "", "", ", ALGORITHM=COPY", ", ALGORITHM=INPLACE, LOCK=NONE"))
            word = random.choice(("ALTER TABLE", "ALTER TABLE", "alter table"))
            self._session.run(f"{word} {self._place(table.database, table.name)} {between.join(parts)}{end}")
            return
        column = named(random.choice(table.columns).name)
        index = next((key for key in table.keys if key != "PRIMARY"), "i1")
        self._session.run(random.choice((
            f"CREATE INDEX i{random.randint(1, 99)} ON {table} ({column})",
            f"CREATE UNIQUE INDEX u{random.randint(1, 99)} ON {table} ({column})",
            f"DROP INDEX {named(index)} ON {table}",
        )))  # fmt: skip

    def move(self, table: Table) -> None:
        """Renames, copies, drops."""
        random, database = self._random, table.database
        other = f"{named(database)}.{named(self.free_name(database))}"
        run = self._session.run
        match random.choices(("rename", "alter", "swap", "like", "select", "drop", "recreate"), (3, 2, 1, 2, 2, 2, 1))[
            0
        ]:
            case "rename":
                run(f"RENAME TABLE {table} TO {other}")
            case "alter":
                run(f"ALTER TABLE {table} RENAME {random.choice(('TO ', 'AS ', ''))}{other}")
            case "swap":
                run(f"CREATE TABLE {other} LIKE {table}")
                aside = f"{named(database)}.aside"
                run(f"RENAME TABLE {table} TO {aside}, {other} TO {table}, {aside} TO {other}")
            case "like":
                run(f"CREATE TABLE {other} {random.choice((f'LIKE {table}', f'(LIKE {table})'))}")
            case "select":
                run(f"CREATE TABLE {other} {random.choice(('', 'AS '))}SELECT * FROM {table}")
            case "drop":
                run(f"DROP TABLE {random.choice(('', 'IF EXISTS '))}{table}{random.choice(('', ' CASCADE'))}")
            case _:
                run(f"DROP TABLE {table}")
                self.create(database)

    def _part(self, table: Table) -> str:
        random = self._random
        column = random.choice(table.columns)
        old, free = self._quoted(column.name), self._free_column(table)
        null = random.choice(("NULL", "NOT NULL"))
        place = random.choice(("", "", " FIRST", f" AFTER {self._quoted(random.choice(table.columns).name)}"))
        word = random.choice(("COLUMN ", "COLUMN ", ""))
        parts = {
            "add": f"ADD {word}{free} {definition(random)}{place}",
            # Debezium gives a column of these the nullability of the one before it.
            "add several": f"ADD {word}({free} {definition(random, null)}, more {definition(random, null)})",
            "drop": f"DROP {word}{old}",
            "modify": f"MODIFY {word}{old} {definition(random)}{place}",
            "change": f"CHANGE {word}{old} {free} {definition(random)}{place}",
            "change same": f"CHANGE {word}{old} {old} {definition(random)}",
            "rename": f"RENAME COLUMN {old} TO {free}",
            "set default": f"ALTER {word}{old} SET DEFAULT {random.choice(_NEW_DEFAULTS)}",
            "drop default": f"ALTER {word}{old} DROP DEFAULT",
            "primary": f"ADD {random.choice(('', 'CONSTRAINT p '))}PRIMARY KEY ({old})",
            "drop primary": "DROP PRIMARY KEY",
            "move primary": f"DROP PRIMARY KEY, ADD PRIMARY KEY ({old})",
            "unique": f"ADD UNIQUE {random.choice(('', 'KEY ', 'INDEX uu '))}({old})",
            "index": f"ADD {random.choice(('INDEX', 'KEY'))} ({old}{random.choice(('', ' DESC'))})",
            "convert": f"CONVERT TO CHARACTER SET {random.choice(_CONVERTED)}",
            "charset": f"DEFAULT CHARACTER SET {random.choice(('utf8mb4', 'latin1'))}",
            "collate": f"COLLATE {random.choice(COLLATIONS)}",
            "comment": f"COMMENT {random.choice(('', '= '))}{quoted(random.choice(('new', '', 'it is ü')))}",
            "engine": "ENGINE=InnoDB",
            "counter": "AUTO_INCREMENT=1000",
            "check": f"ADD CONSTRAINT CHECK ({old} IS NULL OR 1)",
            "generated": f"ADD {word}{free} {generated(random, named(column.name))}",
            "visible": f"ALTER {word}{old} SET {random.choice(('INVISIBLE', 'VISIBLE'))}",
            "force": "FORCE",
        }  # fmt: skip
        weights = {"add": 8, "drop": 4, "modify": 6, "change": 4, "rename": 3, "add several": 2, "set default": 2}
        return parts[random.choices(list(parts), [weights.get(name, 1) for name in parts])[0]]

    def _free_column(self, table: Table) -> str:
        taken = {column.name.lower() for column in table.columns}
        return self._quoted(self._random.choice([name for name in NAMES if name.lower() not in taken]))

    def _quoted(self, name: str) -> str:
        return f"`{name}`" if self._random.random() < 0.4 else named(name)

    def _place(self, database: str, name: str) -> str:
        chosen = self._random.random()
        if chosen < 0.5:
            return f"{named(database)}.{named(name)}"
        return f"`{database}`.`{name}`" if chosen < 0.75 else f"{named(database)} . {named(name)}"
