"""When a heartbeat is due."""

from __future__ import annotations

from cdc.heartbeat import KEY_SCHEMA, VALUE_SCHEMA, Heartbeat

SECOND = 1_000_000_000


def test_a_heartbeat_comes_once_an_interval() -> None:
    heart = Heartbeat("shop", 1000, started=0)
    assert [heart.beat(now) is not None for now in (SECOND - 1, SECOND, SECOND + 1, 2 * SECOND, 5 * SECOND)] == [
        False, True, False, True, True,
    ]  # fmt: skip


def test_an_interval_of_nought_sends_none() -> None:
    assert Heartbeat("shop", 0, started=0).beat(10**18) is None


def test_a_heartbeat_names_the_server_and_the_time() -> None:
    batch = Heartbeat("shop", 1, started=0).beat(1_795_231_694_046_123_456)
    assert batch is not None
    assert (batch.topic, batch.partition) == ("__debezium-heartbeat.shop", 0)
    assert (batch.keys, batch.values, batch.headers) == ([("shop",)], [(1_795_231_694_046,)], [()])
    assert (batch.key_schema, batch.value_schema) == (KEY_SCHEMA, VALUE_SCHEMA)


def test_the_topic_can_be_named() -> None:
    batch = Heartbeat("shop", 1, started=0, topic="beats").beat(SECOND)
    assert batch is not None
    assert batch.topic == "beats"
