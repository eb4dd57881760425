"""Worker properties, as written for Kafka Connect, to what the worker process needs: listeners, log, defaults.

Three modes: embedded (no file, one folder), standalone and distributed (Kafka Connect's own property files).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cdc.config import at_least, key, parse
from cdc.errors import ConfigError, Problem
from connect_compat import override_policies, properties
from connect_compat.connector_config import HEADER_CONVERTER, JSON_CONVERTER, with_prefix
from connect_compat.log import LogSettings

DATA = "./tailrace-data"
STANDALONE_OFFSETS = "tailrace-standalone-offsets"
_LISTENER = re.compile(r"(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)")
_CLIENT_PREFIXES = ("security.", "ssl.", "sasl.")
_CLIENT_KEYS = ("bootstrap.servers", "client.dns.lookup", "request.timeout.ms", "retry.backoff.ms",
                "retry.backoff.max.ms", "metadata.max.age.ms", "connections.max.idle.ms")  # fmt: skip
_INTERNAL = ("config.storage.", "offset.storage.", "status.storage.")


class Mode(Enum):
    EMBEDDED = "embedded"
    STANDALONE = "standalone"
    DISTRIBUTED = "distributed"


@dataclass(frozen=True)
class Listener:
    """Where REST is served. An empty host is every interface; port 0 is any free one."""

    host: str
    port: int
    setting: str
    """The setting it comes from, to be named when the port is taken."""
    https: bool = False


def _policy(value: str) -> str | None:
    names = override_policies.NAMES
    return None if override_policies.short(value) in names else f"it is one of {', '.join(names)}"


@dataclass(frozen=True, kw_only=True)
class WorkerKeys:
    """The worker settings that we act on; what else stands in the file is handed to Kafka's clients or left alone."""

    listeners: tuple[str, ...] = key(
        "listeners", default=(), doc="Addresses of REST, as http://host:port or https://host:port.",
    )  # fmt: skip
    rest_host: str | None = key("rest.host.name", default=None, doc="Host of REST when listeners is not set.")
    rest_port: int = key("rest.port", default=8083, doc="Port of REST when listeners is not set.", check=at_least(0))
    advertised_host: str | None = key("rest.advertised.host.name", default=None, doc="Host named in worker_id.")
    advertised_port: int | None = key("rest.advertised.port", default=None, doc="Port named in worker_id.")
    override_policy: str = key(
        override_policies.POLICY, default="All", check=_policy,
        doc="Which settings of Kafka's clients connectors may override: All, None, Principal (how to log in) or "
            "Allowlist; Kafka Connect's names of classes do too.",
    )  # fmt: skip
    override_allowlist: tuple[str, ...] = key(
        override_policies.ALLOWLIST, default=(), doc="With Allowlist: the settings.",
    )  # fmt: skip
    mask_secrets: bool = key(
        "rest.mask.secrets", default=True,
        doc="Whether REST shows ******** for secrets in configs; false shows them, as Kafka Connect does.",
    )  # fmt: skip
    admin_listeners: tuple[str, ...] | None = key(
        "admin.listeners", default=None,
        doc="Addresses of /admin, which is then served there alone. Set but empty: it is not served. Not set: it is "
            "served with the rest.",
    )  # fmt: skip
    users: str | None = key(
        "tailrace.rest.users", default=None,
        doc="Properties file of those who may ask REST, a line `name=password` each: HTTP basic authentication, with "
            "the file that Kafka Connect's PropertyFileLoginModule reads. Not set: everybody may.",
    )  # fmt: skip
    tokens: str | None = key(
        "tailrace.rest.tokens", default=None,
        doc="Properties file of bearer tokens, a line `name=token` each. Those named here and in tailrace.rest.users "
            "may ask; neither set: everybody may.",
    )  # fmt: skip
    readers: tuple[str, ...] = key(
        "tailrace.rest.readers", default=(), doc="Names of users and tokens that may only look, not change anything.",
    )  # fmt: skip
    request_bytes: int = key(
        "tailrace.rest.request.max.bytes", default=10_485_760, check=at_least(1024),
        doc="Bytes that a request may have; a larger one is answered 413.",
    )  # fmt: skip
    task_memory: int | None = key(
        "tailrace.task.memory.max.mb", default=None, check=at_least(64),
        doc="Megabytes that a task's process may have in memory; with more it is killed, and starts again from its "
            "saved offsets. Not set: no limit.",
    )  # fmt: skip
    first_restart_ms: int = key(
        "tailrace.task.restart.backoff.ms", default=1_000, type="LONG", check=at_least(1),
        doc="Milliseconds until a task whose process died is started again. Doubled each time, until the task has "
            "carried records or lived for a minute.",
    )  # fmt: skip
    longest_restart_ms: int = key(
        "tailrace.task.restart.backoff.max.ms", default=60_000, type="LONG", check=at_least(1),
        doc="The most milliseconds that tailrace.task.restart.backoff.ms grows to.",
    )  # fmt: skip
    stall_ms: int = key(
        "tailrace.task.stall.ms", default=30_000, type="LONG", check=at_least(1_000),
        doc="Milliseconds without any progress after which a running task that waits for nothing is unhealthy.",
    )  # fmt: skip
    extensions: tuple[str, ...] = key(
        "rest.extension.classes", default=(),
        doc="Only Kafka Connect's BasicAuthSecurityRestExtension, which needs tailrace.rest.users.",
    )  # fmt: skip
    allow_origin: str = key("access.control.allow.origin", default="", doc="Origins that browsers may call from.")
    allow_methods: str = key("access.control.allow.methods", default="", doc="Methods that browsers may use.")
    topic_tracking: bool = key("topic.tracking.enable", default=True, doc="Whether topics in use are recorded.")
    topic_reset: bool = key("topic.tracking.allow.reset", default=True, doc="Whether that record may be reset.")
    flush_ms: int = key("offset.flush.interval.ms", default=60_000, type="LONG",
                        doc="The most milliseconds between two saves of offsets.", check=at_least(1))  # fmt: skip
    graceful_ms: int = key("task.shutdown.graceful.timeout.ms", default=5_000, type="LONG",
                           doc="Milliseconds a task may take to stop before it is killed.",
                           check=at_least(0))  # fmt: skip
    exactly_once: str = key(
        "exactly.once.source.support", default="disabled", values=("disabled", "preparing", "enabled"),
        doc="`enabled`: the workers of a group write a source's records and offsets to Kafka as one transaction, so "
            "readers of committed records see each once. Otherwise records come at least once there. On the embedded "
            "log any value is taken: records come exactly once.",
    )  # fmt: skip
    session_ms: int = key(
        "session.timeout.ms", default=6_000,
        doc="Milliseconds without a sign of life after which a worker of a group is dead and its tasks go elsewhere.",
        check=at_least(1),
    )  # fmt: skip
    heartbeat_ms: int = key("heartbeat.interval.ms", default=1_000,
                            doc="Milliseconds between a worker's signs of life.", check=at_least(1))  # fmt: skip
    data: str = key("tailrace.data.dir", default=DATA, doc="Folder of the embedded log, used without Kafka.")
    group_id: str = key("group.id", default="tailrace", doc="Name of the worker group.")


@dataclass(frozen=True)
class WorkerConfig:
    """Everything the worker process is started with.

    Attributes:
        raw: the properties as given, converters filled in; config providers are declared there.
        keeps_configs: whether connector configs outlive the process; in standalone mode the files on the command
            line are the configs, as with Kafka Connect.
        admin_listeners: where /admin is served when not with the rest.
        users, tokens: name -> password, name -> bearer token of those who may ask REST; None both: everybody may.
    """

    mode: Mode
    keys: WorkerKeys
    raw: Mapping[str, str]
    log: LogSettings
    listeners: tuple[Listener, ...]
    admin_listeners: tuple[Listener, ...] = ()
    users: Mapping[str, str] | None = None
    tokens: Mapping[str, str] | None = None

    @property
    def keeps_configs(self) -> bool:
        return self.mode is not Mode.STANDALONE

    def url(self, port: int) -> str:
        """Where the other workers of the group reach this one's REST."""
        return f"{'https' if self.listeners[0].https else 'http'}://{self.worker_id(port)}"

    def worker_id(self, port: int) -> str:
        """`host:port` as statuses show it. `port`: the one REST is bound to."""
        first = self.listeners[0].host
        host = self.keys.advertised_host or (first if first not in ("", "0.0.0.0", "::") else socket.gethostname())
        return f"{host}:{self.keys.advertised_port or port}"


def embedded(folder: str = DATA, host: str | None = None, port: int | None = None) -> WorkerConfig:
    """The worker that `tailrace` alone starts: embedded log, configs and offsets in one folder."""
    raw = {"tailrace.data.dir": folder}
    if host is not None:
        raw["rest.host.name"] = host
    if port is not None:
        raw["rest.port"] = str(port)
    return worker_config(Mode.EMBEDDED, raw)


def worker_config(mode: Mode, given: Mapping[str, str]) -> WorkerConfig:
    """Raises: ConfigError with every problem at once."""
    raw = dict(given)
    problems = _missing(raw) if mode is Mode.DISTRIBUTED else []
    if mode is not Mode.DISTRIBUTED:
        raw.setdefault("key.converter", JSON_CONVERTER)
        raw.setdefault("value.converter", JSON_CONVERTER)
    raw.setdefault("header.converter", HEADER_CONVERTER)
    try:
        keys = parse(WorkerKeys, raw)
        listeners = _listeners(keys)
        admin = _parsed(keys.admin_listeners or (), "admin.listeners")
        users = _users(keys)
        tokens = None if keys.tokens is None else properties.load(keys.tokens)
        problems.extend(_unknown_readers(keys, {*(users or ()), *(tokens or ())}))
        problems.extend(_delivery(mode, keys, raw))
    except ConfigError as error:
        problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return WorkerConfig(mode, keys, raw, _log(mode, keys, raw), listeners, admin, users, tokens)


def _missing(raw: Mapping[str, str]) -> list[Problem]:
    needed = ("group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic",
              "key.converter", "value.converter")  # fmt: skip
    return [
        Problem(name, f'Missing required configuration "{name}" which has no default value.')
        for name in needed
        if not raw.get(name, "").strip()
    ]


def _listeners(keys: WorkerKeys) -> tuple[Listener, ...]:
    if not keys.listeners:
        return (Listener(keys.rest_host or "127.0.0.1", keys.rest_port, "rest.port"),)
    return _parsed(keys.listeners, "listeners")


def _parsed(texts: Sequence[str], setting: str) -> tuple[Listener, ...]:
    found = []
    for text in texts:
        match = _LISTENER.fullmatch(text)
        if match is None or match[1].lower() not in ("http", "https") or int(match[3]) < 0:
            message = f"Invalid value {text} for configuration {setting}: write http://host:port"
            raise ConfigError([Problem(setting, message + ", or http://:port for every interface")])
        found.append(Listener(match[2], int(match[3]), setting, match[1].lower() == "https"))
    return tuple(found)


def _users(keys: WorkerKeys) -> Mapping[str, str] | None:
    for extension in keys.extensions:
        if not extension.endswith(".BasicAuthSecurityRestExtension"):
            message = f"{extension} of rest.extension.classes is a Java class and cannot run here: remove it"
            raise ConfigError([Problem("rest.extension.classes", message)])
        if keys.users is None:
            message = (f"{extension} of rest.extension.classes needs the file that its PropertyFileLoginModule read: "
                       "set tailrace.rest.users to the path of that file, a line name=password each")  # fmt: skip
            raise ConfigError([Problem("rest.extension.classes", message)])
    return None if keys.users is None else properties.load(keys.users)


def _unknown_readers(keys: WorkerKeys, known: set[str]) -> list[Problem]:
    unknown = [name for name in keys.readers if name not in known]
    message = (f"tailrace.rest.readers names {', '.join(unknown)}, and neither tailrace.rest.users nor "
               "tailrace.rest.tokens does: correct the names")  # fmt: skip
    return [Problem("tailrace.rest.readers", message)] if unknown else []


def _in_kafka(mode: Mode, raw: Mapping[str, str]) -> bool:
    return mode is Mode.DISTRIBUTED or (mode is Mode.STANDALONE and bool(raw.get("bootstrap.servers", "").strip()))


def _delivery(mode: Mode, keys: WorkerKeys, raw: Mapping[str, str]) -> list[Problem]:
    """A guarantee that was asked for and cannot be given is refused, not passed over."""
    if keys.exactly_once != "enabled" or mode is Mode.DISTRIBUTED or not _in_kafka(mode, raw):
        return []
    message = ("exactly.once.source.support=enabled is not available in standalone mode with topics in Kafka, where a "
               "crash may repeat records: run tailrace distributed, set it to disabled, or use the embedded "
               "log")  # fmt: skip
    return [Problem("exactly.once.source.support", message)]


def _log(mode: Mode, keys: WorkerKeys, raw: Mapping[str, str]) -> LogSettings:
    if not _in_kafka(mode, raw):
        return LogSettings(path=keys.data, group_id=keys.group_id)
    client = {name: text for name, text in raw.items() if name in _CLIENT_KEYS or name.startswith(_CLIENT_PREFIXES)}
    client.setdefault("bootstrap.servers", "localhost:9092")
    internal = {name: text for name, text in raw.items() if name.startswith(_INTERNAL)}
    if mode is Mode.STANDALONE:
        internal.setdefault("offset.storage.topic", STANDALONE_OFFSETS)
    return LogSettings(
        client=client,
        producer=with_prefix(raw, "producer."),
        consumer=with_prefix(raw, "consumer."),
        group_id=keys.group_id,
        internal=internal,
        exactly_once=mode is Mode.DISTRIBUTED and keys.exactly_once == "enabled",
    )
