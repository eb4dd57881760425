"""The REST application: routes, media types, errors and paths as Kafka Connect's; HTTP to herder calls only."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import structlog
from fastapi import Depends, FastAPI, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from cdc.errors import LogUnavailable, RequestError, TailraceError
from connect_compat.cluster import Elsewhere
from connect_compat.herder import Herder
from connect_compat.masking import text_without_secrets
from connect_compat.rest.access import Access, Callers, SizeLimit
from connect_compat.rest.answer import JSON, Misrouted, error_answer, misrouted_answer

logger = structlog.get_logger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
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
    if sent is not None and "/" not in sent:
        raise Misrouted(400)
    if sent is not None and sent.partition(";")[0].strip().lower() != JSON:
        raise Misrouted(415)
    if sent is None and request.headers.get("content-length", "0") != "0":
        raise Misrouted(415)
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    if not any(kind in (JSON, "application/*", "*/*", "*", "") for kind in accepted):
        raise Misrouted(406)


def flag(request: Request, name: str, default: bool = False) -> bool:
    """A boolean query parameter as Java reads it: everything but `true` is false; of several the first counts."""
    given = request.query_params.getlist(name)
    return given[0].lower() == "true" if given and given[0] else default


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What an application serves, and to whom.

    Attributes:
        connectors, admin: whether /admin is served, and whether all the rest is.
        callers: those who may ask; None: everybody may.
        most: bytes that the body of a request may have.
        peers: how other workers are spoken to over TLS; None: Python's default.
        origins, methods: `access.control.allow.origin` and `.methods`, comma lists; no CORS answers without origins.
    """

    connectors: bool = True
    admin: bool = True
    callers: Callers | None = None
    most: int = 10_485_760
    origins: str = ""
    methods: str = ""
    peers: ssl.SSLContext | None = None


EVERYTHING = Serving()


def application(herder: Herder, serving: Serving = EVERYTHING) -> FastAPI:
    """The application over one herder."""
    from connect_compat.rest import admin as admin_routes
    from connect_compat.rest import connectors, documentation, metrics, plugins
    from connect_compat.rest.forward import forwarded

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.herder = herder
    app.state.peers = serving.peers
    app.state.silent = {}
    routers = [
        *([connectors.router, plugins.router] if serving.connectors else []),
        *([admin_routes.router] if serving.admin else []),
    ]
    for router in routers:
        app.include_router(router, dependencies=[Depends(negotiate)])
    more = [metrics.router, documentation.router] if serving.connectors else []
    for router in more:
        app.include_router(router)
    app.state.served = [route for router in (*routers, *more) for route in router.routes]
    app.add_exception_handler(Elsewhere, forwarded)
    app.add_exception_handler(TailraceError, _refused)
    app.add_exception_handler(Misrouted, _misrouted)
    app.add_exception_handler(HTTPException, _misrouted)
    app.add_middleware(SizeLimit, most=serving.most)
    app.add_middleware(_Paths, routes=[route for router in routers for route in router.routes])
    app.add_middleware(_Unforeseen)
    if serving.callers is not None:
        app.add_middleware(Access, callers=serving.callers)
    if serving.origins.strip():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in serving.origins.split(",")],
            allow_methods=[method.strip() for method in (serving.methods or "GET,POST,HEAD").split(",")],
            allow_headers=["X-Requested-With", "Content-Type", "Accept", "Origin"],
            allow_credentials=True,
            max_age=1800,
        )
    return app


def _refused(request: Request, error: Exception) -> Response:
    """What was raised on purpose: its message. 503 says that the same request may succeed later."""
    message = text_without_secrets(str(error))
    if isinstance(error, RequestError):
        return error_answer(error.status, message)
    status = 503 if isinstance(error, LogUnavailable) else 500
    logger.warning("a request failed", method=request.method, path=request.url.path, status=status, error=message)
    return error_answer(status, message)


def _misrouted(request: Request, error: Exception) -> Response:
    return misrouted_answer(error.status if isinstance(error, Misrouted) else getattr(error, "status_code", 500))


class _Unforeseen:
    """Any other exception is 500 with its message, as in Kafka Connect; the log has the stack, in one line."""

    def __init__(self, app: App) -> None:
        self._inner = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._inner(scope, receive, sent)
        except Exception as error:
            method, path = scope.get("method"), scope.get("path")
            logger.error("a request failed", method=method, path=path, status=500, exc_info=True)
            if not begun:
                message = text_without_secrets(f"{type(error).__name__}: {error}")
                await error_answer(500, message)(scope, receive, send)


class _Paths:
    """Paths as Jersey reads them: a trailing slash is the same path, HEAD is GET without the body, OPTIONS lists."""

    def __init__(self, app: App, routes: Sequence[BaseRoute]) -> None:
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
