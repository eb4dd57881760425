"""Keys that are accepted by name but do nothing here yet: which are refused, which are warned of, and in what words.

Refused is what would change or reveal data when it is ignored; warned of is what only leaves something out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdc import limits, masks, notifications, reselect, signals
from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.limits import NO_JAVA, Limit, given, unless
from cdc.mysql import custom_converters
from cdc.mysql.config import MySqlConfig

HISTORY_CLASSES: Final = frozenset((
    "io.debezium.storage.kafka.history.KafkaSchemaHistory",
    "io.debezium.relational.history.KafkaSchemaHistory",
    "io.debezium.relational.history.KafkaDatabaseHistory",
))  # fmt: skip


REFUSED: Final = (
    Limit("snapshot_mode", lambda value: value == "custom", "a custom snapshotter is a Java class, and no Java "
          "runs here; use configuration_based"),
    Limit("snapshot_query_mode", lambda value: value == "custom", "a custom query is a Java class, and no Java "
          "runs here; use snapshot.select.statement.overrides"),
    Limit("locking_mode", lambda value: value == "custom", "a custom lock is a Java class, and no Java runs here; "
          "use minimal, extended or none"),
    Limit("transaction_factory", unless("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"), NO_JAVA),
    Limit("source_maker", unless("io.debezium.connector.mysql.MySqlSourceInfoStructMaker",
                                  "io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker"), NO_JAVA),
    Limit("new_tables", unless("off"), "Debezium removed it in 1.9; remove it"),
)  # fmt: skip
"""Ignoring these would write other data than the user asked for."""

WARNED: Final = (
    Limit("decode_failure_mode", unless("fail"), "Debezium 3 reads event.processing.failure.handling.mode in its "
          "place; set that"),
    Limit("sanitize_field_names", given, "Debezium does not read it since 2.0; set field.name.adjustment.mode=avro"),
    Limit("signal_channels", lambda value: not set(value) <= set(signals.CHANNELS), "the channels are source, kafka "
          "and file; there is no JMX, and no process to signal from: use POST /connectors/<name>/signal"),
    Limit("notification_channels", lambda value: not set(value or ()) <= set(notifications.CHANNELS),
          "the channels are sink and log; there is no JMX: use sink"),
    Limit("lineage", given, "no OpenLineage events are sent; GET /connectors/<name>/topics tells the topics"),
    Limit("metric_tags", given, "metrics carry no custom tags; add labels where they are scraped (relabel_configs)"),
    Limit("advanced_metrics", given, "there are no advanced metrics; see GET /metrics"),
    Limit("gtid_new_channel", unless("earliest"), "new GTID channels are read from their beginning"),
    *(Limit(field, given, "it masks nothing; the parentheses stand for a number, or an algorithm and a salt")
      for field in ("mask_hash", "mask_with", "truncate_to")),
    Limit("jdbc_driver", unless("com.mysql.cj.jdbc.Driver", "org.mariadb.jdbc.Driver"), "there is no JDBC driver here"),
    Limit("protocol", unless("jdbc:mysql", "jdbc:mariadb"), "there is no JDBC here"),
)  # fmt: skip
"""Ignoring these leaves something out that the user can live without, when told so."""


def refused(config: MySqlConfig, raw: Mapping[str, str]) -> list[Problem]:
    """What the config asks for and must not be ignored."""
    found = limits.refused(config, REFUSED) + custom_converters.problems(raw)
    if config.history_class not in HISTORY_CLASSES:
        found.append(Problem("schema.history.internal", _other_history(config.history_class)))
    return found


def warned(config: MySqlConfig, raw: Mapping[str, str]) -> list[str]:
    """What the config asks for and is not done, one sentence a key."""
    found = limits.warned(config, WARNED) + masks.unread(raw) + reselect.unread(config.post_processors, raw)
    return found + [f"{name}: there is no JDBC driver here; it does nothing" for name in raw if _is_driver(name)]


def _is_driver(name: str) -> bool:
    return name.startswith("driver.")


def _other_history(class_name: str) -> str:
    return INVALID.format(
        name="schema.history.internal",
        problem=f"{class_name} is not available: table definitions are kept in a topic of the log. Remove the key, "
        "name the topic in schema.history.internal.kafka.topic, and start once with snapshot.mode=recovery to write "
        "the definitions there; the connector's offset is kept",
    )
