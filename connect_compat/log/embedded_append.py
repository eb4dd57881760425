"""Records and source offsets into the embedded log, both in one transaction: exactly once by construction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import orjson

from cdc.errors import LogError
from cdc.record import SourceOffset
from connect_compat.crash_points import passed
from connect_compat.log import Encoded, EncodedHeaders, TopicSpec
from connect_compat.log.embedded_file import File, now_ms
from connect_compat.log.embedded_topics import Columns, create, put, split

_HOLD_RECORDS = 2000
_HOLD_BYTES = 4 << 20
_HOLD_S = 0.05


def identity(partition: Mapping[str, Any]) -> bytes:
    """The same bytes for equal partition maps, whatever the order of their members."""
    return orjson.dumps(dict(partition), option=orjson.OPT_SORT_KEYS)


def save_offsets(db: sqlite3.Connection, connector: str, offsets: Sequence[SourceOffset]) -> None:
    for partition, offset in offsets:
        if offset is None:
            db.execute("DELETE FROM source_offset WHERE connector = ? AND identity = ?",
                       (connector, identity(partition)))  # fmt: skip
        else:
            db.execute(
                "INSERT INTO source_offset(connector, identity, partition, offset) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(connector, identity) DO UPDATE SET offset = excluded.offset",
                (connector, identity(partition), orjson.dumps(dict(partition)), orjson.dumps(dict(offset))),
            )


class _Pending:
    """What waits for one topic (or one partition of it), in order."""

    __slots__ = ("headers", "keys", "timestamps", "values")

    def __init__(self) -> None:
        self.timestamps: list[int] = []
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.headers: list[EncodedHeaders] = []

    def add(self, batch: Encoded) -> None:
        self.timestamps += [now_ms()] * len(batch) if batch.timestamps is None else batch.timestamps
        self.keys += batch.keys
        self.values += batch.values
        self.headers += batch.headers


class EmbeddedAppender:
    """The one appender of a task: opening a second one, in any process, shuts out the first.

    Small polls are gathered for at most 50 ms, 2,000 records or 4 MB, then committed in one transaction.
    """

    def __init__(self, folder: str, connector: str, task: int) -> None:
        self._file = File(folder)
        self._connector, self._task = connector, task
        self._partitions: dict[str, list[int]] = {}
        self._keyless = 0
        self._saved: dict[bytes, SourceOffset] = {}
        self._drop()
        with self._file.transaction() as db:
            db.execute("INSERT INTO appender VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1",
                       (connector, task))  # fmt: skip
            self._epoch = self._stored_epoch(db)

    def _drop(self) -> None:
        self._pending: dict[tuple[str, int | None], _Pending] = {}
        self._offsets: dict[bytes, SourceOffset] = {}
        self._records = self._bytes = 0
        self._since = time.monotonic()

    def append(self, batches: Sequence[Encoded], offsets: Sequence[SourceOffset]) -> None:
        if not self._records and not self._offsets:
            self._since = time.monotonic()
        for batch in batches:
            target = (batch.topic, batch.partition)
            pending = self._pending.get(target)
            if pending is None:
                pending = self._pending[target] = _Pending()
            pending.add(batch)
            self._records += len(batch)
            self._bytes += sum(map(len, filter(None, chain(batch.keys, batch.values))))
        for item in offsets:
            self._offsets[identity(item.partition)] = item
        if (self._records >= _HOLD_RECORDS or self._bytes >= _HOLD_BYTES
                or time.monotonic() - self._since >= _HOLD_S):  # fmt: skip
            self._commit()

    def flush(self) -> Sequence[SourceOffset]:
        self._commit()
        saved, self._saved = self._saved, {}
        return list(saved.values())

    def close(self) -> None:
        self._drop()
        self._file.close()

    def _commit(self) -> None:
        """Records and offsets in one transaction; what it held is gone from memory only when it is on disk."""
        if not self._pending and not self._offsets:
            return
        try:
            with self._file.transaction() as db:
                self._write(db)
        except BaseException:
            self._partitions.clear()  # a topic made in a transaction that failed does not exist
            raise
        self._saved |= self._offsets
        self._drop()

    def _write(self, db: sqlite3.Connection) -> None:
        if self._stored_epoch(db) != self._epoch:
            raise LogError(f"another process took over task {self._task} of connector {self._connector}; "
                           "nothing of this one was stored since, and nothing is lost")  # fmt: skip
        for (topic, number), pending in self._pending.items():
            if pending.values:
                self._put(db, topic, number, pending)
        passed("log:records")
        save_offsets(db, self._connector, list(self._offsets.values()))

    def _stored_epoch(self, db: sqlite3.Connection) -> int:
        found = "SELECT epoch FROM appender WHERE connector = ? AND task = ?"
        row = db.execute(found, (self._connector, self._task)).fetchone()
        return 0 if row is None else int(row[0])

    def _put(self, db: sqlite3.Connection, topic: str, number: int | None, pending: _Pending) -> None:
        columns = Columns(pending.timestamps, pending.keys, pending.values, pending.headers)
        if not self._put_known(db, topic, number, columns):
            self._partitions[topic] = create(db, TopicSpec(topic))
            self._put_known(db, topic, number, columns)

    def _put_known(self, db: sqlite3.Connection, topic: str, number: int | None, columns: Columns) -> bool:
        ids = self._partitions.get(topic)
        if ids is None:
            return False
        if number is None:
            self._keyless += 1
            parts = split(columns, len(ids), self._keyless % len(ids))
        elif number < len(ids):
            parts = {number: columns}
        else:
            raise LogError(f"topic {topic} has {len(ids)} partitions, so none of number {number}")
        # A topic is deleted as a whole: the first partition that is gone tells of all.
        return all(put(db, ids[at], part) for at, part in parts.items())
