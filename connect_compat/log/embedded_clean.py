"""What the embedded log forgets: old chunks, superseded keys, deleted topics; and the disk space they took.

Offsets are never used again: a partition's counter stays. Every step is a short transaction, so a crash in between
leaves the log whole and the next run goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connect_compat.log.chunk import Records, pack, unpack
from connect_compat.log.embedded_file import OFFSET_BITS, File
from connect_compat.log.embedded_groups import expel
from connect_compat.log.embedded_topics import configs

_RETENTION_MS = 7 * 24 * 3600 * 1000
_TOMBSTONE_MS = 24 * 3600 * 1000
_DIRTY_RATIO = 0.5
_PASS_RECORDS = 500_000
_STEP = 200
_FREE_PAGES = 1000


def clean(file: File, now: int) -> None:
    """One round over all topics; `now` in milliseconds since 1970.

    Settings, with Kafka's defaults: `cleanup.policy` (delete), `retention.ms` (7 days), `retention.bytes` (-1),
    `delete.retention.ms` (1 day), `min.cleanable.dirty.ratio` (0.5).
    """
    with file.transaction() as db:
        expel(db)
        dropped = [row[0] for row in db.execute("SELECT id FROM partition WHERE topic IS NULL")]
        settings = configs(db)
    for partition in dropped:
        _free(file, partition)
    for partition, config in settings.items():
        policy = config.get("cleanup.policy", "delete")
        if "delete" in policy:
            _retain(file, partition, config, now)
        if "compact" in policy:
            _compact(file, partition, config, now)
    _shrink(file)


def _range(partition: int) -> tuple[int, int]:
    return partition << OFFSET_BITS, (partition + 1 << OFFSET_BITS) - 1


def _delete(db: sqlite3.Connection, partition: int, chunks: list[tuple[int, int]]) -> None:
    """Deletes chunks given as (id, size of the body)."""
    db.executemany("DELETE FROM chunk WHERE id = ?", ((chunk,) for chunk, _ in chunks))
    _shrunk(db, partition, sum(size for _, size in chunks))


def _shrunk(db: sqlite3.Connection, partition: int, size: int) -> None:
    db.execute("UPDATE partition SET bytes = bytes - ? WHERE id = ?", (size, partition))


def _free(file: File, partition: int) -> None:
    """Deletes all that is left of a deleted topic's partition."""
    found = "SELECT id, length(body) FROM chunk WHERE id BETWEEN ? AND ? LIMIT ?"
    while chunks := file.query(found, (*_range(partition), _STEP)):
        with file.transaction() as db:
            _delete(db, partition, chunks)
    with file.transaction() as db:
        db.execute("DELETE FROM partition WHERE id = ? AND topic IS NULL", (partition,))


def _retain(file: File, partition: int, config: Mapping[str, str], now: int) -> None:
    """Deletes from the start: chunks older than `retention.ms`, and while more than `retention.bytes` would stay."""
    keep_ms = int(config.get("retention.ms", _RETENTION_MS))
    keep_bytes = int(config.get("retention.bytes", -1))
    oldest = now - keep_ms if keep_ms >= 0 else None
    found = "SELECT id, length(body), newest FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
    while chunks := file.query(found, (*_range(partition), _STEP)):
        ((size,),) = file.query("SELECT bytes FROM partition WHERE id = ?", (partition,)) or ((0,),)
        over: list[tuple[int, int]] = []
        for chunk, length, newest in chunks:
            aged = oldest is not None and newest < oldest
            if not aged and not (keep_bytes >= 0 and size - length >= keep_bytes):
                break
            over.append((chunk, length))
            size -= length
        if over:
            with file.transaction() as db:
                _delete(db, partition, over)
        if len(over) < _STEP:
            return


def forget(file: File, partition: int, before: int) -> None:
    """Deletes the records with lower offsets in one transaction; the chunk in which they end keeps its other ones."""
    low, _ = _range(partition)
    found = "SELECT id, length(body) FROM chunk WHERE id >= ? AND id < ? ORDER BY id"
    with file.transaction() as db:
        chunks = db.execute(found, (low, low + before)).fetchall()
        if not chunks:
            return
        chunk = chunks[-1][0]
        records, first = unpack(db.execute("SELECT body FROM chunk WHERE id = ?", (chunk,)).fetchone()[0]), chunk - low
        _delete(db, partition, chunks)
        stays = [i for i, offset in enumerate(records.offsets) if first + offset >= before]
        if stays:
            left = pack(records.pick(stays))
            db.execute("INSERT INTO chunk VALUES (?, ?, ?)",
                       (chunk, max(records.timestamps[i] for i in stays), left))  # fmt: skip
            _shrunk(db, partition, -len(left))


class _Chunk(NamedTuple):
    id: int
    size: int
    records: Records


def _chunks(file: File, partition: int, start: int, end: int) -> Iterator[_Chunk]:
    """The chunks that begin at offsets from `start` to before `end`."""
    low, _ = _range(partition)
    at = low | start
    while rows := file.query("SELECT id, body FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
                             (at, low | end)):  # fmt: skip
        ((chunk, body),) = rows
        yield _Chunk(chunk, len(body), unpack(body))
        at = chunk + 1


def _compact(file: File, partition: int, config: Mapping[str, str], now: int) -> None:
    """Keeps the newest record of every key; a tombstone goes `delete.retention.ms` after its timestamp.

    Runs when `min.cleanable.dirty.ratio` of the records are new since the last run, or a tombstone is due.
    """
    rows = file.query("SELECT next, clean, kept, tombstone FROM partition WHERE id = ?", (partition,))
    if not rows:
        return
    ((end, clean_to, kept, tombstone),) = rows
    forget_before = now - int(config.get("delete.retention.ms", _TOMBSTONE_MS))
    dirty = end - clean_to
    ratio = float(config.get("min.cleanable.dirty.ratio", _DIRTY_RATIO))
    due = tombstone is not None and tombstone < forget_before
    if not due and (dirty == 0 or dirty < ratio * (kept + dirty)):
        return
    newest, upto = _newest(file, partition, clean_to, end)
    low, _ = _range(partition)
    kept, oldest = 0, None
    for chunk in _chunks(file, partition, 0, upto):
        first = chunk.id - low
        stays, tombstones = _stays(chunk.records, first, newest, forget_before)
        kept += len(stays)
        oldest = min((t for t in (oldest, *tombstones) if t is not None), default=None)
        if len(stays) < len(chunk.records.values):
            _rewrite(file, partition, chunk, stays)
    with file.transaction() as db:
        db.execute("UPDATE partition SET clean = ?, kept = ?, tombstone = ? WHERE id = ?",
                   (upto, kept, oldest, partition))  # fmt: skip


def _newest(file: File, partition: int, clean_to: int, end: int) -> tuple[dict[bytes, int], int]:
    """Key -> its newest offset among the records since `clean_to`, and the offset before which that holds."""
    newest: dict[bytes, int] = {}
    low, _ = _range(partition)
    for chunk in _chunks(file, partition, clean_to, end):
        first = chunk.id - low
        if len(newest) >= _PASS_RECORDS:
            return newest, first
        for offset, key in zip(chunk.records.offsets, chunk.records.keys, strict=True):
            if key is not None:
                newest[key] = first + offset
    return newest, end


def _stays(
    records: Records, first: int, newest: Mapping[bytes, int], forget_before: int
) -> tuple[list[int], list[int]]:
    """Indexes of the records that stay, and the timestamps of the tombstones among them."""
    stays, tombstones = [], []
    for index, (offset, key) in enumerate(zip(records.offsets, records.keys, strict=True)):
        if key is not None:
            if newest.get(key, -1) > first + offset:
                continue
            if records.values[index] is None:
                if records.timestamps[index] < forget_before:
                    continue
                tombstones.append(records.timestamps[index])
        stays.append(index)
    return stays, tombstones


def _rewrite(file: File, partition: int, chunk: _Chunk, stays: list[int]) -> None:
    if not stays:
        with file.transaction() as db:
            _delete(db, partition, [(chunk.id, chunk.size)])
        return
    body = pack(chunk.records.pick(stays))
    with file.transaction() as db:
        changed = db.execute("UPDATE chunk SET body = ? WHERE id = ?", (body, chunk.id)).rowcount
        if changed:
            _shrunk(db, partition, chunk.size - len(body))


def _shrink(file: File) -> None:
    """Gives pages that nothing uses back to the file system, once a quarter of the file is such, and cuts the WAL."""
    free, pages = file.query("PRAGMA freelist_count")[0][0], file.query("PRAGMA page_count")[0][0]
    while free > max(_FREE_PAGES, pages // 4):
        file.script(f"PRAGMA incremental_vacuum({_FREE_PAGES})")
        free -= _FREE_PAGES
    file.query("PRAGMA wal_checkpoint(PASSIVE)")
