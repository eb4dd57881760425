"""Messages of PostgreSQL's log whose content is JSON, as change events: `after` holds what the JSON says.

Source: Debezium 3.5.0.Final, `DecodeLogicalDecodingMessageContent`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.config import UNGROUPED, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.json_payload import JsonPayload
from connect_compat.transforms.side import is_null

_MESSAGE: Final = "io.debezium.connector.postgresql.MessageValue"


@dataclass(frozen=True, kw_only=True)
class DecodeLogicalDecodingMessageContentConfig:
    """What becomes of nulls."""

    LAYOUT = UNGROUPED
    nulls: bool = key(
        "fields.null.include", default=False,
        label="Defines whether to include fields with null values to the decoded structure",
        doc="Defines whether to include fields with null values to the decoded structure")  # fmt: skip


class DecodeLogicalDecodingMessageContent:
    CLASS_NAME = "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"
    CONFIG = DecodeLogicalDecodingMessageContentConfig

    def __init__(self, config: DecodeLogicalDecodingMessageContentConfig) -> None:
        self._json = JsonPayload(nulls=config.nulls)
        self._schemas: dict[Schema, Schema] = {}

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or schema.name != _MESSAGE:
            return [batch]
        out: list[Batch] = []
        for one in batch.singles():
            out.append(one if is_null(one.values[0]) else self._decoded(one, schema))
        return out

    def _decoded(self, batch: Batch, schema: Schema) -> Batch:
        message_at = schema.index("message")
        message = None if message_at is None else schema.fields[message_at].schema
        content_at = None if message is None else message.index("content")
        if message is None or message_at is None or content_at is None:
            raise TransformError(f"{schema.name} has no message with a content")
        if message.fields[content_at].schema.type is not Type.BYTES:
            raise TransformError("The content of a logical decoding message is non-binary; set "
                                 "binary.handling.mode=bytes")  # fmt: skip
        value = batch.values[0]
        after, row = self._parsed(value[message_at][content_at])
        kept = [(at, field) for at, field in enumerate(schema.fields) if at != message_at]
        new = self._schemas.get(after)
        if new is None:
            fields = (*(field for _, field in kept), Field("after", after))
            new = self._schemas[after] = Schema(Type.STRUCT, name=f"{schema.name}.Envelope", fields=fields)
        members = tuple("c" if field.name == "op" else value[at] for at, field in kept)
        return Batch(batch.topic, None, new, [None], [(*members, row)], batch.headers, batch.partition,
                     batch.timestamps, batch.offsets)  # fmt: skip

    def _parsed(self, content: bytes | None) -> tuple[Schema, Any]:
        text = (content or b"").decode("utf-8", "replace")
        try:
            schema, row = self._json.expanded(None, text)
        except ValueError as error:
            raise TransformError(f"the content of a logical decoding message is no JSON: {error}; keep such messages "
                                 "away with a predicate") from None  # fmt: skip
        if schema is None:
            raise TransformError(
                "the content of a logical decoding message is an empty JSON array, which has no fields"
            )
        return schema, row
