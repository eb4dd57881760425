"""Shapes of change events from WKB to EWKB, which holds the number of the reference system, or back.

Source: Debezium 3.5.0.Final, `GeometryFormatTransformer`, by what it gives: `wkb` says what stands there, and from the
first EWKB on everything becomes WKB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Schema, Type
from connect_compat.transforms.geometries import Each, each_geometry, extended, is_extended, plain
from connect_compat.transforms.side import is_null


@dataclass(frozen=True, kw_only=True)
class GeometryFormatTransformerConfig:
    """What the shapes are."""

    LAYOUT = UNGROUPED
    format: str = key(
        "format", default="wkb", importance=Importance.LOW, width="MEDIUM", label="Target Format",
        values=("wkb", "ewkb"),
        doc="The target Geometry format to convert to. Options are 'wkb' and 'ewkb'")  # fmt: skip


class GeometryFormatTransformer:
    CLASS_NAME = "io.debezium.transforms.GeometryFormatTransformer"
    CONFIG = GeometryFormatTransformerConfig

    def __init__(self, config: GeometryFormatTransformerConfig) -> None:
        self._to_plain = config.format == "ewkb"
        self._change = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        change = None if schema is None or schema.type is not Type.STRUCT else self._change(schema)
        if change is None:
            return [batch]
        return [replace(batch, values=[value if is_null(value) else change(value) for value in batch.values])]

    def _compile(self, schema: Schema) -> Each | None:
        return each_geometry(schema, self._converted, inside=False)

    def _converted(self, wkb: bytes, srid: int | None) -> bytes:
        is_ewkb = is_extended(wkb)
        self._to_plain = self._to_plain or is_ewkb
        if self._to_plain:
            return plain(wkb) if is_ewkb else wkb
        if srid is None:
            raise TransformError("Cannot convert to EWKB when SRID is null")
        return extended(wkb, srid)
