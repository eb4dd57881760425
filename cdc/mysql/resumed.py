"""A transaction that a restart cut in two: what of it was sent, found again in the log of this or another server."""

from __future__ import annotations

from enum import Enum, auto

from cdc.mysql.offset import Position


class Begun(Enum):
    """What a transaction that begins is to one that was cut in two."""

    OTHER = auto()
    SAME = auto()
    UNKNOWN = auto()
    """Perhaps it is that one, and how much of it was sent cannot be told: it is sent again."""


class Resumed:
    """Where the transaction stands at `position` its events are as they were; elsewhere only its rows are.

    A replica writes a transaction's rows into its own log in their order, but packed as its own settings say, and
    may write other transactions before it.

    Attributes:
        event: events that were handled; without meaning when `by_rows`.
        sent: rows of them that were sent; None when that is not known.
        by_rows: the transaction is found again by its rows.
    """

    __slots__ = ("_left", "by_rows", "event", "position", "sent")

    def __init__(self, position: Position) -> None:
        self.position, self.event, self.by_rows, self._left = position, position.event, False, 0
        self.sent = None if position.rows is None else position.rows - position.row

    def begun(self, server: str | None, file: str, places: range, gtid: str | None) -> Begun:
        """A transaction begins at one of the places, which are those from its GTID event to its BEGIN."""
        was = self.position
        if was.server in (None, server) and was.file == file and was.pos in places:
            return Begun.SAME
        if was.server is None or was.gtid is None or was.rows is None:
            return Begun.UNKNOWN
        if gtid != was.gtid:
            return Begun.OTHER
        self.by_rows, self._left, self.sent = True, was.rows, 0
        return Begun.SAME

    def skipped(self, rows: int) -> int:
        """How many of the next event's rows were sent."""
        if not self.by_rows:
            return self.position.row
        first = min(rows, self._left)
        self._left -= first
        return first

    @property
    def is_over(self) -> bool:
        """By rows alone: all that were sent were met again."""
        return self.by_rows and not self._left
