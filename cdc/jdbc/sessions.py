"""Several connections that read at once, each in a thread of its own; the rows come together in one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Full, Queue, SimpleQueue
from typing import Any, Final

from cdc.jdbc.columns import Column
from cdc.jdbc.session import Query, Session

_PAUSE_S: Final = 0.5
Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""


@dataclass(frozen=True)
class Fetched:
    """Rows of one statement, by its number; `whole`: they are its last."""

    number: int
    rows: Sequence[Any]
    columns: Sequence[Column]
    whole: bool


_Order = tuple[int, Statement, Query]
_Answer = Fetched | Exception


class Sessions:
    """Opened when there is something to read first. A connection is opened, read and closed by one thread.

    No more than one fetch of each waits to be taken.
    """

    def __init__(self, opened: Callable[[], Session], count: int) -> None:
        self._opened, self.count = opened, count
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._answers: Queue[_Answer] = Queue(count)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def read(self, statements: Sequence[Statement], query: Query) -> Iterator[Fetched | None]:
        """Rows of all statements, each in its order, until all have ended; None when none came for a while.

        Raises: SourceUnavailable, SourceError: these sessions are not to be used again.
        """
        self._start()
        for number, statement in enumerate(statements):
            self._orders.put((number, statement, query))
        left = len(statements)
        while left:
            try:
                answer = self._answers.get(timeout=_PAUSE_S)
            except Empty:
                yield None
                continue
            if isinstance(answer, Exception):
                raise answer
            left -= answer.whole
            yield answer

    def close(self) -> None:
        """Does not wait: a thread ends with the statement it is in."""
        self._over.set()
        for _ in self._threads:
            self._orders.put(None)

    def _start(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, daemon=True, name=f"session {at}") for at in range(self.count)
            ]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        try:
            session = self._opened()
            try:
                while (order := self._orders.get()) is not None and not self._over.is_set():
                    self._run(session, *order)
            finally:
                session.close()
        except Exception as error:
            self._answer(error)

    def _run(self, session: Session, number: int, statement: Statement, query: Query) -> None:
        result = session.rows(*statement, query)
        whole = False
        while not whole and not self._over.is_set():
            rows = result.fetch()
            whole = result.whole
            self._answer(Fetched(number, rows, result.columns, whole))
        result.close()

    def _answer(self, answer: _Answer) -> None:
        while not self._over.is_set():
            try:
                self._answers.put(answer, timeout=_PAUSE_S)
            except Full:
                continue
            return
