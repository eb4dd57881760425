"""A way to Elasticsearch on which bulk requests are put off, overtaken, or taken without an answer: by a seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

_BUSY = b'{"error":{"type":"es_rejected_execution_exception","reason":"queue is full"},"status":429}'


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed hears no answer."""


class Unruly:
    """Attributes: `url`, where it listens; `counts`, how often it did what."""

    def __init__(self, target: str, seed: int) -> None:
        chance, pool, lock = random.Random(seed), urllib3.PoolManager(maxsize=20), threading.Lock()
        self.counts = counts = {"busy": 0, "silent": 0, "late": 0}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kind = what(self.path)
                if kind == "busy":
                    self._answer(429, _BUSY)
                    return
                if kind == "late":
                    time.sleep(0.1)
                told = pool.request(self.command, target + self.path, body=body, headers=dict(self.headers))
                if kind == "silent":
                    self.close_connection = True
                    return
                self._answer(told.status, told.data)

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = _pass

            def log_message(self, *_: Any) -> None:
                pass

        def what(path: str) -> str | None:
            if not path.startswith("/_bulk"):
                return None
            with lock:
                drawn = chance.random()
                kind = next((k for k, most in (("silent", 0.02), ("busy", 0.1), ("late", 0.2)) if drawn < most), None)
                if kind is not None:
                    counts[kind] += 1
                return kind

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def unruly(target: str, seed: int) -> Iterator[Unruly]:
    made = Unruly(target, seed)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
