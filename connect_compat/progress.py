"""What a running task and its supervisor know of each other: stop and pause go in, counters and waits come out.

The task's own thread writes, the heartbeat thread of the same process reads: plain assignments, no lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Stopped(Exception):
    """Raised out of a wait when the task was asked to stop. Nothing is lost: offsets stay where they are."""


class Waiting(NamedTuple):
    """What a task is waiting for, in the words of the error, and since when (milliseconds since 1970)."""

    what: str
    since_ms: int


@dataclass
class Progress:
    """One task's figures since it started.

    Attributes:
        counters: totals under Kafka Connect's metric names (`source-record-write-total`).
        report: what the source itself reports (snapshot progress and the like).
        topics: every topic written to (source) or read from (sink) so far.
        backlog: records in the log not yet delivered (sink); None when unknown.
        carried: whether records were made durable and the position after them saved, as the first ones are at once:
            a restart begins further on.
        moved_at: `time.monotonic()` of the last step done, or of the last look that found nothing to do.
        changed: set when something is worth telling at once: paused or not, waiting or not, a new topic, the first
            records carried.
    """

    counters: dict[str, int] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    waiting: Waiting | None = None
    backlog: int | None = None
    paused: bool = False
    carried: bool = False
    moved_at: float = field(default_factory=time.monotonic)
    changed: threading.Event = field(default_factory=threading.Event)

    def count(self, name: str, more: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + more

    def moved(self) -> None:
        self.moved_at = time.monotonic()

    def carries(self) -> None:
        if not self.carried:
            self.carried = True
            self.changed.set()

    def uses(self, topics: Iterable[str]) -> None:
        before = len(self.topics)
        self.topics.update(topics)
        if len(self.topics) != before:
            self.changed.set()

    def waits_for(self, what: str) -> None:
        """Keeps the time at which the wait began when it goes on for another reason."""
        since_ms = self.waiting.since_ms if self.waiting else time.time_ns() // 1_000_000
        self.waiting = Waiting(what, since_ms)
        self.changed.set()

    def waits_no_more(self) -> None:
        self.waiting = None
        self.changed.set()

    def pauses(self, paused: bool) -> None:
        if self.paused is not paused:
            self.paused = paused
            self.changed.set()


class Orders:
    """Signals that came through REST, in the order of their numbers. Filled by one thread, read by another."""

    def __init__(self, changed: threading.Event) -> None:
        self._changed = changed
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._read = 0
        self.carried_out = 0

    def put(self, number: int, text: str) -> None:
        self._waiting.append((number, text.encode()))

    def read(self) -> Sequence[tuple[bytes | None, bytes | None]]:
        found: list[tuple[bytes | None, bytes | None]] = []
        while self._waiting:
            self._read, text = self._waiting.popleft()
            found.append((None, text))
        return found

    def done(self) -> None:
        """All that was read is carried out and saved: the sender is told."""
        if self.carried_out != self._read:
            self.carried_out = self._read
            self._changed.set()

    def close(self) -> None:
        """Nothing is held open."""


class Control:
    """What the supervisor asks of a task. Any thread may set it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.pause = threading.Event()
        self.progress = Progress()
        self.orders = Orders(self.progress.changed)

    def sleep(self, seconds: float) -> None:
        """Raises: Stopped: as soon as the task is asked to stop."""
        if self.stop.wait(seconds):
            raise Stopped
