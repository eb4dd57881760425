"""The rows of a SELECT as COPY sends them, read as they come and never longer waited for than half a second.

libpq hands over one row at a time. Where nothing encrypts a connection, its socket is read directly: an idle libpq has
read all up to ReadyForQuery, and so have we when a COPY is over. Source: PostgreSQL's manual, "Message Formats".
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from types import ModuleType
from typing import Final, Protocol

import psycopg
from psycopg import pq

from cdc.errors import SourceUnavailable, TailraceError
from cdc.native import hot
from cdc.postgres.wire import Session, Settings, failure, next_result, said

_WAIT_S: Final = 0.5
_MORE_S: Final = 0.05
"""How long a chunk that has rows waits for more."""
CHUNK_BYTES: Final = 8 << 20
"""A chunk of wide rows ends here, however few they are."""
_RECEIVE_BYTES: Final = 1 << 18
_HEADER: Final = 5
_DATA, _ERROR, _READY = b"d"[0], b"E"[0], b"Z"[0]
_PASSED_OVER: Final = b"HcCNSA"
"""CopyOutResponse, CopyDone, CommandComplete, and what may stand between: notices, parameters, notifications."""


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
        self._settings, self.patience = settings, _WAIT_S
        self.socket = connection.socket
        self._split = _split if twin is None else twin.postgres_copy
        self._buffer, self._refusal, self._ended = bytearray(), b"", False
        query = f"COPY ({select_}) TO STDOUT".encode() + b"\0"
        self._send(b"Q" + (len(query) + 4).to_bytes(4, "big") + query)

    def ready(self) -> bool:
        return self._ended or self._has_message() or self._arrives(0)

    def chunks(self, rows: int) -> Iterator[bytes]:
        found: list[bytes] = []
        count = size = 0
        while True:
            lines, more, at = self._split(self._buffer, rows - count)
            del self._buffer[:at]
            if more:
                found.append(lines)
                count, size = count + more, size + len(lines)
            if count < rows and size < CHUNK_BYTES:
                if self._has_message():
                    if self._passed():
                        break
                    continue
                if self._arrives(_MORE_S if found else self.patience):
                    continue
            yield b"".join(found)
            found, count, size = [], 0, 0
        self._ended = True
        if self._refusal:
            raise self._refused()
        if found:
            yield b"".join(found)

    def _has_message(self) -> bool:
        """Whether all of one is here."""
        buffer = self._buffer
        return len(buffer) >= _HEADER and len(buffer) > int.from_bytes(buffer[1:_HEADER], "big")

    def _passed(self) -> bool:
        """Takes the message in front, which holds no row, out of the buffer: whether it is the last."""
        kind, end = self._buffer[0], 1 + int.from_bytes(self._buffer[1:_HEADER], "big")
        if end < _HEADER or (kind not in _PASSED_OVER and kind not in (_ERROR, _READY)):
            raise SourceUnavailable(f"{self._settings} sent what is no answer to COPY; the connection is given up")
        if kind == _ERROR:
            self._refusal = self._refusal or bytes(self._buffer[_HEADER:end])
        del self._buffer[:end]
        return kind == _READY

    def _arrives(self, seconds: float) -> bool:
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            received = os.read(self.socket, _RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._lost(error) from error
        if not received:
            raise self._refused() if self._refusal else self._lost("it ended")
        self._buffer += received
        return True

    def _send(self, message: bytes) -> None:
        try:
            while message:
                select.select([], [self.socket], [])
                message = message[os.write(self.socket, message) :]
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, why: object) -> SourceUnavailable:
        return SourceUnavailable(f"{self._settings} closed the connection in the middle of a snapshot: {why}")

    def _refused(self) -> TailraceError:
        fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in self._refusal.split(b"\0") if field}
        return said(fields.get(b"C", ""), fields.get(b"M", ""), self._settings)


def _split(buffer: bytearray, rows: int) -> tuple[bytes, int, int]:
    """(lines, how many, where what follows begins) of the CopyData messages in front that are here, up to so many."""
    found: list[bytearray] = []
    at, have = 0, len(buffer)
    while len(found) < rows and have - at >= _HEADER and buffer[at] == _DATA:
        end = at + 1 + int.from_bytes(buffer[at + 1 : at + _HEADER], "big")
        if end > have or end < at + _HEADER:
            break
        found.append(buffer[at + _HEADER : end])
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
