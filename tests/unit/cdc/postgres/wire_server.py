"""A server of PostgreSQL's protocol that says what a test tells it to say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import pq

from cdc.postgres.wire import Settings


def message(kind: bytes, payload: bytes = b"") -> bytes:
    return kind + (len(payload) + 4).to_bytes(4, "big") + payload


READY = message(b"Z", b"T")
_HELLO = message(b"R", bytes(4)) + message(b"S", b"client_encoding\0UTF8\0") + message(b"Z", b"I")


@contextmanager
def answering(
    *answers: Sequence[bytes], then_close: bool = False, heard: bytearray | None = None
) -> Iterator[Settings]:
    """A server that answers query after query with these bytes, the last of them again and again.

    `heard` takes what it is sent besides.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            theirs, _ = listener.accept()
            with theirs:
                theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                theirs.recv(1 << 16)
                theirs.sendall(_HELLO)
                asked = 0
                while received := theirs.recv(1 << 16):
                    if received[:1] == b"X":
                        return
                    if received[:1] != b"Q":
                        (bytearray() if heard is None else heard).extend(received)
                        continue
                    for part in answers[min(asked, len(answers) - 1)]:
                        theirs.sendall(part)
                    asked += 1
                    if then_close and asked >= len(answers):
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Settings(host="127.0.0.1", port=listener.getsockname()[1], user="u", database="d", ssl_mode="disable")
        thread.join(10)


@contextmanager
def answered(parts: Sequence[bytes], *, then_close: bool = False) -> Iterator[tuple[pq.abc.PGconn, Settings]]:
    """A connection whose server answers each query with these bytes."""
    with answering(parts, then_close=then_close) as to:
        connection: psycopg.Connection[Any] = psycopg.connect(**to.conninfo(gssencmode="disable"), autocommit=True)
        try:
            yield connection.pgconn, to
        finally:
            connection.close()
