"""What a snapshot tells of itself: notifications as records of a topic and as lines of the log. No I/O.

Source: Debezium 3.5.0.Final, `io.debezium.pipeline.notification`, and recorded notifications.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog

from cdc.java.order import copied_buckets, in_hash_order
from cdc.record import Batch
from cdc.schema import INT64, STRING, map_of, struct

_log = structlog.get_logger(__name__)

INITIAL: Final = "Initial Snapshot"
INCREMENTAL: Final = "Incremental Snapshot"
CHANNELS: Final = ("sink", "log")
KEY_SCHEMA: Final = struct(("id", STRING), name="io.debezium.connector.common.NotificationKey", version=1)
VALUE_SCHEMA: Final = struct(
    ("id", STRING),
    ("type", STRING),
    ("aggregate_type", STRING),
    ("additional_data", map_of(STRING, STRING, optional=True)),
    ("timestamp", INT64),
    name="io.debezium.connector.common.Notification",
    version=1,
)


class Notification(NamedTuple):
    """One notification. `data` goes without the connector's name, which is added when it is sent.

    Attributes:
        type: STARTED, IN_PROGRESS, TABLE_SCAN_COMPLETED, PAUSED, RESUMED, ABORTED, SKIPPED or COMPLETED.
        id: of the signal that asked for the snapshot; None makes a new one.
    """

    aggregate: str
    type: str
    data: Mapping[str, str] = {}
    id: str | None = None


class Notifications:
    """The channels of one connector."""

    def __init__(
        self,
        prefix: str,
        channels: Iterable[str] = (),
        topic: str | None = None,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """`channels` are `notification.enabled.channels`, `topic` is `notification.sink.topic.name`."""
        self._prefix, self._now_ms, self._new_id = prefix, now_ms, new_id
        channels = set(channels)
        self._topic = topic if "sink" in channels else None
        self._logs = "log" in channels

    @property
    def has_topic(self) -> bool:
        return self._topic is not None

    def batches(self, notifications: Sequence[Notification]) -> list[Batch]:
        """Writes them to the log where that is wanted, and gives the records of the topic, none without one."""
        if not notifications or not (self._logs or self._topic):
            return []
        keys, values = [], []
        for aggregate, type, data, id in notifications:
            whole = {**data, "connector_name": self._prefix}
            order = in_hash_order(whole, _buckets(len(data)))
            value = (id or self._new_id(), type, aggregate, {name: whole[name] for name in order}, self._now_ms())
            if self._logs:
                _log.info(
                    "notification", **dict(zip(("id", "type", "aggregate_type"), value, strict=False)), **value[3]
                )
            keys.append(value[:1])
            values.append(value)
        if self._topic is None:
            return []
        return [Batch(self._topic, KEY_SCHEMA, VALUE_SCHEMA, keys, values, [()] * len(keys))]


def _buckets(given: int) -> int:
    """Buckets of the copy of `given` entries that one more was added to."""
    buckets = copied_buckets(given)
    return buckets if given + 1 <= buckets * 3 // 4 else buckets * 2
