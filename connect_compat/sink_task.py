"""Log -> sink: read, put, dead-letter the refused, then commit. The order is the delivery guarantee."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdc.errors import TailraceError, TargetError
from cdc.record import GatheringSink, Rejected, Sink
from connect_compat.crash_points import passed
from connect_compat.dead_letters import DeadLetter, DeadLetters
from connect_compat.log import LogRecord, Reader, TopicPartition
from connect_compat.pipeline import SinkBatch, SinkPipeline
from connect_compat.progress import Control, Stopped
from connect_compat.retry import Patience, Refusal, Stage, is_outage

_PUT_CLASS: Final = "org.apache.kafka.connect.sink.SinkTask"
MAX_RECORDS: Final = 2000
_READ_S: Final = 0.5
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
        path.commit()
    except Stopped:
        path.commit_if_possible()


class _Path:
    """The state of one run: what was read ahead, what is not committed yet, what was lost to another member."""

    def __init__(self, task: SinkTask, control: Control) -> None:
        self._task = task
        self._control = control
        self._progress = control.progress
        self.patience = Patience(control, self._stay_in_group)
        self._read_ahead: list[LogRecord] = []
        self._gathering = task.sink if isinstance(task.sink, GatheringSink) else None
        self._read_to: dict[TopicPartition, int] = {}
        self._held: Mapping[TopicPartition, int] = {}
        self._done: dict[TopicPartition, int] = {}
        self._lost: set[TopicPartition] = set()
        self._committed_at = self._looked_at = time.monotonic()
        self._reader_paused = False

    def carry(self) -> None:
        """The whole path of what one read gives. No other code commits the offsets of a running sink."""
        records = self.patience.through(self._read)
        if not records:
            self._idle()
            return
        batches, refused = self.patience.through(self._task.pipeline, records)  # 1. decoded and transformed
        passed("sink:decoded")
        refused += self._refusals(self.patience.through(self._put, batches))  # 2. the target holds the rest (or 4.)
        passed("sink:put")
        refused = [each for each in refused if _place(each.record[0]) not in self._lost]
        self.patience.through(self._task.dead_letters.write, refused)  # 3. the refused are durable
        passed("sink:dead-lettered")
        self._mark_done(records)
        self._settle()  # 4. the target holds what a gathering sink says
        # The first at once: a task that dies early comes further each time.
        first = self._gathering is None and not self._progress.carried
        if first or time.monotonic() - self._committed_at >= self._task.commit_s:
            self.commit()  # 5. never before 2, 3 and 4: a crash before repeats, never loses
        self._progress.moved()
        self._look_at_backlog()

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
            records = reader.read(self._task.max_records, _READ_S)
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

    def _put(self, batches: Sequence[SinkBatch]) -> list[tuple[LogRecord, Rejected]]:
        """What the target refused."""
        ours = [each for each in batches if _place(each.records[0]) not in self._lost]
        if not ours:
            return []
        origin = {id(each.batch): each for each in ours}
        rejected = self._task.sink.put([each.batch for each in ours])
        self._progress.count("sink-record-send-total", sum(len(each.batch) for each in ours) - len(rejected))
        return [(origin[id(each.batch)].record(each.index), each) for each in rejected]

    def _refusals(self, rejected: Sequence[tuple[LogRecord, Rejected]]) -> list[DeadLetter]:
        """Raises: ToleranceExceeded."""
        refusals = [(_refusal(record, each.reason), each.fatal) for record, each in rejected]
        for refusal, fatal in refusals:
            self._task.pipeline.tolerance.refuse(refusal, fatal=fatal)
        return [refusal for refusal, _ in refusals]

    def _mark_done(self, records: Sequence[LogRecord]) -> None:
        read = {_place(record): record.offset + 1 for record in records if _place(record) not in self._lost}
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
