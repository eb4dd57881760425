"""A second process on the same log. Arguments: settings as JSON, what to do, names; prints one JSON line an event."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from cdc.record import SourceOffset
from connect_compat.log import Encoded, Log, LogSettings, open_log


def say(event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def batch(topic: str, first: int, count: int) -> Encoded:
    numbers = range(first, first + count)
    return Encoded(topic, [b"%d" % n for n in numbers], [b"v%d" % n for n in numbers], [()] * count)


def append_for_ever(log: Log, connector: str, topic: str) -> None:
    """Appends 100 records a turn with the offset after them; says how many were flushed. To be killed."""
    appender = log.appender(connector, 0, {})
    done = 0
    while True:
        appender.append([batch(topic, done, 100)], [SourceOffset({"server": "a"}, {"pos": done + 100})])
        done += 100
        if done % 300 == 0:
            say([dict(item.offset or {}) for item in appender.flush()])


def read_for_ever(log: Log, group: str, topic: str) -> None:
    """A member that says what it reads, commits nothing, and lives until it is killed."""
    reader = log.reader(group, [topic], None, {})
    while True:
        for record in reader.read(100, 0.2):
            say([record.partition, record.offset])


def read_all(log: Log, topic: str, count: int) -> None:
    reader = log.reader(f"connect-{topic}-all", [topic], None, {})
    seen: list[Any] = []
    deadline = time.monotonic() + 60
    while len(seen) < count and time.monotonic() < deadline:
        seen += [[r.offset, (r.key or b"").decode(), (r.value or b"").decode()] for r in reader.read(1000, 1)]
    reader.close()
    say(seen)


def main(settings: str, action: str, *names: str) -> None:
    log = open_log(LogSettings(**json.loads(settings)))
    match action:
        case "append":
            append_for_ever(log, *names)
        case "read":
            read_for_ever(log, *names)
        case "read-all":
            read_all(log, names[0], int(names[1]))
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
