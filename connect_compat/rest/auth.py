"""HTTP basic authentication: requests of known users pass, others are answered 401. Source: RFC 7617."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class BasicAuth:
    """`users`: name -> password."""

    def __init__(self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]], users: Mapping[str, str]) -> None:
        self._inner, self._users = app, users

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http" or self._knows(Headers(scope=scope).get("authorization", "")):
            await self._inner(scope, receive, send)
            return
        refused = PlainTextResponse("User cannot access the resource.", 401,
                                    {"WWW-Authenticate": 'Basic realm="tailrace", charset="UTF-8"'})  # fmt: skip
        await refused(scope, receive, send)

    def _knows(self, sent: str) -> bool:
        scheme, _, encoded = sent.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        # Compared for unknown names too, so that the time taken tells nothing.
        right = hmac.compare_digest(self._users.get(name, "").encode(), password.encode())
        return bool(colon) and right and name in self._users
