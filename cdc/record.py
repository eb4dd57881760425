"""What flows: batches of records of one shape; and what a source and a sink must be.

source -> Poll(batches, offsets) -> transforms -> converter -> log -> converter -> transforms -> sink.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from cdc.schema import Schema


class Header(NamedTuple):
    """One header of a record, not yet converted."""

    name: str
    schema: Schema | None
    value: Any


Headers = tuple[Header, ...]


class _Null:
    """See `NULL`."""

    def __repr__(self) -> str:
        return "NULL"


NULL: Final = _Null()
"""A null that keeps its (optional) schema, as a whole key or value. A plain None there is a tombstone."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one topic and one shape, in order. Nobody mutates it or its lists.

    Attributes:
        keys, values: one item a record, as `cdc.schema` says. None is a null without a schema (a tombstone when
            it is the value), whatever the batch's schema; `NULL` is a null under the schema.
            With a schema of None the values are schemaless: plain dicts, lists, str, int, float, bool, None.
        headers: one tuple a record; records of equal headers share one object.
        partition: where the records go (source; None lets the log choose by key) or were read from (sink).
        timestamps: milliseconds since 1970 a record, None for the log's own clock.
        offsets: sink only: the log offset of each record.
    """

    topic: str
    key_schema: Schema | None
    value_schema: Schema | None
    keys: Sequence[Any]
    values: Sequence[Any]
    headers: Sequence[Headers]
    partition: int | None = None
    timestamps: Sequence[int] | None = None
    offsets: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def pick(self, wanted: Sequence[int]) -> Batch:
        """The records at the indexes `wanted`, in that order."""
        return replace(
            self,
            keys=[self.keys[i] for i in wanted],
            values=[self.values[i] for i in wanted],
            headers=[self.headers[i] for i in wanted],
            timestamps=None if self.timestamps is None else [self.timestamps[i] for i in wanted],
            offsets=None if self.offsets is None else [self.offsets[i] for i in wanted],
        )

    def singles(self) -> Iterator[Batch]:
        """Each record as a batch of its own."""
        return (self.pick((i,)) for i in range(len(self)))


class SourceOffset(NamedTuple):
    """Where a source stands: Connect's partition map and offset map (None: forget that partition)."""

    partition: Mapping[str, Any]
    offset: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Poll:
    """What one read of a source gave: batches in commit order, and the position after the last record of them.

    Offsets advance even when every row was filtered out. Both may be empty: the source is idle.
    """

    batches: Sequence[Batch] = ()
    offsets: Sequence[SourceOffset] = ()
    idle: bool = False
    """Nothing more is waiting in the source right now: a good moment to make things durable."""


class Source(Protocol):
    """A running source task's reader."""

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        """Yields at least once a second, an idle Poll if need be, so that the task can stop.

        Raises: SourceUnavailable: worth another try from the last saved offset; SourceError, DataError: not.
        """

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """All records up to these offsets are durable in the log, and the offsets saved: the source may forget them."""

    def close(self) -> None:
        """Frees connections; called once, also after an error."""


class Topic(Protocol):
    """A topic a source keeps for itself (schema history): one partition, of which only `forget` takes anything."""

    def exists(self) -> bool: ...

    def create(self) -> None: ...

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        """Durable on return."""

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        """All records from the first to the last that exists now."""

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """The same: each record's number, which stays its own, and its value."""

    def forget(self, before: int) -> None:
        """Takes away all records with lower numbers: all at once, and durable on return.

        Raises: LogError: the log does not allow it.
        """


class Topics(Protocol):
    """Gives a source its own topics; `client` are Kafka client settings (`schema.history.internal.producer.*`)."""

    def open(self, name: str, client: Mapping[str, str]) -> Topic: ...


class Inbox(Protocol):
    """Messages to a source from outside: each comes until it is done."""

    def read(self) -> Sequence[tuple[bytes | None, bytes | None]]:
        """Keys and values of what has come since the last call; returns at once."""

    def done(self) -> None:
        """All that was read is carried out, and what it changed is saved."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class SourceContext:
    """What the runtime hands to a source when it builds it."""

    connector: str
    task: int
    topics: Topics
    report: Mapping[str, Any] = field(default_factory=dict)
    """A mutable mapping the source may fill with progress figures; shown in status and metrics."""
    orders: Inbox | None = None
    """What REST asks of the source (`POST /connectors/{name}/signal`)."""
    subscribe: Callable[[str, str, Mapping[str, str]], Inbox] | None = None
    """Opens a topic as a member of a consumer group: topic, group, Kafka client settings."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record the target refused for good, and why, in words an operator can act on.

    Attributes:
        fatal: whether it stops the task when `errors.tolerance` is `none`; False where the sink's own config says
            that such records may be left out (they still go to a dead-letter topic when there is one).
    """

    batch: Batch
    index: int
    reason: str
    fatal: bool = True


Place = tuple[str, int]
"""A topic and the number of one of its partitions."""


class Sink(Protocol):
    """A running sink task's writer."""

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Writes all; returns when the target holds everything but what is returned as refused.

        Called again with the same batches after `TargetUnavailable`: writing twice must end in the same state.
        """

    def close(self) -> None: ...


class Writing(Protocol):
    """Batches on their way to the target."""

    def done(self) -> bool:
        """Whether `wait` would return, or raise, at once."""

    def wait(self) -> Sequence[Rejected]:
        """Returns when the target holds all but what is returned as refused.

        Called again after `TargetUnavailable`, goes on with what is missing.
        """

    def drop(self, batches: Sequence[Batch]) -> None:
        """Those batches are another member's now: what is not written of them need not be."""


@runtime_checkable
class BackgroundSink(Sink, Protocol):
    """A sink that writes while it is given more. What was begun first is waited for first."""

    def begin(self, batches: Sequence[Batch]) -> Writing:
        """As `put`, but returns at once. May be called again with the same batches after `TargetUnavailable`."""

    def full(self) -> bool:
        """Whether something must be finished before more is begun."""

    def hurry(self) -> None:
        """No more comes soon: what waits for company goes out."""


@runtime_checkable
class GatheringSink(Sink, Protocol):
    """A sink whose target holds records later than `put` returns, such as in files that end by count, size or time.

    `put` takes all that it does not refuse in hand and writes nothing yet; or it raises, and has taken nothing.
    """

    def settle(self, read: Mapping[Place, int]) -> Mapping[Place, int]:
        """Writes all that is due by now; of each partition, the offset before which the target holds everything.

        Called after each `put`, and twice a second while no records come; again after `TargetUnavailable`.

        Args:
            read: the offset that comes next of each partition that was read from.
        Raises: BeginAgain: what is in hand is of no use any more.
        """

    def forget(self, places: Collection[Place]) -> None:
        """Partitions are another member's now: what is in hand of them is dropped, and never written.

        A partition that comes back begins at its committed offset.
        """
