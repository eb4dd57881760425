"""Logical decoding messages (`pg_logical_emit_message`) -> records of the topic `<prefix>.message`.

Source: Debezium 3.5.0.Final, `LogicalDecodingMessageMonitor`.
"""

from __future__ import annotations

import base64
from typing import Final

from cdc.changes import Row
from cdc.envelope import TRANSACTION
from cdc.naming import schema_name_adjuster, topic_name
from cdc.postgres.source_info import SCHEMA, SourceInfo
from cdc.record import Batch
from cdc.schema import OPTIONAL_BYTES, OPTIONAL_INT64, OPTIONAL_STRING, STRING, struct

MESSAGE_ID: Final = "io.debezium.connector.postgresql.LogicalDecodingMessageMonitor$LogicalDecodingMessageId"


class LogicalMessages:
    """The records of one connector."""

    def __init__(self, prefix: str, binary: str, *, name_adjustment: str = "none",
                 delimiter: str = ".") -> None:  # fmt: skip
        adjust = schema_name_adjuster(name_adjustment)
        name = "io.debezium.connector.postgresql."
        content = OPTIONAL_BYTES if binary == "bytes" else OPTIONAL_STRING
        block = struct(("prefix", OPTIONAL_STRING), ("content", content), name=adjust(name + "Message"), version=1)
        self._topic = topic_name(prefix, "message", delimiter=delimiter)
        self._key = struct(("prefix", OPTIONAL_STRING), name=adjust(name + "MessageKey"), version=1)
        self._value = struct(
            ("op", STRING), ("ts_ms", OPTIONAL_INT64), ("source", SCHEMA), ("transaction", TRANSACTION),
            ("message", block), name=adjust(name + "MessageValue"), version=1,
        )  # fmt: skip
        self._binary = binary

    def batch(self, prefix: str, content: bytes, source: SourceInfo, now: int, block: Row | None = None) -> Batch:
        """`now`: nanoseconds since 1970; `block`: that of the transaction, when transactions are told."""
        value = ("m", now // 1_000_000, source, block, (prefix, self._encoded(content)))
        return Batch(self._topic, self._key, self._value, [(prefix,)], [value], [()])

    def _encoded(self, content: bytes) -> bytes | str:
        match self._binary:
            case "hex":
                return content.hex()
            case "base64":
                return base64.b64encode(content).decode()
            case "base64-url-safe":
                return base64.urlsafe_b64encode(content).decode()
        return content
