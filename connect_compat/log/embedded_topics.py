"""Topics of the embedded log: names and partitions in the file, and records put at the end of a partition."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import orjson

from cdc.errors import LogError
from connect_compat.log import EncodedHeaders, TopicSpec
from connect_compat.log.chunk import Records, pack
from connect_compat.log.embedded_file import OFFSET_BITS, bump
from connect_compat.log.partitioner import partition_of

_LEGAL = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")
_CHUNK_BYTES = 1 << 20
_CHUNK_RECORDS = 5000


class Columns(NamedTuple):
    """Records on their way into one topic."""

    timestamps: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[EncodedHeaders]

    def pick(self, wanted: Sequence[int]) -> Columns:
        return Columns(
            [self.timestamps[i] for i in wanted], [self.keys[i] for i in wanted],
            [self.values[i] for i in wanted], [self.headers[i] for i in wanted],
        )  # fmt: skip


def create(db: sqlite3.Connection, spec: TopicSpec) -> list[int]:
    """The ids of the partitions of a topic, in order; the topic is made when it is missing.

    Raises: LogError: the name is not a legal topic name.
    """
    if known := partitions(db, spec.name):
        return known
    if not _LEGAL.fullmatch(spec.name):
        raise LogError(
            f"{spec.name!r} is not a topic name: only letters, digits, '.', '_' and '-', at most 249; correct the "
            "transform or the setting that makes it"
        )
    config = orjson.dumps(dict(spec.config)).decode()
    topic = db.execute("INSERT INTO topic(name, config) VALUES (?, ?)", (spec.name, config)).lastrowid
    count = spec.partitions if spec.partitions > 0 else 1
    db.executemany("INSERT INTO partition(topic, number) VALUES (?, ?)", ((topic, number) for number in range(count)))
    bump(db)
    return partitions(db, spec.name)


def partitions(db: sqlite3.Connection, name: str) -> list[int]:
    """The ids of a topic's partitions by number; empty when there is no such topic."""
    found = "SELECT p.id FROM partition p JOIN topic t ON p.topic = t.id WHERE t.name = ? ORDER BY p.number"
    return [row[0] for row in db.execute(found, (name,))]


def drop(db: sqlite3.Connection, name: str) -> None:
    """Takes a topic away at once; `embedded_clean` frees its records."""
    for partition in partitions(db, name):
        db.execute("DELETE FROM group_offset WHERE partition = ?", (partition,))
        db.execute("DELETE FROM owner WHERE partition = ?", (partition,))
        db.execute("UPDATE partition SET topic = NULL WHERE id = ?", (partition,))
    db.execute("DELETE FROM topic WHERE name = ?", (name,))
    bump(db)


def configs(db: sqlite3.Connection) -> Mapping[int, Mapping[str, str]]:
    """Partition id -> its topic's settings."""
    rows = db.execute("SELECT p.id, t.config FROM partition p JOIN topic t ON p.topic = t.id")
    return {partition: orjson.loads(config) for partition, config in rows}


def split(columns: Columns, count: int, keyless: int) -> Mapping[int, Columns]:
    """Partition number -> its records, in order: by key as Kafka's default partitioner, all others in `keyless`."""
    if count == 1:
        return {0: columns}
    wanted: dict[int, list[int]] = {}
    for index, key in enumerate(columns.keys):
        wanted.setdefault(keyless if key is None else partition_of(key, count), []).append(index)
    return {number: columns.pick(indexes) for number, indexes in wanted.items()}


def put(db: sqlite3.Connection, partition: int, columns: Columns) -> bool:
    """Puts records at the end of a partition. False when the partition is gone (its topic was deleted)."""
    row = db.execute("SELECT next FROM partition WHERE id = ? AND topic IS NOT NULL", (partition,)).fetchone()
    if row is None:
        return False
    first = start = row[0]
    stored = 0
    for piece in _pieces(columns):
        body = pack(Records(range(len(piece.values)), *piece))
        db.execute("INSERT INTO chunk VALUES (?, ?, ?)",
                   (partition << OFFSET_BITS | start, max(piece.timestamps), body))  # fmt: skip
        start += len(piece.values)
        stored += len(body)
    db.execute("UPDATE partition SET next = ?, bytes = bytes + ? WHERE id = ?",
               (first + len(columns.values), stored, partition))  # fmt: skip
    return True


def _pieces(columns: Columns) -> Sequence[Columns]:
    """The records cut so that no chunk of several records is much longer than 1 MB."""
    n = len(columns.values)
    if n == 1:
        return [columns]
    size = sum(map(len, filter(None, chain(columns.keys, columns.values))))
    if size <= _CHUNK_BYTES and n <= _CHUNK_RECORDS:
        return [columns]
    return [*_pieces(columns.pick(range(n // 2))), *_pieces(columns.pick(range(n // 2, n)))]
