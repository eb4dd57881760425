"""A request that another worker of the group must answer: handed on, once, and its answer handed back."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from connect_compat.cluster import Elsewhere
from connect_compat.rest.answer import error_answer
from connect_compat.turns import REQUEST_S

logger = structlog.get_logger(__name__)
FORWARDED: Final = "forward=false"
"""Kafka Connect's query parameter for a request that must not be handed on again."""
_HANDED_ON: Final = ("accept", "authorization", "content-type")
_HANDED_BACK: Final = ("content-type", "location")


class Unreachable(Exception):
    """The worker that was asked gives no answer; the text says why."""


def is_handed_on(request: Request) -> bool:
    """Whether another worker handed it on, so that it must be answered here."""
    return request.query_params.get("forward", "").lower() == "false"


async def forwarded(request: Request, elsewhere: Exception) -> Response:
    """The answer of the worker that must be asked; 409 for a request that was handed on already."""
    assert isinstance(elsewhere, Elsewhere)
    if is_handed_on(request):
        return error_answer(409, str(elsewhere))
    tls: ssl.SSLContext | None = request.app.state.peers
    body = await request.body()
    return await run_in_threadpool(_asked, request, body, elsewhere.url, tls)


def _asked(request: Request, body: bytes, url: str, tls: ssl.SSLContext | None) -> Response:
    path = request.scope["raw_path"].decode("ascii").partition("?")[0]
    query = "&".join(filter(None, (request.url.query, FORWARDED)))
    try:
        return ask(request, request.method, f"{url}{path}?{query}", body, tls, REQUEST_S)
    except Unreachable as error:
        logger.warning("the worker that must answer a request cannot be reached", worker=url, error=str(error))
        return error_answer(500, f"IO Error trying to forward REST request: {error}")


def ask(request: Request, method: str, url: str, body: bytes, tls: ssl.SSLContext | None, timeout_s: float) -> Response:
    """Another worker's answer, asked in the name of whoever sent `request`. Raises: Unreachable."""
    there = urlsplit(url)
    headers = {name: text for name in _HANDED_ON if (text := request.headers.get(name)) is not None}
    host, port = there.hostname or "", there.port
    connection = (
        HTTPSConnection(host, port, timeout=timeout_s, context=tls)
        if there.scheme == "https"
        else HTTPConnection(host, port, timeout=timeout_s)
    )
    try:
        connection.request(method, f"{there.path}?{there.query}", body or None, headers)
        return _answer(connection.getresponse())
    except (OSError, HTTPException) as error:
        raise Unreachable(str(error)) from error
    finally:
        connection.close()


def _answer(answer: HTTPResponse) -> Response:
    headers = {name: text for name in _HANDED_BACK if (text := answer.headers.get(name)) is not None}
    return Response(answer.read(), answer.status, headers=headers)
