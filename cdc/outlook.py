"""What starting a source would mean, told before it is created: what it reads first, and what may surprise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ROWS_A_SECOND: Final = 20_000
"""What one session of a snapshot reads on a small machine; the estimate is no promise."""


@dataclass(frozen=True)
class TableSize:
    """A captured table. `rows` and `bytes` are the server's own estimates."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Outlook:
    """What a look at the server promises.

    Attributes:
        tables: that the first snapshot would read, the largest first; none when the mode reads none.
        sessions: how many of them read it.
        warnings: what is possible, but perhaps not meant, each with its remedy.
        facts: settings of the server that decide how long an outage may last.
    """

    tables: Sequence[TableSize]
    sessions: int
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(table.bytes for table in self.tables)

    @property
    def seconds(self) -> int:
        """About how long the snapshot takes; a table's rows are read by several sessions where that pays."""
        return round(self.rows / (ROWS_A_SECOND * min(self.sessions, 2))) if self.tables else 0
