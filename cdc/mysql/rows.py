"""Rows of one SELECT as they arrive, never all at once: the text protocol's bytes of each column.

Source: MySQL's source documentation, "Client/Server Protocol": Text Resultset, Length-Encoded Values.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from types import ModuleType
from typing import Any, Final

from pymysql.constants import COMMAND
from pymysql.err import MySQLError, raise_mysql_exception

from cdc.errors import SourceUnavailable
from cdc.mysql import wire
from cdc.native import hot

RawRow = tuple[bytes | None, ...]
Split = Callable[[bytes, int, int], tuple[list[RawRow], int, bool]]
"""See `splitter`."""

_MAX_PACKET: Final = 0xFFFFFF
_IDLE_SECONDS: Final = 0.5
_RECEIVE_BYTES: Final = 1 << 18
CHUNK_BYTES: Final = 8 << 20
"""A chunk of wide rows ends here, however few they are."""
_TABLE_CHANGED: Final = 1412
"""ER_TABLE_DEF_CHANGED: the table was altered after the transaction's snapshot was taken."""
_WIDTHS: Final = {252: 2, 253: 3, 254: 8}


class Select:
    """A running SELECT on a connection, which serves nothing else until the last row is read.

    Attributes:
        columns: the names in the answer; empty before the first row.
        patience: seconds of the server's silence after which an empty list comes.
    """

    def __init__(self, connection: Any, settings: wire.Settings, sql: str) -> None:
        """Sends the statement; returns before the server has answered. `connection` is PyMySQL's."""
        self._connection = connection
        self._settings = settings
        self.columns: tuple[str, ...] = ()
        self.patience = _IDLE_SECONDS
        self._buffer, self._at = b"", 0
        self._ended = False
        try:
            self._connection._execute_command(COMMAND.COM_QUERY, sql)
        except (MySQLError, OSError) as error:
            raise wire.failure(error, settings) from error

    def chunks(self, rows: int) -> Iterator[list[RawRow]]:
        """Up to `rows` rows at a time; an empty list when the server has been silent.

        Raises: SourceUnavailable, SourceError.
        """
        try:
            while not self._answered():
                yield []
            self.columns = self._header()
            split = splitter(len(self.columns))
            while not self._ended:
                found, self._ended = self._chunk(rows, split)
                if found or not self._ended:
                    yield found
        except (MySQLError, OSError) as error:
            if error.args[:1] == (_TABLE_CHANGED,):
                raise SourceUnavailable(
                    f"{self._settings}: a table was altered before the snapshot had read it; the snapshot begins again "
                    f"({_TABLE_CHANGED})"
                ) from error
            raise wire.failure(error, self._settings) from error

    @property
    def socket(self) -> Any:
        """To be waited for when `ready` is False."""
        return self._connection._sock

    def ready(self) -> bool:
        """Whether a row is here, or bytes that were not looked at, or the end was seen."""
        have = len(self._buffer) - self._at
        if self._ended:
            return True
        if have >= 4 and have >= 4 + int.from_bytes(self._buffer[self._at : self._at + 3], "little"):
            return True
        pending = getattr(self.socket, "pending", None)
        return bool((pending is not None and pending()) or select.select([self.socket], [], [], 0)[0])

    def _answered(self) -> bool:
        """Whether bytes are here, after waiting for them."""
        socket = self._connection._sock
        pending = getattr(socket, "pending", None)  # bytes that TLS has decrypted already
        return bool((pending is not None and pending()) or select.select([socket], [], [], self.patience)[0])

    def _header(self) -> tuple[str, ...]:
        """Column names. Raises the server's error when it refuses the statement."""
        read = self._connection._read_packet
        count = read().read_length_encoded_integer()
        names = tuple(_column_name(read().get_all_data()) for _ in range(count))
        read()  # the end of the column definitions
        self._buffer, self._at = bytes(self._connection._rfile.peek()), 0
        self._connection._rfile.read(len(self._buffer))
        return names

    def _fill(self) -> None:
        received = self._connection._rfile.read1(_RECEIVE_BYTES)
        if not received:
            raise SourceUnavailable(f"{self._settings} closed the connection in the middle of a SELECT")
        self._buffer, self._at = self._buffer[self._at :] + received, 0

    def _chunk(self, rows: int, split: Split) -> tuple[list[RawRow], bool]:
        """Rows, and whether they are the last."""
        found: list[RawRow] = []
        size = 0
        while True:
            part, at, is_other = split(self._buffer, self._at, rows - len(found))
            found += part
            size += at - self._at
            self._at = at
            if is_other:
                row = self._other()
                if row is None:
                    return found, True
                found.append(row)
                return found, False
            if len(found) >= rows or size >= CHUNK_BYTES or not self._answered():
                return found, False
            self._fill()

    def _other(self) -> RawRow | None:
        """What stands here and is no ordinary row: one of 16 MiB and more, an error, or (None) the end."""
        payload = b""
        while True:
            part = self._packet()
            payload += part
            if len(part) < _MAX_PACKET:
                break
        if payload[:1] == b"\xff":
            raise_mysql_exception(payload)
        if payload[:1] == b"\xfe" and len(payload) < 9:
            self._connection._next_seq_id = 0
            return None
        values: list[bytes | None] = []
        at = 0
        for _ in self.columns:
            if payload[at] == 251:
                values.append(None)
                at += 1
            else:
                value, at = _string(payload, at)
                values.append(value)
        return tuple(values)

    def _packet(self) -> bytes:
        """One packet, waiting for all of it."""
        while len(self._buffer) - self._at < 4:
            self._fill()
        length = int.from_bytes(self._buffer[self._at : self._at + 3], "little")
        parts, have = [self._buffer[self._at + 4 :]], len(self._buffer) - self._at - 4
        while have < length:
            self._buffer, self._at = b"", 0
            self._fill()
            parts.append(self._buffer)
            have += len(self._buffer)
        whole = b"".join(parts)
        self._buffer, self._at = whole[length:], 0
        return whole[:length]


def _column_name(definition: bytes) -> str:
    """The alias in a column definition: catalog, schema, table, original table, then the name."""
    at = 0
    for _ in range(4):
        _, at = _string(definition, at)
    return _string(definition, at)[0].decode("utf-8")


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """A length-encoded string, and where it ends."""
    length = data[at]
    at += 1
    if length > 251:
        width = _WIDTHS[length]
        length, at = int.from_bytes(data[at : at + width], "little"), at + width
    return data[at : at + length], at + length


def splitter(columns: int, twin: ModuleType | None = hot) -> Split:
    """Takes the row packets in a buffer apart, for so many columns, by the compiled module where there is one.

    `split(buffer, at, limit)` gives up to `limit` rows, where the next packet starts, and whether that packet is
    complete but no ordinary row. Stops before an incomplete packet.
    """
    reference = _splitter(columns)
    if twin is None:
        return reference
    native = partial(twin.mysql_split, columns)

    def split(buffer: bytes, at: int, limit: int) -> tuple[list[RawRow], int, bool]:
        try:
            found: tuple[list[RawRow], int, bool] = native(buffer, at, limit)
        except ValueError:  # it refuses
            return reference(buffer, at, limit)
        return found

    return split


@lru_cache(maxsize=256)
def _splitter(columns: int) -> Split:
    """Straight-line code for so many columns."""
    lines = [
        "def split(b, at, limit):",
        " rows = []; have = len(b)",
        " while len(rows) < limit:",
        "  if have - at < 4: break",
        "  size = b[at] | b[at + 1] << 8 | b[at + 2] << 16; end = at + 4 + size",
        "  if end > have: break",
        "  n = b[at + 4]",
        f"  if n >= 254 or size == {_MAX_PACKET}: return rows, at, True",
        "  p = at + 5",
    ]
    for column in range(columns):
        lines += [
            f"  if n < 251: e = p + n; c{column} = b[p:e]",
            f"  elif n == 251: e = p; c{column} = None",
            f"  else: c{column}, e = string(b, p - 1)",
        ]
        if column + 1 < columns:
            lines.append("  n = b[e]; p = e + 1")
    lines += [f"  rows.append(({''.join(f'c{i}, ' for i in range(columns))}))", "  at = end"]
    lines.append(" return rows, at, False")
    names: dict[str, Any] = {"string": _string}
    exec("\n".join(lines), names)
    split: Split = names["split"]
    return split
