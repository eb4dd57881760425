"""The SQL of an incremental snapshot: watermarks written, chunks read, a step at a time so that the log never waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pymysql.converters import escape_string

from cdc import incremental
from cdc.errors import SourceError
from cdc.java.objects import Key
from cdc.mysql import wire
from cdc.mysql.capture import Shape
from cdc.mysql.chunk_keys import expression, key_of, literals
from cdc.mysql.offset import Gtids, gtids_of
from cdc.mysql.rows import RawRow, Select
from cdc.mysql.server import Server, quoted
from cdc.table import Column, TableId
from cdc.watched import Chunk, Steps, key_names
from cdc.watermarks import Watermarks

_LOCK_WAIT_SECONDS: Final = 5
_ANSWER_SECONDS: Final = 60


class Chunks:
    """A connection for the watermarks and chunks of one connector, open while a snapshot runs."""

    def __init__(self, settings: wire.Settings, initial_statements: Callable[[Server], None]) -> None:
        self._settings, self._initial_statements = settings, initial_statements
        self._watermarks = Watermarks()
        self._server: Server | None = None
        self._select: Select | None = None

    @property
    def server(self) -> Server:
        """Raises: SourceUnavailable, SourceError."""
        if self._server is None:
            server = Server(self._settings, read_timeout=_ANSWER_SECONDS)
            try:
                self._initial_statements(server)
                server.run(
                    "SET SESSION sql_mode = '', time_zone = '+00:00', wait_timeout = 28800, "
                    f"lock_wait_timeout = {_LOCK_WAIT_SECONDS}, innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}"
                )
            except BaseException:
                server.close()
                raise
            self._server = server
        return self._server

    def close(self) -> None:
        """An answer that is on its way is not waited for."""
        if self._server is not None:
            self._server.close()
        self._server = self._select = None

    def wait(self, seconds: float) -> None:
        """How long a step may wait for the server."""
        if self._select is not None:
            self._select.patience = seconds

    # Watermarks

    def open_window(self, signals: TableId, id: str) -> None:
        """Raises: SourceUnavailable, SourceError: the row cannot be inserted."""
        self._insert(signals, *self._watermarks.opening(id))

    def close_window(self, signals: TableId, id: str, *, by_delete: bool) -> None:
        if by_delete:
            name = self.server.run(
                f"SELECT column_name FROM information_schema.columns WHERE table_schema = {_text(signals.database)} "
                f"AND table_name = {_text(signals.name)} AND ordinal_position = 1"
            )[0][0]
            self.server.run(f"DELETE FROM {quoted(*signals)} WHERE {quoted(name)} = {_text(f'{id}-open')}")
            return
        self._insert(signals, *self._watermarks.closing(id))

    def _insert(self, signals: TableId, *values: str) -> None:
        self.server.run(f"INSERT INTO {quoted(*signals)} VALUES ({', '.join(map(_text, values))})")

    def executed(self) -> Gtids:
        """The transactions that the server has committed."""
        return gtids_of(self.server.position().gtids or "")

    # Rows

    def greatest(self, chunk: Chunk) -> Steps:
        """The row of the greatest key, or none."""
        keys = ", ".join(map(expression, chunk.keys))
        order = ", ".join(f"{_name(column)} DESC" for column in chunk.keys)
        where = f" WHERE {chunk.collection.condition}" if chunk.collection.condition else ""
        return self._rows(f"SELECT {keys} FROM {quoted(*chunk.shape.table.id)}{where} ORDER BY {order} LIMIT 1")

    def rows(self, chunk: Chunk, limit: int) -> Steps:
        """The next rows; the texts of the key stand after those of `chunk.shape.columns`."""
        keys = ", ".join(map(expression, chunk.keys))
        conditions = []
        columns = [(_name(column), column.optional) for column in chunk.keys]
        if chunk.after is not None and chunk.upto is not None:
            conditions.append(incremental.above(columns, literals(chunk.keys, chunk.after)))
            conditions.append(incremental.up_to(columns, literals(chunk.keys, chunk.upto)))
        if chunk.collection.condition:
            conditions.append(chunk.collection.condition)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(name for name, _ in columns)
        return self._rows(
            f"SELECT {chunk.shape.select_list}, {keys} FROM {quoted(*chunk.shape.table.id)}{where} "
            f"ORDER BY {order} LIMIT {limit}"
        )

    def _rows(self, sql: str) -> Steps:
        """Raises: SourceUnavailable; SourceError: the server refuses the statement."""
        found: list[RawRow] = []
        self._select = Select(self.server.connection, self._settings, sql)
        try:
            for part in self._select.chunks(1 << 20):
                found += part
                yield
        finally:
            self._select = None
        return found


def key_in(chunk: Chunk, row: RawRow) -> Key:
    """The key that stands at the end of a selected row."""
    return key_of(chunk.keys, row[-len(chunk.keys) :])


def can_write(error: SourceError, signals: TableId, user: str) -> str:
    """What to do when a watermark cannot be written."""
    return (
        f"a watermark cannot be written into {signals}: {error}; run: GRANT INSERT, DELETE ON {quoted(*signals)} "
        f"TO '{user}', or set read.only=true (with gtid_mode=ON)"
    )


def _name(column: Column) -> str:
    return quoted(column.name)


def _text(text: str) -> str:
    return f"'{escape_string(text)}'"


def known_keys(shape: Shape, surrogate: str | None) -> tuple[Column, ...]:
    """The columns to read a table by: the surrogate, or those of its records' key.

    Raises: SourceError: the table has no such column.
    """
    table = shape.table
    names: Sequence[str] = [surrogate] if surrogate else key_names(shape)
    found = [table.column(name) for name in names]
    if None in found:
        raise SourceError(f"{table.id} has no column {surrogate!r} to serve as surrogate key")
    return tuple(column for column in found if column is not None)
