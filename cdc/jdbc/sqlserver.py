"""SQL Server by pymssql, whose results tell no types: the server is asked to describe the statement.

Source: mssql-jdbc's type mapping; SQL Server's `sys.dm_exec_describe_first_result_set`.
"""

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

MARK: Final = "%s"
NOW: Final = "SELECT SYSDATETIME()"
LACKING: Final = "run: GRANT VIEW SERVER STATE TO the connector's login"
_TRANSACTIONS: Final = """SELECT transaction_id FROM sys.dm_tran_database_transactions
WHERE database_id = DB_ID() AND database_transaction_begin_time IS NOT NULL"""
_DESCRIBED: Final = """SELECT name, system_type_name, is_nullable, precision, scale
FROM sys.dm_exec_describe_first_result_set(%s, NULL, 0) WHERE is_hidden = 0 ORDER BY column_ordinal"""
_KINDS: Final = {
    "bit": (Kind.BIT, "int({x})"), "tinyint": (Kind.TINYINT, "{x}"), "smallint": (Kind.SMALLINT, "{x}"),
    "int": (Kind.INTEGER, "{x}"), "bigint": (Kind.BIGINT, "{x}"), "real": (Kind.REAL, "{x}"),
    "float": (Kind.DOUBLE, "{x}"), "decimal": (Kind.DECIMAL, ""), "numeric": (Kind.NUMERIC, ""),
    "money": (Kind.DECIMAL, ""), "smallmoney": (Kind.DECIMAL, ""), "date": (Kind.DATE, "of_date({x})"),
    "time": (Kind.TIME, "of_time({x})"), "datetime": (Kind.TIMESTAMP, "of_datetime({x})"),
    "datetime2": (Kind.TIMESTAMP, "of_datetime({x})"), "smalldatetime": (Kind.TIMESTAMP, "of_datetime({x})"),
    "datetimeoffset": (Kind.TIMESTAMP, "of_moment({x})"), "uniqueidentifier": (Kind.TEXT, "str({x}).upper()"),
    **dict.fromkeys(("binary", "varbinary", "image", "timestamp", "rowversion"), (Kind.BYTES, "{x}")),
    **dict.fromkeys(("char", "varchar", "text", "nchar", "nvarchar", "ntext", "xml", "sysname"), (Kind.TEXT, "{x}")),
}  # fmt: skip
_LEVELS: Final = {"SQL_SERVER_SNAPSHOT": "SNAPSHOT"}


def _unscaled(value: Decimal, scale: int) -> int:
    text = f"{value:f}"
    whole, _, fraction = text.partition(".")
    if fraction[scale:].strip("0"):
        raise DataError("more digits after the point than its type declares")
    return int(whole + fraction[:scale].ljust(scale, "0"))


FUNCTIONS: Final[Mapping[str, Any]] = {
    "unscaled": _unscaled, "of_date": moments.of_date, "of_time": moments.of_time, "of_datetime": moments.of_datetime,
    "of_moment": moments.of_moment,
}  # fmt: skip


def begin(raw: Any, isolation: str) -> None:
    raw.autocommit(True)
    if isolation != "DEFAULT":
        level = _LEVELS.get(isolation, isolation.replace("_", " "))
        with raw.cursor() as cursor:
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")


def cursor(raw: Any) -> Any:
    return raw.cursor()


def ended(raw: Any, cursor: Any, *, whole: bool) -> None:
    cursor.close()


def columns(session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> list[Column]:
    """Asked in a session of its own, for this one stands in a result."""
    with session.failures():
        beside = session.database.engine.raw_connection()
        try:
            asked = beside.cursor()
            asked.execute(_DESCRIBED, (query.base,))
            return [column(*row) for row in asked.fetchall()]
        finally:
            beside.close()


def column(name: str, type_name: str, nullable: bool, precision: int, scale: int) -> Column:
    short = type_name.partition("(")[0].lower()
    kind, form = _KINDS.get(short, (Kind.OTHER, "{x}"))
    return Column(
        name, kind, bool(nullable), precision, scale, signed=short != "tinyint",
        form=form or f"unscaled({{x}}, {scale})", zoned=short == "datetimeoffset",
        digits=min(scale, 6) if kind is Kind.TIMESTAMP else 6, type_name=type_name,
    )  # fmt: skip


def now(value: Any, to_wall: Any) -> int:
    return moments.of_datetime(value)


def parameter(wall: int, moment: int, zoned: bool, digits: int) -> datetime:
    return moments.as_datetime(moment if zoned else wall)


def open_transactions(session: Session, *, writers: bool) -> Transactions | None:
    try:
        return frozenset(str(row[0]) for row in session.all(_TRANSACTIONS))
    except Exception as error:
        if "VIEW SERVER" in str(error) or "VIEW DATABASE" in str(error):
            return None
        raise
