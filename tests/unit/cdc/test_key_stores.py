from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from cdc.key_stores import authorities, load_identity
from tests.certificates import CERTIFICATE, PEM, write_stores


@pytest.mark.parametrize("password", [None, "s3cret"])
def test_an_identity_is_the_same_from_pem_and_pkcs12(tmp_path: Path, password: str | None) -> None:
    for store in write_stores(tmp_path, password):
        load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), password)


def test_no_key_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, store = write_stores(tmp_path, "s3cret")
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), "s3cret")
    assert list(private.iterdir()) == []


@pytest.mark.parametrize("password", ["other", None])
def test_a_wrong_password_is_an_error_and_none_is_asked_for(tmp_path: Path, password: str | None) -> None:
    for store in write_stores(tmp_path, "s3cret"):
        with pytest.raises((ValueError, OSError)):
            load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(store), password)


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
