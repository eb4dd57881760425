"""Avro schemas to Connect schemas, and functions that read their binary values.

Source: `AvroData` of Confluent 7 and 8, by what it gives; Apache Avro 1.12 Specification, "Binary Encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from cdc.avro.bytes import DOUBLE, FLOAT, read_number
from cdc.avro.schema import (
    DEFAULT_NAME,
    ENUM,
    ENUM_DOC,
    FIELD_DEFAULT,
    FIXED_SIZE,
    GENERAL_ENUM,
    MAP_ENTRY,
    NAMESPACE,
    RECORD_DOC,
)
from cdc.avro.types import Avro, AvroField
from cdc.errors import ConversionError
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Field, Schema, Type, to_single

Read = Callable[[bytes, int], tuple[Any, int]]
"""Bytes and a place in them -> the value, and where the next begins."""
GENERAL_UNION: Final = "org.apache.kafka.connect.data.Union"
_UNION: Final = "connect_union_"
_MISSING: Final = object()
_USUAL_PRECISION: Final = 64
_TYPES: Final = {
    "boolean": Type.BOOLEAN, "int": Type.INT32, "long": Type.INT64, "float": Type.FLOAT32, "double": Type.FLOAT64,
    "string": Type.STRING, "bytes": Type.BYTES, "enum": Type.STRING, "fixed": Type.BYTES, "array": Type.ARRAY,
    "map": Type.MAP, "record": Type.STRUCT,
}  # fmt: skip
_LOGICAL: Final = {("int", "date"): DATE, ("int", "time-millis"): TIME, ("long", "timestamp-millis"): TIMESTAMP}


class Reading(NamedTuple):
    """`enhanced`: members of unions go by full names; `metadata`: Connect's own members are heeded; `flatten`: a union
    of one type is read as that type; `general`: enums and unions go by the names that all of Confluent's converters
    share; `discard`: docs are those of fields, and nothing tells a field's default from a type's.
    """

    enhanced: bool = False
    metadata: bool = True
    flatten: bool = True
    general: bool = False
    discard: bool = False


class Readable(NamedTuple):
    schema: Schema
    read: Read


def readable(avro: Avro, how: Reading, version: int | None = None) -> Readable:
    """`version`: of the schema in the registry, for one that has no version of its own. Raises: ConversionError."""
    return _Compiler(how).made(avro, version=version)


class _Compiler:
    def __init__(self, how: Reading) -> None:
        self._how = how
        self._open: list[Avro] = []
        self._unions = 0

    def made(
        self,
        avro: Avro,
        *,
        optional: bool = False,
        default: Any = _MISSING,
        version: int | None = None,
        doc: str | None = None,
    ) -> Readable:
        """`doc`: of the field that has the type."""
        if avro.kind == "union":
            return self._union(avro, doc)
        if avro.kind not in _TYPES:
            raise ConversionError("an Avro schema of nothing but null has no values; delete it from the registry")
        if avro in self._open:
            raise ConversionError(f"the Avro record {avro.name} holds itself, which is not supported")
        self._open.append(avro)
        schema, read = self._base(avro)
        self._open.pop()
        schema = self._described(avro, schema, default, version, doc)
        return Readable(schema.with_(optional=True) if optional else schema, read)

    def _base(self, avro: Avro) -> Readable:
        logical = avro.props.get("logicalType")
        kind = _TYPES[avro.kind]
        match avro.kind:
            case "bytes" | "fixed":
                return _binary(avro, str(logical).lower() == "decimal")
            case "enum":
                return self._enum(avro)
            case "array":
                return self._array(avro)
            case "map":
                element = self.made(avro.inner())
                schema = Schema(kind, keys=Schema(Type.STRING), items=element.schema)
                return Readable(schema, _pairs(_text, element.read))
            case "record":
                return self._record(avro)
        name = _LOGICAL.get((avro.kind, str(logical).lower()))
        if avro.kind == "int" and logical is None and "connect.type" in avro.props:
            kind = Type(avro.props["connect.type"])
        return Readable(Schema(kind, name=name, version=None if name is None else 1), _PLAIN[avro.kind])

    def _enum(self, avro: Avro) -> Readable:
        simple = avro.name.rpartition(".")[2]
        parameters: list[tuple[str, str]] = []
        discard, symbols = self._how.discard, avro.symbols
        if self._how.metadata:
            said = ENUM_DOC if discard else f"{NAMESPACE}.enum.doc.{simple}"
            parameters += [(said, avro.doc)] if avro.doc is not None else []
            if avro.default_symbol is not None and not discard:
                parameters.append((f"{NAMESPACE}.enum.default.{simple}", avro.default_symbol))
        if self._how.general:
            parameters += [(GENERAL_ENUM, avro.name),
                           *((f"{GENERAL_ENUM}.{symbol}", str(at)) for at, symbol in enumerate(symbols))]  # fmt: skip
        else:
            parameters += [(ENUM, avro.name), *((f"{ENUM}.{symbol}", symbol) for symbol in symbols)]

        def read(data: bytes, at: int) -> tuple[Any, int]:
            index, at = read_number(data, at)
            return symbols[index], at

        return Readable(Schema(Type.STRING, parameters=tuple(parameters)), read)

    def _array(self, avro: Avro) -> Readable:
        inner = avro.inner()
        entries = inner.name == f"{NAMESPACE}.{MAP_ENTRY}" or inner.props.get("connect.internal.type") == MAP_ENTRY
        if inner.kind == "record" and entries:
            fields = {field.name: self.made(field.type) for field in inner.fields}
            key, value = fields["key"], fields["value"]
            return Readable(Schema(Type.MAP, keys=key.schema, items=value.schema), _pairs(key.read, value.read))
        element = self.made(inner)
        return Readable(Schema(Type.ARRAY, items=element.schema), _list(element.read))

    def _record(self, avro: Avro) -> Readable:
        parameters: list[tuple[str, str]] = []
        docs = self._how.metadata and not self._how.discard
        if docs and avro.doc is not None:
            parameters.append((f"{NAMESPACE}.record.doc", avro.doc))
        fields, readers = [], []
        for each in avro.fields:
            if docs and each.doc is not None:
                parameters.append((f"{NAMESPACE}.field.doc.{each.name}", each.doc))
            schema, read = self._field(each)
            fields.append(Field(each.name, schema))
            readers.append(read)
        return Readable(Schema(Type.STRUCT, fields=tuple(fields), parameters=tuple(parameters)), _tuple(readers))

    def _field(self, each: AvroField) -> Readable:
        given = each.default if each.has_default and each.default is not None else _MISSING
        schema, read = self.made(each.type, default=given, doc=each.doc)
        own = each.props.get("connect.parameters")
        if self._how.metadata and isinstance(own, Mapping):
            merged = dict(schema.parameters) | {str(name): str(text) for name, text in own.items()}
            schema = schema.with_(parameters=tuple(merged.items()))
        return Readable(schema, read)

    def _union(self, avro: Avro, doc: str | None) -> Readable:
        """One type and null: the type, optional. Several: a struct with a field for each."""
        if len(avro.branches) == 1 and self._how.flatten:
            schema, read_one = self.made(avro.branches[0], doc=doc)
            return Readable(schema, lambda data, at: read_one(data, read_number(data, at)[1]))
        present = [branch for branch in avro.branches if branch.kind != "null"]
        if len(avro.branches) == 2 and len(present) == 1:
            schema, inner = self.made(present[0], optional=True, doc=doc)
            return Readable(schema, _optional(inner, [branch.kind == "null" for branch in avro.branches]))
        name = f"{NAMESPACE}.Union"
        parameters: tuple[tuple[str, str], ...] = ()
        if self._how.general:
            name = f"{_UNION}{self._unions}"
            self._unions += 1
            parameters = ((GENERAL_UNION, name),)
        members = [self.made(branch, optional=True) for branch in present]
        names = [self._member(branch, avro.branches.index(branch)) for branch in present]
        if len(set(names)) < len(names):
            raise ConversionError("Multiple union schemas map to the Connect union field name; set "
                                  "enhanced.avro.schema.support=true")  # fmt: skip
        fields = tuple(Field(name, member.schema) for name, member in zip(names, members, strict=True))
        schema = Schema(Type.STRUCT, optional=len(present) < len(avro.branches), name=name, fields=fields,
                        parameters=parameters, doc=doc if self._how.discard else None)  # fmt: skip
        places = [None if branch.kind == "null" else present.index(branch) for branch in avro.branches]
        return Readable(schema, _one_of([member.read for member in members], places))

    def _member(self, branch: Avro, at: int) -> str:
        if self._how.general:
            return f"{_UNION}field_{at}"
        if not branch.name:
            return branch.kind
        return branch.name if self._how.enhanced else branch.name.rpartition(".")[2]

    def _described(self, avro: Avro, schema: Schema, default: Any, version: int | None, doc: str | None) -> Schema:
        """The schema with what stands beside the type: doc, version, parameters, default, name."""
        props, metadata = avro.props, self._how.metadata
        parameters = dict(schema.parameters)
        if metadata and self._how.discard and avro.doc is not None:
            parameters[RECORD_DOC] = avro.doc
        if metadata and isinstance(own := props.get("connect.parameters"), Mapping):
            parameters |= own
        parameters |= {name: str(value) for name, value in props.items() if name.startswith("avro")}
        connect_default = props.get("connect.default")
        if default is _MISSING:
            default = connect_default
        elif metadata and connect_default is None and not self._how.discard:
            parameters[FIELD_DEFAULT] = "true"
        name = props.get("connect.name")
        if name is None and avro.name and schema.name is None:
            name = None if avro.name.startswith(f"{NAMESPACE}.{DEFAULT_NAME}") else avro.name
        found = props.get("connect.version", version)
        return schema.with_(
            doc=self._doc(avro, doc),
            version=schema.version if schema.version is not None or found is None else int(found),
            parameters=tuple(parameters.items()),
            default=None if default is None else _default(schema, avro, default),
            name=schema.name or name,
        )

    def _doc(self, avro: Avro, doc: str | None) -> str | None:
        said: str | None = avro.props.get("connect.doc")
        if self._how.discard:
            return next((text for text in (doc, avro.doc, said) if text is not None), None)
        return said if self._how.metadata else None


def _default(schema: Schema, avro: Avro, value: Any) -> Any:
    """A default as JSON has it, as a value of the schema."""
    match schema.type:
        case Type.BYTES:
            raw = value.encode("latin-1")
            return int.from_bytes(raw, "big", signed=True) if schema.name == DECIMAL else raw
        case Type.FLOAT32:
            return to_single(value)
        case Type.FLOAT64:
            return float(value)
        case Type.ARRAY:
            assert schema.items is not None
            return [_default(schema.items, avro.inner(), each) for each in value]
        case Type.MAP if isinstance(value, dict):
            assert schema.items is not None
            return {name: _default(schema.items, avro.inner(), each) for name, each in value.items()}
        case Type.STRUCT if isinstance(value, dict):
            fields = zip(schema.fields, avro.fields, strict=True)
            return tuple(
                None if (each := value.get(field.name)) is None else _default(field.schema, its.type, each)
                for field, its in fields
            )
    return value


def _binary(avro: Avro, is_decimal: bool) -> Readable:
    size = avro.size if avro.kind == "fixed" else None
    parameters: tuple[tuple[str, str], ...] = ()
    if is_decimal:
        parameters = (("scale", str(avro.props.get("scale", 0))),)
        precision = avro.props.get("precision")
        if precision is not None and precision != _USUAL_PRECISION:
            parameters += (("connect.decimal.precision", str(precision)),)
    if size is not None:
        parameters += ((FIXED_SIZE, str(size)),)
    schema = Schema(Type.BYTES, name=DECIMAL if is_decimal else None, version=1 if is_decimal else None,
                    parameters=parameters)  # fmt: skip

    def read(data: bytes, at: int) -> tuple[Any, int]:
        length, at = (size, at) if size is not None else read_number(data, at)
        raw = data[at : at + length]
        if len(raw) < length:
            raise IndexError
        return int.from_bytes(raw, "big", signed=True) if is_decimal else raw, at + length

    return Readable(schema, read)


def _text(data: bytes, at: int) -> tuple[Any, int]:
    length, at = read_number(data, at)
    end = at + length
    if end > len(data):
        raise IndexError
    return data[at:end].decode(), end


_PLAIN: Final[dict[str, Read]] = {
    "boolean": lambda data, at: (data[at] != 0, at + 1),
    "int": read_number,
    "long": read_number,
    "float": lambda data, at: (FLOAT.unpack_from(data, at)[0], at + 4),
    "double": lambda data, at: (DOUBLE.unpack_from(data, at)[0], at + 8),
    "string": _text,
}


def _tuple(readers: list[Read]) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        out: list[Any] = []
        for each in readers:
            item, at = each(data, at)
            out.append(item)
        return tuple(out), at

    return read


def _blocks(data: bytes, at: int) -> tuple[int, int]:
    """How many items follow; a negative count has the size of the block behind it."""
    count, at = read_number(data, at)
    if count < 0:
        _, at = read_number(data, at)
    return abs(count), at


def _list(element: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        out: list[Any] = []
        while True:
            count, at = _blocks(data, at)
            if not count:
                return out, at
            for _ in range(count):
                item, at = element(data, at)
                out.append(item)

    return read


def _pairs(key: Read, value: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        out: dict[Any, Any] = {}
        while True:
            count, at = _blocks(data, at)
            if not count:
                return out, at
            for _ in range(count):
                name, at = key(data, at)
                out[name], at = value(data, at)

    return read


def _optional(inner: Read, nulls: list[bool]) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        index, at = read_number(data, at)
        return (None, at) if nulls[index] else inner(data, at)

    return read


def _one_of(readers: list[Read], places: list[int | None]) -> Read:
    count = len(readers)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        index, at = read_number(data, at)
        place = places[index]
        if place is None:
            return None, at
        item, at = readers[place](data, at)
        return tuple(item if each == place else None for each in range(count)), at

    return read
