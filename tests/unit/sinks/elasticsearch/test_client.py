"""How the sink reaches its server: logins, proxies, TLS."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.elasticsearch.connector import ELASTICSEARCH
from tests.certificates import write_stores
from tests.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch

HTTPS = "elastic.https.ssl."


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as fake:
        yield fake


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[FakeElasticsearch]:
    """Asks for a client certificate."""
    pem, *_ = write_stores(tmp_path, None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    with fake_elasticsearch(context) as fake:
        yield fake


def _basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"connection.api.key": "abc=="}, "ApiKey abc=="),
        ({"connection.username": "me", "connection.password": "s3cret"}, _basic("me:s3cret")),
        ({}, None),
    ],
)
def test_a_login_goes_with_every_request(fake: FakeElasticsearch, given: dict[str, str], sent: str | None) -> None:
    assert ELASTICSEARCH.check({"connection.url": fake.url} | given) == []
    assert fake.asked[0][1].get("authorization") == sent
    assert ELASTICSEARCH.check({"connection.url": fake.url.replace("//", "//you:pass@")}) == []
    assert fake.asked[1][1]["authorization"] == _basic("you:pass")


def test_a_proxy_is_asked_for_the_server(fake: FakeElasticsearch) -> None:
    port = fake.url.rpartition(":")[2]
    config = {"connection.url": "elastic.invalid", "proxy.host": "127.0.0.1", "proxy.port": port}
    assert ELASTICSEARCH.check(config | {"proxy.username": "p", "proxy.password": "w"}) == []
    path, headers = fake.asked[0]
    assert path.startswith("http://elastic.invalid") and path.endswith("/")
    assert headers["proxy-authorization"] == _basic("p:w")


@pytest.mark.parametrize("store", ["i.pem", "i.p12"])
def test_stores_are_pem_or_pkcs12(secure: FakeElasticsearch, tmp_path: Path, store: str) -> None:
    stores = {f"{HTTPS}{kind}.location": str(tmp_path / store) for kind in ("truststore", "keystore")}
    config = {"connection.url": secure.url, "elastic.security.protocol": "SSL", **stores}
    assert ELASTICSEARCH.check(config) == []
    elsewhere = config | {"connection.url": secure.url.replace("localhost", "127.0.0.1")}
    (problem,) = ELASTICSEARCH.check(elsewhere)
    assert problem.key == "connection.url" and "as its certificate does" in problem.message
    assert ELASTICSEARCH.check(elsewhere | {f"{HTTPS}endpoint.identification.algorithm": ""}) == []


def test_a_store_that_cannot_be_opened_is_told_by_its_key(tmp_path: Path) -> None:
    write_stores(tmp_path, "right")
    config = {"connection.url": "https://localhost:1", "elastic.security.protocol": "SSL"}
    for name, password in (("i.p12", "wrong"), ("none.pem", "right")):
        given = {f"{HTTPS}truststore.location": str(tmp_path / name), f"{HTTPS}truststore.password": password}
        (problem,) = ELASTICSEARCH.check(config | given)
        assert problem.key == "elastic.https.ssl.truststore.location" and str(tmp_path / name) in problem.message
