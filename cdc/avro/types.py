"""Avro schemas as JSON to objects whose names are resolved. Source: Apache Avro 1.12 Specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from cdc.errors import ConversionError

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAMED: Final = frozenset({"record", "error", "enum", "fixed"})
_OWN: Final = frozenset({"type", "name", "namespace", "doc", "fields", "items", "values", "size", "symbols", "aliases",
                         "default"})  # fmt: skip
_MISSING: Final = object()


@dataclass(eq=False)
class Avro:
    """One Avro type. A record may hold itself, so objects are told apart by identity.

    Attributes:
        kind: null boolean int long float double bytes string record enum fixed array map union.
        name: the full name of a record, enum or fixed.
        items: of an array its elements, of a map its values.
        props: members that are not Avro's own, `logicalType` among them.
    """

    kind: str
    name: str = ""
    doc: str | None = None
    fields: list[AvroField] = field(default_factory=list)
    items: Avro | None = None
    branches: list[Avro] = field(default_factory=list)
    size: int = 0
    symbols: list[str] = field(default_factory=list)
    default_symbol: str | None = None
    props: Mapping[str, Any] = field(default_factory=dict)

    def inner(self) -> Avro:
        """The element type of an array or a map."""
        assert self.items is not None
        return self.items


@dataclass(eq=False)
class AvroField:
    name: str
    type: Avro
    doc: str | None
    default: Any
    has_default: bool
    props: Mapping[str, Any]


Names = dict[str, Avro]


def parse_avro(text: str, names: Names | None = None) -> Avro:
    """`names`: types defined elsewhere, by full name; those of the text are added. Raises: ConversionError."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        parsed = text.strip()
    return _type(parsed, {} if names is None else names, "")


def _type(found: Any, names: Names, space: str) -> Avro:
    if isinstance(found, str):
        return _named(found, names, space)
    if isinstance(found, list):
        return Avro("union", branches=[_type(each, names, space) for each in found])
    if not isinstance(found, dict) or "type" not in found:
        raise ConversionError(f"{found!r} is no Avro type")
    kind = found["type"]
    if not isinstance(kind, str):
        return _type(kind, names, space)
    props = {name: value for name, value in found.items() if name not in _OWN}
    if kind in PRIMITIVES:
        return Avro(kind, props=props)
    if kind in ("array", "map"):
        return Avro(kind, items=_type(found["items" if kind == "array" else "values"], names, space), props=props)
    if kind not in _NAMED:
        return _named(kind, names, space)
    return _definition(found, "record" if kind == "error" else kind, props, names, space)


def _definition(found: Mapping[str, Any], kind: str, props: Mapping[str, Any], names: Names, space: str) -> Avro:
    name = found["name"]
    if "." in name:
        space = name.rpartition(".")[0]
    else:
        space = found.get("namespace", space) or ""
        name = f"{space}.{name}" if space else name
    made = names[name] = Avro(kind, name, found.get("doc"), size=found.get("size", 0), symbols=found.get("symbols", []),
                              default_symbol=found.get("default"), props=props)  # fmt: skip
    for each in found.get("fields", ()):
        default = each.get("default", _MISSING)
        own = {key: value for key, value in each.items() if key not in (*_OWN, "order")}
        inner, given = _type(each["type"], names, space), default is not _MISSING
        made.fields.append(AvroField(each["name"], inner, each.get("doc"), default if given else None, given, own))
    return made


def _named(name: str, names: Names, space: str) -> Avro:
    if name in PRIMITIVES:
        return Avro(name)
    for full in (f"{space}.{name}" if space and "." not in name else name, name):
        if full in names:
            return names[full]
    raise ConversionError(f"{name!r} is neither an Avro type nor a name that was defined before")
