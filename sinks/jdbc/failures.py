"""What an error of a database driver means for the rows that were being written."""

from __future__ import annotations

from enum import Enum
from typing import Final

from cdc.database import is_away, is_conflict


class Meaning(Enum):
    AWAY = "the database is away, full, or takes no writes: wait"
    CONFLICT = "another transaction was preferred: do it again"
    ROW = "a row that the database refuses, whenever it comes"
    OTHER = "the statement cannot be run: table, columns or rights are not as they must be"


_WAITING_MYSQL: Final = (1021, 1114, 1290, 1836, 1792)
"""Disk or table full; the server is read-only, as after a failover."""
_WAITING_STATES: Final = ("25006", "57014")
_ROW_STATES: Final = ("22", "23", "44", "P0001", "21000", "54000")
_ROW_MYSQL: Final = (
    1048, 1062, 1136, 1153, 1169, 1216, 1217, 1264, 1265, 1292, 1300, 1364, 1365, 1366, 1367, 1406, 1411, 1416, 1422,
    1451, 1452, 1526, 1557, 1586, 1644, 1690, 1748, 3140, 3141, 3144, 3146, 3155, 3156, 3157, 3158, 3614, 3616, 3617,
    3819, 4025, 4038,
)  # fmt: skip
"""Nulls, duplicates, ranges, lengths, foreign keys, checks, JSON, shapes, and what a trigger refuses."""
_ROW_SQLSERVER: Final = (220, 232, 241, 242, 245, 515, 547, 2601, 2627, 2628, 8115, 8152, 8114)
_ROW_ORACLE: Final = (
    "ORA-00001", "ORA-01400", "ORA-01407", "ORA-01438", "ORA-01722", "ORA-01830", "ORA-01840", "ORA-01858",
    "ORA-01861", "ORA-02290", "ORA-02291", "ORA-02292", "ORA-12899", "ORA-01426", "ORA-02001",
)  # fmt: skip
_UNFIT: Final = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""A conversion did not find what the schema promised, or a driver cannot bind it."""


def meaning(error: Exception) -> Meaning:
    if is_conflict(error):
        return Meaning.CONFLICT
    if is_away(error):
        return Meaning.AWAY
    cause = getattr(error, "orig", None) or error
    module = type(cause).__module__.partition(".")[0]
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    match module:
        case "pymysql":
            return _mysql(cause, number)
        case "psycopg":
            return _postgresql(cause)
        case "sqlite3":
            return _sqlite(cause)
        case "oracledb":
            return Meaning.ROW if any(code in str(cause) for code in _ROW_ORACLE) else Meaning.OTHER
        case "pymssql":
            return Meaning.ROW if number in _ROW_SQLSERVER else Meaning.OTHER
    return Meaning.ROW if isinstance(cause, _UNFIT) else Meaning.OTHER


def _mysql(cause: BaseException, number: int | None) -> Meaning:
    if number in _WAITING_MYSQL or type(cause).__name__ == "InterfaceError":
        return Meaning.AWAY
    return Meaning.ROW if number in _ROW_MYSQL or type(cause).__name__ == "DataError" else Meaning.OTHER


def _postgresql(cause: BaseException) -> Meaning:
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # Errors without a state come from the client: the connection, or a value it cannot send.
        return Meaning.AWAY if type(cause).__name__ == "OperationalError" else Meaning.ROW
    if state in _WAITING_STATES:
        return Meaning.AWAY
    return Meaning.ROW if state.startswith(_ROW_STATES) else Meaning.OTHER


def _sqlite(cause: BaseException) -> Meaning:
    if "full" in str(cause) or "readonly" in str(cause):
        return Meaning.AWAY
    kinds = ("IntegrityError", "DataError", "InterfaceError", "ProgrammingError")
    return Meaning.ROW if type(cause).__name__ in kinds else Meaning.OTHER
