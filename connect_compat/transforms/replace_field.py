"""Fields of a struct or map taken out, kept, or renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, key
from cdc.record import Batch
from cdc.schema import Field, Schema
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, Side, changed, need_maps, need_struct

_PURPOSE: Final = "field replacement"


def _pairs(value: tuple[str, ...]) -> str | None:
    wrong = [part for part in value if part.count(":") != 1 or not all(part.split(":"))]
    return f"Invalid rename mapping: {wrong[0]!r} must be of the form old:new" if wrong else None


@dataclass(frozen=True, kw_only=True)
class ReplaceFieldConfig:
    """Which fields leave, which stay, and their new names."""

    LAYOUT = PLAIN
    exclude: tuple[str, ...] = key("exclude", default=(), aliases=("blacklist",),
                                   doc="Fields to exclude. This takes precedence over the fields to "
                                       "include.")  # fmt: skip
    include: tuple[str, ...] = key("include", default=(), aliases=("whitelist",),
                                   doc="Fields to include. If specified, only these fields will be used.")  # fmt: skip
    renames: tuple[str, ...] = key("renames", default=(), check=_pairs, doc="Field rename mappings.")
    defaults: bool = null_default_key()


class _ReplaceField:
    CLASS_NAME: ClassVar[str]
    CONFIG = ReplaceFieldConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: ReplaceFieldConfig) -> None:
        self._exclude, self._include = frozenset(config.exclude), frozenset(config.include)
        self._renames = dict(pair.split(":") for pair in config.renames)
        self._defaults = config.defaults
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return changed(batch, self._SIDE, self._rows)

    def _stays(self, name: str) -> bool:
        return name not in self._exclude and (not self._include or name in self._include)

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is None:
            return None, [
                {self._renames.get(name, name): value for name, value in item.items() if self._stays(name)}
                for item in need_maps(items, _PURPOSE)
            ]
        new, make = self._shape(schema)
        return new, [make(item) for item in items]

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        need_struct(schema, _PURPOSE)
        kept = [(at, field) for at, field in enumerate(schema.fields) if self._stays(field.name)]
        fields = tuple(Field(self._renames.get(field.name, field.name), field.schema) for _, field in kept)
        return schema.with_(fields=fields), tuple_of(
            [(f"v[{at}]", field.schema.default if self._defaults else None) for at, field in kept]
        )


def tuple_of(members: Sequence[tuple[str, Any]], names: Mapping[str, Any] = MappingProxyType({})) -> Each:
    """A function from a tuple `v` to a tuple of (expression, what stands for a null in its place).

    `names`: what else the expressions refer to.
    """
    constants = {**names, **{f"d{i}": default for i, (_, default) in enumerate(members)}}
    parts = [
        expression if default is None else f"(d{i} if {expression} is None else {expression})"
        for i, (expression, default) in enumerate(members)
    ]
    made: Each = eval(f"lambda v: ({' '.join(part + ',' for part in parts)})", constants)
    return made


class ReplaceFieldKey(_ReplaceField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.ReplaceField$Key"
    _SIDE = Side.KEY


class ReplaceFieldValue(_ReplaceField):
    CLASS_NAME = "org.apache.kafka.connect.transforms.ReplaceField$Value"
    _SIDE = Side.VALUE
