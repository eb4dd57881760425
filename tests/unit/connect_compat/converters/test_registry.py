"""Which schema of a registry values are written with, and how its client logs in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cdc.config import parse
from cdc.errors import ConfigError, ConversionError, LogUnavailable
from cdc.schema import INT32, INT64, OPTIONAL_STRING, STRING, Schema, Type, decimal, struct
from connect_compat.converters.avro import AvroConverter
from connect_compat.converters.chosen import renewal
from connect_compat.converters.draft import JsonSchemaConverter
from connect_compat.converters.draft_fit import misfit
from connect_compat.converters.protobuf import ProtobufConverter
from connect_compat.converters.registry import Registry
from connect_compat.converters.registry_keys import RegistryConfig
from tests.certificates import KEY, PEM, write_stores
from tests.fake_registry import FakeRegistry, fake_registry

ROW = struct(("id", INT32), ("note", OPTIONAL_STRING), name="shop.orders.Value")
WRITE = {"auto.register.schemas": "false"}
CLASSES = [AvroConverter, JsonSchemaConverter, ProtobufConverter]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as fake:
        yield fake


def converter(made: Any, fake: FakeRegistry, given: dict[str, str] | None = None) -> Any:
    settings = {"schema.registry.url": fake.url, **(given or {})}
    return made(parse(made.CONFIG, settings), False, settings)


def registered(fake: FakeRegistry, made: Any) -> dict[str, Any]:
    """What the converter registers for ROW."""
    converter(made, fake).encode("own", ROW, [(1, "a")])
    return fake.schemas[fake.subjects["own-value"][-1]]


@pytest.mark.parametrize("made", CLASSES)
def test_values_are_written_with_the_schema_of_an_id_or_of_metadata(registry: FakeRegistry, made: Any) -> None:
    body = registered(registry, made)
    number = registry.add("t-value", {**body, "metadata": {"properties": {"version": "v1", "team": "a b"}}})
    registry.add("t-value", body | {"metadata": {"properties": {"version": "v2"}}})
    (by_id,) = converter(made, registry, WRITE | {"use.schema.id": str(number)}).encode("t", ROW, [(1, "a")])
    assert by_id[:5] == b"\0" + number.to_bytes(4, "big")
    found = converter(made, registry, WRITE | {"use.latest.with.metadata": "version=v1,team=a b"})
    assert found.encode("t", ROW, [(1, "a")]) == [by_id]
    none = converter(made, registry, WRITE | {"use.latest.with.metadata": "version=v3"})
    with pytest.raises(ConversionError, match=r"under subject 't-value' with metadata version=v3 .* register it"):
        none.encode("t", ROW, [(1, "a")])
    gone = converter(made, registry, WRITE | {"use.schema.id": "77"})
    with pytest.raises(ConversionError, match="has no schema 77"):
        gone.encode("t", ROW, [(1, "a")])


@pytest.mark.parametrize("made", CLASSES)
def test_a_schema_with_rules_is_refused_unless_they_would_not_be_carried_out(registry: FakeRegistry, made: Any) -> None:
    body = registered(registry, made)
    raw = converter(made, registry).encode("own", ROW, [(1, "a")])
    rule = {"name": "secret", "type": "ENCRYPT", "mode": "WRITEREAD"}
    number = registry.add("t-value", body | {"ruleSet": {"domainRules": [rule]}})
    newest = WRITE | {"use.latest.version": "true"}
    with pytest.raises(ConversionError, match="'t-value' has the rule 'secret' of type ENCRYPT"):
        converter(made, registry, newest).encode("t", ROW, [(1, "a")])
    (one,) = raw
    with pytest.raises(ConversionError, match="has the rule 'secret'"):
        converter(made, registry).decode("t", [one[:1] + number.to_bytes(4, "big") + one[5:]])
    for harmless in ({"disabled": True}, {"mode": "READ"}, {"onFailure": "NONE"}, {"onFailure": "NONE,ERROR"}):
        registry.add("t-value", body | {"ruleSet": {"domainRules": [rule | harmless]}})
        assert converter(made, registry, newest).encode("t", ROW, [(1, "a")])


def test_a_json_schema_that_cannot_hold_the_records_is_refused_when_that_is_asked_for(registry: FakeRegistry) -> None:
    needs = {"type": "object", "properties": {"id": {"type": "integer"}, "qty": {"type": "integer"}},
             "required": ["qty"]}  # fmt: skip
    number = registry.add("t-value", {"schema": json.dumps(needs), "schemaType": "JSON"})
    for given in ({"use.latest.version": "true"}, {"use.schema.id": str(number)}):
        strict = converter(JsonSchemaConverter, registry, WRITE | given)
        with pytest.raises(ConversionError, match=r"schema 1 of subject 't-value'.*'qty'.*compatibility\.strict=false"):
            strict.encode("t", ROW, [(1, "a")])
        lax = {"latest.compatibility.strict": "false", "id.compatibility.strict": "false"}
        assert converter(JsonSchemaConverter, registry, WRITE | given | lax).encode("t", ROW, [(1, "a")])


@pytest.mark.parametrize(
    ("written", "read", "words"),
    [
        (INT32, Schema(Type.FLOAT64), None),
        (Schema(Type.FLOAT64), INT64, "the value is number, where the schema in the registry has integer"),
        (decimal(2), Schema(Type.FLOAT64), None),
        (Schema(Type.BYTES), STRING, None),
        (OPTIONAL_STRING, STRING, "may be null"),
        (Schema(Type.ARRAY, items=INT32), Schema(Type.ARRAY, items=STRING), r"'\[\]' is integer"),
        (Schema(Type.MAP, keys=STRING, items=INT32), struct(), None),
        (struct(("a", struct(("b", INT32)))), struct(("a", struct(("b", STRING)))), r"'a\.b' is integer"),
        (struct(("a", INT32)), struct(("b", STRING)), "needs a field 'b'"),
        (struct(("a", INT32)), struct(("b", OPTIONAL_STRING)), None),
    ],
)
def test_json_of_one_schema_is_or_is_not_json_of_another(written: Schema, read: Schema, words: str | None) -> None:
    found = misfit(written, read)
    assert found is None if words is None else re.search(words, found or "")


def test_the_newest_schema_is_asked_for_again_after_its_time() -> None:
    now, writers = [0.0], {"a": 1}
    settings = {"schema.registry.url": "http://r", **WRITE, "use.latest.version": "true"}
    config = parse(RegistryConfig, settings | {"latest.cache.ttl.sec": "5"})
    renew = renewal(config, writers, lambda: now[0])
    assert renew is not None
    renew()
    assert writers
    now[0] = 5.0
    renew()
    assert not writers
    assert renewal(parse(RegistryConfig, settings), writers) is None
    assert renewal(parse(RegistryConfig, {"schema.registry.url": "http://r", "latest.cache.ttl.sec": "5"}), {}) is None


def test_headers_tags_and_another_first_address_are_heeded(registry: FakeRegistry) -> None:
    given = {"request.header.X-Team": "a", "propagate.schema.tags": "true", "schema.registry.url.randomize": "true"}
    assert converter(AvroConverter, registry, given).encode("t", ROW, [(1, "a")])
    assert registry.headers["X-Team"] == "a"
    assert registry.bodies[-1]["propagateSchemaTags"] is True


def test_a_token_of_an_identity_provider_is_kept_until_it_ends(registry: FakeRegistry) -> None:
    given = {
        "schema.registry.url": registry.url, "bearer.auth.credentials.source": "OAUTHBEARER",
        "bearer.auth.issuer.endpoint.url": f"{registry.url}/token", "bearer.auth.client.id": "me",
        "bearer.auth.client.secret": "s3", "bearer.auth.scope": "read write", "bearer.auth.logical.cluster": "lsrc-1",
        "bearer.auth.identity.pool.id": "pool-1",
    }  # fmt: skip
    now = [100.0]
    client = Registry(parse(RegistryConfig, given).access(given), clock=lambda: now[0])
    for at, token in ((100.0, "token-1"), (3399.0, "token-1"), (3401.0, "token-2")):
        now[0] = at
        assert client.latest("nothing") is None
        assert registry.headers["Authorization"] == f"Bearer {token}"
    assert registry.headers["target-sr-cluster"] == "lsrc-1"
    assert registry.headers["Confluent-Identity-Pool-Id"] == "pool-1"
    asked = parse_qs(registry.forms[0])
    assert asked == {"grant_type": ["client_credentials"], "scope": ["read write"]}
    registry.refused_tokens = True
    now[0] = 9999.0
    with pytest.raises(ConfigError, match=r"/token answers 401: .*correct bearer\.auth\.client\.id"):
        client.latest("nothing")


def test_a_login_that_is_refused_stops_the_task_and_is_nobodys_data(registry: FakeRegistry) -> None:
    registry.status = 401
    with pytest.raises(ConfigError, match=r"answers 401 to POST /subjects/t-value/versions.*basic\.auth"):
        converter(AvroConverter, registry).encode("t", ROW, [(1, "a")])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"basic.auth.credentials.source": "USER_INFO"}, r"basic\.auth\.user\.info is missing"),
        ({"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.client.id": "a"},
         r"issuer\.endpoint\.url is missing[\s\S]*bearer\.auth\.client\.secret is missing"),
        ({"schema.registry.ssl.truststore.location": "/no/such"}, r"truststore\.location: /no/such cannot be read"),
        ({"schema.registry.ssl.keystore.location": "/dev/null"}, r"keystore\.location: /dev/null holds no certificate"),
        ({"schema.registry.ssl.keystore.certificate.chain": "x", "schema.registry.ssl.keystore.key": "y"},
         r"keystore\.key: it holds no certificate"),
    ],
)  # fmt: skip
def test_a_login_that_is_not_whole_is_told_at_once(given: dict[str, str], words: str) -> None:
    settings = {"schema.registry.url": "http://r"} | given
    with pytest.raises(ConfigError, match=words):
        AvroConverter(parse(AvroConverter.CONFIG, settings), False, settings)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("basic.auth.credentials.source", "sasl_inherit", "set USER_INFO"),
        ("bearer.auth.credentials.source", "CUSTOM", "it is STATIC_TOKEN with bearer.auth.token"),
        ("bearer.auth.custom.provider.class", "a.B", "no Java runs here"),
        ("context.name.strategy", "a.B", "set io.confluent.kafka.serializers.context.NullContextNameStrategy"),
        ("value.schema.id.serializer", "a.HeaderSchemaIdSerializer", "set io.confluent.*PrefixSchemaIdSerializer"),
        ("rule.executors", "a", "remove rule.executors"),
        ("schema.format", "resolved", "remove schema.format"),
        ("use.latest.with.metadata", "a=b,c", "'c' is not name=value"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_to_do(name: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)Invalid value .* for configuration {name}: .*{words}"):
        parse(RegistryConfig, {"schema.registry.url": "http://r", name: value})
    if name == "rule.executors":
        with pytest.raises(ConfigError, match=r"skip\.known\.types.*set true"):
            parse(ProtobufConverter.CONFIG, {"schema.registry.url": "http://r", "skip.known.types": "false"})


def test_settings_of_tls_are_taken_from_files_and_from_the_config_itself(tmp_path: Path) -> None:
    for store in write_stores(tmp_path, "pw"):
        given = {"schema.registry.url": "https://r", "schema.registry.ssl.truststore.location": str(store),
                 "schema.registry.ssl.truststore.password": "pw", "ssl.keystore.location": str(store),
                 "schema.registry.ssl.key.password": "pw",
                 "schema.registry.ssl.endpoint.identification.algorithm": ""}  # fmt: skip
        context = parse(RegistryConfig, given).access({}).tls
        assert context is not None
        assert not context.check_hostname
        assert len(context.get_ca_certs()) == 1
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    inline = {"schema.registry.url": "https://r", "schema.registry.ssl.truststore.certificates": PEM.decode(),
              "schema.registry.ssl.keystore.certificate.chain": PEM.decode(),
              "schema.registry.ssl.keystore.key": key}  # fmt: skip
    context = parse(RegistryConfig, inline).access({}).tls
    assert context is not None
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1
    assert parse(RegistryConfig, {"schema.registry.url": "https://r"}).access({}).tls is None


def test_a_proxy_is_asked_for_the_whole_address(registry: FakeRegistry) -> None:
    port = registry.server.server_port
    given = {"schema.registry.url": "http://registry.example:8081", "proxy.host": "127.0.0.1", "proxy.port": str(port)}
    client = Registry(parse(RegistryConfig, given).access({}))
    assert client.latest("nothing") is None
    assert registry.asked == ["GET http://registry.example:8081/subjects/nothing/versions/latest"]
    away = parse(RegistryConfig, given | {"proxy.port": "9", "http.connect.timeout.ms": "500"})
    with pytest.raises(LogUnavailable, match="does not answer"):
        Registry(away.access({})).latest("nothing")
