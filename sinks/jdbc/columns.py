"""A field of a record as a column of a table: its type, and how its values are written there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from cdc.schema import DECIMAL, Schema, Type, decimal_text
from sinks.jdbc import values
from sinks.jdbc.kinds import Extensions, column_type, key_type, kind
from sinks.jdbc.settings import Settings

Convert = Callable[[Any], Any] | None


class Form(Enum):
    """What stands in the statement after conversion."""

    NUMBER = "digits, written as they are"
    PLAIN = "text without anything to escape"
    TEXT = "text"
    BYTES = "bytes"


class Column(NamedTuple):
    """`convert` makes of a value that is not null what `form` says; None: it is that already."""

    name: str
    type: str
    form: Form
    convert: Convert
    schema: Schema


class Target(NamedTuple):
    """What columns depend on besides their schemas: the kind of database (as in `cdc.jdbc_url`), its types, config."""

    database: str
    extensions: Extensions
    settings: Settings


def column(name: str, schema: Schema, target: Target, *, field: str, keys: int = 0) -> Column:
    """The column of a field; `keys`: it is one of so many key columns, 0: it is none.

    Raises: NoColumnType.
    """
    settings, database = target.settings, target.database
    instant = field in settings.timestamp_fields and schema.type in (Type.INT64, Type.STRING)
    digits = 9 if settings.timestamp_micros == 1_000_000_000 else 6
    type_name = column_type(
        schema, database, hibernate=settings.hibernate, extensions=target.extensions, digits=digits, instant=instant
    )
    if keys:
        type_name = key_type(schema, database, keys, type_name)
    if instant and schema.type is Type.INT64:
        return Column(name, type_name, *_moment(database, settings.timestamp_micros, target, shift=True), schema)
    return Column(name, type_name, *_form(schema, target), schema)


def _form(schema: Schema, target: Target) -> tuple[Form, Convert]:
    special = _BY_DATABASE.get(target.database, _no_special)(schema, target)
    return special if special is not None else _usual(schema, target)


def _no_special(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    return None


def _usual(schema: Schema, target: Target) -> tuple[Form, Convert]:
    match kind(schema):
        case "decimal":
            scale = schema.scale
            return Form.PLAIN, lambda unscaled: decimal_text(unscaled, scale)
        case "variable scale":
            return Form.PLAIN, values.variable_scale
        case "date" | "debezium date":
            return Form.PLAIN, values.date_text
        case "time" | "time 3":
            return Form.PLAIN, values.times(1000)
        case "time 6":
            return Form.PLAIN, values.time_of_day
        case "time 9":
            return Form.PLAIN, values.times(1_000_000_000)
        case "timestamp":
            return _moment(target.database, 1000, target, shift=not target.settings.hibernate)
        case "moment 3" | "moment 6" | "moment 9" as named:
            return _moment(target.database, 10 ** int(named[-1]), target, shift=False)
        case "boolean":
            return Form.NUMBER, int
        case "float" | "double":
            return Form.PLAIN, repr
        case "point" | "geometry" | "geography":
            at = [field.name for field in schema.fields].index("wkb")
            return Form.BYTES, lambda shape: shape[at]
        case "array":
            item = _for_json(schema, target)
            return Form.TEXT, values.json_text if item is None else lambda found: values.json_text(item(found))
        case "map" | "vector" | "sparse vector":
            return Form.TEXT, values.json_text
        case "year" | "duration":
            return Form.NUMBER, None
        case _:
            return _OF_TYPE[schema.type], None


_OF_TYPE = {
    Type.INT8: Form.NUMBER, Type.INT16: Form.NUMBER, Type.INT32: Form.NUMBER, Type.INT64: Form.NUMBER,
    Type.FLOAT32: Form.PLAIN, Type.FLOAT64: Form.PLAIN, Type.STRING: Form.TEXT, Type.BYTES: Form.BYTES,
    Type.STRUCT: Form.TEXT,
}  # fmt: skip


def _for_json(schema: Schema, target: Target) -> Callable[[Any], Any] | None:
    """From a value to what JSON can hold; None where they are the same."""
    if schema.type is Type.ARRAY and schema.items is not None:
        item = _for_json(schema.items, target)
        return None if item is None else lambda found: [None if each is None else item(each) for each in found]
    if schema.name == DECIMAL:
        return lambda unscaled: values.json_number(decimal_text(unscaled, schema.scale))
    form, convert = _usual(schema, target)
    return convert if form is Form.PLAIN and schema.type not in (Type.FLOAT32, Type.FLOAT64) else None


def _moment(database: str, unit: int, target: Target, *, shift: bool) -> tuple[Form, Convert]:
    if shift:
        return Form.PLAIN, values.instants(unit, target.settings.zone)
    return Form.PLAIN, values.moments(unit, infinity=database == "postgresql")


def _postgresql(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    match kind(schema):
        case "bits":
            length = int(schema.parameter("length") or 0)
            return Form.PLAIN, values.bit_string(length if 0 < length < 2**31 - 1 else 0)
        case "duration":
            return Form.PLAIN, lambda micros: f"{micros} microseconds"
        case "vector" if target.extensions.pgvector:
            return Form.PLAIN, values.vector_text
        case "array" | "vector":
            return Form.TEXT, values.array_text(_element(schema, target))
        case "geometry" | "geography" | "point" if target.extensions.postgis:
            wkb, srid = _shape(schema)
            return Form.PLAIN, lambda shape: values.extended(shape[wkb], shape[srid])
        case "point":
            names = [field.name for field in schema.fields]
            x, y = names.index("x"), names.index("y")
            return Form.PLAIN, lambda shape: f"({shape[x]!r},{shape[y]!r})"
    return None


def _element(schema: Schema, target: Target) -> values.Text | None:
    """An element of an array, as text."""
    items = schema.items or Schema(Type.STRING)
    if items.type is Type.ARRAY:
        return _element(items, target)
    form, convert = _form(items, target)
    if form is Form.BYTES:
        return (lambda raw: "\\x" + raw.hex()) if convert is None else lambda raw: "\\x" + convert(raw).hex()
    return None if convert is None else lambda value: str(convert(value))


def _shape(schema: Schema) -> tuple[int, int]:
    names = [field.name for field in schema.fields]
    return names.index("wkb"), names.index("srid")


def _mysql(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    match kind(schema):
        case "bits" if 0 < int(schema.parameter("length") or 0) <= 64:
            return Form.NUMBER, values.bit_number
        case "zoned moment":
            bounds = ("1970-01-01 00:00:01", "2038-01-19 03:14:07")
            return Form.PLAIN, values.shifted(target.settings.zone, *bounds)
        case "zoned time":
            return Form.PLAIN, values.time_at_utc
        case "geometry" | "geography" | "point":
            wkb, srid = _shape(schema)
            return Form.BYTES, lambda shape: values.stored(shape[wkb], shape[srid])
    return None


def _sqlite(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    """Dates and times of Kafka Connect are milliseconds, as SQLite's Java driver binds them."""
    if not target.settings.hibernate:
        match kind(schema):
            case "date":
                return Form.NUMBER, lambda days: days * 86_400_000
            case "time" | "timestamp":
                return Form.NUMBER, None
    if kind(schema) in ("float", "double"):
        return Form.NUMBER, None
    return None


def _oracle(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    """As objects of Python, for the driver gives texts to the session's own formats."""
    match kind(schema):
        case "decimal" | "variable scale":
            _, convert = _usual(schema, target)
            return Form.NUMBER, lambda value: Decimal(convert(value) if convert else value)
        case "date" | "debezium date":
            return Form.NUMBER, lambda days: date.fromisoformat(values.date_text(days))
        case "time":
            return Form.NUMBER, lambda millis: datetime.fromisoformat("1970-01-01 " + values.time_of_day(millis * 1000))
        case "timestamp" | "moment 3" | "moment 6" | "moment 9":
            _, convert = _usual(schema, target)
            return Form.NUMBER, lambda value: datetime.fromisoformat(convert(value) if convert else value)
        case "zoned moment":
            return Form.NUMBER, lambda text: datetime.fromisoformat(text).astimezone(UTC)
        case "float" | "double":
            return Form.NUMBER, None
    return None


def _sqlserver(schema: Schema, target: Target) -> tuple[Form, Convert] | None:
    return (Form.NUMBER, None) if kind(schema) in ("float", "double") else None


_BY_DATABASE: dict[str, Callable[[Schema, Target], tuple[Form, Convert] | None]] = {
    "postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite, "oracle": _oracle, "sqlserver": _sqlserver,
}  # fmt: skip
