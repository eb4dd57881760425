"""What is wrong with the keys of a source taken together; the SELECT statements that a config has for tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from cdc.errors import ConfigError, Problem
from cdc.key_columns import key_columns
from cdc.keys.declare import INVALID
from cdc.keys.texts import names

OVERRIDES: Final = "snapshot.select.statement.overrides."


class Keys(Protocol):
    """The keys that are looked at beside the include and exclude lists."""

    @property
    def signal_tables(self) -> tuple[str, ...] | None: ...

    @property
    def notification_channels(self) -> tuple[str, ...] | None: ...

    @property
    def notification_topic(self) -> str | None: ...

    @property
    def select_overrides(self) -> str | None: ...

    @property
    def key_columns(self) -> str | None: ...


def problems(config: Keys, raw: Mapping[str, str], home: str) -> list[Problem]:
    """`home` is what tables stand in: `database` or `schema`."""
    found = []
    for kind in (home, "table", "column"):
        if getattr(config, f"{kind}_include") and getattr(config, f"{kind}_exclude"):
            found.append(wrong(f"{kind}.exclude.list", f'"{kind}.include.list" is already specified'))
    if len(config.signal_tables or ()) > 1:
        problem = "For single task connector only one signal data collection is permitted."
        found.append(wrong("signal.data.collection", problem))
    if "sink" in (config.notification_channels or ()) and not config.notification_topic:
        problem = "Notification topic name must be provided when kafka notification channel is enabled"
        found.append(wrong("notification.sink.topic.name", problem))
    for table in names(config.select_overrides):
        if not raw.get(OVERRIDES + table):
            problem = f"{table} is listed, so {OVERRIDES}{table} must hold its SELECT statement"
            found.append(wrong(OVERRIDES.rstrip("."), problem))
    try:
        key_columns(config.key_columns)
    except ConfigError as error:
        found += error.problems
    return found


def wrong(name: str, problem: str) -> Problem:
    """In Debezium's sentence."""
    return Problem(name, INVALID.format(name=name, problem=problem))


def overrides(config: Keys, raw: Mapping[str, str]) -> dict[str, str]:
    """A SELECT statement by the table's full name; `problems` found none missing."""
    return {table: raw[OVERRIDES + table] for table in names(config.select_overrides)}
