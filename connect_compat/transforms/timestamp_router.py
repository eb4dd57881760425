"""Records to a topic named after their timestamp: `orders` becomes `orders-20240131`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.java.dates import date_pattern
from cdc.record import Batch
from connect_compat.transforms.side import runs


def _pattern(text: str) -> str | None:
    try:
        date_pattern(text)
    except ValueError as error:
        return str(error)
    return None


@dataclass(frozen=True, kw_only=True)
class TimestampRouterConfig:
    """How the topic is named."""

    LAYOUT = PLAIN
    topic: str = key(
        "topic.format", default="${topic}-${timestamp}", importance=Importance.HIGH,
        doc="Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for "
            "the topic and timestamp, respectively.")  # fmt: skip
    timestamp: str = key(
        "timestamp.format", default="yyyyMMdd", importance=Importance.HIGH, check=_pattern,
        doc="Format string for the timestamp that is compatible with "
            "<code>java.text.SimpleDateFormat</code>.")  # fmt: skip


class TimestampRouter:
    CLASS_NAME = "org.apache.kafka.connect.transforms.TimestampRouter"
    CONFIG = TimestampRouterConfig

    def __init__(self, config: TimestampRouterConfig) -> None:
        self._topic, self._pattern = config.topic, date_pattern(config.timestamp)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        if batch.timestamps is None:
            raise TransformError(f"Timestamp missing on record of topic {batch.topic!r}; the source sets none: take "
                                 "TimestampRouter off or use it in a sink")  # fmt: skip
        known = {moment: self._pattern.format(moment) for moment in set(batch.timestamps)}
        parts = runs(batch, [known[moment] for moment in batch.timestamps])
        return [replace(part, topic=self._routed(part, known[(part.timestamps or [0])[0]])) for part in parts]

    def _routed(self, batch: Batch, timestamp: str) -> str:
        return self._topic.replace("${topic}", batch.topic).replace("${timestamp}", timestamp)
