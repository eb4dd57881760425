"""`python -m tests.differential SEED… FIRST-LAST… [--shrink SECONDS]`: runs scenarios and prints what differs.

TAILRACE_MYSQL, TAILRACE_MARIADB or TAILRACE_POSTGRES, and TAILRACE_KAFKA, say where the servers are. Ends with 1 when
something differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.place import say
from tests.differential.pair import Outcome, Pair
from tests.differential.servers import MySqlServers, PostgresServers
from tests.differential.shrink import shrunk

AT_A_TIME = 8
SHOWN = 10


def seeds(texts: list[str]) -> Iterator[int]:
    """`7 20-29` -> 7, 20, 21, … 29."""
    for text in texts:
        first, _, last = text.partition("-")
        yield from range(int(first), int(last or first) + 1)


def told(outcome: Outcome) -> str:
    """What differs, and how to see it again."""
    seed = outcome.scenario.seed
    lines = [f"seed {seed}: {len(outcome.found)} differences in {outcome.records} records; again: "
             f"make differential SEEDS={seed}", f"  options {outcome.scenario.options}"]  # fmt: skip
    for side, failure in zip(("Debezium", "Tailrace"), outcome.failures, strict=True):
        if failure:
            lines.append(f"  {side} failed: {failure[:1500]}")
    places = {difference.place: difference for difference in reversed(outcome.found)}
    lines += [f"  {difference.text}" for difference in list(reversed(places.values()))[:SHOWN]]
    for part, kept in outcome.scenario.kept.items():
        lines += [f"  -- {part}", *(f"  {statement};" for statement in kept)]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--at-a-time", type=int, default=AT_A_TIME)
    parser.add_argument("--mariadb", action="store_true", help="on MariaDB in place of MySQL")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL")
    parser.add_argument("--shrink", type=float, default=0, metavar="SECONDS", help="leave out what does not matter")
    chosen = parser.parse_args(arguments)
    variable = "TAILRACE_MARIADB" if chosen.mariadb else "TAILRACE_POSTGRES" if chosen.postgres else "TAILRACE_MYSQL"
    host, port = os.environ[variable].split(":")
    servers = (PostgresServers if chosen.postgres else MySqlServers)(host, int(port))
    kafka = os.environ.get("TAILRACE_KAFKA", "127.0.0.1:9092")
    todo = list(seeds(chosen.seeds))
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="tailrace-differential-"))
    different = failed = records = 0
    with Pair(folder, kafka).running() as pair:
        for at in range(0, len(todo), chosen.at_a_time):
            say(f"{at} of {len(todo)} scenarios, {records} records, {different} scenarios differ")
            for outcome in pair.run(servers, [servers.scenario(seed) for seed in todo[at : at + chosen.at_a_time]]):
                records += outcome.records
                failed += outcome.failed_on_both_sides
                if outcome.differs or outcome.failed_on_both_sides:
                    different += outcome.differs
                    shown = (
                        shrunk(pair, servers, outcome, chosen.shrink) if chosen.shrink and outcome.differs else outcome
                    )
                    print(told(shown), flush=True)
    print(f"{len(todo)} scenarios, {records} records of Debezium: {different} differ, {failed} failed on both sides")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
