"""Progress of tables that are read whole."""

from __future__ import annotations

from typing import Any

from cdc.dialect import TableName
from cdc.jdbc.progress import Progress

A, B, C = (TableName(None, "public", name) for name in "abc")


def test_figures_stand_there_while_a_table_is_read_whole() -> None:
    report: dict[str, Any] = {}
    progress = Progress(report)
    progress.scanned(A, 5)  # nothing is expected: rows that are new
    assert report == {}
    progress.expect({A: 100, B: 50})
    progress.begins(A, 10)
    progress.scanned(A, 90)
    progress.ends(A)
    assert report["snapshot.running"] is True and report["snapshot"]["rows_estimated"] == 150
    progress.expect({B: 50, C: 1})
    assert report["snapshot"]["tables"] == 2
    for table in (B, C, C):
        progress.ends(table)
    assert report["snapshot.running"] is False and "snapshot" not in report
