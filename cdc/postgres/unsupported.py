"""Keys that are accepted by name but do nothing here yet: which are refused, which are warned of, and in what words.

Refused is what would change or reveal data when it is ignored; warned of is what only leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from cdc.config import keys, wire_text
from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.postgres.config import PostgresConfig

PREFIXES: Final = ("column.mask.", "column.truncate.to.", "driver.", "signal.consumer.", "openlineage.")


class Limit(NamedTuple):
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
    Limit("converters", _given, "custom column converters are not available; remove it"),
    Limit("post_processors", _given, "post processors are not available; remove it"),
    Limit("transaction_metadata", _given, "transaction metadata is not available; set it to false"),
    Limit("field_names", _not("none"), "adjusting field names is not available; set it to none"),
    Limit("sanitize_field_names", _given, "adjusting field names is not available; set it to false"),
    Limit("snapshot_mode", lambda value: value == "custom", "a custom snapshotter is a Java class, and no Java runs "
          "here; use configuration_based"),
    Limit("locking_mode", lambda value: value == "custom", "a custom lock is a Java class, and no Java runs here; use "
          "shared or none"),
    Limit("replica_identity", _given, "replica identities are not set here; run ALTER TABLE … REPLICA IDENTITY "
          "yourself and remove it"),
    Limit("source_maker", _not("io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"), _NO_JAVA),
)  # fmt: skip
"""Ignoring these would write other data than the user asked for."""

WARNED: Final = (
    Limit("signal_tables", _given, "signals are not read yet: incremental and blocking snapshots cannot be started"),
    Limit("notification_channels", _given, "no notifications are sent yet"),
    Limit("snapshot_threads", lambda value: value > 1, "a snapshot reads one table at a time"),
    Limit("heartbeat_query", _given, "the query is not run with heartbeats yet"),
    Limit("stream_params", _given, "pgoutput takes no options of a user"),
    Limit("xmin_ms", lambda value: value > 0, "source.xmin stays null"),
    Limit("event_failure_mode", _not("fail"), "an event that cannot be processed stops the task all the same"),
    Limit("metric_tags", _given, "metrics carry no custom tags"),
    Limit("lineage", _given, "no OpenLineage events are sent"),
)  # fmt: skip
"""Ignoring these leaves something out that the user can live without, when told so."""


def refused(config: PostgresConfig, raw: Mapping[str, str]) -> list[Problem]:
    """What the config asks for and must not be ignored."""
    declared = keys(PostgresConfig)
    found = []
    for limit in REFUSED:
        value = getattr(config, limit.field)
        if limit.ignored(value):
            name = declared[limit.field].name
            found.append(Problem(name, INVALID.format(name=name, problem=f"{wire_text(value)}: {limit.words}")))
    for name in raw:
        if name.startswith(PREFIXES[:2]) and "(" not in name:
            problem = "masking, hashing and cutting columns are not available; leave the column out by "
            found.append(Problem(name, INVALID.format(name=name, problem=problem + "column.exclude.list")))
    return found


def warned(config: PostgresConfig) -> list[str]:
    """What the config asks for and is not done, one sentence a key."""
    declared = keys(PostgresConfig)
    return [
        f"{declared[limit.field].name}={wire_text(getattr(config, limit.field))}: {limit.words}"
        for limit in WARNED
        if limit.ignored(getattr(config, limit.field))
    ]
