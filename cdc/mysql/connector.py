"""A MySQL or MariaDB source as the runtime sees it: checks, and the task that recovers, snapshots and streams."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

import structlog

from cdc import key_rules, masks
from cdc.changes import Row
from cdc.config import parse
from cdc.connector import Raw, SourceConnector
from cdc.envelope import EnvelopeSettings, context_headers
from cdc.errors import ConfigError, LogError, LogUnavailable, Problem, SourceError, SourceUnavailable
from cdc.gaps import Gap, remedy
from cdc.heartbeat import Heartbeat
from cdc.key_rules import OVERRIDES, wrong
from cdc.keys.declare import INVALID
from cdc.keys.texts import names, patterns
from cdc.masks import Masks
from cdc.mysql import blocking, source_info, watch, wire
from cdc.mysql.capture import Capture
from cdc.mysql.checks import look
from cdc.mysql.config import MySqlConfig
from cdc.mysql.custom_converters import CustomConverters
from cdc.mysql.failures import LogGone
from cdc.mysql.heartbeat_query import HeartbeatQuery
from cdc.mysql.held_topic import HeldTopic
from cdc.mysql.history import History, HistoryOptions, at_or_before
from cdc.mysql.log_gap import gap
from cdc.mysql.log_tables import Accept, Shape
from cdc.mysql.offset import Position
from cdc.mysql.plan import Plan, plan
from cdc.mysql.reader import ReaderOptions
from cdc.mysql.reselect import Reselect, configured
from cdc.mysql.server import Server
from cdc.mysql.snapshot import Context, Snapshot, Task
from cdc.mysql.snapshot_session import Session, run_initial_statements
from cdc.mysql.streaming import stream
from cdc.mysql.types import TypeOptions, is_propagated
from cdc.mysql.unsupported import refused, warned
from cdc.mysql.watch import Watch
from cdc.notifications import INITIAL, Notification, Notifications
from cdc.record import Headers, Poll, SourceContext, SourceOffset
from cdc.runs import run_id
from cdc.signal_file import SignalFile
from cdc.signals import FILE, KAFKA, Channel, Messages
from cdc.snapshot_offset import left_of, partitions
from cdc.source_block import VERSION
from cdc.starts import offsets_check, own_offset, pause
from cdc.table import Predicate, TableId, any_of
from cdc.topic_naming import RegexNaming, TopicNaming
from cdc.topic_naming import problems as naming_problems
from cdc.transactions import Transactions

_log = structlog.get_logger(__name__)

CLASS_NAME: Final = "io.debezium.connector.mysql.MySqlConnector"
_AVRO_CONVERTERS: Final = frozenset(
    ("io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter")
)
_HISTORY_CLIENT: Final = (
    "database.history.consumer.", "schema.history.internal.consumer.",
    "database.history.producer.", "schema.history.internal.producer.",
)  # fmt: skip
_PASSED_THROUGH: Final = (*_HISTORY_CLIENT, OVERRIDES, "driver.", *masks.PREFIXES, "post.processors.",
                          "signal.consumer.", "openlineage.")  # fmt: skip
_SIGNAL_CLIENT: Final = "signal.consumer."


def problems(config: MySqlConfig, raw: Raw) -> list[Problem]:
    """What is wrong with the keys taken together; nothing is connected to."""
    found = refused(config, raw) + masks.problems(raw)
    found += naming_problems(config.topic_naming, _regex_naming(config), INVALID)
    found += key_rules.problems(config, raw, "database")
    if not config.history_topic:
        problem = f"A value is required: the topic for table definitions, such as schemahistory.{config.topic_prefix}"
        found.append(wrong("schema.history.internal.kafka.topic", problem))
    try:
        configured(config.post_processors, raw)
    except ConfigError as error:
        found += error.problems
    return found


def check(declared: type[MySqlConfig], raw: Raw) -> list[Problem]:
    """Looks at the server the config names, within connection.validation.timeout.ms a step."""
    try:
        config = parse(declared, raw)
    except ConfigError as error:
        return list(error.problems)
    found = problems(config, raw)
    if found:
        return found
    limit_ms = config.validation_timeout_ms
    settings = _settings(config)
    settings = replace(settings, connect_timeout_ms=min(settings.connect_timeout_ms, limit_ms))
    try:
        server = Server(settings, read_timeout=max(1, limit_ms // 1000))
    except SourceError as error:
        return [Problem("database.hostname", f"Unable to connect: {error}")]
    try:
        findings = look(server, config, _capture(config, raw))
    except SourceError as error:
        return [Problem("database.hostname", f"Unable to look at the server: {error}")]
    finally:
        server.close()
    for warning in (*warned(config, raw), *findings.warnings):
        _log.warning(warning, connector=raw.get("name"))
    return list(findings.problems)


def build(declared: type[MySqlConfig], raw: Raw, context: SourceContext) -> MySqlSource:
    """Raises: ConfigError."""
    config = parse(declared, raw)
    found = problems(config, raw)
    if found:
        raise ConfigError(found)
    return MySqlSource(config, raw, context)


class MySqlSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: MySqlConfig, raw: Raw, context: SourceContext) -> None:
        self._config, self._raw = config, raw
        self._settings = _settings(config)
        self._report = cast(MutableMapping[str, Any], context.report)
        headers = context_headers(config.topic_prefix, context.task, config.flavor.name, run_id())
        self._headers = headers if config.extended_headers else ()
        self._capture = _capture(config, raw, self._headers)
        self._topic = HeldTopic(context.topics.open(config.history_topic or "", _history_client(config, raw)))
        includes, excludes = config.gtid_includes or (), names(config.gtid_excludes)
        self._origin = config.flavor.sources(includes, excludes) if includes or excludes else None
        self._history = self._opened_history()
        self._action = HeartbeatQuery(self._settings, config.heartbeat_query) if config.heartbeat_query else None
        self._heartbeat = _heartbeat(config, raw, self._action)
        self._processors = [
            Reselect(each, config.unavailable_placeholder, lambda: Session(self._settings, config).server)
            for each in configured(config.post_processors, raw)
        ]
        self._running: Iterator[Poll] | None = None
        self._watch: Watch | None = None
        self._channels = _channels(config, raw, context)
        self._recorded: tuple[int, Mapping[str, Any] | None] = (-1, None)
        self._notifications = Notifications(
            config.topic_prefix, config.notification_channels or (), config.notification_topic
        )  # fmt: skip
        self._connector = context.connector
        self._read_timeout = max(1, config.validation_timeout_ms // 1000)

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
        for processor in self._processors:
            processor.close()

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
        return Watch(context, own_offset(self._config.topic_prefix, resume) or {})

    def _run(self, stored: Position | None, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        for warning in warned(self._config, self._raw):
            _log.warning(warning)
        made, position = self._planned(stored)
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
                raise self._log_gone(error, position, made) from error

    def _shorten(self, position: Position) -> None:
        """Keeps a history that has grown readable in a moment, and every position that the server can be read from."""
        if self._history.is_long():
            self._history.checkpoint(position.to_offset(), time.time_ns() // 1_000_000)
        checkpoint = self._history.superseded(partial(self._is_gone, position))
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

    def _is_gone(self, stored: Position, offset: Mapping[str, Any]) -> bool:
        """Whether the server cannot be read from an offset any more, which is not after the stored one."""
        if not at_or_before(offset, stored.to_offset(), self._origin):
            return False
        with closing(Server(self._settings, read_timeout=self._read_timeout)) as server:
            found = self._gap(server, replace(Position.from_offset(offset), snapshot=None))
        return found is not None and not found.passes

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

    def _planned(self, stored: Position | None) -> tuple[Plan, Position | None]:
        """What to do, and the position it begins from: the stored one, or for `never` the oldest there is."""
        server = Server(self._settings, read_timeout=self._read_timeout)
        try:
            findings = look(server, self._config, self._capture)
            findings.require()
            for warning in findings.warnings:
                _log.warning(warning)
            self._report.update(findings.facts)
            unfinished = stored is not None and stored.snapshot is not None
            has_history = stored is not None and self._history.exists()
            made = plan(self._config, offset=stored is not None, unfinished=unfinished, history=has_history)
            if stored is None:
                reads_all = made.stream and not made.definitions
                return made, Position(file=server.logs()[0], pos=4) if reads_all else None
            if unfinished:
                return self._taken_again(made, stored, server)
            found = None if made.rows or not made.stream else self._gap(server, stored)
            if found is None:
                return made, stored
            return self._closing(found, made, server), None
        finally:
            server.close()

    def _taken_again(self, made: Plan, stored: Position, server: Server) -> tuple[Plan, Position | None]:
        """An interrupted snapshot's plan and position; without that position, those of a first snapshot."""
        if not made.again:
            gone = f"the schema history topic {self._config.history_topic} is empty"
        elif (found := self._gap(server, stored)) is not None:
            if found.passes:
                raise SourceUnavailable(found.what)
            gone = found.what
        else:
            return made, stored
        _log.warning("a snapshot was interrupted and cannot be taken up; it begins anew, and rows that were deleted "
                     "since stay in the targets: delete those there", reason=gone)  # fmt: skip
        return replace(made, definitions=True, again=False), None

    def _gap(self, server: Server, position: Position) -> Gap | None:
        if not self._config.log_position_check:
            return None
        counts = self._origin or (lambda uuid: True)
        by_gtid = not self._config.gtid_ignore_on_recovery
        return gap(server, position, counts, by_gtid=by_gtid, server_id=self._config.server_id)

    def _closing(self, found: Gap, made: Plan, server: Server) -> Plan:
        """A snapshot where the plan allows it. Raises: SourceUnavailable: waiting helps; SourceError: it does not."""
        if found.passes:
            raise SourceUnavailable(found.what)
        if not made.on_log_gone:
            raise SourceError(f"{found.what}. {self._remedy(server)}")
        _log.warning("changes are lost between the stored offset and now; a snapshot is taken, and rows that were "
                     "deleted meanwhile stay in the targets: delete those there", reason=found.what)  # fmt: skip
        self._report["mysql.gap"] = found.what
        return Plan(True, True, made.stream)

    def _log_gone(self, error: LogGone, position: Position, made: Plan) -> SourceError:
        """What is to be said when the server refuses to send its log: the gap, when there is one."""
        server = Server(self._settings, read_timeout=self._read_timeout)
        try:
            found = self._gap(server, position)
            if found is None:
                return SourceError(f"{error}. {self._remedy(server)}")
            self._closing(found, made, server)
            return SourceUnavailable(found.what)  # the next start finds it too and takes the snapshot
        finally:
            server.close()

    def _remedy(self, server: Server) -> str:
        return remedy(self._connector, [table for table in server.tables() if self._capture.table(table)])

    def _learned(self, id: TableId, offset: Mapping[str, Any], accept: Accept) -> bool:
        """Takes a table whose definition the history lacks as the server has it now, when that is accepted."""
        session = Session(self._settings, self._config)
        try:
            ddl = session.definition(id)
        finally:
            session.close()
        return ddl is not None and self._history.record_definition(id, ddl, offset, time.time_ns() // 1_000_000, accept)

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

    def _refilled(self, shape: Shape, rows: Sequence[Row]) -> list[Row]:
        filled = list(rows)
        if str(shape.table.id) in (self._config.signal_tables or ()):
            return filled
        for processor in self._processors:
            filled = processor.fill(shape, filled)
        return filled

    def _stream(self, position: Position) -> Iterator[Poll]:
        config = self._config
        options = ReaderOptions(
            prefix=config.topic_prefix,
            types=_type_options(config),
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
            transactions=_transactions(config, self._raw, position),
            ignored=_ignored(config),
            refill=self._refilled if self._processors else None,
            max_rows=config.max_batch_size,
            flavor=config.flavor,
        )
        return stream(self._settings, config.server_id, position, options, self._history, self._capture, self._watch)


def _channels(config: MySqlConfig, raw: Raw, context: SourceContext) -> list[Channel]:
    """Where signals come from beside the signal table; those of REST are always taken."""
    found: list[Channel] = []
    if FILE in config.signal_channels:
        found.append(SignalFile(config.signal_file))
    if KAFKA in config.signal_channels and context.subscribe is not None:
        topic = config.signal_topic or f"{config.topic_prefix}-signal"
        client = {
            name.removeprefix(_SIGNAL_CLIENT): text for name, text in raw.items() if name.startswith(_SIGNAL_CLIENT)
        }  # fmt: skip
        if config.signal_servers:
            client["bootstrap.servers"] = config.signal_servers
        found.append(Messages(context.subscribe(topic, config.signal_group, client), config.topic_prefix))
    if context.orders is not None:
        found.append(Messages(context.orders))
    return found


def _with(saved: SourceOffset, state: Mapping[str, Any]) -> SourceOffset:
    """The offset with the state of an incremental snapshot, if it is the connector's."""
    return saved if saved.offset is None else SourceOffset(saved.partition, {**saved.offset, **state})


def _settings(config: MySqlConfig) -> wire.Settings:
    return wire.Settings(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password,
        ssl_mode=config.flavor.ssl_modes.get(config.ssl_mode, config.ssl_mode),
        truststore=config.ssl_truststore,
        truststore_password=config.ssl_truststore_password,
        keystore=config.ssl_keystore,
        keystore_password=config.ssl_keystore_password,
        connect_timeout_ms=config.connect_timeout_ms or 30_000,
        net_write_timeout_s=config.net_write_timeout_s,
        net_read_timeout_s=config.net_read_timeout_s,
        flavor=config.flavor,
    )


def _type_options(config: MySqlConfig) -> TypeOptions:
    return TypeOptions(
        decimal=config.decimal_mode,
        bigint_unsigned=config.bigint_unsigned,
        binary=config.binary_mode,
        time_precision=config.time_precision,
        adjust_years=config.adjust_years,
        invalid_as_epoch=config.event_failure_mode != "fail",
        fail_on_failure=config.convert_failure_mode == "fail",
        propagate=any_of(config.propagate_columns) if config.propagate_columns else None,
        propagate_types=any_of(config.propagate_types) if config.propagate_types else None,
    )


def _field_names(config: MySqlConfig, raw: Raw) -> str:
    """A connector that names an Avro converter itself gets field names that Avro allows, as in Debezium."""
    avro = {raw.get("key.converter"), raw.get("value.converter")} & _AVRO_CONVERTERS
    return "avro" if avro and config.field_names == "none" else config.field_names


def _capture(config: MySqlConfig, raw: Raw, headers: Headers = ()) -> Capture:
    envelopes = EnvelopeSettings(
        prefix=config.topic_prefix,
        source=source_info.schema(config.flavor.name),
        tombstones=config.tombstones,
        name_adjustment=config.schema_names,
        field_name_adjustment=_field_names(config, raw),
        headers=headers,
        naming=_naming(config, raw),
        skip_unchanged=config.skip_unchanged,
    )
    types = _type_options(config)
    column_masks = Masks(raw, lambda name, column: is_propagated(name, column, types))
    return Capture(config, envelopes, types, column_masks, CustomConverters(raw) if config.converters else None)


def _regex_naming(config: MySqlConfig) -> RegexNaming:
    return RegexNaming(
        regex=config.topic_regex,
        replacement=config.topic_replacement,
        unique=config.topic_key_unique,
        key_field=config.topic_key_field,
        key_regex=config.topic_key_regex,
        key_replacement=config.topic_key_replacement,
    )


def _naming(config: MySqlConfig, raw: Raw) -> TopicNaming:
    return TopicNaming(
        config.topic_prefix,
        # Debezium's definition names another default than its MySQL connector has.
        strategy=config.topic_naming if raw.get("topic.naming.strategy") else None,
        delimiter=config.topic_delimiter,
        regex=_regex_naming(config),
    )


def _heartbeat(config: MySqlConfig, raw: Raw, action: HeartbeatQuery | None) -> Heartbeat | None:
    if not config.heartbeat_ms:
        return None
    start = config.topic_heartbeat_prefix or config.heartbeat_topics_prefix
    name = config.topic_heartbeat_name or _naming(config, raw).beside(start, config.topic_prefix)
    return Heartbeat(config.topic_prefix, config.heartbeat_ms, started=time.time_ns(), topic=name,
                     action=action.run if action is not None else lambda: None)  # fmt: skip


def _transactions(config: MySqlConfig, raw: Raw, position: Position) -> Transactions | None:
    if not config.transaction_metadata:
        return None
    old_name = (config.transaction_topic or "").replace("${database.server.name}", config.topic_prefix)
    topic = old_name or _naming(config, raw).beside(config.topic_prefix, config.topic_transaction)
    return Transactions(topic, config.schema_names, position.transaction)


def _history_client(config: MySqlConfig, raw: Raw) -> Mapping[str, str]:
    """Kafka client settings of the history topic; the producer's win over the consumer's."""
    client: dict[str, str] = {}
    for prefix in _HISTORY_CLIENT:
        client.update({name.removeprefix(prefix): value for name, value in raw.items() if name.startswith(prefix)})
    if config.history_servers:
        client["bootstrap.servers"] = config.history_servers
    return client


def _ignored(config: MySqlConfig) -> Predicate | None:
    found = patterns(config.history_ddl_filter or "")
    return any_of([f"(?s:{pattern})" for pattern in found]) if found else None


def declare(class_name: str, config: type[MySqlConfig]) -> SourceConnector:
    """The connector of that name; the config's class tells which of the two kinds of servers it reads."""
    return SourceConnector(
        class_name=class_name,
        version=VERSION,
        config=config,
        build=partial(build, config),
        prefixes=_PASSED_THROUGH,
        chains=("post.processors", "converters"),
        check=partial(check, config),
        check_offsets=offsets_check(Position.from_offset),
        takes_signals=True,
    )


MYSQL: Final = declare(CLASS_NAME, MySqlConfig)
