"""A column of a MySQL table -> the Connect schema that Debezium gives it, default included.

Source: Debezium 3.5.0.Final, `BinlogValueConverters`, `JdbcValueConverters`, `TableSchemaBuilder`, and recorded events.
"""

from __future__ import annotations

from typing import Final

from cdc.envelope import SOURCE_COLUMN
from cdc.geometry import POINT, geometry
from cdc.masks import Mask
from cdc.mysql.column_default import default_value
from cdc.mysql.custom_converters import Conversion
from cdc.mysql.temporal import DatetimeForm
from cdc.mysql.type_family import (
    Family,
    TypeOptions,
    family,
    fraction_digits,
    integer_bits,
    is_single,
    is_unsigned,
    options_of,
)
from cdc.schema import (
    BOOLEAN,
    BYTES,
    DATE,
    FLOAT32,
    FLOAT64,
    INT16,
    INT32,
    INT64,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
)
from cdc.table import Column, TableId

__all__ = ["GEOMETRY", "POINT", "TypeOptions", "field_schema"]

GEOMETRY: Final = geometry(optional=True)
_VECTOR: Final = array(FLOAT32, name="io.debezium.data.FloatVector", version=1)
_JSON: Final = Schema(Type.STRING, name="io.debezium.data.Json", version=1)
_UUID: Final = Schema(Type.STRING, name="io.debezium.data.Uuid", version=1)
_YEAR: Final = Schema(Type.INT32, name="io.debezium.time.Year", version=1)
_ZONED: Final = Schema(Type.STRING, name="io.debezium.time.ZonedTimestamp", version=1)


def field_schema(
    column: Column, options: TypeOptions, table: TableId | None = None, mask: Mask | None = None,
    conversion: Conversion | None = None,
) -> Schema:  # fmt: skip
    """The schema of a column's values; `table` is needed where the options propagate source types.

    A masked column tells its mask instead of its source type; `conversion` is what a converter makes of the column.

    Raises: DecodeError: a type that MySQL does not have.
    """
    schema = _value_schema(column, options) if conversion is None else conversion.schema
    return schema.with_(
        optional=schema.optional or column.optional,
        doc=schema.doc if column.comment is None else column.comment,
        parameters=schema.parameters
        + (_source_parameters(column, options, table) if mask is None else mask.parameters),
        default=default_value(column, options) if conversion is None else conversion.default,
    )


def _value_schema(column: Column, options: TypeOptions) -> Schema:
    match family(column):
        case Family.INTEGER:
            return _integer(column, options)
        case Family.DECIMAL:
            return _decimal(column, options)
        case Family.BIT if (column.length or 1) > 1:
            parameters = (("length", str(column.length)),)
            return Schema(Type.BYTES, name="io.debezium.data.Bits", version=1, parameters=parameters)
        case Family.FLOAT:
            return FLOAT32 if is_single(column) else FLOAT64
        case Family.BINARY:
            return BYTES if options.binary == "bytes" else STRING
        case Family.ENUM:
            return _members(column, "io.debezium.data.Enum")
        case Family.SET:
            return _members(column, "io.debezium.data.EnumSet")
        case Family.DATE | Family.TIME | Family.DATETIME as temporal:
            return _temporal(temporal, column, options.time_precision)
        case other:
            return _ALWAYS[other]


_ALWAYS: Final = {
    Family.BIT: BOOLEAN, Family.BOOLEAN: BOOLEAN, Family.TEXT: STRING, Family.JSON: _JSON, Family.YEAR: _YEAR,
    Family.TIMESTAMP: _ZONED, Family.POINT: POINT, Family.GEOMETRY: GEOMETRY, Family.VECTOR: _VECTOR,
    Family.UUID: _UUID, Family.INET: STRING,
}  # fmt: skip


def _integer(column: Column, options: TypeOptions) -> Schema:
    bits, unsigned = integer_bits(column), is_unsigned(column)
    if bits == 64 and unsigned and options.bigint_unsigned == "precise":
        return decimal(0, precision=20)
    if bits == 8 or (bits == 16 and not unsigned):
        return INT16
    return INT64 if bits == 64 or (bits == 32 and unsigned) else INT32


def _decimal(column: Column, options: TypeOptions) -> Schema:
    if options.decimal == "string":
        return STRING
    if options.decimal == "double":
        return FLOAT64
    return decimal(column.scale or 0, precision=10 if column.length is None else column.length)


def _members(column: Column, name: str) -> Schema:
    return Schema(Type.STRING, name=name, version=1, parameters=(("allowed", ",".join(options_of(column))),))


def _temporal(kind: Family, column: Column, mode: str) -> Schema:
    if mode == "isostring":
        names = {Family.DATE: "IsoDate", Family.TIME: "IsoTime", Family.DATETIME: "IsoTimestamp"}
        return Schema(Type.STRING, name=f"io.debezium.time.{names[kind]}", version=1)
    if mode == "connect":
        name = {Family.DATE: DATE, Family.TIME: TIME, Family.DATETIME: TIMESTAMP}[kind]
        return Schema(Type.INT64 if kind is Family.DATETIME else Type.INT32, name=name, version=1)
    if kind is Family.DATE:
        return Schema(Type.INT32, name="io.debezium.time.Date", version=1)
    if kind is Family.TIME:
        name = "NanoTime" if mode == "nanoseconds" else "MicroTime"
    else:
        unit = DatetimeForm(mode, fraction_digits(column)).unit
        name = {1000: "Timestamp", 1_000_000: "MicroTimestamp", 1_000_000_000: "NanoTimestamp"}[unit]
    return Schema(Type.INT64, name=f"io.debezium.time.{name}", version=1)


def is_propagated(name: str, column: Column, options: TypeOptions) -> bool:
    """Whether the schema of a column, `db.table.column`, tells its source type."""
    table = name.removesuffix(column.name)
    return (options.propagate is not None and options.propagate(name)) or (
        options.propagate_types is not None and options.propagate_types(f"{table}{column.type_name.upper()}")
    )


def _source_parameters(column: Column, options: TypeOptions, table: TableId | None) -> tuple[tuple[str, str], ...]:
    """What `column.propagate.source.type` and `datatype.propagate.source.type` add."""
    if not is_propagated(f"{table}.{column.name}", column, options):
        return ()
    found = {
        "type": column.type_name.upper(),
        "length": column.length,
        "scale": column.scale,
        "comment": column.comment or None,
        "name": column.name,
    }
    return tuple((SOURCE_COLUMN + key, str(value)) for key, value in found.items() if value is not None)
