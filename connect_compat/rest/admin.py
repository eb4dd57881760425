"""`/admin`: levels of the worker's loggers, read and set while it runs, and what it logged lately."""

from __future__ import annotations

import logging
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cdc.errors import RequestError
from connect_compat.console import recent
from connect_compat.rest import body
from connect_compat.rest.answer import empty, json_answer
from connect_compat.rest.app import Body, TheHerder

router = APIRouter()
_LEVELS = {
    "OFF": logging.CRITICAL + 10, "FATAL": logging.CRITICAL, "ERROR": logging.ERROR, "WARN": logging.WARNING,
    "INFO": logging.INFO, "DEBUG": logging.DEBUG, "TRACE": 5, "ALL": 1,
}  # fmt: skip
_modified: dict[str, tuple[str, int]] = {}
"""What was set here: level by name as asked for, and when, in milliseconds since 1970."""


def _name(level: int) -> str:
    return next((name for name, number in _LEVELS.items() if number <= level), "ALL")


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == "root" else name)


def _explicit() -> list[str]:
    """Loggers with a level of their own."""
    known = logging.root.manager.loggerDict
    return ["root", *(name for name, item in known.items() if isinstance(item, logging.Logger) and item.level)]


def _shown(name: str) -> dict[str, Any]:
    level, modified = _modified.get(name, (None, None))
    effective = _logger(name).getEffectiveLevel()
    if level is None or _LEVELS[level] != effective:
        level = _name(effective)
    return {"level": level, "last_modified": modified}


@router.get("/admin/loggers")
def loggers() -> Response:
    """Levels of loggers that have one of their own."""
    return json_answer({name: _shown(name) for name in sorted(_explicit())})


@router.get("/admin/loggers/{name:segment}")
def logger(name: str) -> Response:
    """A logger's level; `root` is all."""
    if name != "root" and not isinstance(logging.root.manager.loggerDict.get(name), logging.Logger):
        raise RequestError(404, f"Logger {name} not found.")
    return json_answer(_shown(name))


@router.put("/admin/loggers/{name:segment}")
def set_level(request: Request, name: str, raw: Body, herder: TheHerder) -> Response:
    """`{"level": "DEBUG"}` sets it, in running tasks too."""
    asked = body.level_request(raw)
    if asked is None:
        raise RequestError(400, "Desired 'level' parameter was not specified in request.")
    level = asked.upper()
    if level not in _LEVELS:
        raise RequestError(404, f"invalid log level '{asked}'.")
    changed = _set(name, level, int(time.time() * 1000))
    for item in changed:
        herder.set_level(item, _LEVELS[level])
    if request.query_params.get("scope", "").lower() == "cluster":
        herder.store_level(name, level)
        return empty(204)
    return json_answer(changed)


def _set(name: str, level: str, now_ms: int) -> list[str]:
    """Names whose level changed by this, sorted."""
    known = [item for item, found in logging.root.manager.loggerDict.items() if isinstance(found, logging.Logger)]
    names = {"root", *known} if name == "root" else {name, *(item for item in known if item.startswith(name))}
    changed = sorted(item for item in names if _logger(item).level != _LEVELS[level])
    for item in changed:
        _logger(item).setLevel(_LEVELS[level])
        _modified[item] = (level, now_ms)
    return changed


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
