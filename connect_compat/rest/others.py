"""What other workers of the group know of tasks that run there: asked of them, and put into statuses given here."""

from __future__ import annotations

import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

import orjson
from fastapi import Request

from connect_compat.herder import Herder
from connect_compat.rest.forward import FORWARDED, Unreachable, ask, is_handed_on

_ANSWER_S: Final = 1.0
_LEFT_ALONE_S: Final = 5.0
"""A worker that did not answer is not asked again for so long: a status must not wait for a dead one each time."""
Statuses = Mapping[str, dict[str, Any]]
"""Connector -> its ConnectorStateInfo."""


def complete(request: Request, herder: Herder, found: Statuses) -> None:
    """Adds to the tasks in `found` what only the workers that run them know. Nothing when those do not answer."""
    if is_handed_on(request):
        return
    there: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for name, status in found.items():
        for task in status["tasks"]:
            if (url := herder.runs_at(name, task["id"])) is not None:
                there[url].append((name, task))
    silent: dict[str, float] = request.app.state.silent
    asked = [url for url in there if silent.get(url, 0.0) < time.monotonic()]
    if not asked:
        return
    path = f"/connectors/{quote(next(iter(found)), safe='')}/status" if len(found) == 1 else "/connectors"
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = threads.map(lambda url: _told(request, url, path), asked)
        for url, answer in zip(asked, answers, strict=True):
            if answer is None:
                silent[url] = time.monotonic() + _LEFT_ALONE_S
            else:
                _add(answer, there[url])


def _told(request: Request, url: str, path: str) -> Statuses | None:
    """Statuses as the worker at `url` knows them; None when it does not answer."""
    tls: ssl.SSLContext | None = request.app.state.peers
    query = ["expand=status"] if path == "/connectors" else [request.url.query] if request.url.query else []
    try:
        answer = ask(request, "GET", f"{url}{path}?{'&'.join([*query, FORWARDED])}", b"", tls, _ANSWER_S)
    except Unreachable:
        return None
    if answer.status_code != 200:
        return None
    body = orjson.loads(answer.body)
    return {name: each["status"] for name, each in body.items()} if path == "/connectors" else {body["name"]: body}


def _add(answer: Statuses, tasks: list[tuple[str, dict[str, Any]]]) -> None:
    told = {(name, task["id"]): task for name, status in answer.items() for task in status["tasks"]}
    for name, task in tasks:
        theirs = told.get((name, task["id"]), {})
        if theirs.get("state") == task["state"]:
            task.update({member: value for member, value in theirs.items() if member not in task})
