"""The keys of a PostgreSQL source: names, types and defaults as Debezium 3.5 declares them, 1.x names as aliases.

A key that is declared here but does nothing yet is listed in `unsupported.py`, which refuses it or warns of it. The one
dataclass is this long because `validate` answers every key in Debezium's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cdc.config import Importance, Password, at_least, between, key

_HIGH, _LOW = Importance.HIGH, Importance.LOW
INVALID: Final = "The '{name}' value is invalid: {problem}"
"""Debezium's sentence for a wrong value."""

_MISTYPED: Final = {
    "BOOLEAN": "Either 'true' or 'false' is expected", "INT": "An integer is expected",
    "LONG": "A long value is expected", "DOUBLE": "A double value is expected",
}  # fmt: skip
_key = partial(key, invalid=INVALID, mistyped=_MISTYPED)
_postgres = partial(_key, group="Postgres")
_connector = partial(_key, group="Connector")
_events = partial(_key, group="Events")
_unlisted = partial(_key, group="Advanced", internal=True)
"""A key that works but that Debezium's own definition (and so `validate`) does not list."""

_FAILURE_MODES: Final = ("warn", "fail", "ignore", "skip")


def _positive(value: int) -> str | None:
    return None if value > 0 else "A positive, non-zero integer value is expected"


def _not_negative(value: int) -> str | None:
    return None if value >= 0 else "A non-negative integer value is expected"


def _topic_characters(value: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9._-]+", value):
        return None
    return f"{value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"


def _slot_name(value: str) -> str | None:
    if re.fullmatch(r"[a-z0-9_]{1,63}", value):
        return None
    return f"{value} is no valid replication slot name (only lower-case letters, digits and _, at most 63 of them)"


def _java_regexes(value: Sequence[str] | str) -> str | None:
    """Java's regular expressions are nearly Python's; what does not compile here is refused with the reason."""
    for pattern in [value] if isinstance(value, str) else value:
        try:
            re.compile(pattern)
        except re.error as error:
            return f"A comma-separated list of valid regular expressions is expected, but {pattern!r}: {error}"
    return None


def _operations(value: Sequence[str]) -> str | None:
    unknown = [name for name in value if name not in ("c", "u", "d", "t", "none")]
    return f"Operations are c, u, d, t and none, not {', '.join(unknown)}" if unknown else None


@dataclass(frozen=True, kw_only=True)
class PostgresConfig:
    """What a PostgreSQL source reads from its connector config; `None` where nothing was given and no default is."""

    topic_prefix: str = _postgres(
        "topic.prefix", default=None, needed=True, check=_topic_characters, importance=_HIGH,
        aliases=["database.server.name"],
        doc="Name of this database server; every topic of the connector begins with it. Never change it later.",
    )  # fmt: skip
    host: str = _postgres("database.hostname", default=None, needed=True, importance=_HIGH,
                       doc="Host name or address of the PostgreSQL server.")  # fmt: skip
    port: int = _postgres("database.port", default=5432, check=between(1, 65535), importance=_HIGH,
                       doc="TCP port of the PostgreSQL server.")  # fmt: skip
    user: str = _postgres("database.user", default=None, needed=True, importance=_HIGH, doc="User to log in as.")
    password: Password | None = _postgres(  # noqa: RUF009
        "database.password", default=None, importance=_HIGH, doc="That user's password."
    )
    database: str = _postgres("database.dbname", default=None, needed=True, importance=_HIGH,
                              doc="Database whose tables are captured; a connector reads one.")  # fmt: skip
    query_timeout_ms: int = _postgres("database.query.timeout.ms", default=600000, check=_not_negative, importance=_LOW,
                                   doc="Milliseconds a query may take; 0 is no limit.")  # fmt: skip
    plugin: str = _postgres(
        "plugin.name", default="decoderbufs", values=["decoderbufs", "pgoutput"],
        doc="Accepted as Debezium has it; pgoutput, which every server has, is what is used.",
    )  # fmt: skip
    slot: str = _postgres("slot.name", default="debezium", check=_slot_name,
                          doc="Replication slot to read from; created when it is missing.")  # fmt: skip
    publication: str = _postgres("publication.name", default="dbz_publication",
                                 doc="Publication that says which tables are sent.")  # fmt: skip
    publication_mode: str = _postgres(
        "publication.autocreate.mode", default="all_tables", values=["no_tables", "filtered", "disabled", "all_tables"],
        doc="Whether a missing publication is created: for all tables, for the captured ones (then kept in step with "
            "them), for none, or not at all.",
    )  # fmt: skip
    replica_identity: str | None = _postgres(
        "replica.identity.autoset.values", default=None,
        doc="Replica identities to set at start: `regex of schema.table:FULL`, `…:DEFAULT`, `…:INDEX name`, commas "
            "between them.",
    )  # fmt: skip
    drop_slot: bool = _postgres("slot.drop.on.stop", default=False,
                                doc="Drop the slot when the task stops: what happens meanwhile is lost.")  # fmt: skip
    slot_failover: bool = _postgres("slot.failover", default=False,
                                    doc="Create the slot as a failover slot (PostgreSQL 17 or newer).")  # fmt: skip
    stream_params: str | None = _postgres("slot.stream.params", default=None, importance=_LOW,
                                          doc="More options of the output plugin: `name=value;…`.")  # fmt: skip
    initial_statements: str | None = _postgres(
        "database.initial.statements", default=None, importance=_LOW,
        doc="SQL run on every connection that reads tables, separated by `;` (`;;` is a semicolon).",
    )  # fmt: skip
    ssl_mode: str = _postgres(
        "database.sslmode", default="prefer",
        values=["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        doc="Whether to encrypt, and whether to check the server's certificate and name.",
    )  # fmt: skip
    ssl_cert: str | None = _postgres("database.sslcert", default=None,
                                     doc="File with the client's certificate, PEM.")  # fmt: skip
    ssl_password: Password | None = _postgres(  # noqa: RUF009
        "database.sslpassword", default=None, doc="Password of the client's key."
    )
    ssl_root_cert: str | None = _postgres("database.sslrootcert", default=None,
                                          doc="File with the authorities to trust, PEM.")  # fmt: skip
    ssl_key: str | None = _postgres("database.sslkey", default=None, doc="File with the client's key, PEM.")
    slot_retries: int = _postgres("slot.max.retries", default=6, importance=_LOW,
                                  doc="Debezium's number of tries at a slot in use; it is waited for.")  # fmt: skip
    slot_delay_ms: int = _postgres("slot.retry.delay.ms", default=10000, type="LONG", importance=_LOW,
                                   doc="Debezium's pause between them; accepted, retries back off.")  # fmt: skip
    ssl_factory: str | None = _postgres("database.sslfactory", default=None,
                                        doc="Java class; accepted, there is no Java here.")  # fmt: skip
    status_ms: int = _postgres("status.update.interval.ms", default=10000, check=_positive,
                               doc="Milliseconds between reports to the server of what is durable.")  # fmt: skip
    flush_timeout_ms: int = _postgres("lsn.flush.timeout.ms", default=30000, type="LONG",
                                      doc="Debezium's limit for a flush; accepted, reports never wait.")  # fmt: skip
    flush_timeout_action: str = _postgres("lsn.flush.timeout.action", default="fail", values=["warn", "fail", "ignore"],
                                          doc="What Debezium does past it; accepted.")  # fmt: skip
    keep_alive: bool = _postgres("database.tcpKeepAlive", default=True,
                                 doc="Notice a connection that died silently.")  # fmt: skip
    xmin_ms: int = _postgres("xmin.fetch.interval.ms", default=0, type="LONG",
                             doc="Milliseconds between looks at xmin for source.xmin; 0: never.")  # fmt: skip
    skipped_operations: tuple[str, ...] = _postgres(
        "skipped.operations", default=("t",), importance=_LOW, check=_operations,
        doc="Operations to leave out: c, u, d, t (truncate), or none.",
    )  # fmt: skip
    flush_mode: str | None = _postgres(
        "lsn.flush.mode", default=None, importance=_LOW, values=["connector", "manual", "connector_and_driver"],
        doc="Who tells the server what it may forget: the connector, or somebody else (manual).",
    )  # fmt: skip
    flush_source: bool = _postgres("flush.lsn.source", default=True, importance=_LOW,
                                   doc="Older way to say lsn.flush.mode: false is manual.")  # fmt: skip
    event_failure_mode: str = _connector(
        "event.processing.failure.handling.mode", default="fail", values=_FAILURE_MODES,
        doc="What to do with an event that cannot be processed.",
    )  # fmt: skip
    max_batch_size: int = _connector("max.batch.size", default=2048, check=_positive,
                                     doc="Most records handed over at once while streaming.")  # fmt: skip
    max_queue_size: int = _connector("max.queue.size", default=8192, check=_positive,
                                     doc="Debezium's queue length; accepted, reading waits for the log.")  # fmt: skip
    poll_interval_ms: int = _connector("poll.interval.ms", default=500, type="LONG", check=_positive,
                                       doc="Debezium's pause between polls; accepted, reading blocks.")  # fmt: skip
    max_queue_bytes: int = _connector("max.queue.size.in.bytes", default=0, type="LONG", check=_not_negative,
                                      doc="Debezium's queue size; accepted, see max.queue.size.")  # fmt: skip
    transaction_metadata: bool = _connector("provide.transaction.metadata", default=False, importance=_LOW,
                                            doc="Write BEGIN and END of transactions to a topic.")  # fmt: skip
    snapshot_delay_ms: int = _connector("snapshot.delay.ms", default=0, type="LONG", check=_not_negative,
                                        importance=_LOW, doc="Milliseconds to wait before a snapshot.")  # fmt: skip
    streaming_delay_ms: int = _connector("streaming.delay.ms", default=0, type="LONG", check=_not_negative,
                                         importance=_LOW, doc="Milliseconds to wait before streaming.")  # fmt: skip
    snapshot_tables: tuple[str, ...] | None = _connector(
        "snapshot.include.collection.list", default=None, check=_java_regexes,
        doc="Regular expressions of the captured tables whose rows the snapshot reads; all when empty.",
    )  # fmt: skip
    snapshot_fetch_size: int | None = _connector("snapshot.fetch.size", default=None, check=_not_negative,
                                                 doc="Rows handed over at once by a snapshot.")  # fmt: skip
    snapshot_threads: int = _connector("snapshot.max.threads", default=1, check=_positive,
                                       doc="Tables a snapshot reads at the same time.")  # fmt: skip
    snapshot_threads_multiplier: int = _connector("snapshot.max.threads.multiplier", default=1, check=_positive,
                                                  doc="Chunks of a table for each snapshot thread.")  # fmt: skip
    legacy_snapshot_threads: bool = _connector(
        "internal.legacy.snapshot.max.threads", default=False, importance=_LOW,
        doc="One thread a table in parallel snapshots, however large the table.",
    )  # fmt: skip
    snapshot_mode_custom: str | None = _connector("snapshot.mode.custom.name", default=None,
                                                  doc="Java snapshotter of snapshot.mode=custom.")  # fmt: skip
    based_snapshot_data: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.data", default=False,
        doc="snapshot.mode=configuration_based: read rows.",
    )  # fmt: skip
    based_snapshot_schema: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.schema", default=False,
        doc="snapshot.mode=configuration_based: read table definitions.",
    )  # fmt: skip
    based_start_stream: bool = _connector(
        "snapshot.mode.configuration.based.start.stream", default=False,
        doc="snapshot.mode=configuration_based: go on with the WAL afterwards.",
    )  # fmt: skip
    based_on_schema_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.schema.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the schema history is gone.",
    )  # fmt: skip
    based_on_data_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.data.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the stored position is gone from the slot.",
    )  # fmt: skip
    retriable_wait_ms: int = _connector("retriable.restart.connector.wait.ms", default=10000, type="LONG",
                                        check=_positive, importance=_LOW,
                                        doc="Debezium's pause before a retry; accepted, retries back off.")  # fmt: skip
    query_fetch_size: int = _connector("query.fetch.size", default=0, check=_not_negative,
                                       doc="Accepted; results are always read row by row.")  # fmt: skip
    errors_max_retries: int = _connector("errors.max.retries", default=-1, importance=_LOW, check=at_least(-1),
                                         doc="Debezium's number of retries; outages are retried for ever.")  # fmt: skip
    watermarking: str = _connector(
        "incremental.snapshot.watermarking.strategy", default="INSERT_INSERT", importance=_LOW,
        values=["insert_delete", "insert_insert"], doc="How an incremental snapshot closes its window.",
    )  # fmt: skip
    log_position_check: bool = _connector(
        "internal.log.position.check.enable", default=True,
        doc="At start, look whether the slot still has the WAL after the stored position.",
    )  # fmt: skip
    advanced_metrics: bool = _connector("internal.advanced.metrics.enable", default=False,
                                        doc="Debezium's advanced metrics.")  # fmt: skip
    validation_timeout_ms: int = _connector("connection.validation.timeout.ms", default=60000, type="LONG",
                                            check=_positive, importance=_LOW,
                                            doc="Most milliseconds that `validate` waits for the server.")  # fmt: skip
    shutdown_timeout_ms: int = _connector("executor.shutdown.timeout.ms", default=4000, type="LONG",
                                          doc="Milliseconds Debezium waits for its threads; accepted.")  # fmt: skip
    lineage: bool = _connector("openlineage.integration.enabled", default=False, importance=_LOW,
                               doc="Send OpenLineage events.")  # fmt: skip
    lineage_file: str = _connector("openlineage.integration.config.file.path", default="./openlineage.yml",
                                   importance=_LOW, doc="OpenLineage's own config file.")  # fmt: skip
    lineage_namespace: str | None = _connector("openlineage.integration.job.namespace", default=None,
                                               importance=_LOW, doc="OpenLineage job namespace.")  # fmt: skip
    lineage_description: str = _connector(
        "openlineage.integration.job.description", default="Debezium change data capture job", importance=_LOW,
        doc="OpenLineage job description.",
    )  # fmt: skip
    lineage_tags: tuple[str, ...] | None = _connector("openlineage.integration.job.tags", default=None,
                                                      importance=_LOW, doc="OpenLineage job tags.")  # fmt: skip
    lineage_owners: tuple[str, ...] | None = _connector("openlineage.integration.job.owners", default=None,
                                                        importance=_LOW, doc="OpenLineage job owners.")  # fmt: skip
    lineage_servers: str | None = _connector("openlineage.integration.dataset.kafka.bootstrap.servers", default=None,
                                             importance=_LOW, doc="OpenLineage data set address.")  # fmt: skip
    extended_headers: bool = _connector("extended.headers.enabled", default=True, importance=_LOW,
                                        doc="Add the __debezium.context headers to every event.")  # fmt: skip
    guardrail_max: int = _connector("guardrail.collections.max", default=0, check=_not_negative,
                                    doc="Most tables the connector may capture; 0 is no limit.")  # fmt: skip
    guardrail_action: str = _connector("guardrail.collections.limit.action", default="warn", values=["warn", "fail"],
                                       doc="What to do past guardrail.collections.max.")  # fmt: skip
    sanitize_pattern: str = _connector(
        "custom.sanitize.pattern", importance=_LOW, check=_java_regexes,
        default=r".*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info"
                r"|.*registry\.auth\.client-secret",
        doc="Keys whose values Debezium hides in its log; accepted, config values are never logged here.",
    )  # fmt: skip
    decimal_mode: str = _connector("decimal.handling.mode", default="precise", values=["string", "double", "precise"],
                                   doc="DECIMAL and NUMERIC as Decimal, text or double.")  # fmt: skip
    time_precision: str = _connector(
        "time.precision.mode", default="adaptive",
        values=["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"],
        doc="Unit and schema of dates and times.",
    )  # fmt: skip
    lock_timeout_ms: int = _connector("snapshot.lock.timeout.ms", default=10000, type="LONG", check=_not_negative,
                                      doc="Most milliseconds a snapshot waits for its locks.")  # fmt: skip
    snapshot_mode: str = _connector(
        "snapshot.mode", default="initial",
        values=["always", "never", "initial_only", "configuration_based", "when_needed", "initial", "custom",
                "no_data"],
        old_values={"exported": "initial"},
        doc="When to read the tables before the WAL.",
    )  # fmt: skip
    isolation: str = _connector(
        "snapshot.isolation.mode", default="serializable", importance=_LOW,
        values=["read_uncommitted", "repeatable_read", "serializable", "read_committed"],
        doc="Isolation of the transactions that read a snapshot.",
    )  # fmt: skip
    snapshot_query_mode: str = _connector("snapshot.query.mode", default="select_all", importance=_LOW,
                                          values=["custom", "select_all"],
                                          doc="How a snapshot selects rows.")  # fmt: skip
    snapshot_query_custom: str | None = _connector("snapshot.query.mode.custom.name", default=None,
                                                   doc="Java class of snapshot.query.mode=custom.")  # fmt: skip
    locking_custom: str | None = _connector("snapshot.locking.mode.custom.name", default=None,
                                           doc="Java class of snapshot.locking.mode=custom.")  # fmt: skip
    locking_mode: str = _connector(
        "snapshot.locking.mode", default="none", importance=_LOW, values=["shared", "none", "custom"],
        doc="Whether a snapshot locks the tables against changes of their definition while it reads them.",
    )  # fmt: skip
    hstore_mode: str = _connector("hstore.handling.mode", default="json", importance=_LOW, values=["json", "map"],
                                  doc="HSTORE as JSON text or as a map.")  # fmt: skip
    binary_mode: str = _connector("binary.handling.mode", default="bytes",
                                 values=["bytes", "base64", "base64-url-safe", "hex"],
                                 doc="BINARY and BLOB as bytes or as text.")  # fmt: skip
    schema_names: str = _connector("schema.name.adjustment.mode", default="none", importance=_LOW,
                                   values=["none", "avro_unicode", "avro"],
                                   doc="Make schema names legal for Avro.")  # fmt: skip
    interval_mode: str = _connector("interval.handling.mode", default="numeric", importance=_LOW,
                                    values=["string", "numeric"],
                                    doc="INTERVAL as microseconds or as ISO 8601 text.")  # fmt: skip
    refresh_mode: str = _connector(
        "schema.refresh.mode", default="columns_diff", values=["columns_diff_exclude_unchanged_toast", "columns_diff"],
        doc="Accepted; the server announces every change of a table before its rows.",
    )  # fmt: skip
    incremental_chunk: int = _connector("incremental.snapshot.chunk.size", default=1024, check=_positive,
                                        doc="Rows of one chunk of an incremental snapshot.")  # fmt: skip
    unavailable_placeholder: str = _connector("unavailable.value.placeholder", default="__debezium_unavailable_value",
                                             doc="Stands for a value the WAL does not hold.")  # fmt: skip
    prefix_include: tuple[str, ...] | None = _connector(
        "message.prefix.include.list", default=None, check=_java_regexes,
        doc="Regular expressions of the prefixes of logical messages to capture.",
    )  # fmt: skip
    prefix_exclude: tuple[str, ...] | None = _connector(
        "message.prefix.exclude.list", default=None, check=_java_regexes,
        doc="Regular expressions of the prefixes of logical messages to leave out.",
    )  # fmt: skip
    via_root: bool = _connector("publish.via.partition.root", default=False,
                                doc="Create the publication so that partitions' rows are their root's.")  # fmt: skip
    converters: str | None = _events("converters", default=None, importance=_LOW,
                                     doc="Names of custom column converters.")  # fmt: skip
    post_processors: str | None = _events("post.processors", default=None, importance=_LOW,
                                          doc="Names of post processors.")  # fmt: skip
    tombstones: bool = _events("tombstones.on.delete", default=True,
                               doc="After a delete, write a record with the key and no value.")  # fmt: skip
    heartbeat_ms: int = _events("heartbeat.interval.ms", default=0, check=_not_negative,
                                doc="Milliseconds between heartbeat records; 0 sends none.")  # fmt: skip
    heartbeat_topics_prefix: str = _events("heartbeat.topics.prefix", default="__debezium-heartbeat", importance=_LOW,
                                           doc="Older name of topic.heartbeat.prefix.")  # fmt: skip
    signal_tables: tuple[str, ...] | None = _events("signal.data.collection", default=None,
                                                    doc="Table that signals are inserted into.")  # fmt: skip
    signal_poll_ms: int = _events("signal.poll.interval.ms", default=5000, type="LONG", check=_positive,
                                  doc="Milliseconds between looks for signals.")  # fmt: skip
    signal_channels: tuple[str, ...] = _events("signal.enabled.channels", default=("source",),
                                               doc="Where signals come from.")  # fmt: skip
    topic_naming: str = _events("topic.naming.strategy", default="io.debezium.schema.SchemaTopicNamingStrategy",
                                type="CLASS", doc="How topics are named.")  # fmt: skip
    notification_channels: tuple[str, ...] | None = _events("notification.enabled.channels", default=None,
                                                            doc="Where notifications go.")  # fmt: skip
    notification_topic: str | None = _events("notification.sink.topic.name", default=None, importance=_HIGH,
                                             doc="Topic of notifications.")  # fmt: skip
    transaction_factory: str = _events(
        "transaction.metadata.factory", default="io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory",
        type="CLASS", importance=_LOW, doc="Java class for transaction metadata.",
    )  # fmt: skip
    metric_tags: tuple[str, ...] | None = _events("custom.metric.tags", default=None, importance=_LOW,
                                                  doc="Tags of JMX metrics; there is no JMX here.")  # fmt: skip
    column_include: tuple[str, ...] | None = _events(
        "column.include.list", default=None, check=_java_regexes, aliases=["column.whitelist"],
        doc="Regular expressions of `schema.table.column` to capture; key columns always are.",
    )  # fmt: skip
    column_exclude: tuple[str, ...] | None = _events(
        "column.exclude.list", default=None, check=_java_regexes, aliases=["column.blacklist"],
        doc="Regular expressions of `schema.table.column` to leave out.",
    )  # fmt: skip
    table_include: tuple[str, ...] | None = _events(
        "table.include.list", default=None, check=_java_regexes, importance=_HIGH, aliases=["table.whitelist"],
        doc="Regular expressions of `schema.table` to capture.",
    )  # fmt: skip
    table_exclude: tuple[str, ...] | None = _events(
        "table.exclude.list", default=None, check=_java_regexes, aliases=["table.blacklist"],
        doc="Regular expressions of `schema.table` to leave out.",
    )  # fmt: skip
    ignore_builtin: bool = _events("table.ignore.builtin", default=True, importance=_LOW,
                                   depends_on=["schema.include.list"],
                                   doc="Leave out pg_catalog and information_schema.")  # fmt: skip
    schema_include: tuple[str, ...] | None = _events(
        "schema.include.list", default=None, check=_java_regexes, importance=_HIGH, aliases=["schema.whitelist"],
        depends_on=["table.include.list"], doc="Regular expressions of schemas to capture.",
    )  # fmt: skip
    schema_exclude: tuple[str, ...] | None = _events(
        "schema.exclude.list", default=None, check=_java_regexes, aliases=["schema.blacklist"],
        doc="Regular expressions of schemas to leave out.",
    )  # fmt: skip
    key_columns: str | None = _events("message.key.columns", default=None,
                                      doc="Keys other than the primary key: `regex:col,col;regex:col`.")  # fmt: skip
    select_overrides: str | None = _events(
        "snapshot.select.statement.overrides", default=None,
        doc="Tables (`schema.table`, comma separated) with a SELECT of their own in "
            "snapshot.select.statement.overrides.<schema>.<table>.",
    )  # fmt: skip
    mask_hash: str | None = _events("column.mask.hash.([^.]+).with.salt.(.+)", default=None,
                                    doc="Columns to replace by a salted hash.")  # fmt: skip
    mask_with: str | None = _events("column.mask.with.(d+).chars", default=None,
                                    doc="Columns to replace by asterisks.")  # fmt: skip
    truncate_to: int | None = _events("column.truncate.to.(d+).chars", default=None, doc="Columns to cut.")
    schema_comments: bool = _events("include.schema.comments", default=False,
                                    doc="Keep comments of tables and columns.")  # fmt: skip
    propagate_columns: tuple[str, ...] | None = _events(
        "column.propagate.source.type", default=None, check=_java_regexes,
        doc="Columns whose field schemas carry their PostgreSQL type.",
    )  # fmt: skip
    propagate_types: tuple[str, ...] | None = _events(
        "datatype.propagate.source.type", default=None, check=_java_regexes,
        doc="`schema.table.type` whose field schemas carry their PostgreSQL type.",
    )  # fmt: skip
    scan_all_columns: bool = _events("internal.snapshot.scan.all.columns.force", default=False, importance=_LOW,
                                     doc="Accepted; tables are described by their DDL.")  # fmt: skip
    tables_by_row_count: str = _events(
        "snapshot.tables.order.by.row.count", default="disabled", values=["disabled", "ascending", "descending"],
        doc="Order in which a snapshot reads the tables.",
    )  # fmt: skip
    heartbeat_query: str | None = _events("heartbeat.action.query", default=None, importance=_LOW,
                                          doc="SQL to run with each heartbeat.")  # fmt: skip
    unknown_types: bool = _events("include.unknown.datatypes", default=False,
                                  doc="Send columns of types that have no mapping as bytes of their text.")  # fmt: skip
    source_maker: str = _events(
        "sourceinfo.struct.maker", default="io.debezium.connector.postgresql.PostgresSourceInfoStructMaker",
        type="CLASS", importance=_LOW, doc="Java class that makes the source block.",
    )  # fmt: skip
    topic_delimiter: str = _unlisted("topic.delimiter", default=".", check=_topic_characters,
                                     doc="Between prefix, schema and table in topic names.")  # fmt: skip
    topic_cache: int = _unlisted("topic.cache.size", default=10000, check=_positive, importance=_LOW,
                                 doc="Accepted; every captured table keeps its topic name.")  # fmt: skip
    topic_heartbeat_prefix: str | None = _unlisted("topic.heartbeat.prefix", default=None, check=_topic_characters,
                                                   doc="Heartbeats go to <this>.<topic.prefix>.")  # fmt: skip
    topic_heartbeat_name: str | None = _unlisted("topic.heartbeat.name", default=None, check=_topic_characters,
                                                 doc="Heartbeats go to this topic.")  # fmt: skip
    topic_transaction: str = _unlisted("topic.transaction", default="transaction", importance=_LOW,
                                       doc="Transaction metadata goes to <topic.prefix>.<this>.")  # fmt: skip
    field_names: str = _unlisted("field.name.adjustment.mode", default="none", importance=_LOW,
                                 values=["none", "avro_unicode", "avro"],
                                 doc="Make field names legal for Avro.")  # fmt: skip
    convert_failure_mode: str = _unlisted("event.converting.failure.handling.mode", default="warn",
                                          values=["warn", "fail", "skip"],
                                          doc="What to do with a value that cannot be converted.")  # fmt: skip
    skip_unchanged: bool = _unlisted("skip.messages.without.change", default=False, importance=_LOW,
                                     doc="Leave out updates that change no captured column.")  # fmt: skip
    read_only: bool = _unlisted("read.only", default=False, importance=_LOW,
                                doc="Incremental snapshots without writing watermarks.")  # fmt: skip
    signal_max_retries: int = _unlisted("signal.emit.failure.max.retries", default=0, importance=_LOW,
                                        doc="Retries of a signal.")  # fmt: skip
    signal_backoff_ms: int = _unlisted("signal.emit.failure.backoff.ms", default=10000, importance=_LOW,
                                       doc="Milliseconds between them.")  # fmt: skip
    signal_file: str = _unlisted("signal.file", default="file-signals.txt", importance=_LOW,
                                 doc="File of the signal channel `file`.")  # fmt: skip
    signal_topic: str | None = _unlisted("signal.kafka.topic", default=None,
                                         doc="Topic of the signal channel `kafka`.")  # fmt: skip
    signal_servers: str | None = _unlisted("signal.kafka.bootstrap.servers", default=None,
                                           doc="Kafka brokers of that topic.")  # fmt: skip
    signal_timeout_ms: int = _unlisted("signal.kafka.poll.timeout.ms", default=0, importance=_LOW,
                                       doc="Milliseconds a look into that topic waits.")  # fmt: skip
    signal_group: str = _unlisted("signal.kafka.groupId", default="kafka-signal", importance=_LOW,
                                  doc="Consumer group on that topic.")  # fmt: skip
    dispatch_interval_ms: int = _unlisted("poll.dispatch.interval.ms", default=0, type="LONG", importance=_LOW,
                                          doc="Accepted, see poll.interval.ms.")  # fmt: skip
    queue_provider: str | None = _unlisted("queue.provider.type", default=None, importance=_LOW,
                                           doc="Accepted, see max.queue.size.")  # fmt: skip
    statistics: bool = _unlisted("statistics.metrics.enabled", default=True, importance=_LOW,
                                 doc="Accepted; metrics are always kept.")  # fmt: skip
    sanitize_field_names: bool = _unlisted("sanitize.field.names", default=False, importance=_LOW,
                                           doc="Older way to say field.name.adjustment.mode=avro.")  # fmt: skip
    transaction_topic: str | None = _unlisted("transaction.topic", default=None, importance=_LOW,
                                              doc="Debezium 1.x: full name of the transaction topic.")  # fmt: skip
