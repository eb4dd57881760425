from __future__ import annotations

from cdc.connector import SourceConnector
from connect_compat.config_warnings import warnings
from connect_compat.connector_config import ConnectorKeys, ErrorKeys, SinkKeys, SourceKeys
from connect_compat.plugins import Plugins

TRANSFORMS = "org.apache.kafka.connect.transforms."
BASE = {"name": "c", "connector.class": "MySqlConnector", "topic.prefix": "p"}


def warned(**given: str) -> list[str]:
    plugins = Plugins()
    connector = plugins.connector("MySqlConnector").load()
    assert isinstance(connector, SourceConnector)
    config = BASE | {name.replace("__", "."): text for name, text in given.items()}
    return warnings(config, connector, (ConnectorKeys, ErrorKeys, SourceKeys), plugins)


def test_a_config_of_known_keys_gives_none() -> None:
    assert warned(
        transforms="a", transforms__a__type=TRANSFORMS + "RegexRouter", transforms__a__regex="x",
        transforms__a__replacement="y", transforms__a__predicate="p", transforms__a__negate="true", predicates="p",
        predicates__p__type="TopicNameMatches", predicates__p__pattern="z", value__converter="JsonConverter",
        value__converter__schemas__enable="false", producer__override__acks="all",
    ) == []  # fmt: skip


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    assert warned(table__inclde__list="x") == [
        "table.inclde.list is not a setting of this connector; did you mean table.include.list?"
    ]


def test_an_old_name_is_told_with_the_new_one() -> None:
    assert warned(table__whitelist="x") == ["table.whitelist is the old name of table.include.list; use "
                                            "table.include.list"]  # fmt: skip


def test_an_unknown_key_of_a_transform_is_told_with_the_nearest() -> None:
    assert warned(
        transforms="a.b", transforms__a__b__type="RegexRouter", transforms__a__b__regx="x",
        transforms__a__b__regex="x", transforms__a__b__replacement="y",
    ) == ["transforms.a.b.regx is not a setting of RegexRouter; did you mean transforms.a.b.regex?"]  # fmt: skip


def test_keys_of_a_transform_that_is_not_listed_have_no_effect() -> None:
    (told,) = warned(transforms="a", transforms__a__type="Filter", transforms__b__type="Filter")
    assert told.startswith("transforms.b.type has no effect: transforms lists a;")


def test_settings_of_a_converter_without_its_class_have_no_effect() -> None:
    (told,) = warned(value__converter__schemas__enable="false")
    assert told.startswith("value.converter.schemas.enable has no effect: value.converter is not set")
    (told,) = warned(key__converter="JsonConverter", key__converter__schema__enable="false")
    assert told == (
        "key.converter.schema.enable is not a setting of JsonConverter; did you mean key.converter.schemas.enable?"
    )


def test_settings_that_confluents_converters_know_and_ours_need_not_heed_are_told_with_the_reason() -> None:
    told = warned(value__converter="ProtobufConverter", value__converter__reference__subject__name__strategy="a.B",
                  value__converter__max__retries="5", value__converter__request__header__X="y",
                  value__converter__use__schema__id="7")  # fmt: skip
    assert sorted(told) == [
        "value.converter.max.retries has no effect: while the registry is away the task waits and goes on by itself",
        "value.converter.reference.subject.name.strategy has no effect: what is written refers to known types alone, "
        "which are no subjects",
    ]


def test_keys_below_the_name_of_a_post_processor_are_its_own() -> None:
    assert warned(post__processors="re", re__type="x", re__reselect__null__values="false") == []
    assert len(warned(re__type="x")) == 1


def test_a_setting_that_does_nothing_any_more_is_told_once_with_what_is_used_now() -> None:
    plugins = Plugins()
    sink = plugins.connector("ElasticsearchSinkConnector").load()
    given = {"name": "c", "connector.class": "ElasticsearchSinkConnector", "connection.url": "http://es:9200",
             "type.name": "_doc"}  # fmt: skip
    (told,) = warnings(given, sink, (ConnectorKeys, ErrorKeys, SinkKeys), plugins)
    assert told.startswith("type.name has no effect: indices have no types since Elasticsearch 7")
    assert told.endswith("remove type.name")
