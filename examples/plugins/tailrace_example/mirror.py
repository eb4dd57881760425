"""A transform: adds the negative of a number to the struct it stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from cdc.config import key
from cdc.errors import TransformError
from cdc.record import NULL, Batch
from cdc.schema import Field, Schema, Type


@dataclass(frozen=True, kw_only=True)
class MirrorConfig:
    """What stands below `transforms.<name>.`."""

    field: str = key("field", doc="The field to mirror.")


class Mirror:
    CLASS_NAME = "com.example.Mirror"
    CONFIG = MirrorConfig

    def __init__(self, config: MirrorConfig) -> None:
        self._field = config.field
        self._place = lru_cache(maxsize=1000)(self._look)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        """A batch is of one shape: what depends on its schema is found once, then comes one line a record."""
        if batch.value_schema is None:
            raise TransformError("Mirror needs values with a schema; set schemas.enable=true where they are read")
        at, schema = self._place(batch.value_schema)
        values = [value if value is None or value is NULL else (*value, -value[at]) for value in batch.values]
        return [replace(batch, value_schema=schema, values=values)]

    def _look(self, schema: Schema) -> tuple[int, Schema]:
        at = schema.index(self._field) if schema.type is Type.STRUCT else None
        if at is None:
            raise TransformError(f"Mirror finds no field {self._field!r}; correct transforms.….field")
        mirrored = Field(f"minus_{self._field}", schema.fields[at].schema)
        return at, schema.with_(fields=(*schema.fields, mirrored))
