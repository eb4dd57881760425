"""Fields of a struct or map moved or copied to headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from cdc.config import PLAIN, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.record import Batch, Header
from cdc.schema import Schema
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Each, Side, need_maps, need_struct, refuse_nulls


@dataclass(frozen=True, kw_only=True)
class HeaderFromConfig:
    """Which fields, to which headers."""

    LAYOUT = PLAIN
    fields: tuple[str, ...] = key(
        "fields", importance=Importance.HIGH, unset="Invalid value null for configuration fields: Empty list",
        doc="Field names in the record whose values are to be copied or moved to headers.")  # fmt: skip
    headers: tuple[str, ...] = key(
        "headers", importance=Importance.HIGH, unset="Invalid value null for configuration headers: Empty list",
        doc="Header names, in the same order as the field names listed in the fields configuration "
            "property.")  # fmt: skip
    operation: str = key(
        "operation", importance=Importance.HIGH, values=("move", "copy"),
        unset="Invalid value null for configuration operation: String must be one of: move, copy",
        doc="Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or "
            "<code>copy</code> if the fields are to be copied to the headers (retained in the key/value).")  # fmt: skip
    defaults: bool = null_default_key()


class _HeaderFrom:
    CLASS_NAME: ClassVar[str]
    CONFIG = HeaderFromConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: HeaderFromConfig) -> None:
        if len(config.fields) != len(config.headers):
            raise ConfigError([Problem("headers", "'fields' config must have the same number of elements as 'headers' "
                                                  f"config: {len(config.fields)} fields, {len(config.headers)} headers")
                               ])  # fmt: skip
        self._fields, self._names = config.fields, config.headers
        self._move, self._defaults = config.operation == "move", config.defaults
        self._purpose = f"header {config.operation}"
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        refuse_nulls(items, self._purpose, "HeaderFrom")
        rows: Sequence[Any]
        if schema is None:
            maps = need_maps(items, self._purpose)
            rows = [tuple(item.get(field) for field in self._fields) for item in maps]
            schemas: Sequence[Schema | None] = [None] * len(self._fields)
            left: Sequence[Any] = maps
            if self._move:
                left = [{k: v for k, v in item.items() if k not in self._fields} for item in maps]
        else:
            schema, schemas, read, keep = self._shape(schema)
            rows = [read(item) for item in items]
            left = [keep(item) for item in items] if self._move else items
        headers = [
            (*old, *(Header(name, s, value) for name, s, value in zip(self._names, schemas, row, strict=True)))
            for old, row in zip(batch.headers, rows, strict=True)
        ]
        return [replace(self._SIDE.put(batch, schema, left), headers=headers)]

    def _compile(self, schema: Schema) -> tuple[Schema, Sequence[Schema], Each, Each]:
        """The schema left, those of the headers, and functions to the headers' values and to the struct left."""
        need_struct(schema, self._purpose)
        places = []
        for name in self._fields:
            at = schema.index(name)
            if at is None:
                raise TransformError(f"HeaderFrom: there is no field {name!r}; the fields are "
                                     f"{', '.join(field.name for field in schema.fields)}")  # fmt: skip
            places.append(at)
        taken = [schema.fields[at].schema for at in places]
        read = tuple_of([self._member(at, schema) for at in places])
        if not self._move:
            return schema, taken, read, lambda item: item
        kept = [at for at in range(len(schema.fields)) if at not in places]
        left = schema.with_(fields=tuple(schema.fields[at] for at in kept))
        return left, taken, read, tuple_of([self._member(at, schema) for at in kept])

    def _member(self, at: int, schema: Schema) -> tuple[str, Any]:
        return f"v[{at}]", schema.fields[at].schema.default if self._defaults else None


class HeaderFromKey(_HeaderFrom):
    CLASS_NAME = "org.apache.kafka.connect.transforms.HeaderFrom$Key"
    _SIDE = Side.KEY


class HeaderFromValue(_HeaderFrom):
    CLASS_NAME = "org.apache.kafka.connect.transforms.HeaderFrom$Value"
    _SIDE = Side.VALUE
