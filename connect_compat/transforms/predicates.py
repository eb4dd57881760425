"""Which records a transform applies to: by header, by tombstone, by topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.config import PLAIN, key
from cdc.java.regex import compile_java, java_regex, no_regex
from cdc.record import Batch
from connect_compat.no_settings import NoSettings
from connect_compat.transforms.side import is_null


@dataclass(frozen=True, kw_only=True)
class HasHeaderKeyConfig:
    """Which header."""

    LAYOUT = PLAIN
    name: str = key("name", doc="The header name.")


class HasHeaderKey:
    """True for records with at least one header of that name."""

    CLASS_NAME = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey"
    CONFIG = HasHeaderKeyConfig

    def __init__(self, config: HasHeaderKeyConfig) -> None:
        self._name = config.name

    def test(self, batch: Batch) -> Sequence[bool]:
        return [any(header.name == self._name for header in headers) for headers in batch.headers]


class RecordIsTombstone:
    """True for records whose value is null, with or without a schema."""

    CLASS_NAME = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings) -> None:
        pass

    def test(self, batch: Batch) -> Sequence[bool]:
        return [is_null(value) for value in batch.values]


@dataclass(frozen=True, kw_only=True)
class TopicNameMatchesConfig:
    """Which topics."""

    LAYOUT = PLAIN
    pattern: str = key("pattern", check=java_regex, unset=no_regex("pattern"),
                       doc="A Java regular expression for matching against the name of a record's topic.")  # fmt: skip


class TopicNameMatches:
    """True for records whose whole topic name matches."""

    CLASS_NAME = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"
    CONFIG = TopicNameMatchesConfig

    def __init__(self, config: TopicNameMatchesConfig) -> None:
        self._pattern = compile_java(config.pattern)

    def test(self, batch: Batch) -> Sequence[bool]:
        return [self._pattern.fullmatch(batch.topic) is not None] * len(batch)
