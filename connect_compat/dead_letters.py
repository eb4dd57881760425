"""Refused log records to the dead-letter topic, as they came, with what went wrong in `__connect.errors.*` headers.

Source: Kafka Connect's `DeadLetterQueueReporter` for topic, headers and their order.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdc.errors import TailraceError
from connect_compat.connector_config import SinkKeys
from connect_compat.log import Appender, Encoded, EncodedHeaders, Log, LogRecord, TopicSpec
from connect_compat.progress import Progress
from connect_compat.retry import Refusal, java_class

PREFIX: Final = "__connect.errors."
DeadLetter = Refusal[Sequence[LogRecord]]
"""A refusal of one record, alone in its sequence."""


@dataclass(frozen=True)
class Origin:
    """Whose records they are."""

    connector: str
    task: int


class DeadLetters:
    """The dead-letter topic of one sink task; without `errors.deadletterqueue.topic.name` it keeps nothing."""

    def __init__(
        self, log: Log, origin: Origin, config: SinkKeys, progress: Progress, client: Mapping[str, str]
    ) -> None:
        self._log = log
        self._origin = origin
        self._config = config
        self._progress = progress
        self._client = {"client.id": f"connector-dlq-producer-{origin.connector}-{origin.task}", **client}
        self._appender: Appender | None = None

    def create(self) -> None:
        """Creates the topic, one partition, when it is missing. Raises: LogError, LogUnavailable."""
        if self._config.dlq_topic:
            self._log.create_topics([TopicSpec(self._config.dlq_topic, 1, self._config.dlq_replication)])

    def write(self, refusals: Sequence[DeadLetter]) -> None:
        """Durable on return. May be repeated after LogUnavailable."""
        if not refusals or not self._config.dlq_topic:
            return
        records = [refusal.record[0] for refusal in refusals]
        if self._appender is None:
            self._appender = self._log.appender(self._origin.connector, self._origin.task, self._client)
        try:
            self._appender.append(
                [
                    Encoded(
                        self._config.dlq_topic,
                        [record.key for record in records],
                        [record.value for record in records],
                        [self._headers(refusal) for refusal in refusals],
                        timestamps=[record.timestamp for record in records],
                    )
                ],
                (),
            )
            self._appender.flush()
        except TailraceError:
            self._progress.count("deadletterqueue-produce-failures", len(refusals))
            self.close()
            raise
        self._progress.count("deadletterqueue-produce-requests", len(refusals))

    def close(self) -> None:
        if self._appender is not None:
            self._appender.close()
            self._appender = None

    def _headers(self, refusal: DeadLetter) -> EncodedHeaders:
        record = refusal.record[0]
        if not self._config.dlq_headers:
            return record.headers
        there = {name for name, _ in record.headers}
        context = ((PREFIX + name, text.encode("utf-8", "replace")) for name, text in self._context(refusal))
        return [*record.headers, *((name, text) for name, text in context if name not in there)]

    def _context(self, refusal: DeadLetter) -> tuple[tuple[str, str], ...]:
        record, error = refusal.record[0], refusal.error
        return (
            ("topic", record.topic),
            ("partition", str(record.partition)),
            ("offset", str(record.offset)),
            ("connector.name", self._origin.connector),
            ("task.id", str(self._origin.task)),
            ("stage", refusal.stage.value),
            ("class.name", refusal.class_name),
            ("exception.class.name", java_class(error)),
            ("exception.message", str(error)),
            ("exception.stacktrace", "".join(traceback.format_exception(error))),
        )
