"""The embedded log: topics, offsets, groups and stores in one SQLite file of a data folder, for one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import orjson

from cdc.errors import LogError
from cdc.record import SourceOffset
from connect_compat.crash_points import passed
from connect_compat.log import Group, LogRecord, LogSettings, TopicPartition, TopicSpec
from connect_compat.log.embedded_append import EmbeddedAppender, save_offsets
from connect_compat.log.embedded_clean import clean, forget
from connect_compat.log.embedded_file import File, now_ms
from connect_compat.log.embedded_groups import Subscription, refuse_members, save
from connect_compat.log.embedded_read import EmbeddedReader, records
from connect_compat.log.embedded_topics import Columns, create, drop, partitions, put

_RESETS = ("earliest", "latest")


class EmbeddedTopic:
    """A topic a source keeps for itself: one partition, kept for ever."""

    def __init__(self, file: File, name: str) -> None:
        self._file, self._name = file, name

    def _partition(self) -> int | None:
        with self._file.lock:
            return next(iter(partitions(self._file.db, self._name)), None)

    def exists(self) -> bool:
        return self._partition() is not None

    def create(self) -> None:
        with self._file.transaction() as db:
            create(db, TopicSpec(self._name, 1, config={"cleanup.policy": "delete", "retention.ms": "-1"}))

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        if not records:
            return
        keys, values = [key for key, _ in records], [value for _, value in records]
        columns = Columns([now_ms()] * len(records), keys, values, [()] * len(records))
        self.create()
        with self._file.transaction() as db:
            put(db, partitions(db, self._name)[0], columns)
        passed("topic:appended")

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        for record in self._records():
            yield record.key, record.value or b""

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        for record in self._records():
            yield record.offset, record.value or b""

    def forget(self, before: int) -> None:
        passed("topic:forgetting")
        partition = self._partition()
        if partition is not None:
            forget(self._file, partition, before)
        passed("topic:forgotten")

    def _records(self) -> Iterator[LogRecord]:
        partition = self._partition()
        if partition is None:
            return
        ((end,),) = self._file.query("SELECT next FROM partition WHERE id = ?", (partition,))
        for record in records(self._file, partition, (self._name, 0), 0):
            if record.offset >= end:
                return
            yield record


class EmbeddedStore:
    """A key-value table beside the topics; needs no compaction."""

    def __init__(self, file: File, name: str) -> None:
        self._file, self._name = file, name

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        with self._file.transaction() as db:
            for key, value in entries:
                if value is None:
                    db.execute("DELETE FROM entry WHERE store = ? AND key = ?", (self._name, key))
                else:
                    db.execute("INSERT INTO entry VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                               (self._name, key, value))  # fmt: skip

    def all(self) -> Mapping[str, bytes]:
        return dict(self._file.query("SELECT key, value FROM entry WHERE store = ? ORDER BY key", (self._name,)))


class EmbeddedLog:
    """See `connect_compat.log.Log`. Its own connection may be used by several threads."""

    def __init__(self, settings: LogSettings) -> None:
        """Raises: LogError: the folder cannot be used; LogUnavailable: the disk is full."""
        if settings.path is None:
            raise LogError("the embedded log needs a data folder: set LogSettings.path")
        self._folder = settings.path
        self._settings = settings
        self._file = File(settings.path)

    def cluster_id(self) -> str:
        return str(self._file.query("SELECT value FROM meta WHERE name = 'cluster'")[0][0])

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        with self._file.transaction() as db:
            for spec in specs:
                create(db, spec)

    def delete_topics(self, names: Sequence[str]) -> None:
        with self._file.transaction() as db:
            for name in names:
                drop(db, name)

    def topics(self) -> Mapping[str, int]:
        counted = "SELECT t.name, count(*) FROM topic t JOIN partition p ON p.topic = t.id GROUP BY t.id"
        return dict(sorted(self._file.query(counted)))

    def end_offsets(self, topic: str) -> Mapping[TopicPartition, int]:
        ends = self._file.query(
            "SELECT p.number, p.next FROM partition p JOIN topic t ON p.topic = t.id WHERE t.name = ? "
            "ORDER BY p.number", (topic,))  # fmt: skip
        return {(topic, number): end for number, end in ends}

    def appender(self, connector: str, task: int, client: Mapping[str, str]) -> EmbeddedAppender:
        return EmbeddedAppender(self._folder, connector, task)

    def reader(
        self, group: str, topics: Sequence[str], pattern: str | None, client: Mapping[str, str]
    ) -> EmbeddedReader:
        reset = {**self._settings.consumer, **client}.get("auto.offset.reset", "earliest")
        if reset not in _RESETS:
            raise LogError(f"auto.offset.reset is {reset!r}; the embedded log knows {' and '.join(_RESETS)}")
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise LogError(f"topics.regex {pattern!r} is not a regular expression: {error}") from None
        return EmbeddedReader(self._folder, group, Subscription(topics, pattern), from_end=reset == "latest")

    def source_offsets(self, connector: str) -> Sequence[SourceOffset]:
        saved = self._file.query(
            "SELECT partition, offset FROM source_offset WHERE connector = ? ORDER BY seq", (connector,)
        )
        return [SourceOffset(orjson.loads(partition), orjson.loads(offset)) for partition, offset in saved]

    def save_source_offsets(self, connector: str, offsets: Sequence[SourceOffset]) -> None:
        with self._file.transaction() as db:
            save_offsets(db, connector, offsets)

    def group_offsets(self, group: str) -> Mapping[TopicPartition, int]:
        saved = self._file.query(
            "SELECT t.name, p.number, g.offset FROM group_offset g JOIN partition p ON g.partition = p.id "
            "JOIN topic t ON p.topic = t.id WHERE g.grp = ? ORDER BY t.name, p.number", (group,))  # fmt: skip
        return {(name, number): offset for name, number, offset in saved}

    def alter_group_offsets(self, group: str, offsets: Mapping[TopicPartition, int | None]) -> None:
        with self._file.transaction() as db:
            refuse_members(db, group)
            found: dict[int, int | None] = {}
            for (topic, number), offset in offsets.items():
                known = partitions(db, topic)
                if number < len(known):
                    found[known[number]] = offset
                elif offset is not None:
                    raise LogError(f"topic {topic} has no partition {number}, so group {group} has no offset of it")
            save(db, group, found)

    def delete_group(self, group: str) -> None:
        with self._file.transaction() as db:
            refuse_members(db, group)
            db.execute("DELETE FROM group_offset WHERE grp = ?", (group,))

    def topic(self, name: str, client: Mapping[str, str]) -> EmbeddedTopic:
        return EmbeddedTopic(self._file, name)

    def configs(self) -> EmbeddedStore:
        return EmbeddedStore(self._file, "config")

    def statuses(self) -> EmbeddedStore:
        return EmbeddedStore(self._file, "status")

    def group(self) -> Group:
        raise LogError("the embedded log has one worker; a group of workers needs Kafka: set bootstrap.servers")

    def clean(self) -> None:
        clean(self._file, now_ms())

    def close(self) -> None:
        self._file.close()
