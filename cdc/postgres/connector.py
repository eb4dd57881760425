"""The PostgreSQL source as the runtime sees it: its config and checks, and the task that snapshots and streams."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, Final, NamedTuple, cast

import structlog

from cdc import key_rules
from cdc.config import parse
from cdc.connector import Raw, SourceConnector
from cdc.envelope import EnvelopeSettings, context_headers
from cdc.errors import ConfigError, Problem, SourceError, SourceUnavailable
from cdc.gaps import Gap, remedy
from cdc.heartbeat import Heartbeat
from cdc.key_rules import OVERRIDES
from cdc.keys.texts import statements
from cdc.naming import topic_name
from cdc.postgres import catalog, publication, slot, source_info, wal_gap
from cdc.postgres.capture import Capture
from cdc.postgres.catalog import Types
from cdc.postgres.checks import look
from cdc.postgres.config import PostgresConfig
from cdc.postgres.messages import LogicalMessages
from cdc.postgres.offset import Position
from cdc.postgres.reader import Reader, ReaderOptions, stream
from cdc.postgres.retained import Retained
from cdc.postgres.snapshot import Snapshot
from cdc.postgres.types import TypeOptions
from cdc.postgres.unsupported import PREFIXES, refused, warned
from cdc.postgres.wire import Replication, Session, Settings, quoted
from cdc.record import Headers, Poll, SourceContext, SourceOffset
from cdc.runs import run_id
from cdc.source_block import VERSION
from cdc.starts import offsets_check, own_offset, pause
from cdc.table import TableId, any_of, chosen
from cdc.topic_naming import TopicNaming

_log = structlog.get_logger(__name__)

CLASS_NAME: Final = "io.debezium.connector.postgresql.PostgresConnector"


def problems(config: PostgresConfig, raw: Raw) -> list[Problem]:
    """What is wrong with the keys taken together; nothing is connected to."""
    return refused(config, raw) + key_rules.problems(config, raw, "schema")


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
        return [Problem("database.hostname", f"Unable to connect: {error}")]
    try:
        findings = look(session, config, catalog.captured(session, _capture(config, TypeOptions())))
    except SourceError as error:
        return [Problem("database.hostname", f"Unable to look at the server: {error}")]
    finally:
        session.close()
    for warning in (*warned(config), *findings.warnings):
        _log.warning(warning, connector=raw.get("name"))
    return list(findings.problems)


def build(raw: Raw, context: SourceContext) -> PostgresSource:
    """Raises: ConfigError."""
    config = parse(PostgresConfig, raw)
    found = problems(config, raw)
    if found:
        raise ConfigError(found)
    return PostgresSource(config, raw, context)


class Plan(NamedTuple):
    """What a start has to do: read rows, go on with the WAL."""

    rows: bool
    stream: bool
    snapshot: bool


class PostgresSource:
    """One task. Connects when `polls` is first asked."""

    def __init__(self, config: PostgresConfig, raw: Raw, context: SourceContext) -> None:
        self._config, self._raw, self._connector = config, raw, context.connector
        self._settings = _settings(config)
        self._report = cast(MutableMapping[str, Any], context.report)
        headers = context_headers(config.topic_prefix, context.task, source_info.CONNECTOR, run_id())
        self._headers: Headers = headers if config.extended_headers else ()
        self._durable = 0
        self._open: list[Session | Replication] = []
        self._running: Iterator[Poll] | None = None

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        self._running = self._run(self._stored(resume))
        return self._running

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """The server may forget what stands before them; it is told with the next report."""
        for _, offset in offsets:
            if offset is not None:
                self._durable = max(self._durable, Position.from_offset(offset).needed)

    def close(self) -> None:
        if self._running is not None:
            self._running.close()  # type: ignore[attr-defined]
        while self._open:
            self._open.pop().close()
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

    def _session(self) -> Session:
        session = Session(self._settings, statements(self._config.initial_statements))
        self._open.append(session)
        return session

    def _replication(self) -> Replication:
        replication = Replication(self._settings)
        self._open.append(replication)
        return replication

    def _run(self, stored: Position | None) -> Iterator[Poll]:
        config = self._config
        for warning in warned(config):
            _log.warning(warning)
        session = self._session()
        captured = catalog.captured(session, _capture(config, TypeOptions()))
        findings = look(session, config, captured)
        if findings.problems:
            raise SourceError("\n".join(problem.message for problem in findings.problems))
        for warning in findings.warnings:
            _log.warning(warning)
        publication.publish(session, config, captured)
        replication = self._replication()
        found = slot.find(session, config.slot)
        server = wal_gap.server_now(session, replication, stored)
        if stored is not None:
            stored = wal_gap.resumed(stored, server)
        made = self._planned(stored)
        if stored is not None and config.log_position_check and made.stream and not made.snapshot:
            missing = wal_gap.gap(stored, server, found, config.slot)
            if missing is not None and not self._slot_is_trusted(missing, stored, found):
                made = self._closing(missing, made, [table.id for table in captured])
            elif found is not None:
                stored = self._matched(session, stored, found)
        if found is not None and found.is_lost:
            if not made.snapshot:
                raise SourceError(f"slot {config.slot!r} has lost the WAL that it needed, and with snapshot.mode="
                                  f"{config.snapshot_mode} no snapshot is taken; set when_needed")  # fmt: skip
            _log.warning("a slot that has lost its WAL is of no use to anybody; it is made anew", slot=config.slot)
            slot.drop(session, config.slot)
            found = None
        position = stored
        types = Types(session)
        if made.snapshot:
            yield from pause(config.snapshot_delay_ms)
            if found is None:
                view = yield from slot.create(session, replication, config)
            else:
                view = yield from slot.view(session, replication, config)
            capture = self._shapes(types, streamed=False)
            overrides = key_rules.overrides(config, self._raw)
            snapshot = Snapshot(
                config=config, session=session, capture=capture, types=types, lsn=view.lsn, view=view.name,
                rows=made.rows, overrides=overrides, report=self._report,
            )  # fmt: skip
            yield from snapshot.polls()
            position = snapshot.position
            if found is not None:  # its own slot ends here
                replication.close()
                self._open.remove(replication)
                replication = self._replication()
        elif found is None:
            view = yield from slot.create(session, replication, config)
            position = position or Position(lsn=view.lsn)
        if position is None:
            position = Position(lsn=found.confirmed_lsn if found is not None else 0)
        if not made.stream:
            return
        yield from pause(config.streaming_delay_ms)
        yield from self._stream(session, replication, types, position.with_(timeline=server.timeline))

    def _planned(self, stored: Position | None) -> Plan:
        config = self._config
        due = stored is None or stored.in_snapshot
        if config.snapshot_mode == "configuration_based":
            return Plan(config.based_snapshot_data and due, config.based_start_stream, due)
        return {
            "initial": Plan(due, True, due), "initial_only": Plan(due, False, due),
            "when_needed": Plan(due, True, due), "always": Plan(True, True, True),
            "no_data": Plan(False, True, due), "never": Plan(False, True, False),
        }[config.snapshot_mode]  # fmt: skip

    def _slot_is_trusted(self, missing: Gap, stored: Position, found: slot.Slot | None) -> bool:
        """Whether a slot that is ahead is to be followed: by the config, or where it moves without the offset."""
        if found is None or found.is_lost or found.confirmed_lsn <= stored.needed:
            return False
        if self._config.flush_mode == "connector_and_driver":
            return True
        if self._config.mismatch not in ("trust_slot", "trust_greater_lsn"):
            return False
        _log.warning(f"{missing.what}. offset.mismatch.strategy={self._config.mismatch}: reading goes on at the slot")
        return True

    def _matched(self, session: Session, stored: Position, found: slot.Slot) -> Position:
        """Slot and offset brought to one position, as `offset.mismatch.strategy` says."""
        if found.confirmed_lsn > stored.needed:
            at = found.confirmed_lsn
            return stored.with_(
                lsn=at, processed_lsn=at, done_lsn=at, held_lsn=None, event=0, commit_of=0, message=None
            )
        if self._config.seeks and found.confirmed_lsn < stored.needed:
            slot.advance(session, self._config.slot, stored.needed)
        return stored

    def _closing(self, missing: Gap, made: Plan, captured: Sequence[TableId]) -> Plan:
        """A snapshot where the config allows it. Raises: SourceUnavailable: waiting helps; SourceError: it does not."""
        config = self._config
        if missing.passes:
            raise SourceUnavailable(missing.what)
        based = config.snapshot_mode == "configuration_based" and config.based_on_data_error
        if config.snapshot_mode != "when_needed" and not based:
            raise SourceError(f"{missing.what}. {remedy(self._connector, captured)}")
        _log.warning("changes are lost between the stored offset and now; a snapshot is taken, and rows that were "
                     "deleted meanwhile stay in the targets: delete those there", reason=missing.what)  # fmt: skip
        self._report["postgres.gap"] = missing.what
        return Plan(True, made.stream, True)

    def _stream(self, session: Session, replication: Replication, types: Types, position: Position) -> Iterator[Poll]:
        config = self._config
        reports = config.flush_mode != "manual" and (config.flush_source or config.flush_mode is not None)
        options = ReaderOptions(
            prefix=config.topic_prefix, database=config.database, skipped=frozenset(config.skipped_operations),
            messages=LogicalMessages(config.topic_prefix, config.binary_mode, self._headers,
                                     name_adjustment=config.schema_names, delimiter=config.topic_delimiter),
            message_prefix=chosen(config.prefix_include or (), config.prefix_exclude or ()),
            heartbeat=_heartbeat(config), status_s=config.status_ms / 1000, reports=reports,
            max_records=config.max_batch_size,
        )  # fmt: skip
        reader = Reader(options, self._shapes(types, streamed=True), session, types, position)
        retained = Retained(session, config.slot, self._report)
        slot.unused(session, config.slot)
        replication.start(config.slot, position.needed, _plugin_options(config, session.version))
        for poll in stream(replication, reader, options, lambda: self._durable):
            retained.look()
            yield poll

    def _shapes(self, types: Types, *, streamed: bool) -> Capture:
        return _capture(self._config, _type_options(self._config, streamed), self._headers, types)


def _plugin_options(config: PostgresConfig, version: int) -> dict[str, str]:
    """Of pgoutput: large transactions come while they are open, and are kept until they are decided."""
    protocol = 4 if version >= 160_000 else 3 if version >= 150_000 else 2
    return {"proto_version": str(protocol), "publication_names": quoted(config.publication), "messages": "true",
            "streaming": "on"}  # fmt: skip


def _capture(
    config: PostgresConfig, options: TypeOptions, headers: Headers = (), types: Types | None = None
) -> Capture:
    envelopes = EnvelopeSettings(
        prefix=config.topic_prefix, source=source_info.SCHEMA, tombstones=config.tombstones,
        name_adjustment=config.schema_names, headers=headers, skip_unchanged=config.skip_unchanged,
        naming=TopicNaming(config.topic_prefix, strategy=config.topic_naming, delimiter=config.topic_delimiter,
                           homes="Schema"),
    )  # fmt: skip
    return Capture(config, envelopes, options, types)


def _type_options(config: PostgresConfig, streamed: bool) -> TypeOptions:
    return TypeOptions(
        decimal=config.decimal_mode, time_precision=config.time_precision, binary=config.binary_mode,
        hstore=config.hstore_mode, interval=config.interval_mode,
        money_digits=config.money_digits, placeholder=config.unavailable_placeholder,
        unknown=config.unknown_types, comments=config.schema_comments,
        propagate=any_of(config.propagate_columns) if config.propagate_columns else None,
        propagate_types=any_of(config.propagate_types) if config.propagate_types else None, streamed=streamed,
    )  # fmt: skip


def _settings(config: PostgresConfig, timeout_s: int = 30) -> Settings:
    return Settings(
        host=config.host, port=config.port, user=config.user, database=config.database, password=config.password,
        ssl_mode=config.ssl_mode, ssl_cert=config.ssl_cert, ssl_key=config.ssl_key, ssl_password=config.ssl_password,
        ssl_root_cert=config.ssl_root_cert, connect_timeout_s=min(30, timeout_s), keep_alive=config.keep_alive,
    )  # fmt: skip


def _heartbeat(config: PostgresConfig) -> Heartbeat | None:
    if not config.heartbeat_ms:
        return None
    start = config.topic_heartbeat_prefix or config.heartbeat_topics_prefix
    name = config.topic_heartbeat_name or topic_name(start, config.topic_prefix, delimiter=config.topic_delimiter)
    return Heartbeat(config.topic_prefix, config.heartbeat_ms, started=time.time_ns(), topic=name)


POSTGRES: Final = SourceConnector(
    class_name=CLASS_NAME,
    version=VERSION,
    config=PostgresConfig,
    build=build,
    prefixes=(OVERRIDES, *PREFIXES),
    check=check,
    check_offsets=offsets_check(Position.from_offset),
)
