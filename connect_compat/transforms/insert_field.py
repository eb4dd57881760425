"""Facts of the record (topic, partition, offset, timestamp) and a fixed text as new fields of a struct or map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from cdc.config import PLAIN, key
from cdc.errors import TransformError
from cdc.record import Batch
from cdc.schema import INT32, INT64, STRING, TIMESTAMP, Field, Schema, Type
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Side, is_null, need_maps, need_struct, runs

_PURPOSE: Final = "field insertion"
_MOMENT: Final = Schema(Type.INT64, name=TIMESTAMP, version=1)
_SUFFIX: Final = (
    "Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default)."
)


@dataclass(frozen=True, kw_only=True)
class InsertFieldConfig:
    """What is inserted, under which names."""

    LAYOUT = PLAIN
    topic: str | None = key("topic.field", default=None, doc=f"Field name for Kafka topic. {_SUFFIX}")
    partition: str | None = key("partition.field", default=None, doc=f"Field name for Kafka partition. {_SUFFIX}")
    offset: str | None = key(
        "offset.field", default=None,
        doc=f"Field name for Kafka offset - only applicable to sink connectors.<br/>{_SUFFIX}")  # fmt: skip
    timestamp: str | None = key("timestamp.field", default=None, doc=f"Field name for record timestamp. {_SUFFIX}")
    static: str | None = key("static.field", default=None, doc=f"Field name for static data field. {_SUFFIX}")
    value: str | None = key("static.value", default=None, doc="Static field value, if field name configured.")
    defaults: bool = null_default_key()


class _Insert(NamedTuple):
    name: str
    schema: Schema
    values: Callable[[Batch], Sequence[Any]]


def _declared(text: str, schema: Schema, values: Callable[[Batch], Sequence[Any]]) -> _Insert:
    name = text.removesuffix("!") if text.endswith("!") else text.removesuffix("?")
    return _Insert(name, schema.with_(optional=not text.endswith("!")), values)


class _InsertField:
    CLASS_NAME: ClassVar[str]
    CONFIG = InsertFieldConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: InsertFieldConfig) -> None:
        self._defaults = config.defaults
        declared: list[tuple[str | None, Schema, Callable[[Batch], Sequence[Any]]]] = [
            (config.topic, STRING, lambda batch: [batch.topic] * len(batch)),
            (config.partition, INT32, lambda batch: [batch.partition] * len(batch)),
            (config.offset, INT64, _offsets),
            (config.timestamp, _MOMENT, lambda batch: batch.timestamps or [None] * len(batch)),
            (config.static, STRING, lambda batch: [config.value] * len(batch)),
        ]
        self._inserts = [_declared(name, schema, values) for name, schema, values in declared if name]
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        nulls = [is_null(item) for item in self._SIDE.items(batch)]
        return [part if is_null(self._SIDE.items(part)[0]) else self._inserted(part) for part in runs(batch, nulls)]

    def _inserted(self, batch: Batch) -> Batch:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        columns = [insert.values(batch) for insert in self._inserts]
        rows = list(zip(*columns, strict=True)) if columns else [()] * len(items)
        if schema is None:
            names = [insert.name for insert in self._inserts]
            made: list[Any] = [
                {**item, **{name: value for name, value in zip(names, row, strict=True) if value is not None}}
                for item, row in zip(need_maps(items, _PURPOSE), rows, strict=True)
            ]
            return self._SIDE.put(batch, None, made)
        new, base = self._shape(schema)
        return self._SIDE.put(batch, new, [(*base(item), *row) for item, row in zip(items, rows, strict=True)])

    def _compile(self, schema: Schema) -> tuple[Schema, Callable[[Any], Any]]:
        need_struct(schema, _PURPOSE)
        for insert in self._inserts:
            if schema.index(insert.name) is not None:
                raise TransformError(f"Cannot create field because of field name duplication {insert.name}")
        fields = (*schema.fields, *(Field(insert.name, insert.schema) for insert in self._inserts))
        members = [
            (f"v[{at}]", field.schema.default if self._defaults else None) for at, field in enumerate(schema.fields)
        ]
        return schema.with_(fields=fields), tuple_of(members)


def _offsets(batch: Batch) -> Sequence[Any]:
    if batch.offsets is None:
        raise TransformError("Offset insertion is only supported for sink connectors; remove offset.field")
    return batch.offsets


class InsertFieldKey(_InsertField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.InsertField$Key"
    _SIDE = Side.KEY


class InsertFieldValue(_InsertField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.InsertField$Value"
    _SIDE = Side.VALUE
