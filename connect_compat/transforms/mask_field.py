"""Fields of a struct or map overwritten with a fixed value, or with the zero of their type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, Side, need_maps, need_struct, refuse_nulls

_PURPOSE: Final = "mask fields"
_ZEROS: Final[dict[Type, Any]] = {
    Type.INT8: 0, Type.INT16: 0, Type.INT32: 0, Type.INT64: 0, Type.FLOAT32: 0.0, Type.FLOAT64: 0.0,
    Type.BOOLEAN: False, Type.STRING: "", Type.ARRAY: [], Type.MAP: {},
}  # fmt: skip
_FREE_ZEROS: Final[dict[type, Any]] = {int: 0, float: 0.0, bool: False, str: "", list: [], dict: {}}
_WHOLE: Final = {Type.INT8: 7, Type.INT16: 15, Type.INT32: 31, Type.INT64: 63}


@dataclass(frozen=True, kw_only=True)
class MaskFieldConfig:
    """Which fields, and by what."""

    LAYOUT = PLAIN
    fields: tuple[str, ...] = key("fields", importance=Importance.HIGH, doc="Names of fields to mask.",
                                  unset="Configuration 'fields' values must not be null.")  # fmt: skip
    replacement: str | None = key(
        "replacement", default=None, importance=Importance.LOW,
        doc="Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values "
            "only).")  # fmt: skip
    defaults: bool = null_default_key()


class _MaskField:
    CLASS_NAME: ClassVar[str]
    CONFIG = MaskFieldConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: MaskFieldConfig) -> None:
        self._fields, self._replacement, self._defaults = config.fields, config.replacement, config.defaults
        self._masker = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        refuse_nulls(items, _PURPOSE, "MaskField")
        made: list[Any]
        if schema is None:
            made = [
                {**item, **{name: self._free(item.get(name)) for name in self._fields}}
                for item in need_maps(items, _PURPOSE)
            ]
        else:
            mask = self._masker(schema)
            made = [mask(item) for item in items]
        return [self._SIDE.put(batch, schema, made)]

    def _compile(self, schema: Schema) -> Each:
        need_struct(schema, _PURPOSE)
        masks: list[tuple[Any, Any]] = []
        for field in schema.fields:
            masked = field.name in self._fields
            default = field.schema.default if self._defaults else None
            masks.append((self._mask(field.schema) if masked else None, default))

        def mask(item: Any) -> Any:
            filled = (default if value is None else value for value, (_, default) in zip(item, masks, strict=True))
            return tuple(
                value if made is None or value is None else made[0]
                for value, (made, _) in zip(filled, masks, strict=True)
            )

        return mask

    def _mask(self, schema: Schema) -> tuple[Any]:
        """What stands for every value of a field, in a tuple."""
        if self._replacement is not None:
            return (self._replaced(schema),)
        if schema.name == DECIMAL:
            return (0,)
        if schema.type in _ZEROS:
            return (_ZEROS[schema.type],)
        raise TransformError(f"Cannot mask value of type: {schema.type.name}")

    def _replaced(self, schema: Schema) -> Any:
        text = self._replacement or ""
        if schema.type is Type.STRING:
            return text
        if schema.name not in (DATE, TIME, TIMESTAMP):
            if schema.name == DECIMAL:
                unscaled = _number(text, Decimal).scaleb(schema.scale)
                if unscaled != int(unscaled):
                    raise TransformError(f"replacement {text!r} has more digits after the point than the "
                                         f"{schema.scale} of the field")  # fmt: skip
                return int(unscaled)
            if schema.type in (Type.FLOAT32, Type.FLOAT64):
                return _number(text, float)
            if schema.type in _WHOLE:
                whole = _number(text, int)
                if -(2 ** _WHOLE[schema.type]) <= whole < 2 ** _WHOLE[schema.type]:
                    return whole
                raise TransformError(f"replacement {text!r} does not fit {schema.type.name}")
        raise TransformError(f"Cannot mask value of type {schema.name or schema.type.name} with custom replacement.")

    def _free(self, value: Any) -> Any:
        """What stands for a schemaless value."""
        if value is None:
            return None
        if self._replacement is None:
            zero = _FREE_ZEROS.get(type(value), value)
            if zero is value and type(value) not in _FREE_ZEROS:
                raise TransformError(f"Cannot mask value of type: {type(value).__name__}")
            return zero
        if type(value) in (int, float):
            return _number(self._replacement, type(value))
        if type(value) is str:
            return self._replacement
        raise TransformError(f"Cannot mask value of type {type(value).__name__} with custom replacement.")


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except (ValueError, InvalidOperation):
        raise TransformError(f"Unable to convert replacement {text!r} to a number") from None


class MaskFieldKey(_MaskField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.MaskField$Key"
    _SIDE = Side.KEY


class MaskFieldValue(_MaskField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.MaskField$Value"
    _SIDE = Side.VALUE
