"""A seed -> a database of PostgreSQL, and what happens to it while both sides look on; the same each time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from tests.differential.postgres_session import PostgresSession, Table, quoted
from tests.differential.postgres_types import KEYS, PRELUDE, VALUES, definition, value

EVENTS = 60
NAMES = ("id", "a", "b", "Name", "c_1", "é", "two words", "order", "A1", "value", "日付", "key", "d", "e")
TABLES = ("t", "orders", "Mixed", "two words", "te-st", "t1", "select")
SETTLED_S = 1.2
"""Both sides look a table up in the catalog when it is announced: the next change of it must come later."""
CHOICES: dict[str, tuple[str, ...]] = {
    "decimal.handling.mode": ("precise", "string", "double"),
    "binary.handling.mode": ("bytes", "base64", "base64-url-safe", "hex"),
    "time.precision.mode": ("adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds",
                            "nanoseconds"),
    "interval.handling.mode": ("numeric", "string"),
    "hstore.handling.mode": ("json", "map"),
    "tombstones.on.delete": ("true", "false"),
    "skipped.operations": ("t", "none", "u", "c,d", "d", "t,u"),
    "schema.name.adjustment.mode": ("none", "avro"),
    "include.unknown.datatypes": ("true", "false"),
    "extended.headers.enabled": ("true", "false"),
    "snapshot.mode": ("initial", "initial", "no_data"),
    "column.propagate.source.type": (".*", r".*\.b"),
    "unavailable.value.placeholder": ("missing",),
}  # fmt: skip


@dataclass
class PostgresScenario:
    """As `tests.differential.scenario.Scenario`; its homes are schemas."""

    seed: int
    copy: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"df{self.seed}" + (f"x{self.copy}" if self.copy else "")

    @property
    def databases(self) -> tuple[str, str]:
        """The captured schema and one beside it."""
        return "s_a", "s_b"

    @property
    def options(self) -> dict[str, str]:
        random = Random(f"options {self.seed}")
        found = {"schema.include.list": self.databases[0], "publication.autocreate.mode": "all_tables"}
        for name, values in CHOICES.items():
            if random.random() < 0.25:
                found[name] = random.choice(values)
        schemas = random.choice(("true", "true", "false"))
        return found | {"key.converter.schemas.enable": schemas, "value.converter.schemas.enable": schemas}

    def shortened(self, copy: int, kept: dict[str, list[str]]) -> PostgresScenario:
        return PostgresScenario(self.seed, copy, {part: list(texts) for part, texts in kept.items()})

    def setup(self, session: PostgresSession) -> None:
        random = Random(f"setup {self.seed}")
        for extension in ("citext", "hstore", "ltree"):
            session.run(f"CREATE EXTENSION {extension}")
        for statement in PRELUDE:
            session.run(statement)
        for schema in self.databases:
            session.run(f"CREATE SCHEMA {schema}")
        session.run(f"CREATE TABLE {self.databases[0]}.done (id INT PRIMARY KEY, a INT)")
        if "setup" in self.kept:
            return session.replay(self.kept["setup"])
        session.taken = []
        for _ in range(random.randint(1, 4)):
            self._create(random, session)
        for table in self._known(session):
            for _ in range(random.choice((0, 1, 3))):
                self._insert(random, session, table)
        self.kept["setup"], session.taken = session.taken, []
        return None

    def changes(self, session: PostgresSession) -> None:
        if "changes" in self.kept:
            for statement in self.kept["changes"]:
                session.run(statement)
                if statement.startswith(("ALTER", "CREATE", "DROP")):
                    time.sleep(SETTLED_S)
            return
        random = Random(f"changes {self.seed}")
        for _ in range(EVENTS):
            known = self._known(session)
            if not known:
                self._create(random, session)
                continue
            table = random.choice(known)
            match random.choices(("row", "transaction", "alter", "create", "truncate", "message"),
                                 (20, 5, 3, 1, 1, 1))[0]:  # fmt: skip
                case "row":
                    self._row(random, session, table)
                case "transaction":
                    self._transaction(random, session, known)
                case "alter":
                    self._settled(session, self._alteration(random, table))
                case "create":
                    self._create(random, session)
                case "truncate":
                    session.run(f"TRUNCATE {table}")
                case _:
                    kind = random.choice(("true", "false"))
                    session.run(f"SELECT pg_logical_emit_message({kind}, 'p{random.randint(1, 3)}', 'content é')")
        self.kept["changes"], session.taken = session.taken, []

    def end(self, session: PostgresSession) -> None:
        session.run(f"INSERT INTO {self.databases[0]}.done VALUES (1, 1)")
        session.run(f"UPDATE {self.databases[0]}.done SET a=2")

    @property
    def done_records(self) -> int:
        return 2 - len({"c", "u"} & set(self.options.get("skipped.operations", "t").split(",")))

    def _known(self, session: PostgresSession) -> list[Table]:
        return [table for schema in self.databases for table in session.tables(schema) if table.name != "done"]

    def _settled(self, session: PostgresSession, statement: str) -> None:
        """A change of a table, and a row that shows it before the next one."""
        time.sleep(SETTLED_S)
        if session.run(statement):
            for table in self._known(session):
                self._insert(Random(statement), session, table)
            time.sleep(SETTLED_S)

    def _create(self, random: Random, session: PostgresSession) -> None:
        schema = self.databases[random.random() < 0.15]
        names = random.sample(NAMES, random.randint(2, 9))
        keys = names[: random.choice((0, 1, 1, 1, 2))]
        columns = [f"{quoted(name)} {random.choice(KEYS) if name in keys else definition(random)}" for name in names]
        if keys:
            columns.append(f"PRIMARY KEY ({', '.join(map(quoted, keys))})")
        place = f"{schema}.{quoted(random.choice(TABLES))}"
        if session.run(f"CREATE TABLE {place} ({', '.join(columns)})") and (not keys or random.random() < 0.4):
            session.run(f"ALTER TABLE {place} REPLICA IDENTITY FULL")

    def _row(self, random: Random, session: PostgresSession, table: Table) -> None:
        match random.choice(("insert", "insert", "update", "update", "delete")):
            case "insert":
                self._insert(random, session, table)
            case "update":
                self._update(random, session, table)
            case _:
                session.run(f"DELETE FROM {table} WHERE ctid = (SELECT max(ctid) FROM {table})")

    def _insert(self, random: Random, session: PostgresSession, table: Table) -> None:
        columns = [column for column in table.columns if not column.generated and column.type in VALUES]
        texts = ["NULL" if random.random() < 0.15 and column.name not in table.key else value(random, column.type)
                 for column in columns]  # fmt: skip
        names = ", ".join(quoted(column.name) for column in columns)
        session.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(texts)})")

    def _update(self, random: Random, session: PostgresSession, table: Table) -> None:
        usable = [column for column in table.columns if not column.generated and column.type in VALUES]
        if not usable:
            return
        chosen = random.sample(usable, random.randint(1, min(3, len(usable))))
        parts = ", ".join(f"{quoted(column.name)} = {value(random, column.type)}" for column in chosen)
        session.run(f"UPDATE {table} SET {parts} WHERE ctid = (SELECT min(ctid) FROM {table})")

    def _transaction(self, random: Random, session: PostgresSession, known: list[Table]) -> None:
        """Statements that are refused would end it: each is under a savepoint."""
        session.run("BEGIN")
        for number in range(random.randint(2, 6)):
            session.run(f"SAVEPOINT s{number}")
            before = len(session.taken)
            self._row(random, session, random.choice(known))
            if len(session.taken) == before or random.random() < 0.2:
                session.run(f"ROLLBACK TO SAVEPOINT s{number}")
        session.run(random.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK")))

    def _alteration(self, random: Random, table: Table) -> str:
        column = quoted(random.choice(table.columns).name)
        taken = {column.name for column in table.columns}
        free = quoted(random.choice([name for name in NAMES if name not in taken]))
        parts = {
            "add": f"ALTER TABLE {table} ADD {free} {definition(random)}",
            "drop": f"ALTER TABLE {table} DROP {column}",
            "text": f"ALTER TABLE {table} ALTER {column} TYPE TEXT USING {column}::text",
            "wider": f"ALTER TABLE {table} ALTER {column} TYPE BIGINT",
            "rename": f"ALTER TABLE {table} RENAME {column} TO {free}",
            "default": f"ALTER TABLE {table} ALTER {column} SET DEFAULT NULL",
            "no default": f"ALTER TABLE {table} ALTER {column} DROP DEFAULT",
            "nullable": f"ALTER TABLE {table} ALTER {column} DROP NOT NULL",
            "identity": f"ALTER TABLE {table} REPLICA IDENTITY {random.choice(('FULL', 'DEFAULT'))}",
            "table": f"ALTER TABLE {table} RENAME TO {quoted(random.choice(TABLES))}",
            "gone": f"DROP TABLE {table}",
        }
        return parts[random.choices(list(parts), [6, 3, 2, 2, 3, 1, 1, 2, 3, 2, 1])[0]]
