"""The broker as the bench sees it: how many records a topic has, their bytes, and cleaning up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic


class Broker:
    """Topics have one partition here."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._consumer = Consumer({"bootstrap.servers": address, "group.id": "bench"})
        self._admin = AdminClient({"bootstrap.servers": address})

    def count(self, topic: str) -> Callable[[], int]:
        """Asks for the records written to the topic since now; makes the topic when there is none."""
        self.make(topic)
        base = self.end(topic)
        return lambda: self.end(topic) - base

    def make(self, topic: str) -> None:
        """One that is there is left as it is."""
        try:
            self._admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise

    def end(self, topic: str) -> int:
        """How many records were ever written to it."""
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            try:
                return int(self._consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5, cached=False)[1])
            except KafkaException:  # just made: the client has yet to learn who leads it
                self._consumer.list_topics(topic, 30)
                time.sleep(0.1)
        raise SystemExit(f"{self.address} does not tell the end of topic {topic}")

    def records(self, topic: str, most: int) -> list[tuple[bytes | None, bytes | None]]:
        """Keys and values from the topic's beginning on."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "bench", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[tuple[bytes | None, bytes | None]] = []
        end, patience = min(most, self.end(topic)), time.monotonic() + 120
        while len(found) < end and time.monotonic() < patience:
            messages: list[Any] = consumer.consume(min(10_000, end - len(found)), 1.0)
            found += [(message.key(), message.value()) for message in messages if not message.error()]
        consumer.close()
        return found

    def clean(self, tag: str) -> None:
        """Deletes every topic with `tag` in its name."""
        names = [name for name in self._admin.list_topics(timeout=30).topics if tag in name]
        for deleted in self._admin.delete_topics(names).values() if names else ():
            deleted.result(60)

    def close(self) -> None:
        self._consumer.close()
