"""Records to another topic when their topic's name matches a regular expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.java.regex import compile_java, java_regex, no_regex, replaced
from cdc.record import Batch


@dataclass(frozen=True, kw_only=True)
class RegexRouterConfig:
    """What to match, and the new name."""

    LAYOUT = PLAIN
    regex: str = key("regex", importance=Importance.HIGH, check=java_regex, unset=no_regex("regex"),
                     doc="Regular expression to use for matching.")  # fmt: skip
    replacement: str = key("replacement", importance=Importance.HIGH, doc="Replacement string.")


class RegexRouter:
    CLASS_NAME = "org.apache.kafka.connect.transforms.RegexRouter"
    CONFIG = RegexRouterConfig

    def __init__(self, config: RegexRouterConfig) -> None:
        self._regex, self._replacement = compile_java(config.regex), config.replacement
        self._topics: dict[str, str] = {}

    def apply(self, batch: Batch) -> Sequence[Batch]:
        topic = self._topics.get(batch.topic)
        if topic is None:
            topic = self._topics[batch.topic] = self._routed(batch.topic)
        return [batch] if topic == batch.topic else [replace(batch, topic=topic)]

    def _routed(self, topic: str) -> str:
        try:
            new = replaced(self._regex, self._replacement, topic)
        except IndexError:
            raise TransformError(f"RegexRouter: replacement {self._replacement!r} names a group that regex "
                                 f"{self._regex.pattern!r} does not have") from None  # fmt: skip
        return topic if new is None else new
