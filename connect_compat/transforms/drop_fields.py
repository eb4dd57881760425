"""Fields named in a header, taken out of value and key: the `drop.fields.*` settings of ExtractNewRecordState."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.record import NULL, Batch, Headers
from cdc.schema import Schema, Type
from connect_compat.transforms.replace_field import tuple_of
from connect_compat.transforms.side import Side, runs


@dataclass(frozen=True)
class DropFields:
    """`header` holds a list of field names. `keys`: also from the key; `compatibly`: only fields that are optional."""

    header: str
    keys: bool
    compatibly: bool

    def apply(self, batch: Batch) -> Sequence[Batch]:
        names = [self._names(headers) for headers in batch.headers]
        return [
            self._dropped(part, wanted) if (wanted := self._names(part.headers[0])) else part
            for part in runs(batch, names)
        ]

    def _names(self, headers: Headers) -> tuple[str, ...]:
        found = next((header.value for header in reversed(headers) if header.name == self.header), None)
        return tuple(map(str, found)) if isinstance(found, list | tuple) else ()

    def _dropped(self, batch: Batch, names: tuple[str, ...]) -> Batch:
        for side in (Side.VALUE, Side.KEY) if self.keys else (Side.VALUE,):
            schema = side.schema(batch)
            if schema is None or schema.type is not Type.STRUCT or any(v is NULL for v in side.items(batch)):
                continue
            kept = [at for at, field in enumerate(schema.fields) if not self._goes(field.name, field.schema, names)]
            if len(kept) < len(schema.fields):
                pick = tuple_of([(f"v[{at}]", None) for at in kept])
                items = [None if item is None else pick(item) for item in side.items(batch)]
                batch = side.put(batch, schema.with_(fields=tuple(schema.fields[at] for at in kept)), items)
        return batch

    def _goes(self, name: str, schema: Schema, names: tuple[str, ...]) -> bool:
        return name in names and (schema.optional or not self.compatibly)
