"""How far tables are that are read whole: rows of each -> the task's report, beside the database's own estimates."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from cdc.dialect import TableName
from cdc.jdbc.session import Session
from cdc.jdbc.sizes import sizes
from cdc.snapshot_report import SnapshotReport


class Progress:
    """Of one task. In the mode `bulk` tables are read whole again and again, in others when they are new."""

    def __init__(self, report: MutableMapping[str, Any]) -> None:
        self._report = report
        self._told: SnapshotReport[TableName] | None = None
        self._open: dict[TableName, int] = {}

    def expect(self, tables: Mapping[TableName, int]) -> None:
        """Tables that are to be read whole, and about how many rows each has."""
        new = {table: rows for table, rows in tables.items() if table not in self._open}
        if new:
            self._open |= new
            self._report["snapshot.running"] = True
            self._told = SnapshotReport(self._report, self._open)

    def begins(self, table: TableName, rows: int = 0) -> None:
        """`rows` of it were read before."""
        if self._told is not None and table in self._open:
            self._told.begins(table, rows)

    def scanned(self, table: TableName, rows: int) -> None:
        if self._told is not None and table in self._open:
            self._told.scanned(table, rows)

    def ends(self, table: TableName) -> None:
        """Read, or gone."""
        if self._told is None or self._open.pop(table, None) is None:
            return
        self._told.ends(table)
        if not self._open:
            self._told = None
            self._report["snapshot.running"] = False
            self._report.pop("snapshot", None)


def estimates(session: Session, tables: list[TableName]) -> dict[TableName, int]:
    """Rows of each table, as far as the database knows; 0 where it does not."""
    known = sizes(session, tables)
    return {table: known[table].rows if table in known else 0 for table in tables}
