"""Fields of the value as the key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, need_maps, need_struct, refuse_nulls

_PURPOSE: Final = "copying fields from value to key"


@dataclass(frozen=True, kw_only=True)
class ValueToKeyConfig:
    """Which fields."""

    LAYOUT = PLAIN
    fields: tuple[str, ...] = key("fields", importance=Importance.HIGH,
                                  unset="Configuration 'fields' values must not be null.",
                                  doc="Field names on the record value to extract as the record key.")  # fmt: skip
    defaults: bool = null_default_key()


class ValueToKey:
    CLASS_NAME = "org.apache.kafka.connect.transforms.ValueToKey"
    CONFIG = ValueToKeyConfig

    def __init__(self, config: ValueToKeyConfig) -> None:
        self._fields, self._defaults = config.fields, config.defaults
        self._maker = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema, values = batch.value_schema, batch.values
        refuse_nulls(values, _PURPOSE, "ValueToKey")
        if schema is None:
            keys: list[Any] = [{f: value.get(f) for f in self._fields} for value in need_maps(values, _PURPOSE)]
            return [replace(batch, key_schema=None, keys=keys)]
        key_schema, make = self._maker(schema)
        return [replace(batch, key_schema=key_schema, keys=[make(value) for value in values])]

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        need_struct(schema, _PURPOSE)
        places = [schema.index(name) for name in self._fields]
        fields: list[Field] = []
        for name, at in zip(self._fields, places, strict=True):
            if at is None:
                raise TransformError(f"Field does not exist: {name}; the value's fields are "
                                     f"{', '.join(field.name for field in schema.fields)}")  # fmt: skip
            fields.append(schema.fields[at])
        make = _picker([at for at in places if at is not None])
        defaults = tuple(field.schema.default if self._defaults else None for field in fields)
        if any(default is not None for default in defaults):
            plain = make
            make = lambda item: tuple(d if v is None else v for v, d in zip(plain(item), defaults, strict=True))  # noqa: E731
        return Schema(Type.STRUCT, fields=tuple(fields)), make


def _picker(places: Sequence[int]) -> Each:
    if len(places) == 1:
        at = places[0]
        return lambda item: (item[at],)
    return itemgetter(*places)
