"""Keys of the groups of the server and of the connector that every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance, Password, at_least, between
from cdc.keys.declare import FAILURE_MODES, declared, java_regexes, not_negative, positive, topic_characters

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_server = partial(declared, group="{group}")
_connector = partial(declared, group="Connector")


@dataclass(frozen=True, kw_only=True)
class ServerKeys:
    """Where the server is, and as whom to log in."""

    topic_prefix: str = _server(
        "topic.prefix", default=None, needed=True, check=topic_characters, importance=_HIGH,
        aliases=["database.server.name"],
        doc="Name of this database server; every topic of the connector begins with it. Never change it later.",
    )  # fmt: skip
    host: str = _server("database.hostname", default=None, needed=True, importance=_HIGH,
                        doc="Host name or address of the {server} server.")  # fmt: skip
    port: int = _server("database.port", default=3306, check=between(1, 65535), importance=_HIGH,
                        doc="TCP port of the {server} server.")  # fmt: skip
    user: str = _server("database.user", default=None, needed=True, importance=_HIGH, doc="User to log in as.")
    password: Password | None = _server(  # noqa: RUF009
        "database.password", default=None, importance=_HIGH, doc="That user's password."
    )


@dataclass(frozen=True, kw_only=True)
class QueueKeys:
    """What stands between reading and the log."""

    event_failure_mode: str = _connector(
        "event.processing.failure.handling.mode", default="fail", values=FAILURE_MODES,
        doc="What to do with an event that cannot be processed.",
    )  # fmt: skip
    max_batch_size: int = _connector("max.batch.size", default=2048, check=positive,
                                     doc="Most records handed over at once while streaming.")  # fmt: skip
    max_queue_size: int = _connector("max.queue.size", default=8192, check=positive,
                                     doc="Debezium's queue length; accepted, reading waits for the log.")  # fmt: skip
    poll_interval_ms: int = _connector("poll.interval.ms", default=500, type="LONG", check=positive,
                                       doc="Debezium's pause between polls; accepted, reading blocks.")  # fmt: skip
    max_queue_bytes: int = _connector("max.queue.size.in.bytes", default=0, type="LONG", check=not_negative,
                                      doc="Debezium's queue size; accepted, see max.queue.size.")  # fmt: skip
    transaction_metadata: bool = _connector("provide.transaction.metadata", default=False, importance=_LOW,
                                            doc="Write BEGIN and END of transactions to a topic.")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ConnectorKeys:
    """Snapshots, retries, and what is done beside capturing."""

    snapshot_delay_ms: int = _connector("snapshot.delay.ms", default=0, type="LONG", check=not_negative,
                                        importance=_LOW, doc="Milliseconds to wait before a snapshot.")  # fmt: skip
    streaming_delay_ms: int = _connector("streaming.delay.ms", default=0, type="LONG", check=not_negative,
                                         importance=_LOW, doc="Milliseconds to wait before streaming.")  # fmt: skip
    snapshot_tables: tuple[str, ...] | None = _connector(
        "snapshot.include.collection.list", default=None, check=java_regexes,
        doc="Regular expressions of the captured tables whose rows the snapshot reads; all when empty.",
    )  # fmt: skip
    snapshot_fetch_size: int | None = _connector("snapshot.fetch.size", default=None, check=not_negative,
                                                 doc="Rows handed over at once by a snapshot.")  # fmt: skip
    snapshot_threads: int = _connector("snapshot.max.threads", default=1, check=positive,
                                       doc="Sessions of a snapshot, all in one consistent view.")  # fmt: skip
    snapshot_threads_multiplier: int = _connector("snapshot.max.threads.multiplier", default=1, check=positive,
                                                  doc="Ranges of a large table for each of them.")  # fmt: skip
    legacy_snapshot_threads: bool = _connector(
        "internal.legacy.snapshot.max.threads", default=False, importance=_LOW,
        aliases=["legacy.snapshot.max.threads"],
        doc="Whole tables only in parallel snapshots, however large.",
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
        doc="snapshot.mode=configuration_based: go on with the {log} afterwards.",
    )  # fmt: skip
    based_on_schema_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.schema.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the schema history is gone.",
    )  # fmt: skip
    based_on_data_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.data.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the stored position is gone from the {log}.",
    )  # fmt: skip
    retriable_wait_ms: int = _connector("retriable.restart.connector.wait.ms", default=10000, type="LONG",
                                        check=positive, importance=_LOW,
                                        doc="Debezium's pause before a retry; accepted, retries back off.")  # fmt: skip
    query_fetch_size: int = _connector("query.fetch.size", default=0, check=not_negative,
                                       doc="Accepted; results are always read row by row.")  # fmt: skip
    errors_max_retries: int = _connector("errors.max.retries", default=-1, importance=_LOW, check=at_least(-1),
                                         doc="Debezium's number of retries; outages are retried for ever.")  # fmt: skip
    watermarking: str = _connector(
        "incremental.snapshot.watermarking.strategy", default="INSERT_INSERT", importance=_LOW,
        values=["insert_delete", "insert_insert"], doc="How an incremental snapshot closes its window.",
    )  # fmt: skip
    log_position_check: bool = _connector(
        "internal.log.position.check.enable", default=True,
        doc="At start, look whether the server still has the {log} after the stored position.",
    )  # fmt: skip
    advanced_metrics: bool = _connector("internal.advanced.metrics.enable", default=False,
                                        doc="Debezium's advanced metrics.")  # fmt: skip
    validation_timeout_ms: int = _connector("connection.validation.timeout.ms", default=60000, type="LONG",
                                            check=positive, importance=_LOW,
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
    guardrail_max: int = _connector("guardrail.collections.max", default=0, check=not_negative,
                                    doc="Most tables the connector may capture; 0 is no limit.")  # fmt: skip
    guardrail_action: str = _connector("guardrail.collections.limit.action", default="warn", values=["warn", "fail"],
                                       doc="What to do past guardrail.collections.max.")  # fmt: skip
    sanitize_pattern: str = _connector(
        "custom.sanitize.pattern", importance=_LOW, check=java_regexes,
        default=r".*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info"
                r"|.*registry\.auth\.client-secret",
        doc="Keys whose values Debezium hides in its log; accepted, config values are never logged here.",
    )  # fmt: skip
    decimal_mode: str = _connector("decimal.handling.mode", default="precise", values=["string", "double", "precise"],
                                   doc="DECIMAL and NUMERIC as Decimal, text or double.")  # fmt: skip
