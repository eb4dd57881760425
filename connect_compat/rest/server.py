"""Applications and their sockets to served REST, until SIGTERM, SIGINT or `stop`."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import uvicorn
from fastapi import FastAPI

_GRACE_S: Final = 5


@dataclass(frozen=True)
class Endpoint:
    """What is served on some listening sockets; `tls` None: plain HTTP."""

    app: FastAPI
    sockets: Sequence[socket.socket]
    tls: ssl.SSLContext | None = None


class Servers:
    """One server an endpoint; the first runs on the calling thread, which must be the main one."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._servers = [(_server(endpoint), list(endpoint.sockets)) for endpoint in endpoints]

    def run(self) -> None:
        # uvicorn puts these back when it has stopped, and raises the signal again: it must not end us before the tasks.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        (first, first_sockets), *others = self._servers
        threads = [threading.Thread(target=server.run, args=(sockets,), daemon=True) for server, sockets in others]
        for thread in threads:
            thread.start()
        first.run(first_sockets)
        self.stop()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        """From any thread, also before `run`."""
        for server, _ in self._servers:
            server.should_exit = True


def _server(endpoint: Endpoint) -> uvicorn.Server:
    config = uvicorn.Config(endpoint.app, log_config=None, access_log=False, lifespan="off",
                            timeout_graceful_shutdown=_GRACE_S)  # fmt: skip
    config.load()
    config.ssl = endpoint.tls  # uvicorn's own settings take PEM files only
    return uvicorn.Server(config)
