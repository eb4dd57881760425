"""What Debezium's Filter and ContentBasedRouter share: settings, records they leave alone, and an expression.

Source: Debezium 3.5.0.Final, `debezium-scripting` with Groovy, by what it gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.java.regex import compile_java, java_regex
from cdc.record import Batch
from connect_compat.expressions import Expression, Record, compiled
from connect_compat.transforms.side import is_null

_SCRIPT: Final = ("graal.js", "js", "javascript", "nashorn", "ecmascript")
_GROOVY: Final = ("groovy",)


def known_language(value: str) -> str | None:
    """A config check."""
    if not value.startswith(("jsr223.", "wasm.")):
        return "Value for option 'language' must begin with 'jsr223.' or 'wasm', e.g. 'jsr223.groovy'"
    if value.removeprefix("jsr223.").lower() in (*_SCRIPT, *_GROOVY):
        return None
    return "Only expressions of jsr223.groovy and jsr223.graal.js are understood; write the condition in one of them"


@dataclass(frozen=True, kw_only=True)
class TopicConfig:
    """Which records are looked at."""

    LAYOUT = UNGROUPED
    topics: str | None = key(
        "topic.regex", default=None, importance=Importance.LOW, width="LONG", label="Topic regex",
        check=lambda value: None if value is None else java_regex(value),
        doc="A regex used for selecting the topic(s) to which this transformation should be applied.")  # fmt: skip
    language: str = key(
        "language", default=None, needed=True, importance=Importance.HIGH, label="Expression language",
        check=known_language,
        doc="An expression language used to evaluate the expression. Must begin with 'jsr223.' or 'wasm.', e.g.  "
            "'jsr223.groovy' or 'jsr223.graal.js' or 'wasm.chicory'.")  # fmt: skip


def null_handling_key() -> Any:
    return key("null.handling.mode", default="keep", values=("drop", "keep", "evaluate"), importance=Importance.LOW,
               width="SHORT", label="Handle null records",
               doc="How to handle records with null value. Options are: keep - records are passed (the default),drop - "
                   "records are removed,evaluate - the null records are passed for evaluation.")  # fmt: skip


class _Settings(Protocol):
    @property
    def topics(self) -> str | None: ...
    @property
    def language(self) -> str: ...
    @property
    def nulls(self) -> str: ...


class Scripted:
    """The expression of one transform, and which records it is asked about."""

    def __init__(self, config: _Settings, name: str, source: str) -> None:
        """`name`: the key the expression stands under. Raises: ConfigError: it cannot be understood."""
        script = config.language.removeprefix("jsr223.").lower() in _SCRIPT
        try:
            self._expression: Expression = compiled(source, script=script)
        except ValueError as error:
            raise ConfigError([Problem(name, f"Failed to parse expression '{source}': {error}")]) from None
        self._source = source
        self._topics = None if not config.topics else compile_java(config.topics)
        self._nulls = config.nulls

    def concerns(self, topic: str) -> bool:
        return self._topics is None or self._topics.fullmatch(topic) is not None

    def asked(self, batch: Batch) -> Iterator[tuple[bool, Any]]:
        """For each record whether it was asked about, and the answer; without asking, whether it stays."""
        keys, values, headers = batch.keys, batch.values, batch.headers
        for key_, value, header in zip(keys, values, headers, strict=True):
            if is_null(value) and self._nulls != "evaluate":
                yield False, self._nulls == "keep"
                continue
            record = Record(batch.topic, batch.key_schema, key_, batch.value_schema, value, header)
            try:
                answer = self._expression(record)
            except TransformError as error:
                raise TransformError(f"Error while evaluating expression '{self._source}': {error}") from None
            yield True, answer

    def mistyped(self, kind: str) -> TransformError:
        return TransformError(f"The value returned by the expression '{self._source}' is not a {kind}")


def picked(batch: Batch, kept: Sequence[int]) -> Sequence[Batch]:
    if len(kept) == len(batch):
        return [batch]
    return [batch.pick(kept)] if kept else []
