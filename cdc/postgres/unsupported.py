"""Keys that are accepted by name but do nothing here yet: which are refused, which are warned of, and in what words.

Refused is what would change or reveal data when it is ignored; warned of is what only leaves something out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdc import limits, masks, reselect
from cdc.errors import Problem
from cdc.limits import NO_JAVA, Limit, given, unless
from cdc.postgres.config import PostgresConfig

PREFIXES: Final = ("driver.", "openlineage.")


REFUSED: Final = (
    Limit("converters", given, "custom column converters are not available; remove it"),
    Limit("snapshot_mode", lambda value: value == "custom", "a custom snapshotter is a Java class, and no Java runs "
          "here; use configuration_based"),
    Limit("locking_mode", lambda value: value == "custom", "a custom lock is a Java class, and no Java runs here; use "
          "shared or none"),
    Limit("source_maker", unless("io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"), NO_JAVA),
)  # fmt: skip
"""Ignoring these would write other data than the user asked for."""

WARNED: Final = (
    Limit("sanitize_field_names", given, "Debezium does not read it since 2.0; set field.name.adjustment.mode=avro"),
    *(Limit(field, given, "it masks nothing; the parentheses stand for a number, or an algorithm and a salt")
      for field in ("mask_hash", "mask_with", "truncate_to")),
    Limit("schema_comments", given, "Debezium keeps no comments of PostgreSQL's columns, and so do we"),
    Limit("metric_tags", given, "metrics carry no custom tags"),
    Limit("lineage", given, "no OpenLineage events are sent"),
)  # fmt: skip
"""Ignoring these leaves something out that the user can live without, when told so."""


def refused(config: PostgresConfig) -> list[Problem]:
    """What the config asks for and must not be ignored."""
    return limits.refused(config, REFUSED)


def warned(config: PostgresConfig, raw: Mapping[str, str]) -> list[str]:
    """What the config asks for and is not done, one sentence a key."""
    return limits.warned(config, WARNED) + masks.unread(raw) + reselect.unread(config.post_processors, raw)
