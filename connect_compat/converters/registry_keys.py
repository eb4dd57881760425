"""The settings that all converters with a schema registry share, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdc.config import PLAIN, Importance, Password, at_least, key
from cdc.errors import ConfigError, Problem
from connect_compat.converters.registry import Access

_STRATEGIES: Final = ("TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy")
_PACKAGE: Final = "io.confluent.kafka.serializers.subject."
LOW: Final = Importance.LOW


def _strategy(value: str) -> str | None:
    if value.removeprefix(_PACKAGE) in _STRATEGIES:
        return None
    return f"it is one of {', '.join(_PACKAGE + name for name in _STRATEGIES)}"


@dataclass(frozen=True, kw_only=True)
class RegistryConfig:
    """Where the registry is, and how schemas get there."""

    LAYOUT = PLAIN
    urls: tuple[str, ...] = key(
        "schema.registry.url", importance=Importance.HIGH,
        doc="Comma-separated addresses of the schema registry; the next one is asked when one does not "
            "answer.")  # fmt: skip
    register: bool = key("auto.register.schemas", default=True,
                         doc="Register schemas that the registry does not know; else they must be there.")  # fmt: skip
    latest: bool = key("use.latest.version", default=False, importance=LOW,
                       doc="Write with the subject's newest schema, whatever the records' own is; for use with "
                           "auto.register.schemas=false.")  # fmt: skip
    normalize: bool = key("normalize.schemas", default=False,
                          doc="Have the registry disregard differences of schemas that mean nothing.")  # fmt: skip
    key_strategy: str = key("key.subject.name.strategy", default=_PACKAGE + _STRATEGIES[0], type="CLASS",
                            check=_strategy, doc="How the subject of a key's schema is named.")  # fmt: skip
    value_strategy: str = key("value.subject.name.strategy", default=_PACKAGE + _STRATEGIES[0], type="CLASS",
                              check=_strategy, doc="How the subject of a value's schema is named.")  # fmt: skip
    auth: str = key("basic.auth.credentials.source", default="URL", values=("URL", "USER_INFO", "SASL_INHERIT"),
                    doc="Where user and password stand: in the address, or in basic.auth.user.info.")  # fmt: skip
    user: Password | None = key("basic.auth.user.info", default=None, aliases=("schema.registry.basic.auth.user.info",),
                                doc="user:password, with USER_INFO.")  # fmt: skip
    bearer: str = key("bearer.auth.credentials.source", default="STATIC_TOKEN",
                      doc="Where the bearer's token is from; only STATIC_TOKEN.")  # fmt: skip
    token: Password | None = key("bearer.auth.token", default=None, doc="Token of a bearer.")
    certificates: str | None = key(
        "schema.registry.ssl.truststore.location", default=None,
        doc="A PEM file of authorities to trust; the machine's when it is not set.")  # fmt: skip
    connect_ms: int = key("http.connect.timeout.ms", default=60000, importance=LOW, check=at_least(1),
                          doc="Milliseconds to wait for the registry.")  # fmt: skip

    def access(self) -> Access:
        """Raises: ConfigError: a way of logging in that there is not."""
        if self.auth == "SASL_INHERIT":
            message = "SASL_INHERIT is not supported; use USER_INFO with basic.auth.user.info"
            raise ConfigError([Problem("basic.auth.credentials.source", message)])
        user = self.user.reveal() if self.user is not None and self.auth == "USER_INFO" else None
        token = None if self.token is None else self.token.reveal()
        return Access(self.urls, user, token, {}, self.certificates, self.connect_ms / 1000)


def subject(strategy: str, topic: str, record: str | None, *, is_key: bool) -> str | None:
    """The subject of a schema; None when it is named after its record and is none."""
    match strategy.removeprefix(_PACKAGE):
        case "RecordNameStrategy":
            return record
        case "TopicRecordNameStrategy":
            return None if record is None else f"{topic}-{record}"
    return f"{topic}-{'key' if is_key else 'value'}"
