"""A test aid: `TAILRACE_CRASH_AT=sink:put:3` kills this process (SIGKILL) the third time it passes the step `sink:put`.

Unset, which is the rule, `passed` does nothing. `STEPS` lists the steps; most are numbered in source_task.py and
sink_task.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "TAILRACE_CRASH_AT"
STEPS: Final = (
    "source:appended", "log:records", "source:flushed", "source:committed", "topic:appended",
    "sink:decoded", "sink:put", "sink:dead-lettered", "sink:committed",
)  # fmt: skip
"""`log:records`: the log has a source's records, its offsets are not saved (embedded: neither is committed).
`topic:appended`: a record of a source's own topic (schema history) is durable.
"""


def _nothing(step: str) -> None:
    return None


def crash_at(where: str | None) -> Callable[[str], None]:
    """What to call with the name of each step passed; `where` is `step` or `step:count`, the count being 1 or more."""
    if not where:
        return _nothing
    name, _, last = where.rpartition(":")
    wanted, left = (name, int(last)) if last.isdigit() else (where, 1)

    def crash(step: str) -> None:
        nonlocal left
        if step == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return crash


passed = crash_at(os.environ.get(VARIABLE))
