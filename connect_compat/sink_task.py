"""Log -> sink: read, put, dead-letter the refused, then commit. The order is the delivery guarantee.

A sink that writes in the background is given more meanwhile; each read's steps are taken in the order of the reads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdc.errors import TailraceError, TargetError
from cdc.record import BackgroundSink, Batch, GatheringSink, Rejected, Sink, Writing
from connect_compat.crash_points import passed
from connect_compat.dead_letters import DeadLetter, DeadLetters
from connect_compat.log import LogRecord, Reader, TopicPartition
from connect_compat.pipeline import SinkBatch, SinkPipeline
from connect_compat.progress import Control, Stopped
from connect_compat.retry import Patience, Refusal, Stage, is_outage

_PUT_CLASS: Final = "org.apache.kafka.connect.sink.SinkTask"
MAX_RECORDS: Final = 2000
_READ_S: Final = 0.5
_LOOK_S: Final = 0.01
"""How long is looked for more while something is on its way."""
_BACKLOG_S: Final = 1.0


@dataclass(frozen=True)
class SinkTask:
    """What one task of a sink connector runs with.

    Attributes:
        max_records: the most that one read asks for.
        commit_s: seconds between commits while records keep coming; 0 commits after each put. When nothing is
            waiting, and at the end, all is committed at once.
    """

    reader: Reader
    pipeline: SinkPipeline
    sink: Sink
    dead_letters: DeadLetters
    max_records: int = MAX_RECORDS
    commit_s: float = 1.0


def run(task: SinkTask, control: Control) -> None:
    """Carries records until asked to stop. Outages of target and log are waited for with the same records in hand.

    Raises: what retrying cannot mend; records not committed by then come again after a restart.
    """
    path = _Path(task, control)
    try:
        path.patience.through(task.dead_letters.create)
        while not control.stop.is_set():
            path.carry()
        path.finish_all()
        path.commit()
    except Stopped:
        path.commit_if_possible()


class _Whole:
    """A put that is made when it is waited for."""

    def __init__(self, sink: Sink, batches: Sequence[Batch]) -> None:
        self._sink, self._batches = sink, list(batches)

    def done(self) -> bool:
        return True

    def wait(self) -> Sequence[Rejected]:
        return self._sink.put(self._batches) if self._batches else ()

    def drop(self, batches: Sequence[Batch]) -> None:
        gone = set(map(id, batches))
        self._batches = [batch for batch in self._batches if id(batch) not in gone]


@dataclass
class _Write:
    """What one read gave and is not finished: its records, its batches, what was refused before the target saw it."""

    records: Sequence[LogRecord]
    batches: Sequence[SinkBatch]
    refused: Sequence[DeadLetter]
    writing: Writing
    lost: set[TopicPartition] = field(default_factory=set)

    def lose(self, gone: set[TopicPartition]) -> None:
        """Partitions belong to another member now: it gets those records itself."""
        self.lost |= gone
        self.writing.drop([each.batch for each in self.batches if _place(each.records[0]) in gone])


class _Path:
    """The state of one run: what was read ahead, what is not committed yet, what was lost to another member."""

    def __init__(self, task: SinkTask, control: Control) -> None:
        self._task = task
        self._control = control
        self._progress = control.progress
        self.patience = Patience(control, self._stay_in_group)
        self._read_ahead: list[LogRecord] = []
        self._gathering = task.sink if isinstance(task.sink, GatheringSink) else None
        self._background = task.sink if isinstance(task.sink, BackgroundSink) else None
        self._writes: deque[_Write] = deque()
        self._read_to: dict[TopicPartition, int] = {}
        self._held: Mapping[TopicPartition, int] = {}
        self._done: dict[TopicPartition, int] = {}
        self._lost: set[TopicPartition] = set()
        self._committed_at = self._looked_at = time.monotonic()
        self._reader_paused = False

    def carry(self) -> None:
        """Begins what one read gives, and finishes what is done. No other code commits a running sink's offsets."""
        records = self.patience.through(self._read)
        if records:
            self._begin(records)
        elif self._writes:
            self._finish()
        else:
            self._idle()
            return
        while self._writes and (self._is_full() or self._writes[0].writing.done()):
            self._finish()
        self._look_at_backlog()

    def finish_all(self) -> None:
        if self._background is not None:
            self._background.hurry()
        while self._writes:
            self._finish()

    def _begin(self, records: Sequence[LogRecord]) -> None:
        batches, refused = self.patience.through(self._task.pipeline, records)  # 1. decoded and transformed
        passed("sink:decoded")
        self._writes.append(self.patience.through(self._write, records, batches, refused))

    def _is_full(self) -> bool:
        return self._background is None or self._background.full()

    def _write(
        self, records: Sequence[LogRecord], batches: Sequence[SinkBatch], refused: Sequence[DeadLetter]
    ) -> _Write:
        ours = [each for each in batches if _place(each.records[0]) not in self._lost]
        whole = [each.batch for each in ours]
        writing = _Whole(self._task.sink, whole) if self._background is None else self._background.begin(whole)
        return _Write(records, ours, refused, writing, set(self._lost))

    def _finish(self) -> None:
        """The rest of the way of the oldest read."""
        write = self._writes[0]
        rejected = self.patience.through(write.writing.wait)  # 2. the target holds the rest (or 4.)
        self._writes.popleft()
        refused = [*write.refused, *self._refusals(self._origins(write, rejected))]
        passed("sink:put")
        refused = [each for each in refused if _place(each.record[0]) not in write.lost]
        self.patience.through(self._task.dead_letters.write, refused)  # 3. the refused are durable
        passed("sink:dead-lettered")
        self._mark_done(write)
        self._settle()  # 4. the target holds what a gathering sink says
        # The first at once: a task that dies early comes further each time.
        first = self._gathering is None and not self._progress.carried
        if first or time.monotonic() - self._committed_at >= self._task.commit_s:
            self.commit()  # 5. never before 2, 3 and 4: a crash before repeats, never loses
        self._progress.moved()

    def commit(self) -> None:
        if self._done:
            self.patience.through(self._commit)

    def commit_if_possible(self) -> None:
        """Saves a repetition after the stop; when the log is away the records simply come again."""
        try:
            self._commit()
        except TailraceError as error:
            if not is_outage(error):
                raise

    def _commit(self) -> None:
        if self._done:
            self._task.reader.commit(self._done)
            passed("sink:committed")
            self._progress.carries()
            self._progress.count("offset-commit-completion-total")
        self._done = {}
        self._committed_at = time.monotonic()

    def _read(self) -> Sequence[LogRecord]:
        self._follow_pause()
        reader = self._task.reader
        records: Sequence[LogRecord] = self._read_ahead
        self._read_ahead = []
        if not records:
            records = reader.read(self._task.max_records, _LOOK_S if self._writes else _READ_S)
            self._forget(reader.lost())
        self._lost = set()
        if self._control.pause.is_set():
            self._read_ahead, records = list(records), ()
        if records:
            self._progress.count("sink-record-read-total", len(records))
            self._progress.uses({record.topic for record in records})
        return records

    def _follow_pause(self) -> None:
        """A paused task stays in its group and is given nothing; so does one that waits for its target."""
        wanted = self._control.pause.is_set()
        self._progress.pauses(wanted)
        self._pause_reader(wanted)

    def _pause_reader(self, wanted: bool) -> None:
        if wanted != self._reader_paused:
            (self._task.reader.pause if wanted else self._task.reader.resume)()
            self._reader_paused = wanted

    def _origins(self, write: _Write, rejected: Sequence[Rejected]) -> list[tuple[LogRecord, Rejected]]:
        """What the target refused, with the records as they were read."""
        origin = {id(each.batch): each for each in write.batches}
        self._progress.count("sink-record-send-total", sum(len(each.batch) for each in write.batches) - len(rejected))
        return [(origin[id(each.batch)].record(each.index), each) for each in rejected]

    def _refusals(self, rejected: Sequence[tuple[LogRecord, Rejected]]) -> list[DeadLetter]:
        """Raises: ToleranceExceeded."""
        refusals = [(_refusal(record, each.reason), each.fatal) for record, each in rejected]
        for refusal, fatal in refusals:
            self._task.pipeline.tolerance.refuse(refusal, fatal=fatal)
        return [refusal for refusal, _ in refusals]

    def _mark_done(self, write: _Write) -> None:
        read = {_place(record): record.offset + 1 for record in write.records if _place(record) not in write.lost}
        (self._done if self._gathering is None else self._read_to).update(read)

    def _settle(self) -> None:
        """Of a sink that gathers records, done is what its target holds by now, and no more."""
        if self._gathering is not None and self._read_to:
            held = self.patience.through(self._settled, self._gathering)
            self._done.update(dict(held.items() - self._held.items()))
            self._held = held

    def _settled(self, sink: GatheringSink) -> Mapping[TopicPartition, int]:
        return sink.settle(self._read_to)

    def _idle(self) -> None:
        self._settle()
        self.commit()
        self._look_at_backlog()
        if not self._progress.backlog or self._control.pause.is_set():
            self._progress.moved()

    def _look_at_backlog(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= _BACKLOG_S:
            self._looked_at = now
            self._progress.backlog = self.patience.through(self._task.reader.backlog)

    def _stay_in_group(self, seconds: float) -> None:
        """Waits, polling the group meanwhile so that no rebalance takes the partitions. Raises: Stopped."""
        until = time.monotonic() + seconds
        reader = self._task.reader
        while (left := until - time.monotonic()) > 0:
            if self._control.stop.is_set():
                raise Stopped
            try:
                self._pause_reader(True)
                more = reader.read(1, min(left, _READ_S))
                self._forget(reader.lost())
                self._read_ahead += more
            except TailraceError as error:
                if not is_outage(error):
                    raise
                self._control.sleep(min(left, _READ_S))

    def _forget(self, lost: Iterable[TopicPartition]) -> None:
        """Drops what is in hand of partitions that belong to another member now: it gets those records itself."""
        gone = set(lost)
        if gone:
            self._lost |= gone
            for write in self._writes:
                write.lose(gone)
            self._done, self._read_to, self._held = (
                {place: offset for place, offset in known.items() if place not in gone}
                for known in (self._done, self._read_to, self._held)
            )
            if self._gathering is not None:
                self._gathering.forget(gone)
            self._read_ahead = [record for record in self._read_ahead if _place(record) not in gone]


def _place(record: LogRecord) -> TopicPartition:
    return record.topic, record.partition


def _refusal(record: LogRecord, reason: str) -> DeadLetter:
    return Refusal((record,), Stage.TASK_PUT, _PUT_CLASS, TargetError(reason))
