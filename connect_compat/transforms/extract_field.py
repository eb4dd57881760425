"""A struct or map to one of its fields: `{"id": 7}` becomes `7`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, Importance, key
from cdc.errors import TransformError
from cdc.record import NULL, Batch
from cdc.schema import Schema, Type
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, Side, is_null, need_maps, need_struct

_PURPOSE: Final = "field extraction"
_STEP: Final = re.compile(r"`((?:[^`\\]|\\.|`(?!\.|$))*)`(?:\.|$)|([^.]*)(?:\.|$)")


@dataclass(frozen=True, kw_only=True)
class ExtractFieldConfig:
    """Which field."""

    LAYOUT = PLAIN
    field: str = key("field", doc="Field name to extract.")
    defaults: bool = null_default_key()
    syntax: str = key(
        "field.syntax.version", default="V1", importance=Importance.HIGH, values=("V1", "V2"),
        doc="Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are "
            "limited to access the elements at the root level of the struct or map. If set to <code>V2</code>, the "
            "syntax will support accessing nested elements. To access nested elements, dotted notation is used. If "
            "dots are already included in the field name, then backtick pairs can be used to wrap field names "
            'containing dots. E.g. to access the subfield <code>baz</code> from a field named "foo.bar" in a '
            'struct/map the following format can be used to access its elements: "<code>foo.bar</code>.baz".',
    )  # fmt: skip


def field_path(text: str) -> tuple[str, ...]:
    """`a.b` and `` `a.b`.c `` to their steps."""
    steps, at = [], 0
    while at < len(text) and (found := _STEP.match(text, at)):
        steps.append(found[2] if found[1] is None else found[1].replace("\\`", "`"))
        at = found.end()
    return tuple(steps)


class _ExtractField:
    CLASS_NAME: ClassVar[str]
    CONFIG = ExtractFieldConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: ExtractFieldConfig) -> None:
        self._field, self._defaults = config.field, config.defaults
        self._path = field_path(config.field) if config.syntax == "V2" else (config.field,)
        self._getter = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema, items = self._SIDE.schema(batch), self._SIDE.items(batch)
        if schema is None:
            present = need_maps([item for item in items if not is_null(item)], _PURPOSE)
            found = iter([self._from_map(item) for item in present])
            return [self._SIDE.put(batch, None, [None if is_null(item) else next(found) for item in items])]
        field, get = self._getter(schema)
        made = [item if item is None or item is NULL else get(item) for item in items]
        return [self._SIDE.put(batch, field, made)]

    def _from_map(self, item: Any) -> Any:
        for step in self._path:
            if item is None:
                return None
            if not isinstance(item, dict):
                raise TransformError("Only Map objects supported in absence of schema for [nested field access], "
                                     f"found: {type(item).__name__}")  # fmt: skip
            item = item.get(step)
        return item

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        """The field's schema, and a function from a tuple to its value, NULL when that is null."""
        need_struct(schema, _PURPOSE)
        indexes: list[int] = []
        for step in self._path:
            if schema.type is not Type.STRUCT:
                raise TransformError(f"Cannot look up fields on non-struct type: {self._field!r}")
            at = schema.index(step)
            if at is None:
                raise TransformError(f"Unknown field: {self._field}; the fields are "
                                     f"{', '.join(field.name for field in schema.fields)}")  # fmt: skip
            indexes.append(at)
            schema = schema.fields[at].schema
        null = NULL if schema.default is None or not self._defaults else schema.default
        first, *rest = indexes
        if not rest:
            return schema, lambda item: null if item[first] is None else item[first]

        def nested(item: Any) -> Any:
            for at in indexes:
                item = item[at]
                if item is None:
                    return null
            return item

        return schema, nested


class ExtractFieldKey(_ExtractField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.ExtractField$Key"
    _SIDE = Side.KEY


class ExtractFieldValue(_ExtractField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.ExtractField$Value"
    _SIDE = Side.VALUE
