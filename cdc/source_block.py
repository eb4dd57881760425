"""What the `source` blocks of all sources have in common."""

from __future__ import annotations

from typing import Final

from cdc.schema import INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, Schema, Type

VERSION: Final = "3.5.0.Final"
"""The Debezium release these events are equal to; stands in every event."""

_SNAPSHOT: Final = Schema(
    Type.STRING,
    optional=True,
    name="io.debezium.data.Enum",
    version=1,
    parameters=(("allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"),),
    default="false",
)

FIRST_FIELDS: Final[tuple[tuple[str, Schema], ...]] = (
    ("version", STRING),
    ("connector", STRING),
    ("name", STRING),
    ("ts_ms", INT64),
    ("snapshot", _SNAPSHOT),
    ("db", STRING),
    ("sequence", OPTIONAL_STRING),
    ("ts_us", OPTIONAL_INT64),
    ("ts_ns", OPTIONAL_INT64),
)
