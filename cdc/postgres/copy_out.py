"""The rows of a SELECT as COPY sends them, read as they come and never longer waited for than half a second.

libpq hands over one row at a time. Where nothing encrypts a connection, its socket is read directly: an idle libpq has
read all up to ReadyForQuery, and so have we when a COPY is over. Source: PostgreSQL's manual, "Message Formats".
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from types import ModuleType
from typing import Final, Protocol

import psycopg
from psycopg import pq

from cdc.errors import SourceUnavailable, TailraceError
from cdc.native import hot
from cdc.postgres.protocol import HEADER, Messages
from cdc.postgres.wire import Session, Settings, failure, next_result, said

_WAIT_S: Final = 0.5
_MORE_S: Final = 0.05
"""How long a chunk that has rows waits for more."""
CHUNK_BYTES: Final = 8 << 20
"""A chunk of wide rows ends here, however few they are."""
_DATA, _READY = b"d"[0], b"Z"[0]
_KNOWN: Final = b"HcCNSAEZ"
"""CopyOutResponse, CopyDone, CommandComplete, what may stand between (notices and such), an error, ReadyForQuery."""


class Copy(Protocol):
    """One COPY … TO STDOUT. The connection does nothing else until `chunks` has ended.

    Attributes:
        patience: seconds that a chunk waits for its first row.
    """

    patience: float

    @property
    def socket(self) -> int: ...
    def ready(self) -> bool:
        """Whether a chunk would come without waiting. Raises: SourceUnavailable."""

    def chunks(self, rows: int) -> Iterator[bytes]:
        """Up to so many lines a chunk; an empty one when the server takes its time.

        Raises: SourceUnavailable, SourceError.
        """


def copy_out(session: Session, select_: str, *, is_bare: bool) -> Copy:
    """Begins to copy what a SELECT gives. Raises: SourceUnavailable."""
    if is_bare:
        return BareCopy(session.raw, session.settings, select_)
    return DriverCopy(session.raw, session.settings, select_)


class BareCopy:
    """By the messages on the socket."""

    def __init__(
        self, connection: pq.abc.PGconn, settings: Settings, select_: str, twin: ModuleType | None = hot
    ) -> None:
        """Raises: SourceUnavailable."""
        self._messages, self.patience = Messages(connection, settings, "COPY"), _WAIT_S
        self.socket = connection.socket
        self._split = _split if twin is None else twin.postgres_copy
        self._ended = False
        self._messages.begin(f"COPY ({select_}) TO STDOUT")

    def ready(self) -> bool:
        return self._ended or self._messages.is_whole() or self._messages.arrives(0)

    def chunks(self, rows: int) -> Iterator[bytes]:
        found: list[bytes] = []
        count = size = 0
        messages, kind = self._messages, 0
        while kind != _READY:
            lines, more, at = self._split(messages.buffer, rows - count)
            del messages.buffer[:at]
            if more:
                found.append(lines)
                count, size = count + more, size + len(lines)
            if count < rows and size < CHUNK_BYTES:
                if messages.is_whole():
                    kind, _ = messages.take(_KNOWN)
                    continue
                if messages.arrives(_MORE_S if found else self.patience):
                    continue
            yield b"".join(found)
            found, count, size = [], 0, 0
        self._ended = True
        if messages.refusal:
            raise messages.refused()
        if found:
            yield b"".join(found)


def _split(buffer: bytearray, rows: int) -> tuple[bytes, int, int]:
    """(lines, how many, where what follows begins) of the CopyData messages in front that are here, up to so many."""
    found: list[bytearray] = []
    at, have = 0, len(buffer)
    while len(found) < rows and have - at >= HEADER and buffer[at] == _DATA:
        end = at + 1 + int.from_bytes(buffer[at + 1 : at + HEADER], "big")
        if end > have or end < at + HEADER:
            break
        found.append(buffer[at + HEADER : end])
        at = end
    return b"".join(found), len(found), at


class DriverCopy:
    """By libpq."""

    def __init__(self, connection: pq.abc.PGconn, settings: Settings, select_: str) -> None:
        """Raises: SourceUnavailable."""
        self._connection, self._settings = connection, settings
        self._more, self.patience = False, _WAIT_S
        try:
            connection.send_query(f"COPY ({select_}) TO STDOUT".encode())
        except psycopg.Error as error:
            raise failure(error, settings) from error

    @property
    def socket(self) -> int:
        return self._connection.socket

    def ready(self) -> bool:
        self._more = self._more or self._arrives(0)
        return self._more

    def chunks(self, rows: int) -> Iterator[bytes]:
        while self._connection.is_busy():
            if not self._arrives(self.patience):
                yield b""
        result = self._connection.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_OUT:
            raise self._refused(result)
        found: list[memoryview] = []
        left = CHUNK_BYTES
        read = self._connection.get_copy_data
        while True:
            size, data = read(1)
            if size > 0:
                found.append(data)
                left -= size
                if len(found) < rows and left > 0:
                    continue
            elif size < 0:
                break
            elif self._arrives(_MORE_S if found else self.patience):
                continue
            self._more = size > 0
            yield b"".join(found)
            found, left = [], CHUNK_BYTES
        self._end()
        self._more = True
        if found:
            yield b"".join(found)

    def _arrives(self, seconds: float) -> bool:
        if not select.select([self._connection.socket], [], [], seconds)[0]:
            return False
        try:
            self._connection.consume_input()
        except psycopg.Error as error:
            raise failure(error, self._settings) from error
        return True

    def _end(self) -> None:
        result = next_result(self._connection, self._settings)
        if result is None or result.status != pq.ExecStatus.COMMAND_OK:
            raise self._refused(result)
        while next_result(self._connection, self._settings) is not None:
            pass

    def _refused(self, result: pq.abc.PGresult | None) -> TailraceError:
        if result is None or self._connection.status != pq.ConnStatus.OK:
            return SourceUnavailable(f"{self._settings} closed the connection in the middle of a snapshot")
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        primary = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        while next_result(self._connection, self._settings) is not None:
            pass
        return said(state, primary or result.get_error_message("utf-8").strip(), self._settings)
