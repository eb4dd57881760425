"""API keys of the Elasticsearch sink on a real Elasticsearch 9 with its security. `make search-servers` runs it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from cdc.errors import TargetError
from cdc.record import Batch
from cdc.schema import INT32, OPTIONAL_STRING, struct
from sinks.elasticsearch.connector import ELASTICSEARCH
from tests.certificates import Authority, pem_of
from tests.server.private_server import PrivateServer

ADMIN: Final = ("admin", "admin-password")
KEY = struct(("id", INT32), name="k")
VALUE = struct(("id", INT32), ("name", OPTIONAL_STRING), name="v")
RIGHTS: Final = ["create_index", "index", "delete", "read", "view_index_metadata"]
"""What docs/connectors/elasticsearch.md tells to give to the sink's user."""


class Node:
    def __init__(self, folder: Path) -> None:
        self._server = PrivateServer("elasticsearchsecure", folder)
        config = folder / "config"
        config.mkdir()
        authority = Authority("CA of the test")
        key, certificate = authority.issues("localhost")
        self.trust = config / "ca.pem"
        self.trust.write_bytes(authority.pem())
        (config / "node.key").write_bytes(pem_of(key))
        (config / "node.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (config / "users").write_text(f"{ADMIN[0]}:{_hash(ADMIN[1])}\n")
        (config / "users_roles").write_text(f"superuser:{ADMIN[0]}\n")
        tls = {"enabled": True, "certificate": "node.crt", "key": "node.key"}
        told = {"enabled": True, "autoconfiguration.enabled": False, "http.ssl": tls}
        (config / "elasticsearch.yml").write_text(json.dumps({"xpack.security": told}))
        self.url = f"https://localhost:{self._server.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify, self.session.auth = str(self.trust), ADMIN

    def start(self) -> None:
        self._server.start()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, self.url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def documents(self) -> dict[str, Any]:
        self.call("POST", "/items/_refresh")
        return {hit["_id"]: hit["_source"] for hit in self.call("GET", "/items/_search")["hits"]["hits"]}

    def api_key(self) -> Any:
        rights = {"writer": {"indices": [{"names": ["items"], "privileges": RIGHTS}]}}
        return self.call("POST", "/_security/api_key", {"name": "writer", "role_descriptors": rights})

    def config(self, api_key: str) -> dict[str, str]:
        return {
            "connection.url": self.url, "elastic.security.protocol": "SSL", "connection.api.key": api_key,
            "elastic.https.ssl.truststore.location": str(self.trust), "behavior.on.null.values": "delete",
        }  # fmt: skip

    def close(self) -> None:
        self.session.close()
        self._server.close()


def _hash(password: str) -> str:
    """As the file `users` has it."""
    salt, rounds = b"of 32 bytes, and not a secret...", 10_000
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node(tmp_path_factory.mktemp("node"))
    try:
        made.start()
        yield made
    finally:
        made.close()


def batch(values: list[Any], topic: str = "items", first: int = 0) -> Batch:
    count = len(values)
    return Batch(topic, KEY, VALUE, [(each,) for each in range(count)], values, [()] * count, 0,
                 [1_760_000_000_000] * count, range(first, first + count))  # fmt: skip


def test_an_api_key_with_the_rights_that_the_docs_name_writes_until_it_is_taken_back(node: Node) -> None:
    made = node.api_key()
    raw = node.config(made["encoded"])
    assert ELASTICSEARCH.check(raw) == []
    with closing(ELASTICSEARCH.build(raw)) as sink:
        assert sink.put([batch([(0, "a"), (1, "b"), (2, "c")])]) == []
        assert sink.put([batch([(0, "d"), (1, "__debezium_unavailable_value"), None], first=3)]) == []
        assert node.documents() == {"0": {"id": 0, "name": "d"}, "1": {"id": 1, "name": "b"}}
        with pytest.raises(TargetError, match=r"refuses access \(403\).* may create_index, index, delete, read"):
            sink.put([batch([(0, "a")], "others")])
        node.call("DELETE", "/_security/api_key", {"ids": [made["id"]]})
        with pytest.raises(TargetError, match=r"refuses access \(401\).*or connection\.api\.key") as raised:
            sink.put([batch([(0, "e")], first=6)])
    (problem,) = ELASTICSEARCH.check(raw)
    assert problem.key == "connection.username"
    for told in (str(raised.value), problem.message):
        assert made["encoded"] not in told and made["api_key"] not in told
