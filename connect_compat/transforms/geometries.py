"""Shapes in well-known binary form, plain (WKB) or with the number of their reference system in them (EWKB).

Source: OGC 06-103r4, 8.2.8; PostGIS "Extended WKB".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from struct import Struct
from typing import Any, Final

from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Schema, Type
from connect_compat.transforms.side import is_null

Each = Callable[[Any], Any]
_GEOMETRY: Final = "io.debezium.data.geometry.Geometry"
_SRID, _Z, _M = 0x20000000, 0x80000000, 0x40000000
_TYPE: Final = 0x0FFFFFFF
_POINTS, _LINES, _COLLECTION = 4, 5, 7
_INT: Final = {"<": Struct("<I"), ">": Struct(">I")}


def is_extended(wkb: bytes) -> bool:
    return len(wkb) >= 5 and bool(_number(wkb, 1, _order(wkb, 0)) & _SRID)


def extended(wkb: bytes, srid: int) -> bytes:
    """Raises: TransformError: it is no shape."""
    if len(wkb) < 5:
        raise TransformError(f"{len(wkb)} bytes are no shape in WKB")
    order = _INT[_order(wkb, 0)]
    return wkb[:1] + order.pack(_number(wkb, 1, _order(wkb, 0)) | _SRID) + order.pack(srid & 0xFFFFFFFF) + wkb[5:]


def plain(ewkb: bytes) -> bytes:
    order = _order(ewkb, 0)
    return ewkb[:1] + _INT[order].pack(_number(ewkb, 1, order) & ~_SRID) + ewkb[9:]


def swapped(wkb: bytes) -> bytes:
    """The same with x and y of each point exchanged. Raises: TransformError: it is no shape."""
    try:
        out = bytearray(wkb)
        end = _swap(out, wkb, 1, _order(wkb, 0))
    except (IndexError, ValueError) as error:
        raise TransformError(f"Failed to swap EWKB/WKB coordinates: {error}") from None
    return bytes(out[:end])


def _order(wkb: bytes, at: int) -> str:
    return "<" if wkb[at] == 1 else ">"


def _number(wkb: bytes, at: int, order: str) -> int:
    if at + 4 > len(wkb):
        raise IndexError("the shape ends too soon")
    return int(_INT[order].unpack_from(wkb, at)[0])


def _swap(out: bytearray, wkb: bytes, at: int, order: str) -> int:
    """Swaps the shape whose type stands at `at`; where it ends."""
    kind = _number(wkb, at, order)
    size = 8 * (2 + bool(kind & _Z) + bool(kind & _M))
    at += 8 if kind & _SRID else 4
    match kind & _TYPE:
        case 1:
            return _point(out, wkb, at, size)
        case 2:
            return _line(out, wkb, at, size, order)
        case 3:
            return _polygon(out, wkb, at, size, order)
        case 4 | 5 | 6 | 7 as several:
            count = _number(wkb, at, order)
            at += 4
            for _ in range(count):
                inner = _order(wkb, at)
                if several == _COLLECTION:
                    at = _swap(out, wkb, at + 1, inner)
                elif several == _POINTS:
                    at = _point(out, wkb, at + 5, size)
                elif several == _LINES:
                    at = _line(out, wkb, at + 5, size, inner)
                else:
                    at = _polygon(out, wkb, at + 5, size, inner)
            return at
        case other:
            raise ValueError(f"Invalid geometry type: {other}")


def _point(out: bytearray, wkb: bytes, at: int, size: int) -> int:
    if at + size > len(wkb):
        raise IndexError("the shape ends too soon")
    out[at : at + 8], out[at + 8 : at + 16] = wkb[at + 8 : at + 16], wkb[at : at + 8]
    return at + size


def _line(out: bytearray, wkb: bytes, at: int, size: int, order: str) -> int:
    count = _number(wkb, at, order)
    at += 4
    for _ in range(count):
        at = _point(out, wkb, at, size)
    return at


def _polygon(out: bytearray, wkb: bytes, at: int, size: int, order: str) -> int:
    count = _number(wkb, at, order)
    at += 4
    for _ in range(count):
        at = _line(out, wkb, at, size, order)
    return at


def each_geometry(schema: Schema, change: Callable[[bytes, int | None], bytes], *, inside: bool) -> Each | None:
    """A function from a value of the schema to it with its shapes changed; None: nothing changes.

    `inside`: also in arrays and maps. A null takes its field's default, for that is what Debezium reads.
    """
    match schema.type:
        case Type.STRUCT if schema.name == _GEOMETRY:
            wkb, srid = schema.index("wkb"), schema.index("srid")
            assert wkb is not None

            def changed(value: Any) -> Any:
                number = None if srid is None else value[srid]
                made = change(value[wkb], number)
                return (*value[:wkb], made, *value[wkb + 1 :])

            return changed
        case Type.STRUCT:
            return _struct(schema, change, inside)
        case Type.ARRAY if inside and schema.items is not None:
            item = each_geometry(schema.items, change, inside=inside)
            return None if item is None else partial(_list, item)
        case Type.MAP if inside and schema.items is not None:
            item = each_geometry(schema.items, change, inside=inside)
            return None if item is None else partial(_map, item)
    return None


def _list(item: Each, value: Any) -> Any:
    return [None if each is None else item(each) for each in value]


def _map(item: Each, value: Any) -> Any:
    return {name: None if each is None else item(each) for name, each in value.items()}


def _struct(schema: Schema, change: Callable[[bytes, int | None], bytes], inside: bool) -> Each | None:
    parts: list[tuple[int, Any, Each | None]] = []
    for at, field in enumerate(schema.fields):
        inner = each_geometry(field.schema, change, inside=inside)
        if inner is not None or field.schema.default is not None:
            parts.append((at, field.schema.default, inner))
    if not parts:
        return None

    def changed(value: Any) -> Any:
        members = list(value)
        for at, default, inner in parts:
            item = default if members[at] is None else members[at]
            members[at] = item if item is None or inner is None else inner(item)
        return tuple(members)

    return changed


class Geometries:
    """Changes each shape in the values of batches; how, is compiled once a schema. The arguments: `each_geometry`."""

    def __init__(self, change: Callable[[bytes, int | None], bytes], *, inside: bool) -> None:
        self._each = lru_cache(maxsize=1000)(partial(each_geometry, change=change, inside=inside))

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        each = None if schema is None or schema.type is not Type.STRUCT else self._each(schema)
        if each is None:
            return [batch]
        return [replace(batch, values=[value if is_null(value) else each(value) for value in batch.values])]
