"""`elastic.https.ssl.*` to an SSL context: PEM and PKCS #12 stores, TLS versions, with or without the host's name."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from cdc import key_stores
from cdc.errors import ConfigError, Problem
from sinks.elasticsearch.config import ElasticsearchConfig

_TRUST: Final = "elastic.https.ssl.truststore.location"
_KEY: Final = "elastic.https.ssl.keystore.location"
_TRUST_PASSWORD: Final = "elastic.https.ssl.truststore.password"
_KEY_PASSWORD: Final = "elastic.https.ssl.keystore.password"


def ssl_context(config: ElasticsearchConfig) -> ssl.SSLContext:
    """Raises: ConfigError: a store that cannot be read, with what to do."""
    context = ssl.create_default_context(cadata=_authorities(config.truststore, config) if config.truststore else None)
    if config.keystore:
        _identify(context, config.keystore, config)
    if not config.hostname_check:
        context.check_hostname = False
    if config.protocols:
        versions = sorted({"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[p]
                          for p in config.protocols)  # fmt: skip
        context.minimum_version, context.maximum_version = versions[0], versions[-1]
    return context


def _authorities(path: str, config: ElasticsearchConfig) -> str:
    password = config.truststore_password.reveal() if config.truststore_password else None
    _check_form(_TRUST, path)
    try:
        return key_stores.authorities(path, password)
    except (ValueError, OSError) as error:
        raise ConfigError([Problem(_TRUST, f"{_TRUST}: {path} is neither PEM nor a PKCS #12 file "
                                           f"that {_TRUST_PASSWORD} opens ({error})")]) from error  # fmt: skip


def _identify(context: ssl.SSLContext, path: str, config: ElasticsearchConfig) -> None:
    password = config.keystore_password or config.key_password
    _check_form(_KEY, path)
    try:
        key_stores.load_identity(context, path, password.reveal() if password else None)
    except (ValueError, OSError) as error:
        raise ConfigError([Problem(_KEY, f"{_KEY}: {path} holds no certificate with a key that "
                                         f"{_KEY_PASSWORD} opens ({error})")]) from error  # fmt: skip


def _check_form(name: str, path: str) -> None:
    try:
        store = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError([Problem(name, f"{name}: {path} cannot be read: {error.strerror}; correct the path, or the "
                                         "file's rights")]) from error  # fmt: skip
    if remedy := key_stores.for_java_only(store, path):
        raise ConfigError([Problem(name, f"{name}: {path} cannot be used: {remedy}, then set {name}={path}.p12")])
