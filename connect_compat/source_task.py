"""Source -> log: the whole path of a record, and the order that is the delivery guarantee."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NoReturn

from cdc.errors import TailraceError
from cdc.record import Source, Topic
from connect_compat.crash_points import passed
from connect_compat.log import Appender, Encoded, Log
from connect_compat.pipeline import SourcePipeline
from connect_compat.progress import Control, Stopped
from connect_compat.retry import Patience
from connect_compat.topic_creation import TopicCreation


@dataclass(frozen=True)
class SourceTask:
    """What one task of a source connector runs with.

    Attributes:
        open: builds the reader; called again after each outage.
        creation: how topics are created; None leaves that to the log.
        client: Kafka producer settings.
        flush_s: seconds after which records are made durable and offsets saved although more are waiting.
    """

    connector: str
    task: int
    log: Log
    open: Callable[[], Source]
    pipeline: SourcePipeline
    creation: TopicCreation | None
    client: Mapping[str, str] = field(default_factory=dict)
    flush_s: float = 1.0


@dataclass(frozen=True)
class LogTopics:
    """Topics that a source keeps for itself, in the task's log."""

    log: Log

    def open(self, name: str, client: Mapping[str, str]) -> Topic:
        return self.log.topic(name, client)


def run(task: SourceTask, control: Control) -> None:
    """Carries records until asked to stop. An outage closes all, waits, and resumes from the last saved offsets.

    Raises: what retrying cannot mend; records not flushed by then come again after a restart.
    """
    patience = Patience(control)
    try:
        while True:
            _wait_while_paused(control)
            try:
                appender = task.log.appender(task.connector, task.task, task.client)
                with closing(appender), closing(task.open()) as source:
                    _carry(task, source, appender, patience, control)
            except TailraceError as error:
                patience.failed(error)
    except Stopped:
        return


def _carry(task: SourceTask, source: Source, appender: Appender, patience: Patience, control: Control) -> NoReturn:
    """The whole path of a record. No other code saves the offset of a running source.

    Raises: Stopped: after the last flush; whatever source, pipeline or log raise.
    """
    progress, converting = control.progress, Patience(control)
    made: set[str] = set()
    waiting, has_records, flushed_at = False, False, time.monotonic()

    def flush() -> None:
        nonlocal waiting, has_records, flushed_at
        durable = appender.flush()  # 2. records durable, then their offsets saved: a crash before repeats, never loses
        passed("source:flushed")
        source.committed(durable)  # 3. only now may the source forget them
        passed("source:committed")
        if has_records:
            progress.carries()
        waiting, has_records, flushed_at = False, False, time.monotonic()

    for poll in source.polls(task.log.source_offsets(task.connector)):
        encoded = converting.through(task.pipeline, poll.batches)
        if encoded or poll.offsets:
            _create_topics(task, encoded, made)
            appender.append(encoded, poll.offsets)  # 1. handed to the log, records before the position after them
            passed("source:appended")
            waiting, has_records = True, has_records or bool(encoded)
            progress.count("source-record-poll-total", sum(map(len, poll.batches)))
            progress.count("source-record-write-total", sum(map(len, encoded)))
        stop = control.stop.is_set()
        first = has_records and not progress.carried  # saved at once: a task that dies early comes further each time
        if waiting and (first or poll.idle or stop or time.monotonic() - flushed_at >= task.flush_s):
            flush()
        patience.succeeded()
        progress.moved()
        progress.uses(made)
        if stop:
            raise Stopped
        if control.pause.is_set():
            if waiting:
                flush()
            _wait_while_paused(control)
    if waiting:
        flush()
    while True:  # the source has nothing more to give (a snapshot only): the task stays, as in Kafka Connect
        progress.moved()
        _wait_while_paused(control)
        control.sleep(1)


def _create_topics(task: SourceTask, encoded: Sequence[Encoded], made: set[str]) -> None:
    """Topics not seen before, created before their first record."""
    new = {batch.topic: None for batch in encoded if batch.topic not in made}
    if not new:
        return
    if task.creation is not None:
        task.log.create_topics([task.creation.spec(topic) for topic in new])
    made.update(new)


def _wait_while_paused(control: Control) -> None:
    """Raises: Stopped."""
    while control.pause.is_set():
        control.progress.pauses(True)
        control.progress.moved()
        control.sleep(0.1)
    control.progress.pauses(False)
    if control.stop.is_set():
        raise Stopped
