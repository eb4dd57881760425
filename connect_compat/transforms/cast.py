"""Whole values or fields of them to another primitive type, by Java's rules of conversion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.java.values import value_text
from cdc.record import Batch
from cdc.schema import DECIMAL, Field, Schema, Type, to_single
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, Side, changed, need_maps, need_struct

_PURPOSE: Final = "cast types"
_TARGETS: Final = {
    "int8": Type.INT8, "int16": Type.INT16, "int32": Type.INT32, "int64": Type.INT64, "float32": Type.FLOAT32,
    "float64": Type.FLOAT64, "boolean": Type.BOOLEAN, "string": Type.STRING,
}  # fmt: skip
_BITS: Final = {Type.INT8: 8, Type.INT16: 16, Type.INT32: 32, Type.INT64: 64}
Convert = Callable[[Schema | None, Any], Any]


def _spec(value: tuple[str, ...]) -> str | None:
    for part in value:
        field, _, target = part.rpartition(":")
        if target.strip().lower() not in _TARGETS:
            return f"{part!r} must be of the form field:type; the types are {', '.join(_TARGETS)}"
        if not field and len(value) > 1:
            return "Cast transformations that specify a type to cast the entire value to may ONLY specify a single cast"
    return None


@dataclass(frozen=True, kw_only=True)
class CastConfig:
    """Which fields, to which types."""

    LAYOUT = PLAIN
    spec: tuple[str, ...] = key(
        "spec", unset="Must specify at least one field to cast.", importance=Importance.HIGH, check=_spec,
        doc="List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or "
            "Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, "
            "float64, boolean, and string. Note that binary fields can only be cast to string.")  # fmt: skip
    defaults: bool = null_default_key()


class _Cast:
    CLASS_NAME: ClassVar[str]
    CONFIG = CastConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: CastConfig) -> None:
        self._defaults = config.defaults
        pairs = [part.rpartition(":") for part in config.spec]
        targets = {field: _TARGETS[target.strip().lower()] for field, _, target in pairs}
        self._whole = targets.pop("", None)
        self._targets = targets
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return changed(batch, self._SIDE, self._rows)

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is not None:
            new, cast = self._shape(schema)
            return new, [cast(item) for item in items]
        if self._whole is not None:
            return None, [_cast(None, item, self._whole) for item in items]
        return None, [
            {**item, **{name: _cast(None, item.get(name), target) for name, target in self._targets.items()}}
            for item in need_maps(items, _PURPOSE)
        ]

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        if self._whole is not None:
            target = self._whole
            return _cast_schema(schema, target), lambda item: _cast(schema, item, target)
        need_struct(schema, _PURPOSE)
        targets = [self._targets.get(field.name) for field in schema.fields]
        pairs = list(zip(schema.fields, targets, strict=True))
        fields = tuple(field if t is None else Field(field.name, _cast_schema(field.schema, t)) for field, t in pairs)
        plan = [(field.schema, target, field.schema.default if self._defaults else None) for field, target in pairs]

        def cast(item: Any) -> Any:
            return tuple(
                (default if value is None else value) if target is None
                else _cast(inner, default if value is None else value, target)
                for value, (inner, target, default) in zip(item, plan, strict=True)
            )  # fmt: skip

        return schema.with_(fields=fields), cast


def _cast_schema(schema: Schema, target: Type) -> Schema:
    return Schema(target, optional=schema.optional, default=_cast(schema, schema.default, target))


def _cast(schema: Schema | None, value: Any, target: Type) -> Any:
    """Raises: TransformError: a value that the target type cannot hold, or no primitive."""
    if value is None:
        return None
    if schema is not None and schema.name == DECIMAL and target is not Type.STRING:
        value = Decimal(value).scaleb(-schema.scale)
    if isinstance(value, dict | list | tuple) or (isinstance(value, bytes) and target is not Type.STRING):
        kind = schema.type.name if schema is not None else {dict: "MAP", list: "ARRAY"}.get(type(value), "BYTES")
        raise TransformError(f"Cast transformation does not support casting from {kind} to {target.name}")
    if target is Type.STRING:
        return value_text(schema, value)
    try:
        match target:
            case Type.BOOLEAN:
                return value.lower() == "true" if isinstance(value, str) else _whole(value, 64) != 0
            case Type.FLOAT64:
                return float(value)
            case Type.FLOAT32:
                return to_single(float(value))
            case _:
                return _whole(value, _BITS[target])
    except (ValueError, OverflowError):
        raise TransformError(f"Value of type {type(value).__name__} was out of range for requested data type "
                             f"{target.name}") from None  # fmt: skip


def _whole(value: Any, bits: int) -> int:
    """A text must fit; a whole number keeps its lowest bits; a fraction is cut, and held within 32 or 64 bits first."""
    if isinstance(value, str):
        number = int(value)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError
        return number
    if isinstance(value, float):
        if value != value:
            return 0
        edge = 2.0 ** (max(bits, 32) - 1)
        value = int(edge) - 1 if value >= edge else -int(edge) if value < -edge else int(value)
    low: int = int(value) & (2**bits - 1)
    return low - 2**bits if low >= 2 ** (bits - 1) else low


class CastKey(_Cast):
    CLASS_NAME = "org.apache.kafka.connect.transforms.Cast$Key"
    _SIDE = Side.KEY


class CastValue(_Cast):
    CLASS_NAME = "org.apache.kafka.connect.transforms.Cast$Value"
    _SIDE = Side.VALUE
