"""Messages of PostgreSQL's protocol on the socket of a connection of the driver that nothing encrypts.

An idle libpq has read all up to ReadyForQuery: from then on the socket is ours, until we have read as far.
Source: PostgreSQL's manual, "Message Formats".
"""

from __future__ import annotations

import os
import select
from typing import Final

from psycopg import pq

from cdc.errors import SourceUnavailable, TailraceError
from cdc.postgres.wire import Settings, said

HEADER: Final = 5
_RECEIVE_BYTES: Final = 1 << 18


class Messages:
    """What has come, and the answer to a statement.

    Attributes:
        buffer: the bytes that nobody has taken yet.
        refusal: the first error that the server told.
    """

    def __init__(self, connection: pq.abc.PGconn, settings: Settings, doing: str) -> None:
        """`doing`: what it is used for, for messages."""
        self._settings, self._doing = settings, doing
        self.socket = connection.socket
        self.buffer, self.refusal = bytearray(), b""

    def begin(self, statement: str) -> None:
        """Raises: SourceUnavailable."""
        self.send(message(b"Q", statement.encode() + b"\0"))

    def send(self, sent: bytes) -> None:
        """All of it. Raises: SourceUnavailable."""
        while sent := self.send_some(sent):
            select.select([], [self.socket], [])

    def send_some(self, sent: bytes) -> bytes:
        """What the server did not take at once. Raises: SourceUnavailable."""
        try:
            return sent[os.write(self.socket, sent) :]
        except BlockingIOError:
            return sent
        except OSError as error:
            raise self.lost(error) from error

    def arrives(self, seconds: float) -> bool:
        """Whether something came in that time. Raises: SourceUnavailable; the server's error if that was the last."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            received = os.read(self.socket, _RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self.lost(error) from error
        if not received:
            raise self.refused() if self.refusal else self.lost("it ended")
        self.buffer += received
        return True

    def is_whole(self) -> bool:
        """Whether all of the message in front is here."""
        buffer = self.buffer
        return len(buffer) >= HEADER and len(buffer) > int.from_bytes(buffer[1:HEADER], "big")

    def take(self, known: bytes) -> tuple[int, bytes]:
        """Kind and payload of the message in front. An error is kept as the refusal.

        Raises: SourceUnavailable: it is none of the known kinds.
        """
        kind, end = self.buffer[0], 1 + int.from_bytes(self.buffer[1:HEADER], "big")
        if end < HEADER or kind not in known:
            raise SourceUnavailable(
                f"{self._settings} sent what has no place in {self._doing}; the connection is given up"
            )
        payload = bytes(self.buffer[HEADER:end])
        if kind == ERROR:
            self.refusal = self.refusal or payload
        del self.buffer[:end]
        return kind, payload

    def lost(self, why: object) -> SourceUnavailable:
        return SourceUnavailable(f"{self._settings} closed the connection in the middle of {self._doing}: {why}")

    def refused(self) -> TailraceError:
        """The refusal as an error."""
        fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in self.refusal.split(b"\0") if field}
        return said(fields.get(b"C", ""), fields.get(b"M", ""), self._settings)


ERROR: Final = b"E"[0]


def message(kind: bytes, payload: bytes) -> bytes:
    """Its bytes."""
    return kind + (len(payload) + 4).to_bytes(4, "big") + payload
