"""`python -m bench.tables`: the tables of docs/benchmarks.md, from the results in bench/results.

A table stands between `<!-- bench: CASE -->` and `<!-- /bench -->`; `must-hold` is the one of all the goals.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import results
from bench.results import Result
from bench.workers import KINDS

PAGE: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_PLACE: Final = re.compile(r"(<!-- bench: (\S+) -->\n).*?(<!-- /bench -->)", re.DOTALL)
SIDES: Final = {name: kind.title for name, kind in KINDS.items()} | {
    "produce_batch": "`produce_batch`", "raw": "raw bytes", "cursor": "bare cursor", "copy": "bare COPY",
    "bulk": "prepared bodies", "zlib": "zlib alone", "pyarrow": "pyarrow alone",
}  # fmt: skip
"""In the order of the columns."""
FIGURES: Final = {
    "events_a_second": "events a second",
    "events_a_cpu_second": "events a second of CPU",
    "mb_a_second": "MB a second",
    "cpu_s_per_million": "CPU-seconds a million events, the task's start included",
    "streaming_cpu_s_per_million": "the same from the first event on",
    "peak_pss_mib": "peak memory of all processes, MiB",
    "first_s": "seconds from start to the first event",
    "rest_s": "seconds from process start to REST",
    "record_s": "seconds from process start to the first record of a new connector",
    "idle_pss_mib": "memory before the first connector, MiB",
    "p50_ms": "p50, ms", "p99_ms": "p99, ms", "p999_ms": "p99.9, ms", "rate": "events a second",
    "source_us": "read and decoded, us an event", "converter_us": "converted, us", "producer_us": "to the producer, us",
    "flush_us": "flushed, us", "thread_us": "CPU time of the task's thread, us",
    "process_us": "of the process, the producer's threads included, us",
    "late_ms": "the writer's own lateness, p99, ms",
}  # fmt: skip
MEMORY: Final = {
    f"pss_mib_at_{percent}": f"memory of all processes at {percent}%, MiB" for percent in (25, 50, 75, 100)
}


@dataclass(frozen=True)
class MustHold:
    """`figure` of `side` over that of `other` (None: itself) is at least `wanted`, or at most."""

    words: str
    case: str
    figure: str
    wanted: float
    side: str = "tailrace"
    other: str | None = "tuned"
    at: str = ""
    most: bool = False

    def found(self, result: Result) -> float | None:
        ours = result.values(self.side, self.figure, self.at)
        theirs = result.values(self.other, self.figure, self.at) if self.other else [1.0]
        return statistics.median(ours) / statistics.median(theirs) if ours and theirs else None

    def holds(self, found: float) -> bool:
        return found <= self.wanted if self.most else found >= self.wanted


_RATE: Final = "events_a_second"


def _goals(source: str, name: str) -> list[MustHold]:
    snapshot = f"{source}-snapshot"
    return [
        MustHold(f"{name}, 1,000 rows a transaction: times Debezium tuned", f"{source}-1000", _RATE, 4),
        MustHold(f"{name} snapshot: times Debezium tuned", snapshot, _RATE, 4),
        MustHold(f"{name} snapshot: share of a bare cursor", snapshot, _RATE, 0.5, other="cursor"),
        MustHold(f"{name}: CPU-seconds a million events, share of Debezium's", f"{source}-1000", "cpu_s_per_million",
                 0.25, most=True),
        MustHold(f"{name}: memory, share of Debezium's", f"{source}-1000", "peak_pss_mib", 0.1, most=True),
        MustHold(f"{name}, half the peer's capacity: p50, ms", f"{source}-latency", "p50_ms", 10, other=None, at="50%",
                 most=True),
        MustHold(f"{name}, half the peer's capacity: p99, ms", f"{source}-latency", "p99_ms", 50, other=None, at="50%",
                 most=True),
        MustHold(f"{name}, pure Python: times Debezium tuned", f"{source}-1000", _RATE, 1.3, side="python"),
    ]  # fmt: skip


GOALS: Final = [
    *_goals("mysql", "MySQL"),
    MustHold("MySQL, one row a transaction: times Debezium tuned", "mysql-1", _RATE, 2.5),
    MustHold("MySQL, 1,000 rows a transaction: share of `produce_batch` of the same bytes", "mysql-1000", _RATE, 0.5,
             other="produce_batch"),
    *_goals("postgres", "PostgreSQL"),
]  # fmt: skip


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(values: Sequence[float]) -> str:
    """The median, and how far the rounds lie apart."""
    if not values:
        return ""
    shown = number(statistics.median(values))
    return f"{shown} ({number(min(values))}–{number(max(values))})" if len(values) > 1 else shown


def _ratio(result: Result, peer: str, figure: str, at: str) -> str:
    ours, theirs = (result.values(side, figure, at) for side in ("tailrace", peer))
    if not ours or not theirs or not statistics.median(theirs):
        return ""
    return f"{statistics.median(ours) / statistics.median(theirs):.2f}"


def table(result: Result) -> str:
    """A line a figure, a column a side, and what Tailrace's is to that of the peer, or the limit."""
    known = {run.side for run in result.runs}
    sides = [side for side in SIDES if side in known]
    peer = next(
        (side for side in ("tuned", "untuned", "bulk", "zlib", "pyarrow") if side in known and "tailrace" in known), ""
    )
    figures = MEMORY if result.case.endswith("-memory") else FIGURES
    lines = ["| | " + " | ".join(SIDES[side] for side in sides) + (" | ratio |" if peer else " |")]
    lines.append("|---" * (1 + len(sides) + bool(peer)) + "|")
    for at in dict.fromkeys(run.at for run in result.runs):
        for figure, title in figures.items():
            cells = [cell(result.values(side, figure, at)) for side in sides]
            if any(cells):
                ratio = [_ratio(result, peer, figure, at)] if peer else []
                lines.append("| " + " | ".join([f"{at}: {title}" if at else title, *cells, *ratio]) + " |")
    return "\n".join([*lines, "", caption(result)])


def caption(result: Result) -> str:
    machine, rounds = result.machine, 1 + max((run.round for run in result.runs), default=0)
    load = "" if machine["load_before"] is None else f", load before {machine['load_before']}"
    return (
        f"{result.rows:,} rows a measurement, medians of {rounds} rounds (least–most), {result.date}, "
        f"{machine['cores']} cores of {machine['cpu']}{load}; "
        + ", ".join(f"{name} {version}" for name, version in result.versions.items()) + "."
    )  # fmt: skip


def must_hold(found: Mapping[str, Result]) -> str:
    lines = ["| | found | wanted | |", "|---|---|---|---|"]
    for goal in GOALS:
        value = goal.found(found[goal.case]) if goal.case in found else None
        wanted = f"{'at most' if goal.most else 'at least'} {goal.wanted:g}"
        state = "not measured" if value is None else "ok" if goal.holds(value) else "**not**"
        lines.append(f"| {goal.words} | {'' if value is None else f'{value:.3g}'} | {wanted} | {state} |")
    return "\n".join(lines)


def page(text: str, found: Mapping[str, Result]) -> str:
    """The page with its tables made anew."""

    def made(place: re.Match[str]) -> str:
        name = place[2]
        if name == "must-hold":
            shown = must_hold(found)
        else:
            shown = table(found[name]) if name in found else f"Not measured yet: `python -m bench {name}`."
        return f"{place[1]}{shown}\n{place[3]}"

    return _PLACE.sub(made, text)


def write() -> None:
    PAGE.write_text(page(PAGE.read_text(), results.load()))


if __name__ == "__main__":
    write()
