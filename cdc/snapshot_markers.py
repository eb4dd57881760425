"""Records of a snapshot held back until it is known which is the last: of its table, of all.

Source: Debezium 3.5.0.Final, `io.debezium.connector.SnapshotRecord`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

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
