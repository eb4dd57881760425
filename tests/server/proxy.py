"""A TCP proxy between a connector and its server: moved to another server, cut, silenced or made to flip a bit."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Filter = Callable[[bytes, int, int], bytes]
"""(bytes of a log, how many of it came before, number of the connection) -> what the client gets; when these are
fewer, the connection is cut after them."""


def dumps_binlog(data: bytes) -> bool:
    """Whether a client's bytes ask MySQL for its log."""
    return data[4] in (0x12, 0x1E)


def starts_replication(data: bytes) -> bool:
    """Whether they ask PostgreSQL for it."""
    return b"START_REPLICATION" in data


@dataclass
class Proxy:
    """Listens on `port`; what `target` names is connected to, anew for each connection.

    Attributes:
        through: what happens to the bytes of a log that is read without TLS; None: they pass.
        asks: tells from a client's bytes that the log begins.
        is_silent: nothing passes any more, and nobody is told.
        connections: how many there were.
    """

    target: tuple[str, int]
    through: Filter | None = None
    is_silent: bool = False
    connections: int = 0
    asks: Callable[[bytes], bool] = dumps_binlog
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: set[socket.socket] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Every connection that is open."""
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def move(self, target: tuple[str, int]) -> None:
        self.target = target
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client: socket.socket, number: int) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self.target) as server:
            self._open |= {client, server}
            try:
                self._carry(client, server, number)
            finally:
                self._open -= {client, server}

    def _carry(self, client: socket.socket, server: socket.socket, number: int) -> None:
        came: int | None = None
        while True:
            for sock in select.select([client, server], [], [], 0.5)[0]:
                if not (data := sock.recv(1 << 16)):
                    return
                if self.is_silent:
                    continue
                if sock is client:
                    if self.asks(data):
                        came = 0
                    server.sendall(data)
                elif came is None or self.through is None:
                    client.sendall(data)
                else:
                    given = self.through(data, came, number)
                    came += len(data)
                    client.sendall(given)
                    if len(given) < len(data):
                        return
