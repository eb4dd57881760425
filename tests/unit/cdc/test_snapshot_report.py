"""How far a snapshot is, from estimates that are corrected while reading."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from cdc.snapshot_report import SnapshotReport
from cdc.table import TableId

A, B = TableId("d", "a"), TableId("d", "b")


class Clock:
    """Stands where it is put."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_percent_speed_and_time_left_follow_what_was_read() -> None:
    told: dict[str, Any] = {}
    clock = Clock()
    report = SnapshotReport(told, {A: 1000, B: 1000}, clock=clock)
    assert told["snapshot"] == {
        "rows": 0, "rows_estimated": 2000, "rows_per_second": 0, "percent": 0, "eta_seconds": None,
        "tables": 2, "tables_remaining": 2, "open": {},
    }  # fmt: skip
    report.begins(A)
    clock.now = 5.0
    report.scanned(A, 500)
    assert told["snapshot"]["percent"] == 25 and told["snapshot"]["eta_seconds"] == 15
    assert told["snapshot"]["open"]["d.a"]["percent"] == 50 and told["snapshot"]["open"]["d.a"]["eta_seconds"] == 5
    assert told["snapshot.rows.per.second"] == 100
    clock.now = 20.0
    report.scanned(A, 1500)  # twice what was estimated
    assert told["snapshot.rows.estimated"] == 2040 + 1000 and told["snapshot"]["open"]["d.a"]["percent"] == 98
    report.ends(A)
    clock.now = 22.0
    report.begins(B)
    report.scanned(B, 10)
    report.ends(B)
    assert told["snapshot.rows"] == told["snapshot.rows.estimated"] == 2010
    assert told["snapshot.tables.remaining"] == 0


def test_rows_of_an_earlier_attempt_count_but_not_for_the_speed() -> None:
    told: dict[str, Any] = {}
    clock = Clock()
    report = SnapshotReport(told, {A: 1000}, clock=clock)
    report.begins(A, 900)
    clock.now = 10.0
    report.scanned(A, 50)
    assert told["snapshot.percent"] == 95 and told["snapshot.rows.per.second"] == 5


def test_a_line_stands_in_the_log_every_30_seconds_at_most() -> None:
    clock = Clock()
    report = SnapshotReport({}, {A: 1000}, clock=clock)
    report.begins(A)
    with capture_logs() as logs:
        for clock.now in range(1, 100):
            report.scanned(A, 1)
    assert len(logs) == 3 and "about" in str(logs[0]) and "1 of 1 tables left" in str(logs[0])
