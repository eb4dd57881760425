"""A transactional producer that could not begin."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException

from cdc.errors import LogUnavailable
from connect_compat.log import kafka_producer, kafka_transactions
from connect_compat.log.kafka_append import KafkaWriter
from connect_compat.log.kafka_settings import transaction_settings
from connect_compat.log.kafka_transactions import TransactionalAppender
from tests.twins import both

engine = both(kafka_producer)
NOBODY = "127.0.0.1:1"


@pytest.mark.usefixtures("engine")
def test_a_producer_that_could_not_begin_does_not_go_on_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_transactions, "ANSWER_S", 0.2)
    writer = KafkaWriter(transaction_settings("id", {"bootstrap.servers": NOBODY}), NOBODY)
    with pytest.raises(LogUnavailable, match="begin the transactions of task t"):
        TransactionalAppender(writer, "c", str, NOBODY, "t")
    with pytest.raises((KafkaException, RuntimeError), match="closed"):
        writer.producer.poll(0)
