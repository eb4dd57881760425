from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from cdc.errors import ConfigError
from connect_compat.listener_tls import server_context
from tests.certificates import write_stores


def test_a_pem_or_pkcs12_file_is_all_it_needs(tmp_path: Path) -> None:
    for store in write_stores(tmp_path, "s3cret"):
        raw = {"ssl.keystore.location": str(store), "ssl.keystore.password": "s3cret"}
        context = server_context(raw, "listeners")
        assert context.verify_mode is ssl.CERT_NONE


def test_settings_of_the_listeners_win_over_those_of_all_clients(tmp_path: Path) -> None:
    store, _ = write_stores(tmp_path, None)
    own = {"admin.listeners.https.ssl.keystore.location": str(store), "ssl.keystore.location": "/nowhere"}
    server_context(own, "admin.listeners")
    with pytest.raises(ConfigError, match=r"/nowhere, named by ssl\.keystore\.location, cannot be used"):
        server_context(own, "listeners")


def test_clients_can_be_asked_for_a_certificate(tmp_path: Path) -> None:
    store, _ = write_stores(tmp_path, None)
    raw = {"ssl.keystore.location": str(store), "ssl.truststore.location": str(store), "ssl.client.auth": "required"}
    context = server_context(raw, "listeners")
    assert context.verify_mode is ssl.CERT_REQUIRED and context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "set ssl.keystore.location to a PEM or PKCS #12"),
        ({"listeners.https.ssl.client.auth": "none"}, "set listeners.https.ssl.keystore.location to"),
        ({"ssl.keystore.location": "{pem}"}, "give a PEM or PKCS #12 file and its ssl.keystore.password"),
        ({"ssl.keystore.location": "{jks}"}, "keytool -importkeystore -srckeystore"),
        ({"ssl.keystore.location": "/x", "ssl.client.auth": "maybe"}, "one of none, requested, required"),
    ],
)
def test_what_is_missing_or_wrong_is_told_by_its_setting(tmp_path: Path, raw: dict[str, str], words: str) -> None:
    write_stores(tmp_path, "s3cret")
    (tmp_path / "i.jks").write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    given = {key: text.format(pem=tmp_path / "i.pem", jks=tmp_path / "i.jks") for key, text in raw.items()}
    with pytest.raises(ConfigError, match=words):
        server_context({**given, "ssl.key.password": "wrong"}, "listeners")
