"""The `ssl.*` settings of an https listener to Python's TLS context, keys and certificates from PEM or PKCS #12.

Kafka Connect's names: `listeners.https.ssl.*` (or `admin.listeners.https.ssl.*`) when any such is set, else `ssl.*`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cdc import key_stores
from cdc.errors import ConfigError, Problem
from connect_compat.connector_config import with_prefix

_CLIENT_AUTH = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def server_context(raw: Mapping[str, str], setting: str) -> ssl.SSLContext:
    """The context of the listeners that `setting` names. Raises: ConfigError: a store is missing or cannot be used."""
    prefix, given = _settings(raw, setting)
    path = given.get("ssl.keystore.location", "").strip()
    if not path:
        key = f"{prefix}ssl.keystore.location"
        told = f"{setting} has an https address, which needs a certificate and its key: set {key} to a PEM or PKCS #12"
        raise ConfigError([Problem(key, told + " file with both")])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    asked = given.get("ssl.client.auth", "none").strip().lower()
    if asked not in _CLIENT_AUTH:
        key = f"{prefix}ssl.client.auth"
        raise ConfigError([Problem(key, f"Invalid value {asked} for configuration {key}: one of none, requested, "
                                        "required")])  # fmt: skip
    password = given.get("ssl.keystore.password") or given.get("ssl.key.password")
    with _told(f"{prefix}ssl.keystore.location", path):
        key_stores.load_identity(context, path, password)
    if trusted := given.get("ssl.truststore.location", "").strip():
        with _told(f"{prefix}ssl.truststore.location", trusted):
            context.load_verify_locations(cadata=key_stores.authorities(trusted, given.get("ssl.truststore.password")))
    context.verify_mode = _CLIENT_AUTH[asked]
    return context


def peer_context(raw: Mapping[str, str], setting: str) -> ssl.SSLContext:
    """How another worker's https listener is spoken to: its certificate checked, ours shown. Raises: ConfigError."""
    prefix, given = _settings(raw, setting)
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    if trusted := given.get("ssl.truststore.location", "").strip():
        with _told(f"{prefix}ssl.truststore.location", trusted):
            context.load_verify_locations(cadata=key_stores.authorities(trusted, given.get("ssl.truststore.password")))
    path = given.get("ssl.keystore.location", "").strip()
    with _told(f"{prefix}ssl.keystore.location", path):
        key_stores.load_identity(context, path, given.get("ssl.keystore.password") or given.get("ssl.key.password"))
    if not given.get("ssl.endpoint.identification.algorithm", "https").strip():
        context.check_hostname = False
    return context


def _settings(raw: Mapping[str, str], setting: str) -> tuple[str, Mapping[str, str]]:
    """The settings of these listeners, and the prefix they were given with."""
    own = with_prefix(raw, f"{setting}.https.")
    return (f"{setting}.https.", own) if own else ("", raw)


@contextmanager
def _told(key: str, path: str) -> Iterator[None]:
    """Whatever a store fails with becomes one sentence about its setting."""
    try:
        yield
    except (OSError, ValueError) as error:
        remedy = f"give a PEM or PKCS #12 file and its {key.replace('location', 'password')}"
        if not isinstance(error, OSError):
            remedy = key_stores.for_java_only(Path(path).read_bytes(), path) or remedy
        told = f"{path}, named by {key}, cannot be used: {error}; {remedy}"
        raise ConfigError([Problem(key, told)]) from None
