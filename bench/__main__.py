"""`python -m bench [--quick] [CASE …]`: Tailrace beside its peer, one case after the other; `make bench`.

Results go to bench/results/, the tables that are made of them to docs/benchmarks.md. `--quick` shows that the
instrument works: small, and nothing is kept. The servers are those of the `bench` profile, or what TAILRACE_MYSQL,
TAILRACE_POSTGRES and TAILRACE_KAFKA name.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench import results, tables
from bench.cases import CASES, MAIN
from bench.place import Size, place
from bench.results import Result
from bench.workers import KINDS
from services.place import say

QUICK = Size(rows=4000, runs=1, seconds=1.0)


def measured(name: str, size: Size) -> Result:
    case, began, date, machine = CASES[name], time.monotonic(), results.now(), results.machine()
    runs = []
    with place() as where:
        for run in case.runs(where, size):
            runs.append(run)
            say(f"   {run.round} {run.side} {run.at} " + " ".join(f"{k}={v:g}" for k, v in run.figures.items()))
    seconds = round(time.monotonic() - began)
    return Result(name, case.rows(size), date, seconds, machine, results.versions(), runs)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    default = Size()
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; all; none: the main ones")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing kept")
    parser.add_argument("--rows", type=int, default=default.rows, help="of one drain (%(default)s)")
    parser.add_argument("--runs", type=int, default=default.runs, help="rounds that count (%(default)s)")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="at each rate (%(default)s)")
    parser.add_argument("--sides", nargs="+", choices=KINDS, default=list(KINDS), help="only these workers")
    found = parser.parse_args(given)
    found.cases = list(CASES) if found.cases == ["all"] else found.cases or MAIN
    if unknown := [name for name in found.cases if name not in CASES]:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
    return found


def main() -> None:
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))  # what was started is stopped
    size = replace(QUICK if asked.quick else Size(asked.rows, asked.runs, asked.seconds), sides=asked.sides)
    say(f"-> {len(asked.cases)} cases, about {sum(CASES[name].seconds(size) for name in asked.cases) / 60:.0f} minutes")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if asked.quick else results.FOLDER
        for name in asked.cases:
            say(f"-> {name}: {CASES[name].about}, about {CASES[name].seconds(size):.0f} s")
            result = measured(name, size)
            results.save(result, folder)
            say(f"   {name}: took {result.seconds:.0f} s")
            print(f"\n{tables.table(result)}\n", flush=True)
            if not asked.quick:
                tables.write()
        print(tables.must_hold(results.load(folder)))


if __name__ == "__main__":
    main()
