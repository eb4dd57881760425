"""Rows to one table in as few statements as its database allows; made once per table and columns.

PostgreSQL: COPY into a temporary table, then one statement from there; MySQL and MariaDB: statements of many rows,
their literals written here; other databases: their driver's `executemany`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Final, Protocol

from sinks.jdbc.rows import COPY, MYSQL, Place, Row, text_writer, tuple_writer
from sinks.jdbc.settings import Settings
from sinks.jdbc.statements import Names, Statements, Table

Key = tuple[Any, ...]
_NUMBERS: Final = count(1)
_NO_ROW: Final[tuple[Any, ...]] = ()


class Writer(Protocol):
    """Writes by the cursor it is given, within a transaction that others begin and end."""

    def prepare(self, cursor: Any) -> None:
        """Before the first use on a connection."""

    def write(self, cursor: Any, rows: Sequence[Row]) -> None:
        """As `insert.mode` says."""

    def change(self, cursor: Any, rows: Sequence[Row]) -> None:
        """Sets these columns of rows that are there; rows that are not are inserted, but for `insert.mode=update`."""

    def delete(self, cursor: Any, keys: Sequence[Key]) -> None: ...


def writer(names: Names, table: Table, keys: Sequence[Place], others: Sequence[Place], settings: Settings) -> Writer:
    kind: Any = {"postgresql": _PostgreSql, "mysql": _MySql}.get(names.database, _Driver)
    made: Writer = kind(Statements(names, table, keys, others), keys, others, settings)
    return made


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _between(places: Sequence[Place], separator: str) -> list[str | Place]:
    parts: list[str | Place] = []
    for place in places:
        parts += [separator, place] if parts else [place]
    return parts


class _Driver:
    """By prepared statements and `executemany`."""

    def __init__(
        self, statements: Statements, keys: Sequence[Place], others: Sequence[Place], settings: Settings
    ) -> None:
        self._settings, self._updates = settings, bool(others)
        self._insert, self._upsert = statements.insert(), ""
        self._all = tuple_writer([*keys, *others])
        if keys:
            self._keys = tuple_writer(keys)
            self._upsert = statements.upsert(holdlock=settings.holdlock)
            self._delete = statements.delete()
        if keys and others:
            self._update, self._changed = statements.update(), tuple_writer([*others, *keys])

    def prepare(self, cursor: Any) -> None: ...

    def write(self, cursor: Any, rows: Sequence[Row]) -> None:
        mode = self._settings.insert
        if mode == "update":
            if self._updates:
                self._many(cursor, self._update, self._changed(rows))
        else:
            self._many(cursor, self._upsert if mode == "upsert" else self._insert, self._all(rows))

    def change(self, cursor: Any, rows: Sequence[Row]) -> None:
        if self._settings.insert == "insert" or not self._updates:
            self.write(cursor, rows)
            return
        for row in rows:
            cursor.execute(self._update, self._changed((row,))[0])
            if cursor.rowcount == 0 and self._settings.insert != "update":
                cursor.execute(self._insert, self._all((row,))[0])

    def delete(self, cursor: Any, keys: Sequence[Key]) -> None:
        self._many(cursor, self._delete, self._keys([(key, _NO_ROW) for key in keys]))

    def _many(self, cursor: Any, statement: str, rows: Sequence[Any]) -> None:
        for chunk in _chunks(rows, self._settings.batch_size):
            cursor.executemany(statement, chunk)


_PACKET_SHARE: Final = 0.9
_KEYS_AT_ONCE: Final = 1000


class _MySql:
    """By statements of many rows, each below `max_allowed_packet`."""

    def __init__(
        self, statements: Statements, keys: Sequence[Place], others: Sequence[Place], settings: Settings
    ) -> None:
        self._settings = settings
        self._most_bytes = 2**20
        self._begin = statements.insert_into() + " VALUES "
        self._end = statements.on_duplicate_key() if settings.insert == "upsert" else ""
        self._values = text_writer(["(", *_between([*keys, *others], ","), ")"], MYSQL)
        self._updates = bool(keys and others)
        if keys:
            one = len(keys) == 1
            named = statements.keys[0] if one else f"({','.join(statements.keys)})"
            self._delete = f"DELETE FROM {statements.table} WHERE {named} IN ("
            bare = _between(keys, ",")
            self._keys = text_writer(bare if one else ["(", *bare, ")"], MYSQL)
        if self._updates:
            self._update = text_writer(_assignments(statements, keys, others), MYSQL)

    def prepare(self, cursor: Any) -> None:
        cursor.execute("SELECT @@max_allowed_packet")
        self._most_bytes = int(int(cursor.fetchone()[0]) * _PACKET_SHARE)

    def write(self, cursor: Any, rows: Sequence[Row]) -> None:
        if self._settings.insert == "update":
            if self._updates:
                for statement in self._update(rows):
                    cursor.execute(statement)
            return
        values = self._values(rows)
        for chunk in _chunks(values, self._settings.batch_size):
            self._joined(cursor, chunk)

    def _joined(self, cursor: Any, values: Sequence[str]) -> None:
        text = f"{self._begin}{','.join(values)}{self._end}"
        if len(text) * 4 > self._most_bytes and len(text.encode()) > self._most_bytes and len(values) > 1:
            middle = len(values) // 2
            self._joined(cursor, values[:middle])
            self._joined(cursor, values[middle:])
        else:
            cursor.execute(text)

    def change(self, cursor: Any, rows: Sequence[Row]) -> None:
        if self._settings.insert == "insert" or not self._updates:
            self.write(cursor, rows)
            return
        # The client is told of rows found, not of rows changed.
        missing = [row for row in rows if not cursor.execute(self._update((row,))[0])]
        if missing and self._settings.insert != "update":
            self.write(cursor, missing)

    def delete(self, cursor: Any, keys: Sequence[Key]) -> None:
        for chunk in _chunks(self._keys([(key, _NO_ROW) for key in keys]), _KEYS_AT_ONCE):
            cursor.execute(f"{self._delete}{','.join(chunk)})")


def _assignments(statements: Statements, keys: Sequence[Place], others: Sequence[Place]) -> list[str | Place]:
    parts: list[str | Place] = [f"UPDATE {statements.table} SET "]
    for at, (name, place) in enumerate(zip(statements.others, others, strict=True)):
        parts += [f"{',' if at else ''}{name}=", place]
    for at, (name, place) in enumerate(zip(statements.keys, keys, strict=True)):
        parts += [f"{' AND ' if at else ' WHERE '}{name}=", place]
    return parts


class _PostgreSql:
    """COPY into the table itself where rows are only inserted, else into a temporary one."""

    def __init__(
        self, statements: Statements, keys: Sequence[Place], others: Sequence[Place], settings: Settings
    ) -> None:
        self._statements, self._mode = statements, settings.insert
        self._lines = text_writer([*_between([*keys, *others], "\t"), "\n"], COPY)
        self._updates = bool(keys and others)
        if keys:
            self._key_lines = text_writer([*_between(keys, "\t"), "\n"], COPY)
        number = next(_NUMBERS)
        self._loaded, self._loaded_keys = f"tailrace_rows_{number}", f"tailrace_keys_{number}"

    def prepare(self, cursor: Any) -> None: ...

    def write(self, cursor: Any, rows: Sequence[Row]) -> None:
        if self._mode == "insert":
            self._copy(cursor, self._statements.table, self._statements.columns, self._lines(rows))
        elif self._mode == "upsert":
            self._load_rows(cursor, rows)
            cursor.execute(self._statements.from_loaded(self._loaded) + self._statements.on_conflict())
        elif self._updates:
            self._load_rows(cursor, rows)
            cursor.execute(self._statements.update_from(self._loaded))

    def change(self, cursor: Any, rows: Sequence[Row]) -> None:
        if self._mode == "insert" or not self._updates:
            self.write(cursor, rows)
            return
        self._load_rows(cursor, rows)
        cursor.execute(self._statements.update_from(self._loaded))
        if self._mode != "update" and cursor.rowcount < len(rows):
            there = f"SELECT 1 FROM {self._statements.table} WHERE {self._statements.same_keys(self._loaded)}"
            cursor.execute(f"{self._statements.from_loaded(self._loaded)} WHERE NOT EXISTS ({there})")

    def delete(self, cursor: Any, keys: Sequence[Key]) -> None:
        lines = self._key_lines([(key, _NO_ROW) for key in keys])
        self._load(cursor, self._loaded_keys, self._statements.keys, lines)
        cursor.execute(self._statements.delete_from(self._loaded_keys))

    def _load_rows(self, cursor: Any, rows: Sequence[Row]) -> None:
        self._load(cursor, self._loaded, self._statements.columns, self._lines(rows))

    def _load(self, cursor: Any, name: str, columns: Sequence[str], lines: Sequence[str]) -> None:
        """Into a temporary table whose columns have the types that they have in the table, whoever made it.

        It is not emptied by commits: each of these would look at all such tables of the session.
        """
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS SELECT {','.join(columns)} FROM {self._statements.table} "
            f"WITH NO DATA; TRUNCATE {name}"
        )
        self._copy(cursor, name, columns, lines)

    @staticmethod
    def _copy(cursor: Any, table: str, columns: Iterable[str], lines: Sequence[str]) -> None:
        with cursor.copy(f"COPY {table} ({','.join(columns)}) FROM STDIN") as copy:
            copy.write("".join(lines).encode())
