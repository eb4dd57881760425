"""The Elasticsearch sink on a real OpenSearch with its security plugin: TLS with a CA of its own, users, client
certificates. `make search-servers` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509 import Certificate

from cdc.connector import Raw
from cdc.errors import TargetError
from cdc.record import Batch
from cdc.schema import INT32, OPTIONAL_STRING, struct
from sinks.elasticsearch.connector import ELASTICSEARCH
from tests.certificates import Authority, pem_of
from tests.server.private_server import PrivateServer

PASSWORD, STORE_PASSWORD = "Tr4ce-the-rail-9", "opens the store"
HTTPS = "elastic.https.ssl."
TRUST, KEYS = f"{HTTPS}truststore", f"{HTTPS}keystore"
KEY = struct(("id", INT32), name="k")
VALUE = struct(("id", INT32), ("name", OPTIONAL_STRING), name="v")
RIGHTS: Final = {
    "cluster_permissions": ["indices:data/write/bulk", "indices:data/read/mget"],
    "index_permissions": [{
        "index_patterns": ["items", "more-items"],
        "allowed_actions": ["create_index", "crud", "indices:admin/get", "indices:admin/mappings/get",
                            "indices:admin/mapping/put"],
    }],
}  # fmt: skip
"""What docs/connectors/elasticsearch.md tells to give to the sink's user."""
LOGINS: Final = {
    name: {
        "http_enabled": True, "order": order, "http_authenticator": {"type": kind, "challenge": challenge, **more},
        "authentication_backend": {"type": backend},
    }
    for order, (name, kind, challenge, backend, more) in enumerate((
        ("by_certificate", "clientcert", False, "noop", {"config": {"username_attribute": "cn"}}),
        ("by_password", "basic", True, "intern", {}),
    ))
}  # fmt: skip
SECURITY: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "config": ("config", {"config": {"dynamic": {"authc": LOGINS}}}),
    "internal_users": ("internalusers", {}),
    "roles": ("roles", {"writer": RIGHTS}),
    "roles_mapping": ("rolesmapping", {"writer": {"users": ["tailrace", "certified"]}}),
    "action_groups": ("actiongroups", {}),
    "tenants": ("tenants", {}),
}
NODE: Final = {
    "plugins.security": {
        "allow_default_init_securityindex": True,
        "authcz.admin_dn": ["CN=admin"],
        "nodes_dn": ["CN=localhost"],
        "ssl": {
            layer: {"enabled": True, "pemcert_filepath": "node.crt", "pemkey_filepath": "node.key",
                    "pemtrustedcas_filepath": "ca.pem", **more}
            for layer, more in (("transport", {"enforce_hostname_verification": False}),
                                ("http", {"clientauth_mode": "OPTIONAL"}))
        },
    },
}  # fmt: skip


class Node:
    """A server; `stores` has the CA and the certificates of `admin` and of `certified`, as PEM and as PKCS #12."""

    def __init__(self, kind: str, folder: Path, stores: Path) -> None:
        self.stores = stores
        self._server = PrivateServer(kind, folder)
        self._authority = Authority("CA of the test")
        self._write_stores(folder / "config")
        for name, (form, content) in SECURITY.items():
            told = {"_meta": {"type": form, "config_version": 2}, **content}
            (folder / f"config/opensearch-security/{name}.yml").write_text(json.dumps(told))
        (folder / "config/opensearch.yml").write_text(json.dumps(NODE))
        self.url = f"https://localhost:{self._server.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify, self.session.cert = str(stores / "ca.pem"), str(stores / "admin.pem")

    def start(self) -> None:
        self._server.start()
        self.call("PUT", "/_plugins/_security/api/internalusers/tailrace", {"password": PASSWORD})

    def _write_stores(self, config: Path) -> None:
        (config / "opensearch-security").mkdir(parents=True)
        encryption = BestAvailableEncryption(STORE_PASSWORD.encode())
        for folder in (config, self.stores):
            (folder / "ca.pem").write_bytes(self._authority.pem())
        authority = [self._authority.certificate]
        trusted = pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(authority[0], b"ca")], encryption)
        (self.stores / "ca.p12").write_bytes(trusted)
        key, certificate = self._authority.issues("localhost")
        (config / "node.key").write_bytes(pem_of(key))
        (config / "node.crt").write_bytes(_pem(certificate))
        for name in ("admin", "certified"):
            key, certificate = self._authority.issues(name)
            (self.stores / f"{name}.pem").write_bytes(pem_of(key) + _pem(certificate))
            (self.stores / f"{name}.p12").write_bytes(
                pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, authority, encryption)
            )
        key, certificate = Authority("another CA").issues("stranger")
        (self.stores / "stranger.pem").write_bytes(pem_of(key) + _pem(certificate))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, self.url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def documents(self, name: str = "items") -> dict[str, Any]:
        self.call("POST", f"/{name}/_refresh")
        return {hit["_id"]: hit["_source"] for hit in self.call("GET", f"/{name}/_search")["hits"]["hits"]}

    def config(self, **changes: str) -> dict[str, str]:
        """Of the user with the password who trusts the CA; keys of the changes have underscores."""
        given = {name.replace("_", "."): value for name, value in changes.items()}
        return {
            "connection.url": self.url, "elastic.security.protocol": "SSL", f"{TRUST}.location": self.store("ca.pem"),
            "connection.username": "tailrace", "connection.password": PASSWORD, **given,
        }  # fmt: skip

    def store(self, name: str) -> str:
        return str(self.stores / name)

    def close(self) -> None:
        self.session.close()
        self._server.close()


def _pem(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node("opensearchsecure", tmp_path_factory.mktemp("node"), tmp_path_factory.mktemp("stores"))
    try:
        made.start()
        yield made
    finally:
        made.close()


def batch(count: int, topic: str = "items") -> Batch:
    numbers = range(count)
    return Batch(topic, KEY, VALUE, [(each,) for each in numbers], [(each, f"n{each}") for each in numbers],
                 [()] * count, 0, [1_760_000_000_000] * count, numbers)  # fmt: skip


def told_by_check(raw: Raw, key: str) -> str:
    (problem,) = ELASTICSEARCH.check(raw)
    assert problem.key == key
    assert PASSWORD not in problem.message and STORE_PASSWORD not in problem.message
    return problem.message


@pytest.mark.parametrize("trust", ["ca.pem", "ca.p12"])
def test_a_user_with_the_rights_that_the_docs_name_writes(node: Node, trust: str) -> None:
    more = {f"{TRUST}.location": node.store(trust), f"{TRUST}.password": STORE_PASSWORD}
    raw = {**node.config(), **more, "behavior.on.null.values": "delete"}
    assert ELASTICSEARCH.check(raw) == []
    later = struct(*((field.name, field.schema) for field in VALUE.fields), ("note", OPTIONAL_STRING), name="v")
    values = [(0, "x", "first"), (1, "__debezium_unavailable_value", None), None]
    changed = replace(batch(3), value_schema=later, values=values, offsets=range(3, 6))
    with closing(ELASTICSEARCH.build(raw)) as sink:
        assert [*sink.put([batch(3)]), *sink.put([changed])] == []
    assert node.documents() == {
        "0": {"id": 0, "name": "x", "note": "first"}, "1": {"id": 1, "name": "n1", "note": None},
    }  # fmt: skip
    assert ELASTICSEARCH.check({**raw, "write.method": "upsert", "behavior.on.null.values": "ignore"}) == []
    node.call("DELETE", "/items")


@pytest.mark.parametrize("store", ["certified.pem", "certified.p12"])
def test_a_client_certificate_is_a_login(node: Node, store: str) -> None:
    raw = {**node.config(), f"{KEYS}.location": node.store(store), f"{KEYS}.password": STORE_PASSWORD}
    for name in ("connection.username", "connection.password"):
        del raw[name]
    if store.endswith(".pem"):
        del raw[f"{KEYS}.password"]
    assert ELASTICSEARCH.check(raw) == []
    with closing(ELASTICSEARCH.build(raw)) as sink:
        assert sink.put([batch(3)]) == []
    assert set(node.documents()) == {"0", "1", "2"}
    node.call("DELETE", "/items")


def test_a_data_stream_is_made_when_its_first_record_comes(node: Node) -> None:
    node.call("PUT", "/_index_template/made", {"index_patterns": ["logs-made-*"], "data_stream": {}})
    raw = {**node.config(data_stream_type="logs", data_stream_dataset="made", data_stream_namespace="items"),
           f"{KEYS}.location": node.store("admin.pem")}  # fmt: skip
    for name in ("connection.username", "connection.password"):
        del raw[name]
    assert ELASTICSEARCH.check(raw) == []
    assert node.call("GET", "/_data_stream/*")["data_streams"] == []
    with closing(ELASTICSEARCH.build(raw)) as sink:
        assert [*sink.put([batch(2)]), *sink.put([batch(3)])] == []
    (made,) = node.call("GET", "/_data_stream/*")["data_streams"]
    assert made["name"] == "logs-made-items"
    assert set(node.documents(made["name"])) == {"0", "1", "2"}
    node.call("DELETE", f"/_data_stream/{made['name']}")


def test_a_wrong_password_is_told_by_its_key_and_not_repeated(node: Node) -> None:
    wrong = node.config(connection_password=f"{PASSWORD}0")
    told = told_by_check(wrong, "connection.username")
    assert "refuses access (401)" in told and "set connection.username and connection.password" in told
    with closing(ELASTICSEARCH.build(wrong)) as sink, pytest.raises(TargetError, match=r"\(401\)") as raised:
        sink.put([batch(3)])
    assert not raised.value.retriable and PASSWORD not in str(raised.value)


def test_rights_that_are_missing_are_told_with_the_remedy(node: Node) -> None:
    """Before a request and, when they are taken away while the sink writes, of each document."""
    remedy = "of a user that may create_index, index, delete, read and view_index_metadata"
    with closing(ELASTICSEARCH.build(node.config())) as sink:
        with pytest.raises(TargetError, match=rf"refuses access \(403\).*{remedy}"):
            sink.put([batch(3, "others")])
        assert sink.put([batch(1)]) == []
        node.call("PUT", "/_plugins/_security/api/roles/writer", {**RIGHTS, "index_permissions": []})
        with pytest.raises(TargetError, match=rf"no permissions for .*{remedy}"):
            sink.put([batch(3)])
    node.call("PUT", "/_plugins/_security/api/roles/writer", RIGHTS)
    node.call("DELETE", "/items")


def test_a_certificate_that_is_not_trusted_is_told_with_the_remedy(node: Node) -> None:
    elsewhere = node.config(connection_url=node.url.replace("localhost", "127.0.0.1"))
    told = told_by_check(elsewhere, "connection.url")
    assert "not valid for '127.0.0.1'" in told and "name the server in connection.url as its certificate does" in told
    assert ELASTICSEARCH.check({**elsewhere, f"{HTTPS}endpoint.identification.algorithm": ""}) == []
    trusting = node.config()
    del trusting[f"{TRUST}.location"]
    assert f"set {TRUST}.location" in told_by_check(trusting, "connection.url")
    stranger = {**node.config(), f"{KEYS}.location": node.store("stranger.pem")}
    assert f"set {KEYS}.location" in told_by_check(stranger, "connection.url")
    plain = node.config(connection_url=node.url.replace("https:", "http:"))
    assert "check that it runs, and connection.url" in told_by_check(plain, "connection.url")
