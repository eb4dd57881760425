"""A database as incremental snapshots read it: what differs between MySQL and PostgreSQL. See `cdc.watch`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from cdc.envelope import TableEnvelope
from cdc.errors import SourceError
from cdc.incremental import Collection
from cdc.java.objects import Key
from cdc.record import Batch
from cdc.table import TableId

Row = tuple[Any, ...]
KeyOf = Callable[[Row], Any]
Steps = Generator[None, None, "list[Any]"]
"""Runs on at each `next`, as far as the server's answer is here; gives rows as `Tables` reads them."""


class Shape(Protocol):
    """One version of one table; compared by identity."""

    @property
    def envelope(self) -> TableEnvelope: ...

    @property
    def columns(self) -> Sequence[Any]: ...


class Chunk(NamedTuple):
    """What to read of a table.

    Attributes:
        keys: the columns to go by, in order.
        after, upto: where to begin and to end; None for the first chunk.
    """

    id: TableId
    shape: Any
    keys: Sequence[Any]
    collection: Collection
    after: Key | None = None
    upto: Key | None = None


class Place:
    """Where the reader stands, as far as a snapshot has to know; the reader fills it in."""

    position: Callable[[], Any]
    source: Callable[[int, str, str | None], Any]
    """Given microseconds since 1970, a database or schema, and a table."""
    done: Callable[[], Any]
    """What of the log is handled: what `Tables.reached` compares with."""


class Tables(Protocol):
    """One database, as incremental snapshots read it. All raise SourceUnavailable and SourceError."""

    def known(self) -> list[str]:
        """The names of the captured tables."""

    def find(self, name: str) -> TableId:
        """The table of that name; of one that is not known, what the name says."""

    def shape(self, id: TableId) -> Shape | None:
        """As the log has it; None for one that is not captured or not known."""

    def refresh(self, id: TableId) -> None:
        """`shape` looks at the server again, where it does that at all."""

    def defined(self, id: TableId) -> list[Batch]:
        """Learns a captured table that is not known; gives what is to be told of it."""

    def define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> list[Batch]:
        """Takes tables as a signal describes them. Raises also what reading such a description raises."""

    def keys(self, shape: Any, surrogate: str | None) -> Sequence[Any]:
        """The columns to read a table by; none where it has no key."""

    def key_reader(self, columns: Sequence[Any], surrogate: str | None, key: Sequence[str]) -> KeyOf | None:
        """From a row of these columns to what tells it from others; None where the row does not hold that."""

    def open_window(self, id: str) -> None: ...

    def close_window(self, id: str, *, by_delete: bool) -> None: ...

    def moment(self) -> Any:
        """Where the server stands now: what `read.only` has for watermarks."""

    def reached(self, low: Any, high: Any) -> bool:
        """Whether the reader has given everything that was committed until `high`."""

    def greatest(self, chunk: Chunk) -> Steps:
        """The row of the greatest key, or none."""

    def rows(self, chunk: Chunk, limit: int) -> Steps: ...

    def key_in(self, chunk: Chunk, row: Any) -> Key: ...

    def converted(self, chunk: Chunk, rows: Sequence[Any]) -> Sequence[Row]:
        """Rows as they are sent."""

    def estimate(self, id: TableId) -> int: ...

    def wait(self, seconds: float) -> None:
        """How long a step may wait for the server."""

    def close(self) -> None:
        """An answer that is on its way is not waited for; what needs the server connects again."""

    def source(self, now_ns: int, id: TableId) -> Row:
        """The `source` block of a row read now, beside the log."""

    def offset(self) -> Mapping[str, Any]:
        """That where the reader stands."""

    def unwritable(self, error: SourceError) -> str:
        """What to do when a watermark cannot be written."""

    @property
    def unprepared(self) -> str:
        """What to do when there is no place for watermarks."""

    @property
    def unmarked(self) -> str:
        """What to do when `read.only` has no moments to go by."""


def key_names(shape: Shape) -> list[str]:
    """The columns of the records' key by the names that the table has for them, whatever the fields are called."""
    envelope = shape.envelope
    fields = [name for name, _ in (*envelope.fields, *envelope.key_only)]
    columns = dict(zip(fields, (column.name for column in shape.columns), strict=True))
    return [columns[name] for name in envelope.key]
