"""A column and the connector's options in: its Connect schema and the expression of its value; a shape: one function.

Source: kafka-connect-jdbc's `GenericDatabaseDialect` and `PostgreSqlDatabaseDialect` (master of 10.9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.errors import DataError
from cdc.java.zones import Zone
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind
from cdc.schema import (
    BOOLEAN,
    BYTES,
    DATE,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    decimal,
    struct,
    to_single,
)

Rows = Sequence[Sequence[Any]]
NONE, PRECISION_ONLY, BEST_FIT, EAGER = "none", "precision_only", "best_fit", "best_fit_eager_double"
NUMERIC_MAPPINGS: Final = (NONE, PRECISION_ONLY, BEST_FIT, EAGER)
LOGICAL: Final = "connect_logical"
GRANULARITIES: Final = (
    LOGICAL, "micros_long", "micros_string", "micros_iso_datetime_string", "nanos_long", "nanos_string",
    "nanos_iso_datetime_string",
)  # fmt: skip
_MOST_DIGITS, _LEAST_SCALE, _NO_SCALE, _HIGHEST_SCALE = 18, -84, -127, 127
_CONNECT_DATE: Final = Schema(Type.INT32, name=DATE, version=1)
_CONNECT_TIME: Final = Schema(Type.INT32, name=TIME, version=1)
_CONNECT_TIMESTAMP: Final = Schema(Type.INT64, name=TIMESTAMP, version=1)
_WHOLE: Final = {
    Kind.BIT: (INT8, INT8), Kind.TINYINT: (INT8, INT16), Kind.SMALLINT: (INT16, INT32), Kind.INTEGER: (INT32, INT64),
    Kind.BIGINT: (INT64, INT64),
}  # fmt: skip
"""Signed, unsigned."""
_BITS: Final = {Type.INT8: 7, Type.INT16: 15, Type.INT32: 31, Type.INT64: 63}


@dataclass(frozen=True)
class Options:
    """What of the connector's config decides over schemas.

    Attributes:
        numeric: numeric.mapping.
        granularity: timestamp.granularity.
        zone: db.timezone; None for UTC, whose clocks need no counting.
        legacy: date.calendar.system is LEGACY: dates before 1582 are the Julian calendar's.
    """

    numeric: str = NONE
    granularity: str = LOGICAL
    zone: Zone | None = None
    legacy: bool = True


@dataclass(frozen=True)
class Shape:
    """How the rows of one result become values.

    Attributes:
        dropped: columns whose type no record can hold.
        convert: rows of the driver -> values of `schema`. Raises: DataError naming the column.
    """

    schema: Schema
    dropped: tuple[Column, ...]
    convert: Callable[[Rows], list[tuple[Any, ...]]]


def field(column: Column, options: Options) -> tuple[Schema, str] | None:
    """The schema of a column's values and their expression over `{x}`; None when no record can hold them."""
    found = _field(column, options)
    if found is None:
        return None
    schema, expression = found
    return (schema.with_(optional=True) if column.nullable else schema), expression


def _field(column: Column, options: Options) -> tuple[Schema, str] | None:
    kind, form = column.kind, column.form
    if kind in _WHOLE:
        schema = _WHOLE[kind][not column.signed]
        return schema, _checked(column, schema)
    match kind:
        case Kind.BOOLEAN:
            return BOOLEAN, form
        case Kind.REAL:
            return FLOAT32, f"single({form})"
        case Kind.DOUBLE:
            return FLOAT64, form
        case Kind.NUMERIC | Kind.DECIMAL:
            return _number(column, options)
        case Kind.TEXT:
            return STRING, form
        case Kind.BYTES:
            return BYTES, form
        case Kind.DATE:
            old = f"(d if (d := {form}) >= {moments.GREGORIAN_DAY} else old_day(d))"
            return _CONNECT_DATE, old if options.legacy else form
        case Kind.TIME:
            return _CONNECT_TIME, f"time_ms({form})" if options.zone else f"({form}) // 1000"
        case Kind.TIMESTAMP:
            return _timestamp(column, options)
    return None


def _checked(column: Column, schema: Schema) -> str:
    """Only where the database's numbers are wider than the schema that JDBC gives them."""
    wider = (column.kind is Kind.BIGINT and not column.signed) or column.kind is Kind.BIT
    return f"within({column.form}, {_BITS[schema.type]})" if wider else column.form


def _number(column: Column, options: Options) -> tuple[Schema, str]:
    """NUMERIC may become a whole number or a double; DECIMAL never does."""
    precision, scale, mapping = column.precision, column.scale, options.numeric
    if column.kind is Kind.NUMERIC and mapping != NONE:
        fits = precision <= _MOST_DIGITS
        whole = scale == 0 if mapping == PRECISION_ONLY else _LEAST_SCALE <= scale < 1
        if whole and fits:
            schema = INT64 if precision > 9 else INT32 if precision > 4 else INT16 if precision > 2 else INT8
            grown = f"({column.form}) * {10**-scale}" if scale < 0 else column.form
            return schema, f"within({grown}, {_BITS[schema.type]})"
        if scale > 0 and (mapping == EAGER or (mapping == BEST_FIT and fits)):
            return FLOAT64, f"({column.form}) / {10**scale}"
    scale = _HIGHEST_SCALE if scale == _NO_SCALE else scale
    return decimal(scale, precision=precision), column.form


def _timestamp(column: Column, options: Options) -> tuple[Schema, str]:
    micros = moment_of(column, options)
    match options.granularity:
        case "micros_long":
            return INT64, f"java_micros({micros})"
        case "micros_string":
            return STRING, f"str(java_micros({micros}))"
        case "nanos_long":
            return INT64, f"java_micros({micros}) * 1000"
        case "nanos_string":
            return STRING, f"str(java_micros({micros}) * 1000)"
        case "micros_iso_datetime_string":
            return STRING, f"iso({_shown(column, options)})"
        case "nanos_iso_datetime_string":
            return STRING, f"iso({_shown(column, options)}) + '000'"
    return _CONNECT_TIMESTAMP, f"({micros}) // 1000"


def moment_of(column: Column, options: Options) -> str:
    """The expression for microseconds since 1970 in UTC, as the offset and the record count them."""
    form = f"({column.form}) * {moments.DAY_MICROS}" if column.kind is Kind.DATE else column.form
    old = f"(w if (w := {form}) >= {moments.GREGORIAN} else old(w))" if options.legacy else form
    return f"moment({old})" if options.zone and not column.zoned else old


def _shown(column: Column, options: Options) -> str:
    """The expression for microseconds of the wall clock that a text shows."""
    return f"wall_of({column.form})" if column.zoned and options.zone else column.form


def names(options: Options, functions: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions may call: what is above, and what the forms of a database need."""
    zone = options.zone
    offset = zone.offset_of_wall(0) * 1000 if zone else 0
    return {
        "single": to_single,
        "old_day": moments.julian_day,
        "old": moments.julian,
        "java_micros": moments.java_micros,
        "iso": lambda micros: moments.text(micros).replace(" ", "T"),
        "within": _within,
        "time_ms": lambda micros: (micros // 1000 - offset) % 86_400_000,
        "moment": moments.to_moment(zone) if zone else None,
        "wall_of": moments.to_wall(zone) if zone else None,
        **functions,
    }


def _within(value: int, bits: int) -> int:
    if not -(1 << bits) <= value < 1 << bits:
        raise DataError(f"a number that does not fit into {bits + 1} bits")
    return value


def compiled(
    name: str | None, columns: Sequence[Column], options: Options, functions: Mapping[str, Any]
) -> Shape:  # fmt: skip
    """The shape of a result's rows: its struct schema is called `name`."""
    kept, dropped, parts = [], [], []
    for at, column in enumerate(columns):
        found = field(column, options)
        if found is None:
            dropped.append(column)
            continue
        kept.append((column.name, found[0]))
        value = found[1].format(x=f"v{at}")
        null = f"v{at} is None" + (f" or {column.null.format(x=f'v{at}')}" if column.null else "")
        parts.append(value if value == f"v{at}" else f"None if {null} else {value}")
    schema = struct(*kept, name=name)
    unpacked = "".join(f"v{at}, " for at in range(len(columns)))
    source = f"def convert(rows):\n    return [({''.join(f'{part}, ' for part in parts)}) for {unpacked}in rows]\n"
    scope = names(options, functions)
    exec(source, scope)
    convert: Callable[[Rows], list[tuple[Any, ...]]] = scope["convert"]
    if not dropped and all(part == f"v{at}" for at, part in enumerate(parts)):
        convert = as_they_are

    def told(rows: Rows) -> list[tuple[Any, ...]]:
        try:
            return convert(rows)
        except Exception as error:
            raise _blamed(name, columns, options, scope, rows) or error from error

    return Shape(schema, tuple(dropped), told)


def as_they_are(rows: Rows) -> list[tuple[Any, ...]]:
    return list(map(tuple, rows))


def _blamed(
    name: str | None, columns: Sequence[Column], options: Options, scope: dict[str, Any], rows: Rows
) -> DataError | None:  # fmt: skip
    """Which column of which row could not be converted. The value itself is not told."""
    for at, column in enumerate(columns):
        found = field(column, options)
        if found is None:
            continue
        one = eval(f"lambda v: {found[1].format(x='v')}", scope)
        for row in rows:
            try:
                _ = None if row[at] is None else one(row[at])
            except Exception as error:
                said = str(error) if isinstance(error, DataError) else f"a value that is no {column.kind.value}"
                return DataError(
                    f"column {column.name} ({column.type_name or column.kind.value}) of {name or 'the query'} holds "
                    f"{said}; correct the row, or select the column as another type with query"
                )
    return None


def value_of(column: Column, expression: str, options: Options, functions: Mapping[str, Any]) -> Callable[[Any], Any]:
    """One value's function, for what is read of few rows only."""
    made: Callable[[Any], Any] = eval(f"lambda v: {expression.format(x='v')}", names(options, functions))
    return made
