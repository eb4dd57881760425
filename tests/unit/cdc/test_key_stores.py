from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
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

from cdc.key_stores import authorities, load_identity

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
    .sign(KEY, SHA256())
)
PEM = CERTIFICATE.public_bytes(Encoding.PEM)


def stores(folder: Path, password: str | None) -> list[Path]:
    """The same identity as PEM and as PKCS #12."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    (folder / "i.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption) + PEM)
    (folder / "i.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"i", KEY, CERTIFICATE, None, encryption))
    return [folder / "i.pem", folder / "i.p12"]


@pytest.mark.parametrize("password", [None, "s3cret"])
def test_an_identity_is_the_same_from_pem_and_pkcs12(tmp_path: Path, password: str | None) -> None:
    for store in stores(tmp_path, password):
        load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), password)


def test_no_key_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, store = stores(tmp_path, "s3cret")
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), "s3cret")
    assert list(private.iterdir()) == []


def test_a_wrong_password_is_an_error(tmp_path: Path) -> None:
    for store in stores(tmp_path, "s3cret"):
        with pytest.raises((ValueError, OSError)):
            load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), "other")


def test_a_store_without_a_key_is_refused_by_name(tmp_path: Path) -> None:
    store = tmp_path / "trust.p12"
    store.write_bytes(pkcs12.serialize_key_and_certificates(None, None, None, [CERTIFICATE], NoEncryption()))
    with pytest.raises(ValueError, match=r"trust\.p12 holds no certificate with its key"):
        load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), None)


def test_authorities_are_the_same_from_pem_and_pkcs12(tmp_path: Path) -> None:
    store, trust = tmp_path / "trust.p12", tmp_path / "trust.pem"
    store.write_bytes(
        pkcs12.serialize_key_and_certificates(None, None, None, [CERTIFICATE], BestAvailableEncryption(b"s3cret"))
    )
    trust.write_bytes(PEM)
    assert authorities(str(store), "s3cret") == authorities(str(trust), None) == PEM.decode()
