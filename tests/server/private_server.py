"""A server of one test module alone: reconfigured, stopped and restarted as its tests need."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from services.__main__ import SERVERS
from services.elasticsearch import RELEASES
from services.process import Process
from tests.server.lane import free_port

_SECOND_PORTS: Final = {
    "kafka": (10001,), "seaweedfs": (1, 2, 3, 10000, 10001, 10002, 10003), **dict.fromkeys(RELEASES, (100,)),
}  # fmt: skip
"""How much higher than the port the others are that a server listens on."""


class PrivateServer:
    """Runs from `start` to `stop`; its data stay in `folder` in between."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.port = free_port(*_SECOND_PORTS.get(kind, ()))

    def start(self, *options: str) -> None:
        """`options` of the program for this start alone."""
        SERVERS[self.kind](self.folder, self.port, *([options] if options else []))

    def stop(self) -> None:
        Process(self.kind, self.folder).stop()

    def kill(self) -> None:
        Process(self.kind, self.folder).kill()

    def close(self) -> None:
        """Its data are not needed any more, so nothing is written to the end."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
