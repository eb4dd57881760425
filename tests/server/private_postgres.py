"""A PostgreSQL server of one test module alone, and a connector of it in this process, over several starts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from cdc.postgres.connector import POSTGRES
from cdc.postgres.source_info import SourceInfo
from cdc.record import Poll, SourceContext, SourceOffset
from services import postgres
from services.process import Process
from tests.server.in_process import MemoryTopic
from tests.server.lane import free_port


class PrivatePostgres:
    """Runs from `start` to `stop`; its data stay in `folder` in between."""

    def __init__(self, folder: Path, version: int = postgres.VERSION) -> None:
        self.folder, self.version, self.port = folder, version, free_port()

    def start(self, **settings: str) -> None:
        """`settings` for this start alone."""
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        postgres.start(self.folder, self.port, given, self.version)

    def stop(self) -> None:
        postgres.stop(self.folder)

    def kill(self) -> None:
        Process("postgres", self.folder).kill()
        time.sleep(0.2)  # its children see that and end

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *statements: str, **login: str) -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        with self.connect(**login) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, **login: str) -> psycopg.Connection[Any]:
        given: dict[str, Any] = {"user": "app", "password": "apppw", "dbname": "app"} | login
        return psycopg.connect(host="127.0.0.1", port=self.port, autocommit=True, **given)

    def slot(self, name: str, column: str) -> Any:
        rows = self.run(f"SELECT {column} FROM pg_replication_slots WHERE slot_name = '{name}'")
        return rows[0][0] if rows else None


class Event(NamedTuple):
    """A data record: what a test looks at."""

    table: str
    op: str
    row: Any
    lsn: int | None


@dataclass
class Connector:
    """One connector over several starts: its saved offset, and all it has sent."""

    config: dict[str, str]
    offsets: list[SourceOffset] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    sent: int = 0
    """Records of any kind."""

    def open(self, name: str, client: Any) -> MemoryTopic:
        return MemoryTopic()

    @contextmanager
    def running(self, **given: str) -> Iterator[Iterator[Poll]]:
        """One start; what it gives is kept, and told to be durable, as soon as it is taken."""
        raw = self.config | {name.replace("__", "."): text for name, text in given.items()}
        with closing(POSTGRES.build(raw, SourceContext("d", 0, self, self.report))) as source:
            yield self._taken(source)

    def _taken(self, source: Any) -> Iterator[Poll]:
        for poll in source.polls(self.offsets[-1:]):
            for batch in poll.batches:
                self.sent += len(batch.values)
                self.events += [_event(value) for value in batch.values if value is not None and len(value) > 5]
            if poll.offsets:
                self.offsets += poll.offsets
                source.committed(poll.offsets)
            yield poll

    def until(self, done: Callable[[], bool], seconds: float = 30, **given: str) -> None:
        """One start, stopped as soon as `done`."""
        with self.running(**given) as polls:
            self.read(polls, done, seconds)

    def read(self, polls: Iterator[Poll], done: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        for _ in polls:
            if done():
                return
            assert time.monotonic() < end, f"not seen within {seconds} s; came: {self.events[-5:]}"
        assert done()

    def is_streaming(self) -> bool:
        return bool(self.offsets) and "snapshot" not in (self.offsets[-1].offset or {})

    def keys(self, op: str = "c") -> list[Any]:
        return [event.row[0] for event in self.events if event.op == op]

    def last_key(self) -> Any:
        """Of the newest insert."""
        return next((event.row[0] for event in reversed(self.events) if event.op == "c"), None)


def _event(value: Any) -> Event:
    before, after, source, _, op, *_ = value
    told = SourceInfo(*source)
    return Event(told.table, op, before if after is None else after, told.lsn)


def config(port: int, name: str, **more: str) -> dict[str, str]:
    """Of a connector that captures `public.t` of the database `app`."""
    given = {
        "topic.prefix": name, "slot.name": name, "publication.name": name, "database.hostname": "127.0.0.1",
        "database.port": str(port), "database.user": "app", "database.password": "apppw", "database.dbname": "app",
        "plugin.name": "pgoutput", "table.include.list": "public.t", "publication.autocreate.mode": "filtered",
        "status.update.interval.ms": "100",
    }  # fmt: skip
    return given | {key.replace("__", "."): text for key, text in more.items()}
