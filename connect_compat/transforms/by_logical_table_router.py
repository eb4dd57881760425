"""Change events of several tables to one topic, their keys told apart by where they come from.

Source: Debezium 3.5.0.Final, `ByLogicalTableRouter`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.java.regex import compile_java, java_regex, replaced
from cdc.naming import schema_name_adjuster
from cdc.record import Batch
from cdc.schema import STRING, Field, Schema, Type
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Each, is_null

LOW: Final = Importance.LOW


@dataclass(frozen=True, kw_only=True)
class ByLogicalTableRouterConfig:
    """Which topics go where, and what is added to their keys."""

    LAYOUT = UNGROUPED
    regex: str = key(
        "topic.regex", needed=True, default=None, importance=LOW, width="LONG", label="Topic regex", check=java_regex,
        doc="The regex used for extracting the name of the logical table from the original topic name.")  # fmt: skip
    replacement: str = key(
        "topic.replacement", needed=True, default=None, importance=LOW, width="LONG", label="Topic replacement",
        doc="The replacement string used in conjunction with topic.regex. This will be used to create the new topic "
            "name.")  # fmt: skip
    unique: bool = key(
        "key.enforce.uniqueness", default=True, importance=LOW, width="SHORT", label="Add source topic name into key",
        doc="Augment each record's key with a field denoting the source topic. This field distinguishes records coming "
            "from different physical tables which may otherwise have primary/unique key conflicts. If the source "
            "tables are guaranteed to have globally unique keys then this may be set to false to disable key "
            "rewriting.")  # fmt: skip
    key_regex: str | None = key(
        "key.field.regex", default=None, importance=LOW, width="LONG", label="Key field regex",
        check=lambda value: None if value is None else java_regex(value),
        doc="The regex used for extracting the physical table identifier from the original topic name. Now that "
            "multiple physical tables can share a topic, the event's key may need to be augmented to include fields "
            "other than just those for the record's primary/unique key, since these are not guaranteed to be unique "
            "across tables. We need some identifier added to the key that distinguishes the different physical "
            "tables.")  # fmt: skip
    key_replacement: str | None = key(
        "key.field.replacement", default=None, importance=LOW, width="LONG", label="Key field replacement",
        doc="The replacement string used in conjunction with key.field.regex. This will be used to create the physical "
            "table identifier in the record's key.")  # fmt: skip
    cache_size: int = key(
        "logical.table.cache.size", default=16, importance=LOW, width="LONG", label="Logical table cache size",
        doc="The size used for holding the max entries in LRUCache. The cache will keep the old/new schema for logical "
            "table key and value, also cache the derived key and topic regex result for improving the source record "
            "transformation.")  # fmt: skip
    key_field: str = key("key.field.name", default="__dbz__physicalTableIdentifier", internal=True,
                         doc="Name of the field added to the key.")  # fmt: skip
    name_adjustment: str = key("schema.name.adjustment.mode", default="none", internal=True,
                               values=("none", "avro", "avro_unicode"),
                               doc="How characters that schema names may not have are replaced.")  # fmt: skip


class ByLogicalTableRouter:
    CLASS_NAME = "io.debezium.transforms.ByLogicalTableRouter"
    CONFIG = ByLogicalTableRouterConfig

    def __init__(self, config: ByLogicalTableRouterConfig) -> None:
        if (config.key_regex is None) != (config.key_replacement is None):
            raise ConfigError([Problem("key.field.regex", "key.field.regex and key.field.replacement must be set "
                                                          "together")])  # fmt: skip
        self._config = config
        self._regex = compile_java(config.regex)
        self._key_regex = compile_java(config.key_regex or "")
        self._adjusted = schema_name_adjuster(config.name_adjustment)
        self._topic = lru_cache(maxsize=1000)(self._routed)
        self._key = lru_cache(maxsize=1000)(self._key_schema)
        self._value = lru_cache(maxsize=1000)(self._value_schema)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        envelope = schema is not None and (schema.name or "").endswith("Envelope")
        if not envelope and any(value is not None for value in batch.values):
            return [batch]
        topic = self._topic(batch.topic)
        if topic is None:
            return [batch]
        out = replace(batch, topic=topic)
        if schema is not None:
            new, fill = self._value(schema, topic)
            values = batch.values if fill is None else [v if is_null(v) else fill(v) for v in batch.values]
            out = replace(out, value_schema=new, values=values)
        if batch.key_schema is None:
            return [out]
        keys: Sequence[Any] = batch.keys
        if self._config.unique:
            origin = self._origin(batch.topic)
            keys = [None if item is None else (*item, origin) for item in keys]
        return [replace(out, key_schema=self._key(batch.key_schema, topic), keys=keys)]

    def _routed(self, topic: str) -> str | None:
        try:
            return replaced(self._regex, self._config.replacement, topic) or None
        except IndexError:
            raise TransformError(f"ByLogicalTableRouter: topic.replacement {self._config.replacement!r} names a group "
                                 f"that topic.regex {self._config.regex!r} does not have") from None  # fmt: skip

    def _origin(self, topic: str) -> str:
        """What the added key field holds: the old topic, or what `key.field.*` make of it."""
        if self._config.key_regex is None:
            return topic
        return replaced(self._key_regex, self._config.key_replacement or "", topic) or topic

    def _key_schema(self, schema: Schema, topic: str) -> Schema:
        if schema.type is not Type.STRUCT:
            raise TransformError(f"ByLogicalTableRouter: the key of {topic!r} is no struct; set "
                                 "key.enforce.uniqueness=false")  # fmt: skip
        added = (Field(self._config.key_field, STRING),) if self._config.unique else ()
        return schema.with_(name=self._adjusted(f"{topic}.Key"), fields=(*schema.fields, *added))

    def _value_schema(self, schema: Schema, topic: str) -> tuple[Schema, Each | None]:
        """The envelope's new schema; a function that gives the rows' nulls their defaults, where there are any."""
        fields = tuple(
            Field(field.name, field.schema.with_(name=self._adjusted(f"{topic}.Value")))
            if field.name in ("before", "after") else field
            for field in schema.fields
        )  # fmt: skip
        return schema.with_(name=self._adjusted(f"{topic}.Envelope"), fields=fields), _defaults(schema)


def _defaults(envelope: Schema) -> Each | None:
    fillers: dict[int, Each] = {}
    for at, field in enumerate(envelope.fields):
        if field.name in ("before", "after") and any(f.schema.default is not None for f in field.schema.fields):
            members = [(f"v[{i}]", f.schema.default) for i, f in enumerate(field.schema.fields)]
            fillers[at] = tuple_of(members)
    if not fillers:
        return None
    return lambda item: tuple(
        fillers[at](value) if at in fillers and value is not None else value for at, value in enumerate(item)
    )
