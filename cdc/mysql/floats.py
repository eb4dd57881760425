"""Bytes that hold floats -> values: GEOMETRY, POINT and VECTOR as MySQL stores them.

Source: MySQL's manual, "Internal Geometry Storage Format", "The VECTOR Type".
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_SRID: Final = Struct("<i")
_POINT_BYTES: Final = 21


def geometry(raw: bytes) -> tuple[bytes, int | None]:
    """(WKB, SRID or None) of MySQL's form: SRID, then WKB."""
    (srid,) = _SRID.unpack_from(raw)
    return raw[4:], srid or None


def point(raw: bytes) -> tuple[float, float, bytes, int | None]:
    """(x, y, WKB, SRID or None). Raises: ValueError: not a point of two dimensions."""
    wkb, srid = geometry(raw)
    if len(wkb) != _POINT_BYTES or wkb[:5] not in (b"\1\1\0\0\0", b"\0\0\0\0\1"):
        raise ValueError("not a point of two dimensions")
    x, y = Struct("<dd" if wkb[0] else ">dd").unpack_from(wkb, 5)
    return x, y, wkb, srid


def vector(raw: bytes) -> list[float]:
    """The 32-bit floats of a VECTOR."""
    return list(Struct(f"<{len(raw) // 4}f").unpack_from(raw))
