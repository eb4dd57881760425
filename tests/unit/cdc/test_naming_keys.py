"""Names of topics and fields, from the keys of a whole config."""

from __future__ import annotations

from cdc import naming_keys
from cdc.config import parse
from cdc.postgres.config import PostgresConfig


def config(**given: str) -> PostgresConfig:
    named = {name.replace("_", "."): value for name, value in given.items()}
    return parse(PostgresConfig, {"topic.prefix": "shop", "database.hostname": "h", "database.user": "u",
                                  "database.dbname": "d", **named})  # fmt: skip


def test_the_delimiter_stands_in_the_names_of_other_topics_too() -> None:
    found = config(topic_delimiter="-", topic_transaction="tx")
    assert naming_keys.transaction_topic(found) == "shop-tx"
    assert naming_keys.heartbeat_topic(found) == "__debezium-heartbeat-shop"
    assert naming_keys.naming(found, {}, "Schema").topic("public", "t") == "shop-public-t"


def test_older_names_of_the_transaction_topic_hold() -> None:
    assert naming_keys.transaction_topic(config(transaction_topic="tx.${database.server.name}")) == "tx.shop"


def test_avro_converters_get_field_names_that_avro_allows() -> None:
    raw = {"value.converter": "io.confluent.connect.avro.AvroConverter"}
    assert naming_keys.field_names(config(), raw) == "avro"
    assert naming_keys.field_names(config(), {}) == "none"


def test_a_strategy_that_is_not_known_is_a_problem() -> None:
    (problem,) = naming_keys.problems(config(topic_naming_strategy="my.Strategy"))
    assert problem.key == "topic.naming.strategy"
