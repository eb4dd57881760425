"""A TCP proxy between a connector and its server: moved to another server, cut, silenced or made to flip a bit."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Filter = Callable[[bytes, int], bytes | None]
"""(bytes of the server, how many of this connection came before) -> what the client gets; None: cut."""


@dataclass
class Proxy:
    """Listens on `port`; what `target` names is connected to, anew for each connection.

    Attributes:
        through: what happens to the server's bytes; None: they pass.
        is_silent: nothing passes any more, and nobody is told.
        connections: how many there were.
    """

    target: tuple[str, int]
    through: Filter | None = None
    is_silent: bool = False
    connections: int = 0
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
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self.target) as server:
            self._open |= {client, server}
            try:
                self._carry(client, server)
            finally:
                self._open -= {client, server}

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        came = 0
        while True:
            for sock in select.select([client, server], [], [], 0.5)[0]:
                if not (data := sock.recv(1 << 16)):
                    return
                if self.is_silent:
                    continue
                if sock is client:
                    server.sendall(data)
                    continue
                given = data if self.through is None else self.through(data, came)
                came += len(data)
                if given is None:
                    return
                client.sendall(given)
