"""One thread on which everything that changes takes its turn, and waits while the log is away."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final, TypeVar

import structlog

from cdc.errors import LogUnavailable, RequestError
from connect_compat.log import Store
from connect_compat.masking import text_without_secrets

T = TypeVar("T")
REQUEST_S: Final = 90.0
"""Kafka Connect's limit for one request."""
RETRY_S = 2.0
NO_LEADER: Final = ("Cannot complete request momentarily due to no known leader URL, "
                    "likely because a rebalance was underway.")  # fmt: skip
logger = structlog.get_logger(__name__)


class Turns:
    """Actions run one after another, in the order they were handed over, from any thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="herder")
        self._stage = ("starting", time.time())
        self._away: LogUnavailable | None = None
        """The newest error, while the log is away."""
        self.stopping = threading.Event()

    def run(self, action: Callable[[], T]) -> Future[T]:
        return self._thread.submit(action)

    def now(self, action: Callable[[], T], stage: str) -> T:
        """The result, or whatever the action raises, an outage of the log at once.

        Raises: RequestError: 500 after 90 s; the action keeps its turn.
        """

        def act() -> T:
            self._stage = (stage, time.time())
            return action()

        try:
            return self._thread.submit(act).result(REQUEST_S)
        except FutureTimeout:
            raise self.timed_out() from None

    def timed_out(self) -> RequestError:
        stage, began = self._stage
        instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        return RequestError(500, f"Request timed out. The worker is currently {stage}, which began at {instant}.")

    def later(self, action: Callable[[], None]) -> None:
        """For what must happen in the end: repeated while the log is away; any other failure is logged."""

        def act() -> None:
            try:
                self.patiently(action)
            except LogUnavailable:  # told to stop: the next start does it
                return
            except Exception as error:
                logger.error("a change could not be carried out", error=text_without_secrets(str(error)), exc_info=True)

        with contextlib.suppress(RuntimeError):  # shut down: nobody is left to care
            self._thread.submit(act)

    def patiently(self, action: Callable[[], T]) -> T:
        """The result once the log answers. Raises: LogUnavailable: told to stop while it was away."""
        if self._away is not None and self.stopping.is_set():
            raise self._away  # a stop waits for it once, not again for each thing that is left to do
        told = False
        while True:
            try:
                result = action()
            except LogUnavailable as error:
                self._away = error
                if not told:
                    logger.warning("the log does not answer; trying again", error=text_without_secrets(str(error)))
                told = True
                if self.stopping.wait(RETRY_S):
                    raise
            else:
                self._away = None
                if told:
                    logger.warning("the log answers again")
                return result

    def stop(self) -> None:
        """Drops what has not begun."""
        self.stopping.set()
        self._thread.shutdown(cancel_futures=True)


class PatientStore:
    """A store whose writes wait while the log is away: for what has happened and must be told."""

    def __init__(self, store: Store, turns: Turns) -> None:
        self._store, self._turns = store, turns

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        """Raises: LogUnavailable: told to stop meanwhile."""
        self._turns.patiently(lambda: self._store.put(entries))

    def all(self) -> Mapping[str, bytes]:
        return self._store.all()
