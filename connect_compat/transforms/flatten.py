"""Nested structs or maps to one level: `{"a": {"b": 1}}` becomes `{"a.b": 1}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Each, Side, changed, need_maps, need_struct

_PURPOSE: Final = "flattening"


@dataclass(frozen=True, kw_only=True)
class FlattenConfig:
    """What stands between the names."""

    LAYOUT = PLAIN
    delimiter: str = key("delimiter", default=".", doc="Delimiter to insert between field names from the input record "
                                                       "when generating field names for the output record")  # fmt: skip


class _Flatten:
    CLASS_NAME: ClassVar[str]
    CONFIG = FlattenConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: FlattenConfig) -> None:
        self._delimiter = config.delimiter
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return changed(batch, self._SIDE, self._rows)

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is None:
            return None, [dict(self._pairs("", item)) for item in need_maps(items, _PURPOSE)]
        new, make = self._shape(schema)
        return new, [make(item) for item in items]

    def _pairs(self, prefix: str, item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in item.items():
            if isinstance(value, dict):
                yield from self._pairs(f"{prefix}{name}{self._delimiter}", value)
            else:
                yield prefix + name, value

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        defaults: dict[str, Any] = {}
        leaves = list(self._leaves(need_struct(schema, _PURPOSE), "", "v", defaults, optional=schema.optional))
        make = tuple_of([(text, None) for _, text in leaves], defaults)
        return schema.with_(fields=tuple(field for field, _ in leaves)), make

    def _leaves(
        self, schema: Schema, prefix: str, source: str, defaults: dict[str, Any], *, optional: bool
    ) -> Iterator[tuple[Field, str]]:
        """The fields, and Python source that reads each from a tuple `v`; below an optional struct all are optional.

        `defaults` takes what stands for nulls, under the names that the source refers to them by.
        """
        for at, field in enumerate(schema.fields):
            name, inner = prefix + field.name, field.schema
            text = f"{source}[{at}]"
            if inner.default is not None:
                constant = f"k{len(defaults)}"
                defaults[constant] = inner.default
                text = f"({constant} if {text} is None else {text})"
            if source != "v":
                text = f"(None if {source} is None else {text})"
            if inner.type is Type.STRUCT:
                below, inside = name + self._delimiter, optional or inner.optional
                yield from self._leaves(inner, below, text, defaults, optional=inside)
            elif inner.type is Type.MAP:
                raise TransformError("Flatten transformation does not support MAP for record with schemas "
                                     f"(for field {name}).")  # fmt: skip
            else:
                yield Field(name, inner.with_(optional=True) if optional else inner), text


class FlattenKey(_Flatten):
    CLASS_NAME = "org.apache.kafka.connect.transforms.Flatten$Key"
    _SIDE = Side.KEY


class FlattenValue(_Flatten):
    CLASS_NAME = "org.apache.kafka.connect.transforms.Flatten$Value"
    _SIDE = Side.VALUE
