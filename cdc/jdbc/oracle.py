"""Oracle by python-oracledb, as Oracle's JDBC driver types its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cdc.errors import DataError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind

if TYPE_CHECKING:
    from cdc.jdbc.session import Query, Session, Transactions

MARK: Final = ":n"
NOW: Final = "SELECT CURRENT_TIMESTAMP FROM dual"
LACKING: Final = "run: GRANT SELECT ON v_$transaction TO the connector's user"
_TRANSACTIONS: Final = "SELECT xidusn || '.' || xidslot || '.' || xidsqn FROM v$transaction"
_KINDS: Final = {
    "DB_TYPE_NUMBER": (Kind.NUMERIC, ""), "DB_TYPE_BINARY_FLOAT": (Kind.REAL, "{x}"),
    "DB_TYPE_BINARY_DOUBLE": (Kind.DOUBLE, "{x}"), "DB_TYPE_DATE": (Kind.TIMESTAMP, "of_datetime({x})"),
    "DB_TYPE_TIMESTAMP": (Kind.TIMESTAMP, "of_datetime({x})"),
    "DB_TYPE_TIMESTAMP_TZ": (Kind.TIMESTAMP, "of_datetime({x})"),
    "DB_TYPE_TIMESTAMP_LTZ": (Kind.TIMESTAMP, "of_datetime({x})"),
    "DB_TYPE_BOOLEAN": (Kind.BOOLEAN, "{x}"),
}  # fmt: skip
_TEXTS: Final = ("VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "LONG", "LONG_NVARCHAR", "CLOB", "NCLOB", "XMLTYPE")
_BYTES: Final = ("RAW", "LONG_RAW", "BLOB")


def _unscaled(value: Decimal | int | float, scale: int) -> int:
    text = f"{Decimal(str(value)):f}"
    whole, _, fraction = text.partition(".")
    if fraction[scale:].strip("0"):
        raise DataError("more digits after the point than its type declares")
    digits = whole + fraction[:scale].ljust(scale, "0") if scale >= 0 else whole[:scale] or "0"
    return int(digits)


FUNCTIONS: Final[Mapping[str, Any]] = {"unscaled": _unscaled, "of_datetime": moments.of_datetime}


def begin(raw: Any, isolation: str) -> None:
    import oracledb

    oracledb.defaults.fetch_decimals = True
    oracledb.defaults.fetch_lobs = False
    raw.autocommit = True
    if isolation in ("SERIALIZABLE", "READ_COMMITTED"):
        with raw.cursor() as cursor:
            cursor.execute(f"ALTER SESSION SET ISOLATION_LEVEL = {isolation.replace('_', ' ')}")


def cursor(raw: Any) -> Any:
    made = raw.cursor()
    made.arraysize = made.prefetchrows = 1000
    return made


def ended(raw: Any, cursor: Any, *, whole: bool) -> None:
    cursor.close()


def columns(session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> list[Column]:
    return [column(each[0], each[1].name, each[4], each[5], each[6]) for each in cursor.description]


def column(name: str, kind: str, precision: int | None, scale: int | None, nullable: bool) -> Column:
    short = kind.removeprefix("DB_TYPE_")
    if short in _TEXTS:
        return Column(name, Kind.TEXT, nullable, type_name=short)
    if short in _BYTES:
        return Column(name, Kind.BYTES, nullable, type_name=short)
    found, form = _KINDS.get(kind, (Kind.OTHER, "{x}"))
    shown = 127 if scale == -127 else scale or 0
    digits = 0 if short == "DATE" else 6
    return Column(name, found, nullable, precision or 0, scale or 0, form=form or f"unscaled({{x}}, {shown})",
                  digits=digits, type_name=short)  # fmt: skip


def now(value: Any, to_wall: Any) -> int:
    return moments.of_datetime(value)


def parameter(wall: int, moment: int, zoned: bool, digits: int) -> datetime:
    return moments.as_datetime(wall)


def open_transactions(session: Session, *, writers: bool) -> Transactions | None:
    try:
        return frozenset(str(row[0]) for row in session.all(_TRANSACTIONS))
    except Exception as error:
        if "ORA-00942" in str(error) or "ORA-01031" in str(error):
            return None
        raise
