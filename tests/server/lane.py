"""Tests may run on several lanes at once: each has databases and ports of its own, but one Kafka and Elasticsearch."""

from __future__ import annotations

import os
import random
import socket
from typing import Final

LANE: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS: Final = 700
_FIRST_PORT: Final = 10300 + LANE * _PORTS
"""Below those that the kernel gives to outgoing connections."""


def address(variable: str, usual: str) -> tuple[str, int]:
    """Host and port of this lane's server: the variable holds one a lane, with blanks between them."""
    addresses = os.environ.get(variable, usual).split()
    assert len(addresses) > LANE, f"{variable} names {len(addresses)} servers; lane {LANE + 1} needs one of its own"
    host, port = addresses[LANE].split(":")
    return host, int(port)


def free_port(*beside: int) -> int:
    """A port of this lane's that nobody listens on; so are those that are by so much higher."""
    while True:
        port = random.randrange(_FIRST_PORT, _FIRST_PORT + _PORTS)
        if all(_is_free(port + distance) for distance in (0, *beside)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
