"""Kafka client settings as Java's clients name them to librdkafka's: translated, dropped, or told what to do instead.

Settings that librdkafka itself knows pass unchanged, so either name may be used. Source: Kafka's producer, consumer
and admin configuration pages; librdkafka's CONFIGURATION.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException

from cdc.errors import ConfigError, Problem
from connect_compat.log.kafka_tls import keystore, truststore

C = TypeVar("C")
_log = structlog.get_logger(__name__)

_RENAMED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "buffer.memory": ("queue.buffering.max.kbytes", lambda v: str(max(1, int(v) // 1024))),
    "max.request.size": ("message.max.bytes", str),
    "fetch.max.wait.ms": ("fetch.wait.max.ms", str),
    "send.buffer.bytes": ("socket.send.buffer.bytes", lambda v: str(max(0, int(v)))),
    "receive.buffer.bytes": ("socket.receive.buffer.bytes", lambda v: str(max(0, int(v)))),
    "socket.connection.setup.timeout.max.ms": ("socket.connection.setup.timeout.ms", str),
    "compression.gzip.level": ("compression.level", str),
    "compression.lz4.level": ("compression.level", str),
    "compression.zstd.level": ("compression.level", str),
    "metadata.max.age.ms": ("topic.metadata.refresh.interval.ms", str),
    "ssl.truststore.certificates": ("ssl.ca.pem", str),
    "ssl.keystore.certificate.chain": ("ssl.certificate.pem", str),
    "ssl.keystore.key": ("ssl.key.pem", str),
    "sasl.oauthbearer.token.endpoint.url": ("sasl.oauthbearer.token.endpoint.url", str),
}  # fmt: skip
_CHOICES = {
    "partitioner.class": (
        "partitioner",
        {"": "murmur2_random", "DefaultPartitioner": "murmur2_random", "UniformStickyPartitioner": "random"},
    ),
    "partition.assignment.strategy": (
        "partition.assignment.strategy",
        {"RangeAssignor": "range", "RoundRobinAssignor": "roundrobin", "StickyAssignor": "cooperative-sticky",
         "CooperativeStickyAssignor": "cooperative-sticky"},
    ),
    "ssl.endpoint.identification.algorithm": ("ssl.endpoint.identification.algorithm", {"": "none"}),
}  # fmt: skip
_NOT_NEEDED = re.compile(
    r"(key|value)\.(de)?serializer|max\.poll\.records|max\.block\.ms|default\.api\.timeout\.ms"
    r"|exclude\.internal\.topics|metric\.reporters|metrics\..*|auto\.include\.jmx\.reporter"
    r"|metadata\.max\.idle\.ms|metadata\.recovery\..*|enable\.metrics\.push|partitioner\.(adaptive|availability|ignore)\..*"
    r"|socket\.connection\.setup\.timeout\.ms\.max|transaction\.two\.phase\..*|leave\.group\.on\.close"
    r"|ssl\.(protocol|provider|enabled\.protocols|keymanager\.algorithm|trustmanager\.algorithm)"
    r"|ssl\.secure\.random\.implementation|ssl\.(truststore|keystore)\.type|ssl\.truststore\.password"
    r"|sasl\.kerberos\.(ticket|min)\..*|sasl\.login\.(refresh|connect|read|retry)\..*|security\.providers"
)
_NOT_HERE = {
    "interceptor.classes": "interceptors are Java classes; remove it",
    "ssl.engine.factory.class": "it is a Java class; use ssl.keystore.* and ssl.truststore.*",
    "ssl.cipher.suites": "librdkafka takes OpenSSL's names: use ssl.cipher.suites of OpenSSL's `ciphers` page",
    "sasl.login.class": "it is a Java class; remove it",
    "sasl.login.callback.handler.class": "it is a Java class; remove it",
    "sasl.client.callback.handler.class": "it is a Java class; remove it",
}
_JAAS_MODULE = re.compile(r"\s*([\w.$]+)\s+(required|requisite|sufficient|optional)\s*(.*?);?\s*", re.DOTALL)
_JAAS_OPTION = re.compile(r"""([\w.]+)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s;]+)""")


def translate(settings: Mapping[str, str]) -> dict[str, Any]:
    """librdkafka's settings for those given, which may carry Java's names.

    Raises: ConfigError: a key or trust store that cannot be read, or a sasl.jaas.config that is not one.
    """
    result: dict[str, Any] = {}
    for name, value in settings.items():
        if name in _RENAMED:
            new, convert = _RENAMED[name]
            result.setdefault(new, _converted(name, value, convert))
        elif name in _CHOICES:
            new, choices = _CHOICES[name]
            if (chosen := _chosen(value, choices)) is not None:
                result[new] = chosen
        elif name in _NOT_HERE and not (name == "ssl.cipher.suites" and "TLS_" not in value):
            _log.warning("a Kafka client setting is not used", setting=name, reason=_NOT_HERE[name])
        elif name == "sasl.jaas.config":
            result |= jaas(value)
        elif name == "ssl.truststore.location":
            result |= truststore(value, settings)
        elif name == "ssl.keystore.location":
            result |= keystore(value, settings)
        elif not _NOT_NEEDED.fullmatch(name):
            result[name] = value
    if result.get("sasl.oauthbearer.token.endpoint.url"):
        result.setdefault("sasl.oauthbearer.method", "oidc")
    return result


def _converted(name: str, value: str, convert: Callable[[str], str]) -> str:
    try:
        return convert(value.strip())
    except ValueError:
        told = f"Invalid value {value} for configuration {name}: it is not a number"
        raise ConfigError([Problem(name, told)]) from None


def _chosen(value: str, choices: Mapping[str, str]) -> str | None:
    """Java class names (with or without package) to librdkafka's words; other words pass."""
    words = [part.strip() for part in value.split(",")] if value.strip() else [""]
    chosen = [choices.get(word.rsplit(".", 1)[-1], word) for word in words]
    if "range" in chosen and "cooperative-sticky" in chosen:
        return "cooperative-sticky"  # Java may list both and agrees on one; librdkafka wants one kind
    return ",".join(dict.fromkeys(chosen)) or None


def jaas(text: str) -> dict[str, str]:
    """User and password, or OAuth client, of a `sasl.jaas.config`. The text itself is never shown."""
    match = _JAAS_MODULE.fullmatch(text)
    if match is None:
        raise ConfigError([Problem("sasl.jaas.config", "sasl.jaas.config is not `<login module> required "
                                   "username=\"…\" password=\"…\";`")])  # fmt: skip
    options = {name: _unquoted(value) for name, value in _JAAS_OPTION.findall(match[3])}
    module = match[1].rsplit(".", 1)[-1]
    match module:
        case "PlainLoginModule" | "ScramLoginModule":
            names = {"username": "sasl.username", "password": "sasl.password"}
        case "OAuthBearerLoginModule":
            names = {"clientId": "sasl.oauthbearer.client.id", "clientSecret": "sasl.oauthbearer.client.secret",
                     "scope": "sasl.oauthbearer.scope"}  # fmt: skip
        case "Krb5LoginModule":
            names = {"principal": "sasl.kerberos.principal", "keyTab": "sasl.kerberos.keytab",
                     "serviceName": "sasl.kerberos.service.name"}  # fmt: skip
        case _:
            raise ConfigError([Problem("sasl.jaas.config", f"login module {match[1]} cannot be used here; use "
                                       "PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule or "
                                       "Krb5LoginModule")])  # fmt: skip
    return {new: options[old] for old, new in names.items() if old in options}


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "\"'" else text


def producer_settings(*layers: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a source task's producer; later layers win over earlier ones, and all over ours.

    A queue of 16 MB: as fast as one of 64 MB and 95 MB of memory less (100 MB/s, one broker).
    """
    given = _merged(layers)
    ours = {
        "enable.idempotence": "true",
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": "5",
        "batch.size": "1000000",
        "message.max.bytes": "1048576",
        "queue.buffering.max.messages": "500000",
        "queue.buffering.max.kbytes": "16384",
        "message.timeout.ms": "120000",
        "partitioner": "murmur2_random",
    }
    if "delivery.timeout.ms" in given:
        del ours["message.timeout.ms"]
    # As Java's producer: settings that idempotence excludes switch it off, unless it was asked for.
    if "enable.idempotence" not in given and (
        given.get("acks", given.get("request.required.acks", "all")) not in ("all", "-1")
        or int(given.get("max.in.flight.requests.per.connection", "5")) > 5
        or given.get("retries") == "0"
    ):
        ours["enable.idempotence"] = "false"
    return ours | given


def transaction_settings(transactional_id: str, *layers: Mapping[str, str]) -> dict[str, Any]:
    """As `producer_settings`, in transactions. A record cannot outlive its transaction: librdkafka refuses to try."""
    settings = producer_settings(*layers, {"transactional.id": transactional_id, "enable.idempotence": "true"})
    longest = int(settings.get("transaction.timeout.ms", 60_000))
    for name in ("message.timeout.ms", "delivery.timeout.ms"):
        if int(settings.get(name, 0)) > longest:
            settings[name] = str(longest)
    return settings


def consumer_settings(group: str, *layers: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a sink task's consumer. Partitions of a killed member move after `session.timeout.ms`.

    librdkafka pauses a fetch for a second when 8 MB are queued unless told otherwise: 10 ms read four times faster.
    A partition new to the member waits for the fetch under way: for 100 ms, not for Kafka's 500.
    """
    ours = {
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "2000",
        "topic.metadata.refresh.interval.ms": "3000",
        "queued.max.messages.kbytes": "8192",
        "fetch.max.bytes": "8388608",
        "fetch.queue.backoff.ms": "10",
        "fetch.wait.max.ms": "100",
    }
    given = _merged(layers)
    if given.get("group.protocol") == "consumer":
        for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
            del ours[name]
    return ours | given | {"group.id": group, "enable.auto.commit": "false", "enable.auto.offset.store": "false"}


def _merged(layers: tuple[Mapping[str, str], ...]) -> dict[str, Any]:
    given: dict[str, str] = {}
    for layer in layers:
        given |= layer
    return translate(given)


def build(make: Callable[[dict[str, Any]], C], settings: Mapping[str, Any]) -> C:
    """A client; a setting that librdkafka does not know is warned of and left out. Raises: ConfigError.

    librdkafka's own log is silent unless `log_level` is given: it repeats every failed attempt to connect, five lines
    a second, and the errors that matter come through callbacks.
    """
    kept = {"log_level": "2", **settings}
    while True:
        try:
            return make(kept)
        except KafkaException as error:
            cause = error.args[0]
            unknown = re.match(r'No such configuration property: "(.+)"', cause.str())
            if cause.code() != KafkaError._INVALID_ARG:
                raise
            if unknown is None or unknown[1] not in kept:
                raise ConfigError([Problem("bootstrap.servers", f"Kafka client settings: {cause.str()}")]) from error
            _log.warning("a Kafka client setting is not used", setting=unknown[1],
                         reason="librdkafka has no such setting")  # fmt: skip
            del kept[unknown[1]]
