"""Offsets as REST shows and changes them: saved positions of a source, group offsets of a sink."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from cdc.errors import LogError, LogUnavailable, RequestError
from cdc.record import SourceOffset
from connect_compat.log import Log, TopicPartition

logger = structlog.get_logger(__name__)
TOPIC, PARTITION, OFFSET = "kafka_topic", "kafka_partition", "kafka_offset"
_INTEGER = re.compile(r"[+-]?\d+")


def sink_group(name: str, config: Mapping[str, str]) -> str:
    """The consumer group of a sink connector."""
    return config.get("consumer.override.group.id") or f"connect-{name}"


def source_view(log: Log, name: str) -> list[dict[str, Any]]:
    return [
        {"partition": dict(partition), "offset": dict(offset)}
        for partition, offset in log.source_offsets(name)
        if offset is not None
    ]


def sink_view(log: Log, group: str) -> list[dict[str, Any]]:
    return [
        {"partition": {PARTITION: partition, TOPIC: topic}, "offset": {OFFSET: offset}}
        for (topic, partition), offset in sorted(log.group_offsets(group).items())
    ]


def requested(body: Any) -> list[dict[str, Any]]:
    """The `offsets` of a PATCH. Raises: RequestError: 400 when there are none."""
    asked = body.get("offsets")
    if not asked:
        raise RequestError(400, "Partitions / offsets need to be provided for an alter offsets request")
    return list(asked)


def source_offsets(asked: Sequence[Mapping[str, Any]]) -> list[SourceOffset]:
    """Raises: RequestError: 400: a partition that is missing."""
    for item in asked:
        if not isinstance(item.get("partition"), Mapping):
            raise RequestError(400, "The partition for a source connector offset cannot be null or missing")
    return [SourceOffset(item["partition"], item.get("offset")) for item in asked]


def sink_offsets(asked: Sequence[Mapping[str, Any]]) -> dict[TopicPartition, int | None]:
    """Raises: RequestError: 400 in the words of Kafka Connect."""
    return dict(_sink_offset(item.get("partition"), item.get("offset")) for item in asked)


def _sink_offset(partition: Any, offset: Any) -> tuple[TopicPartition, int | None]:
    if partition is None:
        raise RequestError(400, "The partition for a sink connector offset cannot be null or missing")
    if TOPIC not in partition or PARTITION not in partition:
        raise RequestError(
            400, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
        )
    topic, number = partition[TOPIC], partition[PARTITION]
    if topic is None:
        raise RequestError(400, "Kafka topic names must be valid strings and may not be null")
    if number is None:
        raise RequestError(400, "Kafka partitions must be valid numbers and may not be null")
    where = (str(topic), _integer(number, "partition", "Partition"))
    if offset is None:
        return where, None
    if offset.get(OFFSET) is None:
        raise RequestError(
            400, "The offset for a sink connector should either be null or contain the key 'kafka_offset'"
        )
    return where, _integer(offset[OFFSET], "offset", "Offset")


def _integer(value: Any, what: str, title: str) -> int:
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if not _INTEGER.fullmatch(shown):
        raise RequestError(
            400,
            f"Failed to parse the following Kafka {what} value in the provided offsets: '{shown}'. "
            f"{title} values for sink connectors need to be integers.",
        )
    return int(value)


def forgotten(log: Log, name: str) -> list[SourceOffset]:
    """The offsets of a source, each without its position."""
    return [SourceOffset(saved.partition, None) for saved in log.source_offsets(name)]


def alter_sink(log: Log, name: str, group: str, offsets: Mapping[TopicPartition, int | None]) -> None:
    """Raises: RequestError: 500: the group still has members; a partition or offset that cannot be."""
    known = log.topics()
    for (topic, number), offset in offsets.items():
        if offset is not None and not 0 <= number < known.get(topic, 0):
            logger.warning("offsets were to be set of a partition that is not there", topic=topic, partition=number)
            raise RequestError(500, f"Failed to alter consumer group offsets for connector {name}")
        if offset is not None and offset < 0:
            logger.warning("a negative offset was to be set", topic=topic, partition=number)
            raise RequestError(500, f"Failed to modify offsets for sink connector {name}")
    try:
        log.alter_group_offsets(group, offsets)
    except LogUnavailable:
        raise
    except LogError as error:
        raise _still_running(name, "alter", error) from error


def reset_sink(log: Log, name: str, group: str) -> None:
    """Raises: RequestError: 500: the group still has members."""
    try:
        log.delete_group(group)
    except LogUnavailable:
        raise
    except LogError as error:
        raise _still_running(name, "reset", error) from error


def _still_running(name: str, verb: str, error: LogError) -> RequestError:
    return RequestError(
        500,
        f"Failed to {verb} consumer group offsets for connector {name} either because its tasks haven't stopped "
        f"completely yet or the connector was resumed before the request to {verb} its offsets could be successfully "
        "completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't "
        "eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks. "
        f"({error})",
    )


def changed(verb: str, *, whole: bool) -> str:
    """The message of the answer. `whole`: the connector vouches that these offsets are all there are."""
    if whole:
        return f"The offsets for this connector have been {verb} successfully"
    return (f"The Connect framework-managed offsets for this connector have been {verb} successfully. However, if this "
            f"connector manages offsets externally, they will need to be manually {verb} in the system that the "
            "connector uses.")  # fmt: skip
