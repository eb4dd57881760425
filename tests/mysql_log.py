"""Recorded binary logs, and what a reader of one needs beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdc.config import parse
from cdc.envelope import EnvelopeSettings, context_headers
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.history import History
from cdc.mysql.reader_options import ReaderOptions
from cdc.mysql.source_info import schema
from cdc.mysql.type_family import TypeOptions
from cdc.record import Poll

CASES = Path(__file__).parent / "golden" / "mysql_log"


def frames(case: str) -> list[bytes]:
    """The events of a recorded log, from its first byte on."""
    return [bytes.fromhex(line) for line in (CASES / case / "wire.frames").read_text().splitlines()]


@dataclass
class MemoryTopic:
    """A schema history topic."""

    records: list[tuple[bytes | None, bytes]] = field(default_factory=list)

    def exists(self) -> bool:
        return True

    def create(self) -> None: ...

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        self.records += records

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return iter(list(self.records))

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return iter([(number, value) for number, (_, value) in enumerate(self.records)])

    def forget(self, before: int) -> None:
        del self.records[:before]


class Parts:
    """History, filters and options of one connector, as its config would make them."""

    def __init__(
        self,
        database: str,
        *,
        topic: MemoryTopic | None = None,
        upto: Mapping[str, Any] | None = None,
        only: str = ".*",
        **options: Any,
    ) -> None:
        """`only`: the columns captured, a regular expression."""
        raw = {
            "topic.prefix": "p", "database.hostname": "h", "database.user": "u", "database.server.id": "1",
            "database.include.list": database, "column.include.list": rf".*\..*\.{only}",
        }  # fmt: skip
        headers = context_headers("p", 0, "mysql", "run")
        types = TypeOptions()
        self.capture = Capture(
            parse(MySqlConfig, raw), EnvelopeSettings(prefix="p", source=schema(), headers=headers), types
        )
        self.topic = topic or MemoryTopic()
        self.history = History(self.topic, "p", self.capture.table)
        self.history.recover(upto)
        self.options = ReaderOptions(prefix="p", types=types, headers=headers, **options)


def records(polls: Iterable[Poll]) -> list[tuple[str, Any, Any]]:
    """(topic, key, value) of all records but heartbeats, the time of reading left out."""
    found = []
    for poll in polls:
        for batch in poll.batches:
            for key, value in zip(batch.keys, batch.values, strict=True):
                if batch.topic == "p":
                    value = (*value[:1], *value[2:])
                elif value is not None:
                    value = value[:5]
                found.append((batch.topic, key, value))
    return found
