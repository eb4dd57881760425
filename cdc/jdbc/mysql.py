"""MySQL and MariaDB by PyMySQL: text of the protocol, as Connector/J's and MariaDB's drivers type it.

Source: Connector/J's `MysqlType` and `NativeProtocol.findMysqlType`; MariaDB Connector/J's `client/column`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pymysql.constants import FIELD_TYPE as F
from pymysql.constants import FLAG
from pymysql.cursors import SSCursor

from cdc.errors import DataError, SourceError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind

if TYPE_CHECKING:
    from cdc.jdbc.session import Query, Session, Transactions

MARK: Final = "%s"
NOW: Final = "SELECT CURRENT_TIMESTAMP(6)"
LACKING: Final = "run: GRANT PROCESS ON *.* TO the connector's user"
_WRITERS: Final = 1 << 48
"""InnoDB's numbers from here on are of transactions that have not written."""
_STATUS: Final = "SHOW ENGINE INNODB STATUS"
"""information_schema.innodb_trx stands still for as long as anybody reads it ten times a second."""
_ACTIVE: Final = re.compile(r"^---TRANSACTION (\d+), ACTIVE", re.MULTILINE)
_BINARY: Final = 63
_NO_DIGITS: Final = 31
_WHOLE: Final = {
    F.TINY: Kind.TINYINT, F.SHORT: Kind.SMALLINT, F.INT24: Kind.INTEGER, F.LONG: Kind.INTEGER,
    F.LONGLONG: Kind.BIGINT,
}  # fmt: skip
_TEXTS: Final = (F.VARCHAR, F.VAR_STRING, F.STRING, F.ENUM, F.SET, F.TINY_BLOB, F.MEDIUM_BLOB, F.LONG_BLOB, F.BLOB)
_DECODERS: Final[Mapping[int, Callable[[str], Any]]] = {
    **dict.fromkeys((*_WHOLE, F.YEAR), int), F.FLOAT: float, F.DOUBLE: float,
}  # fmt: skip
_ZERO: Final = "0000-00-00"


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _zero_rounded(text: str) -> int:
    return moments.wall("0001-01-01 00:00:00" if text.startswith(_ZERO) else text)


def _unscaled(text: str) -> int:
    return int(text.replace(".", "", 1))


def _year(value: int) -> int:
    if not value:
        raise DataError("the year 0000, which is no date")
    return moments.day(f"{value:04}-01-01")


FUNCTIONS: Final[Mapping[str, Any]] = {
    "bits": _bits, "unscaled": _unscaled, "wall": moments.wall, "day": moments.day, "clock": moments.clock,
    "year": _year, "wall_rounded": _zero_rounded,
}  # fmt: skip


def begin(raw: Any, isolation: str) -> None:
    raw.autocommit(True)
    raw.decoders = dict(_DECODERS)
    if isolation != "DEFAULT":
        with raw.cursor() as cursor:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation.replace('_', ' ')}")


def cursor(raw: Any) -> Any:
    return raw.cursor(SSCursor)


def ended(raw: Any, cursor: Any, *, whole: bool) -> None:
    """The driver would read the rest of the rows to its end; a connection that stands in them is not used again."""
    if whole:
        cursor.close()


def columns(session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> list[Column]:
    parameters = {name.lower(): text.lower() for name, text in session.database.url.parameters.items()}
    maria = session.database.kind == "mariadb"
    return [column(field, parameters, maria=maria) for field in cursor._result.fields]


def column(field: Any, parameters: Mapping[str, str], *, maria: bool) -> Column:
    """From a field packet: name, type_code, flags, length, scale (decimals) and charsetnr."""
    code, unsigned = field.type_code, bool(field.flags & FLAG.UNSIGNED)
    kind, form = _kind(field, parameters, maria=maria)
    zeros = parameters.get("zerodatetimebehavior") in ("convert_to_null", "converttonull")
    precision = field.length - (field.scale > 0) - (not unsigned) if kind is Kind.DECIMAL else 0
    return Column(
        field.name,
        kind,
        nullable=not field.flags & FLAG.NOT_NULL,
        precision=precision,
        scale=field.scale if kind is Kind.DECIMAL else 0,
        signed=not unsigned,
        form=form,
        null=f"{{x}}[:10] == '{_ZERO}'" if zeros and kind in (Kind.DATE, Kind.TIMESTAMP) and code != F.YEAR else "",
        digits=0 if field.scale >= _NO_DIGITS else field.scale,
        type_name=_name(code),
    )


def _name(code: int) -> str:
    return next((name for name, number in vars(F).items() if number == code and name != "CHAR"), str(code))


def _kind(field: Any, parameters: Mapping[str, str], *, maria: bool) -> tuple[Kind, str]:
    code, unsigned = field.type_code, bool(field.flags & FLAG.UNSIGNED)
    boolean = parameters.get("transformedbitisboolean", "true" if maria else "false") == "true"
    if code == F.TINY and field.length == 1 and (maria or not unsigned):
        if parameters.get("tinyint1isbit", "true") != "true":
            return Kind.TINYINT, "{x}"
        return (Kind.BOOLEAN, "{x} != 0") if boolean else (Kind.BIT, "{x}")
    if code in _WHOLE:
        return _WHOLE[code], "{x}"
    if code == F.BIT:
        return (Kind.BOOLEAN, "bits({x}) != 0") if maria and boolean and field.length == 1 else (Kind.BIT, "bits({x})")
    if code in (F.DECIMAL, F.NEWDECIMAL):
        return Kind.DECIMAL, "unscaled({x})"
    if code in (F.DATETIME, F.TIMESTAMP):
        rounded = parameters.get("zerodatetimebehavior") == "round"
        return Kind.TIMESTAMP, "wall_rounded({x})" if rounded else "wall({x})"
    if code in _TEXTS:
        return (Kind.BYTES if field.charsetnr == _BINARY else Kind.TEXT), "{x}"
    if code == F.YEAR and parameters.get("yearisdatetype", "true") != "true":
        return Kind.SMALLINT, "{x}"
    return {
        F.FLOAT: (Kind.REAL, "{x}"), F.DOUBLE: (Kind.DOUBLE, "{x}"), F.DATE: (Kind.DATE, "day({x})"),
        F.NEWDATE: (Kind.DATE, "day({x})"), F.TIME: (Kind.TIME, "clock({x})"), F.YEAR: (Kind.DATE, "year({x})"),
        F.JSON: (Kind.TEXT, "{x}"), F.GEOMETRY: (Kind.BYTES, "{x}"),
    }.get(code, (Kind.OTHER, "{x}"))  # fmt: skip


def now(value: Any, to_wall: Any) -> int:
    return moments.wall(value)


def parameter(wall: int, moment: int, zoned: bool, digits: int) -> str:
    return moments.text(wall)


def open_transactions(session: Session, *, writers: bool) -> Transactions | None:
    """All that have written: who has not will stamp its rows later, for NOW() is when a statement begins."""
    try:
        ((_, _, status),) = session.all(_STATUS)
    except SourceError as error:
        if "PROCESS" in str(error):
            return None
        raise
    return active(status)


def active(status: str) -> Transactions | None:
    """Those that have written, from the text of the status; None when it was too long to be told whole."""
    if "truncated..." in status:
        return None
    return frozenset(number for number in _ACTIVE.findall(status) if int(number) < _WRITERS)
