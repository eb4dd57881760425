"""What the sink decides before it talks to Elasticsearch."""

import json
from pathlib import Path

import pytest

from cdc.config import parse
from cdc.errors import ConfigError
from sinks.elasticsearch import ELASTICSEARCH, ElasticsearchConfig, index_name


@pytest.mark.parametrize(
    ("topic", "index"),
    [("dbserver1.Inventory.Customers", "dbserver1.inventory.customers"), ("_x", "x"), ("-x", "x"), (".", "dot"),
     ("..", "dotdot"), ("a" * 300, "a" * 255)],
)  # fmt: skip
def test_an_index_is_named_after_its_topic(topic: str, index: str) -> None:
    assert index_name(topic) == index


@pytest.mark.parametrize("name", ["elasticsearch-sink-connector.post.json", "simple-elasticsearch-connector.json"])
def test_configs_that_people_have_are_taken_as_they_are(name: str) -> None:
    given = json.loads((Path(__file__).parents[2] / "golden" / "configs" / name).read_text())
    config = parse(ElasticsearchConfig, given.get("config", given))
    assert config.urls[0].endswith(":9200")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("connection.url", "localhost:9200", "write it as http://host:9200"),
        ("batch.size", "many", "Not a number of type INT"),
        ("behavior.on.null.values", "drop", "ignore, delete, fail"),
        ("topic.key.ignore", "a", "say the same twice"),
        ("elastic.https.ssl.truststore.location", "/x/trust.jks", "keytool"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_remedy(key: str, value: str, told: str) -> None:
    raw = {"connection.url": "http://127.0.0.1:9200", "key.ignore": "true", key: value}
    with pytest.raises(ConfigError, match=told) as raised:
        ELASTICSEARCH.build(raw)
    assert all(problem.message for problem in raised.value.problems)


def test_an_address_where_nothing_answers_is_told_by_its_key() -> None:
    (problem,) = ELASTICSEARCH.check({"connection.url": "http://127.0.0.1:1"})
    assert problem.key == "connection.url"
    assert "http://127.0.0.1:1 does not answer" in problem.message
