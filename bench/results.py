"""What a case gave, as a file in bench/results: every figure of every round, the date, the machine, the versions."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.rounds import Run
from services import connect

FOLDER: Final = Path(__file__).parent / "results"
PACKAGES: Final = ("confluent-kafka", "orjson", "psycopg", "PyMySQL")


@dataclass(frozen=True)
class Result:
    """One run of a case. `rows`: how many one measurement moves."""

    case: str
    rows: int
    date: str
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str]
    runs: Sequence[Run]

    def values(self, side: str, figure: str, at: str = "") -> list[float]:
        """Of all rounds that have it."""
        return [run.figures[figure] for run in self.runs
                if run.side == side and run.at == at and figure in run.figures]  # fmt: skip


def machine() -> dict[str, Any]:
    models = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(), 
        "memory_gib": round(memory / 2**30), "kernel": platform.release(), "load_before": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def versions() -> dict[str, str]:
    return {
        "Python": sys.version.split()[0], "Debezium": connect.DEBEZIUM, "Kafka": connect.KAFKA,
        **{name: version(name) for name in PACKAGES},
    }  # fmt: skip


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


def save(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rounded = [
        asdict(run) | {"figures": {name: float(f"{value:.6g}") for name, value in run.figures.items()}}
        for run in result.runs
    ]
    told = {name: value for name, value in vars(result).items() if name != "runs"}
    lines = ",\n".join("  " + json.dumps(run) for run in rounded)
    (folder / f"{result.case}.json").write_text(json.dumps(told, indent=1)[:-2] + f',\n "runs": [\n{lines}\n ]\n}}\n')


def load(folder: Path = FOLDER) -> dict[str, Result]:
    found = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        found[path.stem] = Result(**{**told, "runs": [Run(**run) for run in told["runs"]]})
    return found
