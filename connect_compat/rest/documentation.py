"""`/docs` and `/openapi.json`: what is served, for people and for programs, made of the routes and their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from html import escape
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response

from connect_compat.rest.answer import json_answer

router = APIRouter()
_HEAD: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tailrace REST</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}td{padding:.3em .6em;
vertical-align:top;border-top:1px solid #8884}code{white-space:nowrap}:root{color-scheme:light dark}</style>
<h1>Tailrace REST</h1><p>Kafka Connect's API and what Tailrace adds.
For programs: <a href="openapi.json">openapi.json</a>.<table>"""


def described(routes: Iterable[object]) -> Iterator[tuple[str, str, str]]:
    """Method, path and what is answered, of every route."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield (
                    method,
                    route.path.replace(":segment", ""),
                    " ".join((inspect.getdoc(route.endpoint) or "").split()),
                )


@router.get("/docs")
def page(request: Request) -> Response:
    """This list, for people."""
    rows = [
        f"<tr><td><code>{method} {escape(path)}</code><td>{escape(text)}</tr>"
        for method, path, text in described(request.app.state.served)
    ]
    return HTMLResponse(_HEAD + "\n".join(rows) + "</table></html>")


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    """This list as OpenAPI 3.1, for programs."""
    found: dict[str, Any] = get_openapi(title="Tailrace", version=version("tailrace"), routes=request.app.state.served)
    paths = {path.replace(":segment", ""): methods for path, methods in found["paths"].items()}
    return json_answer({**found, "paths": paths})
