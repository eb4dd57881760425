"""Offsets of the records that a table holds, kept in the target and written in the rows' own transaction.

A record at or below the stored offset of its partition is passed over: written once, however often it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String
from sqlalchemy import Table as SqlTable
from sqlalchemy.engine import Engine
from sqlalchemy.sql import quoted_name

from sinks.jdbc.statements import Names

Partition = tuple[str, int]
_PLACEHOLDERS: Final = {"sqlite": "?", "oracle": ":{}"}


class StoredOffsets:
    """The offsets of one connector in one table."""

    def __init__(self, engine: Engine, names: Names, table: str, connector: str) -> None:
        self._names, self._engine, self._connector = names, engine, connector
        self._table = names.table(table)
        where = " AND ".join(f"{name}={self._parameter(i)}" for i, name in enumerate(("connector", "topic", "part"), 1))
        lock = "" if names.database in ("sqlite", "sqlserver") else " FOR UPDATE"
        hint = " WITH (UPDLOCK, HOLDLOCK)" if names.database == "sqlserver" else ""
        self._select = f"SELECT position FROM {self._table.sql}{hint} WHERE {where}{lock}"
        values = ", ".join(self._parameter(i) for i in range(1, 5))
        self._insert = f"INSERT INTO {self._table.sql} (connector, topic, part, position) VALUES ({values})"
        shifted = " AND ".join(
            f"{name}={self._parameter(i)}" for i, name in enumerate(("connector", "topic", "part"), 2)
        )
        self._update = f"UPDATE {self._table.sql} SET position={self._parameter(1)} WHERE {shifted}"

    def _parameter(self, number: int) -> str:
        return _PLACEHOLDERS.get(self._names.database, "%s").format(number)

    def create(self) -> None:
        """The table, unless it is there."""
        made = SqlTable(
            quoted_name(self._table.name, self._names.dialect.quotes), MetaData(schema=self._table.schema),
            Column("connector", String(255), primary_key=True), Column("topic", String(249), primary_key=True),
            Column("part", Integer, primary_key=True, autoincrement=False), Column("position", BigInteger),
        )  # fmt: skip
        made.create(self._engine, checkfirst=True)

    def read(self, cursor: Any, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset of the last record written of each; their rows stay locked until the transaction's end."""
        found: dict[Partition, int] = {}
        for partition in sorted(partitions):
            cursor.execute(self._select, (self._connector, *partition))
            row = cursor.fetchone()
            if row is not None:
                found[partition] = int(row[0])
        return found

    def write(self, cursor: Any, stored: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        for (topic, part), position in ends.items():
            if (topic, part) not in stored:
                cursor.execute(self._insert, (self._connector, topic, part, position))
            elif position > stored[topic, part]:
                cursor.execute(self._update, (position, self._connector, topic, part))
