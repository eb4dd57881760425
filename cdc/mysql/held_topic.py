"""A topic whose appends wait: a snapshot writes its many small history records together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cdc.record import Topic


class HeldTopic:
    """Appends at once until `hold`; then at `flush`."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._waiting: list[tuple[bytes | None, bytes]] | None = None

    def exists(self) -> bool:
        return self._topic.exists()

    def create(self) -> None:
        self._topic.create()

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        if self._waiting is None:
            self._topic.append(records)
        else:
            self._waiting += records

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        return self._topic.read()

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        return self._topic.numbered()

    def forget(self, before: int) -> None:
        self._topic.forget(before)

    def hold(self) -> None:
        """From now on `append` only remembers."""
        self._waiting = []

    def flush(self) -> None:
        """Durable on return."""
        if self._waiting:
            self._topic.append(self._waiting)
            self._waiting = []

    def release(self) -> None:
        """Writes what waits; `append` is durable again."""
        self.flush()
        self._waiting = None
