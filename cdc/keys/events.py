"""Keys of the group of events that every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, java_regexes, not_negative, positive

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_events = partial(declared, group="Events")


@dataclass(frozen=True, kw_only=True)
class EventKeys:
    """What is captured, and what is written beside the changes."""

    converters: str | None = _events("converters", default=None, importance=_LOW,
                                     doc="Names of column converters; `<name>.type` is a class.")  # fmt: skip
    post_processors: str | None = _events("post.processors", default=None, importance=_LOW,
                                          doc="Names of post processors.")  # fmt: skip
    tombstones: bool = _events("tombstones.on.delete", default=True,
                               doc="After a delete, write a record with the key and no value.")  # fmt: skip
    heartbeat_ms: int = _events("heartbeat.interval.ms", default=0, check=not_negative,
                                doc="Milliseconds between heartbeat records; 0 sends none.")  # fmt: skip
    heartbeat_topics_prefix: str = _events("heartbeat.topics.prefix", default="__debezium-heartbeat", importance=_LOW,
                                           doc="Older name of topic.heartbeat.prefix.")  # fmt: skip
    signal_tables: tuple[str, ...] | None = _events("signal.data.collection", default=None,
                                                    doc="Table that signals are inserted into.")  # fmt: skip
    signal_poll_ms: int = _events("signal.poll.interval.ms", default=5000, type="LONG", check=positive,
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
        "column.include.list", default=None, check=java_regexes, aliases=["column.whitelist"],
        doc="Regular expressions of `{table}.column` to capture; key columns always are.",
    )  # fmt: skip
    column_exclude: tuple[str, ...] | None = _events(
        "column.exclude.list", default=None, check=java_regexes, aliases=["column.blacklist"],
        doc="Regular expressions of `{table}.column` to leave out.",
    )  # fmt: skip
    table_include: tuple[str, ...] | None = _events(
        "table.include.list", default=None, check=java_regexes, importance=_HIGH, aliases=["table.whitelist"],
        doc="Regular expressions of `{table}` to capture.",
    )  # fmt: skip
    table_exclude: tuple[str, ...] | None = _events(
        "table.exclude.list", default=None, check=java_regexes, aliases=["table.blacklist"],
        doc="Regular expressions of `{table}` to leave out.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TableKeys:
    """What is particular to single tables and columns."""

    key_columns: str | None = _events("message.key.columns", default=None,
                                      doc="Keys other than the primary key: `regex:col,col;regex:col`.")  # fmt: skip
    select_overrides: str | None = _events(
        "snapshot.select.statement.overrides", default=None,
        doc="Tables (`{table}`, comma separated) with a SELECT of their own in "
            "snapshot.select.statement.overrides.<{table}>.",
    )  # fmt: skip
    mask_hash: str | None = _events("column.mask.hash.([^.]+).with.salt.(.+)", default=None,
                                    doc="Columns to replace by a salted hash.")  # fmt: skip
    mask_with: str | None = _events("column.mask.with.(d+).chars", default=None,
                                    doc="Columns to replace by asterisks.")  # fmt: skip
    truncate_to: int | None = _events("column.truncate.to.(d+).chars", default=None, doc="Columns to cut.")


@dataclass(frozen=True, kw_only=True)
class ColumnKeys:
    """What schemas tell of columns; in which order tables are read."""

    schema_comments: bool = _events("include.schema.comments", default=False,
                                    doc="Keep comments of tables and columns.")  # fmt: skip
    propagate_columns: tuple[str, ...] | None = _events(
        "column.propagate.source.type", default=None, check=java_regexes,
        doc="Columns whose field schemas carry their {server} type.",
    )  # fmt: skip
    propagate_types: tuple[str, ...] | None = _events(
        "datatype.propagate.source.type", default=None, check=java_regexes,
        doc="`{type}` whose field schemas carry their {server} type.",
    )  # fmt: skip
    scan_all_columns: bool = _events("internal.snapshot.scan.all.columns.force", default=False, importance=_LOW,
                                     doc="Accepted; tables are described by their DDL.")  # fmt: skip
    tables_by_row_count: str = _events(
        "snapshot.tables.order.by.row.count", default="disabled", values=["disabled", "ascending", "descending"],
        doc="Order in which a snapshot reads the tables.",
    )  # fmt: skip
    heartbeat_query: str | None = _events("heartbeat.action.query", default=None, importance=_LOW,
                                          doc="SQL to run with each heartbeat.")  # fmt: skip
