"""What a client of Elasticsearch meets at a server that refuses: each answer has the status that a test sets."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeElasticsearch:
    """`status` 200 greets with `version` and takes nothing; `version` None: it is something else."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Path and headers of each request."""
        self.status, self.reason = 200, "missing authentication credentials"
        self.version: dict[str, str] | None = {"number": "8.19.0"}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                fake.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                error = {"error": {"type": "security_exception", "reason": fake.reason}, "status": fake.status}
                well = {} if fake.version is None else {"version": fake.version}
                body = json.dumps(well if fake.status == 200 else error).encode()
                self.send_response(fake.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://{'localhost' if tls else '127.0.0.1'}:{self.server.server_port}"


@contextmanager
def fake_elasticsearch(tls: ssl.SSLContext | None = None) -> Iterator[FakeElasticsearch]:
    fake = FakeElasticsearch(tls)
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
        thread.join()
