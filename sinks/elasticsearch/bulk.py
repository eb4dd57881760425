"""Bulk requests on their way: several at a time, filled while they wait, sent again where the server was busy.

A document's operations stay in order. Versioned ones may pass each other, for the newest wins whatever comes last; of
others a request waits for the earlier one that holds the same document.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cdc.errors import TargetError, TargetUnavailable
from cdc.record import Rejected
from sinks.elasticsearch.actions import Action
from sinks.elasticsearch.config import ElasticsearchConfig

Send = Callable[[Sequence[Action]], tuple[list[Action], str, list[Rejected]]]
"""Sends operations: those that the server was too busy for, its reason, and what it refused for good.

Raises: TargetUnavailable: none or some were written, unknown which; TargetError.
"""
_NO_LIMIT: Final = 2**62
_LONGEST_BACKOFF_S: Final = 10.0


class Request:
    """Operations of one bulk request. Filled by one thread, sent by another, under the lock of the lane."""

    def __init__(self, ordered: bool) -> None:
        self.actions: list[Action] = []
        self.size = 0
        self.count = 0
        self.ids: set[str | None] | None = set() if ordered else None
        self.after: list[Request] = []
        self.open = True
        self.go = threading.Event()
        """Set when nothing more is waited for."""
        self.settled = threading.Event()
        """Set when it is written, or has failed."""
        self.error: TargetError | None = None
        self.told = False
        self.rejected: list[Rejected] = []
        self.dropped: set[int] = set()


class Lane:
    """The requests of one task, oldest first."""

    def __init__(self, config: ElasticsearchConfig, send: Send) -> None:
        self._config, self._send = config, send
        self._most_bytes = config.bulk_bytes if config.bulk_bytes > 0 else _NO_LIMIT
        budget = config.bulk_bytes if config.bulk_bytes > 0 else 5 * 2**20
        self._budget = (config.max_in_flight + 1) * budget
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._requests: deque[Request] = deque()
        self._threads = ThreadPoolExecutor(config.max_in_flight, thread_name_prefix="bulk")

    def add(self, actions: Iterable[Action], *, ordered: bool) -> list[Request]:
        """Puts operations into the newest request and further ones; those that they went into.

        No request goes out before all have found a place: none is sent half filled.
        """
        used: list[Request] = []
        with self._lock:
            for action in actions:
                size = len(action.head) + len(action.body or b"") + 1
                request = self._room(size, ordered)
                request.actions.append(action)
                request.size += size
                request.count += 1
                if request.ids is not None:
                    request.ids.add(action.id)
                if not used or used[-1] is not request:
                    used.append(request)
            if used and used[-1].count >= self._config.batch_size:
                used[-1].go.set()
        return used

    def _room(self, size: int, ordered: bool) -> Request:
        """The request for an operation of `size` bytes."""
        newest = self._requests[-1] if self._requests else None
        if newest is not None and newest.open:
            if newest.count < self._config.batch_size and newest.size + size <= self._most_bytes:
                return newest
            newest.open = False
            newest.go.set()
        request = Request(ordered)
        self._requests.append(request)
        self._threads.submit(self._run, request)
        return request

    def full(self) -> bool:
        """Whether something must be finished before more is added."""
        with self._lock:
            count = sum(request.count for request in self._requests)
            size = sum(request.size for request in self._requests)
            ahead = len(self._requests) > self._config.max_in_flight
        if self._config.flush_synchronously:
            return count > 0
        if ahead:  # one request more than may be on their way is enough to keep the server busy
            return True
        return count + self._config.batch_size > self._config.max_buffered or size >= self._budget

    def hurry(self) -> None:
        """Nothing more comes soon: what waits for more is sent."""
        with self._lock:
            for request in self._requests:
                request.go.set()

    def finish(self, requests: Iterable[Request]) -> None:
        """Returns when all of them are written. Raises: TargetUnavailable: called again, sends what failed again;
        TargetError."""
        for request in requests:
            if request.error is not None and request.told:
                self._again()
            if not request.settled.wait(self._config.flush_ms / 1000 + self._config.linger_ms / 1000):
                raise TargetUnavailable(
                    f"a bulk request has no answer after flush.timeout.ms={self._config.flush_ms}: look at the load of "
                    "Elasticsearch, and lower batch.size or max.in.flight.requests"
                )
            if request.error is not None:
                request.told = True
                raise request.error
        with self._lock:
            while self._requests and self._requests[0].settled.is_set() and self._requests[0].error is None:
                self._requests.popleft()

    def finish_all(self) -> None:
        self.hurry()
        self.finish(list(self._requests))

    def _again(self) -> None:
        """Sends every request that failed once more, in order.

        Not before the others have ended, too: one of them may wait for one that failed, and hold its thread.
        """
        self.hurry()
        for request in list(self._requests):
            request.settled.wait()
        with self._lock:
            failed = [each for each in self._requests if each.settled.is_set() and each.error is not None]
            for request in failed:
                request.error, request.told = None, False
                request.settled.clear()
        for request in failed:
            self._threads.submit(self._run, request)

    def close(self) -> None:
        self._closing.set()
        self.hurry()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, request: Request) -> None:
        """In a thread: waits until the request is to go, sends it, settles it."""
        request.go.wait(self._config.linger_ms / 1000)
        with self._lock:
            request.open = False
            if request.ids is not None and not request.after:
                request.after = self._before(request, request.ids)
        try:
            self._in_turn(request)
            self._deliver(request)
            request.actions, request.after, request.ids = [], [], None
            request.size = 0
        except TargetError as error:
            request.error = error
        except Exception as error:
            request.error = TargetError(f"a bulk request failed: {error!r}")
        request.settled.set()

    def _before(self, request: Request, ids: set[str | None]) -> list[Request]:
        """Earlier requests that hold one of the same documents."""
        found = []
        for each in self._requests:
            if each is request:
                break
            if each.ids is not None and not each.ids.isdisjoint(ids):
                found.append(each)
        return found

    def _in_turn(self, request: Request) -> None:
        """Raises: the error of an earlier request that holds one of the same documents."""
        for earlier in request.after:
            earlier.settled.wait()
            if (error := earlier.error) is not None:
                raise error

    def _deliver(self, request: Request) -> None:
        """Sends all, and again what the server was too busy for: after a time that is drawn from a growing span."""
        tries = 0
        while left := [action for action in request.actions if id(action.batch) not in request.dropped]:
            request.actions, reason, rejected = self._send(left)
            request.rejected += rejected
            if not request.actions:
                return
            tries += 1
            if tries > self._config.max_retries:
                raise TargetUnavailable(f"Elasticsearch is busy: {reason}")
            span = min(self._config.retry_backoff_ms / 1000 * 2.0 ** min(tries - 1, 20), _LONGEST_BACKOFF_S)
            self._closing.wait(random.uniform(0, span))
