"""Records out of the embedded log: a member of a consumer group reads the partitions it owns, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from connect_compat.log import LogRecord, TopicPartition
from connect_compat.log.chunk import unpack
from connect_compat.log.embedded_file import OFFSET_BITS, File
from connect_compat.log.embedded_groups import Membership, Subscription
from connect_compat.log.embedded_wake import Wake

_READ_BYTES = 16 << 20
_SHORTEST_S, _LONGEST_S = 0.001, 0.1


def records(file: File, partition: int, at: TopicPartition, start: int) -> Iterator[LogRecord]:
    """The records of a partition (its id, its name) from an offset to the end that stands when it is reached."""
    low, high = partition << OFFSET_BITS, (partition + 1) << OFFSET_BITS
    row = file.query("SELECT id FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1", (low, low | start))
    next_chunk = row[0][0] if row else low | start
    topic, number = at
    while rows := file.query("SELECT id, body FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
                             (next_chunk, high)):  # fmt: skip
        ((chunk, body),) = rows
        first = chunk - low
        for offset, timestamp, key, value, headers in zip(*unpack(body), strict=True):
            if first + offset >= start:
                yield LogRecord(topic, number, first + offset, timestamp, key, value, headers)
        next_chunk = chunk + 1


class EmbeddedReader:
    """A sink task's reader. Waits by looking at the file's version, often once the file was written to, else seldom."""

    def __init__(self, folder: str, group: str, subscription: Subscription, *, from_end: bool) -> None:
        self._file = File(folder)
        self._group, self._from_end = group, from_end
        try:
            self._membership = Membership(self._file, group, subscription)
        except BaseException:
            self._file.close()
            raise
        self._version: int | None = None
        self._epoch: int | None = None
        self._names: dict[int, TopicPartition] = {}
        self._ids: dict[TopicPartition, int] = {}
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._open: dict[int, Iterator[LogRecord]] = {}
        self._lost: list[TopicPartition] = []
        self._paused = False
        self._delay = _SHORTEST_S
        self._wake = Wake(self._file.path.with_name(self._file.path.name + "-wal"))

    def read(self, max_records: int, timeout_s: float) -> Sequence[LogRecord]:
        deadline = time.monotonic() + timeout_s
        while True:
            if self._look():
                return []
            if not self._paused and (found := self._fetch(max_records)):
                self._delay = _SHORTEST_S
                return found
            now = time.monotonic()
            if now >= deadline:
                return []
            woken = self._wake.wait(min(self._delay, deadline - now))
            self._delay = _SHORTEST_S if woken else min(self._delay * 1.5, _LONGEST_S)

    def _look(self) -> bool:
        """Notices what others committed: new records, topics and members. True when partitions were lost."""
        version = self._file.data_version()
        if version == self._version:
            return False
        epoch = self._file.query("SELECT value FROM meta WHERE name = 'epoch'")[0][0]
        lost: set[int] = set()
        if epoch != self._epoch:
            taken, lost = self._membership.settle()
            self._forget(lost)
            self._start(taken)
            self._epoch = epoch
        if self._membership.owned:
            owned = ",".join(map(str, self._membership.owned))
            self._ends = dict(self._file.query(f"SELECT id, next FROM partition WHERE id IN ({owned})"))
        self._version = None if lost else version
        return bool(lost)

    def _forget(self, partitions: set[int]) -> None:
        for partition in partitions:
            name = self._names.pop(partition, None)
            if name is not None:
                self._lost.append(name)
                self._ids.pop(name, None)
            self._next.pop(partition, None)
            self._ends.pop(partition, None)
            self._open.pop(partition, None)

    def _start(self, partitions: set[int]) -> None:
        """Begins each partition at the group's offset, else as `auto.offset.reset` says."""
        for partition in sorted(partitions):
            rows = self._file.query(
                "SELECT t.name, p.number, p.next FROM partition p JOIN topic t ON p.topic = t.id WHERE p.id = ?",
                (partition,),
            )
            if not rows:  # its topic was deleted a moment ago; the next look gives it up
                continue
            ((name, number, end),) = rows
            saved = self._file.query("SELECT offset FROM group_offset WHERE grp = ? AND partition = ?",
                                     (self._group, partition))  # fmt: skip
            self._names[partition] = (name, number)
            self._ids[(name, number)] = partition
            self._next[partition] = saved[0][0] if saved else end if self._from_end else 0

    def _fetch(self, max_records: int) -> list[LogRecord]:
        found: list[LogRecord] = []
        size = 0
        for partition in list(self._next):
            if self._next[partition] >= self._ends.get(partition, 0):
                continue
            source = self._open.get(partition)
            if source is None:
                source = records(self._file, partition, self._names[partition], self._next[partition])
                self._open[partition] = source
            for record in source:
                found.append(record)
                size += len(record.value or b"")
                if len(found) >= max_records or size >= _READ_BYTES:
                    self._next[partition] = found[-1].offset + 1
                    self._next[partition] = self._next.pop(partition)  # the others come first next time
                    return found
            del self._open[partition]
            last = found[-1].offset + 1 if found and found[-1][:2] == self._names[partition] else 0
            self._next[partition] = max(self._ends[partition], last)
        return found

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._membership.commit({self._ids[name]: at for name, at in offsets.items() if name in self._ids})

    def lost(self) -> Sequence[TopicPartition]:
        lost, self._lost = self._lost, []
        return lost

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def backlog(self) -> int | None:
        if not self._next:
            return 0
        ids = ",".join(map(str, self._next))
        ends: dict[int, int] = dict(self._file.query(f"SELECT id, next FROM partition WHERE id IN ({ids})"))
        return sum(max(0, end - self._next[partition]) for partition, end in ends.items())

    def close(self) -> None:
        try:
            self._membership.leave()
        finally:
            self._wake.close()
            self._file.close()
