"""A schema history kept short: checkpoints of all tables among its records, and what came before one taken away.

A checkpoint holds every table as it is at a stored offset, and stands at that position. For whoever recovers there it
changes nothing, whole or in part, so a crash while it is written does no harm: the log is read again from there. What
was recorded at that position and after it stands behind a whole checkpoint again. What stands before one is needed
only by an offset before its position.
Source: Debezium 3.5.0.Final, `AbstractSchemaHistory.recover`, which takes a checkpoint for a snapshot's records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.errors import SourceError
from cdc.mysql import schema_change
from cdc.mysql.ddl import Catalog
from cdc.mysql.schema_change import HistoryRecord, Kind, Mark, SchemaChange, TableChange
from cdc.record import Topic

ENOUGH: Final = 1000
"""Records after which a start writes a checkpoint: reading them takes a tenth of a second."""
_PIECE: Final = 100
Position = Mapping[str, Any]


@dataclass
class Survey:
    """What a pass over a history topic finds beside the tables.

    Attributes:
        others: records of other servers stand in it too, so nothing may be taken away.
        first: the position of the server's first record; None when there is none.
        since: records of the server after its newest whole checkpoint.
        whole: of each whole checkpoint its name, its position, and how many records of the server stand before it.
    """

    others: bool = False
    first: Position | None = None
    since: int = 0
    whole: list[tuple[int, Position, int]] = field(default_factory=list)
    _count: int = 0
    _begun: dict[int, int] = field(default_factory=dict)

    def see(self, record: HistoryRecord) -> None:
        """Takes the next record of the server."""
        if self.first is None:
            self.first = record.position
        self.since += 1
        if record.mark is not None:
            before = self._begun.setdefault(record.mark.began, self._count)
            if record.mark.whole:
                self.since = 0
                self.whole.append((record.mark.began, record.position, before))
        self._count += 1

    def is_long(self, tables: int) -> bool:
        """Whether a checkpoint is worth its size."""
        return self.since > max(ENOUGH, 2 * tables)

    def superseded(self, useless: Callable[[Position], bool]) -> int | None:
        """The newest checkpoint before which there are records and whose own position no offset can have any more."""
        for began, position, before in reversed(self.whole):
            if before and useless(position):
                return began
        return None


@dataclass(frozen=True)
class Compaction:
    """One server's part of a history topic.

    Attributes:
        is_after: whether a recorded position is after an offset.
        is_at: whether it is the offset's own, so that its statement may be read a second time.
    """

    topic: Topic
    server: str
    is_after: Callable[[Position, Position], bool]
    is_at: Callable[[Position, Position], bool]

    def reaches(self, survey: Survey, position: Position) -> bool:
        """Whether the history begins at or before an offset, so that the tables there are known."""
        return survey.first is not None and not self.is_after(survey.first, position)

    def checkpoint(self, catalog: Catalog, survey: Survey, position: Position, now_ms: int) -> int:
        """Writes the tables as they are at an offset; durable when it returns. Returns: the checkpoint's name.

        Args:
            catalog: the tables, recovered at that offset.
        Raises: SourceError: the history begins after the offset: what the tables were there is not known.
        """
        if not self.reaches(survey, position):
            raise SourceError(
                f"the schema history of {self.server} begins after the stored offset {dict(position)}: record the "
                "tables there with: tailrace history rebuild"
            )
        behind = [(None, value) for value, record in self._read() if self._is_needed(record, position)]
        self._append([(None, value) for value in self._values(catalog, position, now_ms)])
        self._append(behind)
        return now_ms

    def forget_before(self, began: int) -> int:
        """Takes away what stands before a whole checkpoint. Returns: how many records."""
        for passed, (number, value) in enumerate(self.topic.numbered()):
            record = schema_change.read(value)
            if record is not None and record.mark is not None and record.mark.began == began:
                self.topic.forget(number)
                return passed
        return 0

    def _read(self) -> Iterator[tuple[bytes, HistoryRecord]]:
        for _, value in self.topic.numbered():
            record = schema_change.read(value)
            if record is not None and record.server == self.server:
                yield value, record

    def _is_needed(self, record: HistoryRecord, position: Position) -> bool:
        if record.mark is not None:
            return False
        return self.is_after(record.position, position) or (
            "snapshot" not in record.position and self.is_at(record.position, position)
        )

    def _values(self, catalog: Catalog, position: Position, now_ms: int) -> Iterator[bytes]:
        at = {**position, "snapshot": "INITIAL"}
        for change in state(catalog, now_ms):
            yield schema_change.write(self.server, at, change, Mark(now_ms, whole=False))
        end = SchemaChange(kind=Kind.OTHER, database="", ddl="", ts_ms=now_ms)
        yield schema_change.write(self.server, at, end, Mark(now_ms, whole=True))

    def _append(self, records: Sequence[tuple[None, bytes]]) -> None:
        for first in range(0, len(records), _PIECE):
            self.topic.append(records[first : first + _PIECE])


def state(catalog: Catalog, ts_ms: int) -> Iterator[SchemaChange]:
    """Changes that make a catalog out of an empty one: default character sets, then every table."""
    if catalog.server_charset is not None:
        text = f"SET character_set_server={catalog.server_charset}"
        yield SchemaChange(kind=Kind.DATABASE, database="", ddl=text, ts_ms=ts_ms)
    for database, charset in catalog.database_charsets.items():
        text = f"CREATE DATABASE `{database.replace('`', '``')}` CHARSET {charset}"
        yield SchemaChange(kind=Kind.DATABASE, database=database, ddl=text, ts_ms=ts_ms)
    for id, table in catalog.tables.items():
        made = (TableChange(Kind.CREATE, id, table),)
        yield SchemaChange(kind=Kind.CREATE, database=id.database, ddl="", table_changes=made, ts_ms=ts_ms)
