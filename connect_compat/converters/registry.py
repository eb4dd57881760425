"""A client of schema registries that speak Confluent's REST API: Confluent's, Apicurio's `ccompat`, Karapace.

What was asked once is kept: an id means the same schema for ever. Source: "Schema Registry API Reference".
"""

from __future__ import annotations

import base64
import http.client
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import orjson

from cdc.errors import ConfigError, ConversionError, LogUnavailable, Problem
from connect_compat.converters.registry_login import OAuth

_JSON: Final = "application/vnd.schemaregistry.v1+json"
_INCOMPATIBLE, _NOT_FOUND = 409, 404
_NO_LOGIN: Final = (401, 403)
_BUSY: Final = (408, 429, 500, 502, 503, 504)
_KEPT: Final = 10_000


class Reference(NamedTuple):
    """A schema that another one names: under what name, and where it stands."""

    name: str
    subject: str
    version: int


class Registered(NamedTuple):
    """A schema as the registry keeps it; `kind`: AVRO, JSON or PROTOBUF."""

    text: str
    kind: str
    references: tuple[Reference, ...]
    id: int | None = None
    version: int | None = None
    rules: tuple[Mapping[str, Any], ...] = ()
    """Of its data contract, on values that are written or read."""


class Refused(Exception):
    """The registry answered, and not what was hoped for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message = status, message


@dataclass(frozen=True)
class Access:
    """Where the registry is and who asks.

    Attributes:
        urls: tried in turn; one may carry `user:password@`.
        credentials: `user:password`, when not in the URL.
        token: of a bearer.
        oauth: where a bearer's token is from, in place of `token`.
        headers: sent with every request.
        tls: None for the machine's own authorities.
        proxy: host and port.
        randomize: whether to begin at any of the addresses.
    """

    urls: Sequence[str]
    credentials: str | None = None
    token: str | None = None
    oauth: OAuth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    proxy: tuple[str, int] | None = None
    connect_s: float = 60.0
    read_s: float = 60.0
    randomize: bool = False


class Registry:
    """One client; not for several threads at once."""

    def __init__(
        self,
        access: Access,
        *,
        normalize: bool = False,
        tags: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`normalize`: differences of schemas that mean nothing are disregarded; `tags`: new versions keep the tags."""
        self._access, self._clock = access, clock
        self._addresses = [urlsplit(url.strip().rstrip("/")) for url in access.urls]
        if access.randomize:
            first = random.randrange(len(self._addresses))
            self._addresses = self._addresses[first:] + self._addresses[:first]
        self._suffix = "?normalize=true" if normalize else ""
        self._more = {"propagateSchemaTags": True} if tags else {}
        self.by_id = lru_cache(maxsize=_KEPT)(self._by_id)
        self._known: dict[tuple[str, str], Registered] = {}

    def register(self, subject: str, text: str, kind: str = "AVRO") -> Registered:
        """The schema with its id; it becomes the subject's newest version if it is none yet.

        Raises: ConversionError: it does not fit the subject's versions, and why; LogUnavailable.
        """
        known = self._known.get((subject, text))
        if known is None:
            path = f"/subjects/{quote(subject, safe='')}/versions{self._suffix}"
            try:
                answer = self._ask("POST", path, _body(text, kind) | self._more)
            except Refused as error:
                raise ConversionError(self._refusal(subject, text, kind, error)) from None
            known = self._known[subject, text] = _registered({**answer, "schema": text, "schemaType": kind})
        return known

    def lookup(
        self, subject: str, text: str, kind: str = "AVRO", references: Sequence[Reference] = ()
    ) -> Registered | None:
        """The schema as the subject has it, with id and version; None when it has no such schema."""
        body = _body(text, kind, references)
        try:
            answer = self._ask("POST", f"/subjects/{quote(subject, safe='')}{self._suffix}", body)
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise ConversionError(f"the schema registry refuses to look up subject {subject!r}: {error}") from None
        return _registered(answer, kind)

    def latest(self, subject: str) -> Registered | None:
        """The subject's newest version; None when there is no such subject."""
        return self.at(subject, "latest")

    def at(self, subject: str, version: int | str) -> Registered | None:
        try:
            answer = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version}")
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise ConversionError(f"the schema registry refuses version {version} of {subject!r}: {error}") from None
        return _registered(answer)

    def described(self, subject: str, metadata: Mapping[str, str]) -> Registered | None:
        """The subject's newest version that has this metadata; None when there is none."""
        asked = [*(pair for item in metadata.items() for pair in zip(("key", "value"), item, strict=True)),
                 ("deleted", "true")]  # fmt: skip
        try:
            answer = self._ask("GET", f"/subjects/{quote(subject, safe='')}/metadata?{urlencode(asked)}")
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise ConversionError(f"the schema registry refuses metadata of {subject!r}: {error}") from None
        return _registered(answer)

    def _by_id(self, number: int) -> Registered:
        """Raises: ConversionError: there is no such schema."""
        try:
            return _registered(self._ask("GET", f"/schemas/ids/{number}"))
        except Refused as error:
            raise ConversionError(f"the schema registry at {self._shown()} has no schema {number} ({error.message}); "
                                  "was the record written with another registry?") from None  # fmt: skip

    def _refusal(self, subject: str, text: str, kind: str, error: Refused) -> str:
        if error.status != _INCOMPATIBLE:
            return f"the schema registry refuses the schema for subject {subject!r}: {error}"
        why = self._incompatibilities(subject, text, kind) or error.message
        return (f"the new schema of subject {subject!r} is not compatible with its earlier versions, and nothing was "
                f"written: {why}. Change the table so that the new schema fits (a new column nullable or with a "
                f"default), or relax the rule: PUT {self._shown()}/config/{quote(subject, safe='')} "
                '{"compatibility": "NONE"}')  # fmt: skip

    def _incompatibilities(self, subject: str, text: str, kind: str) -> str:
        """What the registry says of the schema against the newest version; empty when it says nothing."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest?verbose=true"
        try:
            answer = self._ask("POST", path, _body(text, kind))
        except (Refused, LogUnavailable):
            return ""
        return "; ".join(map(str, answer.get("messages") or ()))

    def _shown(self) -> str:
        first = self._addresses[0]
        return f"{first.scheme}://{first.hostname}{f':{first.port}' if first.port else ''}{first.path}"

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of the answer. Raises: Refused; LogUnavailable: no address answers."""
        raw = None if body is None else orjson.dumps(body)
        problem: object = "no address"
        for _ in range(len(self._addresses) + 1):
            try:
                return self._answer(method, path, raw)
            except (OSError, http.client.HTTPException) as error:
                problem = error
                self._addresses.append(self._addresses.pop(0))
        raise LogUnavailable(f"the schema registry at {self._shown()} does not answer: {problem}")

    def _answer(self, method: str, path: str, raw: bytes | None) -> Any:
        address = self._addresses[0]
        status, text = self._sent(address, method, path, raw, self._request_headers(address))
        if status in _BUSY:
            raise LogUnavailable(f"the schema registry at {self._shown()} is busy or failing: {status} {text[:300]!r}")
        if status in _NO_LOGIN:
            raise ConfigError([Problem("schema.registry.url", f"the schema registry at {self._shown()} answers "
                                       f"{status} to {method} {path}: {text[:300]!r}; correct basic.auth.* or "
                                       "bearer.auth.*, or have the registry allow it")])  # fmt: skip
        answer = _json(text)
        if status >= 400:
            raise Refused(status, str(answer.get("message", answer)))
        return answer

    def _sent(
        self, address: SplitResult, method: str, path: str, raw: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises: OSError, HTTPException."""
        with closing(self._connection(address)) as connection:
            connection.connect()
            connection.sock.settimeout(self._access.read_s)
            proxied = self._access.proxy is not None and address.scheme != "https"
            before = f"http://{address.netloc.rpartition('@')[2]}" if proxied else ""
            connection.request(method, before + (address.path + path or "/"), raw, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()

    def _connection(self, address: SplitResult) -> http.client.HTTPConnection:
        host, port = self._access.proxy or (address.hostname or "", address.port)
        if address.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=self._access.connect_s)
        trusted = self._access.tls or ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, port, timeout=self._access.connect_s, context=trusted)
        if self._access.proxy is not None:
            secure.set_tunnel(address.hostname or "", address.port)
        return secure

    def _request_headers(self, address: SplitResult) -> dict[str, str]:
        headers = {"Accept": _JSON, "Content-Type": _JSON, **self._access.headers}
        credentials = self._access.credentials
        if credentials is None and address.username:
            credentials = f"{unquote(address.username)}:{unquote(address.password or '')}"
        if token := self._token():
            headers["Authorization"] = f"Bearer {token}"
        elif credentials:
            headers["Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
        return headers

    def _token(self) -> str | None:
        """Of the bearer. Raises: ConfigError: the identity provider refuses; OSError: it does not answer."""
        oauth = self._access.oauth
        if oauth is None:
            return self._access.token
        if known := oauth.known(self._clock()):
            return known
        raw, headers = oauth.request()
        address = urlsplit(oauth.issuer)
        query = f"?{address.query}" if address.query else ""
        status, text = self._sent(address, "POST", query, raw, headers)
        if status in _BUSY:
            raise LogUnavailable(f"the identity provider at {oauth.issuer} is busy or failing: {status}")
        if status >= 400:
            raise ConfigError([Problem("bearer.auth.client.id", f"the identity provider at {oauth.issuer} answers "
                                       f"{status}: {text[:300]!r}; correct bearer.auth.client.id, "
                                       "bearer.auth.client.secret or bearer.auth.scope")])  # fmt: skip
        return oauth.keep(_json(text), self._clock())


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"message": text[:300].decode("utf-8", "replace")}


def _body(text: str, kind: str, references: Sequence[Reference] = ()) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": text} if kind == "AVRO" else {"schema": text, "schemaType": kind}
    return {**body, "references": [each._asdict() for each in references]} if references else body


def _registered(answer: Mapping[str, Any], kind: str = "AVRO") -> Registered:
    """`kind`: what it is of when the answer does not say (Apicurio's does not where it was asked for)."""
    references = tuple(
        Reference(each["name"], each["subject"], int(each["version"])) for each in answer.get("references") or ()
    )
    rules = (answer.get("ruleSet") or {}).get("domainRules") or ()
    return Registered(answer["schema"], answer.get("schemaType") or kind, references, answer.get("id"),
                      answer.get("version"), tuple(rules))  # fmt: skip
