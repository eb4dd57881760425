"""A column's type -> the schema Debezium gives it, and the function from the value's text.

Source: Debezium 3.5.0.Final, `PostgresValueConverter`, `TypeRegistry`, and recorded events.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import md5
from typing import Any, Final, NamedTuple

from cdc.geometry import POINT, geometry
from cdc.java.numbers import double_text
from cdc.postgres import moments, texts
from cdc.postgres.catalog import PgType, Types
from cdc.postgres.usual import known
from cdc.schema import (
    BOOLEAN,
    BYTES,
    DATE,
    FLOAT32,
    FLOAT64,
    INT16,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
    map_of,
    struct,
    to_single,
)
from cdc.table import Predicate

PLACEHOLDER: Final = b"__debezium_unavailable_value"
_VARIABLE: Final = struct(
    ("scale", INT32), ("value", BYTES), name="io.debezium.data.VariableScaleDecimal", version=1,
    doc="Variable scaled decimal",
)  # fmt: skip


_SPARSE: Final = struct(
    ("dimensions", INT16), ("vector", map_of(INT16, FLOAT64)), name="io.debezium.data.SparseDoubleVector", version=1,
    doc="Sparse double vector",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TypeOptions:
    """The handling modes of a connector, and whether values come from the WAL (`streamed`) or a snapshot."""

    decimal: str = "precise"
    time_precision: str = "adaptive"
    binary: str = "bytes"
    hstore: str = "json"
    interval: str = "numeric"
    money_digits: int = 2
    placeholder_bytes: bytes = PLACEHOLDER
    unknown: bool = False
    propagate: Predicate | None = None
    propagate_types: Predicate | None = None
    streamed: bool = field(default=False, compare=False)

    @property
    def placeholder(self) -> str:
        return self.placeholder_bytes.decode("utf-8", "replace")


class Form(NamedTuple):
    """How values of a column stand in events.

    Attributes:
        schema: without default; optional only where Debezium makes all columns of the type so.
        read: from the text; None: the text itself.
        absent: what stands for null where the column is NOT NULL and the log does not hold the value.
        unchanged: what stands for a TOASTed value that the WAL does not hold.
        null: what is shown for null.
        nothing: what stands in a NOT NULL column for a value that events cannot hold.
        changes: whether values differ between snapshot and WAL; see `TypeOptions.streamed`.
    """

    schema: Schema
    read: Callable[[str], Any] | None
    absent: Any
    unchanged: Any = None
    null: Any = None
    nothing: Any = None


def _named(type_: Type, name: str) -> Schema:
    return Schema(type_, name=name, version=1)


def _data(name: str) -> Schema:
    return _named(Type.STRING, f"io.debezium.data.{name}")


_LIKE_TEXT: Final = frozenset((
    "bpchar", "varchar", "text", "citext", "char", "inet", "cidr", "macaddr", "macaddr8", "int4range", "int8range",
    "numrange", "daterange", "tsrange", "tstzrange", "name", "isbn",
))  # fmt: skip
_NAMED_TEXT: Final = {
    "json": _data("Json"), "jsonb": _data("Json"), "xml": _data("Xml"), "ltree": _data("Ltree"),
    "tsvector": _data("Tsvector"), "uuid": _data("Uuid"),
}  # fmt: skip
_ABSENT_TEXT: Final = {"uuid": "00000000-0000-0000-0000-000000000000", "json": "{}", "jsonb": "{}"}


def form(type_: PgType, modifier: int, options: TypeOptions, types: Types) -> Form | None:
    """None where Debezium has no mapping: the column is left out."""
    if type_.base:
        root, modifier = types.root(type_, modifier)
        inside = form(root, modifier, options, types)
        if inside is None or inside.schema.type not in (Type.ARRAY, Type.MAP):
            return inside
        return inside._replace(unchanged=None)  # Debezium knows only by a type's name that it needs a list or map
    if type_.is_array:
        return _array_form(type_, modifier, options, types)
    if type_.kind == "e":
        allowed = (("allowed", ",".join(type_.labels)),)
        return Form(_data("Enum").with_(parameters=allowed), None, "", options.placeholder)
    name = type_.name
    if name in _NAMED_TEXT:
        return Form(_NAMED_TEXT[name], None, _ABSENT_TEXT.get(name, ""), options.placeholder)
    if name in _LIKE_TEXT:
        # Debezium reads names from the WAL only where it reads unknown types
        nothing = options.streamed and name == "name" and not options.unknown
        return Form(STRING, (lambda text: None) if nothing else None, "", options.placeholder)
    made = _FORMS.get(name)
    if made is not None:
        return made(modifier, options)
    return _unknown(name, options) if options.unknown and type_.kind != "p" else None


def _unknown(name: str, options: TypeOptions) -> Form:
    """The value's text as binary; geometric types as Java's driver writes them."""
    encoded = _binary(options)
    spelled = texts.java_geometry if name in _GEOMETRIC else str
    return encoded._replace(read=lambda text: _BYTES_AS[options.binary](spelled(text).encode()))


_GEOMETRIC: Final = frozenset(("line", "lseg", "box", "path", "polygon", "circle"))
_NO_ARRAYS: Final = frozenset(("money", "name", "interval", "varbit", "xml", "point", "refcursor"))
_OPTIONAL_ITEMS: Final = frozenset((
    "int2", "int4", "int8", "oid", "char", "varchar", "text", "bpchar", "inet", "cidr", "macaddr", "macaddr8",
    "tsrange", "tstzrange", "daterange", "int4range", "numrange", "int8range", "numeric", "float4", "float8", "bool",
    "date", "uuid", "json", "jsonb", "time", "timetz", "timestamp", "timestamptz", "bytea", "geometry", "geography",
    "hstore", "citext", "ltree",
))  # fmt: skip
"""Arrays of other types have items that are never null."""
VECTORS: Final = {"int2vector": INT16, "oidvector": INT64}
"""Arrays to Debezium, which takes their texts for empty ones."""


def _array_form(type_: PgType, modifier: int, options: TypeOptions, types: Types) -> Form | None:
    element = types[type_.element]
    if type_.name in VECTORS:
        return Form(array(VECTORS[type_.name]), lambda text: [], [])
    if element is None or element.name in _NO_ARRAYS:
        return None
    if element.name == "bit":  # the schema is that of one value, so no array ever fits it
        inner = _bits(modifier, options)
        return inner._replace(read=lambda text: None)
    # Items come through Java's driver, from the WAL as well
    driven = replace(options, streamed=False)
    found = _unknown_item(element, options) if element.base else form(element, modifier, driven, types)
    if found is None:
        return None
    optional = element.name in _OPTIONAL_ITEMS
    schema = array(found.schema.with_(optional=True) if optional else found.schema)
    return Form(schema, _items(element, found), [], _unchanged_array(element.name, options))


def _unknown_item(element: PgType, options: TypeOptions) -> Form | None:
    return _unknown(element.name, options) if options.unknown else None


def _items(element: PgType, inner: Form) -> Callable[[str], list[Any] | None]:
    """An array's items as Debezium has them: what it cannot take in makes the whole array null."""
    name, read = element.name, inner.read
    if read is not None and name in _CUT:
        read = _after(_CUT[name], read)
    delimiter = _DELIMITERS.get(name, ",")
    nullable = name in _OPTIONAL_ITEMS
    numeric, nulls = name == "numeric", nullable and name != "ltree"

    def items(text: str) -> list[Any] | None:
        inside = texts.inner_arrays(text)
        if inside is not None:
            return inside if inner.read is None else [None] * len(inside) if nullable else None
        found = texts.array_items(text, delimiter)
        if (numeric and not _SPECIAL.keys().isdisjoint(found)) or (not nulls and None in found):
            return None
        return found if read is None else [None if item is None else read(item) for item in found]

    return items


def _after(cut: Callable[[str], str], read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(cut(text))


_DELIMITERS: Final = {"box": ";", "geometry": ":", "geography": ":"}
"""`pg_type.typdelim` where it is no comma."""
_CUT: Final[dict[str, Callable[[str], str]]] = {
    "time": lambda text: text[:12], "timetz": partial(re.compile(r"\.\d+").sub, ""),
}  # fmt: skip
"""What Java's driver leaves of times in arrays: milliseconds, or no fraction."""


def _unchanged_array(element: str, options: TypeOptions) -> list[Any] | None:
    word, raw = options.placeholder, options.placeholder_bytes
    match element:
        case "int4" | "int8":
            return signed(raw)
        case "date":
            return signed(raw) if options.time_precision not in ("connect", "isostring") else None
        case "bytea":
            return [raw] if options.binary == "bytes" else None
        case "uuid":
            return [str(uuid.UUID(bytes=md5(raw).digest(), version=3))]
        case "text" | "varchar" | "bpchar" | "json" | "jsonb":
            return [word]
    return None


def signed(raw: bytes) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in raw]


def _plain(schema: Schema, read: Callable[[str], Any], absent: Any) -> Callable[[int, TypeOptions], Form]:
    return lambda modifier, options: Form(schema, read, absent)


def _bits(modifier: int, options: TypeOptions) -> Form:
    if modifier == 1:
        return Form(BOOLEAN, lambda text: text == "1", False)
    length = modifier if modifier > 0 else 2**31 - 1
    schema = _named(Type.BYTES, "io.debezium.data.Bits").with_(parameters=(("length", str(length)),))
    return Form(schema, texts.bits, b"")


def _varbits(modifier: int, options: TypeOptions) -> Form:
    made = _bits(modifier, options)
    if modifier == 1 and not options.streamed:  # Debezium does not understand what the driver gives it
        return made._replace(read=lambda text: None)
    return made


_SPECIAL: Final = {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}


def _numeric(modifier: int, options: TypeOptions) -> Form:
    if options.decimal == "double":
        return Form(FLOAT64, float, 0.0)
    if options.decimal == "string":
        return _numeric_text(modifier)._replace(unchanged=options.placeholder)
    if modifier < 4:
        return Form(_VARIABLE, lambda text: None if text in _SPECIAL else texts.variable_scale(text), (0, b"\0"))
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0xFFFF
    schema = decimal(scale, precision=precision)
    read = texts.number_of_scale(scale)
    return Form(schema, known(read, "numeric", scale) if scale <= _NATIVE_DIGITS else read, 0)


_NATIVE_DIGITS: Final = 18
"""That fit in 64 bits."""


def _numeric_text(modifier: int) -> Form:
    scale = modifier - 4 & 0xFFFF if modifier >= 4 else 0
    absent = texts.with_scale("0", scale)
    if scale <= _MOST_DIGITS:
        return Form(STRING, lambda text: _SPECIAL.get(text, text), absent)
    # A negative scale of 11 bits is taken for a positive one
    return Form(STRING, lambda text: _SPECIAL.get(text) or texts.with_scale(text, scale), absent)


_MOST_DIGITS: Final = 1000
"""After the point that a NUMERIC can be declared with."""


def _money(modifier: int, options: TypeOptions) -> Form:
    digits = options.money_digits
    if options.decimal == "double":
        return Form(FLOAT64, lambda text: float(texts.money(text)), 0.0)
    # In a snapshot money comes as a double
    if options.decimal == "string":
        read = texts.money if options.streamed else lambda text: double_text(float(texts.money(text)))
        return Form(STRING, read, texts.with_scale("0", digits))
    if options.streamed:
        return Form(decimal(digits), lambda text: texts.rounded(texts.money(text), digits), 0)
    return Form(decimal(digits), lambda text: texts.rounded(repr(float(texts.money(text))), digits), 0)


_BYTES_AS: Final[dict[str, Callable[[bytes], Any]]] = {
    "bytes": bytes, "hex": bytes.hex, "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64-url-safe": lambda raw: base64.urlsafe_b64encode(raw).decode(),
}  # fmt: skip


def _binary(options: TypeOptions) -> Form:
    """Of a type whose values are binary, however they are read."""
    if options.binary == "bytes":
        return Form(BYTES, None, b"", options.placeholder_bytes)
    return Form(STRING, None, "", options.placeholder)


def _bytea(modifier: int, options: TypeOptions) -> Form:
    if options.binary == "hex":
        return _binary(options)._replace(read=lambda text: text[2:])
    encode = _BYTES_AS[options.binary]
    read: Callable[[str], Any] = lambda text: encode(bytes.fromhex(text[2:]))  # noqa: E731
    return _binary(options)._replace(read=known(read, "hex") if options.binary == "bytes" else read)


def _hstore(modifier: int, options: TypeOptions) -> Form:
    word = options.placeholder
    if options.hstore == "map":
        return Form(map_of(STRING, OPTIONAL_STRING), texts.hstore, {}, {word: word})
    return Form(_data("Json"), lambda text: texts.json_text(texts.hstore(text)), "{}", texts.json_text({word: word}))


def _interval(modifier: int, options: TypeOptions) -> Form:
    if options.interval == "string":
        return Form(_named(Type.STRING, "io.debezium.time.Interval"), moments.interval_text, "P0Y0M0DT0H0M0S")
    return Form(_named(Type.INT64, "io.debezium.time.MicroDuration"), moments.interval_micros, 0)


def _date(modifier: int, options: TypeOptions) -> Form:
    julian = not options.streamed
    match options.time_precision:
        case "isostring":
            iso = _named(Type.STRING, "io.debezium.time.IsoDate")
            return Form(iso, partial(moments.iso_date, julian=julian), "1970-01-01Z")
        case "connect":
            return Form(_named(Type.INT32, DATE), known(partial(moments.days, julian=julian), "days"), 0)
    return Form(_named(Type.INT32, "io.debezium.time.Date"), known(partial(moments.days, julian=julian), "days"), 0)


_time_millis: Final = known(lambda text: moments.time_micros(text) // 1000, "time", 1000)


def _time(modifier: int, options: TypeOptions) -> Form:
    mode = options.time_precision
    if mode == "isostring":
        return Form(_named(Type.STRING, "io.debezium.time.IsoTime"), moments.iso_time, "00:00:00Z")
    if mode == "nanoseconds":
        schema = _named(Type.INT64, "io.debezium.time.NanoTime")
        return Form(schema, lambda text: moments.time_micros(text) * 1000, 0)
    if mode == "connect":
        return Form(_named(Type.INT32, TIME), _time_millis, 0)
    if mode == "adaptive" and 0 <= modifier <= 3:
        schema = _named(Type.INT32, "io.debezium.time.Time")
        return Form(schema, _time_millis, 0)
    return Form(_named(Type.INT64, "io.debezium.time.MicroTime"), moments.time_micros, 0)


def _timestamp(modifier: int, options: TypeOptions) -> Form:
    mode, julian = options.time_precision, not options.streamed
    if mode == "isostring":
        schema = _named(Type.STRING, "io.debezium.time.IsoTimestamp")
        return Form(schema, partial(moments.iso_timestamp, julian=julian), "1970-01-01T00:00:00Z")
    if mode == "nanoseconds":
        return Form(_named(Type.INT64, "io.debezium.time.NanoTimestamp"), partial(moments.nanos, julian=julian), 0)
    if mode == "connect":
        return Form(_named(Type.INT64, TIMESTAMP), known(moments.millis_reader(julian=julian), "millis"), 0)
    if mode != "microseconds" and 0 <= modifier <= 3:
        schema = _named(Type.INT64, "io.debezium.time.Timestamp")
        return Form(schema, known(moments.millis_reader(julian=julian), "millis"), 0)
    schema = _named(Type.INT64, "io.debezium.time.MicroTimestamp")
    return Form(schema, known(moments.micros_reader(julian=julian), "micros"), 0)


def _timestamptz(modifier: int, options: TypeOptions) -> Form:
    digits = modifier if 0 <= modifier <= 6 else 6
    read = known(moments.zoned_timestamp_reader(digits, julian=not options.streamed), "zoned", digits)
    return Form(_named(Type.STRING, "io.debezium.time.ZonedTimestamp"), read, read("1970-01-01 00:00:00+00"))


def _timetz(modifier: int, options: TypeOptions) -> Form:
    return Form(_named(Type.STRING, "io.debezium.time.ZonedTime"), moments.zoned_time, "00:00:00Z")


def _geometry(name: str) -> Callable[[int, TypeOptions], Form]:
    return _plain(geometry(name, optional=True), texts.ewkb, (bytes.fromhex("010700000000000000"), None))


def _vector(items: Schema, name: str) -> Callable[[int, TypeOptions], Form]:
    def read(text: str) -> list[float]:
        return [float(item) for item in text[1:-1].split(",")] if len(text) > 2 else []

    return _plain(array(items, name=f"io.debezium.data.{name}", version=1), read, [])


_FORMS: Final[dict[str, Callable[[int, TypeOptions], Form]]] = {
    "bool": _plain(BOOLEAN, texts.truth, False),
    "int2": _plain(INT16, int, 0), "int4": _plain(INT32, int, 0), "int8": _plain(INT64, int, 0),
    "oid": _plain(INT64, int, 0),
    "float4": _plain(FLOAT32, known(lambda text: to_single(float(text)), "single"), 0.0),
    "float8": _plain(FLOAT64, float, 0.0),
    "numeric": _numeric, "money": _money, "bit": _bits, "varbit": _varbits, "bytea": _bytea, "hstore": _hstore,
    "interval": _interval, "date": _date, "time": _time, "timetz": _timetz, "timestamp": _timestamp,
    "timestamptz": _timestamptz, "point": _plain(POINT, texts.point, (0.0, 0.0, texts.point("(0,0)")[2], None)),
    "geometry": _geometry("Geometry"), "geography": _geometry("Geography"),
    "vector": _vector(FLOAT64, "DoubleVector"), "halfvec": _vector(FLOAT32, "FloatVector"),
    "sparsevec": _plain(_SPARSE, texts.sparse_vector, (0, {})),
}  # fmt: skip
