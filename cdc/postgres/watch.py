"""PostgreSQL's tables as incremental snapshots read them: the server's shapes, LSNs or a table for watermarks.

See `cdc.watch`. A chunk that is read without writing (`read.only`) is sent when the WAL has been read up to where the
server wrote when the chunk was there: whatever the chunk may have seen stands before that. Debezium compares numbers of
transactions instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc import incremental
from cdc.errors import ConversionError, DecodeError, SourceError
from cdc.java.objects import Key
from cdc.postgres import catalog, copy_rows
from cdc.postgres.capture import Capture, Shape
from cdc.postgres.catalog import PgColumn, Types
from cdc.postgres.chunk_keys import key_of, literals
from cdc.postgres.copy_out import Copy, copy_out
from cdc.postgres.offset import lsn_of
from cdc.postgres.source_info import SourceInfo
from cdc.postgres.wire import Session, quoted
from cdc.record import Batch
from cdc.table import TableId
from cdc.watched import Chunk, KeyOf, Place, Row, Steps, key_names
from cdc.watermarks import Watermarks

_LOCK_WAIT: Final = "5s"
_MOMENT: Final = """SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn()
  END)::text"""
_PAGE: Final = 8192
_PAGE_HEADERS: Final = (24, 40)
"""Of a page of the WAL, of the first page of a file: no record ends there."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What PostgreSQL's tables are read with.

    Attributes:
        capture: shapes as snapshots read them.
        ask: a session for the catalog; `open` makes one for chunks.
        user: who must be allowed to write watermarks.
    """

    capture: Capture
    types: Types
    ask: Session
    open: Callable[[], Session]
    user: str


class PgTables:
    """See `cdc.watch.Tables`."""

    def __init__(self, context: Context, place: Place) -> None:
        self._context, self._place = context, place
        self._watermarks = Watermarks()
        self._session: Session | None = None
        self._copy: Copy | None = None
        self._shapes: dict[TableId, Shape | None] = {}

    unprepared: Final = (
        "an incremental snapshot needs a place for its watermarks: name a table in signal.data.collection, or set "
        "read.only=true"
    )
    unmarked: Final = "read.only=true needs a server that tells LSNs"

    def unwritable(self, error: SourceError) -> str:
        table = f"{quoted(self._signals.database)}.{quoted(self._signals.name)}"
        return (
            f"a watermark cannot be written into {self._signals}: {error}; run: GRANT INSERT, DELETE ON {table} TO "
            f"{quoted(self._context.user)}, or set read.only=true"
        )

    @property
    def _signals(self) -> TableId:
        return next(iter(self._context.capture.signals), TableId("", "the signal table"))

    def offset(self) -> Mapping[str, Any]:
        offset: Mapping[str, Any] = self._place.position().to_offset()
        return offset

    def source(self, now_ns: int, id: TableId) -> Row:
        source: SourceInfo = self._place.source(now_ns // 1000, id.database, id.name)
        return source._replace(
            snapshot="incremental", ts_ns=now_ns, tx_id=None, lsn=None, xmin=None, origin=None, origin_lsn=None
        )

    # What is known of tables

    def known(self) -> list[str]:
        return [str(table.id) for table in catalog.captured(self._context.ask, self._context.capture)]

    def find(self, name: str) -> TableId:
        return TableId(*(part.strip('"') for part in (*name.split(".", 1), "")[:2]))

    def refresh(self, id: TableId) -> None:
        self._shapes.pop(id, None)

    def shape(self, id: TableId) -> Shape | None:
        if id not in self._shapes:
            ask = self._context.ask
            tables = catalog.captured(ask, self._context.capture)
            oid = next((table.oid for table in tables if table.id == id), None)
            self._shapes[id] = None if oid is None else self._described(ask, oid, id)
        return self._shapes[id]

    def _described(self, ask: Session, oid: int, id: TableId) -> Shape:
        return self._context.capture.shape(catalog.described(ask, self._context.types, oid, id))

    def defined(self, id: TableId) -> list[Batch]:
        return []

    def define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> list[Batch]:
        raise ValueError("there is no schema history to write it into: the WAL itself describes its tables")

    def keys(self, shape: Shape, surrogate: str | None) -> Sequence[PgColumn]:
        columns = {column.name: column for column in shape.table.columns}
        names: Sequence[str] = [surrogate] if surrogate else key_names(shape)
        if any(name not in columns for name in names):
            raise SourceError(f"{shape.table.id} has no column {surrogate!r} to serve as surrogate key")
        return [columns[name] for name in names]

    def key_reader(self, columns: Sequence[PgColumn], surrogate: str | None, key: Sequence[str]) -> KeyOf | None:
        names = list(key) or ([surrogate] if surrogate else [])
        places = {column.name: place for place, column in enumerate(columns)}
        if not names or not all(name in places for name in names):
            return None
        found: KeyOf = eval(f"lambda row: ({''.join(f'row[{places[name]}], ' for name in names)})")
        return found

    # What the server is asked

    def _open(self) -> Session:
        if self._session is None:
            session = self._context.open()
            session.rows(f"SET lock_timeout = '{_LOCK_WAIT}'")
            session.rows("SET statement_timeout = 0")
            self._session = session
        return self._session

    def open_window(self, id: str) -> None:
        self._insert(self._watermarks.opening(id))

    def close_window(self, id: str, *, by_delete: bool) -> None:
        if not by_delete:
            self._insert(self._watermarks.closing(id))
            return
        table = f"{quoted(self._signals.database)}.{quoted(self._signals.name)}"
        ((first,),) = self._open().rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum LIMIT 1",
            (table,),
        )
        self._open().rows(f"DELETE FROM {table} WHERE {quoted(first)} = %s", (f"{id}-open",))

    def _insert(self, row: tuple[str, str, str]) -> None:
        table = f"{quoted(self._signals.database)}.{quoted(self._signals.name)}"
        self._open().rows(f"INSERT INTO {table} VALUES (%s, %s, %s)", row)

    def moment(self) -> int:
        """Where the WAL ends."""
        ((text,),) = self._open().rows(_MOMENT)
        lsn = lsn_of(text)
        return lsn - lsn % _PAGE if lsn % _PAGE in _PAGE_HEADERS else lsn

    def reached(self, low: int, high: int) -> bool:
        done: int = self._place.done()
        return done >= high

    def greatest(self, chunk: Chunk) -> Steps:
        keys = ", ".join(quoted(column.name) for column in chunk.keys)
        order = ", ".join(f"{quoted(c.name)} DESC{' NULLS LAST' if c.optional else ''}" for c in chunk.keys)
        where = f" WHERE {chunk.collection.condition}" if chunk.collection.condition else ""
        return self._rows(f"SELECT {keys} FROM {_name(chunk)}{where} ORDER BY {order} LIMIT 1")

    def rows(self, chunk: Chunk, limit: int) -> Steps:
        """The texts of the key stand after those of the table's columns."""
        columns = [(quoted(column.name), column.optional) for column in chunk.keys]
        conditions = []
        if chunk.after is not None and chunk.upto is not None:
            types = self._context.types
            conditions.append(incremental.above(columns, literals(chunk.keys, chunk.after, types)))
            conditions.append(incremental.up_to(columns, literals(chunk.keys, chunk.upto, types)))
        if chunk.collection.condition:
            conditions.append(chunk.collection.condition)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(f"{name}{' NULLS FIRST' if optional else ''}" for name, optional in columns)
        keys = ", ".join(name for name, _ in columns)
        return self._rows(f"{chunk.shape.selected}, {keys} FROM {_name(chunk)}{where} ORDER BY {order} LIMIT {limit}")

    def _rows(self, select: str) -> Steps:
        """Raises: SourceUnavailable; SourceError: the server refuses the statement."""
        found: list[list[str | None]] = []
        session = self._open()
        self._copy = copy_out(session, select, is_bare=session.is_bare)
        try:
            for lines in self._copy.chunks(1 << 20):
                found += copy_rows.values(lines.decode())
                yield
        finally:
            self._copy = None
        return found

    def key_in(self, chunk: Chunk, row: Sequence[str | None]) -> Key:
        return key_of(chunk.keys, row[-len(chunk.keys) :], self._context.types)

    def converted(self, chunk: Chunk, rows: Sequence[Sequence[str | None]]) -> Sequence[Row]:
        width = len(chunk.keys)
        try:
            return [chunk.shape.row(list(row[:-width])) for row in rows]
        except ConversionError as error:
            raise DecodeError(str(error)) from error

    def estimate(self, id: TableId) -> int:
        tables = catalog.captured(self._context.ask, self._context.capture)
        return next((max(0, table.estimate) for table in tables if table.id == id), 0)

    def wait(self, seconds: float) -> None:
        if self._copy is not None:
            self._copy.patience = seconds

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._copy = None


def _name(chunk: Chunk) -> str:
    return f"{quoted(chunk.id.database)}.{quoted(chunk.id.name)}"
