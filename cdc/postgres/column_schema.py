"""A column and the form of its values -> the schema of its field: default, comment, and what it says of the source.

Source: Debezium 3.5.0.Final, `PostgresDefaultValueConverter`, `PostgresType`; the PostgreSQL JDBC driver; recorded
events.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final, NamedTuple

from cdc.envelope import SOURCE_COLUMN
from cdc.masks import Mask
from cdc.postgres import texts
from cdc.postgres.catalog import PgColumn, Types
from cdc.postgres.types import VECTORS, Form, TypeOptions, form
from cdc.schema import Schema, Type
from cdc.table import TableId

_LITERAL: Final = re.compile(r"'(.*?)'")
_NO_PRECISION: Final = 131_089
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?|-?\.\d+")
_BITS: Final = re.compile("[01]*")
_FUNCTION: Final = re.compile(r"^[(]?[A-Za-z0-9_.]+\((?:.+(?:, ?.+)*)?\)")
_MOMENTS: Final = frozenset(("current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"))
_GENERATED: Final = {
    "bit": "00", "varbit": "0", "bool": "false", "bpchar": "", "varchar": "", "text": "", "numeric": "0.0",
    "float4": "0.0", "float8": "0.0", "int2": "0", "int4": "0", "int8": "0", "json": "{}", "jsonb": "{}", "xml": "",
    "uuid": "00000000-0000-0000-0000-000000000000", "date": "1970-01-01", "time": "00:00:00",
    "timestamp": "1970-01-01 00:00:00", "timestamptz": "1970-01-01 00:00:00+00", "interval": "PT0S",
}  # fmt: skip
"""What the schema's default is where the column's is made by a function; a type that is not here has no default."""


_UNTRIMMED: Final = frozenset(("bpchar", "varchar", "text", "json", "jsonb", "xml"))


_ENDS: Final[dict[str, dict[str, dict[str | None, Any]]]] = {
    "date": {
        "infinity": {"io.debezium.time.Date": 169_560_311, "org.apache.kafka.connect.data.Date": 169_560_311},
        "-infinity": {"io.debezium.time.Date": -170_999_002, "org.apache.kafka.connect.data.Date": -170_999_002},
    },
    "timestamp": {
        "infinity": {"io.debezium.time.MicroTimestamp": 2**63 - 1},
        "-infinity": {"io.debezium.time.MicroTimestamp": -(2**63)},
    },
    "timestamptz": {"infinity": {}, "-infinity": {}},
    "time": {"24:00:00": {
        "io.debezium.time.MicroTime": 86_399_999_999, "io.debezium.time.Time": 86_399_999,
        "io.debezium.time.NanoTime": 86_399_999_999_999,
    }},
}  # fmt: skip
"""Defaults that Java has no value for: the ends of its types, by the schema they stand in; what is not here is none."""


def default_value(column: PgColumn, made: Form) -> Any:
    """The default as a value; None: none that is told."""
    expression = column.default
    if expression is None or made.schema.type is Type.STRUCT:
        return None
    text = _enum_default(expression, column) if column.type.kind == "e" else _default_text(expression, column)
    if text is None:
        return None
    if (name := column.type.name) in _ENDS and text in _ENDS[name]:
        return _ENDS[name][text].get(made.schema.name)
    try:
        return text if made.read is None else made.read(text)
    except (ValueError, OverflowError):
        return None


def _default(column: PgColumn, options: TypeOptions, types: Types) -> Any:
    """Defaults are read as values of the WAL are, wherever they are told."""
    if column.default is None:
        return None
    made = form(column.type, column.modifier, replace(options, streamed=True), types)
    return None if made is None else default_value(column, made)


def _enum_default(expression: str, column: PgColumn) -> str | None:
    """Neither with a schema nor with quotes in the type's name; quotes within the label stay doubled."""
    cast = f"::{column.type.name}"
    if not expression.endswith(cast):
        return None
    literal = expression.removesuffix(cast)
    return literal[1:-1] if len(literal) > 1 and literal[0] == literal[-1] == "'" else None


def _default_text(expression: str, column: PgColumn) -> str | None:
    name = column.type.name
    if name not in _GENERATED:
        return None
    if name not in _UNTRIMMED:
        expression = expression.strip()
    if _FUNCTION.match(expression) or expression.lower() in _MOMENTS:
        text = _GENERATED[name]
    elif "'" in expression:
        found = _LITERAL.search(expression)
        if found is None:
            return None
        text = found[1]
    elif expression.startswith("NULL::"):
        return None
    else:
        text = expression
    if name in ("bit", "varbit"):
        return text if _BITS.fullmatch(text) else None
    if name == "bool":
        return "t" if text.lower() == "true" else "f"
    if name == "numeric":
        if _NUMBER.fullmatch(text) is None:
            return None
        return texts.with_scale(text, column.modifier - 4 & 0xFFFF) if column.modifier >= 4 else text
    return text


def field_schema(
    column: PgColumn, made: Form, options: TypeOptions, types: Types, table: TableId, mask: Mask | None = None
) -> Schema:
    """The schema of a column's values. A masked column tells its mask instead of its source type."""
    return made.schema.with_(
        optional=column.optional or made.schema.optional,
        default=_default(column, options, types),
        parameters=made.schema.parameters
        + (_source_parameters(column, options, types, table) if mask is None else mask.parameters),
    )


class Described(NamedTuple):
    """A column as Java's driver describes it: length, number of `java.sql.Types`, and its type's name."""

    length: int | None
    jdbc_type: int
    type_name: str


def described(column: PgColumn, options: TypeOptions, types: Types) -> Described:
    root, _ = types.root(column.type, column.modifier)
    jdbc_type = _VARCHAR if root.kind == "e" else _JDBC_TYPES.get(root.name, _OTHER)
    return Described(size(column, options, types)[0], jdbc_type, column.type.name)


_VARCHAR, _OTHER = 12, 1111
_JDBC_TYPES: Final = {"char": 1, "bpchar": 1, "varchar": _VARCHAR, "text": _VARCHAR, "name": _VARCHAR}


def is_propagated(name: str, type_name: str, options: TypeOptions) -> bool:
    """Whether the column of that full name tells its source type."""
    if options.propagate is not None and options.propagate(name):
        return True
    table = name.rpartition(".")[0]
    return options.propagate_types is not None and options.propagate_types(f"{table}.{type_name}")


def _source_parameters(
    column: PgColumn, options: TypeOptions, types: Types, table: TableId
) -> tuple[tuple[str, str], ...]:
    """What `column.propagate.source.type` and `datatype.propagate.source.type` add."""
    if not is_propagated(f"{table}.{column.name}", column.type.name, options):
        return ()
    length, scale = size(column, options, types)
    found = {"type": column.type.name.upper(), "length": length, "scale": scale, "name": column.name}
    return tuple((SOURCE_COLUMN + name, str(value)) for name, value in found.items() if value is not None)


_SIZES: Final = {"bool": 1, "char": 1, "int2": 5, "int4": 10, "oid": 10, "int8": 19, "date": 13}
_TIMES: Final = {"time": 8, "timetz": 14, "timestamp": 22, "timestamptz": 28}
_FLOATS: Final = {"float4": 8, "float8": 17}
_ENDLESS: Final = 2**31 - 1


def size(column: PgColumn, options: TypeOptions, types: Types) -> tuple[int, int | None]:
    """Length and scale as Java's driver tells them: of an array those of its items, of a domain those of its base."""
    root, modifier = types.root(column.type, column.modifier)
    name = root.name
    if root.is_array and (options.streamed or name not in VECTORS):
        name = getattr(types[root.element], "name", "")
    if name == "numeric":
        if modifier >= 4:
            return (modifier - 4) >> 16 & 0xFFFF, modifier - 4 & 0xFFFF
        plain = root is column.type and not root.is_array and not options.streamed
        return (0, None) if plain else (_NO_PRECISION, 0)
    if name in _TIMES:
        digits = modifier if modifier >= 0 else 6
        return _TIMES[name] + (digits + 1 if digits else 0), digits
    if name == "interval":
        return 49, modifier & 0xFFFF if modifier >= 0 else 6
    if name in _FLOATS:
        return _FLOATS[name], _FLOATS[name]
    if name in ("varchar", "bpchar") and modifier >= 4:
        return modifier - 4, 0
    if name in ("bit", "varbit") and modifier >= 0:
        return modifier, 0
    return _SIZES.get(name, _ENDLESS), 0
