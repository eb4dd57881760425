"""The `source` block of MySQL events: where a record comes from.

Source: Debezium 3.5.0.Final, `io.debezium.connector.mysql.MySqlSourceInfoStructMaker`, and its recorded events.
"""

from __future__ import annotations

from typing import NamedTuple

from cdc.schema import INT32, INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, Schema, struct
from cdc.source_block import FIRST_FIELDS


def schema(connector: str = "mysql") -> Schema:
    """The struct schema; `connector` is `mysql` or `mariadb`."""
    return struct(
        *FIRST_FIELDS,
        ("table", OPTIONAL_STRING),
        ("server_id", INT64),
        ("gtid", OPTIONAL_STRING),
        ("file", STRING),
        ("pos", INT64),
        ("row", INT32),
        ("thread", OPTIONAL_INT64),
        ("query", OPTIONAL_STRING),
        name=f"io.debezium.connector.{connector}.Source",
        version=1,
    )


class SourceInfo(NamedTuple):
    """A `source` block as a value of `schema()`. In streaming `snapshot` is None, which the schema shows as `false`."""

    version: str
    connector: str
    name: str
    ts_ms: int
    snapshot: str | None
    db: str
    sequence: str | None
    ts_us: int | None
    ts_ns: int | None
    table: str | None
    server_id: int
    gtid: str | None
    file: str
    pos: int
    row: int
    thread: int | None
    query: str | None
