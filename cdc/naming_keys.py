"""The keys of a source's config that name things -> names of topics, and the mode of its fields' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from cdc import topic_naming
from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.topic_naming import RegexNaming, TopicNaming

Raw = Mapping[str, str]
_AVRO_CONVERTERS: Final = frozenset(
    ("io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter")
)


class Keys(Protocol):
    """The keys that are read here."""

    @property
    def topic_prefix(self) -> str: ...
    @property
    def topic_naming(self) -> str: ...
    @property
    def topic_delimiter(self) -> str: ...
    @property
    def topic_regex(self) -> str | None: ...
    @property
    def topic_replacement(self) -> str | None: ...
    @property
    def topic_key_unique(self) -> bool: ...
    @property
    def topic_key_field(self) -> str: ...
    @property
    def topic_key_regex(self) -> str | None: ...
    @property
    def topic_key_replacement(self) -> str | None: ...
    @property
    def topic_transaction(self) -> str: ...
    @property
    def transaction_topic(self) -> str | None: ...
    @property
    def topic_heartbeat_prefix(self) -> str | None: ...
    @property
    def topic_heartbeat_name(self) -> str | None: ...
    @property
    def heartbeat_topics_prefix(self) -> str: ...
    @property
    def field_names(self) -> str: ...


def problems(config: Keys) -> list[Problem]:
    return topic_naming.problems(config.topic_naming, _regex(config), INVALID)


def naming(config: Keys, raw: Raw, homes: str) -> TopicNaming:
    """`homes` is that of `TopicNaming`; a strategy counts only where one is given."""
    return TopicNaming(
        config.topic_prefix,
        strategy=config.topic_naming if raw.get("topic.naming.strategy") else None,
        delimiter=config.topic_delimiter,
        regex=_regex(config),
        homes=homes,
    )


def transaction_topic(config: Keys) -> str:
    old_name = (config.transaction_topic or "").replace("${database.server.name}", config.topic_prefix)
    return old_name or config.topic_delimiter.join((config.topic_prefix, config.topic_transaction))


def heartbeat_topic(config: Keys) -> str:
    start = config.topic_heartbeat_prefix or config.heartbeat_topics_prefix
    return config.topic_heartbeat_name or config.topic_delimiter.join((start, config.topic_prefix))


def field_names(config: Keys, raw: Raw) -> str:
    """A connector that names an Avro converter itself gets field names that Avro allows, as in Debezium."""
    avro = {raw.get("key.converter"), raw.get("value.converter")} & _AVRO_CONVERTERS
    return "avro" if avro and config.field_names == "none" else config.field_names


def _regex(config: Keys) -> RegexNaming:
    return RegexNaming(
        regex=config.topic_regex,
        replacement=config.topic_replacement,
        unique=config.topic_key_unique,
        key_field=config.topic_key_field,
        key_regex=config.topic_key_regex,
        key_replacement=config.topic_key_replacement,
    )
