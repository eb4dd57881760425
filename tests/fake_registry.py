"""A schema registry in this process: ids, subjects, versions, and one rule: a new field needs a default."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Any]


class FakeRegistry:
    """Attributes:
    subjects: the ids of each subject's versions.
    schemas: what was registered, by id.
    asked: method and path of each request.
    headers: of the last request.
    bodies: of each request that had one in JSON; `forms`: of those for a token, which `refused_tokens` refuses.
    status: what every request is answered with, when it is not 200.
    """

    def __init__(self) -> None:
        self.subjects: dict[str, list[int]] = {}
        self.schemas: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.bodies: list[Any] = []
        self.forms: list[str] = []
        self.refused_tokens = False
        self.status = 200
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.startswith("/token"):
                    fake.forms.append(raw.decode())
                    status, answer = fake.token()
                else:
                    fake.headers = dict(self.headers)
                    fake.asked.append(f"{self.command} {self.path}")
                    fake.bodies += [json.loads(raw)] if raw else []
                    status, answer = fake.answer(self.command, self.path, json.loads(raw) if raw else None)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def token(self) -> Answer:
        if self.refused_tokens:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": f"token-{len(self.forms)}", "expires_in": 3600}

    def answer(self, method: str, path: str, body: Any) -> Answer:
        if self.status != 200:
            return self.status, {"error_code": self.status, "message": "out of order"}
        parts = [unquote(part) for part in urlsplit(path).path.strip("/").split("/")]
        match [method, *parts]:
            case ["GET", "schemas", "ids", number] if int(number) in self.schemas:
                return 200, self.schemas[int(number)]
            case ["POST", "subjects", subject, "versions"]:
                if reason := self._misfit(subject, body["schema"]):
                    return 409, {"error_code": 409, "message": f"incompatible: {reason}"}
                return 200, {"id": self.add(subject, body)}
            case ["POST", "subjects", subject]:
                versions = self.subjects.get(subject, [])
                found = [at for at, number in enumerate(versions) if self.schemas[number]["schema"] == body["schema"]]
                if found:
                    return 200, self._version(subject, found[0] + 1)
            case ["GET", "subjects", subject, "versions", version] if subject in self.subjects:
                return 200, self._version(subject, len(self.subjects[subject]) if version == "latest" else int(version))
            case ["GET", "subjects", subject, "metadata"]:
                asked = parse_qs(urlsplit(path).query)
                wanted = dict(zip(asked["key"], asked["value"], strict=True))
                for at, kept in reversed([*enumerate(self.subjects.get(subject, []), 1)]):
                    known = self.schemas[kept].get("metadata", {}).get("properties", {})
                    if wanted.items() <= known.items():
                        return 200, self._version(subject, at)
            case ["POST", "compatibility", "subjects", subject, "versions", _]:
                return 200, {"is_compatible": False, "messages": [self._misfit(subject, body["schema"])]}
        return 404, {"error_code": 404, "message": "not found"}

    def add(self, subject: str, body: dict[str, Any]) -> int:
        number = next((at for at, known in self.schemas.items() if known == body), len(self.schemas) + 1)
        self.schemas[number] = body
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def _version(self, subject: str, version: int) -> dict[str, Any]:
        number = self.subjects[subject][version - 1]
        return {"subject": subject, "version": version, "id": number, **self.schemas[number]}

    def _misfit(self, subject: str, text: str) -> str:
        if not text.startswith("{"):
            return ""
        new = json.loads(text)
        for number in self.subjects.get(subject, []):
            old = json.loads(self.schemas[number]["schema"])
            known = {field["name"] for field in old.get("fields", ())} if isinstance(old, dict) else set()
            for field in new.get("fields", ()) if isinstance(new, dict) else ():
                if field["name"] not in known and "default" not in field:
                    return f"READER_FIELD_MISSING_DEFAULT_VALUE at {field['name']}"
        return ""


@contextmanager
def fake_registry() -> Iterator[FakeRegistry]:
    fake = FakeRegistry()
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        thread.join()
        fake.server.server_close()
