"""Connect schemas to Avro schemas as text, equal to what Confluent's AvroConverter registers.

A struct is a record named after its schema; what Avro has no word for (`connect.name`, `connect.version`,
`connect.parameters`, `connect.default`, `connect.type`) stands beside it. Source: `AvroData` of Confluent 7 and 8, by
what it gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

import orjson

from cdc.errors import ConversionError
from cdc.java.numbers import double_text, float_text
from cdc.json.text import jackson
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type, decimal_bytes

NAMESPACE: Final = "io.confluent.connect.avro"
ENUM: Final = f"{NAMESPACE}.Enum"
GENERAL_ENUM: Final = "org.apache.kafka.connect.data.Enum"
RECORD_DOC: Final = "connect.record.doc"
ENUM_DOC: Final = "connect.enum.doc"
DEFAULT_NAME: Final = "ConnectDefault"
MAP_ENTRY: Final = "MapEntry"
FIXED_SIZE: Final = "connect.fixed.size"
FIELD_DEFAULT: Final = f"{NAMESPACE}.field.default"
PRECISION: Final = "connect.decimal.precision"
_USUAL_PRECISION: Final = 64
_PRIMITIVES: Final = {
    Type.INT8: "int", Type.INT16: "int", Type.INT32: "int", Type.INT64: "long", Type.FLOAT32: "float",
    Type.FLOAT64: "double", Type.BOOLEAN: "boolean", Type.STRING: "string", Type.BYTES: "bytes",
}  # fmt: skip
_LOGICAL: Final = {TIME: "time-millis", TIMESTAMP: "timestamp-millis", DATE: "date"}
_FIT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Json = Any


class AvroForm(NamedTuple):
    """The settings that shape Avro schemas.

    `enhanced`: enums stay enums; `metadata`: Connect's own members are written; `scrub`: names are made fit for Avro;
    `optional_keys`: a map of optional texts is an Avro map; `defaults`: a null becomes its schema's default; `general`:
    enums go by Connect's own name for them; `discard`: docs are those of Connect's schemas.
    """

    enhanced: bool = False
    metadata: bool = True
    scrub: bool = False
    optional_keys: bool = False
    defaults: bool = True
    general: bool = False
    discard: bool = False

    def enum(self) -> str | None:
        """The parameter that says of a text that it is an enum; None where enums are plain texts."""
        if self.general:
            return GENERAL_ENUM
        return ENUM if self.enhanced else None


def scrubbed(name: str) -> str:
    """A name that Avro allows: `a-b` is `a_b`, `1st` is `x1st`."""
    if not name or _FIT.fullmatch(name):
        return name
    encoded = quote_plus(name, safe="*-._")
    encoded = encoded.replace("~", "%7E")
    if encoded[0].isdigit():
        encoded = f"x{encoded}"
    return re.sub(r"[^A-Za-z0-9_]", "_", encoded)


def avro_text(schema: Schema, form: AvroForm) -> str:
    """The Avro schema as Avro's own `toString` writes it. Raises: ConversionError: a schema Avro cannot hold."""
    node = _Builder(form).built(schema)
    return jackson(orjson.dumps(_shown(node, {}, None))).decode()


@dataclass
class _Builder:
    form: AvroForm
    known: dict[Schema, Json] = field(default_factory=dict)
    started: dict[str, Json] = field(default_factory=dict)
    unnamed: int = 0

    def built(self, schema: Schema) -> Json:
        """A JSON tree in which a type defined before stands again as the same object."""
        if not schema.optional and schema in self.known:
            return self.known[schema]
        if schema.type is Type.STRUCT and schema.optional:
            return [{"type": "null"}, self.nested(schema.with_(optional=False))]
        node = self._base(schema)
        self._describe(schema, node)
        if not schema.optional:
            self.known[schema] = node
            return node
        return [{"type": "null"}, node] if schema.default is None else [node, {"type": "null"}]

    def nested(self, schema: Schema) -> Json:
        """A type that may be the one that is being built."""
        if schema.name is not None and schema.name in self.started and schema.type is Type.STRUCT:
            node = self.started[schema.name]
            return [{"type": "null"}, node] if schema.optional else node
        return self.built(schema)

    def _names(self, name: str | None) -> dict[str, Any]:
        if name is None:
            self.unnamed += 1
            return {"name": DEFAULT_NAME + (str(self.unnamed) if self.unnamed > 1 else ""), "namespace": NAMESPACE}
        parts = [scrubbed(part) if self.form.scrub else part for part in name.split(".")]
        space = ".".join(parts[:-1])
        return {"name": parts[-1], "namespace": space} if space else {"name": parts[-1]}

    def _base(self, schema: Schema) -> dict[str, Any]:
        match schema.type:
            case Type.STRUCT:
                return self._record(schema)
            case Type.ARRAY:
                assert schema.items is not None
                return {"type": "array", "items": self.nested(schema.items)}
            case Type.MAP:
                return self._map(schema)
            case Type.STRING if (enum := self.form.enum()) is not None and schema.parameter(enum) is not None:
                return self._enum(schema, enum)
            case Type.BYTES if (size := schema.parameter(FIXED_SIZE)) is not None:
                node: dict[str, Any] = {"type": "fixed", **self._names(schema.name), "size": int(size)}
            case _:
                node = {"type": _PRIMITIVES[schema.type]}
        if schema.name == DECIMAL:
            node |= {"scale": schema.scale, "precision": int(schema.parameter(PRECISION) or _USUAL_PRECISION)}
        return node

    def _record(self, schema: Schema) -> dict[str, Any]:
        node: dict[str, Any] = {"type": "record", **self._names(schema.name)}
        doc = schema.parameter(RECORD_DOC if self.form.discard else f"{NAMESPACE}.record.doc")
        node |= {} if doc is None else {"doc": doc}
        node["fields"] = fields = []
        if schema.name is not None:
            self.started[schema.name] = node
        for each in schema.fields:
            doc = each.schema.doc if self.form.discard else schema.parameter(f"{NAMESPACE}.field.doc.{each.name}")
            name = scrubbed(each.name) if self.form.scrub else each.name
            fields.append(self._field(name, each.schema, doc))
        return node

    def _field(self, name: str, schema: Schema, doc: str | None = None) -> dict[str, Any]:
        node: dict[str, Any] = {"name": name, "type": self.built(schema)}
        node |= {} if doc is None else {"doc": doc}
        if schema.default is not None:
            node["default"] = _default(schema, schema.default, self.form, of_field=True)
        elif schema.optional:
            node["default"] = None
        return node

    def _map(self, schema: Schema) -> dict[str, Any]:
        assert schema.keys is not None and schema.items is not None
        if has_text_keys(schema, self.form):
            return {"type": "map", "values": self.nested(schema.items)}
        names = {"name": MAP_ENTRY, "namespace": NAMESPACE} if schema.name is None else self._names(schema.name)
        entry = {"type": "record", **names,
                 "fields": [self._field("key", schema.keys), self._field("value", schema.items)]}  # fmt: skip
        entry |= {} if schema.name is None else {"connect.internal.type": MAP_ENTRY}
        return {"type": "array", "items": entry}

    def _enum(self, schema: Schema, enum: str) -> dict[str, Any]:
        name = schema.parameter(enum) or ""
        space, _, simple = name.rpartition(".")
        own = self._names(schema.name)["name"] if schema.name else ""
        symbols = [key.removeprefix(f"{enum}.") for key, _ in schema.parameters if key.startswith(f"{enum}.")]
        doc = schema.parameter(ENUM_DOC if self.form.discard else f"{NAMESPACE}.enum.doc.{own}")
        default = None if self.form.discard else schema.parameter(f"{NAMESPACE}.enum.default.{own}")
        return {
            "type": "enum", "name": simple, **({"namespace": space} if space else {}),
            **({} if doc is None else {"doc": doc}), "symbols": symbols,
            **({} if default is None else {"default": default}),
        }  # fmt: skip

    def _describe(self, schema: Schema, node: dict[str, Any]) -> None:
        """Connect's members, then Avro's logical type."""
        if self.form.metadata:
            discard = self.form.discard
            parameters = {name: text for name, text in schema.parameters if discard or name != FIELD_DEFAULT}
            from_field = not discard and schema.parameter(FIELD_DEFAULT) is not None
            node |= {} if schema.doc is None else {"connect.doc": schema.doc}
            node |= {} if schema.version is None else {"connect.version": schema.version}
            node |= {"connect.parameters": parameters} if parameters else {}
            if schema.default is not None and not from_field:
                node["connect.default"] = _default(schema, schema.default, self.form)
            node |= {} if schema.name is None else {"connect.name": schema.name}
            if schema.type in (Type.INT8, Type.INT16):
                node["connect.type"] = schema.type.value
        if schema.name == DECIMAL:
            node["logicalType"] = "decimal"
        elif schema.name in _LOGICAL:
            node["logicalType"] = _LOGICAL[schema.name]
        node |= {name: text for name, text in schema.parameters if name.startswith("avro")}


def has_text_keys(schema: Schema, form: AvroForm) -> bool:
    """Whether a map is one in Avro, whose maps have texts for keys; others are arrays of entries."""
    assert schema.keys is not None
    return schema.keys.type is Type.STRING and (not schema.keys.optional or form.optional_keys)


def _default(schema: Schema, value: Any, form: AvroForm, *, of_field: bool = False) -> Json:
    """A default as JSON; bytes are a text of their codes."""
    if value is None:
        return None
    match schema.type:
        case Type.FLOAT64:
            return orjson.Fragment(double_text(value))
        case Type.FLOAT32:
            return orjson.Fragment(double_text(value) if of_field else float_text(value))
        case Type.BYTES:
            raw = decimal_bytes(value) if schema.name == DECIMAL else value
            return bytes(raw).decode("latin-1")
        case Type.ARRAY:
            assert schema.items is not None
            return [_default(schema.items, each, form) for each in value]
        case Type.MAP:
            assert schema.keys is not None and schema.items is not None
            if has_text_keys(schema, form):
                return {name: _default(schema.items, each, form) for name, each in value.items()}
            return [
                [_default(schema.keys, name, form), _default(schema.items, each, form)] for name, each in value.items()
            ]
        case Type.STRUCT:
            names = [scrubbed(f.name) if form.scrub else f.name for f in schema.fields]
            members = zip(names, schema.fields, value, strict=True)
            return {name: _default(f.schema, each, form) for name, f, each in members}
    return value


def _shown(node: Json, names: dict[str, Json], space: str | None) -> Json:
    """As Avro prints it: a bare word for a plain type, a name alone for a type that stands before."""
    if isinstance(node, list):
        return [_shown(each, names, space) for each in node]
    if len(node) == 1:
        return node["type"]
    kind = node["type"]
    if kind in ("record", "enum", "fixed"):
        own = node.get("namespace")
        full = f"{own}.{node['name']}" if own else node["name"]
        if names.get(full) is node or names.get(full) == node:
            return node["name"] if (own or None) == space else full
        names[full] = node
        shown = {key: item for key, item in node.items() if key != "namespace"}
        if (own or None) != space:
            shown = {"type": kind, "name": node["name"], "namespace": own or "", **shown}
        if kind == "record":
            shown["fields"] = [{**each, "type": _shown(each["type"], names, own)} for each in node["fields"]]
        return shown
    inner = "items" if kind == "array" else "values"
    return {**node, inner: _shown(node[inner], names, space)} if inner in node else node


def must_be_fit(schema: Schema) -> None:
    """Raises: ConversionError: a field's name that Avro refuses."""
    for each in schema.fields:
        if not _FIT.fullmatch(each.name):
            raise ConversionError(f"Avro allows no field name {each.name!r}; set scrub.invalid.names=true, or the "
                                  "source's field.name.adjustment.mode=avro")  # fmt: skip
        must_be_fit(each.schema)
