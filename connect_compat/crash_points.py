"""A test aid: `TAILRACE_CRASH_AT=sink:put:3` kills this process (SIGKILL) the third time it passes the step `sink:put`.

`TAILRACE_CRASH_AT=@/some/file` does so when that file names the step, and removes the file: one crash of one process.
Unset, which is the rule, `passed` does nothing. `STEPS` lists the steps; most are numbered in source_task.py and
sink_task.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

VARIABLE: Final = "TAILRACE_CRASH_AT"
STEPS: Final = (
    "source:appended", "log:records", "source:flushed", "source:committed", "topic:appended",
    "sink:decoded", "sink:put", "sink:dead-lettered", "sink:committed",
)  # fmt: skip
"""`log:records`: the log has a source's records, its offsets are not saved (embedded: neither is committed).
`topic:appended`: a record of a source's own topic (schema history) is durable.
"""
RARE: Final = ("topic:forgetting", "topic:forgotten")
"""Steps that no task passes every day: before and after the first records of a source's own topic are taken away."""


def _nothing(step: str) -> None:
    return None


def crash_at(where: str | None) -> Callable[[str], None]:
    """What to call with the name of each step passed.

    `where` is `step`, `step:count` with a count of 1 or more, or `@file`.
    """
    if not where:
        return _nothing
    if where.startswith("@"):
        return _crash_as_told(Path(where[1:]))
    name, _, last = where.rpartition(":")
    wanted, left = (name, int(last)) if last.isdigit() else (where, 1)

    def crash(step: str) -> None:
        nonlocal left
        if step == wanted:
            left -= 1
            if left == 0:
                _die()

    return crash


def _crash_as_told(file: Path) -> Callable[[str], None]:
    def crash(step: str) -> None:
        try:
            if file.read_text() != step:
                return
            file.unlink()
        except FileNotFoundError:
            return
        _die()

    return crash


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


passed = crash_at(os.environ.get(VARIABLE))
