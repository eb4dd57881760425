"""`tailrace tail`: the records of a topic as lines of JSON, from Kafka or from the embedded log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import orjson

from cdc.errors import LogError
from connect_compat.log import Log, LogRecord, LogSettings, TopicPartition, open_log

_READ = 500
_WAIT_S = 0.5


def tail(settings: LogSettings, topic: str, last: int | None, *, follow: bool) -> Iterator[str]:
    """The last records of each partition, or all; then what comes, when it is to follow.

    Raises: LogError: there is no such topic; LogUnavailable.
    """
    with closing(open_log(settings)) as log:
        known = log.topics()
        if topic not in known:
            shown = ", ".join(name for name in known if not name.startswith("__")) or "none"
            raise LogError(f"there is no topic {topic}; there are: {shown}")
        ends = {place: end for place, end in log.end_offsets(topic).items() if end}
        group = f"tailrace-tail-{os.getpid()}"
        begins = {place: max(0, end - last) if last is not None else 0 for place, end in ends.items()}
        try:
            if begins:
                log.alter_group_offsets(group, begins)
            yield from _records(log, group, topic, ends, follow=follow)
        finally:
            log.delete_group(group)


def _records(log: Log, group: str, topic: str, ends: dict[TopicPartition, int] | Any, *, follow: bool) -> Iterator[str]:
    left = dict(ends)
    with closing(log.reader(group, [topic], None, {})) as reader:
        while follow or left:
            for record in reader.read(_READ, _WAIT_S):
                place = (record.topic, record.partition)
                if follow or record.offset < ends.get(place, 0):
                    yield _line(record)
                if record.offset + 1 >= left.get(place, 0):
                    left.pop(place, None)
            if not follow and reader.backlog() == 0:  # the rest are markers of transactions, or compacted away
                return


def _line(record: LogRecord) -> str:
    found = {
        "partition": record.partition, "offset": record.offset, "timestamp": record.timestamp,
        "key": _shown(record.key), "value": _shown(record.value),
        **({"headers": {name: _shown(value) for name, value in record.headers}} if record.headers else {}),
    }  # fmt: skip
    return orjson.dumps(found).decode()


def _shown(raw: bytes | None) -> Any:
    """JSON as it is, other text as text, other bytes as hex."""
    if raw is None:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"hex": raw.hex()}
