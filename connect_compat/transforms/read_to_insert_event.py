"""Rows of a snapshot as if they had just been inserted: `op` is `c` where it was `r`.

Source: Debezium 3.5.0.Final, `ReadToInsertEvent`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cdc.record import Batch
from connect_compat.no_settings import NoSettings
from connect_compat.transforms.change_events import is_envelope
from connect_compat.transforms.side import is_null


class ReadToInsertEvent:
    CLASS_NAME = "io.debezium.connector.mysql.transforms.ReadToInsertEvent"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings) -> None:
        pass

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        at = schema.index("op") if schema is not None and is_envelope(schema) else None
        if at is None:
            return [batch]
        values = [
            value if is_null(value) or value[at] != "r" else (*value[:at], "c", *value[at + 1 :])
            for value in batch.values
        ]
        return [replace(batch, values=values)]
