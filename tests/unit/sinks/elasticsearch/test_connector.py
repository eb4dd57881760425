"""What the sink decides before it talks to Elasticsearch."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdc.config import parse
from cdc.errors import ConfigError
from sinks.elasticsearch.config import ElasticsearchConfig
from sinks.elasticsearch.connector import ELASTICSEARCH
from sinks.elasticsearch.names import index_name, resource_name
from sinks.elasticsearch.rules import settings
from tests.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch


@pytest.mark.parametrize(
    ("topic", "index"),
    [("dbserver1.Inventory.Customers", "dbserver1.inventory.customers"), ("_x", "x"), ("-x", "x"), (".", "dot"),
     ("..", "dotdot"), ("a" * 300, "a" * 255)],
)  # fmt: skip
def test_an_index_is_named_after_its_topic(topic: str, index: str) -> None:
    assert index_name(topic) == index


@pytest.mark.parametrize("name", ["elasticsearch-sink-connector.post.json", "simple-elasticsearch-connector.json"])
def test_configs_that_people_have_are_taken_as_they_are(name: str) -> None:
    given = json.loads((Path(__file__).parents[3] / "golden" / "configs" / name).read_text())
    config = parse(ElasticsearchConfig, given.get("config", given))
    assert config.urls[0].endswith(":9200")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("connection.url", "http://:9200", "write it as http://host:9200"),
        ("connection.url", "http://es:port", "write it as http://host:9200"),
        ("batch.size", "many", "Not a number of type INT"),
        ("behavior.on.null.values", "drop", "ignore, delete, fail"),
        ("topic.key.ignore", "a", "say the same twice"),
        ("connection.username", "me", "connection.password is not set"),
        ("data.stream.type", "logs", "data.stream.dataset is not set"),
        ("data.stream.timestamp.field", "at", "for data streams only"),
        ("external.resource.usage", "index", "topic.to.external.resource.mapping is not set"),
        ("topic.to.external.resource.mapping", "a:b", "external.resource.usage is not set"),
        ("linger.ms", "200000", "larger than flush.timeout.ms"),
        ("max.buffered.records", "9999", "set it to at least 10000"),
        ("proxy.username", "me", "set proxy.host"),
        ("elastic.https.ssl.truststore.location", "/x/trust.pem", "set elastic.security.protocol=SSL"),
        ("kerberos.keytab.path", "/x", "Kerberos is not supported; remove it, and set connection.api.key"),
        ("data.stream.dataset", "A", "all lower case"),
        ("data.stream.namespace", "a-b", "must not contain '-'"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_remedy(key: str, value: str, told: str) -> None:
    raw = {"connection.url": "http://127.0.0.1:9200", "key.ignore": "true", key: value}
    with pytest.raises(ConfigError, match=told) as raised:
        ELASTICSEARCH.build(raw)
    assert all(problem.message for problem in raised.value.problems)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"write.method": "upsert"}, "set it to insert"),
        ({"behavior.on.null.values": "delete"}, "set it to ignore or fail"),
    ],
)
def test_data_streams_take_new_documents_only(more: dict[str, str], told: str) -> None:
    stream = {"connection.url": "es:9200", "data.stream.type": "LOGS", "data.stream.dataset": "shop"}
    assert resource_name(settings(stream), "Orders.X") == "logs-shop-orders.x"
    with pytest.raises(ConfigError, match=told):
        settings(stream | more)


@pytest.mark.parametrize(
    ("mapping", "topics", "told"),
    [
        ("a:x,b", "a", "write it as topic:resource"),
        ("a:x,a:y", "a", "'a' is mapped to several resources"),
        ("a:x,b:x", "a,b", "'x' is mapped from several topics"),
        ("a:x", "a,b", "add b:RESOURCE"),
        ("a:x,b:y", "a", "topics does not list"),
    ],
)
def test_a_mapping_to_what_is_there_must_be_one_to_one(mapping: str, topics: str, told: str) -> None:
    raw = {"connection.url": "http://es:9200", "external.resource.usage": "ALIAS_INDEX", "topics": topics}
    with pytest.raises(ConfigError, match=told):
        settings(raw | {"topic.to.external.resource.mapping": mapping})


def test_a_store_of_javas_own_form_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    store = tmp_path / "trust.jks"
    store.write_bytes(b"\xfe\xed\xfe\xed....")
    raw = {"connection.url": "https://es:9200", "elastic.security.protocol": "SSL"}
    with pytest.raises(ConfigError, match="keytool -importkeystore"):
        ELASTICSEARCH.build(raw | {"elastic.https.ssl.truststore.location": str(store)})


def test_an_address_where_nothing_answers_is_told_by_its_key() -> None:
    (problem,) = ELASTICSEARCH.check({"connection.url": "http://127.0.0.1:1"})
    assert problem.key == "connection.url"
    assert "http://127.0.0.1:1 does not answer" in problem.message


def test_an_address_without_a_port_has_that_of_its_scheme() -> None:
    (problem,) = ELASTICSEARCH.check({"connection.url": "http://no-such-host.invalid"})
    assert "no-such-host.invalid', port=80" in problem.message


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as fake:
        yield fake


def test_of_several_addresses_one_must_answer_and_one_may_be_named_twice(fake: FakeElasticsearch) -> None:
    assert ELASTICSEARCH.check({"connection.url": f"http://127.0.0.1:1,{fake.url},{fake.url}/"}) == []


def test_a_wrong_address_is_told_without_its_login() -> None:
    with pytest.raises(ConfigError) as raised:
        ELASTICSEARCH.build({"connection.url": "http://me:s3cret@:9200"})
    (problem,) = raised.value.problems
    assert "s3cret" not in problem.message and "http://:9200" in problem.message


def told(fake: FakeElasticsearch) -> tuple[str, str]:
    """The key and the message of the only problem; the address given holds a user and a password."""
    url = fake.url.replace("//", "//me:s3cret@")
    (problem,) = ELASTICSEARCH.check({"connection.url": url})
    assert "s3cret" not in problem.message and fake.url in problem.message
    return problem.key, problem.message


def test_a_server_that_wants_a_login_is_told_with_the_keys_to_set(fake: FakeElasticsearch) -> None:
    fake.status = 401
    key, message = told(fake)
    assert key == "connection.username"
    assert "(401): security_exception: missing authentication credentials; set connection.username" in message


def test_a_user_who_may_not_ask_for_the_version_may_still_write(fake: FakeElasticsearch) -> None:
    fake.status = 403
    assert ELASTICSEARCH.check({"connection.url": fake.url}) == []


def test_a_busy_server_is_told(fake: FakeElasticsearch) -> None:
    fake.status, fake.reason = 503, "overloaded"
    assert told(fake)[1].endswith("is busy (503): security_exception: overloaded")


@pytest.mark.parametrize("status", [200, 404, 406])
def test_what_is_not_elasticsearch_is_told(fake: FakeElasticsearch, status: int) -> None:
    fake.status, fake.version = status, None
    key, message = told(fake)
    assert key == "connection.url" and message.endswith("correct connection.url")


def test_opensearch_is_as_good(fake: FakeElasticsearch) -> None:
    fake.version = {"distribution": "opensearch", "number": "2.19.3"}
    assert ELASTICSEARCH.check({"connection.url": fake.url}) == []


def test_a_server_that_is_too_old_is_told(fake: FakeElasticsearch) -> None:
    fake.version = {"number": "6.8.23"}
    assert "is version 6.8.23: 7.0 is the oldest" in told(fake)[1]
