from __future__ import annotations

import orjson
import pytest

from cdc.connector import SinkConnector
from cdc.errors import ConfigError, ConversionError
from connect_compat.plugins import UnknownPlugin
from connect_compat.task_plugins import task_plugins
from tests.fakes import batch

JSON = "org.apache.kafka.connect.json.JsonConverter"
CONFIG = {
    "name": "es", "connector.class": "ElasticsearchSink", "topics": "t",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": JSON,
    "value.converter.schemas.enable": "false", "header.converter": "SimpleHeaderConverter",
    "predicates": "tomb", "predicates.tomb.type": "RecordIsTombstone",
    "transforms": "route,drop",
    "transforms.route.type": "RegexRouter", "transforms.route.regex": "(.*)", "transforms.route.replacement": "$1-x",
    "transforms.drop.type": "Filter", "transforms.drop.predicate": "tomb", "transforms.drop.negate": "TRUE",
}  # fmt: skip


def test_a_config_becomes_its_connector_transforms_and_converters() -> None:
    plugins = task_plugins(CONFIG)
    assert isinstance(plugins.connector, SinkConnector)
    assert [step.class_name.rpartition(".")[2] for step in plugins.steps] == ["RegexRouter", "Filter"]
    assert plugins.key.decode("t", [b"k"])[0][1] == "k"
    assert plugins.value.decode("t", [b'{"a":1}'])[0] == (None, {"a": 1})


def test_transforms_are_built_with_their_settings_predicate_and_negation() -> None:
    route, drop = task_plugins(CONFIG).steps
    (routed,) = route.apply(batch("v"))
    assert routed.topic == "t-x"
    assert [list(each.values) for each in drop.apply(batch("v", None))] == [[None]]


def test_an_unknown_class_or_a_wrong_setting_is_told() -> None:
    with pytest.raises(UnknownPlugin, match="JsonConverter"):
        task_plugins({**CONFIG, "value.converter": "JsonConvertor"})
    with pytest.raises(ConfigError, match="regex"):
        task_plugins({name: text for name, text in CONFIG.items() if name != "transforms.route.regex"})


def test_a_sink_may_take_json_objects_unseen() -> None:
    plain = {name: text for name, text in CONFIG.items() if not name.startswith(("transforms", "predicates"))}
    plain |= {"connection.url": "http://es:9200", "schema.ignore": "true"}
    value = task_plugins(plain).value
    sent = [b'{"a":1.10}', None, b"[1]", b'{"a":\n1}', b"null"]
    found = [decoded for _, decoded in value.decode("t", sent)]
    assert isinstance(found[0], orjson.Fragment) and orjson.dumps(found[0]) == b'{"a":1.10}'
    assert found[1:] == [None, [1], {"a": 1}, None]
    with pytest.raises(ConversionError):
        value.decode("t", [b"{"])
    for seen in ({"value.converter.schemas.enable": "true"}, {"schema.ignore": "false"}, {"write.method": "upsert"}):
        assert type(task_plugins(plain | seen).value).__name__ == "JsonConverter"
    assert type(task_plugins(CONFIG | plain).value).__name__ == "JsonConverter"
