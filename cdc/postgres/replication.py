"""A walsender session: replication commands, and the WAL as frames.

Where nothing encrypts the connection its socket is read directly, many frames at a time; libpq gives one at a time.
Source: PostgreSQL's manual, "Streaming Replication Protocol".
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Final, NamedTuple, Protocol

import psycopg
from psycopg import pq

from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.native import hot
from cdc.postgres.offset import lsn_text
from cdc.postgres.pgoutput import EPOCH_US
from cdc.postgres.protocol import ERROR, HEADER, Messages, message
from cdc.postgres.wire import ANSWER_S, Settings, consume, failure, has_result, next_result, quoted, said

_MOST_BYTES: Final = 1 << 20
"""Frames of large rows are handed on when they are so many bytes: more at a time take memory, and are no faster."""
_SILENCE_S: Final = 0.002
_GATHER_S: Final = 0.002
_GATHER_BEHIND_S: Final = 0.05
"""A server sends message by message; many at once are less work for all that follow, and come later."""
_NUDGE_S: Final = 1.0
"""A walsender may miss what is committed in the moment in which it goes to sleep (WalSndWait, since 16), and sends
it with the next commit of anybody, or when it hears from us: so it does, this often."""
_KEEP_ALIVE: Final = struct.Struct(">QqB").unpack_from
_STATUS: Final = struct.Struct(">cQQQqB").pack
_BOTH, _DATA = b"W"[0], b"d"[0]
_ENDED: Final = b"cC"
"""CopyDone; a server that shuts down says CommandComplete."""
_FRAME = b"w"[0]
_NEWS: Final = b"NSA"
"""What may stand anywhere: notices, parameters, notifications."""
_ENCRYPTED: Final = "SELECT 1 FROM pg_stat_gssapi WHERE pid = pg_backend_pid() AND encrypted"

Texts = tuple[str | None, ...]


class Received(NamedTuple):
    """What one read gave.

    `server_lsn`: how far the server is, when it said so after the last frame; else 0. `silent`: nothing more came.
    A frame is one pgoutput message after `pgoutput.HEADER_SIZE` bytes, of which 1 to 8 are its LSN.
    """

    frames: list[bytes]
    server_lsn: int
    silent: bool


class Wal(Protocol):
    """The stream of a slot that was asked for. Every call raises SourceUnavailable when the connection is lost."""

    socket: int

    def begun(self) -> None:
        """Returns when the server begins to send. Raises: SourceError: the slot is in use, gone, or lost its WAL."""

    def take(self, frames: list[bytes], most: int) -> tuple[int, bytes]:
        """Adds frames that are here until there are `most`: how many bytes, and what came between them, if anything.

        Raises: SourceError: the server ended the stream.
        """

    def arrives(self, seconds: float) -> bool:
        """Whether something came in that time."""

    def send(self, sent: bytes) -> None: ...


class Replication:
    """A walsender session: creates a slot, then streams from it."""

    def __init__(self, settings: Settings, silence_s: float = 60, *, twin: ModuleType | None = hot) -> None:
        """`silence_s`: how long a server may say nothing while it is asked; its own receivers wait as long.

        Raises: SourceUnavailable, SourceError.
        """
        self._settings, self._silence_s, self._twin = settings, silence_s, twin
        try:  # not PGconn.connect, which would hold every thread of the process up
            self._session = psycopg.connect(**settings.conninfo(replication="database"), autocommit=True)
        except psycopg.Error as error:
            raise failure(error, settings) from error
        self._connection = self._session.pgconn
        self._reported = self._heard = self._nudged = time.monotonic()
        self._durable = 0
        self._command = ""
        self._wal: Wal | None = None

    def execute(self, command: str) -> list[Texts]:
        """A replication command's rows. Raises: SourceUnavailable, SourceError."""
        self.begin(command)
        rows = self.answer(ANSWER_S)
        if rows is None:
            raise SourceUnavailable(f"{self._settings} did not answer {command} within {ANSWER_S} s")
        return rows

    def begin(self, command: str) -> None:
        """Sends a replication command that may take long; `answer` has its rows. Raises: SourceUnavailable."""
        self._command = command
        try:
            self._connection.send_query(command.encode())
        except psycopg.Error as error:
            raise failure(error, self._settings) from error

    def answer(self, seconds: float) -> list[Texts] | None:
        """None: the server is not done after so long. Raises: SourceUnavailable, SourceError."""
        if not has_result(self._connection, self._settings, seconds):
            return None
        rows = self._rows(next_result(self._connection, self._settings), self._command)
        while next_result(self._connection, self._settings) is not None:
            pass
        return rows

    def _rows(self, result: pq.abc.PGresult | None, command: str) -> list[Texts]:
        if result is None or result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise _refused(self._connection, self._settings, result, command)
        return [
            tuple(None if (value := result.get_value(row, column)) is None else value.decode()
                  for column in range(result.nfields))
            for row in range(result.ntuples)
        ]  # fmt: skip

    def start(self, slot: str, lsn: int, options: Mapping[str, str]) -> None:
        """Raises: SourceUnavailable, SourceError: the slot is in use, gone, or lost its WAL."""
        given = ", ".join(f"{quoted(name)} '{value.replace(chr(39), chr(39) * 2)}'" for name, value in options.items())
        command = f"START_REPLICATION SLOT {quoted(slot)} LOGICAL {lsn_text(lsn)} ({given})"
        if self._is_bare():
            self._wal = BareWal(self._connection, self._settings, command, self._twin)
        else:
            self._wal = DriverWal(self._connection, self._settings, command)
        self._wal.begun()

    def _is_bare(self) -> bool:
        if self._connection.ssl_in_use:
            return False
        try:
            return not self.execute(_ENCRYPTED)
        except SourceError:
            return False

    def read(self, most: int, seconds: float, *, behind: bool = False) -> Received:
        """Up to `most` frames, or as many as come until the server is silent; waits `seconds` for the first.

        `behind`: nobody waits for what comes next, so that more is gathered.
        Raises: SourceUnavailable: the connection is gone; SourceError: the server ended the stream.
        """
        frames: list[bytes] = []
        server_lsn, said_at, room, until, silent = 0, 0, _MOST_BYTES, 0.0, False
        wal, gather = self._stream, _GATHER_BEHIND_S if behind else _GATHER_S
        while len(frames) < most and room > 0:
            size, between = wal.take(frames, most)
            room -= size
            if between[:1] == b"k":
                server_lsn, _, asked = _KEEP_ALIVE(between, 1)
                said_at = len(frames)
                if asked:
                    self._reported = 0.0
            if size or between:
                continue
            if frames or server_lsn:
                until, seconds = until or time.monotonic() + gather, _SILENCE_S
                if time.monotonic() > until:
                    break
            if not wal.arrives(seconds):
                self._miss()
                self._nudge()
                silent = True
                break
            self._heard = time.monotonic()
        return Received(frames, server_lsn if said_at == len(frames) else 0, silent)

    @property
    def _stream(self) -> Wal:
        assert self._wal is not None, "read before start"
        return self._wal

    def has_more(self) -> bool:
        """Whether something has come since the last `read`."""
        return bool(select.select([self._stream.socket], [], [], 0)[0])

    def _miss(self) -> None:
        """Raises: SourceUnavailable: the connection is dead although nothing says so."""
        silent = time.monotonic() - self._heard
        if silent > self._silence_s:
            raise SourceUnavailable(f"{self._settings} has said nothing for {silent:.0f} s although it was asked; the "
                                    "connection is given up")  # fmt: skip

    def report(self, lsn: int, every_s: float, *, now: bool = False) -> None:
        """Tells the server what is durable: it may forget what stands before (0: nothing). At most once in `every_s`.

        The server is asked how far it is: where it passes over what is not for us, it says so only when asked.
        """
        clock = time.monotonic()
        if not now and clock - self._reported < every_s:
            return
        self._reported, self._durable = clock, lsn
        self._tell(asks=True)

    def _nudge(self) -> None:
        """Wakes the server up. It does not answer, so nothing is saved for it."""
        if time.monotonic() - self._nudged >= _NUDGE_S:
            self._tell(asks=False)

    def _tell(self, *, asks: bool) -> None:
        self._nudged, lsn = time.monotonic(), self._durable
        self._stream.send(_STATUS(b"r", lsn, lsn, lsn, time.time_ns() // 1000 - EPOCH_US, asks))

    def close(self) -> None:
        self._session.close()


class BareWal:
    """By the messages on the socket."""

    def __init__(self, connection: pq.abc.PGconn, settings: Settings, command: str, twin: ModuleType | None) -> None:
        self._messages, self._settings = Messages(connection, settings, "the replication stream"), settings
        self._split = _split if twin is None else twin.postgres_frames
        self._unsent = b""
        self.socket, self.arrives = connection.socket, self._messages.arrives
        self._messages.begin(command)

    def begun(self) -> None:
        until = time.monotonic() + ANSWER_S
        while True:
            while not self._messages.is_whole():
                left = until - time.monotonic()
                if left <= 0:
                    raise SourceUnavailable(f"{self._settings} did not begin to send its WAL within {ANSWER_S} s")
                self._messages.arrives(left)
            kind, _ = self._messages.take(_NEWS + b"WE")
            if kind == ERROR:
                raise self._messages.refused()
            if kind == _BOTH:
                return

    def take(self, frames: list[bytes], most: int) -> tuple[int, bytes]:
        if self._unsent:
            self.send(b"")
        found, at = self._split(self._messages.buffer, most - len(frames))
        if at:
            frames += found
            del self._messages.buffer[:at]
            return at, b""
        if not self._messages.is_whole():
            return 0, b""
        kind, payload = self._messages.take(_NEWS + _ENDED + b"dE")
        if kind == ERROR:
            raise self._messages.refused()
        if kind in _ENDED:
            raise SourceUnavailable(f"{self._settings} ended the replication stream")
        return HEADER, payload if kind == _DATA else b""

    def send(self, sent: bytes) -> None:
        """What the server does not take at once goes with the next: it may be waiting for us to read."""
        self._unsent = self._messages.send_some(self._unsent + (message(b"d", sent) if sent else b""))


class DriverWal:
    """By libpq."""

    def __init__(self, connection: pq.abc.PGconn, settings: Settings, command: str) -> None:
        self._connection, self._settings, self._command = connection, settings, command
        self.socket = connection.socket
        try:
            connection.send_query(command.encode())
        except psycopg.Error as error:
            raise failure(error, settings) from error

    def begun(self) -> None:
        result = next_result(self._connection, self._settings)
        if result is None or result.status != pq.ExecStatus.COPY_BOTH:
            raise _refused(self._connection, self._settings, result, self._command)
        self._connection.nonblocking = 1

    def take(self, frames: list[bytes], most: int) -> tuple[int, bytes]:
        more, add, taken = self._connection.get_copy_data, frames.append, 0
        while len(frames) < most and taken < _MOST_BYTES:
            size, data = more(1)
            if size < 0:
                raise self._ended()
            if size == 0:
                break
            if data[0] != _FRAME:
                return taken, bytes(data)
            add(bytes(data))
            taken += size
        return taken, b""

    def arrives(self, seconds: float) -> bool:
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        consume(self._connection, self._settings)
        return True

    def send(self, sent: bytes) -> None:
        try:
            self._connection.put_copy_data(sent)
            self._connection.flush()
        except psycopg.Error as error:
            raise failure(error, self._settings) from error

    def _ended(self) -> TailraceError:
        result = next_result(self._connection, self._settings)
        if result is None or result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.COPY_IN):
            return SourceUnavailable(f"{self._settings} ended the replication stream")
        return _refused(self._connection, self._settings, result, "the replication stream")


def _refused(
    connection: pq.abc.PGconn, settings: Settings, result: pq.abc.PGresult | None, command: str
) -> TailraceError:
    if result is None or connection.status != pq.ConnStatus.OK:
        return SourceUnavailable(f"{settings} closed the connection during {command}")
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    primary = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
    return said(state, primary or result.get_error_message("utf-8").strip(), settings)


def _split(buffer: bytearray, most: int) -> tuple[list[bytes], int]:
    """The frames in front that are here, up to so many, and where what follows begins."""
    found: list[bytes] = []
    at, have = 0, len(buffer)
    while len(found) < most and have - at > HEADER and buffer[at] == _DATA and buffer[at + HEADER] == _FRAME:
        end = at + 1 + int.from_bytes(buffer[at + 1 : at + HEADER], "big")
        if end > have or end <= at + HEADER:
            break
        found.append(bytes(buffer[at + HEADER : end]))
        at = end
    return found, at
