"""Headers moved or copied into the value as new fields, also of a struct within it: `after.trace`.

Source: Debezium 3.5.0.Final, `HeaderToValue`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.record import Batch, Headers
from cdc.schema import Field, Schema, Type
from connect_compat.transforms.side import is_null, need_struct

_Made = tuple[Schema, Callable[[Any, Sequence[Any]], Any]]


def _names(value: tuple[str, ...]) -> str | None:
    if not all(value):
        return "Empty string element(s) not allowed"
    return "String element(s) with spaces are not allowed" if any(" " in part for part in value) else None


@dataclass(frozen=True, kw_only=True)
class HeaderToValueConfig:
    """Which headers, to which fields."""

    LAYOUT = UNGROUPED
    headers: tuple[str, ...] = key(
        "headers", default=None, needed=True, check=_names, importance=Importance.HIGH, width="NONE",
        label="Header names list",
        doc="Header names in the record whose values are to be copied or moved to record value.")  # fmt: skip
    fields: tuple[str, ...] = key(
        "fields", default=None, needed=True, check=_names, importance=Importance.HIGH, width="NONE",
        label="Field names list",
        doc="Field names, in the same order as the header names listed in the headers configuration property. "
            "Supports Struct nesting using dot notation.")  # fmt: skip
    operation: str = key(
        "operation", default=None, needed=True, values=("move", "copy"), importance=Importance.HIGH,
        width="NONE", label="Operation: mover or copy",
        doc="Either <code>move</code> if the fields are to be moved to the value (removed from the headers), or "
            "<code>copy</code> if the fields are to be copied to the value (retained in the headers).")  # fmt: skip


class HeaderToValue:
    CLASS_NAME = "io.debezium.transforms.HeaderToValue"
    CONFIG = HeaderToValueConfig

    def __init__(self, config: HeaderToValueConfig) -> None:
        """Raises: ConfigError: not as many fields as headers."""
        if len(config.headers) != len(config.fields):
            message = "'headers' config must have the same number of elements as 'fields' config."
            raise ConfigError([Problem("headers", message)])
        self._fields = dict(zip(reversed(config.headers), reversed(config.fields), strict=True))
        self._moves = config.operation == "move"
        self._made: dict[tuple[Schema, tuple[tuple[str, Schema | None], ...]], _Made] = {}
        self._first: dict[Schema, tuple[tuple[str, Schema | None], ...]] = {}

    def apply(self, batch: Batch) -> Sequence[Batch]:
        shapes: list[Any] = []
        known: dict[int, Any] = {}
        for headers, value in zip(batch.headers, batch.values, strict=True):
            if id(headers) not in known:
                known[id(headers)] = tuple((h.name, h.schema) for h in headers if h.name in self._fields)
            shapes.append(() if is_null(value) else known[id(headers)])
        out = []
        for shape, run in groupby(range(len(batch)), key=shapes.__getitem__):
            part = batch.pick(list(run))
            out.append(self._with(part, shape) if shape else part)
        return out

    def _with(self, batch: Batch, shape: tuple[tuple[str, Schema | None], ...]) -> Batch:
        schema = batch.value_schema
        if schema is None:
            raise TransformError("Only Struct objects supported for [Header field insertion], found: a value without "
                                 "a schema; set schemas.enable=true or use a schema registry")  # fmt: skip
        need_struct(schema, "Header field insertion")
        first = self._first.setdefault(schema, shape)
        names = [name for name, _ in shape]
        if {name for name, _ in first} < set(names):
            first = shape
        if (schema, first) not in self._made:
            self._made[schema, first] = _inserted(schema, [(self._fields[name], kind) for name, kind in first])
        new, make = self._made[schema, first]
        values = []
        for headers, value in zip(batch.headers, batch.values, strict=True):
            found = {header.name: header.value for header in headers}
            values.append(make(value, [found.get(name) for name, _ in first]))
        return replace(batch, value_schema=new, values=values, headers=self._left(batch.headers))

    def _left(self, all_headers: Sequence[Headers]) -> Sequence[Headers]:
        if not self._moves:
            return all_headers
        known: dict[int, Headers] = {}
        for headers in all_headers:
            if id(headers) not in known:
                known[id(headers)] = tuple(header for header in headers if header.name not in self._fields)
        return [known[id(headers)] for headers in all_headers]


def _inserted(schema: Schema, entries: Sequence[tuple[str, Schema | None]]) -> _Made:
    """The schema with the fields added, and a function from a tuple and their values to the new tuple."""
    at_hand = {path: number for number, (path, _) in enumerate(entries)}
    below: dict[str, list[tuple[str, Schema | None]]] = {}
    own: list[tuple[str, Schema]] = []
    for path, kind in entries:
        if kind is None:
            raise TransformError(f"HeaderToValue: the header for field {path!r} has no schema, so the field would have "
                                 "none; set header.converter to one that gives schemas")  # fmt: skip
        head, _, rest = path.partition(".")
        if not rest:
            own.append((path, kind))
            continue
        field = schema.field(head)
        if field is None:
            raise TransformError(f"Field '{head}' does not exist in the schema. Cannot add nested field '{path}'.")
        if field.schema.type is not Type.STRUCT:
            raise TransformError(f"Field '{head}' is a primitive type, not a struct. Cannot add nested field '{path}'.")
        below.setdefault(head, []).append((rest, kind))
    nested = {head: _inserted(field_of(schema, head), listed) for head, listed in below.items()}
    picks = {head: [at_hand[f"{head}.{rest}"] for rest, _ in listed] for head, listed in below.items()}
    names = [field.name for field in schema.fields]
    for name, _ in own:
        if name in names:
            raise TransformError(f"Cannot create field because of field name duplication {name}")
    fields = [Field(field.name, nested[field.name][0]) if field.name in nested else field for field in schema.fields]
    fields += [Field(name, kind) for name, kind in own]
    added = [at_hand[name] for name, _ in own]
    steps = [
        (field.schema.default, nested[field.name][1] if field.name in nested else None, picks.get(field.name, ()))
        for field in schema.fields
    ]

    def make(value: Any, given: Sequence[Any]) -> Any:
        members = []
        for item, (default, change, wanted) in zip(value, steps, strict=True):
            item = default if item is None else item
            members.append(item if change is None or item is None else change(item, [given[at] for at in wanted]))
        return (*members, *(given[at] for at in added))

    return schema.with_(optional=False, default=None, fields=tuple(fields)), make


def field_of(schema: Schema, name: str) -> Schema:
    field = schema.field(name)
    assert field is not None
    return field.schema
