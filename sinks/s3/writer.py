"""The files of one topic's partition: which record goes into which, when they end, and where a restart would begin.

All open files end together. Then every record before the next one is in a file that is whole, so a restart may begin
there: at a boundary, never between two. A file is named after its first record, so a restart makes files of the same
names; those that an earlier run wrote tell up to which record (`store.Mark`), and their records are left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cdc.schema import Schema
from sinks.s3.compaction import Compaction
from sinks.s3.formats import Rows
from sinks.s3.open_file import OpenFile, Prepared
from sinks.s3.ready import Ready
from sinks.s3.rotation import Rotation, next_on_schedule
from sinks.s3.schema_fit import Compatibility
from sinks.s3.store import UNKNOWN, Mark

_KNOWN_PATHS = 10_000


@dataclass
class Group:
    """Files that ended together and wait to be written; `since`: the boundary before them."""

    since: int
    files: deque[OpenFile]


class _Share(NamedTuple):
    """One path's records of a batch: their indexes, and their rows of each side."""

    wanted: Sequence[int]
    sides: Sequence[Prepared]
    rows: Sequence[Rows]


class PartitionWriter:
    """`name` makes the name of a file, without its extension, of a path and the offset of its first record."""

    def __init__(
        self, rotation: Rotation, name: Callable[[str, int], str], now_ms: int, compaction: Compaction | None = None
    ) -> None:
        self._rotation, self._name, self.compaction = rotation, name, compaction
        self._open: dict[str, OpenFile] = {}
        self._schemas: dict[str, Schema | None] = {}
        self.ended: deque[Group] = deque()
        self._count = 0
        self._since: int | None = None
        self._first_ms: int | None = None
        self._last_path: str | None = None
        self._searched: set[str] = set()
        self._foreign: set[str] = set()
        self._written_to: dict[str, int] = {}
        self._due_ms = self._next_due(now_ms)

    # What earlier runs wrote

    def search(self, ready: Ready, look: Callable[[str], Mark | None]) -> None:
        """Finds the files that an earlier run wrote of these records. Changes nothing that a repetition would not.

        `look` is asked for the whole name of a file's last object, made of its name here. Raises: TargetError; Unfit.
        """
        self._refuse_without_version(ready)
        if isinstance(ready.paths, str) and ready.paths in self._searched:
            return
        for path, wanted in ready.by_path(0, len(ready)).items():
            if path not in self._searched and self._search_path(path, [ready.offsets[i] for i in wanted], look):
                if len(self._searched) > _KNOWN_PATHS:
                    self._searched.clear()
                self._searched.add(path)

    def _search_path(self, path: str, offsets: list[int], look: Callable[[str], Mark | None]) -> bool:
        """Whether the first record was found that no earlier run wrote."""
        known = None if self.compaction is None else self.compaction.last(path, offsets[0])
        if known is not None and known.mark.last >= offsets[0]:
            self._written_to[path] = known.mark.last
        for offset in offsets:
            if offset <= self._written_to.get(path, -1):
                continue
            mark = look(self._name(path, offset))
            if mark is None:
                return True
            if mark.last == UNKNOWN:
                self._foreign.add(path)
                return True
            self._written_to[path] = max(mark.last, offset)
            if self.compaction is not None:
                self.compaction.found(path, offset, mark)
        return False

    def _refuse_without_version(self, ready: Ready) -> None:
        if self._rotation.compatibility is not Compatibility.NONE:
            for current in self._schemas.values():
                self._rotation.compatibility.fits(ready.schema, current)

    def _left(self, ready: Ready) -> Ready:
        """Without the records that an earlier run wrote."""
        known = self._written_to
        if isinstance(ready.paths, str):
            return ready.part(bisect_right(ready.offsets, known.get(ready.paths, -1)), len(ready))
        return ready.pick([i for i, at in enumerate(ready.offsets) if at > known.get(ready.paths[i], -1)])

    # Records

    def take(self, ready: Ready, now_ms: int) -> None:
        """Puts records into files; `search` has been through them. Waits for nothing.

        As long as files of an earlier run reach further than the records taken, no end of files is a boundary: a
        restart there would begin within one of those.
        """
        if not self._count and now_ms >= self._due_ms:
            self._due_ms = self._next_due(now_ms)
        if self._written_to:
            middle = bisect_right(ready.offsets, max(self._written_to.values()))
            if middle:
                self._since = ready.offsets[0] if self._since is None else self._since
                self._take(self._left(ready.part(0, middle)), now_ms)
                last = ready.offsets[middle - 1]
                self._written_to = {path: to for path, to in self._written_to.items() if to > last}
                if not self._written_to and not self._count:
                    self._since = None
            ready = ready.part(middle, len(ready))
        if len(ready):
            self._take(ready, now_ms)

    def _take(self, ready: Ready, now_ms: int) -> None:
        at, end = 0, len(ready)
        while at < end:
            if self._count and self._ends_before(ready, at, now_ms):
                self.end()
            stop = self._room(ready, at)
            self._add(ready, at, stop)
            at = stop
            if self._is_full():
                self.end()

    def _ends_before(self, ready: Ready, at: int, now_ms: int) -> bool:
        rotation, path = self._rotation, ready.path(at)
        if path in self._schemas and not rotation.compatibility.fits(ready.schema, self._schemas[path]):
            return True
        if self._is_due(ready, at, self._last_path) or now_ms >= self._due_ms:
            self._due_ms = self._next_due(now_ms)
            return True
        return bool(rotation.open_files) and path not in self._open and len(self._open) >= rotation.open_files

    def _is_due(self, ready: Ready, at: int, before: str | None) -> bool:
        rotation = self._rotation
        if not rotation.interval_ms or ready.times is None:
            return False
        first = ready.times[at] if self._first_ms is None else self._first_ms
        return ready.times[at] - first >= rotation.interval_ms or rotation.leaves(ready.path(at), before)

    def _room(self, ready: Ready, at: int) -> int:
        """How far records can be added before something may end the files."""
        rotation = self._rotation
        end = min(len(ready), at + rotation.records - self._count)
        if isinstance(ready.paths, str) and not rotation.interval_ms:
            return end
        if self._first_ms is None and ready.times is not None:
            self._first_ms = ready.times[at]
        refused = {
            path for path, schema in self._schemas.items() if not rotation.compatibility.fits(ready.schema, schema)
        }
        opened = set(self._open) | {ready.path(at)}
        for next_ in range(at + 1, end):
            path = ready.path(next_)
            if path in refused:
                return next_
            if self._is_due(ready, next_, ready.path(next_ - 1)):
                return next_
            opened.add(path)
            if rotation.open_files and len(opened) > rotation.open_files:
                return next_
        return end

    def _add(self, ready: Ready, start: int, end: int) -> None:
        if self._since is None:
            self._since = ready.offsets[start]
        if self._first_ms is None and ready.times is not None:
            self._first_ms = ready.times[start]
        for path, (wanted, sides, rows) in self._by_path(ready, start, end):
            file = self._open.get(path)
            if file is None:
                first = ready.offsets[wanted[0]]
                file = OpenFile(self._name(path, first), path, first, sides, replace=path in self._foreign)
                self._open[path] = file
                self._foreign.discard(path)
            file.add(rows, ready.offsets[wanted[-1]], len(wanted))
        self._count += end - start
        self._last_path = ready.path(end - 1)

    def _by_path(self, ready: Ready, start: int, end: int) -> Iterator[tuple[str, _Share]]:
        """Of each path its records: put together once and then cut, for many small copies cost much."""
        groups = ready.by_path(start, end)
        order = range(start, end) if len(groups) == 1 else [at for wanted in groups.values() for at in wanted]
        together: dict[Schema | None, tuple[Sequence[Prepared], Sequence[Rows]]] = {}
        at = 0
        for path, wanted in groups.items():
            schema = self._schemas.setdefault(path, ready.schema)
            if schema not in together:
                sides = ready.of_schema(schema).sides
                whole = len(groups) == 1
                together[schema] = (
                    sides,
                    [side.rows.part(start, end) if whole else side.rows.pick(order) for side in sides],
                )
            sides, rows = together[schema]
            yield path, _Share(wanted, sides, [each.part(at, at + len(wanted)) for each in rows])
            at += len(wanted)

    # Ends

    def _is_full(self) -> bool:
        rotation = self._rotation
        if self._count >= rotation.records:
            return True
        return bool(rotation.bytes) and any(file.size >= rotation.bytes for file in self._open.values())

    def end(self) -> None:
        """Ends all open files: here, if no file of an earlier run reaches further, is a boundary."""
        assert self._since is not None
        self.ended.append(Group(self._since, deque(self._open.values())))
        if not self._written_to:
            self._since = None
        self._open, self._schemas = {}, {}
        self._count, self._first_ms = 0, None

    def end_if_due(self, now_ms: int) -> None:
        """By the clock, whether records come or not."""
        rotation = self._rotation
        if not self._count:
            return
        waited = rotation.by_clock and rotation.interval_ms and self._first_ms is not None
        if now_ms >= self._due_ms or (waited and now_ms - (self._first_ms or 0) >= rotation.interval_ms):
            self._due_ms = self._next_due(now_ms)
            self.end()

    def _next_due(self, now_ms: int) -> float:
        rotation = self._rotation
        return next_on_schedule(now_ms, rotation.schedule_ms, rotation.zone) if rotation.schedule_ms else float("inf")

    # What is in hand

    def held(self, read: int) -> int:
        """The boundary before all that is in hand; `read` when nothing is."""
        if self.ended:
            return self.ended[0].since
        return read if self._since is None else self._since

    def open_files(self) -> Iterator[OpenFile]:
        return iter(self._open.values())

    def drop(self) -> None:
        for group in self.ended:
            for file in group.files:
                file.close()
        for file in self._open.values():
            file.close()
