"""Keys that are accepted by name but do nothing here yet: which are refused, which are warned of, and in what words.

Refused is what would change or reveal data when it is ignored; warned of is what only leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from cdc import masks, notifications, signals
from cdc.config import keys, wire_text
from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.mysql import custom_converters, reselect
from cdc.mysql.config import MySqlConfig

HISTORY_CLASSES: Final = frozenset((
    "io.debezium.storage.kafka.history.KafkaSchemaHistory",
    "io.debezium.relational.history.KafkaSchemaHistory",
    "io.debezium.relational.history.KafkaDatabaseHistory",
))  # fmt: skip


class _Limit(NamedTuple):
    """When `ignored` says yes to a field's value, `words` tell what that means."""

    field: str
    ignored: Callable[[Any], bool]
    words: str


def _given(value: object) -> bool:
    return value not in (None, (), "", False)


def _not(*usual: str) -> Callable[[Any], bool]:
    return lambda value: value not in usual


_NO_JAVA: Final = "it names a Java class, and no Java runs here; remove it"

REFUSED: Final = (
    _Limit("snapshot_mode", lambda value: value == "custom", "a custom snapshotter is a Java class, and no Java "
           "runs here; use configuration_based"),
    _Limit("snapshot_query_mode", lambda value: value == "custom", "a custom query is a Java class, and no Java "
           "runs here; use snapshot.select.statement.overrides"),
    _Limit("locking_mode", lambda value: value == "custom", "a custom lock is a Java class, and no Java runs here; "
           "use minimal, extended or none"),
    _Limit("transaction_factory", _not("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"), _NO_JAVA),
    _Limit("source_maker", _not("io.debezium.connector.mysql.MySqlSourceInfoStructMaker",
                                 "io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker"), _NO_JAVA),
    _Limit("new_tables", _not("off"), "Debezium removed it in 1.9; remove it"),
)  # fmt: skip
"""Ignoring these would write other data than the user asked for."""

WARNED: Final = (
    _Limit("decode_failure_mode", _not("fail"), "Debezium 3 reads event.processing.failure.handling.mode in its place; "
           "set that"),
    _Limit("sanitize_field_names", _given, "Debezium does not read it since 2.0; set field.name.adjustment.mode=avro"),
    _Limit("signal_channels", lambda value: not set(value) <= set(signals.CHANNELS), "the channels are source, kafka "
           "and file; there is no JMX, and no process to signal from: use POST /connectors/<name>/signal"),
    _Limit("notification_channels", lambda value: not set(value or ()) <= set(notifications.CHANNELS),
           "the channels are sink and log; there is no JMX: use sink"),
    _Limit("lineage", _given, "no OpenLineage events are sent; GET /connectors/<name>/topics tells the topics"),
    _Limit("metric_tags", _given, "metrics carry no custom tags; add labels where they are scraped (relabel_configs)"),
    _Limit("advanced_metrics", _given, "there are no advanced metrics; see GET /metrics"),
    _Limit("gtid_new_channel", _not("earliest"), "new GTID channels are read from their beginning"),
    *(_Limit(field, _given, "it masks nothing; the parentheses stand for a number, or an algorithm and a salt")
      for field in ("mask_hash", "mask_with", "truncate_to")),
    _Limit("jdbc_driver", _not("com.mysql.cj.jdbc.Driver", "org.mariadb.jdbc.Driver"), "there is no JDBC driver here"),
    _Limit("protocol", _not("jdbc:mysql", "jdbc:mariadb"), "there is no JDBC here"),
)  # fmt: skip
"""Ignoring these leaves something out that the user can live without, when told so."""


def refused(config: MySqlConfig, raw: Mapping[str, str]) -> list[Problem]:
    """What the config asks for and must not be ignored."""
    declared = keys(MySqlConfig)
    found = []
    for limit in REFUSED:
        value = getattr(config, limit.field)
        if limit.ignored(value):
            name = declared[limit.field].name
            found.append(Problem(name, INVALID.format(name=name, problem=f"{wire_text(value)}: {limit.words}")))
    found += custom_converters.problems(raw)
    if config.history_class not in HISTORY_CLASSES:
        found.append(Problem("schema.history.internal", _other_history(config.history_class)))
    return found


def warned(config: MySqlConfig, raw: Mapping[str, str]) -> list[str]:
    """What the config asks for and is not done, one sentence a key."""
    declared = keys(MySqlConfig)
    found = [
        f"{declared[limit.field].name}={wire_text(getattr(config, limit.field))}: {limit.words}"
        for limit in WARNED
        if limit.ignored(getattr(config, limit.field))
    ]
    found += masks.unread(raw) + reselect.unread(config.post_processors, raw)
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
