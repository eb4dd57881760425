"""A scenario that differs -> fewer statements that differ in the same place."""

from __future__ import annotations

import time

from tests.differential.pair import Outcome, Pair
from tests.differential.servers import Scenario, Servers

AT_A_TIME = 8


def shrunk(pair: Pair, servers: Servers, outcome: Outcome, seconds: float) -> Outcome:
    """Leaves statements out, eight attempts at a time, as long as the first difference stays and time is left."""
    end = time.monotonic() + seconds
    wanted = _places(outcome)[:1]
    best, size = outcome, max(1, _count(outcome) // AT_A_TIME)
    while time.monotonic() < end:
        found = _shorter(pair, servers, best, size, wanted, end)
        if found is not None:
            best = found
        elif size == 1:
            break
        else:
            size //= 2
    return best


def _shorter(pair: Pair, servers: Servers, best: Outcome, size: int, wanted: list[str], end: float) -> Outcome | None:
    scenario, total = best.scenario, _count(best)
    starts = list(range(0, total, size))[::-1]
    while starts and time.monotonic() < end:
        some, starts = starts[:AT_A_TIME], starts[AT_A_TIME:]
        tried = pair.run(servers, [_without(scenario, at, size, number) for number, at in enumerate(some, start=1)])
        same = [outcome for outcome in tried if _places(outcome)[:1] == wanted]
        if same:
            return min(same, key=_count)
    return None


def _without(scenario: Scenario, at: int, size: int, copy: int) -> Scenario:
    """The statements are counted through both parts."""
    kept, before = {}, 0
    for part, statements in scenario.kept.items():
        kept[part] = [text for n, text in enumerate(statements, start=before) if not at <= n < at + size]
        before += len(statements)
    return scenario.shortened(copy, kept)


def _places(outcome: Outcome) -> list[str]:
    failed = [f"side {side} fails" for side, failure in enumerate(outcome.failures) if failure]
    return failed if any(failed) else [difference.place for difference in outcome.found]


def _count(outcome: Outcome) -> int:
    return sum(map(len, outcome.scenario.kept.values()))
