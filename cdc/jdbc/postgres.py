"""PostgreSQL by psycopg: a cursor of the server in binary, whose numbers and times need no objects of their own.

Source: pgJDBC's `TypeInfoCache` and `PgResultSetMetaData`; PostgreSQL's binary forms of its types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.numeric import Int4BinaryLoader, Int8BinaryLoader
from psycopg.types.string import TextBinaryLoader

from cdc.errors import DataError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind

if TYPE_CHECKING:
    from cdc.jdbc.session import Query, Session, Transactions

MARK: Final = "%s"
NOW: Final = "SELECT (EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000000)::bigint"
LACKING: Final = "run: GRANT pg_read_all_stats TO the connector's user"
_SINCE_2000: Final = 946_684_800_000_000
_DAYS_TO_2000: Final = 10_957
_ENDLESS: Final = (1 << 63) - 1
_INFINITE: Final = 9_223_372_036_825_200_000_000
"""What pgJDBC takes infinity for, in microseconds."""
_HEADER: Final = 4
_MANY_DIGITS: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
_BOOL, _BIT, _VARBIT, _NUMERIC, _MONEY = 16, 1560, 1562, 1700, 790
_SIMPLE: Final = {
    21: Kind.SMALLINT, 23: Kind.INTEGER, 20: Kind.BIGINT, 26: Kind.BIGINT, 700: Kind.REAL, 701: Kind.DOUBLE,
    18: Kind.TEXT, 19: Kind.TEXT, 25: Kind.TEXT, 705: Kind.TEXT, 1042: Kind.TEXT, 1043: Kind.TEXT, 142: Kind.TEXT,
    114: Kind.TEXT, 3802: Kind.TEXT, 17: Kind.BYTES, _BOOL: Kind.BOOLEAN,
}  # fmt: skip
_FORMED: Final = {
    2950: (Kind.TEXT, "str({x})"), _MONEY: (Kind.DOUBLE, "{x} / 100"),
    1082: (Kind.DATE, f"{{x}} + {_DAYS_TO_2000}"), 1083: (Kind.TIME, "{x}"), 1266: (Kind.TIME, "zoned_time({x})"),
    1114: (Kind.TIMESTAMP, f"({{x}} + {_SINCE_2000} if {{x}} < {_ENDLESS} else endless({{x}}))"),
    1184: (Kind.TIMESTAMP, f"({{x}} + {_SINCE_2000} if {{x}} < {_ENDLESS} else endless({{x}}))"),
}  # fmt: skip
_NULLABLE: Final = """SELECT a.attrelid::bigint, a.attnum::int,
  a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY(%s::oid[])"""
_ENUMS: Final = "SELECT oid::bigint, typname::text, typtype::text FROM pg_type WHERE oid = ANY(%s::oid[])"
_OTHERS: Final = """SELECT pid || ' ' || xact_start::text FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
  AND xact_start > now() - make_interval(secs => %s)"""
_YOUNG_S: Final = {True: 5, False: 60}
"""Transactions that have not written, and are not older, are waited for too: where only writers are asked for, because
one may have taken a number; else because it stamps rows with the time of its beginning."""


class JsonbLoader(Loader):
    """The text of a jsonb, after the byte that tells its version."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return bytes(data)[1:].decode()


class RawLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


_LOADERS: Final = {
    "timestamp": Int8BinaryLoader, "timestamptz": Int8BinaryLoader, "time": Int8BinaryLoader, "money": Int8BinaryLoader,
    "date": Int4BinaryLoader, "json": TextBinaryLoader, "xml": TextBinaryLoader, "jsonb": JsonbLoader,
    "timetz": RawLoader, "bit": RawLoader, "varbit": RawLoader,
}  # fmt: skip


def _whole(value: Decimal) -> int:
    """Of a numeric that was declared without digits. Raises: DataError: NaN, or digits after the point."""
    if not value.is_finite():
        raise DataError(f"{value}, which is no decimal number")
    if value != value.to_integral_value():
        raise DataError("digits after the point, and its type tells no scale; run: ALTER TABLE … ALTER COLUMN … TYPE "
                        "numeric(38, 10)")  # fmt: skip
    return int(value)


def _bit_text(raw: bytes) -> str:
    count = int.from_bytes(raw[:_HEADER], "big")
    return "".join(f"{byte:08b}" for byte in raw[_HEADER:])[:count]


def _zoned_time(raw: bytes) -> int:
    """The time on UTC's clocks: microseconds of the day, then seconds west of UTC."""
    west = int.from_bytes(raw[8:12], "big", signed=True)
    return (int.from_bytes(raw[:8], "big") + west * moments.SECOND) % moments.DAY_MICROS


FUNCTIONS: Final[Mapping[str, Any]] = {
    "many_digits": _MANY_DIGITS, "whole": _whole, "bit_text": _bit_text, "zoned_time": _zoned_time,
    "endless": lambda value: _INFINITE,
}  # fmt: skip


def begin(raw: Any, isolation: str) -> None:
    raw.autocommit = True
    raw.tailrace_begin = "BEGIN" if isolation == "DEFAULT" else f"BEGIN ISOLATION LEVEL {isolation.replace('_', ' ')}"
    for name, loader in _LOADERS.items():
        raw.adapters.register_loader(name, loader)


def cursor(raw: Any) -> Any:
    raw.execute(raw.tailrace_begin)
    return raw.cursor(name="tailrace", binary=True)


def ended(raw: Any, cursor: Any, *, whole: bool) -> None:
    if not raw.closed:
        cursor.close()
        raw.execute("COMMIT")


def columns(session: Session, cursor: Any, query: Query, rows: Sequence[Any]) -> list[Column]:
    result = cursor.pgresult
    places = range(result.nfields)
    tables = sorted({result.ftable(at) for at in places} - {0})
    known = {(table, number): required for table, number, required in session.all(_NULLABLE, (tables,))}
    strange = sorted({result.ftype(at) for at in places} - {*_SIMPLE, *_FORMED})
    named = {oid: (name, kind) for oid, name, kind in session.all(_ENUMS, (strange,))} if strange else {}
    return [
        column(
            result.fname(at).decode(), result.ftype(at), result.fmod(at),
            not known.get((result.ftable(at), result.ftablecol(at)), False), named.get(result.ftype(at), ("", "b")),
        )
        for at in places
    ]  # fmt: skip


def column(name: str, oid: int, modifier: int, nullable: bool, named: tuple[str, str]) -> Column:
    """`named`: its type's name and typtype, for a type that is not built in here."""
    length = modifier - _HEADER
    if oid in _SIMPLE:
        return Column(name, _SIMPLE[oid], nullable, type_name=named[0])
    if oid in _FORMED:
        kind, form = _FORMED[oid]
        digits = modifier if 0 <= modifier < 6 else 6
        return Column(name, kind, nullable, form=form, zoned=oid == 1184, digits=digits, type_name=named[0])
    if oid == _NUMERIC:
        if modifier < _HEADER:
            return Column(name, Kind.NUMERIC, nullable, form="whole({x})", type_name="numeric")
        precision, scale = length >> 16, ((length & 0x7FF) ^ 1024) - 1024
        return Column(name, Kind.NUMERIC, nullable, precision, scale, form=f"int({{x}}.scaleb({scale}, many_digits))",
                      type_name="numeric")  # fmt: skip
    if oid == _BIT and modifier <= 1:
        return Column(name, Kind.BOOLEAN, nullable, form="bit_text({x}) == '1'", type_name="bit")
    if oid == _BIT and modifier <= 8:
        return Column(name, Kind.BIT, nullable, form="int(bit_text({x}))", type_name="bit")
    if oid in (_BIT, _VARBIT):
        return Column(name, Kind.BYTES, nullable, form="bit_text({x}).encode()", type_name="bit")
    if named[1] == "e":
        return Column(name, Kind.TEXT, nullable, form="{x}.decode()", type_name=named[0])
    return Column(name, Kind.OTHER, nullable, type_name=named[0])


def now(value: Any, to_wall: Any) -> int:
    return int(to_wall(value)) if to_wall else int(value)


def parameter(wall: int, moment: int, zoned: bool, digits: int) -> str:
    """A column without a zone takes the wall clock alone; one with a zone is told that it is UTC's."""
    return f"{moments.text(moment)}+00" if zoned else moments.text(wall)


def open_transactions(session: Session, *, writers: bool) -> Transactions | None:
    """Numbers of those that write, and sessions of the young others, as far as the user may see them."""
    found = {str(row[0]) for row in session.all("SELECT pg_snapshot_xip(pg_current_snapshot())::text")}
    return frozenset(found | {str(row[0]) for row in session.all(_OTHERS, (_YOUNG_S[writers],))})
