"""Requests of the command line to a running worker's REST."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from cdc.errors import RequestError, TailraceError

_ANSWER_S = 100.0


class WorkerUnreachable(TailraceError):
    """Nothing answers, or not as a worker does."""


@dataclass(frozen=True)
class RestClient:
    """A worker as its users reach it.

    Attributes:
        user: `name:password`, where the worker asks for it.
        authorities: PEM file of those who signed its certificate; None: the system's.
    """

    url: str
    user: str | None = None
    authorities: str | None = None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, None when it has none. Raises: RequestError, WorkerUnreachable."""
        request = urllib.request.Request(self.url.rstrip("/") + path, method=method, headers=self._headers())
        if body is not None:
            request.data = orjson.dumps(body)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_S, context=self._tls()) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RequestError(error.code, _message(error)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise WorkerUnreachable(
                f"no worker answers at {self.url}: {reason}; start one, or say where it is with --url or TAILRACE_URL"
            ) from None
        return orjson.loads(text) if text else None

    def connector(self, name: str, *more: str) -> str:
        """The path of a connector, and what is below it."""
        return "/".join(("/connectors", quote(name, safe=""), *more))

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.user is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(self.user.encode()).decode()
        return headers

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.authorities) if self.url.startswith("https:") else None


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read()
    try:
        return str(orjson.loads(text)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return text.decode(errors="replace").strip() or f"HTTP {error.code} {error.reason}"
