"""Another name or version for the schema of key or value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from cdc.config import PLAIN, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.record import Batch
from cdc.schema import Schema
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Side, is_null


@dataclass(frozen=True, kw_only=True)
class SetSchemaMetadataConfig:
    """Name and version."""

    LAYOUT = PLAIN
    name: str | None = key("schema.name", default=None, importance=Importance.HIGH, doc="Schema name to set.")
    version: int | None = key("schema.version", default=None, importance=Importance.HIGH, doc="Schema version to set.")
    defaults: bool = null_default_key()


class _SetSchemaMetadata:
    CLASS_NAME: ClassVar[str]
    CONFIG = SetSchemaMetadataConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: SetSchemaMetadataConfig) -> None:
        if config.name is None and config.version is None:
            raise ConfigError([Problem("schema.name", "Neither schema name nor version configured; set schema.name, "
                                                      "schema.version or both")])  # fmt: skip
        self._config = config
        self._renamed = lru_cache(maxsize=1000)(self._with_metadata)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        if all(item is None for item in items):
            return [batch]
        return [self._SIDE.put(batch, *self._rows(schema, items))]

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is None:
            raise TransformError("Schema required for [updating schema metadata]; the record is schemaless")
        if self._config.defaults and any(field.schema.default is not None for field in schema.fields):
            defaults = [field.schema.default for field in schema.fields]
            items = [
                item if is_null(item) else tuple(d if v is None else v for v, d in zip(item, defaults, strict=True))
                for item in items
            ]
        return self._renamed(schema), items

    def _with_metadata(self, schema: Schema) -> Schema:
        name, version = self._config.name, self._config.version
        changes = {"name": name, "version": version}
        return schema.with_(**{what: value for what, value in changes.items() if value is not None})


class SetSchemaMetadataKey(_SetSchemaMetadata):
    CLASS_NAME = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key"
    _SIDE = Side.KEY


class SetSchemaMetadataValue(_SetSchemaMetadata):
    CLASS_NAME = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value"
    _SIDE = Side.VALUE
