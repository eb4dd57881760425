"""librdkafka's error codes to our errors: away (retried for ever) or refused (a human must act), with the remedy."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from cdc.errors import LogError, LogFenced, LogUnavailable

T = TypeVar("T")

ANSWER_S: Final = 12.0
"""How long a call waits for the cluster before it says that the cluster is away."""

NO_LEADER: Final = frozenset({
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.REPLICA_NOT_AVAILABLE,
})  # fmt: skip
"""A topic that was made, made anew or moved a moment ago: the next answer is right."""

_FENCED: Final = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})
_ACCESS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "--operation All --topic '{name}'",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "--operation All --group '{name}'",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "--operation Create --operation IdempotentWrite --cluster",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "--operation All --transactional-id '{name}'",
}
_LOGIN = {KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._AUTHENTICATION}
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_MSG_SIZE}
_MISSING = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}
_REMEDIES = {
    KafkaError.INVALID_REPLICATION_FACTOR: "set a replication factor that the cluster has brokers for",
    KafkaError.INVALID_PARTITIONS: "set another number of partitions",
    KafkaError.INVALID_CONFIG: "correct the topic's settings",
    KafkaError.POLICY_VIOLATION: "follow the cluster's create.topic.policy",
    KafkaError.TOPIC_EXCEPTION: "a topic name holds only letters, digits, '.', '_' and '-', at most 249; correct the "
                                "transform or the setting that makes it",
    KafkaError.INVALID_RECORD: "a compacted topic takes only records with a key: give the records a key, "
                               "or set the topic's cleanup.policy to delete",
    KafkaError.UNSUPPORTED_COMPRESSION_TYPE: "choose another compression.type",
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT: "raise the topic's message.format.version",
    KafkaError.UNSUPPORTED_VERSION: "use a broker of version 2.1 or newer",
    KafkaError.NON_EMPTY_GROUP: "the group still has members; stop the connector first",
    KafkaError.GROUP_SUBSCRIBED_TO_TOPIC: "the group still has members; stop the connector first",
    KafkaError.INVALID_GROUP_ID: "choose another connector name",
    KafkaError.TOPIC_DELETION_DISABLED: "set delete.topic.enable=true on the brokers",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "members of one group must share a partition.assignment.strategy: "
                                            "set consumer.override.partition.assignment.strategy to the others'",
    KafkaError._INVALID_ARG: "correct the setting",
}  # fmt: skip


def code_of(error: BaseException) -> int | None:
    """The KafkaError code of an exception, if it carries one."""
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return cause.code() if isinstance(cause, KafkaError) else None


def failure(error: KafkaError | BaseException, doing: str, address: str, name: str = "") -> LogError:
    """Our error for one of librdkafka's.

    Args:
        doing: what was tried, such as "create topic shop.orders".
        address: `bootstrap.servers`.
        name: the topic or group, for the remedy.
    """
    if isinstance(error, LogError):
        return error
    cause: Any = error.args[0] if isinstance(error, KafkaException) and error.args else error
    if not isinstance(cause, KafkaError):
        detail = "no answer in time" if isinstance(error, TimeoutError | FutureTimeout) else str(error)
        return LogUnavailable(f"Kafka at {address} could not {doing}: {detail}")
    code = cause.code()
    told = f"Kafka at {address} could not {doing}: {cause.str() or cause.name()}"
    if code in _FENCED:
        return LogFenced(f"{told}; another process writes as this task by now, and Kafka takes no more of this one's "
                         "records. If the task is still this worker's, it starts again by itself")  # fmt: skip
    if code == KafkaError.INVALID_TXN_STATE:
        return LogFenced(f"{told}; Kafka has ended the transaction already, committed or not. The task starts again "
                         "from the offsets that Kafka has")  # fmt: skip
    if code in _ACCESS:
        grant = _ACCESS[code].format(name=name or "<name>")
        return LogError(f"{told}; allow it: kafka-acls --bootstrap-server {address} --add "
                        f"--allow-principal User:<user> {grant}")  # fmt: skip
    if code in _LOGIN:
        return LogError(f"{told}; check sasl.jaas.config (or sasl.username, sasl.password), sasl.mechanism "
                        "and security.protocol")  # fmt: skip
    if code in _TOO_LARGE:
        return LogError(f"{told}; raise producer.override.max.request.size in the connector's config, and the "
                        f"topic's limit: kafka-configs --bootstrap-server {address} --alter --entity-type topics "
                        f"--entity-name {name} --add-config max.message.bytes=<bytes>")  # fmt: skip
    if code in _MISSING:
        return LogUnavailable(f"{told}; create the topic, set topic.creation.default.partitions and "
                              "topic.creation.default.replication.factor in the connector's config, or "
                              "auto.create.topics.enable=true on the brokers")  # fmt: skip
    if code == KafkaError.INVALID_REPLICATION_FACTOR and "fenced" in told:
        return LogUnavailable(told)  # brokers that have just started: the controller does not count on them yet
    if code in _REMEDIES:
        return LogError(f"{told}; {_REMEDIES[code]}")
    return LogUnavailable(told)


def settled(future: Future[T], doing: str, address: str, name: str = "") -> T:
    """The result of an admin call. Raises: LogUnavailable, also after `ANSWER_S`; LogError."""
    try:
        return future.result(ANSWER_S)
    except (KafkaException, TimeoutError, FutureTimeout) as error:
        raise failure(error, doing, address, name) from error
