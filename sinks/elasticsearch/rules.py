"""Which settings of an Elasticsearch sink exclude or need each other: each problem by its key, with the remedy.

Source: Confluent kafka-connect-elasticsearch 15.1, `Validator`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from cdc.config import parse
from cdc.errors import ConfigError, Problem
from sinks.elasticsearch.config import ElasticsearchConfig

Found = Iterator[tuple[str, str]]
Raw = Mapping[str, str]


def settings(raw: Mapping[str, str]) -> ElasticsearchConfig:
    """Raises: ConfigError with every problem."""
    config = parse(ElasticsearchConfig, raw)
    checks = (_addresses, _login, _twice, _streams, _external, _sizes, _proxy, _tls, _kerberos)
    problems = [Problem(name, words) for check in checks for name, words in check(config, raw)]
    if problems:
        raise ConfigError(problems)
    return config


def _addresses(config: ElasticsearchConfig, raw: Raw) -> Found:
    for url in config.urls:
        if not is_address(url):
            yield ("connection.url",
                   f"Invalid value {shown(url)} for configuration connection.url: write it as "
                   "http://host:9200")  # fmt: skip


def shown(url: str) -> str:
    """Without a login."""
    scheme, slashes, rest = url.rpartition("//")
    return scheme + slashes + rest.rpartition("@")[2]


def is_address(url: str) -> bool:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _login(config: ElasticsearchConfig, raw: Raw) -> Found:
    if (config.username is None) != (config.password is None):
        missing = "connection.username" if config.username is None else "connection.password"
        yield missing, f"{missing} is not set: both connection.username and connection.password must be, or neither"
    if config.api_key is not None and config.username is not None:
        yield ("connection.api.key", "connection.api.key and connection.username are both set: remove one of them")


def _twice(config: ElasticsearchConfig, raw: Raw) -> Found:
    for name, chosen, topics in (
        ("key.ignore", config.key_ignore, config.topics_key_ignore),
        ("schema.ignore", config.schema_ignore, config.topics_schema_ignore),
    ):
        if chosen and topics:
            yield (name, f"{name}=true and topic.{name}={','.join(topics)} say the same twice: remove one of them")
    if config.version_header and config.version_from == "source":
        yield ("tailrace.document.version",
               f"tailrace.document.version=source and external.version.header={config.version_header} both name a "
               "version: remove one of them")  # fmt: skip


def _streams(config: ElasticsearchConfig, raw: Raw) -> Found:
    if not config.uses_external and (config.stream_type == "none") != (config.dataset == ""):
        missing = "data.stream.dataset" if config.dataset == "" else "data.stream.type"
        yield (missing, f"{missing} is not set: data.stream.type (logs or metrics) and data.stream.dataset make a data "
                        "stream together; set both or neither")  # fmt: skip
    if not config.is_stream:
        if config.timestamps:
            yield ("data.stream.timestamp.field",
                   f"data.stream.timestamp.field={','.join(config.timestamps)} is for data streams only: remove it, or "
                   "set data.stream.type and data.stream.dataset")  # fmt: skip
        return
    if config.is_upsert:
        yield "write.method", "write.method=upsert is not possible with data streams: set it to insert"
    if config.on_null == "delete":
        yield ("behavior.on.null.values", "behavior.on.null.values=delete is not possible with data streams: set it to "
                                          "ignore or fail")  # fmt: skip


def _external(config: ElasticsearchConfig, raw: Raw) -> Found:
    name = "topic.to.external.resource.mapping"
    if config.uses_external != bool(config.mapping):
        missing = name if config.uses_external else "external.resource.usage"
        yield missing, f"{missing} is not set: external.resource.usage and {name} need each other; set both or neither"
        return
    if not config.mapping:
        return
    if config.stream_type != "none" or config.dataset:
        yield "data.stream.type", f"data.stream.type and data.stream.dataset do not go with {name}: remove them"
    yield from ((name, words) for words in _entries(config))
    topics = [topic.strip() for topic in raw.get("topics", "").split(",") if topic.strip()]
    mapped = config.resources()
    for topic in topics:
        if topic not in mapped:
            yield name, f"topic {topic!r} of topics is not mapped: add {topic}:RESOURCE to {name}"
    for topic in mapped:
        if topics and topic not in topics:
            yield name, f"{name} maps topic {topic!r}, which topics does not list: add it there, or remove it here"


def _entries(config: ElasticsearchConfig) -> Iterator[str]:
    topics: set[str] = set()
    resources: set[str] = set()
    for entry in config.mapping:
        parts = [part.strip() for part in entry.split(":")]
        if len(parts) != 2 or not all(parts):
            yield (f"Invalid value {entry} for configuration topic.to.external.resource.mapping: write it as "
                   "topic:resource")  # fmt: skip
            continue
        topic, resource = parts
        if topic in topics:
            yield f"topic {topic!r} is mapped to several resources: leave one of them"
        if resource in resources:
            yield f"resource {resource!r} is mapped from several topics: each needs its own"
        topics.add(topic)
        resources.add(resource)
    if len(config.mapping) > config.most_mappings:
        yield (f"{len(config.mapping)} mappings are more than max.external.resource.mappings={config.most_mappings}: "
               "raise it")  # fmt: skip


def _sizes(config: ElasticsearchConfig, raw: Raw) -> Found:
    if config.linger_ms > config.flush_ms:
        yield ("linger.ms", f"linger.ms ({config.linger_ms}) is larger than flush.timeout.ms ({config.flush_ms}): "
                            "lower the one or raise the other")  # fmt: skip
    needed = config.batch_size * config.max_in_flight
    if config.max_buffered < needed:
        yield ("max.buffered.records",
               f"max.buffered.records ({config.max_buffered}) is less than batch.size ({config.batch_size}) x "
               f"max.in.flight.requests ({config.max_in_flight}): set it to at least {needed}")  # fmt: skip


def _proxy(config: ElasticsearchConfig, raw: Raw) -> Found:
    if not config.proxy_host:
        for name, given in (("proxy.username", config.proxy_username), ("proxy.password", config.proxy_password)):
            if given:
                yield name, f"{name} is set without proxy.host: set proxy.host, or remove {name}"
    elif bool(config.proxy_username) != (config.proxy_password is not None):
        missing = "proxy.password" if config.proxy_username else "proxy.username"
        yield missing, f"{missing} is not set: both proxy.username and proxy.password must be, or neither"


def _tls(config: ElasticsearchConfig, raw: Raw) -> Found:
    given = sorted(name for name in raw if name.startswith("elastic.https.") and raw[name])
    if given and config.security != "SSL":
        yield ("elastic.security.protocol", f"elastic.security.protocol is {config.security}, so {given[0]} would not "
                                            "be used: set elastic.security.protocol=SSL")  # fmt: skip
    for version in config.protocols:
        if version not in ("TLSv1.2", "TLSv1.3"):
            yield ("elastic.https.ssl.enabled.protocols",
                   f"Invalid value {version} for configuration elastic.https.ssl.enabled.protocols: name TLSv1.2, "
                   "TLSv1.3 or both")  # fmt: skip


def _kerberos(config: ElasticsearchConfig, raw: Raw) -> Found:
    for name, value in (
        ("kerberos.user.principal", config.kerberos_principal), ("kerberos.keytab.path", config.kerberos_keytab),
    ):  # fmt: skip
        if value:
            yield (name, f"{name}={value}: Kerberos is not supported; remove it, and set connection.api.key, or "
                         "connection.username and connection.password")  # fmt: skip
