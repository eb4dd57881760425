"""One self-signed certificate of `localhost` and its key, in the stores that settings name."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(NAME)
    .issuer_name(NAME)
    .public_key(KEY.public_key())
    .serial_number(1)
    .not_valid_before(datetime.datetime(2020, 1, 1))
    .not_valid_after(datetime.datetime(2120, 1, 1))
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    .sign(KEY, SHA256())
)
PEM = CERTIFICATE.public_bytes(Encoding.PEM)


def write_stores(folder: Path, password: str | None) -> list[Path]:
    """The same identity as `i.pem` and as `i.p12`."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    (folder / "i.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption) + PEM)
    (folder / "i.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"i", KEY, CERTIFICATE, None, encryption))
    return [folder / "i.pem", folder / "i.p12"]


class Authority:
    """A CA of a test's own."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = _certificate(self._name, self._key.public_key(), self._name, self._key, ca=True)

    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issues(
        self, name: str, *, expired: bool = False
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:  # fmt: skip
        """A key and its certificate for a host or a user."""
        key = ec.generate_private_key(ec.SECP256R1())
        return key, _certificate(_named(name), key.public_key(), self._name, self._key, dns=name, expired=expired)


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, signing: ec.EllipticCurvePrivateKey, *,
    ca: bool = False, dns: str | None = None, expired: bool = False,
) -> x509.Certificate:  # fmt: skip
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        .serial_number(x509.random_serial_number()).not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2021 if expired else 2120, 1, 1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )  # fmt: skip
    if dns is not None:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
    return made.sign(signing, SHA256())
