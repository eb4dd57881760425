"""Results and errors of the herder to HTTP answers: status, body, and a Content-Type where Kafka Connect has one."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

JSON: Final = "application/json"
_ROUTING: Final = {
    404: "HTTP 404 Not Found", 405: "HTTP 405 Method Not Allowed", 406: "HTTP 406 Not Acceptable",
    415: "HTTP 415 Unsupported Media Type",
}  # fmt: skip


class Misrouted(Exception):
    """No resource, no such method, or no media type in common: answered before any resource is asked."""

    def __init__(self, status: int) -> None:
        super().__init__(_ROUTING.get(status, f"HTTP {status}"))
        self.status = status


def json_answer(body: Any, status: int = 200, location: str | None = None) -> Response:
    headers = {"Location": location} if location is not None else None
    return Response(orjson.dumps(body), status, headers=headers, media_type=JSON)


def empty(status: int) -> Response:
    return Response(status_code=status)


def error_answer(status: int, message: str | None) -> Response:
    return json_answer({"error_code": status, "message": message}, status)


def misrouted_answer(status: int) -> Response:
    """Without a Content-Type, as Kafka Connect answers what reaches none of its resources; 400 has no body there."""
    if status == 400:
        return empty(400)
    return Response(orjson.dumps({"error_code": status, "message": str(Misrouted(status))}), status)
