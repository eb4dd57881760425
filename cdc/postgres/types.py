"""A column's type -> the schema Debezium gives it, and the function from the value's text; defaults included.

Source: Debezium 3.5.0.Final, `PostgresValueConverter`, `PostgresDefaultValueConverter`, and recorded events.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import md5
from typing import Any, Final, NamedTuple

from cdc.envelope import SOURCE_COLUMN
from cdc.geometry import POINT, geometry
from cdc.postgres import moments, texts
from cdc.postgres.catalog import PgColumn, PgType, Types
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
from cdc.table import Predicate, TableId

PLACEHOLDER: Final = "__debezium_unavailable_value"
_VARIABLE: Final = struct(
    ("scale", INT32), ("value", BYTES), name="io.debezium.data.VariableScaleDecimal", version=1,
    doc="Variable scaled decimal",
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
    placeholder: str = PLACEHOLDER
    unknown: bool = False
    comments: bool = False
    propagate: Predicate | None = None
    propagate_types: Predicate | None = None
    streamed: bool = field(default=False, compare=False)


class Form(NamedTuple):
    """How values of a column stand in events.

    Attributes:
        schema: neither optional nor with a default.
        read: from the text; None: the text itself.
        absent: what stands for null where the column is NOT NULL and the log does not hold the value.
        unchanged: what stands for a TOASTed value that the WAL does not hold.
        changes: whether values differ between snapshot and WAL; see `TypeOptions.streamed`.
    """

    schema: Schema
    read: Callable[[str], Any] | None
    absent: Any
    unchanged: Any = None


def _named(type_: Type, name: str) -> Schema:
    return Schema(type_, name=name, version=1)


def _data(name: str) -> Schema:
    return _named(Type.STRING, f"io.debezium.data.{name}")


_LIKE_TEXT: Final = frozenset((
    "bpchar", "varchar", "text", "citext", "char", "inet", "cidr", "macaddr", "macaddr8", "int4range", "int8range",
    "numrange", "daterange", "tsrange", "tstzrange", "name", "isbn", "isbn13", "ean13", "ismn", "ismn13", "issn",
    "issn13", "upc",
))  # fmt: skip
_NAMED_TEXT: Final = {
    "json": _data("Json"), "jsonb": _data("Json"), "xml": _data("Xml"), "ltree": _data("Ltree"),
    "tsvector": _data("Tsvector"), "uuid": _data("Uuid"),
}  # fmt: skip
_NO_ARRAYS: Final = frozenset(("money", "name", "interval", "varbit", "xml", "point", "refcursor", "tsvector"))
_ABSENT_TEXT: Final = {"uuid": "00000000-0000-0000-0000-000000000000", "json": "{}", "jsonb": "{}"}


def form(type_: PgType, modifier: int, options: TypeOptions, types: Types) -> Form | None:
    """None where Debezium has no mapping: the column is left out."""
    if type_.base:
        base = types[type_.base]
        return None if base is None else form(base, type_.base_modifier if modifier < 0 else modifier, options, types)
    if type_.is_array:
        return _array_form(type_, modifier, options, types)
    if type_.kind == "e":
        allowed = (("allowed", ",".join(type_.labels)),)
        return Form(_data("Enum").with_(parameters=allowed), None, "", options.placeholder)
    name = type_.name
    if name in _NAMED_TEXT:
        return Form(_NAMED_TEXT[name], None, _ABSENT_TEXT.get(name, ""), options.placeholder)
    if name in _LIKE_TEXT:
        nothing = options.streamed and name == "name"  # Debezium knows the type in snapshots only
        return Form(STRING, (lambda text: None) if nothing else None, "", options.placeholder)
    made = _FORMS.get(name)
    if made is not None:
        return made(modifier, options)
    if options.unknown and type_.kind in "brm":
        return Form(BYTES, lambda text: text.encode(), b"", options.placeholder.encode())
    return None


def _array_form(type_: PgType, modifier: int, options: TypeOptions, types: Types) -> Form | None:
    element = types[type_.element]
    if element is None or element.name in _NO_ARRAYS:
        return None
    inner = form(element, modifier, options, types)
    if inner is None:
        return None
    read = inner.read

    def items(text: str) -> list[Any]:
        found = texts.array_items(text)
        return found if read is None else [None if item is None else read(item) for item in found]

    schema = inner.schema if element.kind == "e" else inner.schema.with_(optional=True)
    return Form(array(schema), items, [], _unchanged_array(element.name, options))


def _unchanged_array(element: str, options: TypeOptions) -> list[Any] | None:
    word = options.placeholder
    match element:
        case "int2" | "int4" | "int8":
            return list(word.encode())
        case "bytea":
            return [word.encode()]
        case "uuid":
            return [str(uuid.UUID(bytes=md5(word.encode()).digest(), version=3))]
        case "text" | "varchar" | "bpchar" | "citext" | "json" | "jsonb":
            return [word]
    return None


def _plain(schema: Schema, read: Callable[[str], Any], absent: Any) -> Callable[[int, TypeOptions], Form]:
    return lambda modifier, options: Form(schema, read, absent)


def _bits(modifier: int, options: TypeOptions) -> Form:
    if modifier == 1:
        return Form(BOOLEAN, lambda text: text == "1", False)
    length = modifier if modifier > 0 else 2**31 - 1
    schema = _named(Type.BYTES, "io.debezium.data.Bits").with_(parameters=(("length", str(length)),))
    return Form(schema, texts.bits, b"")


_SPECIAL: Final = {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}


def _numeric(modifier: int, options: TypeOptions) -> Form:
    if options.decimal == "double":
        return Form(FLOAT64, float, 0.0)
    if options.decimal == "string":
        return Form(STRING, lambda text: _SPECIAL.get(text, text), "0")
    if modifier < 4:
        return Form(_VARIABLE, lambda text: None if text in _SPECIAL else texts.variable_scale(text), (0, b"\0"))
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0xFFFF
    schema = decimal(scale, precision=precision)
    return Form(schema, lambda text: None if text in _SPECIAL else texts.unscaled(text, scale), 0)


def _money(modifier: int, options: TypeOptions) -> Form:
    if options.decimal == "double":
        return Form(FLOAT64, lambda text: float(texts.money(text)), 0.0)
    if options.decimal == "string":
        return Form(STRING, texts.money, "0")
    digits = options.money_digits
    if options.streamed:
        return Form(decimal(digits), lambda text: texts.unscaled(texts.money(text), digits), 0)
    return Form(decimal(digits), lambda text: texts.as_double(texts.money(text), digits), 0)


def _bytea(modifier: int, options: TypeOptions) -> Form:
    word = options.placeholder
    match options.binary:
        case "hex":
            return Form(STRING, lambda text: text[2:], "", word)
        case "base64":
            return Form(STRING, lambda text: base64.b64encode(bytes.fromhex(text[2:])).decode(), "", word)
        case "base64-url-safe":
            return Form(STRING, lambda text: base64.urlsafe_b64encode(bytes.fromhex(text[2:])).decode(), "", word)
    return Form(BYTES, lambda text: bytes.fromhex(text[2:]), b"", word.encode())


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
            return Form(iso, partial(moments.iso_date, julian=julian), "1970-01-01")
        case "connect":
            return Form(_named(Type.INT32, DATE), partial(moments.days, julian=julian), 0)
    return Form(_named(Type.INT32, "io.debezium.time.Date"), partial(moments.days, julian=julian), 0)


def _time(modifier: int, options: TypeOptions) -> Form:
    mode = options.time_precision
    if mode == "isostring":
        return Form(_named(Type.STRING, "io.debezium.time.IsoTime"), moments.iso_time, "00:00:00")
    if mode == "nanoseconds":
        schema = _named(Type.INT64, "io.debezium.time.NanoTime")
        return Form(schema, lambda text: moments.time_micros(text) * 1000, 0)
    if mode == "connect":
        return Form(_named(Type.INT32, TIME), lambda text: moments.time_micros(text) // 1000, 0)
    if mode == "adaptive" and 0 <= modifier <= 3:
        schema = _named(Type.INT32, "io.debezium.time.Time")
        return Form(schema, lambda text: moments.time_micros(text) // 1000, 0)
    return Form(_named(Type.INT64, "io.debezium.time.MicroTime"), moments.time_micros, 0)


def _timestamp(modifier: int, options: TypeOptions) -> Form:
    mode, julian = options.time_precision, not options.streamed
    if mode == "isostring":
        schema = _named(Type.STRING, "io.debezium.time.IsoTimestamp")
        return Form(schema, partial(moments.iso_timestamp, julian=julian), "1970-01-01T00:00:00")
    if mode == "nanoseconds":
        return Form(_named(Type.INT64, "io.debezium.time.NanoTimestamp"), partial(moments.nanos, julian=julian), 0)
    if mode == "connect":
        return Form(_named(Type.INT64, TIMESTAMP), partial(moments.millis, julian=julian), 0)
    if mode != "microseconds" and 0 <= modifier <= 3:
        return Form(_named(Type.INT64, "io.debezium.time.Timestamp"), partial(moments.millis, julian=julian), 0)
    return Form(_named(Type.INT64, "io.debezium.time.MicroTimestamp"), partial(moments.micros, julian=julian), 0)


def _timestamptz(modifier: int, options: TypeOptions) -> Form:
    digits = modifier if 0 <= modifier <= 6 else 6
    read = partial(moments.zoned_timestamp, digits=digits, julian=not options.streamed)
    return Form(_named(Type.STRING, "io.debezium.time.ZonedTimestamp"), read, moments.zoned_timestamp(
        "1970-01-01 00:00:00+00", digits, julian=False))  # fmt: skip


def _timetz(modifier: int, options: TypeOptions) -> Form:
    return Form(_named(Type.STRING, "io.debezium.time.ZonedTime"), moments.zoned_time, "00:00:00Z")


def _geometry(name: str) -> Callable[[int, TypeOptions], Form]:
    return _plain(geometry(name), texts.ewkb, (bytes.fromhex("010700000000000000"), None))


def _vector(items: Schema, name: str) -> Callable[[int, TypeOptions], Form]:
    def read(text: str) -> list[float]:
        return [float(item) for item in text[1:-1].split(",")] if len(text) > 2 else []

    return _plain(array(items, name=f"io.debezium.data.{name}", version=1), read, [])


_FORMS: Final[dict[str, Callable[[int, TypeOptions], Form]]] = {
    "bool": _plain(BOOLEAN, texts.truth, False),
    "int2": _plain(INT16, int, 0), "int4": _plain(INT32, int, 0), "int8": _plain(INT64, int, 0),
    "oid": _plain(INT64, int, 0),
    "float4": _plain(FLOAT32, lambda text: to_single(float(text)), 0.0), "float8": _plain(FLOAT64, float, 0.0),
    "numeric": _numeric, "money": _money, "bit": _bits, "varbit": _bits, "bytea": _bytea, "hstore": _hstore,
    "interval": _interval, "date": _date, "time": _time, "timetz": _timetz, "timestamp": _timestamp,
    "timestamptz": _timestamptz, "point": _plain(POINT, texts.point, (0.0, 0.0, texts.point("(0,0)")[2], None)),
    "geometry": _geometry("Geometry"), "geography": _geometry("Geography"),
    "vector": _vector(FLOAT64, "DoubleVector"), "halfvec": _vector(FLOAT32, "FloatVector"),
}  # fmt: skip

_LITERAL: Final = re.compile(r"'(.*?)'", re.DOTALL)
_FUNCTION: Final = re.compile(r"^[(]?[A-Za-z0-9_.]+\((?:.+(?:, ?.+)*)?\)")
_MOMENTS: Final = frozenset(("current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"))
_GENERATED: Final = {
    "bit": "00", "varbit": "0", "bool": "false", "bpchar": "", "varchar": "", "text": "", "numeric": "0.0",
    "float4": "0.0", "float8": "0.0", "int2": "0", "int4": "0", "int8": "0", "json": "{}", "jsonb": "{}", "xml": "",
    "uuid": "00000000-0000-0000-0000-000000000000", "date": "1970-01-01", "time": "00:00:00",
    "timestamp": "1970-01-01 00:00:00", "timestamptz": "1970-01-01 00:00:00+00", "interval": "PT0S",
}  # fmt: skip
"""What the schema's default is where the column's is made by a function; a type that is not here has no default."""


def default_value(column: PgColumn, made: Form) -> Any:
    """The default as a value; None: none that is told."""
    expression, name = column.default, column.type.name
    if expression is None or (name not in _GENERATED and column.type.kind != "e"):
        return None
    if _FUNCTION.match(expression) or expression.lower() in _MOMENTS:
        text = _GENERATED.get(name)
    elif "'" in expression:
        found = _LITERAL.search(expression)
        text = None if found is None else found[1]
    else:
        text = None if expression.startswith("NULL::") else expression
    if text is None:
        return None
    if name == "numeric" and made.schema.type is Type.STRING and column.modifier >= 4:
        text = texts.with_scale(text, _size(column)[1] or 0)
    if name == "bool":
        text = "t" if text.strip().lower() == "true" else "f"
    try:
        value = (
            text
            if made.read is None
            else made.read(text.strip() if name not in ("bpchar", "text", "varchar") else text)
        )
    except (ValueError, OverflowError):
        return None
    return None if made.schema.type is Type.STRUCT else value


def field_schema(column: PgColumn, made: Form, options: TypeOptions, table: TableId) -> Schema:
    """The schema of a column's values."""
    return made.schema.with_(
        optional=column.optional,
        default=default_value(column, made),
        doc=(column.comment if options.comments else None) or made.schema.doc,
        parameters=made.schema.parameters + _source_parameters(column, options, table),
    )


def _source_parameters(column: PgColumn, options: TypeOptions, table: TableId) -> tuple[tuple[str, str], ...]:
    """What `column.propagate.source.type` and `datatype.propagate.source.type` add."""
    type_name = column.type.name.upper()
    wanted = (options.propagate is not None and options.propagate(f"{table}.{column.name}")) or (
        options.propagate_types is not None and options.propagate_types(f"{table}.{column.type.name}")
    )
    if not wanted:
        return ()
    length, scale = _size(column)
    found = {"type": type_name, "length": length, "scale": scale, "name": column.name}
    return tuple((SOURCE_COLUMN + name, str(value)) for name, value in found.items() if value is not None)


_SIZES: Final = {"bool": 1, "int2": 5, "int4": 10, "int8": 19, "float4": 8, "float8": 17, "uuid": 2**31 - 1,
                 "text": 2**31 - 1, "date": 13, "bytea": 2**31 - 1, "json": 2**31 - 1, "jsonb": 2**31 - 1}  # fmt: skip


def _size(column: PgColumn) -> tuple[int | None, int | None]:
    """Length and scale as the JDBC driver tells them."""
    name, modifier = column.type.name, column.modifier
    if name == "numeric":
        return ((modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0xFFFF) if modifier >= 4 else (0, 0)
    if name in ("varchar", "bpchar"):
        return (modifier - 4 if modifier >= 4 else 2**31 - 1), None
    return _SIZES.get(name), 0 if name in ("int2", "int4", "int8", "bool") else None
