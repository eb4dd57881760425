"""Which schema of a registry values are written with: the records' own, or the one that the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from cdc.errors import ConversionError
from connect_compat.converters.registry import Registered, Registry
from connect_compat.converters.registry_keys import RegistryConfig


class Chosen(NamedTuple):
    """`own`: whether it is the records' own schema; `strict`: whether another must be able to hold them."""

    schema: Registered
    own: bool
    strict: bool = True

    @property
    def number(self) -> int:
        assert self.schema.id is not None
        return self.schema.id


class Chooser:
    """For one converter."""

    def __init__(self, registry: Registry, config: RegistryConfig, kind: str) -> None:
        """`kind`: of schemas, as the registry calls it."""
        self._registry, self._config, self._kind = registry, config, kind
        pairs = [part.partition("=") for part in (config.with_metadata or "").split(",") if part]
        self._metadata = {name.strip(): value.strip() for name, _, value in pairs}

    def choose(self, subject: str, text: str) -> Chosen:
        """`text`: of the records' own schema. Raises: ConversionError: there is no such schema; LogUnavailable."""
        chosen = self._chosen(subject, text)
        if chosen.schema.kind != self._kind:
            raise of_other_kind(chosen.number, chosen.schema.kind, self._kind)
        must_have_no_rules(chosen.schema, subject, reading=False)
        return chosen

    def _chosen(self, subject: str, text: str) -> Chosen:
        config = self._config
        if config.register:
            return Chosen(self._registry.register(subject, text, self._kind), own=True)
        if config.schema_id >= 0:
            found = self._registry.by_id(config.schema_id)
            return Chosen(found._replace(id=config.schema_id), own=False, strict=config.id_strict)
        if self._metadata:
            return Chosen(self._there(self._registry.described(subject, self._metadata), subject, text), own=False,
                          strict=False)  # fmt: skip
        if config.latest:
            latest = self._there(self._registry.latest(subject), subject, text)
            return Chosen(latest, own=False, strict=config.latest_strict)
        kept = self._there(self._registry.lookup(subject, text, self._kind), subject, text)
        return Chosen(kept._replace(text=text), own=True)

    def _there(self, found: Registered | None, subject: str, text: str) -> Registered:
        if found is not None and found.id is not None:
            return found
        wanted = f" with metadata {self._config.with_metadata}" if self._metadata else ""
        raise ConversionError(f"the schema registry has no such schema under subject {subject!r}{wanted} and "
                              f"auto.register.schemas is false; register it: {text}")  # fmt: skip


class Renewal:
    """Forgets writers when `latest.cache.ttl.sec` is over, so that the newest schema is asked for anew."""

    def __init__(self, ttl_s: int, writers: MutableMapping[Any, Any], clock: Callable[[], float]) -> None:
        self._ttl_s, self._writers, self._clock = ttl_s, writers, clock
        self._until = clock() + ttl_s

    def __call__(self) -> None:
        if (now := self._clock()) >= self._until:
            self._writers.clear()
            self._until = now + self._ttl_s


def renewal(
    config: RegistryConfig, writers: MutableMapping[Any, Any], clock: Callable[[], float] = time.monotonic
) -> Renewal | None:
    """None where a writer is good for ever."""
    follows = not config.register and (config.latest or config.with_metadata)
    return Renewal(config.latest_ttl_s, writers, clock) if follows and config.latest_ttl_s >= 0 else None


def of_other_kind(number: int, found: str, wanted: str) -> ConversionError:
    return ConversionError(f"schema {number} of the schema registry is {found}, not {wanted}; use the converter "
                           f"for {found}")  # fmt: skip


def must_have_no_rules(schema: Registered, subject: str | None, *, reading: bool) -> None:
    """Values would be written unencrypted, or read encrypted, if rules were passed over.

    Raises: ConversionError: a rule that Confluent's converters would carry out.
    """
    for rule in schema.rules:
        if _counts(rule, reading=reading):
            raise ConversionError(f"schema {schema.id} of subject {subject!r} has the rule {rule.get('name')!r} of "
                                  f"type {rule.get('type')}, and rules of data contracts are not carried out: disable "
                                  "the rule, or set its onFailure to NONE, in the schema registry")  # fmt: skip


def _counts(rule: Mapping[str, Any], *, reading: bool) -> bool:
    """Actions may be two, for writing and for reading."""
    mode = "READ" if reading else "WRITE"
    if rule.get("disabled") or rule.get("mode") not in (mode, "WRITEREAD"):
        return False
    actions = str(rule.get("onFailure") or "ERROR").split(",")
    return actions[min(int(reading), len(actions) - 1)].strip() != "NONE"
