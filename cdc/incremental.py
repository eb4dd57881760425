"""An incremental snapshot's state: which tables wait, how far the current one is, what the open window holds. No I/O.

A table is read by chunks in the order of its key while the log is streamed. Each chunk is read between two watermarks;
a row that the log changes between them is dropped from the chunk, for the log has a newer version of it.

Source: Debezium 3.5.0.Final, `io.debezium.pipeline.source.snapshot.incremental`, and its recorded offsets; Netflix's
paper "DBLog: A Watermark Based Change-Data-Capture Framework".
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import structlog

from cdc.errors import DecodeError, SourceError
from cdc.java.objects import Key, read, shown, write
from cdc.java.order import concurrent_buckets, in_hash_order
from cdc.notifications import INCREMENTAL, Notification
from cdc.signals import Execute, Stop

_log = structlog.get_logger(__name__)

_NAME: Final = "incremental_snapshot"
PRIMARY_KEY, MAXIMUM_KEY = f"{_NAME}_primary_key", f"{_NAME}_maximum_key"
COLLECTIONS, CORRELATION = f"{_NAME}_collections", f"{_NAME}_correlation_id"
PAUSED: Final = f"{_NAME}_paused"
"""Not Debezium's: there a paused snapshot goes on after a restart."""
_ID, _CONDITION, _SURROGATE = f"{COLLECTIONS}_id", f"{COLLECTIONS}_additional_condition", f"{COLLECTIONS}_surrogate_key"

SUCCEEDED, EMPTY, NO_PRIMARY_KEY = "SUCCEEDED", "EMPTY", "NO_PRIMARY_KEY"
SQL_EXCEPTION, UNKNOWN_SCHEMA = "SQL_EXCEPTION", "UNKNOWN_SCHEMA"


class Collection(NamedTuple):
    """A table that is to be read. `condition` stands in parentheses; `surrogate` is a column to go by."""

    table: str
    condition: str | None = None
    surrogate: str | None = None


@dataclass
class Window:
    """The chunk that was read last, until its closing watermark is seen.

    Attributes:
        id: what the ids of its watermarks begin with.
        open: the opening watermark was seen, and the closing one was not.
        changed: keys that the log changed since then, kept until the rows are here.
        rows: (key, row) of each row; None until they are here.
    """

    id: str
    open: bool = False
    changed: set[Any] = field(default_factory=set)
    rows: list[tuple[Any, Any]] | None = None

    def drop(self, keys: Iterable[Any]) -> None:
        """The log changed the rows of these keys."""
        if self.rows is None:
            self.changed.update(keys)
        else:
            gone = set(keys)
            self.rows = [pair for pair in self.rows if pair[0] not in gone]

    def fill(self, rows: list[tuple[Any, Any]]) -> None:
        self.rows = [pair for pair in rows if pair[0] not in self.changed] if self.changed else rows
        self.changed.clear()


class Incremental:
    """The state between signals. `notes` gathers notifications until they are taken."""

    def __init__(self, offset: Mapping[str, Any] | None = None) -> None:
        """Raises: SourceError: a stored offset that cannot be read."""
        stored = offset or {}
        self.queue = _collections(stored.get(COLLECTIONS))
        self.sent: Key | None = _key(stored, PRIMARY_KEY)
        self.maximum: Key | None = _key(stored, MAXIMUM_KEY)
        self.end: Key | None = self.sent
        self.correlation: str | None = stored.get(CORRELATION)
        self.paused = str(stored.get(PAUSED, "")).lower() == "true"
        self.window: Window | None = None
        self.scanned = 0
        self.notes: list[Notification] = []
        self._stops: list[str] = []
        self._stored: tuple[Any, ...] = ()
        self._offset: dict[str, Any] = {}

    @property
    def running(self) -> bool:
        return bool(self.queue)

    @property
    def current(self) -> Collection:
        return self.queue[0]

    def offset(self) -> Mapping[str, Any]:
        """What stands in the offset map beside the position; nothing while no snapshot runs."""
        if not self.queue:
            return {}
        state = (self.sent, self.maximum, self.correlation, self.paused, len(self.queue), self.queue[0])
        if state != self._stored:
            self._stored, self._offset = state, self._written()
        return self._offset

    def _written(self) -> dict[str, Any]:
        collections = [{_ID: c.table, _CONDITION: c.condition, _SURROGATE: c.surrogate} for c in self.queue]
        offset: dict[str, Any] = {
            CORRELATION: self.correlation,
            MAXIMUM_KEY: write(self.maximum).hex(),
            COLLECTIONS: json.dumps(collections, separators=(",", ":"), ensure_ascii=False),
            PRIMARY_KEY: write(self.sent).hex(),
        }
        if self.correlation is None:
            del offset[CORRELATION]
        return offset | ({PAUSED: "true"} if self.paused else {})

    # What signals ask for

    def add(self, wanted: Execute, known: Iterable[str]) -> bool:
        """Queues the tables; True when nothing ran before, so that the first chunk is due."""
        idle = not self.queue
        for table in expanded(wanted.tables, known):
            condition = wanted.filter(table)
            self.queue.append(Collection(table, f"({condition})" if condition else None, wanted.surrogate_key))
        self.correlation = wanted.id
        self._stored = ()
        if idle and self.queue:
            self._note("STARTED", data_collections=self._tables())
        return idle and bool(self.queue)

    def stop(self, wanted: Stop) -> None:
        """Takes effect when the window that is open has been closed."""
        if self.queue:
            self._stops += wanted.tables or (".*",)

    def pause(self) -> None:
        if self.queue and not self.paused:
            self.paused = True
            self._note("PAUSED", data_collections=self._tables())

    def resume(self) -> bool:
        """True when a chunk is due."""
        if not self.queue or not self.paused:
            return False
        self.paused = False
        self._note("RESUMED", data_collections=self._tables())
        return self.window is None

    # The current table

    def next_chunk(self, known: Iterable[str], new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> bool:
        """Carries out a stop, and opens a new window when there is something to read."""
        self.window = None
        self._stop_now(known)
        if not self.queue or self.paused:
            return False
        self.window = Window(new_id())
        return True

    def next_table(self, status: str, *, told: bool = True) -> None:
        """The current table is done, in the words of `status`."""
        if told:
            self._note(
                "TABLE_SCAN_COMPLETED", scanned_collection=self.current.table, total_rows_scanned=str(self.scanned),
                status=status, data_collections=self._tables(),
            )  # fmt: skip
        if status == SUCCEEDED:
            self.scanned = 0
        del self.queue[0]
        self.sent = self.end = self.maximum = None
        self._stored = ()
        if not self.queue:
            self._note("COMPLETED")
            self.correlation = None

    def scan(self, rows: int, end: Key) -> None:
        """A chunk was read; `end` is its last key."""
        self.scanned += rows
        self.end = end
        self._note(
            "IN_PROGRESS", current_collection_in_progress=self.current.table,
            maximum_key=",".join(map(shown, self.maximum or ())), last_processed_key=",".join(map(shown, end)),
            data_collections=self._tables(),
        )  # fmt: skip

    def take_window(self) -> list[Any]:
        """The rows of the window, which are sent now."""
        assert self.window is not None
        rows = [row for _, row in self.window.rows or ()]
        self.window, self.sent = None, self.end
        return rows

    def reread(self) -> None:
        """The chunk is forgotten, and read again: its table was changed."""
        self.window, self.end = None, self.sent

    def _stop_now(self, known: Iterable[str]) -> None:
        """Source: Debezium's `checkAndProcessStopFlag`: the tables that wait go first, then the current one."""
        if not self._stops or not self.queue:
            self._stops.clear()
            return
        tables, self._stops = expanded(self._stops, known), []
        current, stopped = self.current.table, []
        for table in tables:
            if table != current and any(table == c.table for c in self.queue):
                self.queue = [c for c in self.queue if c.table != table]
                stopped.append(table)
        if current in tables:
            stopped.append(current)
            self.scanned = 0
            self.next_table(SUCCEEDED, told=False)
        self._stored = ()
        self._note("ABORTED", data_collections=",".join(stopped))

    def _tables(self) -> str:
        return ",".join(c.table for c in self.queue)

    def _note(self, type: str, **data: str) -> None:
        self.notes.append(Notification(INCREMENTAL, type, data, self.correlation))


def expanded(patterns: Sequence[str], known: Iterable[str]) -> list[str]:
    """The tables that match a pattern as a whole, in the order of Java's map of them; what matches none, itself."""
    tables = list(known)
    tables = in_hash_order(tables, concurrent_buckets(len(tables)))
    found: dict[str, None] = {}
    for pattern in patterns:
        matching = [table for table in tables if re.fullmatch(pattern, table)]
        found.update(dict.fromkeys(matching or [pattern]))
    return list(found)


def above(columns: Sequence[tuple[str, bool]], key: Sequence[str | None]) -> str:
    """The condition that a row comes after `key` in the order of the columns.

    Args:
        columns: each quoted name, and whether it may be null. Nulls come first.
        key: literals; None is null.
    """
    terms = []
    for last in range(len(columns)):
        parts = [f"{name} = {value}" if value is not None else f"{name} IS NULL"
                 for (name, _), value in zip(columns[:last], key[:last], strict=True)]  # fmt: skip
        (name, _), value = columns[last], key[last]
        parts.append(f"{name} IS NOT NULL" if value is None else f"{name} > {value}")
        terms.append(f"({' AND '.join(parts)})")
    return f"({' OR '.join(terms)})"


def up_to(columns: Sequence[tuple[str, bool]], key: Sequence[str | None]) -> str:
    """The condition that a row does not come after `key`; true too where a null makes `above` neither."""
    return f"NOT COALESCE({above(columns, key)}, FALSE)" if any(nullable for _, nullable in columns) else (
        f"NOT {above(columns, key)}"
    )  # fmt: skip


def _collections(text: Any) -> list[Collection]:
    if text is None:
        return []
    try:
        return [Collection(each[_ID], each.get(_CONDITION) or None, each.get(_SURROGATE) or None)
                for each in json.loads(text)]  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(COLLECTIONS, text) from error


def _key(offset: Mapping[str, Any], name: str) -> Key | None:
    text = offset.get(name)
    if text is None:
        return None
    try:
        return read(bytes.fromhex(text))
    except (ValueError, TypeError, DecodeError) as error:
        raise _unreadable(name, text) from error


def _unreadable(name: str, text: Any) -> SourceError:
    return SourceError(
        f"{name} of the stored offset cannot be read: {str(text)[:80]!r}; PATCH the offset without the "
        f"{_NAME}_* members, then send the execute-snapshot signal again"
    )
