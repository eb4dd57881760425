"""Shapes of change events with x and y of each point exchanged, where their reference system asks for it.

Source: Debezium 3.5.0.Final, `SwapGeometryCoordinates`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cdc.config import UNGROUPED, Importance, key
from cdc.record import Batch
from connect_compat.transforms.geometries import Geometries, swapped

_USUAL: Final = frozenset({4326, 3857, 4269})


def _numbers(value: str | None) -> str | None:
    wrong = next((part for part in (value or "").split(",") if part.strip() and not part.strip().isdigit()), None)
    return None if wrong is None else f"{wrong.strip()!r} is no SRID; list numbers such as 4326,3857"


@dataclass(frozen=True, kw_only=True)
class SwapGeometryCoordinatesConfig:
    """Which shapes."""

    LAYOUT = UNGROUPED
    srids: str | None = key(
        "srids", default=None, importance=Importance.LOW, width="MEDIUM", check=_numbers,
        label="Geometry SRIDs that should be considered for coordinate swapping",
        doc="A comma-separated list of Geometry SRIDs that indicate which geometry fields should be included when "
            "swapping coordinates.")  # fmt: skip


class SwapGeometryCoordinates:
    CLASS_NAME = "io.debezium.transforms.SwapGeometryCoordinates"
    CONFIG = SwapGeometryCoordinatesConfig

    def __init__(self, config: SwapGeometryCoordinatesConfig) -> None:
        given = config.srids
        self._srids = _USUAL if given is None else frozenset(int(part) for part in given.split(",") if part.strip())
        self._geometries = Geometries(self._swapped, inside=True)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return self._geometries.apply(batch)

    def _swapped(self, wkb: bytes, srid: int | None) -> bytes:
        return swapped(wkb) if srid in self._srids else wkb
