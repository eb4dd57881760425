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
