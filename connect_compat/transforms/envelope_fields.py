"""References to fields of a change event's envelope, as `add.fields` and `add.headers` write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cdc.schema import Schema, Type

_TOP: Final = frozenset({"op", "ts_ms", "ts_us", "ts_ns"})
_TRANSACTION: Final = frozenset({"id", "total_order", "data_collection_order"})


@dataclass(frozen=True)
class Reference:
    """Where a field stands in the envelope, and what it is called outside."""

    path: tuple[str, ...]
    name: str

    def schema_in(self, envelope: Schema) -> Schema | None:
        """Its schema; None when the envelope has no such field."""
        schema = envelope
        for step in self.path:
            field = schema.field(step) if schema.type is Type.STRUCT else None
            if field is None:
                return None
            schema = field.schema
        return schema

    def optional_in(self, envelope: Schema) -> Schema:
        """Its schema outside the envelope: optional, and without its default."""
        schema = self.schema_in(envelope)
        assert schema is not None
        return schema.with_(optional=True, default=None)

    def expression_in(self, envelope: Schema) -> str:
        """Python source that reads it from an envelope's tuple `v`."""
        source, schema = "v", envelope
        for step in self.path:
            at = schema.index(step)
            assert at is not None
            schema = schema.fields[at].schema
            source = f"{source}[{at}]" if source == "v" else f"(None if {source} is None else {source}[{at}])"
        return source


def references(texts: Sequence[str], prefix: str) -> tuple[Reference, ...]:
    """`op`, `source.ts_ms`, `table:name`: a bare name is looked for where Debezium keeps it."""
    return tuple(_reference(text.strip(), prefix) for text in texts)


def _reference(text: str, prefix: str) -> Reference:
    path, _, alias = text.partition(":")
    if "." in path:
        struct, _, name = path.partition(".")
        return Reference((struct, name), prefix + (alias or f"{struct}_{name}"))
    if path in _TOP:
        return Reference((path,), prefix + (alias or path))
    struct = "transaction" if path in _TRANSACTION else "source"
    return Reference((struct, path), prefix + (alias or path))
