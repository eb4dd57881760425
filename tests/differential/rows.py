"""Random rows: inserts, updates, deletes and transactions of them."""

from __future__ import annotations

from random import Random

from tests.differential.literals import literal
from tests.differential.session import Column, Session, Table, named


class Rows:
    """Changes the rows of the tables that there are."""

    def __init__(self, random: Random, session: Session) -> None:
        self._random, self._session = random, session

    def fill(self, table: Table, rows: int) -> None:
        for _ in range(rows):
            self._insert(table)

    def change(self, table: Table) -> None:
        """One statement."""
        self._random.choices(
            (self._insert, self._insert_many, self._update, self._update_key, self._delete, self._replace, self._upsert,
             self._insert_select, self._truncate, self._delete_all),
            (8, 2, 6, 2, 3, 2, 2, 1, 0.5, 0.2),
        )[0](table)  # fmt: skip

    def transaction(self, tables: list[Table]) -> None:
        """Several statements that are committed or rolled back together, some up to a savepoint."""
        run, random = self._session.run, self._random
        run(random.choice(("BEGIN", "START TRANSACTION", "SET autocommit=0")))
        for _ in range(random.randint(1, 4)):
            self.change(random.choice(tables))
            if random.random() < 0.2:
                run("SAVEPOINT s1")
                self.change(random.choice(tables))
                run(random.choice(("ROLLBACK TO s1", "ROLLBACK TO SAVEPOINT s1", "RELEASE SAVEPOINT s1")))
        run("ROLLBACK" if random.random() < 0.15 else "COMMIT")
        run("SET autocommit=1")

    def _value(self, column: Column, *, plain: bool = False) -> str:
        if column.counted and not plain:
            return self._random.choice(("NULL", "DEFAULT", str(self._random.randint(1, 60))))
        if not plain:
            if column.nullable and self._random.random() < 0.2:
                return "NULL"
            if self._random.random() < 0.08:
                return "DEFAULT"
        return literal(self._random, column.type)

    def _insert(self, table: Table, verb: str = "INSERT INTO", end: str = "", rows: int = 1) -> None:
        columns = [column for column in table.columns if not column.generated]
        if self._random.random() < 0.15:
            columns = [column for column in columns if not column.nullable or self._random.random() < 0.5]
        lines = ", ".join(f"({', '.join(map(self._value, columns))})" for _ in range(rows))
        names = ", ".join(named(column.name) for column in columns)
        self._session.run(f"{verb} {table} ({names}) VALUES {lines}{end}")

    def _insert_many(self, table: Table) -> None:
        self._insert(table, self._random.choice(("INSERT INTO", "INSERT IGNORE INTO")), rows=self._random.randint(2, 5))

    def _replace(self, table: Table) -> None:
        self._insert(table, "REPLACE INTO")

    def _upsert(self, table: Table) -> None:
        self._insert(table, end=f" ON DUPLICATE KEY UPDATE {self._assignments(table)}")

    def _insert_select(self, table: Table) -> None:
        names = ", ".join(named(column.name) for column in table.columns if not column.generated)
        self._session.run(f"INSERT IGNORE INTO {table} ({names}) SELECT {names} FROM {table} ORDER BY 1 LIMIT 2")

    def _assignments(self, table: Table, among: tuple[str, ...] = ()) -> str:
        columns = [column for column in table.columns if not column.generated]
        columns = [column for column in columns if column.name in among] or columns
        chosen = self._random.sample(columns, min(len(columns), self._random.choice((1, 1, 2, 3))))
        return ", ".join(f"{named(column.name)}={self._value(column)}" for column in chosen)

    def _some(self, table: Table) -> str:
        """Which rows; always the same ones on the same data."""
        order = ", ".join(map(named, table.identity)) or str(1)
        column = self._random.choice(table.columns)
        limit = f" ORDER BY {order} LIMIT {self._random.choice((1, 1, 2, 50))}"
        if order == "1":
            limit = " LIMIT 1"
        return self._random.choice(("", f" WHERE {named(column.name)} IS NOT NULL")) + limit

    def _update(self, table: Table) -> None:
        assigned = self._assignments(table)
        documents = [named(column.name) for column in table.columns if column.type == "json"]
        if documents and self._random.random() < 0.4:
            name = self._random.choice(documents)
            part = self._random.choice((f"JSON_SET({name}, '$.a', 'set')", f"JSON_REMOVE({name}, '$.b')",
                                        f"JSON_REPLACE({name}, '$.a', 2.5)"))  # fmt: skip
            assigned = f"{name}={part}"
        self._session.run(f"UPDATE {table} SET {assigned}{self._some(table)}")

    def _update_key(self, table: Table) -> None:
        self._session.run(f"UPDATE {table} SET {self._assignments(table, table.identity)}{self._some(table)}")

    def _delete(self, table: Table) -> None:
        self._session.run(f"DELETE FROM {table}{self._some(table)}")

    def _delete_all(self, table: Table) -> None:
        self._session.run(f"DELETE FROM {table}")

    def _truncate(self, table: Table) -> None:
        self._session.run(
            self._random.choice((f"TRUNCATE TABLE {table}", f"TRUNCATE {table}", f"truncate table {table}"))
        )
