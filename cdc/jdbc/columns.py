"""Columns of a result as a database tells them: the kind JDBC gives them, and how the driver hands over their values.

A *form* is a Python expression over `{x}` that turns the driver's value into the plain one of its kind:

    whole numbers, DECIMAL      int; of a DECIMAL the unscaled value
    DATE                        int: days since 1970-01-01 on the clocks of the database
    TIME                        int: microseconds of the day
    TIMESTAMP                   int: microseconds since 1970-01-01 00:00, of the wall clock, or of UTC when `zoned`
    TEXT, BYTES, REAL, DOUBLE   str, bytes, float
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The types of `java.sql.Types` that matter, those with one meaning for Connect taken together."""

    BOOLEAN = "BOOLEAN"
    BIT = "BIT"
    TINYINT = "TINYINT"
    SMALLINT = "SMALLINT"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    REAL = "REAL"
    DOUBLE = "DOUBLE"
    NUMERIC = "NUMERIC"
    DECIMAL = "DECIMAL"
    TEXT = "VARCHAR"
    BYTES = "VARBINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    OTHER = "OTHER"


@dataclass(frozen=True)
class Column:
    """One column of a result.

    Attributes:
        kind: OTHER when records cannot hold it.
        nullable: True also when nobody knows.
        precision, scale: of numbers, as the JDBC driver of that database tells them.
        form: see the module.
        null: an expression over `{x}` that tells a value that stands for null; empty: none does.
        zoned: a TIMESTAMP that is a moment, not a wall clock.
        digits: of a TIMESTAMP: how many digits of a second it keeps.
        type_name: for messages.
    """

    name: str
    kind: Kind
    nullable: bool = True
    precision: int = 0
    scale: int = 0
    signed: bool = True
    form: str = "{x}"
    null: str = ""
    zoned: bool = False
    digits: int = 6
    type_name: str = ""


@dataclass(frozen=True)
class Definition:
    """One column of a table, as its catalog has it."""

    name: str
    nullable: bool
    auto_increment: bool
