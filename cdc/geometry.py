"""Schemas of shapes on a plane or a globe, as every source writes them."""

from __future__ import annotations

from typing import Final

from cdc.schema import BYTES, FLOAT64, OPTIONAL_BYTES, OPTIONAL_INT32, Schema, struct

POINT: Final = struct(
    ("x", FLOAT64), ("y", FLOAT64), ("wkb", OPTIONAL_BYTES), ("srid", OPTIONAL_INT32),
    name="io.debezium.data.geometry.Point", version=1, doc="Geometry (POINT)",
)  # fmt: skip


def geometry(name: str = "Geometry", *, optional: bool = False) -> Schema:
    """`name` is `Geometry` or `Geography`."""
    return struct(
        ("wkb", BYTES), ("srid", OPTIONAL_INT32),
        name=f"io.debezium.data.geometry.{name}", version=1, doc=name, optional=optional,
    )  # fmt: skip
