"""Requests to Elasticsearch or OpenSearch, bytes in and bytes out; every failure as an outage or as something to mend.

Plain `application/json`, which every server takes: Elasticsearch 7.17, 8 and 9, OpenSearch. The transport library is
Elastic's; its addresses that do not answer are left out for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.client import responses
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import orjson
import urllib3
from elastic_transport import (
    BaseNode,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    Serializer,
    TlsError,
    Transport,
    TransportError,
    Urllib3HttpNode,
)
from elastic_transport import ConnectionError as Unreachable

from cdc.errors import TargetError, TargetUnavailable
from sinks.elasticsearch.config import ElasticsearchConfig
from sinks.elasticsearch.tls import ssl_context

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
ACCESS: Final = (
    "set connection.username and connection.password, or connection.api.key, of a user that may create_index, index, "
    "delete, read and view_index_metadata"
)
"""The remedy where a user lacks rights."""
_BUSY: Final = (408, 429)
_SHORTEST_BULK_S: Final = 30.0


class Answer(NamedTuple):
    """What the server said: `body` is JSON, mostly."""

    status: int
    headers: HttpHeaders
    body: bytes

    def json(self) -> Any:
        """None where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class Busy(TargetUnavailable):
    """The server has too much to do for now (429, 503). Nothing of the request was done."""


class _Bytes(Serializer):
    """Bodies as they are."""

    mimetype = JSON

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, data: bytes) -> bytes:
        return data


class Client:
    """One task's connections, as many at a time as requests may be on their way."""

    def __init__(self, config: ElasticsearchConfig, *, timeout_s: float | None = None) -> None:
        """`timeout_s`: for an answer; by default what bulk requests need. Raises: ConfigError: a certificate file."""
        self._config = config
        self.where = "Elasticsearch at " + ", ".join(map(without_user, config.urls))
        read_s = timeout_s or max(config.read_ms / 1000, _SHORTEST_BULK_S)
        as_they_are = _Bytes()
        nodes = _nodes(config)
        self._transport = Transport(
            nodes,
            node_class=_node_class(config, read_s),
            serializers=dict.fromkeys((JSON, NDJSON, "application/*", "text/*"), as_they_are),
            max_retries=len(nodes) - 1,
            meta_header=False,
        )
        self._headers = _headers(config)

    def call(self, method: str, path: str, body: Any = None, *, content: str = JSON) -> Answer:
        """`body`: bytes, or what becomes JSON. An answer of 404 or 400 is an answer.

        Raises: TargetUnavailable; TargetError: no access, no TLS, no such server, a body that is too large.
        """
        headers = self._headers if body is None else {**self._headers, "content-type": content}
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        try:
            meta, told = self._transport.perform_request(method, path, body=data, headers=headers)
        except TransportError as error:
            raise self._failure(error) from error
        answer = Answer(meta.status, meta.headers, told or b"")
        if meta.status in (401, 403, 413, *_BUSY) or meta.status >= 500:
            raise self.refusal(answer)
        return answer

    def close(self) -> None:
        self._transport.close()

    def _failure(self, error: TransportError) -> TargetError:
        if isinstance(error, TlsError):
            return TargetError(f"no TLS connection to {self.where}: {error.message}; {_tls_remedy(error.message)}")
        if isinstance(error, Unreachable | ConnectionTimeout):
            return TargetUnavailable(
                f"{self.where} does not answer: {error.message}; check that it runs, and connection.url"
            )
        return TargetError(f"{self.where}: {error.message}; correct connection.url")

    def refusal(self, answer: Answer) -> TargetError:
        """What an answer other than success means."""
        status = answer.status
        told = answer.json()
        reason = reason_of(told) if isinstance(told, dict) and told.get("error") else responses.get(status, "")
        if status in (401, 403):
            return TargetError(f"{self.where} refuses access ({status}): {reason}; {ACCESS}")
        if status in _BUSY or status >= 500:
            kind = Busy if status in (429, 503) else TargetUnavailable
            return kind(f"{self.where} is busy ({status}): {reason}")
        if status == 413:
            return TargetError(
                f"{self.where} takes no request this large: lower bulk.size.bytes (now {self._config.bulk_bytes}) "
                "below its http.max_content_length"
            )
        if not isinstance(told, dict):
            return TargetError(f"{self.where} is something else ({status} {reason}); correct connection.url")
        return TargetError(f"{self.where} refused a request ({status}): {reason}")


def path_of(resource: str, rest: str = "") -> str:
    """`/index/_mapping`; the name with its slashes and signs escaped."""
    return f"/{quote(resource, safe='')}{rest}"


def reason_of(result: Any) -> str:
    """The error in an answer, or in an item of one, in Elasticsearch's words."""
    error = result.get("error") or {}
    if not isinstance(error, dict):
        return str(error)
    cause = (error.get("caused_by") or {}).get("reason")
    return f"{error.get('type')}: {error.get('reason')}" + (f" ({cause})" if cause else "")


def without_user(url: str) -> str:
    """An address as it may be shown."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _tls_remedy(told: str) -> str:
    """For what OpenSSL told."""
    if "mismatch" in told:
        return ("name the server in connection.url as its certificate does, or set "
                "elastic.https.ssl.endpoint.identification.algorithm to nothing")  # fmt: skip
    if "WRONG_VERSION_NUMBER" in told:
        return "begin connection.url with http: if the server has no TLS"
    if "alert" in told.lower():
        return "the server wants another certificate of this side: set elastic.https.ssl.keystore.location"
    return "set elastic.https.ssl.truststore.location to the CA's PEM file"


def _headers(config: ElasticsearchConfig) -> dict[str, str]:
    headers = {"accept": JSON, "user-agent": "tailrace"}
    if config.api_key is not None:
        return {**headers, "authorization": f"ApiKey {config.api_key.reveal()}"}
    login = f"{config.username}:{config.password.reveal()}" if config.username and config.password else None
    if login is None:
        login = next((found for url in config.urls if (found := urlsplit(url).netloc.rpartition("@")[0])), None)
    return {**headers, **(urllib3.make_headers(basic_auth=login) if login else {})}


def _nodes(config: ElasticsearchConfig) -> list[NodeConfig]:
    """One for each address, however often it is named. Without a port it has its scheme's, as in Confluent's sink."""
    parts = [urlsplit(url if "://" in url else f"http://{url}") for url in config.urls]
    scheme, port = ("https", 443) if any(part.scheme == "https" for part in parts) else ("http", 80)
    places = dict.fromkeys((part.hostname or "", part.port or port, part.path.rstrip("/")) for part in parts)
    return [
        NodeConfig(scheme, host, at, path_prefix=path, http_compress=config.compression) for host, at, path in places
    ]


def _node_class(config: ElasticsearchConfig, read_s: float) -> type[Urllib3HttpNode]:
    """A node with the timeouts, the TLS and the proxy of the config; the library's own knows no proxy."""
    options: dict[str, Any] = {
        "maxsize": config.max_in_flight + 1,
        "block": True,
        "timeout": urllib3.Timeout(connect=config.connect_ms / 1000 or None, read=read_s),
    }
    if any(url.startswith("https:") for url in config.urls):
        options |= {"ssl_context": ssl_context(config), "assert_hostname": None if config.hostname_check else False}

    class Node(Urllib3HttpNode):
        def __init__(self, node: NodeConfig) -> None:
            BaseNode.__init__(self, node)
            pool: Any
            if config.proxy_host:
                pool = _Proxied(_proxy(config, options), self.base_url.removesuffix(node.path_prefix))
            else:
                pool = urllib3.PoolManager(**options).connection_from_host(node.host, node.port, node.scheme)
            self.pool = pool

    return Node


class _Proxied:
    """A server behind a proxy, as a node uses its pool: a proxy wants the whole address."""

    def __init__(self, manager: urllib3.ProxyManager, address: str) -> None:
        self._manager, self._address = manager, address

    def urlopen(self, method: str, target: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return self._manager.urlopen(method, self._address + target, redirect=False, **options)

    def close(self) -> None:
        self._manager.clear()


def _proxy(config: ElasticsearchConfig, options: Mapping[str, Any]) -> urllib3.ProxyManager:
    headers = None
    if config.proxy_username and config.proxy_password:
        login = f"{config.proxy_username}:{config.proxy_password.reveal()}"
        headers = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(f"http://{config.proxy_host}:{config.proxy_port}", proxy_headers=headers, **options)
