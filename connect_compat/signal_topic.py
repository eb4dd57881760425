"""A topic of signals to a source: read as a member of a consumer group, committed when a signal is carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connect_compat.log import Log, Reader, TopicPartition

_RECORDS = 100


class SignalTopic:
    """Read from where this connector stopped, else from where a Debezium of the same group did, else from the start."""

    def __init__(self, log: Log, topic: str, group: str, connector: str, client: Mapping[str, str]) -> None:
        """Each connector has a group of its own, for all of them read every signal."""
        self._log, self._topic, self._client = log, topic, client
        self._shared, self._group = group, f"{group}-{connector}"
        self._reader: Reader | None = None
        self._next: dict[TopicPartition, int] = {}

    def read(self) -> Sequence[tuple[bytes | None, bytes | None]]:
        records = self._opened().read(_RECORDS, 0.0)
        for record in records:
            self._next[record.topic, record.partition] = record.offset + 1
        return [(record.key, record.value) for record in records]

    def done(self) -> None:
        if self._next:
            self._opened().commit(self._next)
            self._next = {}

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def _opened(self) -> Reader:
        if self._reader is None:
            if not self._log.group_offsets(self._group):
                before = self._log.group_offsets(self._shared)
                begun = {where: at for where, at in before.items() if where[0] == self._topic}
                if begun:
                    self._log.alter_group_offsets(self._group, begun)
            self._reader = self._log.reader(self._group, [self._topic], None, self._client)
        return self._reader
