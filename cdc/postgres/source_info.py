"""The `source` block of PostgreSQL events: where a record comes from.

Source: Debezium 3.5.0.Final, `io.debezium.connector.postgresql.SourceInfo`, and its recorded events.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cdc.changes import Row
from cdc.schema import OPTIONAL_INT64, OPTIONAL_STRING, STRING, struct
from cdc.source_block import FIRST_FIELDS

CONNECTOR: Final = "postgresql"

SCHEMA: Final = struct(
    *FIRST_FIELDS,
    ("schema", STRING),
    ("table", STRING),
    ("txId", OPTIONAL_INT64),
    ("lsn", OPTIONAL_INT64),
    ("xmin", OPTIONAL_INT64),
    ("origin", OPTIONAL_STRING),
    ("origin_lsn", OPTIONAL_INT64),
    name="io.debezium.connector.postgresql.Source",
    version=1,
)


class SourceInfo(NamedTuple):
    """A value of `SCHEMA`. In streaming `snapshot` is None, which the schema shows as `false`."""

    version: str
    connector: str
    name: str
    ts_ms: int
    snapshot: str | None
    db: str
    sequence: str | None
    ts_us: int | None
    ts_ns: int | None
    schema: str
    table: str
    tx_id: int | None
    lsn: int | None
    xmin: int | None
    origin: str | None
    origin_lsn: int | None


LSN_PLACE: Final = SourceInfo._fields.index("lsn")
SEQUENCE_PLACE: Final = SourceInfo._fields.index("sequence")


def sequence_start(commit_lsn: int | None) -> str:
    """The `sequence` member up to the record's own LSN: JSON text that begins with the last commit's."""
    return f'[{"null" if commit_lsn is None else chr(34) + str(commit_lsn) + chr(34)},"'


def sequence(commit_lsn: int | None, lsn: int) -> str:
    """The `sequence` member: the last commit's LSN and the record's, as JSON text."""
    return f'{sequence_start(commit_lsn)}{lsn}"]'


def shown_transaction(id: str, source: Row) -> str:
    """A transaction's id as events and transaction metadata show it: with the LSN of where they stand."""
    return f"{id}:{source[LSN_PLACE]}"
