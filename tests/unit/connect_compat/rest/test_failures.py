"""What is answered, and logged, when serving a request fails; and to whom nothing is answered."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
import structlog

from cdc.errors import ConfigError, LogError, LogUnavailable, Problem, RequestError
from connect_compat import console
from connect_compat.herder import Herder
from connect_compat.rest.access import Callers
from connect_compat.rest.app import EVERYTHING, Serving, application


class Failing:
    """A herder whose every call raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


def ask(error: Exception, method: str, path: str, serving: Serving = EVERYTHING, **more: Any) -> httpx.Response:
    """The answer of an application over a herder that fails. Nothing may pass the application as an exception."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(application(cast(Herder, Failing(error)), serving))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What our application has logged as JSON."""
    return [line for line in map(json.loads, capfd.readouterr().err.splitlines()) if line["logger"] != "httpx"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError(404, "Connector x not found"), 404),
        (LogUnavailable("Kafka at k:9092 could not tell its cluster id: no answer in time"), 503),
        (LogError("topic c has cleanup.policy=delete"), 500),
        (ConfigError([Problem("a", "Invalid value 1 for configuration a")]), 500),
    ],
)
def test_an_error_raised_on_purpose_is_answered_with_its_sentence(error: Exception, status: int) -> None:
    answer = ask(error, "GET", "/connectors/x/offsets")
    assert (answer.status_code, answer.json()) == (status, {"error_code": status, "message": str(error)})


def test_an_outage_is_one_line_of_log_without_a_stack(
    capfd: pytest.CaptureFixture[str], logging_as_before: None
) -> None:
    console.configure("info", as_json=True)
    ask(LogUnavailable("no answer in time"), "GET", "/connectors/x/offsets")
    (line,) = lines(capfd)
    assert (line["level"], line["path"], line["status"]) == ("warning", "/connectors/x/offsets", 503)
    assert line["error"] == "no answer in time" and "exception" not in line


def test_anything_else_is_500_with_its_message_and_one_line_of_log_with_the_stack(
    capfd: pytest.CaptureFixture[str], logging_as_before: None
) -> None:
    console.configure("info", as_json=True)
    answer = ask(ZeroDivisionError("by password=s3cret"), "PUT", "/connectors/x/pause")
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/json"
    assert answer.json() == {"error_code": 500, "message": "ZeroDivisionError: by password=********"}
    (line,) = lines(capfd)
    assert (line["level"], line["method"], line["path"]) == ("error", "PUT", "/connectors/x/pause")
    assert "Traceback" in line["exception"] and "s3cret" not in json.dumps(line)


USERS = Serving(callers=Callers({"ann": "s3cret:x", "empty": ""}, {}))


@pytest.mark.parametrize("user", [("ann", "s3cret:x"), ("empty", "")])
def test_a_known_user_is_let_through(user: tuple[str, str]) -> None:
    assert ask(RequestError(404, "x"), "GET", "/connectors/x", USERS, auth=user).status_code == 404


@pytest.mark.parametrize("user", [("ann", "wrong"), ("ann", ""), ("bob", "s3cret:x"), ("bob", ""), ("", "")])
def test_another_is_not(user: tuple[str, str]) -> None:
    answer = ask(RequestError(404, "x"), "GET", "/connectors/x", USERS, auth=user)
    assert (answer.status_code, answer.text) == (401, "User cannot access the resource.")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("sent", ["", "Basic", "Basic !", "Basic YW5u", "Basic /w==", "Bearer YW5uOnMzY3JldDp4"])
def test_nor_is_one_without_name_and_password(sent: str) -> None:
    headers = {"Authorization": sent} if sent else {}
    for path in ("/", "/health", "/metrics", "/nowhere", "/admin/loggers"):
        assert ask(RequestError(404, "x"), "GET", path, USERS, headers=headers).status_code == 401


def test_a_browser_may_ask_what_it_may_ask_without_a_password() -> None:
    serving = Serving(callers=Callers({"ann": "s3cret"}, {}), origins="http://a")
    asked = {"Origin": "http://a", "Access-Control-Request-Method": "GET"}
    assert ask(RequestError(404, "x"), "OPTIONS", "/connectors", serving, headers=asked).status_code == 200


def test_admin_may_be_served_alone_or_not_at_all() -> None:
    alone, without = Serving(connectors=False), Serving(admin=False)
    error = RequestError(418, "x")
    assert ask(error, "GET", "/admin/loggers", alone).status_code == 200
    assert [ask(error, "GET", path, alone).status_code for path in ("/", "/connectors", "/metrics")] == [404] * 3
    assert ask(error, "GET", "/admin/loggers", without).status_code == 404
    assert ask(error, "GET", "/connectors", without).status_code == 418


@pytest.mark.parametrize(
    ("method", "token", "status"),
    [("GET", "t0ken", 404), ("PUT", "t0ken", 404), ("GET", "look", 404), ("PUT", "look", 403), ("DELETE", "look", 403),
     ("GET", "else", 401), ("GET", "", 401)],
)  # fmt: skip
def test_a_token_lets_through_and_one_for_looking_only_looks(method: str, token: str, status: int) -> None:
    serving = Serving(callers=Callers({}, {"ci": "t0ken", "eyes": "look"}, frozenset({"eyes"})))
    headers = {"Authorization": f"Bearer {token}"}
    answer = ask(RequestError(404, "x"), method, "/connectors/x/pause", serving, headers=headers)
    assert answer.status_code == (405 if (method, status) in (("GET", 404), ("DELETE", 404)) else status)
    if status == 403:
        assert answer.json()["message"].startswith("eyes may only look (tailrace.rest.readers), and ")


@pytest.mark.parametrize("announced", [True, False])
def test_a_request_that_is_too_large_is_refused_with_the_setting(announced: bool) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b" " * 100

    content = b" " * 3000 if announced else pieces()
    answer = ask(RequestError(418, "x"), "PUT", "/connectors/x/config", Serving(most=2000), content=content,
                 headers={"Content-Type": "application/json"})  # fmt: skip
    assert answer.status_code == 413
    assert answer.json()["message"] == "The request is larger than 2000 bytes; raise tailrace.rest.request.max.bytes"
