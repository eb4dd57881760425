"""How MySQL is asked for rows that are read again: by their keys, waiting for the locks of the rows.

A change stands in the log a moment before others see it in the table; who locks the row sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cdc import reselect
from cdc.changes import Row
from cdc.errors import SourceError
from cdc.mysql.failures import numbered
from cdc.mysql.log_tables import Shape
from cdc.mysql.rows import Select
from cdc.mysql.server import Server, quoted
from cdc.mysql.snapshot_values import compile_snapshot_rows, snapshot_select
from cdc.schema import DECIMAL, Schema, decimal_text

_ROWS: Final = 500
_NO_LOCK: Final = frozenset((1044, 1142, 1143, 1205, 1213, 1227))
"""No right to lock, or another's lock for a second: then rows are read as they are seen."""


def asked(placeholder: str, connect: Callable[[], Server]) -> reselect.Server[Shape, Server]:
    """`connect` gives a connection whose session is that of a snapshot; `placeholder` stands for no value."""
    missing = frozenset((placeholder, placeholder.encode()))

    def connected() -> Server:
        server = connect()
        server.run("SET SESSION innodb_lock_wait_timeout = 1")
        return server

    return reselect.Server(
        connect=connected, lookup=Lookup, missing=lambda value: type(value) in (str, bytes) and value in missing
    )


class Lookup:
    """As `cdc.reselect.Lookup` says."""

    def __init__(self, shape: Shape, lacks: Sequence[int], by_event_key: bool) -> None:
        names = shape.envelope.key if by_event_key else shape.table.primary_key
        masks = shape.masks or (None,) * len(shape.columns)
        last = {column.name: i for i, column in enumerate(shape.columns)}
        self._key = tuple(last[name] for name in names if name in last)
        self._schemas = [schema for _, schema in (*shape.envelope.fields, *shape.envelope.key_only)]
        places = [*self._key, *lacks]
        columns = [shape.columns[i] for i in places]
        self._table = shape.table.id
        self._start = f"SELECT {snapshot_select(shape.table, columns)} FROM {quoted(*shape.table.id)} WHERE "
        self._keys = [quoted(shape.columns[i].name) for i in self._key]
        self._convert = compile_snapshot_rows(columns, shape.options, [masks[i] for i in places])

    def key(self, row: Row) -> Row:
        return tuple(row[i] for i in self._key)

    def run(self, connection: Server, keys: Sequence[Row]) -> dict[Row, Row]:
        """Raises: SourceUnavailable, SourceError."""
        server = connection
        wanted = [[self._literal(server, value, i) for value, i in zip(k, self._key, strict=True)] for k in keys]
        alternatives = " OR ".join(
            "(" + " AND ".join(f"{name} = {value}" for name, value in zip(self._keys, one, strict=True)) + ")"
            for one in wanted
        )
        try:
            return self._read(server, f"{self._start}{alternatives} LOCK IN SHARE MODE")
        except SourceError as error:
            if numbered(error.__cause__ or error)[0] not in _NO_LOCK:
                raise
            return self._read(server, self._start + alternatives)

    def _read(self, server: Server, sql: str) -> dict[Row, Row]:
        count = len(self._key)
        found: dict[Row, Row] = {}
        for raw in Select(server.connection, server.settings, sql).chunks(_ROWS):
            for row in self._convert(raw):
                found.setdefault(row[:count], row[count:])
        return found

    def _literal(self, server: Server, value: Any, place: int) -> str:
        schema: Schema = self._schemas[place]
        if isinstance(value, int) and schema.name == DECIMAL:
            value = decimal_text(value, schema.scale)
        return str(server.connection.escape(value))
