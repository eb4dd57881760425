"""Deleted rows of one table, found by comparing its keys now and then: each becomes a tombstone with the row's key.

The keys that are known stand in a temporary file. They are those of the last look and of every row sent since; after a
start the first look finds none deleted, so rows that were deleted while the task was down are not noticed.
"""

from __future__ import annotations

import marshal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cdc.dialect import TableName
from cdc.jdbc.session import Query, Session
from cdc.jdbc.types import Options, Shape, compiled
from cdc.record import Batch, Poll

_KNOWN: Final = "INSERT INTO known (key, seen) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seen = excluded.seen"


class Deletions:
    """Call `sent` with every row that is sent, and `polls` now and then."""

    def __init__(
        self, session: Session, table: TableName, keys: Sequence[str], topic: str, interval_ms: int
    ) -> None:  # fmt: skip
        dialect = session.database.dialect
        self._session, self._topic, self._interval_s = session, topic, interval_ms / 1000
        columns = ", ".join(map(dialect.quote, keys))
        self._sql = f"SELECT {columns} FROM {dialect.table(table)}"
        self._query = Query(self._sql, table)
        self.keys = tuple(keys)
        self._shape: Shape | None = None
        self._look, self._due = 0, 0.0
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE known (key BLOB PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID")

    def sent(self, shape: Shape, values: Sequence[tuple[Any, ...]]) -> None:
        """The keys of these rows are known from now on."""
        places = [at for name in self.keys if (at := shape.schema.index(name)) is not None]
        self._add([tuple(value[at] for at in places) for value in values])

    def _add(self, keys: Sequence[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(_KNOWN, [(marshal.dumps(key), self._look) for key in keys])
        self._file.execute("COMMIT")

    def polls(self, options: Options, rows: int) -> Iterator[Poll]:
        """When it is time: tombstones of what is gone since the last look, at most `rows` at a time."""
        if time.monotonic() < self._due:
            return
        self._look += 1
        result = self._session.rows(self._sql, (), self._query)
        while found := result.fetch():
            if self._shape is None:
                self._shape = compiled(None, result.columns, options, self._session.product.FUNCTIONS)
            self._add(self._shape.convert(found))
            yield Poll()
            if result.whole:
                break
        result.close()
        while gone := self._file.execute("SELECT key FROM known WHERE seen < ? LIMIT ?", (self._look, rows)).fetchall():
            yield Poll([self._tombstones([marshal.loads(key) for (key,) in gone])])
            self._file.executemany("DELETE FROM known WHERE key = ?", gone)
        self._due = time.monotonic() + self._interval_s

    def _tombstones(self, keys: Sequence[tuple[Any, ...]]) -> Batch:
        assert self._shape is not None
        return Batch(self._topic, self._shape.schema, None, keys, [None] * len(keys), [()] * len(keys))

    def close(self) -> None:
        self._file.close()
