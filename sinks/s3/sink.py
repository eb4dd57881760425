"""Batches to files: prepared, put into the files of their partition, and written when those end.

`put` writes nothing: what has ended is written by `settle`, again and again until the target takes it. Memory is one
budget for all open files; the largest go to disk when it is used up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeVar

from cdc.errors import BeginAgain, TargetUnavailable
from cdc.java.values import value_text
from cdc.record import NULL, Batch, Header, Place, Rejected
from cdc.schema import STRING, Schema, array, struct
from sinks.s3.compaction import Compaction, Merging
from sinks.s3.formats import Unfit
from sinks.s3.open_file import OpenFile, Prepared, Side
from sinks.s3.partition import Partitioner, Unplaced, record_time
from sinks.s3.ready import Ready
from sinks.s3.rotation import Rotation
from sinks.s3.store import Exists, Mark, Store, Upload
from sinks.s3.writer import PartitionWriter

_WRAPPED: Final = {"key": "RecordKey", "headers": "RecordHeaders"}
HEADERS: Final = array(struct(("key", STRING), ("value", STRING)))
Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What files hold and how they are called.

    Attributes:
        sides: of a record, in the order in which their objects are written: headers, keys, then the value.
        name: of a file without its extension: of topic, partition, path and offset.
        on_null: what becomes of a record without a value: `fail`, `ignore` or `write`.
        tombstones: the path of records without a value.
        report_nulls: ignored ones are reported as refused, but for the dead-letter topic alone.
        tags: an object's tags beside its offsets; None: it has none.
        merging: when files are joined; None: never.
    """

    sides: Sequence[Side]
    partitioner: Partitioner
    rotation: Rotation
    name: Callable[[str, int, str, int], str]
    on_null: str
    tombstones: str
    report_nulls: bool
    tags: Sequence[tuple[str, str]] | None
    memory_bytes: int
    merging: Merging | None = None


class S3Sink:
    """One task's files. `writer` names this run of the task, so that it knows what it wrote itself."""

    def __init__(
        self, layout: Layout, store: Store, writer: str, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._layout, self._store, self._writer, self._now_ms = layout, store, writer, now_ms
        self._writers: dict[Place, PartitionWriter] = {}
        self._key_sides = [side for side in layout.sides if side.name]

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Raises: TargetUnavailable, TargetError: nothing was taken in hand."""
        now_ms = self._now_ms()
        rejected: list[Rejected] = []
        ready = [each for batch in batches for each in self._ready(batch, now_ms, rejected)]
        for each in ready:
            self._partition(each.batch, now_ms).search(each, self._look_for(each))
        for each in ready:
            self._partition(each.batch, now_ms).take(each, now_ms)
        return rejected

    def settle(self, read: Mapping[Place, int]) -> Mapping[Place, int]:
        """Raises: TargetUnavailable: call again; BeginAgain; TargetError."""
        now_ms = self._now_ms()
        for writer in self._writers.values():
            writer.end_if_due(now_ms)
            self._write(writer)
        self._save_memory()
        return {
            place: self._writers[place].held(offset) if place in self._writers else offset
            for place, offset in read.items()
        }

    def forget(self, places: Collection[Place]) -> None:
        for place in places:
            if (writer := self._writers.pop(place, None)) is not None:
                writer.drop()

    def close(self) -> None:
        self.forget(list(self._writers))
        self._store.close()

    def _partition(self, batch: Batch, now_ms: int) -> PartitionWriter:
        assert batch.partition is not None
        place = batch.topic, batch.partition
        writer = self._writers.get(place)
        if writer is None:
            writer = self._writers[place] = self._new_writer(place, now_ms)
        return writer

    def _new_writer(self, place: Place, now_ms: int) -> PartitionWriter:
        layout = self._layout

        def name(path: str, offset: int) -> str:
            return layout.name(*place, path, offset)

        compaction = None if layout.merging is None else Compaction(layout.merging, self._store, name)
        return PartitionWriter(layout.rotation, name, now_ms, compaction)

    # Records

    def _ready(self, batch: Batch, now_ms: int, rejected: list[Rejected]) -> list[Ready]:
        """What can be written, tombstones apart from records with values; the rest is refused."""
        refused: list[_Refused] = []
        out: list[Ready] = []
        for records, null in _runs(batch):
            if not null:
                out += self._prepared(records, now_ms, refused)
            elif self._layout.on_null == "write":
                out += self._prepared(replace(records, value_schema=None), now_ms, refused, tombstones=True)
            elif self._layout.on_null == "fail" or self._layout.report_nulls:
                refused += [
                    _Refused(offset, _NULL_VALUE, self._layout.on_null == "fail") for offset in _offsets(records)
                ]
        at = {offset: index for index, offset in enumerate(_offsets(batch))} if refused else {}
        rejected += [Rejected(batch, at[each.offset], each.reason, each.fatal) for each in refused]
        return out

    def _prepared(self, batch: Batch, now_ms: int, refused: list[_Refused], *, tombstones: bool = False) -> list[Ready]:
        """In halves until the records at fault stand alone."""
        try:
            return [self._made(batch, now_ms, tombstones=tombstones)]
        except (Unfit, Unplaced) as error:
            if len(batch) == 1:
                refused.append(_Refused(_offsets(batch)[0], str(error), True))
                return []
            middle = len(batch) // 2
            return [
                each
                for half in (batch.pick(range(middle)), batch.pick(range(middle, len(batch))))
                for each in self._prepared(half, now_ms, refused, tombstones=tombstones)
            ]

    def _made(self, batch: Batch, now_ms: int, *, tombstones: bool) -> Ready:
        layout, offsets = self._layout, _offsets(batch)
        sides = self._key_sides if tombstones else layout.sides

        def prepare(records: Batch) -> Sequence[Prepared]:
            return [_side(side, records) for side in sides]

        if tombstones:
            times = record_time(batch, now_ms) if layout.rotation.interval_ms else None
            return Ready(batch, None, layout.tombstones, times, offsets, prepare(batch), prepare)
        paths = layout.partitioner.paths(batch, now_ms)
        times = layout.partitioner.times(batch, now_ms) if layout.rotation.interval_ms else None
        return Ready(batch, batch.value_schema, paths, times, offsets, prepare(batch), prepare)

    def _look_for(self, ready: Ready) -> Callable[[str], Mark | None]:
        last = ready.sides[-1].side
        return lambda name: self._store.look(name + last.name + last.format.extension)

    # Files

    def _write(self, writer: PartitionWriter) -> None:
        """What has ended, in order. What is written once is not written again, whatever comes between."""
        while writer.ended:
            group = writer.ended[0]
            while group.files:
                file = group.files[0]
                _on_disk(file.finish)
                for upload in file.uploads(self._writer, self._layout.tags):
                    if writer.compaction is None:
                        self._upload(upload)
                    else:
                        self._merge(writer.compaction, file, upload)
                    file.written += 1
                file.close()
                group.files.popleft()
            writer.ended.popleft()

    def _merge(self, compaction: Compaction, file: OpenFile, own: Upload) -> None:
        if file.merged is None:
            file.merged = _on_disk(lambda: compaction.merged(file, own))
        compaction.wrote(file.path, file.first, file.merged, self._upload(file.merged))

    def _upload(self, upload: Upload) -> Mark:
        try:
            return self._store.put(upload)
        except Exists:
            found = self._store.look(upload.name)
            if found is None and not upload.over:
                raise TargetUnavailable(f"{upload.name} was there and is gone; it is written again") from None
            if found is None or found != upload.mark:  # an answer that was lost on its way: it is ours
                raise BeginAgain(f"{upload.name} was written by another task meanwhile; this one begins again after "
                                 "what it finds") from None  # fmt: skip
            return found

    def _save_memory(self) -> None:
        """Moves the largest open files to disk until the others are within the budget."""
        files = [file for writer in self._writers.values() for file in writer.open_files()]
        used = sum(file.in_memory for file in files)
        if used <= self._layout.memory_bytes:
            return
        for file in sorted(files, key=_in_memory, reverse=True):
            used -= file.in_memory
            _on_disk(file.spill)
            if used <= self._layout.memory_bytes // 2:
                return


class _Refused(NamedTuple):
    offset: int
    reason: str
    fatal: bool


def _offsets(batch: Batch) -> Sequence[int]:
    assert batch.offsets is not None
    return batch.offsets


def _runs(batch: Batch) -> Iterator[tuple[Batch, bool]]:
    """The batch cut where records with a value and without one meet, for their order decides where files end."""
    if None not in batch.values and NULL not in batch.values:
        yield batch, False
        return
    nulls = [value is None or value is NULL for value in batch.values]
    for null, run in groupby(range(len(batch)), key=nulls.__getitem__):
        yield batch.pick(list(run)), null


def _on_disk(act: Callable[[], Done]) -> Done:
    """Raises: TargetUnavailable: the disk is full."""
    try:
        return act()
    except OSError as error:
        raise TargetUnavailable(f"open files cannot be kept on disk: {error.strerror}; free some of the folder of "
                                "temporary files (TMPDIR)") from error  # fmt: skip


def _in_memory(file: OpenFile) -> int:
    return file.in_memory


_NULL_VALUE: Final = (
    "the value is null (a tombstone) and behavior.on.null.values is not write; set it to ignore to leave such records "
    "out, or to write with store.kafka.keys=true to keep their keys"
)


def _side(side: Side, batch: Batch) -> Prepared:
    schema, values = _content(side, batch)
    if side.wrap is not None and schema is not None:
        schema, values = struct((side.wrap, schema), name=_WRAPPED[side.wrap]), [(value,) for value in values]
    return Prepared(side, schema, side.format.prepare(schema, values))


def _content(side: Side, batch: Batch) -> tuple[Schema | None, Sequence[Any]]:
    match side.name:
        case ".keys":
            if None in batch.keys or NULL in batch.keys:
                raise Unfit("the key is null and store.kafka.keys=true; give records a key, such as with the transform "
                            "ValueToKey, or set store.kafka.keys=false")  # fmt: skip
            return batch.key_schema, batch.keys
        case ".headers":
            if not all(batch.headers):
                raise Unfit("the record has no headers and store.kafka.headers=true; add one with the transform "
                            "InsertHeader, or set store.kafka.headers=false")  # fmt: skip
            return HEADERS, [[(header.name, _text(header)) for header in headers] for headers in batch.headers]
    return batch.value_schema, batch.values


def _text(header: Header) -> str:
    if header.value is None or header.value is NULL:
        raise Unfit(f"header {header.name!r} is null and store.kafka.headers=true; drop it with the transform "
                    "DropHeaders")  # fmt: skip
    return value_text(header.schema, header.value)
