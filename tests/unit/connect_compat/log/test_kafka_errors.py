"""librdkafka's codes become outages, or refusals with a remedy."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException

from cdc.errors import LogError, LogFenced, LogUnavailable
from connect_compat.log.kafka_errors import code_of, failure, settled


def told(code: int, name: str = "shop.orders") -> LogError:
    return failure(KafkaException(KafkaError(code)), "write", "broker:9092", name)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "kafka-acls --bootstrap-server broker:9092 --add"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "--topic 'shop.orders'"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "--group 'shop.orders'"),
        (KafkaError._AUTHENTICATION, "check sasl.jaas.config"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "raise producer.override.max.request.size"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "--entity-name shop.orders --add-config max.message.bytes"),
        (KafkaError.INVALID_REPLICATION_FACTOR, "replication factor that the cluster has brokers for"),
        (KafkaError.NON_EMPTY_GROUP, "still has members"),
        (KafkaError.INVALID_RECORD, "only records with a key"),
    ],
)
def test_a_refusal_is_final_and_names_the_remedy(code: int, remedy: str) -> None:
    error = told(code)
    assert not error.retriable
    assert remedy in str(error)
    assert "Kafka at broker:9092 could not write" in str(error)


@pytest.mark.parametrize(
    "code",
    [KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._MSG_TIMED_OUT, KafkaError.NOT_ENOUGH_REPLICAS,
     KafkaError._FATAL, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, KafkaError.UNKNOWN_PRODUCER_ID,
     KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError._RESOLVE, KafkaError._SSL],
)  # fmt: skip
def test_what_may_pass_is_an_outage(code: int) -> None:
    assert isinstance(told(code), LogUnavailable)


@pytest.mark.parametrize("code", [KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED])
def test_a_producer_that_was_shut_out_is_told_so_and_not_repeated(code: int) -> None:
    error = told(code)
    assert isinstance(error, LogFenced) and not error.retriable
    assert "another process writes as this task by now" in str(error)


def test_brokers_that_have_just_started_are_waited_for() -> None:
    words = "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log …"
    error = failure(KafkaError(KafkaError.INVALID_REPLICATION_FACTOR, words), "create topic t", "k:9092")
    assert isinstance(error, LogUnavailable)
    assert not isinstance(told(KafkaError.INVALID_REPLICATION_FACTOR), LogUnavailable)


def test_a_transaction_whose_end_is_not_known_is_not_repeated() -> None:
    error = told(KafkaError.INVALID_TXN_STATE)
    assert isinstance(error, LogFenced) and "starts again from the offsets that Kafka has" in str(error)


def test_a_missing_topic_is_waited_for_and_the_settings_that_make_it_are_named() -> None:
    error = told(KafkaError.UNKNOWN_TOPIC_OR_PART)
    assert isinstance(error, LogUnavailable)
    assert "topic.creation.default.partitions" in str(error)


def test_our_own_errors_pass_unchanged() -> None:
    error = LogError("x")
    assert failure(error, "write", "broker:9092") is error


def test_a_result_that_never_comes_in_time_is_an_outage() -> None:
    late: Future[int] = Future()
    late.set_exception(TimeoutError())
    with pytest.raises(LogUnavailable, match="could not list topics: no answer in time"):
        settled(late, "list topics", "broker:9092")


def test_the_code_of_an_exception_without_one_is_none() -> None:
    assert code_of(ValueError()) is None
    assert code_of(KafkaException(KafkaError(KafkaError._TRANSPORT))) == KafkaError._TRANSPORT
