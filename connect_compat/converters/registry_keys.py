"""The settings that all converters with a schema registry share, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from cdc.config import PLAIN, Check, Importance, Password, at_least, between, key
from cdc.errors import ConfigError, Problem
from connect_compat.converters.registry import Access
from connect_compat.converters.registry_login import OAuth, Stores, tls_context

_STRATEGIES: Final = ("TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy")
_PACKAGE: Final = "io.confluent.kafka.serializers.subject."
_IDS: Final = "io.confluent.kafka.serializers.schema.id."
_CONTEXT: Final = "io.confluent.kafka.serializers.context.NullContextNameStrategy"
_HEADER: Final = "request.header."
_PREFIX: Final = "schema.registry."
LOW: Final = Importance.LOW
NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})

NO_CLASSES: Final = "values are Connect's, not objects of Java"
_RETRIED: Final = "while the registry is away the task waits and goes on by itself"
_STORE: Final = "the file tells whether it is PEM or PKCS #12"
_TLS: Final = "OpenSSL's own settings are used"
IDLE: Final[Mapping[str, str]] = {
    "max.schemas.per.subject": "a subject may have any number of schemas",
    "latest.cache.size": "schemas.cache.config says how many are kept",
    "rule.service.loader.enable": "there are no rule executors",
    "max.retries": _RETRIED, "retries.wait.ms": _RETRIED, "retries.max.wait.ms": _RETRIED,
    "schema.reflection": NO_CLASSES,
    "bearer.auth.scope.claim.name": "tokens are sent as the identity provider made them",
    "bearer.auth.sub.claim.name": "tokens are sent as the identity provider made them",
    "schema.registry.ssl.keystore.type": _STORE, "schema.registry.ssl.truststore.type": _STORE,
    "schema.registry.ssl.protocol": _TLS, "schema.registry.ssl.provider": _TLS,
    "schema.registry.ssl.enabled.protocols": _TLS, "schema.registry.ssl.cipher.suites": _TLS,
    "schema.registry.ssl.keymanager.algorithm": _TLS, "schema.registry.ssl.trustmanager.algorithm": _TLS,
    "schema.registry.ssl.secure.random.implementation": _TLS,
    "schema.registry.ssl.engine.factory.class": "no Java runs here",
}  # fmt: skip
"""What Confluent's converters know and ours need not heed -> why."""


def _strategy(value: str) -> str | None:
    if value.removeprefix(_PACKAGE) in _STRATEGIES:
        return None
    return f"it is one of {', '.join(_PACKAGE + name for name in _STRATEGIES)}"


def only(*values: str, why: str) -> Check:
    """Refuses all but `values`, the first of which is to be set."""
    return lambda value: None if value in values else f"{why}; set {values[0]}, or leave it out"


def _empty(why: str) -> Check:
    return lambda value: None if not value else why


def _in_front(value: str) -> str | None:
    fitting = (f"{_IDS}PrefixSchemaIdSerializer",)
    return only(*fitting, why="ids are written before the value, not into a header")(value)


def _before_or_dual(value: str) -> str | None:
    fitting = (f"{_IDS}DualSchemaIdDeserializer", f"{_IDS}PrefixSchemaIdDeserializer")
    return only(*fitting, why="ids are read from before the value")(value)


def _no_inheriting(value: str) -> str | None:
    if value.upper() != "SASL_INHERIT":
        return None
    return "the login to Kafka is not taken over; set USER_INFO and basic.auth.user.info=user:password"


def _bearer(value: str) -> str | None:
    if value in ("", "STATIC_TOKEN", "OAUTHBEARER"):
        return None
    return "it is STATIC_TOKEN with bearer.auth.token, or OAUTHBEARER with bearer.auth.issuer.endpoint.url"


def _pairs(value: str | None) -> str | None:
    wrong = [part for part in (value or "").split(",") if part and "=" not in part]
    return f"{wrong[0]!r} is not name=value" if wrong else None


def _prefixed(name: str) -> tuple[str, ...]:
    """The same setting for the registry's client alone, as Confluent's takes it."""
    return (_PREFIX + name,)


@dataclass(frozen=True, kw_only=True)
class RegistryConfig:
    """Where the registry is, and how schemas get there."""

    LAYOUT = PLAIN
    PASSES = (_HEADER,)
    IDLE: ClassVar[Mapping[str, str]] = IDLE
    urls: tuple[str, ...] = key(
        "schema.registry.url", importance=Importance.HIGH,
        doc="Comma-separated addresses of the schema registry; the next one is asked when one does not "
            "answer.")  # fmt: skip
    randomize: bool = key("schema.registry.url.randomize", default=False, importance=LOW,
                          doc="Begin at any of the addresses, not at the first.")  # fmt: skip
    register: bool = key("auto.register.schemas", default=True,
                         doc="Register schemas that the registry does not know; else they must be there.")  # fmt: skip
    latest: bool = key("use.latest.version", default=False, importance=LOW,
                       doc="Write with the subject's newest schema, whatever the records' own is; for use with "
                           "auto.register.schemas=false.")  # fmt: skip
    latest_strict: bool = key("latest.compatibility.strict", default=True, importance=LOW,
                              doc="Refuse a newest schema that cannot hold the records. Avro and Protobuf refuse it in "
                                  "any case.")  # fmt: skip
    latest_ttl_s: int = key("latest.cache.ttl.sec", default=-1, importance=LOW, check=at_least(-1),
                            doc="Seconds after which the registry is asked for the newest schema anew; -1 never "
                                "does.")  # fmt: skip
    with_metadata: str | None = key("use.latest.with.metadata", default=None, importance=LOW, check=_pairs,
                                    doc="Write with the subject's newest schema that has this metadata, as "
                                        "`name=value,name=value`, with auto.register.schemas=false.")  # fmt: skip
    schema_id: int = key("use.schema.id", default=-1, importance=LOW, check=at_least(-1),
                         doc="Write with the schema of this id; for use with auto.register.schemas=false.")  # fmt: skip
    id_strict: bool = key("id.compatibility.strict", default=True, importance=LOW,
                          doc="Refuse a schema of use.schema.id that cannot hold the records. Avro and Protobuf refuse "
                              "it in any case.")  # fmt: skip
    normalize: bool = key("normalize.schemas", default=False,
                          doc="Have the registry disregard differences of schemas that mean nothing.")  # fmt: skip
    tags: bool = key("propagate.schema.tags", default=False, importance=LOW,
                     doc="Have the registry keep the tags of the version before when it takes a new one.")  # fmt: skip
    key_strategy: str = key("key.subject.name.strategy", default=_PACKAGE + _STRATEGIES[0], type="CLASS",
                            check=_strategy, doc="How the subject of a key's schema is named.")  # fmt: skip
    value_strategy: str = key("value.subject.name.strategy", default=_PACKAGE + _STRATEGIES[0], type="CLASS",
                              check=_strategy, doc="How the subject of a value's schema is named.")  # fmt: skip
    context: str = key("context.name.strategy", default=_CONTEXT, type="CLASS",
                       check=only(_CONTEXT, why="subjects stand in the registry's default context"),
                       doc="In which context of the registry subjects stand; only the default one.")  # fmt: skip
    key_ids: str = key("key.schema.id.serializer", default=f"{_IDS}PrefixSchemaIdSerializer", type="CLASS",
                       check=_in_front, doc="Where the id of a key's schema stands; only before the key.")  # fmt: skip
    value_ids: str = key("value.schema.id.serializer", default=f"{_IDS}PrefixSchemaIdSerializer", type="CLASS",
                         check=_in_front, doc="Where a value's schema id stands; only before it.")  # fmt: skip
    key_ids_read: str = key("key.schema.id.deserializer", default=f"{_IDS}DualSchemaIdDeserializer", type="CLASS",
                            check=_before_or_dual, doc="Where a key's schema id is read; only before it.")  # fmt: skip
    value_ids_read: str = key("value.schema.id.deserializer", default=f"{_IDS}DualSchemaIdDeserializer", type="CLASS",
                              check=_before_or_dual,
                              doc="Where a value's schema id is read; only before it.")  # fmt: skip
    format: str | None = key("schema.format", default=None, importance=LOW,
                             check=_empty("schemas are registered as they are; remove schema.format"),
                             doc="Not supported: schemas are registered as they are.")  # fmt: skip
    executors: tuple[str, ...] = key("rule.executors", default=(), importance=LOW,
                                     check=_empty("rules of data contracts are not carried out; remove rule.executors "
                                                  "and the rules of the schemas"),
                                     doc="Not supported: rules of data contracts are not carried out, and a schema "
                                         "with some is refused.")  # fmt: skip
    actions: tuple[str, ...] = key("rule.actions", default=(), importance=LOW,
                                   check=_empty("rules of data contracts are not carried out; remove rule.actions and "
                                                "the rules of the schemas"),
                                   doc="Not supported, as rule.executors.")  # fmt: skip
    auth: str = key("basic.auth.credentials.source", default="URL", values=("URL", "USER_INFO", "SASL_INHERIT"),
                    check=_no_inheriting, aliases=_prefixed("basic.auth.credentials.source"),
                    doc="Where user and password stand: in the address, or in basic.auth.user.info. SASL_INHERIT is "
                        "not supported.")  # fmt: skip
    user: Password | None = key("basic.auth.user.info", default=None, aliases=_prefixed("basic.auth.user.info"),
                                doc="user:password, with USER_INFO.")  # fmt: skip
    bearer: str = key("bearer.auth.credentials.source", default="STATIC_TOKEN", check=_bearer,
                      aliases=_prefixed("bearer.auth.credentials.source"),
                      doc="Where the bearer's token is from: STATIC_TOKEN, or OAUTHBEARER for one that an identity "
                          "provider gives.")  # fmt: skip
    token: Password | None = key("bearer.auth.token", default=None, aliases=_prefixed("bearer.auth.token"),
                                 doc="Token of a bearer, with STATIC_TOKEN.")  # fmt: skip
    issuer: str | None = key("bearer.auth.issuer.endpoint.url", default=None,
                             aliases=_prefixed("bearer.auth.issuer.endpoint.url"),
                             doc="Where the identity provider gives tokens, with OAUTHBEARER.")  # fmt: skip
    client: str | None = key("bearer.auth.client.id", default=None, aliases=_prefixed("bearer.auth.client.id"),
                             doc="Who asks the identity provider for a token.")  # fmt: skip
    client_secret: Password | None = key("bearer.auth.client.secret", default=None,
                                         aliases=_prefixed("bearer.auth.client.secret"),
                                         doc="The secret of bearer.auth.client.id.")  # fmt: skip
    scope: str | None = key("bearer.auth.scope", default=None, aliases=_prefixed("bearer.auth.scope"),
                            doc="The scope that is asked for.")  # fmt: skip
    cluster: str | None = key("bearer.auth.logical.cluster", default=None,
                              aliases=_prefixed("bearer.auth.logical.cluster"),
                              doc="The registry's logical cluster, sent with a bearer's token.")  # fmt: skip
    pool: str | None = key("bearer.auth.identity.pool.id", default=None,
                           aliases=_prefixed("bearer.auth.identity.pool.id"),
                           doc="The identity pool, sent with a bearer's token.")  # fmt: skip
    expiry_buffer_s: int = key("bearer.auth.cache.expiry.buffer.seconds", default=300, type="SHORT", importance=LOW,
                               check=between(0, 3600),
                               doc="How many seconds before its end a token is replaced.")  # fmt: skip
    provider: str | None = key("bearer.auth.custom.provider.class", default=None,
                               check=_empty("no Java runs here; use bearer.auth.credentials.source=OAUTHBEARER or "
                                            "STATIC_TOKEN"),
                               doc="Not supported: no Java runs here.")  # fmt: skip
    truststore: str | None = key(
        "schema.registry.ssl.truststore.location", default=None, aliases=("ssl.truststore.location",),
        doc="A PEM or PKCS #12 file of authorities to trust; the machine's when it is not set.")  # fmt: skip
    truststore_password: Password | None = key("schema.registry.ssl.truststore.password", default=None,
                                               aliases=("ssl.truststore.password",),
                                               doc="Password of the trust store.")  # fmt: skip
    authorities: Password | None = key("schema.registry.ssl.truststore.certificates", default=None,
                                       aliases=("ssl.truststore.certificates",),
                                       doc="Authorities to trust, as PEM itself.")  # fmt: skip
    keystore: str | None = key("schema.registry.ssl.keystore.location", default=None,
                               aliases=("ssl.keystore.location",),
                               doc="A PEM or PKCS #12 file with the client's certificate and key.")  # fmt: skip
    keystore_password: Password | None = key("schema.registry.ssl.keystore.password", default=None,
                                             aliases=("ssl.keystore.password",),
                                             doc="Password of the key store.")  # fmt: skip
    key_password: Password | None = key("schema.registry.ssl.key.password", default=None, aliases=("ssl.key.password",),
                                        doc="Password of the key, when the store has none.")  # fmt: skip
    chain: Password | None = key("schema.registry.ssl.keystore.certificate.chain", default=None,
                                 aliases=("ssl.keystore.certificate.chain",),
                                 doc="The client's certificate, as PEM itself.")  # fmt: skip
    private_key: Password | None = key("schema.registry.ssl.keystore.key", default=None, aliases=("ssl.keystore.key",),
                                       doc="The client's key, as PEM itself.")  # fmt: skip
    hostname: str = key("schema.registry.ssl.endpoint.identification.algorithm", default="https", importance=LOW,
                        aliases=("ssl.endpoint.identification.algorithm",),
                        doc="Empty: the certificate may be of another host.")  # fmt: skip
    proxy_host: str = key("proxy.host", default="", importance=LOW, aliases=_prefixed("proxy.host"),
                          doc="A proxy through which the registry is reached.")  # fmt: skip
    proxy_port: int = key("proxy.port", default=-1, importance=LOW, aliases=_prefixed("proxy.port"),
                          check=between(-1, 65535), doc="The proxy's port.")  # fmt: skip
    connect_ms: int = key("http.connect.timeout.ms", default=60000, importance=LOW, check=at_least(1),
                          aliases=_prefixed("http.connect.timeout.ms"),
                          doc="Milliseconds to wait for a connection to the registry.")  # fmt: skip
    read_ms: int = key("http.read.timeout.ms", default=60000, importance=LOW, check=at_least(1),
                       aliases=_prefixed("http.read.timeout.ms"),
                       doc="Milliseconds to wait for the registry's answer.")  # fmt: skip

    def access(self, settings: Mapping[str, str]) -> Access:
        """`settings`: of the converter, as given. Raises: ConfigError: a login that is not whole, a bad store."""
        headers = {name.removeprefix(_HEADER): text for name, text in settings.items() if name.startswith(_HEADER)}
        return Access(
            self.urls,
            credentials=self._user(), token=_revealed(self.token), oauth=self._oauth(),
            headers=headers | self._bearer_headers(), tls=tls_context(self._stores()),
            proxy=(self.proxy_host, self.proxy_port) if self.proxy_host and self.proxy_port > 0 else None,
            connect_s=self.connect_ms / 1000, read_s=self.read_ms / 1000, randomize=self.randomize,
        )  # fmt: skip

    def problems(self, settings: Mapping[str, str]) -> Sequence[Problem]:
        """What is wrong with settings that are right one by one: a login that is not whole, a bad store."""
        try:
            self.access(settings)
        except ConfigError as error:
            return error.problems
        return ()

    def _user(self) -> str | None:
        if self.auth != "USER_INFO":
            return None
        if self.user is None:
            message = "basic.auth.user.info is missing: basic.auth.credentials.source=USER_INFO needs user:password"
            raise ConfigError([Problem("basic.auth.user.info", message)])
        return self.user.reveal()

    def _oauth(self) -> OAuth | None:
        if self.bearer != "OAUTHBEARER":
            return None
        given = {"bearer.auth.issuer.endpoint.url": self.issuer, "bearer.auth.client.id": self.client,
                 "bearer.auth.client.secret": self.client_secret}  # fmt: skip
        missing = [name for name, text in given.items() if not text]
        if missing:
            raise ConfigError([Problem(name, f"{name} is missing: bearer.auth.credentials.source=OAUTHBEARER needs it")
                               for name in missing])  # fmt: skip
        return OAuth(self.issuer or "", self.client or "", _revealed(self.client_secret) or "", self.scope,
                     self.expiry_buffer_s)  # fmt: skip

    def _bearer_headers(self) -> dict[str, str]:
        named = {"target-sr-cluster": self.cluster, "Confluent-Identity-Pool-Id": self.pool}
        return {name: text for name, text in named.items() if text}

    def _stores(self) -> Stores:
        return Stores(
            self.truststore, _revealed(self.truststore_password), _revealed(self.authorities),
            self.keystore, _revealed(self.keystore_password) or _revealed(self.key_password),
            _revealed(self.chain), _revealed(self.private_key), check_hostname=bool(self.hostname),
        )  # fmt: skip


def _revealed(secret: Password | None) -> str | None:
    return None if secret is None else secret.reveal()


def subject(strategy: str, topic: str, record: str | None, *, is_key: bool) -> str | None:
    """The subject of a schema; None when it is named after its record and is none."""
    match strategy.removeprefix(_PACKAGE):
        case "RecordNameStrategy":
            return record
        case "TopicRecordNameStrategy":
            return None if record is None else f"{topic}-{record}"
    return f"{topic}-{'key' if is_key else 'value'}"
