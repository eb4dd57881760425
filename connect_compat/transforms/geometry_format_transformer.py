"""Shapes of change events from WKB to EWKB, which holds the number of the reference system, or back.

Source: Debezium 3.5.0.Final, `GeometryFormatTransformer`, by what it gives: `wkb` says what stands there, and from the
first EWKB on everything becomes WKB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.record import Batch
from connect_compat.transforms.geometries import Geometries, extended, is_extended, plain


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
        self._geometries = Geometries(self._converted, inside=False)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return self._geometries.apply(batch)

    def _converted(self, wkb: bytes, srid: int | None) -> bytes:
        is_ewkb = is_extended(wkb)
        self._to_plain = self._to_plain or is_ewkb
        if self._to_plain:
            return plain(wkb) if is_ewkb else wkb
        if srid is None:
            raise TransformError("Cannot convert to EWKB when SRID is null")
        return extended(wkb, srid)
