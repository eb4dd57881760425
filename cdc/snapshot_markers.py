"""Records of a snapshot held back until it is known which is the last: of its table, of all.

Source: Debezium 3.5.0.Final, `io.debezium.connector.SnapshotRecord`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cdc.changes import Row, SourceRun, Sources
from cdc.envelope import TableEnvelope
from cdc.record import Batch
from cdc.snapshot_offset import Left
from cdc.table import TableId

MARKERS: Final = ("first", "first_in_data_collection", "true", "last_in_data_collection", "last")


class Newest:
    """The newest record of a snapshot: it goes out when the next one comes, or as the last."""

    def __init__(self) -> None:
        self._make: Callable[[str], Sequence[Batch]] | None = None
        self._marker = ""
        self._read: dict[TableId, Left] = {}

    def keep(
        self, make: Callable[[str], Sequence[Batch]], marker: str, read: Mapping[TableId, Left] | None = None
    ) -> None:
        """`make` gives its batches for a marker; `read` is what may be saved once it is out."""
        self._make, self._marker, self._read = make, marker, dict(read or {})

    def out(self, marker: str | None = None) -> tuple[list[Batch], dict[TableId, Left]]:
        """Lets it go, with the marker it was kept with or another."""
        make, read = self._make, self._read
        self._make, self._read = None, {}
        return ([] if make is None else list(make(marker or self._marker))), read


@dataclass(frozen=True)
class Chunk:
    """Records in order, and what may be saved once they are durable."""

    batches: Sequence[Batch] = ()
    left: Mapping[TableId, Left] = field(default_factory=dict)


class Rowed(Protocol):
    """What is known of a table's shape here."""

    @property
    def envelope(self) -> TableEnvelope: ...


Origins = Mapping[str, Row]
"""The `source` block of a table's rows for each of MARKERS."""


class TableRows:
    """The rows of one table on their way out: the newest is kept back, for it may be the last.

    Attributes:
        begun: a record of the table is out.
    """

    def __init__(self, *, is_first: bool, begun: bool = False) -> None:
        """`is_first`: of all tables; `begun`: by an earlier attempt."""
        self.begun = begun
        self._is_first = is_first
        self._held: tuple[Rowed, Row, Origins] | None = None

    def add(self, shape: Rowed, rows: list[Row], origins: Origins, now: int) -> list[Batch]:
        """More rows, at least one; gives what goes out before the newest."""
        batches: list[Batch] = []
        if self._held is not None:
            was, row, origins_then = self._held
            if was is shape and origins_then is origins:
                rows = [row, *rows]
            else:
                batches += was.envelope.reads([row], [origins_then[self._opening()]], now)
        self._held = shape, rows.pop(), origins
        if rows:
            batches += shape.envelope.reads(rows, self._sources(origins, len(rows)), now)
        return batches

    def close(self) -> tuple[Callable[[str, int], Sequence[Batch]], str] | None:
        """The table has ended: what makes the newest row's record of a marker and a time, and its usual marker."""
        if self._held is None:
            return None
        shape, row, origins = self._held

        def made(marker: str, now: int) -> Sequence[Batch]:
            return shape.envelope.reads([row], [origins[marker]], now)

        return made, "first" if self._is_first and not self.begun else "last_in_data_collection"

    def _sources(self, origins: Origins, rows: int) -> Sources:
        usual = origins["true"]
        if self.begun:
            return Sources([SourceRun(usual, rows)])
        first = SourceRun(origins[self._opening()], 1)
        return Sources([first, SourceRun(usual, rows - 1)] if rows > 1 else [first])

    def _opening(self) -> str:
        """The marker of a row that goes out before others of its table."""
        if self.begun:
            return "true"
        self.begun = True
        return "first" if self._is_first else "first_in_data_collection"
