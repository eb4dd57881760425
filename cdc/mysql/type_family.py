"""A column's type name -> the family of MySQL types it belongs to, and how its values are to be shown (the options)."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from cdc.errors import DecodeError
from cdc.mysql.schema_change import members
from cdc.table import Column, Predicate


@dataclass(frozen=True, kw_only=True)
class TypeOptions:
    """How values and their schemas are shown; the wire names are Debezium's.

    Attributes:
        decimal: `decimal.handling.mode`: precise, string or double.
        bigint_unsigned: `bigint.unsigned.handling.mode`: long or precise.
        binary: `binary.handling.mode`: bytes, base64, base64-url-safe or hex.
        time_precision: `time.precision.mode`: adaptive_time_microseconds, connect, isostring, micro- or nanoseconds.
        adjust_years: `enable.time.adjuster`: years 0-69 are 2000-2069, years 70-99 are 1970-1999.
        invalid_as_epoch: a date of the log that the calendar has not (2024-02-31) is 1970-01-01, as in Debezium when
            `event.processing.failure.handling.mode` is not fail; else it is treated as a zero date.
        fail_on_failure: `event.converting.failure.handling.mode` is fail: a value that its schema has no place for, and
            a default that cannot be read, stop the task; else they are left out.
        propagate: `column.propagate.source.type`, asked with `db.table.column`; None: no column.
        propagate_types: `datatype.propagate.source.type`, asked with `db.table.TYPE`; None: no type.
    """

    decimal: str = "precise"
    bigint_unsigned: str = "long"
    binary: str = "bytes"
    time_precision: str = "adaptive_time_microseconds"
    adjust_years: bool = True
    invalid_as_epoch: bool = False
    fail_on_failure: bool = False
    propagate: Predicate | None = None
    propagate_types: Predicate | None = None


class Family(Enum):
    """Types whose values are decoded alike."""

    BOOLEAN = auto()
    BIT = auto()
    INTEGER = auto()
    FLOAT = auto()
    DECIMAL = auto()
    TEXT = auto()
    BINARY = auto()
    ENUM = auto()
    SET = auto()
    JSON = auto()
    YEAR = auto()
    DATE = auto()
    TIME = auto()
    DATETIME = auto()
    TIMESTAMP = auto()
    POINT = auto()
    GEOMETRY = auto()
    VECTOR = auto()
    UUID = auto()
    INET = auto()


INTEGER_BITS: Final = {
    "TINYINT": 8, "INT1": 8, "SMALLINT": 16, "INT2": 16, "MEDIUMINT": 24, "INT3": 24, "MIDDLEINT": 24,
    "INT": 32, "INTEGER": 32, "INT4": 32, "BIGINT": 64, "INT8": 64, "SERIAL": 64,
}  # fmt: skip

FAMILIES: Final = {
    **dict.fromkeys(INTEGER_BITS, Family.INTEGER),
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "REAL", "DOUBLE", "DOUBLE PRECISION"), Family.FLOAT),
    **dict.fromkeys(("DECIMAL", "NUMERIC", "DEC", "FIXED"), Family.DECIMAL),
    **dict.fromkeys(
        ("GEOMETRY", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
         "GEOMCOLLECTION"), Family.GEOMETRY
    ),
    **dict.fromkeys(("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"), Family.TEXT),
    **dict.fromkeys(("BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"), Family.BINARY),
    "BIT": Family.BIT, "ENUM": Family.ENUM, "SET": Family.SET, "JSON": Family.JSON, "YEAR": Family.YEAR,
    "DATE": Family.DATE, "TIME": Family.TIME, "DATETIME": Family.DATETIME, "TIMESTAMP": Family.TIMESTAMP,
    "POINT": Family.POINT, "VECTOR": Family.VECTOR, "UUID": Family.UUID, "INET4": Family.INET, "INET6": Family.INET,
    "BOOL": Family.BOOLEAN, "BOOLEAN": Family.BOOLEAN,
}  # fmt: skip

# java.sql.Types, for names that MySQL knows as synonyms: NATIONAL VARCHAR, LONG VARBINARY, CHARACTER VARYING, ...
_BY_JDBC_TYPE: Final = {
    **dict.fromkeys((1, 12, -1, -15, -9, -16, 2005, 2011), Family.TEXT),
    **dict.fromkeys((-2, -3, -4, 2004), Family.BINARY),
    **dict.fromkeys((6, 7, 8), Family.FLOAT),
    **dict.fromkeys((2, 3), Family.DECIMAL),
    -7: Family.BIT, 16: Family.BOOLEAN, 91: Family.DATE, 92: Family.TIME, 93: Family.DATETIME, 2014: Family.TIMESTAMP,
}  # fmt: skip
_REAL: Final = 7

_MODIFIERS: Final = re.compile(r"\(.*?\)|\b(?:UNSIGNED|SIGNED|ZEROFILL)\b")


def type_word(column: Column) -> str:
    """The type name without length, sign and fill: `INT UNSIGNED ZEROFILL` is `INT`."""
    return " ".join(_MODIFIERS.sub(" ", column.type_name.upper()).split())


def is_unsigned(column: Column) -> bool:
    """ZEROFILL makes a column unsigned, whether or not it says so; SERIAL is BIGINT UNSIGNED.

    INTEGER, which only streamed DDL says, is read as signed whatever follows it: so does Debezium.
    """
    words = column.type_name.upper().split()
    if words[:1] == ["INTEGER"]:
        return False
    return "UNSIGNED" in words or "ZEROFILL" in words or "SERIAL" in words


def family(column: Column) -> Family:
    """Raises: DecodeError: a type that MySQL does not have."""
    found = FAMILIES.get(type_word(column)) or _BY_JDBC_TYPE.get(column.jdbc_type)
    if found is None:
        raise DecodeError(
            f"column {column.name!r} has the type {column.type_name!r}, which is not known; "
            "leave it out with column.exclude.list"
        )
    return found


def integer_bits(column: Column) -> int:
    """Width of an INTEGER column's values: 8, 16, 24, 32 or 64."""
    return INTEGER_BITS[type_word(column)]


def fraction_digits(column: Column) -> int:
    """Digits of fraction that a TIME, DATETIME or TIMESTAMP keeps, 0 to 6."""
    return max(column.length or 0, 0)


def is_single(column: Column) -> bool:
    """Whether a FLOAT column is shown as float32: FLOAT and FLOAT(1..24), and REAL in DDL that was streamed."""
    if type_word(column) == "FLOAT":
        return column.scale is None and (column.length or 0) <= 24
    return column.jdbc_type == _REAL


def is_stored_single(column: Column) -> bool:
    """Whether the server keeps a FLOAT column in four bytes; FLOAT(M,D) is among them."""
    return type_word(column) in ("FLOAT", "FLOAT4") and (column.scale is not None or (column.length or 0) <= 24)


def options_of(column: Column) -> tuple[str, ...]:
    """Members of an ENUM or SET as Debezium shows them: as in SQL, but for quotes; a comma escaped by a backslash."""
    literals = (text[1:-1].replace(",", "\\,") for text in members(column))
    return tuple(literal.replace("\\'", "'").replace("''", "'") for literal in literals)


BINARY_TEXT: Final[dict[str, Callable[[bytes], str]]] = {
    "base64": lambda raw: b64encode(raw).decode("ascii"),
    "base64-url-safe": lambda raw: urlsafe_b64encode(raw).decode("ascii"),
    "hex": lambda raw: raw.hex(),
}
"""`binary.handling.mode` -> how bytes are shown; `bytes` itself is not here."""
