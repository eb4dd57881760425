"""Up to where a table can be read without missing what open transactions have yet to commit.

A row that was written before a moment, and is not there yet, is a row of a transaction that is open at that moment. So
when all that were open then have ended, everything up to that moment's number, or time, is there for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from cdc.jdbc.session import Session

WAIT_S: Final = 0.1
_SETTLE_S: Final = 0.05
"""A statement takes its row's number a moment before the database counts its transaction among the open ones."""
_SAID_AFTER_S: Final = 30.0
_log = structlog.get_logger(__name__)


@dataclass
class _Waiting:
    """A bound, and the transactions that must end before it holds."""

    bound: int
    open: frozenset[str]
    since: float
    said: bool = False


class Horizon:
    """One table's bound: the highest number, or the latest time in microseconds, that can be read up to."""

    def __init__(self, session: Session, name: str, *, writers: bool, wait: bool) -> None:
        """`writers`: only transactions that have written matter (numbers); False: also older ones (times)."""
        self._session, self._name, self._writers, self._wait = session, name, writers, wait
        self._waiting: _Waiting | None = None

    def reach(self, bound: Callable[[], int | None]) -> int | None:
        """The bound to read up to now; None while it is not known, or there is nothing to read.

        `bound` is asked before the open transactions are, so that none is overlooked.
        """
        if not self._wait:
            return bound()
        if self._waiting is None:
            now = bound()
            if now is None:
                return None
            time.sleep(_SETTLE_S)
            open_now = self._session.product.open_transactions(self._session, writers=self._writers)
            if open_now is None:
                self._cannot_tell()
                return now
            self._waiting = _Waiting(now, open_now, time.monotonic())
        waiting = self._waiting
        if waiting.open:
            still = self._session.product.open_transactions(self._session, writers=self._writers)
            waiting.open &= still or frozenset()
        if waiting.open:
            self._say(waiting)
            return None
        self._waiting = None
        return waiting.bound

    @property
    def waits(self) -> bool:
        return self._waiting is not None

    def _cannot_tell(self) -> None:
        """Once a table: what can be lost, and what helps."""
        self._wait = False
        _log.warning(
            f"{self._session.database} does not tell which transactions are open: rows of {self._name} that commit "
            "after later ones were read are missed. Either of these helps: " + self._session.product.LACKING
            + "; or a timestamp.delay.interval.ms longer than any transaction"
        )  # fmt: skip

    def _say(self, waiting: _Waiting) -> None:
        if not waiting.said and time.monotonic() - waiting.since > _SAID_AFTER_S:
            waiting.said = True
            _log.warning(
                f"{self._name}: transactions that were open {_SAID_AFTER_S:.0f} s ago may still write rows that come "
                f"before those to be read; waiting until they end: {', '.join(sorted(waiting.open)[:5])}. End them, or "
                "set tailrace.open.transactions.wait=false to go on and miss their rows"
            )
