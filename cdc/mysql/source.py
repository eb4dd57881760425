"""One task of a MySQL or MariaDB source: recovers, snapshots, streams, and snapshots again when asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import structlog

from cdc import key_rules
from cdc.channels import channels
from cdc.connector import Raw
from cdc.envelope import context_headers
from cdc.errors import LogError, LogUnavailable, SourceError
from cdc.keys.texts import names
from cdc.mysql import blocking, parts, watch
from cdc.mysql.config import MySqlConfig
from cdc.mysql.failures import LogGone
from cdc.mysql.heartbeat_query import heartbeat_query
from cdc.mysql.held_topic import HeldTopic
from cdc.mysql.history import History, HistoryOptions
from cdc.mysql.log_tables import Choose
from cdc.mysql.offset import Position
from cdc.mysql.plan import Plan
from cdc.mysql.reader_options import ReaderOptions
from cdc.mysql.reselect import asked
from cdc.mysql.snapshot import Context, Snapshot, Task
from cdc.mysql.snapshot_session import Session, run_initial_statements
from cdc.mysql.start import Start
from cdc.mysql.streaming import stream
from cdc.mysql.unsupported import warned
from cdc.notifications import INITIAL, Notification, Notifications
from cdc.record import Poll, SourceContext, SourceOffset
from cdc.reselect import Processors, configured
from cdc.runs import run_id
from cdc.snapshot_offset import left_of, partitions
from cdc.starts import own_offset, pause
from cdc.table import TableId
from cdc.watch import Watch

_log = structlog.get_logger(__name__)


class MySqlSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: MySqlConfig, raw: Raw, context: SourceContext) -> None:
        self._config, self._raw = config, raw
        self._settings = parts.settings(config)
        self._report = cast(MutableMapping[str, Any], context.report)
        headers = context_headers(config.topic_prefix, context.task, config.flavor.name, run_id())
        self._headers = headers if config.extended_headers else ()
        self._capture = parts.capture(config, raw, self._headers)
        self._topic = HeldTopic(context.topics.open(config.history_topic or "", parts.history_client(config, raw)))
        includes, excludes = config.gtid_includes or (), names(config.gtid_excludes)
        self._origin = config.flavor.sources(includes, excludes) if includes or excludes else None
        self._history = self._opened_history()
        self._action = heartbeat_query(self._settings, config.heartbeat_query) if config.heartbeat_query else None
        self._heartbeat = parts.heartbeat(config, self._action)
        tables = asked(config.unavailable_placeholder, lambda: Session(self._settings, config).server)
        signals = config.signal_tables or ()
        self._processors = Processors(configured(config.post_processors, raw), tables, signals)
        self._running: Iterator[Poll] | None = None
        self._watch: Watch | None = None
        self._channels = channels(config, raw, context)
        self._recorded: tuple[int, Mapping[str, Any] | None] = (-1, None)
        self._notifications = Notifications(
            config.topic_prefix, config.notification_channels or (), config.notification_topic
        )  # fmt: skip
        self._connector = context.connector
        self._start = Start(
            config, self._settings, self._capture, self._history, self._origin, context.connector, self._report
        )

    def _opened_history(self) -> History:
        config = self._config
        options = HistoryOptions(
            captured_database=self._capture.database,
            only_captured_tables=config.only_captured_tables,
            only_captured_databases=config.only_captured_databases,
            skip_unparseable=config.skip_unparseable,
            comments=config.keeps_comments,
            origin=self._origin,
        )
        return History(self._topic, config.topic_prefix, self._capture.table, options)

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        self._watch = self._watching(resume)
        self._running = self._run(self._stored(resume), resume)
        return self._running

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """MySQL keeps its binary log by time, not by reader: signals alone are forgotten."""
        if self._watch is not None:
            self._watch.saved()

    def close(self) -> None:
        if self._running is not None:
            self._running.close()  # type: ignore[attr-defined]
        if self._watch is not None:
            self._watch.close()
        if self._action is not None:
            self._action.close()
        self._processors.close()

    def _stored(self, resume: Sequence[SourceOffset]) -> Position | None:
        offset = own_offset(self._config.topic_prefix, resume)
        return None if offset is None else Position.from_offset(offset)

    def _watching(self, resume: Sequence[SourceOffset]) -> Watch | None:
        """None when there is no place where a signal could come from, so that the reader need not look."""
        config = self._config
        if not (self._capture.signals or config.read_only or self._channels):
            return None
        context = watch.Context(
            config=config,
            settings=self._settings,
            capture=self._capture,
            history=self._history,
            notifications=self._notifications,
            prepare=lambda server: run_initial_statements(server, config.initial_statements),
            headers=self._headers,
            channels=self._channels,
            report=self._report,
        )
        return watch.watching(context, own_offset(self._config.topic_prefix, resume) or {})

    def _run(self, stored: Position | None, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        for warning in warned(self._config, self._raw):
            _log.warning(warning)
        made, position = self._start.planned(stored)
        reads_tables = made.definitions or made.rows
        if position is not None and (made.again or not reads_tables):
            self._history.recover(position.to_offset())
            if not reads_tables:
                self._shorten(position)
        if reads_tables:
            yield from pause(self._config.snapshot_delay_ms)
            snapshot = self._snapshot(made, position, resume)
            yield from snapshot.polls()
            position = snapshot.position
            self._recorded = self._history.appended, snapshot.recorded
            if self._heartbeat is not None:
                yield Poll([self._heartbeat.forced(time.time_ns())])
        elif skipped := self._notifications.batches([Notification(INITIAL, "SKIPPED")]):
            yield Poll(skipped)
        if made.stream and position is not None:
            yield from pause(self._config.streaming_delay_ms)
            try:
                yield from self._streamed(position)
            except LogGone as error:
                raise self._start.log_gone(error, position, made) from error

    def _shorten(self, position: Position) -> None:
        """Keeps a history that has grown readable in a moment, and every position that the server can be read from."""
        if self._history.is_long(offset := position.to_offset()):
            self._history.checkpoint(offset, time.time_ns() // 1_000_000)
        checkpoint = self._history.superseded(partial(self._start.is_gone, position))
        if checkpoint is None:
            return
        try:
            records = self._history.forget_before(checkpoint)
        except LogUnavailable:
            raise
        except LogError as error:
            _log.warning("the schema history keeps records that nothing needs any more", reason=str(error))
        else:
            _log.info("the schema history was shortened", topic=self._config.history_topic, records=records)

    def compact_history(self, resume: Sequence[SourceOffset]) -> tuple[int, int]:
        """Records all tables anew at the stored offset and takes away every record before; for a stopped connector.

        Returns: how many tables were recorded, and how many records taken away.
        Raises: SourceError: what the tables are there is not known, or other connectors use the topic.
        """
        stored = self._stored(resume)
        if stored is None or stored.snapshot is not None:
            what = "has no stored offset" if stored is None else "has not ended its snapshot"
            raise SourceError(f"{self._connector} {what}: its schema history is needed as it is")
        self._history.recover(stored.to_offset())
        checkpoint = self._history.checkpoint(stored.to_offset(), time.time_ns() // 1_000_000)
        return len(self._history.tables), self._history.forget_before(checkpoint)

    def _recorded_at(self) -> Mapping[str, Any] | None:
        """As Debezium has it, definitions that are read again stand at the first snapshot's position.

        Only where nothing was recorded since: a restart before that would find them too early.
        """
        written, offset = self._recorded
        return offset if written == self._history.appended else None

    def _streamed(self, position: Position) -> Iterator[Poll]:
        """The log, and the blocking snapshots that are asked for on the way."""
        yield from self._stream(position)
        while self._watch is not None and self._watch.blocking is not None:
            wanted, position = self._watch.blocking, self._watch.place.position()
            task = Task(origin=self._watch.place.source(0, "", None), recorded_at=self._recorded_at())
            for poll in blocking.polls(self._snapshot_context(), wanted, position, task):
                if poll.offsets:
                    self._watch.blocking = None
                    state = self._watch.offset()
                    poll = replace(poll, offsets=[_with(offset, state) for offset in poll.offsets])
                yield poll
            if task.recorded_at is not None:
                self._recorded = self._history.appended, task.recorded_at
            yield from self._stream(position)

    def _learned(self, id: TableId, offset: Mapping[str, Any], choose: Choose) -> bool:
        """Takes a table whose definition the history lacks as it is chosen, given what the server has now."""
        session = Session(self._settings, self._config)
        try:
            ddl = session.definition(id)
        finally:
            session.close()
        return self._history.record_definition(id, ddl, offset, time.time_ns() // 1_000_000, choose)

    def _snapshot(self, made: Plan, position: Position | None, resume: Sequence[SourceOffset]) -> Snapshot:
        prefix = self._config.topic_prefix
        saved = partitions(prefix, resume)
        if made.again:
            # What streams nothing afterwards would never see what changed in the part that was read before.
            left = left_of(prefix, position.began, resume) if made.stream and position is not None else {}
            return Snapshot(self._snapshot_context(), Task(rows=made.rows, since=position, left=left, saved=saved))
        self._history.create()
        at = position if made.keep_offset else None
        return Snapshot(self._snapshot_context(), Task(rows=made.rows, at=at, saved=saved))

    def _snapshot_context(self) -> Context:
        overrides = key_rules.overrides(self._config, self._raw)
        return Context(
            config=self._config, settings=self._settings, capture=self._capture, history=self._history,
            topic=self._topic, headers=self._headers, notifications=self._notifications, overrides=overrides,
            report=self._report,
        )  # fmt: skip

    def _stream(self, position: Position) -> Iterator[Poll]:
        config = self._config
        options = ReaderOptions(
            prefix=config.topic_prefix,
            types=parts.type_options(config),
            headers=self._headers,
            skipped=frozenset(config.skipped_operations),
            schema_changes=config.schema_changes,
            include_query=config.include_query,
            inconsistent=config.inconsistent_mode,
            undecodable=config.event_failure_mode,
            learn=self._learned,
            origin=self._origin,
            filter_dml=config.gtid_filter,
            ignore_gtids=config.gtid_ignore_on_recovery,
            heartbeat=self._heartbeat,
            transactions=parts.transactions(config, position),
            ignored=parts.ignored(config),
            refill=self._processors.fill if self._processors else None,
            max_rows=config.max_batch_size,
            flavor=config.flavor,
        )
        return stream(self._settings, config.server_id, position, options, self._history, self._capture, self._watch)


def _with(saved: SourceOffset, state: Mapping[str, Any]) -> SourceOffset:
    """The offset with the state of an incremental snapshot, if it is the connector's."""
    return saved if saved.offset is None else SourceOffset(saved.partition, {**saved.offset, **state})
