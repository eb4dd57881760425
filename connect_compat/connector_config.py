"""The keys every connector has, whoever wrote it: name, class, converters, transforms, error handling, topics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdc.config import Importance, at_least, key, one_of

HIGH, LOW = Importance.HIGH, Importance.LOW
JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
HEADER_CONVERTER = "org.apache.kafka.connect.storage.SimpleHeaderConverter"


_ANY_CASE = "Invalid value {{value}} for configuration {{name}}: String must be one of (case insensitive): {}"


def _connector_name(value: str) -> str | None:
    if not value:
        return "String may not be empty"
    bad = ", ".join(map(str, sorted({ord(char) for char in value if ord(char) < 32 or 127 <= ord(char) < 160})))
    return f"String may not contain control sequences but had the following ASCII chars: {bad}" if bad else None


def _not_blank(value: str | None) -> str | None:
    return "String must be non-empty" if value == "" else None


def _boundary(value: int | None) -> str | None:
    return None if value is None or value >= 1 else "Value must be at least 1"


def _java_regex(value: str) -> str | None:
    try:
        re.compile(value)
    except re.error as error:
        return f"Invalid regex: {error}"
    return None


@dataclass(frozen=True, kw_only=True)
class ConnectorKeys:
    """What the runtime reads of every connector config."""

    name: str = key("name", doc="Name of this connector; no other of the worker has it.", importance=HIGH,
                    label="Connector name", check=_connector_name)  # fmt: skip
    connector_class: str = key(
        "connector.class", importance=HIGH, width="LONG", label="Connector class",
        doc="Class of this connector: full name, simple name, or simple name without `Connector`.",
    )  # fmt: skip
    plugin_version: str | None = key(
        "connector.plugin.version", default=None, doc="Version of the connector.", label="Connector version",
    )  # fmt: skip
    tasks_max: int = key("tasks.max", default=1, doc="The most tasks this connector may run.", importance=HIGH,
                         width="SHORT", label="Tasks max", check=at_least(1))  # fmt: skip
    tasks_max_enforce: bool = key(
        "tasks.max.enforce", default=True, importance=LOW, width="SHORT", label="Enforce tasks max",
        doc="Deprecated. Whether a connector that asks for more than tasks.max tasks fails.",
    )  # fmt: skip
    key_converter: str | None = key(
        "key.converter", default=None, type="CLASS", importance=LOW, width="SHORT", label="Key converter class",
        doc="Class that turns record keys into bytes and back; the worker's when not set.",
    )  # fmt: skip
    key_converter_version: str | None = key(
        "key.converter.plugin.version", default=None, importance=LOW, width="SHORT", label="Key converter version",
        doc="Version of the key converter.",
    )  # fmt: skip
    value_converter: str | None = key(
        "value.converter", default=None, type="CLASS", importance=LOW, width="SHORT", label="Value converter class",
        doc="Class that turns record values into bytes and back; the worker's when not set.",
    )  # fmt: skip
    value_converter_version: str | None = key(
        "value.converter.plugin.version", default=None, importance=LOW, width="SHORT", label="Value converter version",
        doc="Version of the value converter.",
    )  # fmt: skip
    header_converter: str | None = key(
        "header.converter", default=None, type="CLASS", importance=LOW, width="SHORT", label="Header converter class",
        doc="Class that turns header values into bytes and back; the worker's when not set.",
    )  # fmt: skip
    header_converter_version: str | None = key(
        "header.converter.plugin.version", default=None, importance=LOW, width="SHORT",
        label="Header converter version", doc="Version of the header converter.",
    )  # fmt: skip
    transforms: tuple[str, ...] = key(
        "transforms", default=(), group="Transforms", importance=LOW, width="LONG", label="Transforms",
        doc="Aliases of the transforms each record goes through, in order.",
    )  # fmt: skip
    predicates: tuple[str, ...] = key(
        "predicates", default=(), group="Predicates", importance=LOW, width="LONG", label="Predicates",
        doc="Aliases of the predicates that transforms may ask.",
    )  # fmt: skip
    reload: str = key(
        "config.action.reload", default="restart", importance=LOW, label="Reload Action",
        check=one_of("none", "restart"),
        doc="What to do when a value that a config provider gave changes: `restart` or `none`.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ErrorKeys:
    """What to do when a record cannot be carried."""

    retry_timeout_ms: int = key(
        "errors.retry.timeout", default=0, type="LONG", group="Error Handling", label="Retry Timeout for Errors",
        doc="Milliseconds to repeat a failed step; 0 does not repeat, -1 repeats for ever.",
    )  # fmt: skip
    retry_delay_max_ms: int = key(
        "errors.retry.delay.max.ms", default=60_000, type="LONG", group="Error Handling",
        label="Maximum Delay Between Retries for Errors", doc="The most milliseconds between two tries.",
    )  # fmt: skip
    tolerance: str = key(
        "errors.tolerance", default="none", group="Error Handling", width="SHORT", label="Error Tolerance",
        check=one_of("none", "all"), doc="`none` stops the task at a bad record, `all` skips it.",
    )  # fmt: skip
    log: bool = key("errors.log.enable", default=False, group="Error Handling", width="SHORT", label="Log Errors",
                    doc="Whether to log each error.")  # fmt: skip
    log_records: bool = key(
        "errors.log.include.messages", default=False, group="Error Handling", width="SHORT", label="Log Error Details",
        doc="Whether to log topic, partition, offset and timestamp of the record too; its content is never logged.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SourceKeys:
    """What the runtime reads of a source's config."""

    topic_groups: tuple[str, ...] = key(
        "topic.creation.groups", default=(), group="Topic Creation", importance=LOW, width="LONG",
        label="Topic Creation Groups", doc="Groups of settings for the topics that the source creates.",
    )  # fmt: skip
    exactly_once: str = key(
        "exactly.once.support", default="requested", group="Exactly Once Support", width="SHORT",
        label="Exactly once support", values=("requested", "required"), invalid=_ANY_CASE.format("REQUIRED, REQUESTED"),
        doc="`required` refuses the connector when exactly-once delivery cannot be had.",
    )  # fmt: skip
    boundary: str = key(
        "transaction.boundary", default="poll", group="Exactly Once Support", width="SHORT",
        label="Transaction Boundary", values=("poll", "interval", "connector"),
        invalid=_ANY_CASE.format("INTERVAL, POLL, CONNECTOR"),
        doc="When a transaction ends: after each batch, after an interval, or where the connector says.",
    )  # fmt: skip
    boundary_ms: int | None = key(
        "transaction.boundary.interval.ms", default=None, type="LONG", group="Exactly Once Support", importance=LOW,
        width="SHORT", label="Transaction boundary interval", check=_boundary,
        doc="Milliseconds of one transaction when the boundary is `interval`; the worker's flush interval when unset.",
    )  # fmt: skip
    offsets_topic: str | None = key(
        "offsets.storage.topic", default=None, group="offsets.topic", importance=LOW, width="LONG",
        label="Offsets topic", check=_not_blank,
        doc="Topic for the offsets of this connector alone; the worker's when not set.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SinkKeys:
    """What the runtime reads of a sink's config."""

    topics: tuple[str, ...] = key("topics", default=(), importance=HIGH, width="LONG", label="Topics",
                                  doc="Topics to read, separated by commas.")  # fmt: skip
    topics_regex: str = key(
        "topics.regex", default="", importance=HIGH, width="LONG", label="Topics regex", check=_java_regex,
        doc="Regular expression that names the topics to read. Set this or topics, not both.",
    )  # fmt: skip
    dlq_topic: str = key(
        "errors.deadletterqueue.topic.name", default="", group="Error Handling", label="Dead Letter Queue Topic Name",
        doc="Topic for records that could not be written; none by default.",
    )  # fmt: skip
    dlq_replication: int = key(
        "errors.deadletterqueue.topic.replication.factor", default=3, type="SHORT", group="Error Handling",
        label="Dead Letter Queue Topic Replication Factor", doc="Replication factor of that topic when it is created.",
    )  # fmt: skip
    dlq_headers: bool = key(
        "errors.deadletterqueue.context.headers.enable", default=False, group="Error Handling",
        label="Enable Error Context Headers", doc="Whether records there say in headers what went wrong.",
    )  # fmt: skip


ORDER_IN_GROUP: Mapping[str, int] = {
    "offsets.storage.topic": 1, "topics": 4, "topics.regex": 4, "errors.deadletterqueue.topic.name": 6,
    "errors.deadletterqueue.topic.replication.factor": 7, "errors.deadletterqueue.context.headers.enable": 8,
}  # fmt: skip
"""Where Kafka Connect's order is not that of the declaration above."""

PREFIXES = ("key.converter.", "value.converter.", "header.converter.", "transforms.", "predicates.",
            "producer.override.", "consumer.override.", "admin.override.", "topic.creation.")  # fmt: skip
"""Keys below these belong to someone else's declaration."""


def aliases(listed: str | None) -> list[str]:
    """The names in a comma-separated list, in order."""
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


def with_prefix(config: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The keys below `prefix`, without it."""
    return {name.removeprefix(prefix): text for name, text in config.items() if name.startswith(prefix)}


def with_worker_converters(config: Mapping[str, str], worker: Mapping[str, str]) -> dict[str, str]:
    """A connector's config with the worker's converters where it names none of its own.

    The settings of a converter are read where its class is set, never half from here and half from there.
    """
    full = dict(config)
    for name in ("key.converter", "value.converter", "header.converter"):
        if name in config:
            continue
        foreign = [key for key in full if key.startswith(name + ".")]
        for inherited in foreign:
            del full[inherited]
        full.update({key: text for key, text in worker.items() if key == name or key.startswith(name + ".")})
    return full


def java_map(config: Mapping[str, str | None] | Iterable[tuple[str, str | None]]) -> str:
    """A map as Java's `toString` writes it, as some messages of Kafka Connect show a config."""
    pairs = config.items() if isinstance(config, Mapping) else config
    return "{" + ", ".join(f"{name}={'null' if text is None else text}" for name, text in pairs) + "}"
