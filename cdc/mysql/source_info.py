"""The `source` block of MySQL events: where a record comes from.

Source: Debezium 3.5.0.Final, `io.debezium.connector.mysql.MySqlSourceInfoStructMaker`, and its recorded events.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cdc.schema import INT32, INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, Schema, Type, struct

VERSION: Final = "3.5.0.Final"
"""The Debezium release these events are equal to; stands in every event."""

_SNAPSHOT = Schema(
    Type.STRING,
    optional=True,
    name="io.debezium.data.Enum",
    version=1,
    parameters=(("allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"),),
    default="false",
)


def schema(connector: str = "mysql") -> Schema:
    """The struct schema; `connector` is `mysql` or `mariadb`."""
    return struct(
        ("version", STRING),
        ("connector", STRING),
        ("name", STRING),
        ("ts_ms", INT64),
        ("snapshot", _SNAPSHOT),
        ("db", STRING),
        ("sequence", OPTIONAL_STRING),
        ("ts_us", OPTIONAL_INT64),
        ("ts_ns", OPTIONAL_INT64),
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
