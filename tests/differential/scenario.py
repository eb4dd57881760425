"""A seed -> databases, tables, rows, and what happens to them while both sides look on; the same each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.differential.options import options
from tests.differential.rows import Rows
from tests.differential.session import Session, Table
from tests.differential.tables import Tables

SQL_MODES = ("", "", "", "ALLOW_INVALID_DATES", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "STRICT_TRANS_TABLES")
# No binlog_row_image=MINIMAL: Debezium stops at rows that are not whole.
SETTINGS = ("binlog_transaction_compression=ON",
            "time_zone='+05:30'", "explicit_defaults_for_timestamp=OFF", "sql_generate_invisible_primary_key=ON",
            "character_set_server=latin1", "binlog_rows_query_log_events=OFF")  # fmt: skip
EVENTS = 40
"""How much happens in one scenario while it is streamed."""


@dataclass
class Scenario:
    """Statements run when `setup` and `changes` are called with a connection; or kept ones are run again.

    Attributes:
        copy: apart from 0, one of several scenarios of the same seed.
        kept: the statements of both parts that the server took; empty until it has run.
    """

    seed: int
    copy: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"df{self.seed}" + (f"x{self.copy}" if self.copy else "")

    @property
    def server_id(self) -> int:
        """Its readers have this number and the next one."""
        return 700_000 + self.seed % 100_000 * 20 + self.copy * 2

    @property
    def options(self) -> dict[str, str]:
        return options(Random(f"options {self.seed}"), self.databases)

    def shortened(self, copy: int, kept: dict[str, list[str]]) -> Scenario:
        """Another copy with some of the statements, which runs beside this one."""
        other = Scenario(self.seed, copy)
        renamed = {part: [text.replace(f"{self.name}_", f"{other.name}_") for text in kept[part]] for part in kept}
        return Scenario(self.seed, copy, renamed)

    @property
    def databases(self) -> tuple[str, str]:
        """The captured one and one beside it."""
        return f"{self.name}_a", f"{self.name}_b"

    def setup(self, session: Session) -> None:
        random = Random(f"setup {self.seed}")
        session.run(f"SET sql_mode='{random.choice(SQL_MODES)}'")
        for database in self.databases:
            charset = random.choice(("", "", " CHARACTER SET latin1", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
            session.run(f"CREATE DATABASE {database}{charset}")
        session.run(f"USE {self.databases[0]}")
        session.run(f"CREATE TABLE {self.databases[0]}.done (id INT PRIMARY KEY, a INT)")
        if "setup" in self.kept:
            return session.replay(self.kept["setup"])
        session.taken = []
        self._tables(random, session, random.randint(1, 4))
        rows = Rows(random, session)
        for table in self._known(session):
            rows.fill(table, random.choice((0, 1, 3, 5)))
        self.kept["setup"], session.taken = session.taken, []
        return None

    def changes(self, session: Session) -> None:
        """The same connection as for the set-up, so that its settings hold."""
        if "changes" in self.kept:
            return session.replay(self.kept["changes"])
        random = Random(f"changes {self.seed}")
        if random.random() < 0.3:
            session.run(f"SET SESSION {random.choice(SETTINGS)}")
        tables, rows = Tables(random, session), Rows(random, session)
        for _ in range(EVENTS):
            known = self._known(session)
            if not known or random.random() < 0.06:
                self._tables(random, session, 1)
                continue
            table = random.choice(known)
            match random.choices(("row", "transaction", "alter", "move", "other"), (8, 2, 6, 2, 1))[0]:
                case "row":
                    rows.change(table)
                case "transaction":
                    rows.transaction(known)
                case "alter":
                    tables.alter(table)
                    if (altered := session.table(table.database, table.name)) is not None:
                        rows.fill(altered, 1)
                case "move":
                    tables.move(table)
                case _:
                    self._other(random, session, table)
        self.kept["changes"], session.taken = session.taken, []
        return None

    def end(self, session: Session) -> None:
        """What tells that all before was seen."""
        session.run(f"INSERT INTO {self.databases[0]}.done VALUES (1, 1)")
        session.run(f"UPDATE {self.databases[0]}.done SET a=2")

    @property
    def done_records(self) -> int:
        """How many records `end` makes; some operations may be skipped."""
        return 2 - len({"c", "u"} & set(self.options.get("skipped.operations", "t").split(",")))

    def _tables(self, random: Random, session: Session, count: int) -> None:
        tables = Tables(random, session)
        for _ in range(count):
            tables.create(self.databases[random.random() < 0.15])

    def _known(self, session: Session) -> list[Table]:
        found = (session.table(database, name) for database in self.databases for name in session.names(database))
        return [table for table in found if table is not None and table.name != "done"]

    def _other(self, random: Random, session: Session, table: Table) -> None:
        """Statements that change no table that is captured, or none in a way that matters."""
        database = self.databases[0]
        session.run(random.choice((
            f"CREATE OR REPLACE VIEW {database}.v AS SELECT * FROM {table}",
            f"DROP VIEW IF EXISTS {database}.v",
            f"CREATE TEMPORARY TABLE {database}.temp (a INT)",
            f"ALTER DATABASE {database} CHARACTER SET {random.choice(('utf8mb4', 'latin1', 'gbk'))}",
            f"CREATE TRIGGER {database}.tr{random.randint(1, 99)} BEFORE INSERT ON {table} FOR EACH ROW SET @x = 1",
            f"CREATE PROCEDURE {database}.p{random.randint(1, 99)}() BEGIN SELECT 1; SELECT 2; END",
            f"ANALYZE TABLE {table}",
            f"OPTIMIZE TABLE {table}",
            f"CREATE USER IF NOT EXISTS {self.name}@localhost IDENTIFIED BY 'x'",
            f"GRANT SELECT ON {database}.* TO {self.name}@localhost",
            f"DROP USER IF EXISTS {self.name}@localhost",
            f"/* a comment */ ALTER /* another */ TABLE {table} COMMENT 'c' -- the end",
            f"ALTER TABLE {table} /*!50100 ENGINE=InnoDB */",
            f"CREATE DATABASE IF NOT EXISTS {database}",
            f"DROP TABLE IF EXISTS {database}.nothing",
            f"FLUSH TABLES {table}",
            f"CREATE EVENT {database}.ev ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            f"DROP DATABASE {self.databases[1]}",
            f"CREATE DATABASE {self.databases[1]}",
            f"USE {random.choice(self.databases)}",
        )))  # fmt: skip
