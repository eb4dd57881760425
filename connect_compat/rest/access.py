"""Who may ask what: basic authentication, bearer tokens, those who may only look, and how large a request may be.

Source: RFC 7617, RFC 6750.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from connect_compat.rest.answer import error_answer

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_LOOKING: Final = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Callers:
    """Those who may ask.

    Attributes:
        users: name -> password.
        tokens: name -> bearer token.
        readers: names, of either, that may only look.
    """

    users: Mapping[str, str]
    tokens: Mapping[str, str]
    readers: frozenset[str] = frozenset()

    def name(self, authorization: str) -> str | None:
        """Whose the header is; None: nobody's. Compared for unknown names too, so that the time taken tells nothing."""
        scheme, _, sent = authorization.partition(" ")
        match scheme.lower():
            case "basic":
                return self._user(sent.strip())
            case "bearer":
                found = [name for name, token in self.tokens.items() if _same(token, sent.strip())]
                return found[0] if found else None
            case _:
                return None

    def _user(self, encoded: str) -> str | None:
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        right = _same(self.users.get(name, ""), password)
        return name if colon and right and name in self.users else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Access:
    """Lets known callers pass: 401 for others, 403 for a change that one who may only look asks for."""

    def __init__(self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]], callers: Callers) -> None:
        self._inner, self._callers = app, callers

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        answer = self._inner if scope["type"] != "http" else self._refusal(scope) or self._inner
        await answer(scope, receive, send)

    def _refusal(self, scope: _Message) -> Response | None:
        name = self._callers.name(Headers(scope=scope).get("authorization", ""))
        if name is None:
            return PlainTextResponse("User cannot access the resource.", 401,
                                     {"WWW-Authenticate": 'Basic realm="tailrace", charset="UTF-8"'})  # fmt: skip
        if name in self._callers.readers and scope["method"] not in _LOOKING:
            asked = f"{scope['method']} {scope['path']}"
            return error_answer(403, f"{name} may only look (tailrace.rest.readers), and {asked} is more than that")
        return None


class SizeLimit:
    """413 for a body of more than `most` bytes, announced or not, before it is in memory."""

    def __init__(self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]], most: int) -> None:
        self._inner, self._most = app, most

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._most:
            await self._too_large()(scope, receive, send)
            return
        came = 0

        async def counted() -> _Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooLarge
            return message

        try:
            await self._inner(scope, counted, send)
        except _TooLarge:
            await self._too_large()(scope, receive, send)

    def _too_large(self) -> Response:
        return error_answer(
            413, f"The request is larger than {self._most} bytes; raise tailrace.rest.request.max.bytes"
        )


class _TooLarge(Exception):
    """Raised by reading a body that goes on and on."""
