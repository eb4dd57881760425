"""A connector in this process, over several starts: what it sent, what it saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cdc.connector import SourceConnector
from cdc.mysql.connector import MYSQL
from cdc.mysql.source_info import SourceInfo
from cdc.record import Poll, SourceContext, SourceOffset


class Event(NamedTuple):
    """A data record: what a test looks at."""

    table: str
    op: str
    before: Any
    after: Any
    marker: str | None
    place: tuple[str, int, int] = ("", 0, 0)
    """MySQL's: binlog file, position of the event, and row."""


@dataclass
class MemoryTopic:
    """A topic of a source in memory."""

    records: list[tuple[bytes | None, bytes]] = field(default_factory=list)
    made: bool = False

    def exists(self) -> bool:
        return self.made

    def create(self) -> None:
        self.made = True

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        self.made = True
        self.records += records

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return iter(list(self.records))

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return iter([(number, value) for number, (_, value) in enumerate(self.records)])

    def forget(self, before: int) -> None:
        del self.records[:before]


@dataclass
class Connector:
    """One connector over several starts: its topics, its saved offset, and all it has sent."""

    config: dict[str, str]
    history: MemoryTopic = field(default_factory=MemoryTopic)
    offsets: list[SourceOffset] = field(default_factory=list)
    tables: dict[str, SourceOffset] = field(default_factory=dict)
    """What a snapshot saved of single tables."""
    events: list[Event] = field(default_factory=list)
    changes: list[tuple[str, str | None, str]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    history_name: str = "d-history"
    declared: SourceConnector = MYSQL
    block: Callable[..., Any] = SourceInfo
    """The `source` block's type."""

    def open(self, name: str, client: Mapping[str, str]) -> MemoryTopic:
        assert name == self.history_name
        return self.history

    def start(self, **given: str) -> Iterator[Poll]:
        """Polls of one start; what each gave is kept, its offset saved."""
        raw = self.config | {name.replace("__", "."): text for name, text in given.items()}
        source = self.declared.build(raw, SourceContext("d", 0, self, self.report))
        with closing(source):
            for poll in source.polls([*self.offsets[-1:], *self.tables.values()]):
                self._take(poll)
                yield poll

    def _take(self, poll: Poll) -> None:
        for batch in poll.batches:
            for value in batch.values:
                if batch.topic == self.config["topic.prefix"]:
                    self.changes.append((value[0].db, value[0].snapshot, value[4]))
                elif value is not None:
                    before, after, block, _, op, *_ = value
                    self.events.append(_event(self.block(*block), op, before, after))
        for saved in poll.offsets:
            if "snapshot" not in saved.partition:
                self.offsets.append(saved)
            elif saved.offset is None:
                self.tables.pop(saved.partition["snapshot"], None)
            else:
                self.tables[saved.partition["snapshot"]] = saved

    def until(self, done: Callable[[], bool], seconds: float = 30, **given: str) -> None:
        """One start, stopped as soon as `done`."""
        end = time.monotonic() + seconds
        polls = self.start(**given)
        try:
            for _ in polls:
                if done():
                    return
                assert time.monotonic() < end, f"not seen within {seconds} s; came: {self.events[-5:]}"
        finally:
            polls.close()  # type: ignore[attr-defined]
        assert done()

    def snapshot(self, **given: str) -> None:
        self.until(self.is_streaming, 30, **given)

    def is_streaming(self) -> bool:
        offset = (self.offsets[-1].offset if self.offsets else None) or {"snapshot": "INITIAL"}
        return "snapshot" not in offset or bool(offset.get("snapshot_completed"))

    def inserted(self) -> list[Any]:
        """The keys of inserted rows, in the order in which they came."""
        return [event.after[0] for event in self.events if event.op == "c"]

    def rows(self, table: str) -> dict[Any, Any]:
        """The table as the events say it is, by its first column."""
        found: dict[Any, Any] = {}
        for event in self.events:
            if event.table == table:
                if event.before is not None:
                    found.pop(event.before[0], None)
                if event.after is not None:
                    found[event.after[0]] = event.after[1:]
        return found


def _event(source: Any, op: str, before: Any, after: Any) -> Event:
    place = (source.file, source.pos, source.row) if isinstance(source, SourceInfo) else ("", source.lsn or 0, 0)
    return Event(source.table or "", op, before, after, source.snapshot, place)
