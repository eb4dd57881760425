"""SQLite by Python's own driver: kinds by the declared types of a table, as Xerial's driver has them.

Values of a column may be of any type in SQLite; a column of a query without a declaration goes by its first value.
Source: sqlite-jdbc's `JDBC3ResultSet.getColumnType`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from cdc.errors import DataError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind

if TYPE_CHECKING:
    from cdc.jdbc.session import Query, Session, Transactions

MARK: Final = "?"
NOW: Final = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
LACKING: Final = ""
_NUMBERED: Final = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_KINDS: Final = {
    "BOOLEAN": Kind.BOOLEAN, "TINYINT": Kind.TINYINT, "SMALLINT": Kind.SMALLINT, "INT2": Kind.SMALLINT,
    "BIGINT": Kind.BIGINT, "INT8": Kind.BIGINT, "UNSIGNED BIG INT": Kind.BIGINT, "INT": Kind.INTEGER,
    "INTEGER": Kind.INTEGER, "MEDIUMINT": Kind.INTEGER, "DATE": Kind.DATE, "DATETIME": Kind.TIMESTAMP,
    "TIMESTAMP": Kind.TIMESTAMP, "DECIMAL": Kind.DECIMAL, "NUMERIC": Kind.NUMERIC, "DOUBLE": Kind.DOUBLE,
    "DOUBLE PRECISION": Kind.DOUBLE, "FLOAT": Kind.DOUBLE, "REAL": Kind.REAL, "BLOB": Kind.BYTES,
    "BINARY": Kind.BYTES, "VARBINARY": Kind.BYTES,
}  # fmt: skip
_OF_VALUES: Final = {int: Kind.INTEGER, float: Kind.DOUBLE, bytes: Kind.BYTES}
_FORMS: Final = {
    Kind.BOOLEAN: "bool({x})", Kind.DATE: "sqlite_day({x})", Kind.TIMESTAMP: "sqlite_wall({x})", Kind.TEXT: "text({x})",
    Kind.REAL: "float({x})", Kind.DOUBLE: "float({x})", Kind.BYTES: "as_bytes({x})", Kind.TINYINT: "number({x})",
    Kind.SMALLINT: "number({x})", Kind.INTEGER: "number({x})", Kind.BIGINT: "number({x})",
}  # fmt: skip


def _wall(value: Any) -> int:
    """A text, or milliseconds since 1970."""
    if isinstance(value, str):
        return moments.wall(value)
    micros: int = round(value * 1000)
    return micros


def _day(value: Any) -> int:
    return moments.day(value[:10]) if isinstance(value, str) else int(value) // 86_400_000


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise DataError("a value that is no whole number")
    return value


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _unscaled(value: Any, scale: int) -> int:
    text = f"{Decimal(str(value)):f}"
    whole, _, fraction = text.partition(".")
    if fraction[scale:].strip("0"):
        raise DataError("more digits after the point than its type declares")
    return int(whole + fraction[:scale].ljust(scale, "0"))


FUNCTIONS: Final[Mapping[str, Any]] = {
    "dynamic": True, "sqlite_wall": _wall, "sqlite_day": _day, "number": _number, "text": _text, "as_bytes": _bytes,
    "unscaled": _unscaled,
}  # fmt: skip


def begin(raw: Any, isolation: str) -> None:
    raw.isolation_level = None
    if isolation == "READ_UNCOMMITTED":
        raw.execute("PRAGMA read_uncommitted = 1")


def cursor(raw: Any) -> Any:
    return raw.cursor()


def ended(raw: Any, cursor: Any, *, whole: bool) -> None:
    cursor.close()


def columns(session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> list[Column]:
    names = [each[0] for each in cursor.description]
    if query.table is None:
        view = _view(session, query.base)
        types = [kind for _, _, kind, *_ in session.all(f"PRAGMA table_info({view})")]
        return [column(name, types[at], False, rows=rows, at=at) for at, name in enumerate(names)]
    info = session.all(f"PRAGMA table_info({session.database.dialect.quote(query.table.name)})")
    declared = {name: (kind, bool(required)) for _, name, kind, required, _, key in info}
    return [column(name, *declared.get(name, ("", False)), rows=rows, at=at) for at, name in enumerate(names)]


def _view(session: Session, text: str) -> str:
    """A view of this connection alone, which tells the declared types of a query's columns."""
    name = f"tailrace_{crc32(text.encode())}"
    session.all(f"CREATE TEMP VIEW IF NOT EXISTS {name} AS {text.rstrip().rstrip(';')}")
    return name


def column(name: str, declared: str, required: bool, *, rows: Sequence[Any], at: int) -> Column:
    """`rows`: what was just fetched; whole numbers wider than JDBC's INTEGER make the column a BIGINT."""
    kind = _KINDS.get(_NUMBERED.sub("", declared).strip().upper(), Kind.TEXT)
    found = _NUMBERED.search(declared)
    precision, scale = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    if not declared:
        first = next((row[at] for row in rows if row[at] is not None), None)
        kind = _OF_VALUES.get(type(first), Kind.TEXT)
    if kind is Kind.INTEGER and any(type(row[at]) is int and not -(2**31) <= row[at] < 2**31 for row in rows):
        kind = Kind.BIGINT
    if kind in (Kind.DECIMAL, Kind.NUMERIC) and found is None:
        kind = Kind.DOUBLE
    form = _FORMS.get(kind, f"unscaled({{x}}, {scale})")
    return Column(name, kind, not required, precision, scale, form=form, type_name=declared)


def now(value: Any, to_wall: Any) -> int:
    """SQLite's clock is UTC's."""
    found = moments.wall(value)
    return int(to_wall(found)) if to_wall else found


def parameter(wall: int, moment: int, zoned: bool, digits: int) -> Any:
    """`digits` as the column's texts have them, for they compare as texts; below 0: milliseconds since 1970."""
    return moment // 1000 if digits < 0 else moments.text(wall, digits)


def open_transactions(session: Session, *, writers: bool) -> Transactions | None:
    """One session writes at a time, and nobody reads what it has not committed: nothing comes out of order."""
    return frozenset()
