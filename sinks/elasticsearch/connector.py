"""The Elasticsearch sink as the runtime knows it: how a task is built, and what a look at the server tells."""

from __future__ import annotations

from collections.abc import Iterator

from cdc.connector import Raw, SinkConnector
from cdc.errors import ConfigError, Problem, TargetError, TargetUnavailable
from sinks.elasticsearch.client import Client, path_of
from sinks.elasticsearch.config import RETIRED, ElasticsearchConfig
from sinks.elasticsearch.rules import settings
from sinks.elasticsearch.sink import ElasticsearchSink

_OLDEST_WITH_STREAMS = (7, 9)
_OLDEST = (7, 0)


def _build(raw: Raw) -> ElasticsearchSink:
    return ElasticsearchSink(settings(raw))


def _check(raw: Raw) -> list[Problem]:
    """Connects once, as `validate` promises."""
    config = settings(raw)
    try:
        client = Client(config, timeout_s=max(config.read_ms / 1000, 1.0))
    except ConfigError as error:
        return list(error.problems)
    try:
        return [*_server(client, config), *_external(client, config)]
    except TargetError as error:
        told = str(error)
        if "refuses access (403)" in told:
            return []  # it is there, and who may write into indices need not be one who may ask for its version
        at = "connection.username" if "refuses access" in told else "connection.url"
        if at == "connection.url" and isinstance(error, TargetUnavailable) and config.proxy_host:
            told += f", and proxy.host ({config.proxy_host}:{config.proxy_port})"
        return [Problem(at, told)]
    finally:
        client.close()


def _server(client: Client, config: ElasticsearchConfig) -> Iterator[Problem]:
    """Whether it is Elasticsearch or OpenSearch, and new enough."""
    answer = client.call("GET", "/")
    told = answer.json()
    version = told.get("version") if isinstance(told, dict) else None
    if answer.status != 200 or not isinstance(version, dict) or "number" not in version:
        raise TargetError(f"{client.where} is something else: it answers {answer.status} and names no version; "
                          "correct connection.url")  # fmt: skip
    if version.get("distribution") == "opensearch":
        return
    number = tuple(int(part) for part in str(version["number"]).split("-")[0].split(".")[:2])
    if number < _OLDEST:
        yield Problem("connection.url", f"{client.where} is version {version['number']}: 7.0 is the oldest that this "
                                        "sink writes to; name a newer server in connection.url")  # fmt: skip
    elif config.is_stream and number < _OLDEST_WITH_STREAMS:
        yield Problem("data.stream.type", f"{client.where} is version {version['number']}, and data streams came with "
                                          "7.9: remove data.stream.type and data.stream.dataset")  # fmt: skip


def _external(client: Client, config: ElasticsearchConfig) -> Iterator[Problem]:
    """What `topic.to.external.resource.mapping` names must be there."""
    if not config.uses_external:
        return
    for topic, name in config.resources().items():
        path = f"/_alias{path_of(name)}" if config.external.startswith("alias_") else path_of(name)
        if client.call("HEAD", path).status == 404:
            yield Problem("topic.to.external.resource.mapping",
                          f"{config.external} {name!r} of topic {topic!r} is not in Elasticsearch: make it there, or "
                          "correct topic.to.external.resource.mapping")  # fmt: skip


def _takes_json(raw: Raw) -> bool:
    """Where a document is its record's value and nothing else: its text goes into the request as it came.

    Not in updates, which the server parses with the whole request.
    """
    config = settings(raw)
    return config.schema_ignore and not config.is_stream and not config.is_upsert and config.version_from == "offset"


ELASTICSEARCH = SinkConnector(
    class_name="io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
    version="15.1.0",
    config=ElasticsearchConfig,
    build=_build,
    check=_check,
    takes_json=_takes_json,
    retired=RETIRED,
)
