"""Java key and trust stores to what librdkafka reads: PEM and PKCS#12 as they are, JKS with the command that converts.

In: the paths and passwords of `ssl.keystore.*` and `ssl.truststore.*`. Out: librdkafka's `ssl.*` settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cdc import key_stores
from cdc.errors import ConfigError, Problem


def _read(key: str, path: str) -> bytes:
    """A store that is not Java's own. Raises: ConfigError."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError([Problem(key, f"{key}: {path} cannot be read: {error.strerror}")]) from error
    if remedy := key_stores.for_java_only(raw, path):
        raise ConfigError([Problem(key, f"{key}: {path} cannot be used: {remedy}, then set {key}={path}.p12")])
    return raw


def truststore(path: str, settings: Mapping[str, str]) -> dict[str, str]:
    """`ssl.ca.location` or `ssl.ca.pem`. Raises: ConfigError: unreadable, a wrong password, or a JKS file."""
    key = "ssl.truststore.location"
    raw = _read(key, path)
    if b"-----BEGIN" in raw:
        return {"ssl.ca.location": path}
    try:
        return {"ssl.ca.pem": key_stores.authorities(path, settings.get("ssl.truststore.password"))}
    except ValueError as error:
        raise ConfigError([Problem(key, f"{path} is neither PEM nor a PKCS#12 file that ssl.truststore.password "
                                   f"opens ({error})")]) from error  # fmt: skip


def keystore(path: str, settings: Mapping[str, str]) -> dict[str, str]:
    """`ssl.keystore.location` (PKCS#12), or `ssl.certificate.location` and `ssl.key.location` (PEM)."""
    key = "ssl.keystore.location"
    raw = _read(key, path)
    if b"-----BEGIN" in raw:
        return {"ssl.certificate.location": path, "ssl.key.location": path}
    return {"ssl.keystore.location": path}
