"""The REST application: routes, media types, errors and paths as Kafka Connect's; HTTP to herder calls only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import structlog
from fastapi import Depends, FastAPI, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from cdc.errors import RequestError
from connect_compat.herder import Herder
from connect_compat.masking import text_without_secrets
from connect_compat.rest.answer import JSON, Misrouted, error_answer, misrouted_answer

logger = structlog.get_logger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_SLASH = "\0"
"""Stands for an encoded slash inside a path segment while routing; no name can hold it itself."""


class _Segment(Convertor[str]):
    """One path segment, which may hold an encoded slash."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.replace(_SLASH, "/")

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("segment", _Segment())


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


def the_herder(request: Request) -> Herder:
    herder: Herder = request.app.state.herder
    return herder


TheHerder = Annotated[Herder, Depends(the_herder)]


def negotiate(request: Request) -> None:
    """Raises: Misrouted: 415 for a body that is not JSON, 406 for a client that takes no JSON."""
    sent = request.headers.get("content-type")
    if sent is not None and sent.partition(";")[0].strip().lower() not in (JSON, "*/*", "application/*"):
        raise Misrouted(415)
    if sent is None and request.headers.get("content-length", "0") != "0":
        raise Misrouted(415)
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    if not any(kind in (JSON, "application/*", "*/*", "*", "") for kind in accepted):
        raise Misrouted(406)


def flag(text: str | None, default: bool = False) -> bool:
    """A boolean query parameter as Java reads it: everything but `true` is false."""
    return default if text is None else text.lower() == "true"


def application(herder: Herder, *, admin: bool = True, origins: str = "", methods: str = "") -> FastAPI:
    """The application over one herder.

    Args:
        admin: whether /admin is served.
        origins, methods: `access.control.allow.origin` and `.methods`, comma lists; no CORS answers without origins.
    """
    from connect_compat.rest import admin as admin_routes
    from connect_compat.rest import connectors, metrics, plugins

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.herder = herder
    routers = [connectors.router, plugins.router, *([admin_routes.router] if admin else [])]
    for router in routers:
        app.include_router(router, dependencies=[Depends(negotiate)])
    app.include_router(metrics.router)
    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(Misrouted, _misrouted)
    app.add_exception_handler(HTTPException, _misrouted)
    app.add_middleware(_Paths, routes=[route for router in routers for route in router.routes])
    if origins.strip():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in origins.split(",")],
            allow_methods=[method.strip() for method in (methods or "GET,POST,HEAD").split(",")],
            allow_headers=["X-Requested-With", "Content-Type", "Accept", "Origin"],
            allow_credentials=True,
            max_age=1800,
        )
    return app


def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RequestError) else 500
    return error_answer(status, text_without_secrets(str(error)))


def _misrouted(request: Request, error: Exception) -> Response:
    return misrouted_answer(error.status if isinstance(error, Misrouted) else getattr(error, "status_code", 500))


def _failed(request: Request, error: Exception) -> Response:
    """Anything else is 500 with its message, as in Kafka Connect; the log has the stack."""
    return error_answer(500, text_without_secrets(str(error)))


class _Paths:
    """Paths as Jersey reads them: a trailing slash is the same path, HEAD is GET without the body, OPTIONS lists."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], routes: Sequence[BaseRoute]) -> None:
        self._inner, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        scope = {**scope, "path": _path(scope["raw_path"])}
        if scope["method"] == "OPTIONS":
            await self._options(scope)(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        await self._inner(scope, receive, send)

    def _options(self, scope: Scope) -> Response:
        methods = {
            method
            for route in self._routes
            if route.matches({**scope, "method": "GET"})[0] is not Match.NONE
            for method in getattr(route, "methods", None) or ()
        }
        if not methods:
            return misrouted_answer(404)
        allowed = sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())})
        return Response(headers={"Allow": ",".join(allowed)}, media_type=JSON)


def _path(raw: bytes) -> str:
    """Decoded segment by segment, without slashes at the end."""
    segments = raw.partition(b"?")[0].rstrip(b"/").split(b"/")
    return "/".join(unquote_to_bytes(part).decode("utf-8", "replace").replace("/", _SLASH) for part in segments) or "/"
