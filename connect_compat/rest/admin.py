"""`/admin`: levels of the worker's loggers, read and set while it runs, and what it logged lately."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cdc.errors import RequestError
from connect_compat import loggers as levels
from connect_compat.console import recent
from connect_compat.rest import body
from connect_compat.rest.answer import empty, json_answer
from connect_compat.rest.app import Body, TheHerder

router = APIRouter()


@router.get("/admin/loggers")
def loggers() -> Response:
    """Levels of loggers that have one of their own."""
    return json_answer({name: levels.shown(name) for name in levels.with_levels()})


@router.get("/admin/loggers/{name:segment}")
def logger(name: str) -> Response:
    """A logger's level; `root` is all."""
    if not levels.is_known(name):
        raise RequestError(404, f"Logger {name} not found.")
    return json_answer(levels.shown(name))


@router.put("/admin/loggers/{name:segment}")
def set_level(request: Request, name: str, raw: Body, herder: TheHerder) -> Response:
    """`{"level": "DEBUG"}` sets it, in running tasks too; with `?scope=cluster` on every worker of the group."""
    asked = body.level_request(raw)
    if asked is None:
        raise RequestError(400, "Desired 'level' parameter was not specified in request.")
    if not asked:
        raise RequestError(500, "Illegal null or empty Level name.")
    level = asked.strip().upper()
    if level not in levels.LEVELS:
        raise RequestError(404, f"invalid log level '{asked}'.")
    changed = herder.set_level(name, level)
    if request.query_params.get("scope", "").lower() == "cluster":
        herder.store_level(name, level)
        return empty(204)
    return json_answer(changed)


@router.get("/admin/logs")
def logs(request: Request) -> Response:
    """Tailrace's own: what this worker logged lately: `{"last": M, "lines": [{…}]}`; with `?after=N` only lines
    after number N.
    """
    asked = request.query_params.get("after", "0")
    if not asked.isdecimal():
        raise RequestError(400, f"after={asked} is no number of a line; take `last` of an earlier answer")
    kept = recent()
    if kept is None:
        return json_answer({"last": 0, "lines": []})
    return json_answer({"last": kept.last, "lines": kept.lines(int(asked))})
