"""Where a reader stands in the log: its file and position, the open transaction, and from where a restart goes on."""

from __future__ import annotations

from dataclasses import replace

import structlog

from cdc.mysql.offset import Gtids, Position
from cdc.mysql.resumed import Begun, Resumed
from cdc.transactions import Transactions

_log = structlog.get_logger(__name__)


class LogPlace:
    """The reader moves it with each event.

    Attributes:
        file, start, end: where the newest event stands.
        restart: file and position from where a restart reads.
        server_id, ts_sec: of the newest event and of the newest change.
        in_transaction, event: whether a transaction is open, and how many of its events are done.
        gtid, gtid_at: the transaction's GTID, and where its GTID event begins.
        sent: the rows sent of the open transaction, None when that is not known.
        resume: after a restart in the middle of a transaction: what of it was sent, until that was passed over.
        resumed: the same while that transaction is open.
        done: the transactions done, None while that is not known.
    """

    __slots__ = (
        "_server", "_transactions", "done", "end", "event", "file", "gtid", "gtid_at", "in_transaction", "restart",
        "resume", "resumed", "sent", "server_id", "start", "ts_sec",
    )  # fmt: skip

    def __init__(
        self, start: Position, gtids: Gtids | None, server: str | None, transactions: Transactions | None
    ) -> None:
        """`gtids` are done before the first event; `server` is the server's UUID."""
        self._server, self._transactions = server, transactions
        self.file, self.start, self.end = start.file, start.pos, start.pos
        self.restart = (start.file, start.pos)
        self.server_id, self.ts_sec = start.server_id, start.ts_sec
        self.in_transaction, self.event = False, 0
        self.gtid: str | None = None
        self.gtid_at = 0
        self.done = None if gtids is None else gtids.tally()
        self.resume: Resumed | None = Resumed(start) if start.event or start.row else None
        self.resumed: Resumed | None = None
        self.sent: int | None = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.start}"

    def rotate(self, file: str, position: int) -> None:
        self.file, self.start, self.end = file, position, position
        self.in_transaction = False

    def begin(self) -> None:
        """A transaction begins with the newest event."""
        self.restart = (self.file, self.start)
        self.in_transaction, self.event, self.sent = True, 0, 0
        if self.resume is not None:
            self._resumes(self.resume)

    def _resumes(self, cut: Resumed) -> None:
        """A transaction begins while one that was cut in two is awaited."""
        begun = cut.begun(self._server, self.file, range(self.gtid_at, self.start + 1), self.gtid)
        if begun is Begun.SAME:
            self.resumed, self.sent = cut, cut.sent
        if begun is Begun.UNKNOWN:
            _log.warning("the stored offset stands in the middle of a transaction of another server and does not say "
                         "how many rows were sent: the transaction is sent again", at=str(self))  # fmt: skip
            if self._transactions is not None:
                self._transactions.forget()
        if begun is Begun.UNKNOWN or cut.is_over:
            self.resume = self.resumed = None

    def passed(self, resumed: Resumed, rows: int) -> int:
        """How many of the next rows were sent before."""
        first = resumed.skipped(rows)
        if resumed.is_over:
            self.resume = self.resumed = None
        return first

    def commit(self) -> None:
        self.in_transaction, self.event = False, 0
        if self.resumed is not None:
            self.resume = self.resumed = None
        if self.done is not None and self.gtid is not None:
            self.done.add(self.gtid)

    def passed_whole(self, server_id: int, gtid: str, count: int, at: tuple[int, int, int], sent: int) -> None:
        """Whole transactions were taken, `count` in a row, of which this is the last.

        `at`: where its first event starts, where its last one does and ends. `sent`: its rows.
        """
        self.server_id, self.gtid, self.sent = server_id, gtid, sent
        self.gtid_at, self.start, self.end = at
        self.restart = (self.file, self.end)
        if self.done is not None:
            self.done.add(gtid, count)

    def gtids(self) -> Gtids | None:
        """What a server need not send to a reader that goes on from `position`."""
        return None if self.done is None else self.done.done()

    def position(self) -> Position:
        """From where a restart sends exactly what was not sent until now."""
        if self.resume is not None:
            position = self.resume.position
            return replace(position, gtids=self._gtids_done() or position.gtids)
        if not self.in_transaction:
            return self.before(0)
        return replace(self.before(self.event), server=self._server, gtid=self.gtid, rows=self.sent)

    def before(self, event: int) -> Position:
        """The position before that event of the open transaction."""
        file, pos = self.restart
        return Position(
            file=file, pos=pos, event=event, gtids=self._gtids_done(), server_id=self.server_id, ts_sec=self.ts_sec,
            transaction={} if self._transactions is None else self._transactions.offset,
        )  # fmt: skip

    def _gtids_done(self) -> str | None:
        done = self.gtids()
        return None if done is None else str(done) or None
