"""Key and trust stores as Java's users have them, PEM or PKCS #12, into what Python's `ssl` takes.

`cryptography` is imported only when a store is PKCS #12: it costs 30 ms and 6 MB in every process.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

_PEM = b"-----BEGIN"
_JAVA = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


def for_java_only(store: bytes, path: str) -> str | None:
    """What to do with a store of Java's own form (JKS, JCEKS), read from `path`; None for any other."""
    if not store.startswith(_JAVA):
        return None
    return (f"it is a JKS file, which only Java reads; convert it: keytool -importkeystore -srckeystore {path} "
            f"-destkeystore {path}.p12 -deststoretype PKCS12")  # fmt: skip


def authorities(path: str, password: str | None) -> str:
    """The certificates of a trust store as PEM. Raises: OSError; ValueError: no store, or another password."""
    store = Path(path).read_bytes()
    if _PEM in store:
        return store.decode("ascii")
    from cryptography.hazmat.primitives.serialization import Encoding

    opened = _opened(store, password)
    certificates = [*opened.additional_certs, *([opened.cert] if opened.cert is not None else [])]
    return "".join(entry.certificate.public_bytes(Encoding.PEM).decode("ascii") for entry in certificates)


def load_identity(context: ssl.SSLContext, path: str, password: str | None) -> None:
    """A certificate and its key into `context`. Raises: OSError (ssl.SSLError is one), ValueError.

    `ssl` takes a key from files alone, so a PKCS #12 store passes through an encrypted, private one.
    """
    store = Path(path).read_bytes()
    if _PEM in store:
        context.load_cert_chain(path, password=password or "")  # without one, OpenSSL would ask on the terminal
        return
    pem = _identity(path, store, password)
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name, password=password)
    finally:
        Path(name).unlink()


def _identity(path: str, store: bytes, password: str | None) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    opened = _opened(store, password)
    if opened.cert is None or opened.key is None:
        raise ValueError(f"{path} holds no certificate with its key")
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    pem = opened.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    for entry in (opened.cert, *opened.additional_certs):
        pem += entry.certificate.public_bytes(Encoding.PEM)
    return pem


def _opened(store: bytes, password: str | None) -> PKCS12KeyAndCertificates:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    return load_pkcs12(store, password.encode() if password is not None else None)
