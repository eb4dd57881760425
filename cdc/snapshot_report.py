"""How far a snapshot is: rows read of each table -> percent, rows a second and seconds left, in status, metrics, log.

What is expected is the server's estimate, corrected while reading: a table that holds more than estimated is expected
to be nearly read, one that is read holds what it held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog

from cdc.java.order import concurrent_buckets, in_hash_order
from cdc.notifications import INITIAL, Notification

Named = TypeVar("Named", bound=Hashable)
"""A table; its text is its name."""
_log = structlog.get_logger(__name__)
_EVERY_SECONDS: Final = 1.0
_LOG_EVERY_SECONDS: Final = 30.0


@dataclass
class _Figures:
    expected: int
    rows: int
    before: int
    since: float


class SnapshotReport(Generic[Named]):
    """Fills `report`, at most once a second; one log line in 30 s."""

    def __init__(
        self, report: MutableMapping[str, Any], estimates: Mapping[Named, int], *,
        captured: Sequence[Named] = (), clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`estimates`: of each table that is to be read; `captured` are those and the signal tables, in order."""
        self._captured, self._told_of = _joined(captured), set[Named]()
        self.notes: list[Notification] = []
        self._report, self._clock = report, clock
        self._expected = dict(estimates)
        self._read: dict[Named, int] = {}
        self._open: dict[Named, _Figures] = {}
        self._left = len(estimates)
        self._all = _joined(in_hash_order(estimates, concurrent_buckets(len(estimates))))
        self._before = 0
        self._since = self._told = self._logged = clock()
        self._tell()

    def begins(self, table: Named, rows: int = 0) -> None:
        """`rows` of it were read before."""
        if table not in self._told_of:
            self._told_of.add(table)
            self._note("IN_PROGRESS", current_collection_in_progress=str(table), data_collections=self._all)
        self._open[table] = _Figures(self._expected.get(table, 0), rows, rows, self._clock())
        self._before += rows - self._read.get(table, 0)
        self._read[table] = rows

    def scanned(self, table: Named, rows: int) -> None:
        figures = self._open[table]
        figures.rows += rows
        self._read[table] = figures.rows
        now = self._clock()
        if now - self._told >= _EVERY_SECONDS:
            self._tell()
        if now - self._logged >= _LOG_EVERY_SECONDS:
            self._logged = now
            _log.info("Snapshot: %s", self.line())

    def ends(self, table: Named) -> None:
        """Read or, being gone, given up."""
        if table in self._told_of:
            self._note(
                "TABLE_SCAN_COMPLETED", scanned_collection=str(table), total_rows_scanned=str(self._read.get(table, 0)),
                status="SUCCEEDED", data_collections=self._captured,
            )  # fmt: skip
        if self._open.pop(table, None) is not None:
            self._expected[table] = self._read[table]
        self._left -= 1
        if not self._left or self._clock() - self._told >= _EVERY_SECONDS:
            self._tell()

    def taken_notes(self) -> list[Notification]:
        """Notifications since the last call."""
        notes, self.notes = self.notes, []
        return notes

    def _note(self, type: str, **data: str) -> None:
        self.notes.append(Notification(INITIAL, type, data))

    def line(self) -> str:
        """For the log."""
        told = self._report["snapshot"]
        text = f"{told['percent']} %, {told['rows']} rows, {told['rows_per_second']} rows/s"
        text += f", {told['tables_remaining']} of {told['tables']} tables left"
        return text if told["eta_seconds"] is None else f"{text}, about {told['eta_seconds']} s to go"

    def _tell(self) -> None:
        now = self._told = self._clock()
        rows = sum(self._read.values())
        expected = sum(
            _corrected(self._expected.get(table, 0), self._read.get(table, 0), table in self._open)
            for table in self._expected.keys() | self._read.keys()
        )
        told = _figures(rows, expected, rows - self._before, now - self._since)
        told |= {"tables": len(self._expected), "tables_remaining": self._left}
        self._report.update((f"snapshot.{name.replace('_', '.')}", value) for name, value in told.items())
        self._report["snapshot"] = told | {"open": {str(table): self._of_table(table, now) for table in self._open}}

    def _of_table(self, table: Named, now: float) -> dict[str, Any]:
        figures = self._open[table]
        expected = _corrected(figures.expected, figures.rows, True)
        return _figures(figures.rows, expected, figures.rows - figures.before, now - figures.since)


def _joined(tables: Iterable[Hashable]) -> str:
    return ",".join(map(str, tables))


def _corrected(expected: int, rows: int, is_open: bool) -> int:
    return max(expected, rows + rows // 50) if is_open else max(expected, rows)


def _figures(rows: int, expected: int, read: int, seconds: float) -> dict[str, Any]:
    """Of `rows`, `read` were read in so many seconds; no end is foretold while nothing is known of the speed."""
    speed = read / seconds if seconds > 0 else 0.0
    return {
        "rows": rows, "rows_estimated": expected, "rows_per_second": round(speed),
        "percent": min(99, rows * 100 // expected) if expected else 0,
        "eta_seconds": round(max(0, expected - rows) / speed) if speed > 0 else None,
    }  # fmt: skip
