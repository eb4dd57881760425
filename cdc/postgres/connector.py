"""The PostgreSQL source as the runtime sees it: its config and checks, and the task that snapshots and streams."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, MutableMapping, Sequence
from typing import Any, Final, cast

import structlog

from cdc import key_rules, masks, naming_keys, watch
from cdc.channels import CLIENT, channels
from cdc.config import parse
from cdc.connector import Raw, SourceConnector
from cdc.envelope import EnvelopeSettings, context_headers
from cdc.errors import ConfigError, Problem, SourceError
from cdc.heartbeat import Heartbeat
from cdc.heartbeat_query import HeartbeatQuery
from cdc.key_rules import OVERRIDES
from cdc.keys.texts import statements
from cdc.masks import Masks
from cdc.notifications import INITIAL, Notification, Notifications
from cdc.outlook import Outlook
from cdc.postgres import blocking, catalog, plugin_options, publication, replica_identity, slot, source_info, wal_gap
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import Types
from cdc.postgres.checks import look
from cdc.postgres.column_schema import Described, is_propagated
from cdc.postgres.config import PostgresConfig
from cdc.postgres.heartbeat_query import heartbeat_query
from cdc.postgres.messages import LogicalMessages
from cdc.postgres.offset import Position
from cdc.postgres.outlook import outlook as looked_ahead
from cdc.postgres.plan import Plan, Seen, of_mode, plan
from cdc.postgres.reader import OriginInPart, Reader
from cdc.postgres.reader_options import ReaderOptions
from cdc.postgres.replication import Replication
from cdc.postgres.reselect import asked
from cdc.postgres.retained import Retained
from cdc.postgres.slot_xmin import SlotXmin
from cdc.postgres.snapshot import Context, Snapshot, Task
from cdc.postgres.source_info import shown_transaction
from cdc.postgres.streaming import stream
from cdc.postgres.types import TypeOptions
from cdc.postgres.unsupported import PREFIXES, refused, warned
from cdc.postgres.watch import Context as TablesContext
from cdc.postgres.watch import PgTables
from cdc.postgres.wire import Session, Settings
from cdc.record import Headers, Poll, SourceContext, SourceOffset
from cdc.reselect import Processors, configured
from cdc.runs import run_id
from cdc.snapshot_offset import left_of, partitions
from cdc.source_block import VERSION
from cdc.starts import offsets_check, own_offset, pause
from cdc.table import any_of, chosen
from cdc.transactions import Transactions
from cdc.watch import Watch
from cdc.watched import Place

_log = structlog.get_logger(__name__)

CLASS_NAME: Final = "io.debezium.connector.postgresql.PostgresConnector"


def problems(config: PostgresConfig, raw: Raw) -> list[Problem]:
    """What is wrong with the keys taken together; nothing is connected to."""
    found = refused(config) + masks.problems(raw) + naming_keys.problems(config)
    found += plugin_options.problems(config) + key_rules.problems(config, raw, "schema")
    if misformed := replica_identity.misformed(config.replica_identity):
        found.append(key_rules.wrong("replica.identity.autoset.values", misformed))
    try:
        configured(config.post_processors, raw)
    except ConfigError as error:
        found += error.problems
    return found


def check(raw: Raw) -> list[Problem]:
    """Looks at the server the config names."""
    try:
        config = parse(PostgresConfig, raw)
    except ConfigError as error:
        return list(error.problems)
    found = problems(config, raw)
    if found:
        return found
    try:
        session = Session(_settings(config, max(1, config.validation_timeout_ms // 1000)))
    except SourceError as error:
        return [Problem("database.hostname", f"Error while validating connector config: {error}")]
    try:
        findings = look(session, config, catalog.captured(session, _capture(config, raw, TypeOptions())))
    except SourceError as error:
        return [Problem("database.hostname", f"Error while validating connector config: {error}")]
    finally:
        session.close()
    for warning in (*warned(config, raw), *findings.warnings):
        _log.warning(warning, connector=raw.get("name"))
    return list(findings.problems)


def outlook(raw: Raw) -> Outlook:
    """What starting it would mean. Raises: ConfigError, SourceUnavailable, SourceError."""
    config = parse(PostgresConfig, raw)
    session = Session(_settings(config))
    try:
        captured = catalog.captured(session, _capture(config, raw, TypeOptions()))
        return looked_ahead(session, config, captured, look(session, config, captured))
    finally:
        session.close()


def build(raw: Raw, context: SourceContext) -> PostgresSource:
    """Raises: ConfigError."""
    config = parse(PostgresConfig, raw)
    found = problems(config, raw)
    if found:
        raise ConfigError(found)
    return PostgresSource(config, raw, context)


class PostgresSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: PostgresConfig, raw: Raw, context: SourceContext) -> None:
        self._config, self._raw, self._connector = config, raw, context.connector
        self._settings = _settings(config)
        self._report = cast(MutableMapping[str, Any], context.report)
        headers = context_headers(config.topic_prefix, context.task, source_info.CONNECTOR, run_id())
        self._headers: Headers = headers if config.extended_headers else ()
        self._processors: Processors[Shape, Session] | None = None
        self._action = heartbeat_query(self._settings, config.heartbeat_query) if config.heartbeat_query else None
        self._durable = 0
        self._open: list[Session] = []
        self._walsender: Replication | None = None
        self._watch: Watch | None = None
        self._channels = channels(config, raw, context)
        self._notifications = Notifications(
            config.topic_prefix, config.notification_channels or (), config.notification_topic
        )  # fmt: skip
        self._running: Iterator[Poll] | None = None

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        self._running = self._run(self._stored(resume), resume)
        return self._running

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """The server may forget what stands before them; it is told with the next report."""
        for partition, offset in offsets:
            if offset is not None and dict(partition) == {"server": self._config.topic_prefix}:
                self._durable = max(self._durable, Position.from_offset(offset).needed)
        if self._watch is not None:
            self._watch.saved()

    def close(self) -> None:
        if self._running is not None:
            self._running.close()  # type: ignore[attr-defined]
        if self._watch is not None:
            self._watch.close()
        self._close_replication()
        while self._open:
            self._open.pop().close()
        if self._action is not None:
            self._action.close()
        if self._processors is not None:
            self._processors.close()
        if self._config.drop_slot:
            self._drop_slot()

    def _drop_slot(self) -> None:
        try:
            session = Session(self._settings)
            try:
                slot.dropped_at_stop(session, self._config.slot)
            finally:
                session.close()
        except SourceError as error:
            _log.warning("the slot could not be dropped", slot=self._config.slot, reason=str(error))

    def _stored(self, resume: Sequence[SourceOffset]) -> Position | None:
        offset = own_offset(self._config.topic_prefix, resume)
        return None if offset is None else Position.from_offset(offset)

    def _opened(self) -> Session:
        return Session(self._settings, statements(self._config.initial_statements))

    def _session(self) -> Session:
        """One that is open as long as the task."""
        session = self._opened()
        self._open.append(session)
        return session

    def _replication(self) -> Replication:
        """The one replication session there is, made when it is asked for."""
        if self._walsender is None:
            self._walsender = Replication(self._settings)
        return self._walsender

    def _close_replication(self) -> None:
        if self._walsender is not None:
            self._walsender.close()
            self._walsender = None

    def _run(self, stored: Position | None, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        config = self._config
        for warning in warned(config, self._raw):
            _log.warning(warning)
        session = self._session()
        captured = catalog.captured(session, _capture(config, self._raw, TypeOptions()))
        findings = look(session, config, captured)
        if findings.problems:
            raise SourceError("\n".join(problem.message for problem in findings.problems))
        for warning in findings.warnings:
            _log.warning(warning)
        made, timeline = of_mode(config, stored), None
        if made.stream:
            publication.publish(session, config, [table for table in captured if table.logged])
            replica_identity.set_all(session, config.replica_identity, [table.id for table in captured])
            server = wal_gap.server_now(session, self._replication(), stored)
            stored, timeline = stored and wal_gap.resumed(stored, server), server.timeline
            made = plan(self._seen(session, server, captured), stored)
        types, position = Types(session), made.since
        self._watch = self._watching(session, types, resume)
        if made.rows:
            yield from pause(config.snapshot_delay_ms)
            snapshot = yield from self._snapshot(session, types, made, resume, timeline)
            yield from snapshot.polls()
            position = snapshot.position
            self._close_replication()  # a view of its own ends here
        else:
            yield Poll(self._notifications.batches([Notification(INITIAL, "SKIPPED")]))
        if not made.stream:
            return
        yield from pause(config.streaming_delay_ms)
        if slot.find(session, config.slot) is None:
            view = yield from slot.create(session, self._replication(), config)
            position = position or Position(lsn=view.lsn)
        position = position or self._of_slot(session)
        yield from self._streamed(session, types, position.with_(timeline=timeline))

    def _watching(self, session: Session, types: Types, resume: Sequence[SourceOffset]) -> Watch | None:
        """None when there is no place where a signal could come from, so that the reader need not look."""
        config = self._config
        capture, place = self._shapes(types, streamed=False), Place()
        if not (capture.signals or config.read_only or self._channels):
            return None
        tables = TablesContext(capture=capture, types=types, ask=session, open=self._opened, user=config.user)
        context = watch.Context(
            config=config, tables=PgTables(tables, place), signals=capture.signals, place=place,
            notifications=self._notifications, channels=self._channels, report=self._report,
        )  # fmt: skip
        return Watch(context, own_offset(config.topic_prefix, resume) or {})

    def _streamed(self, session: Session, types: Types, position: Position) -> Iterator[Poll]:
        """The WAL, and the blocking snapshots that are asked for on the way."""
        yield from self._stream(session, types, position)
        while self._watch is not None and self._watch.blocking is not None:
            wanted, position = self._watch.blocking, self._watch.place.position()
            origin = self._watch.place.source(0, "", None)
            self._close_replication()
            yield from blocking.polls(self._context(session, types), wanted, position, origin)
            self._watch.blocking = None
            offset = {**position.to_offset(), **self._watch.offset()}
            yield Poll((), [SourceOffset({"server": self._config.topic_prefix}, offset)], idle=True)
            yield from self._stream(session, types, position)

    def _seen(self, session: Session, server: wal_gap.Server, captured: Sequence[catalog.Found]) -> Seen:
        return Seen(
            config=self._config, session=session, server=server, slot=slot.find(session, self._config.slot),
            captured=[table.id for table in captured], connector=self._connector, report=self._report,
        )  # fmt: skip

    def _of_slot(self, session: Session) -> Position:
        found = slot.find(session, self._config.slot)
        return Position(lsn=found.confirmed_lsn if found is not None else 0)

    def _snapshot(
        self,
        session: Session,
        types: Types,
        made: Plan,
        resume: Sequence[SourceOffset],
        timeline: int | None,
    ) -> Generator[Poll, None, Snapshot]:
        config, prefix = self._config, self._config.topic_prefix
        context, done = self._context(session, types), partitions(prefix, resume)
        if made.since is not None:
            left = left_of(prefix, made.since.began, resume) if made.again else {}
            return Snapshot(context, Task(since=made.since, left=left, saved=done))
        if not made.stream:
            return Snapshot(context, Task(saved=done))
        make = slot.create if slot.find(session, config.slot) is None else slot.view
        view = yield from make(session, self._replication(), config)
        return Snapshot(context, Task(view=view.name, lsn=view.lsn, timeline=timeline, saved=done))

    def _context(self, session: Session, types: Types) -> Context:
        return Context(
            config=self._config, capture=self._shapes(types, streamed=False), types=types, ask=session,
            open=self._opened, notifications=self._notifications,
            overrides=key_rules.overrides(self._config, self._raw), report=self._report,
        )  # fmt: skip

    def _stream(self, session: Session, types: Types, position: Position) -> Iterator[Poll]:
        config = self._config
        self._processors = self._reselects(types)
        reports = config.flush_mode != "manual" and (config.flush_source or config.flush_mode is not None)
        options = ReaderOptions(
            prefix=config.topic_prefix, database=config.database, skipped=frozenset(config.skipped_operations),
            messages=LogicalMessages(config.topic_prefix, config.binary_mode,
                                     name_adjustment=config.schema_names, delimiter=config.topic_delimiter),
            message_prefix=chosen(config.prefix_include or (), config.prefix_exclude or ()),
            transactions=_transactions(config, position), heartbeat=_heartbeat(config, self._action),
            status_s=config.status_ms / 1000, reports=reports,
            refill=self._processors.fill if self._processors else None, max_records=config.max_batch_size,
            xmin=SlotXmin(session, config.slot, config.xmin_ms), on_failure=config.event_failure_mode,
        )  # fmt: skip
        retained = Retained(session, config.slot, self._report, config.wal_budget)
        plugin = plugin_options.options(config, session.version)
        while True:
            reader = Reader(options, self._shapes(types, streamed=True), session, types, position, watch=self._watch)
            if self._watch is not None:
                self._watch.start()
            slot.unused(session, config.slot)
            replication = self._replication()
            replication.start(config.slot, position.needed, plugin)
            try:
                for poll in stream(replication, reader, options, lambda: self._durable):
                    retained.look()
                    yield poll
                return
            except OriginInPart:
                position, plugin = reader.sent, plugin | {"streaming": "off"}
            self._close_replication()

    def _reselects(self, types: Types) -> Processors[Shape, Session]:
        config, snapshot = self._config, self._shapes(types, streamed=False)
        server = asked(
            _placeholder(config.unavailable_placeholder),
            lambda: Session(self._settings, statements(config.initial_statements)),
            lambda shape: snapshot.shape(shape.table),
        )
        return Processors(configured(config.post_processors, self._raw), server, config.signal_tables or ())

    def _shapes(self, types: Types, *, streamed: bool) -> Capture:
        return _capture(self._config, self._raw, _type_options(self._config, streamed), self._headers, types)


def _capture(
    config: PostgresConfig, raw: Raw, options: TypeOptions, headers: Headers = (), types: Types | None = None
) -> Capture:
    envelopes = EnvelopeSettings(
        prefix=config.topic_prefix, source=source_info.SCHEMA, tombstones=config.tombstones,
        name_adjustment=config.schema_names, headers=headers, skip_unchanged=config.skip_unchanged,
        skipped=frozenset(config.skipped_operations),
        naming=naming_keys.naming(config, raw, "Schema"), field_name_adjustment=naming_keys.field_names(config, raw),
    )  # fmt: skip
    column_masks = Masks[Described](raw, lambda name, column: is_propagated(name, column.type_name, options))
    return Capture(config, envelopes, options, types, column_masks)


def _type_options(config: PostgresConfig, streamed: bool) -> TypeOptions:
    return TypeOptions(
        decimal=config.decimal_mode, time_precision=config.time_precision, binary=config.binary_mode,
        hstore=config.hstore_mode, interval=config.interval_mode,
        money_digits=config.money_digits, placeholder_bytes=_placeholder(config.unavailable_placeholder),
        unknown=config.unknown_types,
        propagate=any_of(config.propagate_columns) if config.propagate_columns else None,
        propagate_types=any_of(config.propagate_types) if config.propagate_types else None, streamed=streamed,
    )  # fmt: skip


def _settings(config: PostgresConfig, timeout_s: int = 30) -> Settings:
    return Settings(
        host=config.host, port=config.port, user=config.user, database=config.database, password=config.password,
        ssl_mode=config.ssl_mode, ssl_cert=config.ssl_cert, ssl_key=config.ssl_key, ssl_password=config.ssl_password,
        ssl_root_cert=config.ssl_root_cert, connect_timeout_s=min(30, timeout_s), keep_alive=config.keep_alive,
    )  # fmt: skip


def _placeholder(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("hex:")) if text.startswith("hex:") else text.encode()


def _transactions(config: PostgresConfig, position: Position) -> Transactions | None:
    if not config.transaction_metadata:
        return None
    topic = naming_keys.transaction_topic(config)
    return Transactions(topic, config.schema_names, position.transaction, shown=shown_transaction)


def _heartbeat(config: PostgresConfig, action: HeartbeatQuery | None) -> Heartbeat | None:
    if not config.heartbeat_ms:
        return None
    topic = naming_keys.heartbeat_topic(config)
    return Heartbeat(config.topic_prefix, config.heartbeat_ms, started=time.time_ns(), topic=topic,
                     action=action.run if action is not None else lambda: None)  # fmt: skip


POSTGRES: Final = SourceConnector(
    class_name=CLASS_NAME,
    version=VERSION,
    config=PostgresConfig,
    build=build,
    prefixes=(OVERRIDES, CLIENT, *masks.PREFIXES, "post.processors.", *PREFIXES),
    chains=("post.processors",),
    check=check,
    outlook=outlook,
    check_offsets=offsets_check(Position.from_offset),
    takes_signals=True,
)
