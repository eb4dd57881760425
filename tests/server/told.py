"""What a topic tells of a table, held against what an undisturbed reader finds in MySQL's log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tests.server.in_process import Connector


class Change(NamedTuple):
    """One record of the topic: a change at its place in MySQL's log, or the tombstone of the delete there."""

    place: tuple[str, int, int]
    op: str
    before: tuple[Any, ...] | None
    after: tuple[Any, ...] | None


TOMBSTONE = "tombstone"


def told(values: Sequence[bytes | None]) -> Iterator[Change]:
    """The values of a topic of one partition, JSON with schemas; a tombstone belongs to the delete before it."""
    place = ("", 0, 0)
    for value in values:
        if not value:
            yield Change(place, TOMBSTONE, None, None)
            continue
        event = json.loads(value)["payload"]
        source = event["source"]
        place = (source["file"], source["pos"], source["row"])
        yield Change(place, event["op"], _row(event["before"]), _row(event["after"]))


def _row(row: dict[str, Any] | None) -> tuple[Any, ...] | None:
    return None if row is None else (row["id"], row["v"], row["name"])


class Truth:
    """Every change of `t` since this was made, read by a connector that nobody disturbs."""

    def __init__(self, config: dict[str, str], run: Callable[[str], Any]) -> None:
        """`config`: the connector's; `run` runs a statement. The table `mark` must be there."""
        self._run, self._marks = run, 0
        changes = {"snapshot.mode": "no_data", "database.server.id": str(int(config["database.server.id"]) + 1)}
        self._connector = Connector(config | changes, history_name=config["schema.history.internal.kafka.topic"])
        self._connector.snapshot()

    def changes(self) -> list[Change]:
        """Everything up to now."""
        self._marks += 1
        self._run(f"INSERT INTO mark VALUES ({self._marks})")
        self._connector.until(self._is_marked, 60)
        found = []
        for event in self._connector.events:
            if event.table == "t":
                found.append(Change(event.place, event.op, event.before and event.before[:3],
                                    event.after and event.after[:3]))  # fmt: skip
                if event.op == "d":
                    found.append(Change(event.place, TOMBSTONE, None, None))
        return found

    def _is_marked(self) -> bool:
        last = self._connector.events[-1:]
        return bool(last) and last[0].table == "mark" and last[0].after == (self._marks,)


def tells_everything(found: Sequence[Change], truth: Sequence[Change], *, exactly_once: bool) -> None:
    """Every change since the snapshot, in the log's order; once, or after a crash again from an earlier one on.

    Raises: AssertionError.
    """
    rows = [each for each in found if each.op == "r"]
    changes = [each for each in found if each.op != "r"]
    numbers = {each: number for number, each in enumerate(truth)}
    assert len(numbers) == len(truth)
    unknown = [each for each in changes if each not in numbers]
    assert not unknown, f"{len(unknown)} changes that never were, such as {unknown[0]}"
    seen = [numbers[each] for each in changes]
    since = seen[0] if seen else len(truth)
    if rows:
        first = rows[0].place[:2]
        missed = [each for each in truth[:since] if each.place[:2] >= first]
        assert not missed, f"{len(missed)} changes after the first snapshot are missing, such as {missed[0]}"
    else:
        assert since == 0, f"the first {since} changes are missing"
    if exactly_once:
        assert seen == list(range(since, len(truth))), _gap(seen)
        return
    for before, number in pairwise(seen):
        assert number <= before + 1, f"after change {before} comes {number}: {truth[number]}"
    assert not seen or seen[-1] == len(truth) - 1, f"the last {len(truth) - 1 - seen[-1]} changes are missing"


def _gap(seen: Sequence[int]) -> str:
    """The first place where a number does not follow the one before."""
    wrong = next((at for at in range(1, len(seen)) if seen[at] != seen[at - 1] + 1), len(seen))
    return f"not every change once and in order: {seen[max(0, wrong - 3) : wrong + 3]} at {wrong} of {len(seen)}"
