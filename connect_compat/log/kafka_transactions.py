"""Records and source offsets into Kafka in one transaction: a crash shows all of a flush, or nothing of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaException, Message

from cdc.record import SourceOffset
from connect_compat.crash_points import passed
from connect_compat.log import Encoded
from connect_compat.log.kafka_append import KafkaAppender, KafkaWriter, offset_value
from connect_compat.log.kafka_errors import ANSWER_S, failure

_ABORT_S: Final = 2.0


class TransactionalAppender(KafkaAppender):
    """A source task's transactional producer. Opening it ends what an earlier producer of the task left unfinished.

    Kafka refuses the earlier one from then on, so two processes that both believe to have the task cannot both write.
    """

    def __init__(self, writer: KafkaWriter, connector: str, save: Callable[[], str], address: str, task: str) -> None:
        super().__init__(writer, connector, save)
        self._address, self._task = address, task
        self._begun = False
        try:
            writer.producer.init_transactions(ANSWER_S)
        except KafkaException as error:
            writer.close()  # one that is left open goes on trying, and in the end fences the task's next producer
            raise failure(error, f"begin the transactions of task {task}", address, task) from error

    def append(self, batches: Sequence[Encoded], offsets: Sequence[SourceOffset]) -> None:
        if not self._begun:
            self._call(self._writer.producer.begin_transaction, "begin a transaction of")
            self._begun = True
        super().append(batches, offsets)

    def flush(self) -> Sequence[SourceOffset]:
        writer = self._writer
        writer.wait()
        passed("log:records")
        saved = dict(self._offsets)
        if self._begun:
            topic = self._offsets_topic() if saved else ""
            for key, item in saved.items():
                writer.write(topic, offset_value(item.offset), key)
            writer.wait()
            self._call(lambda: writer.producer.commit_transaction(ANSWER_S), "commit a transaction of")
            self._begun = False
            self._offsets.clear()
        return list(saved.values())

    def take_back(self, held: Sequence[Message]) -> None:
        """Ends the producer's earlier transaction in the partitions where these records of it hold readers back.

        A partition takes what is written to it now for more of the same transaction, and this one is aborted. Killed
        in the middle it is aborted too, by the next producer of the task. Readers of all records see these twice.

        Raises: LogError, LogUnavailable.
        """
        producer = self._writer.producer
        self._call(producer.begin_transaction, "begin a transaction of")
        self._begun = True
        for record in held:
            self._writer.write(record.topic() or "", record.value(), record.key(), record.partition())
        self._writer.wait()
        self._call(lambda: producer.abort_transaction(ANSWER_S), "take back a transaction of")
        self._begun = False

    def close(self) -> None:
        """What was not flushed is taken back at once: readers of committed records wait for no one."""
        if self._begun:
            with contextlib.suppress(KafkaException):
                self._writer.producer.abort_transaction(_ABORT_S)
        super().close()

    def _call(self, act: Callable[[], object], doing: str) -> None:
        try:
            act()
        except KafkaException as error:
            raise failure(error, f"{doing} task {self._task}", self._address, self._task) from error
