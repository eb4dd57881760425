"""Whether JSON that is written under one Connect schema is JSON of another, read from a registry."""

from __future__ import annotations

from typing import Final

from cdc.schema import DECIMAL, Schema, Type
from connect_compat.converters.draft_schema import has_text_keys, is_union

_KINDS: Final = {
    Type.INT8: "integer", Type.INT16: "integer", Type.INT32: "integer", Type.INT64: "integer", Type.FLOAT32: "number",
    Type.FLOAT64: "number", Type.BOOLEAN: "boolean", Type.STRING: "string", Type.BYTES: "string", Type.ARRAY: "array",
    Type.STRUCT: "object",
}  # fmt: skip


def _kind(schema: Schema) -> str:
    """What JSON Schema calls it."""
    if schema.type is Type.MAP:
        return "object" if has_text_keys(schema) else "array"
    return "number" if schema.name == DECIMAL else _KINDS[schema.type]


def misfit(written: Schema, read: Schema, path: str = "") -> str | None:
    """Why not; None when it is. `read` has optional fields where JSON may lack them."""
    if is_union(written) or is_union(read):
        return None
    where = f"field {path!r}" if path else "the value"
    kind, wanted = _kind(written), _kind(read)
    if kind != wanted and (kind, wanted) != ("integer", "number"):
        return f"{where} is {kind}, where the schema in the registry has {wanted}"
    if written.optional and not read.optional:
        return f"{where} may be null, which the schema in the registry does not allow"
    if written.type is Type.STRUCT and read.type is Type.STRUCT:
        return _of_fields(written, read, path)
    if written.items is not None and read.items is not None:
        return misfit(written.items, read.items, f"{path}[]")
    return None


def _of_fields(written: Schema, read: Schema, path: str) -> str | None:
    own = {each.name: each.schema for each in written.fields}
    for each in read.fields:
        name = f"{path}.{each.name}" if path else each.name
        if each.name in own:
            if found := misfit(own[each.name], each.schema, name):
                return found
        elif not each.schema.optional:
            return f"the schema in the registry needs a field {name!r}, which the records do not have"
    return None
