"""`tailrace history`: the schema history of a MySQL or MariaDB connector as text; and its rebuilding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from cdc.config import parse
from cdc.connector import SourceConnector
from cdc.errors import ConfigError, Problem
from cdc.mariadb.connector import MARIADB
from cdc.mysql.connector import MYSQL
from cdc.mysql.history import apply_changes, at_or_before, describe, describe_record, records, tables_at
from cdc.mysql.source import MySqlSource
from cdc.record import SourceContext, Topic
from cdc.table import Table, TableId
from connect_compat.log import Log, open_log
from connect_compat.plugins import CONNECTORS, Plugins
from connect_compat.providers import providers
from connect_compat.state import Configs, Target
from connect_compat.worker_config import WorkerConfig

_CONNECTORS = {connector.class_name: connector for connector in (MYSQL, MARIADB)}
"""Those that keep a schema history."""


@dataclass
class _Opened:
    """Opens topics as a task does, and remembers the last: a source opens its history when it is built."""

    log: Log
    topics: list[Topic] = field(default_factory=list)

    def open(self, name: str, client: Mapping[str, str]) -> Topic:
        self.topics.append(self.log.topic(name, client))
        return self.topics[-1]


@dataclass(frozen=True)
class ConnectorHistory:
    """One connector's history. `config`: the connector's, references to config providers resolved."""

    name: str
    connector: SourceConnector
    server: str
    config: Mapping[str, str]
    topic: Topic
    log: Log
    running: bool
    """Whether a worker is meant to run tasks that write to it."""


@contextmanager
def history_of(worker: WorkerConfig, name: str, given: Mapping[str, str] | None = None) -> Iterator[ConnectorHistory]:
    """The history of a stored connector, or of one whose config is `given`.

    Raises: ConfigError: there is no such connector, or it keeps no schema history; LogUnavailable.
    """
    with closing(open_log(worker.log)) as log:
        configs = Configs(log.configs()) if worker.keeps_configs else None
        config = given or (configs.config(name) if configs else None)
        if config is None:
            known = ", ".join(configs.names() if configs else []) or "none"
            where = worker.log.path or worker.log.client.get("bootstrap.servers")
            raise ConfigError([Problem("name", f"{where} holds no connector {name}; it holds: {known}. Give its config "
                                               "with --connector when a standalone worker runs it")])  # fmt: skip
        plugin = Plugins().find(config.get("connector.class", "").strip(), *CONNECTORS)
        connector = None if plugin is None else _CONNECTORS.get(plugin.class_name)
        if connector is None:
            message = f"{name} is a {config.get('connector.class')}; a history keep only {', '.join(_CONNECTORS)}"
            raise ConfigError([Problem("connector.class", message)])
        resolved = providers(worker.raw).resolve(config)
        opened = _Opened(log)
        connector.build(resolved, SourceContext(name, 0, opened)).close()
        running = configs is not None and configs.target(name) is not Target.STOPPED and bool(configs.tasks(name))
        server: str = parse(connector.config, resolved).topic_prefix
        yield ConnectorHistory(name, connector, server, resolved, opened.topics[0], log, running)


def position(text: str | None) -> Mapping[str, Any] | None:
    """`binlog.000003:154` or a GTID set as an offset. Raises: ConfigError."""
    if text is None:
        return None
    file, _, place = text.rpartition(":")
    if file and place.isdigit() and "-" not in file:
        return {"file": file, "pos": int(place)}
    if ":" in text:
        return {"gtids": text.strip()}
    raise ConfigError([Problem("at", f"{text!r} is no position: write binlog.000003:154, or a GTID set")])


def show(history: ConnectorHistory, at: Mapping[str, Any] | None) -> Iterator[str]:
    """The tables at a position, or as they were recorded last."""
    _require(history)
    tables = tables_at(history.topic, history.server, at)
    yield from (describe(table) + "\n" for table in tables.values())
    yield f"{len(tables)} tables of {history.server}"


def replay(history: ConnectorHistory, at: Mapping[str, Any] | None) -> Iterator[str]:
    """Every record up to a position, and the tables it left."""
    _require(history)
    tables: dict[TableId, Table] = {}
    count = 0
    for record in records(history.topic, history.server):
        if at is not None and not at_or_before(record.position, at):
            continue
        count += 1
        yield describe_record(record)
        apply_changes(tables, record.table_changes)
        yield from ("  " + line for change in record.table_changes if change.id in tables
                    for line in describe(tables[change.id]).splitlines())  # fmt: skip
    yield f"{count} records of {history.server}, {len(tables)} tables"


def rebuild(history: ConnectorHistory) -> Iterator[str]:
    """Records the tables as they are now, at the stored offset; what was recorded before stays, and is superseded.

    Raises: ConfigError: the connector runs; SourceError: no stored offset, or the server cannot be read.
    """
    _require_stopped(history)
    recovering = {**history.config, "snapshot.mode": "recovery"}
    with closing(history.connector.build(recovering, SourceContext(history.name, 0, _Opened(history.log)))) as source:
        # The first idle poll comes when every table is recorded; what follows is the stream, which is not wanted.
        for poll in source.polls(history.log.source_offsets(history.name)):
            if poll.idle:
                break
    tables = tables_at(history.topic, history.server)
    yield from (f"recorded {table}" for table in tables)
    yield f"{len(tables)} tables of {history.server}"


def compact(history: ConnectorHistory) -> Iterator[str]:
    """Records the tables anew at the stored offset and takes away every record before.

    Raises: ConfigError: the connector runs; SourceError: no stored offset, or the history cannot be shortened.
    """
    _require(history)
    _require_stopped(history)
    with closing(
        history.connector.build(history.config, SourceContext(history.name, 0, _Opened(history.log)))
    ) as source:
        assert isinstance(source, MySqlSource)
        tables, records = source.compact_history(history.log.source_offsets(history.name))
    yield f"{tables} tables of {history.server} recorded at the stored offset; {records} records before taken away"


def _require_stopped(history: ConnectorHistory) -> None:
    if history.running:
        raise ConfigError([Problem("name", f"{history.name} may be running: stop it first with "
                                           f"PUT /connectors/{history.name}/stop")])  # fmt: skip


def _require(history: ConnectorHistory) -> None:
    if not history.topic.exists():
        message = f"{history.name} has recorded no schema history yet: it is written when its task first starts"
        raise ConfigError([Problem("name", message)])
