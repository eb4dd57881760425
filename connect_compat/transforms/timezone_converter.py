"""Times of change events moved to another time zone.

Source: Debezium 3.5.0.Final, `TimezoneConverter`, by what it gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final

import structlog

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConfigError, Problem
from cdc.java.zones import Zone, zone_named
from cdc.record import Batch
from cdc.schema import TIMESTAMP, Schema, Type
from connect_compat.transforms.change_events import is_envelope, reader
from connect_compat.transforms.side import Each, is_null

_RULES: Final = re.compile(r'^\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|]$))+$', re.ASCII)
_PER_SECOND: Final = {
    "io.debezium.time.MicroTimestamp": 10**6, "io.debezium.time.NanoTimestamp": 10**9,
    "io.debezium.time.Timestamp": 1000, TIMESTAMP: 1000,
}  # fmt: skip
_ZONED: Final = ("io.debezium.time.ZonedTimestamp", "io.debezium.time.ZonedTime")
_LEFT: Final = frozenset({
    "io.debezium.time.Date", "io.debezium.time.MicroTime", "io.debezium.time.NanoTime", "io.debezium.time.Time",
    "org.apache.kafka.connect.data.Date", "org.apache.kafka.connect.data.Time",
})  # fmt: skip
_EPOCHS: Final = {"ts_ms": 1000, "ts_us": 10**6, "ts_ns": 10**9}
_LOG: Final = structlog.get_logger()


def _known_zone(value: str) -> str | None:
    if zone_named(value) is not None:
        return None
    return ("Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC "
            "offset in the format of +/-hh:mm, (e.g. +08:00).")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TimezoneConverterConfig:
    """Which zone, and which fields."""

    LAYOUT = UNGROUPED
    zone: str = key(
        "converted.timezone", default=None, needed=True, check=_known_zone, importance=Importance.HIGH,
        label="Converted Timezone",
        doc="A string that represents the timezone to which the time-based fields should be "
            "converted.The format can be geographic (e.g. America/Los_Angeles), or it can be a UTC "
            "offset in the format of +/-hh:mm, (e.g. +08:00).")  # fmt: skip
    include: tuple[str, ...] | None = key(
        "include.list", default=None, importance=Importance.HIGH, label="Include List",
        doc="A comma-separated list of rules that specify what events should be evaluated for timezone "
            "conversion, using one of the following formats: `source:<tablename>`:: Matches only "
            "Debezium change events with a source information block with the specified table name. All "
            "time-based fields will be converted. `source:<tablename>:<fieldname>`:: Matches only "
            "Debezium change events with a source information with the specified table name. Only the "
            "specified field name will be converted. `topic:<topicname>`:: Matches the specified topic "
            "name, converting all time-based fields. `topic:<topicname>:<fieldname>`:: Matches the "
            "specified topic name, converting only the specified field name. "
            "`<matchname>:<fieldname>`:: Uses a heuristic matching algorithm to matches the source "
            "information block table name if the source information block exists, otherwise matches "
            "against the topic name. The conversion is applied only to to the specified field name. ")  # fmt: skip
    exclude: tuple[str, ...] | None = key(
        "exclude.list", default=None, importance=Importance.HIGH, label="Exclude List",
        doc="A comma-separated list of rules that specify what events should be excluded from timezone "
            "conversion, using one of the following formats: `source:<tablename>`:: Matches only "
            "Debezium change events with a source information block with the specified table name. All "
            "time-based fields will be excluded. `source:<tablename>:<fieldnames>`:: Matches only "
            "Debezium change events with a source information with the specified table name. Only the "
            "specified field name will be excluded. `topic:<topicname>`:: Matches the specified topic "
            "name, excluding all time-based fields. `topic:<topicname>:<fieldnames>`:: Matches the "
            "specified topic name, excluding only the specified field name. "
            "`<matchname>:<fieldnames>`:: Uses a heuristic matching algorithm to matches the source "
            "information block table name if the source information block exists, otherwise matches "
            "against the topic name. The conversion is applied only to to the specified field name. ")  # fmt: skip


@dataclass(frozen=True)
class _Rules:
    """Match name -> fields, by what the name is matched with."""

    topics: dict[str, set[str]]
    tables: dict[str, set[str]]
    either: dict[str, set[str]]

    def fields(self, table: str | None, topic: str) -> set[str] | None:
        """None: no rule is about it."""
        for name, rules in ((topic, self.topics), (table, self.tables), (topic, self.either), (table, self.either)):
            if name in rules:
                return rules[name]
        return None


def _rules(items: Sequence[str]) -> _Rules:
    """`source:table:field`, `topic:name`, `name:field`; a prefix holds for the rules after it that have none."""
    rules = _Rules({}, {}, {})
    prefix = None
    for item in items:
        parts = item.split(":")
        if len(parts) > 1 and parts[0].lower() in ("source", "topic"):
            prefix, parts = parts[0], parts[1:]
        chosen = {"topic": rules.topics, "source": rules.tables}.get(prefix or "", rules.either)
        fields = chosen.setdefault(parts[0], set())
        if len(parts) > 1:
            fields.add(parts[1])
    return rules


class TimezoneConverter:
    CLASS_NAME = "io.debezium.transforms.TimezoneConverter"
    CONFIG = TimezoneConverterConfig

    def __init__(self, config: TimezoneConverterConfig) -> None:
        """Raises: ConfigError: rules that are none, or both lists."""
        include, exclude = config.include or (), config.exclude or ()
        for name, items in (("include.list", include), ("exclude.list", exclude)):
            if items and not _RULES.match(f"[{', '.join(items)}]"):
                raise ConfigError([Problem(name, f"Invalid {name.replace('.', ' ')} format. Please specify a list of "
                                   'rules in the format of "source:<tablename>:<fieldnames>", '
                                   '"topic:<topicname>:<fieldnames>", "<matchname>:<fieldnames>"')])  # fmt: skip
        if include and exclude:
            both = "Both include and exclude lists are specified. Please specify only one."
            raise ConfigError([Problem("include.list", both)])
        zone = zone_named(config.zone)
        assert zone is not None
        self._zone = zone
        self._includes, self._excludes = bool(include), bool(exclude)
        self._rules = _rules(include or exclude)
        self._table = lru_cache(maxsize=1000)(_table_reader)
        self._change = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_envelope(schema):
            return [batch]
        table, topic, change = self._table(schema), batch.topic, self._change
        values = []
        for value in batch.values:
            made = None if is_null(value) else change(schema, table(value), topic)
            values.append(value if made is None else made(value))
        return [replace(batch, values=values)]

    def _compile(self, schema: Schema, table: str | None, topic: str) -> Each | None:
        """A function from an envelope of that table to the changed envelope; None: nothing changes."""
        fields = self._rules.fields(table, topic)
        if self._includes and fields is None:
            return None
        if self._excludes and fields is not None and not fields:
            return None
        wanted = partial(_asked, fields, self._includes) if fields else _of_rows
        parts = {}
        for at, field in enumerate(schema.fields):
            if field.name in ("before", "after", "source") and field.schema.type is Type.STRUCT:
                changes = self._changes(field.name, field.schema, wanted)
                if changes:
                    parts[at] = changes
        return partial(_changed, parts) if parts else None

    def _changes(self, part: str, schema: Schema, wanted: Callable[[str, str], bool]) -> dict[int, tuple[Any, Each]]:
        """Index -> default and function, for the fields that change."""
        found: dict[int, tuple[Any, Each]] = {}
        for at, field in enumerate(schema.fields):
            name, epoch = field.schema.name, part == "source" and field.name in _EPOCHS
            if (name is None and not epoch) or not wanted(part, field.name):
                continue
            if name in _LEFT:
                _LOG.warning("a time zone cannot be given to this type; the field stays as it is",
                             field=field.name, type=name)  # fmt: skip
            elif name is None:
                found[at] = (field.schema.default, partial(_epoch, self._zone, _EPOCHS[field.name]))
            elif name in _PER_SECOND:
                found[at] = (field.schema.default, partial(_wall, self._zone, _PER_SECOND[name]))
            elif name in _ZONED:
                change = self._zone.timestamp_text if name == _ZONED[0] else self._zone.time_text
                found[at] = (field.schema.default, change)
        return found


def _of_rows(part: str, name: str) -> bool:
    return part != "source"


def _asked(fields: set[str], include: bool, part: str, name: str) -> bool:
    """Whether the rules' fields, which may be written `after.name`, ask for this one of that part."""
    qualified = {field for field in fields if field.startswith(("source.", "before.", "after."))}
    if part == "source" and not any(field.startswith("source.") for field in qualified):
        return False
    named = f"{part}.{name}" in qualified or (part != "source" and name in fields - qualified)
    return named is include


def _changed(parts: dict[int, dict[int, tuple[Any, Each]]], value: Any) -> Any:
    members = list(value)
    for at, changes in parts.items():
        if members[at] is not None:
            row = list(members[at])
            for place, (default, change) in changes.items():
                item = default if row[place] is None else row[place]
                row[place] = None if item is None else change(item)
            members[at] = tuple(row)
    return tuple(members)


def _wall(zone: Zone, unit: int, value: int) -> int:
    """A wall clock that was counted as UTC, counted as the zone's."""
    return value - zone.offset_of_wall(value // unit) * unit


def _epoch(zone: Zone, unit: int, value: int) -> int:
    return value + zone.offset_at(value // unit) * unit


def _table_reader(schema: Schema) -> Each:
    return reader(schema, "source", "table") or (lambda value: None)
