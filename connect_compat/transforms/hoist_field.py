"""A value of any kind into a struct or map of one field: `7` becomes `{"id": 7}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from cdc.config import PLAIN, key
from cdc.record import NULL, Batch
from cdc.schema import Schema, struct
from connect_compat.transforms.side import Side, runs


@dataclass(frozen=True, kw_only=True)
class HoistFieldConfig:
    """The field's name."""

    LAYOUT = PLAIN
    field: str = key("field", doc="Field name for the single field that will be created in the resulting Struct "
                                  "or Map.")  # fmt: skip


class _HoistField:
    CLASS_NAME: ClassVar[str]
    CONFIG = HoistFieldConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: HoistFieldConfig) -> None:
        self._field = config.field
        self._shape = lru_cache(maxsize=1000)(self._hoisted)

    def _hoisted(self, schema: Schema) -> Schema:
        return struct((self._field, schema))

    def apply(self, batch: Batch) -> Sequence[Batch]:
        marks = [item is None for item in self._SIDE.items(batch)]
        return [self._run(part) for part in runs(batch, marks)]

    def _run(self, batch: Batch) -> Batch:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        if schema is None or items[0] is None:
            return self._SIDE.put(batch, None, [{self._field: item} for item in items])
        hoisted = [(None if item is NULL else item,) for item in items]
        return self._SIDE.put(batch, self._shape(schema), hoisted)


class HoistFieldKey(_HoistField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.HoistField$Key"
    _SIDE = Side.KEY


class HoistFieldValue(_HoistField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.HoistField$Value"
    _SIDE = Side.VALUE
