"""Vectors of change events as JSON texts, for targets that have no arrays.

Source: Debezium 3.5.0.Final, `VectorToJsonConverter`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from cdc.errors import TransformError
from cdc.java.numbers import double_text, float_text
from cdc.record import Batch
from cdc.schema import Field, Schema, Type
from connect_compat.no_settings import NoSettings
from connect_compat.transforms.side import Each, Side, changed

_LISTS: Final = ("io.debezium.data.DoubleVector", "io.debezium.data.FloatVector")
_SPARSE: Final = "io.debezium.data.SparseDoubleVector"
_JSON: Final = Schema(Type.STRING, name="io.debezium.data.Json", version=1)


class VectorToJsonConverter:
    CLASS_NAME = "io.debezium.transforms.VectorToJsonConverter"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings) -> None:
        self._converted = lru_cache(maxsize=1000)(_struct)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return changed(batch, Side.VALUE, self._rows)

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is None or schema.type is not Type.STRUCT:
            found = "no schema" if schema is None else schema.type.name
            raise TransformError(f"Only Struct objects supported for [Value should be a struct], found: {found}")
        made, each = self._converted(schema)
        return made, [each(item) for item in items]


def _struct(schema: Schema) -> tuple[Schema, Each]:
    """The schema with its vectors as JSON, and a function from a struct; a null takes its field's default."""
    fields: list[Field] = []
    parts: list[tuple[int, Any, Each | None]] = []
    for at, field in enumerate(schema.fields):
        inner: Each | None = None
        made = field.schema
        if made.name in _LISTS or made.name == _SPARSE:
            inner = _sparse(made) if made.name == _SPARSE else _listed(made)
            made = _JSON.with_(optional=made.optional)
        elif made.type is Type.STRUCT:
            made, inner = _struct(made)
        fields.append(Field(field.name, made))
        if inner is not None or field.schema.default is not None:
            parts.append((at, field.schema.default, inner))

    def change(value: Any) -> Any:
        members = list(value)
        for at, default, inner in parts:
            item = default if members[at] is None else members[at]
            members[at] = item if item is None or inner is None else inner(item)
        return tuple(members)

    return schema.with_(fields=tuple(fields), default=None), change


def _listed(schema: Schema) -> Each:
    shown = _number(schema.items)
    return lambda values: f'{{ "values": [{", ".join(map(shown, values))}] }}'


def _sparse(schema: Schema) -> Each:
    dimensions, vector = schema.index("dimensions"), schema.index("vector")
    if dimensions is None or vector is None:
        raise TransformError(f"{_SPARSE} has no fields dimensions and vector")
    shown = _number(schema.fields[vector].schema.items)

    def text(value: Any) -> str:
        pairs = ", ".join(f'"{place}": {shown(item)}' for place, item in sorted(value[vector].items()))
        return f'{{ "dimensions": {value[dimensions]}, "vector": {{ {pairs} }} }}'

    return text


def _number(schema: Schema | None) -> Callable[[Any], str]:
    shown = float_text if schema is not None and schema.type is Type.FLOAT32 else double_text
    return lambda value: "null" if value is None else shown(value)
