"""Names of topics by each strategy; recorded cases are in tests/golden/mysql."""

from __future__ import annotations

import pytest

from cdc.topic_naming import STRATEGIES, RegexNaming, TopicNaming, problems

PACKAGE = "io.debezium.schema."
INVALID = "The '{name}' value is invalid: {problem}"


@pytest.mark.parametrize(
    ("strategy", "topic"),
    [
        (None, "my_shop.db.t_able"),
        ("DefaultTopicNamingStrategy", "my_shop.db.t_able"),
        ("SchemaTopicNamingStrategy", "my_shop.t_able"),
        ("DefaultUnicodeTopicNamingStrategy", "my_u005fshop.db.t_u00e4able"),
        ("SchemaUnicodeTopicNamingStrategy", "my_u005fshop.t_u00e4able"),
    ],
)
def test_a_strategy_names_topics(strategy: str | None, topic: str) -> None:
    assert TopicNaming("my_shop", strategy=strategy and PACKAGE + strategy).topic("db", "täable") == topic


def test_the_delimiter_stands_between_the_parts() -> None:
    naming = TopicNaming("shop", delimiter="-")
    assert naming.topic("db", "t") == "shop-db-t"


def test_where_tables_stand_in_schemas_the_schema_is_shown() -> None:
    assert TopicNaming("shop", homes="Schema").topic("public", "t") == "shop.public.t"


def test_a_regex_routes_tables_to_one_topic_and_tells_them_apart() -> None:
    regex = RegexNaming(
        regex=r"(.*)\.(shard)_\d+", replacement="$1.$2s", key_regex=r".*_(\d+)", key_replacement="n$1"
    )  # fmt: skip
    naming = TopicNaming("shop", strategy=PACKAGE + "DefaultRegexTopicNamingStrategy", regex=regex)
    assert naming.topic("db", "shard_7") == "shop.db.shards"
    assert naming.topic("db", "other") == "shop.db.other"
    assert naming.key_field == "__dbz__physicalTableIdentifier"
    assert naming.key_value("db", "shard_7") == "n7"
    assert naming.key_value("db", "other") == "shop.db.other"


def test_keys_stay_as_they_are_where_nothing_is_routed() -> None:
    assert TopicNaming("shop").key_field is None
    regex = RegexNaming(regex="a", replacement="b", unique=False)
    assert TopicNaming("shop", strategy=PACKAGE + "SchemaRegexTopicNamingStrategy", regex=regex).key_field is None


def test_a_strange_class_is_answered_with_those_there_are() -> None:
    (problem,) = problems("org.example.Naming", RegexNaming(), INVALID)
    assert problem.key == "topic.naming.strategy"
    assert all(name in problem.message for name in STRATEGIES)
    assert "RegexRouter" in problem.message


@pytest.mark.parametrize(
    ("regex", "keys"),
    [
        (RegexNaming(), ["topic.regex", "topic.replacement"]),
        (RegexNaming(regex="(", replacement="x"), ["topic.regex"]),
        (RegexNaming(regex="a", replacement="$1"), ["topic.regex"]),
        (RegexNaming(regex="a", replacement="x", key_regex="b"), ["topic.key.field.replacement"]),
        (RegexNaming(regex="(?<n>a)", replacement="${n}"), []),
    ],
)
def test_a_regex_strategy_needs_its_keys(regex: RegexNaming, keys: list[str]) -> None:
    found = problems(PACKAGE + "DefaultRegexTopicNamingStrategy", regex, INVALID)
    assert [problem.key for problem in found] == keys
