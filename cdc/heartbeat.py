"""When to send a heartbeat, and what it holds: so that offsets move on while captured tables are quiet.

Source: Debezium 3.5.0.Final, `io.debezium.heartbeat`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cdc.naming import topic_name
from cdc.record import Batch
from cdc.schema import INT64, STRING, struct

KEY_SCHEMA: Final = struct(("serverName", STRING), name="io.debezium.connector.common.ServerNameKey", version=1)
VALUE_SCHEMA: Final = struct(("ts_ms", INT64), name="io.debezium.connector.common.Heartbeat", version=1)
DEFAULT_PREFIX: Final = "__debezium-heartbeat"


class Heartbeat:
    """Heartbeats of one connector. Times are nanoseconds of the caller's clock."""

    def __init__(
        self,
        prefix: str,
        interval_ms: int,
        *,
        started: int,
        topic: str | None = None,
        action: Callable[[], None] = lambda: None,
    ) -> None:
        """`prefix` is `topic.prefix`; an interval of 0 sends none; `topic` defaults to Debezium's.

        `action` is called with each (`heartbeat.action.query`).
        """
        self.topic = topic or topic_name(DEFAULT_PREFIX, prefix)
        self._server = prefix
        self._interval = interval_ms * 1_000_000
        self._due = started + self._interval
        self._action = action

    def beat(self, now: int) -> Batch | None:
        """The heartbeat record when one is due, at most one an interval."""
        if not self._interval or now < self._due:
            return None
        self._due = now + self._interval
        return self.forced(now)

    def forced(self, now: int) -> Batch:
        """A heartbeat whatever the time, as after a snapshot."""
        self._action()
        key, value = (self._server,), (now // 1_000_000,)
        return Batch(self.topic, KEY_SCHEMA, VALUE_SCHEMA, [key], [value], [()], partition=0)
