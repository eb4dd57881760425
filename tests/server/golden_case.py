"""A golden case: SQL, a connector's config, and every record that Debezium wrote for it; compared exactly.

Masked is only what a run makes anew (times, positions, ids of the run), and only where both sides have it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connect_compat.log import Log

# Masked everywhere; and masked only inside a source, transaction or position block, real data elsewhere.
ANYWHERE = {
    "timestamp",
    "ts_ms",
    "ts_sec",
    "ts_us",
    "ts_ns",
    "pos",
    "file",
    "gtid",
    "gtids",
    "server_id",
    "thread",
    "transaction_id",
    "lsn",
    "txId",
    "sequence",
}
IN_BLOCKS = {"id", "version", "row", "query", "event"}
BLOCKS = {"source", "transaction", "position"}
TRANSACTIONS = (".transaction", "_transaction", ".tx", "-tx", "_t-x")
"""Topics of transaction metadata, whose ids a run makes anew."""
HEARTBEATS = re.compile(r"__debezium-heartbeat|gm_\w+-hb\.")
"""Topics whose number of records is a matter of time."""
UNORDERED = "additional_data"
"""Of notifications: made of a Java `Map.of`, whose order is another in each run of a JVM."""
RUN_HEADERS = {"__debezium.context.runId"}
UNORDERED = "additional_data"
"""A notification's members: where two of them share a bucket, their order is one that each JVM draws anew."""
MADE_ANEW = re.compile(
    r"LogicalDecodingMessageId@[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=$|-open$|-close$)|\d{4}-\d\d-\d\dT[0-9:.]+Z(?=\"[,}])"
)
"""In texts: Java addresses, ids of notifications and of an incremental snapshot's windows, times of signals."""


@dataclass(frozen=True)
class Case:
    """A folder of `tests/golden/mysql`, `tests/golden/mariadb` or `tests/golden/postgres`."""

    folder: Path

    @property
    def server(self) -> str:
        """The fixture that connects to its server."""
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return ("gp_" if self.server == "postgres" else "gm_") + re.sub(r"\W", "_", self.folder.name)

    def config(self, values: dict[str, str]) -> dict[str, str]:
        """The connector's config with ${…} filled in."""
        filled = values | {"CASE": self.name}
        text = (self.folder / "connector.json").read_text()
        return dict(json.loads(re.sub(r"\$\{(\w+)\}", lambda found: filled[found[1]], text)))

    def statements(self, name: str) -> list[str]:
        path = self.folder / name
        text = path.read_text() if path.exists() else ""
        split = r"^--;;\s*$" if "--;;" in text else r";\s*$"
        return [part.strip() for part in re.split(split, text, flags=re.MULTILINE) if part.strip()]

    def databases(self) -> list[str]:
        text = "".join(self.statements("setup.sql") + self.statements("changes.sql"))
        return re.findall(r"CREATE DATABASE (?:IF NOT EXISTS )?`?(\w+)`?", text, flags=re.IGNORECASE)

    def prefix(self, config: dict[str, str]) -> str:
        """What the names of its topics begin with, whatever characters they may not have."""
        return config.get("topic.prefix", self.name)

    def expected(self) -> dict[str, list[dict[str, Any]]]:
        """Records by topic, in order."""
        by_topic: dict[str, list[dict[str, Any]]] = {}
        for line in (self.folder / "events.jsonl").read_text().rstrip("\n").split("\n"):
            event = json.loads(line)
            if not HEARTBEATS.match(event["topic"]):
                by_topic.setdefault(event["topic"], []).append(event)
        return by_topic


def recorded(log: Log, prefixes: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Every record of the topics whose names begin so, in the form of `events.jsonl`."""
    topics = sorted(name for name in log.topics() if name.startswith(prefixes) and not HEARTBEATS.match(name))
    group = f"golden-dump-{time.time_ns()}"
    reader = log.reader(group, topics, None, {})
    found: dict[str, list[dict[str, Any]]] = {topic: [] for topic in topics}
    wanted = sum(end for topic in topics for end in log.end_offsets(topic).values())
    empty = 0
    while sum(map(len, found.values())) < wanted and empty < 20:
        records = reader.read(1000, 0.5)
        empty = 0 if records else empty + 1
        for record in records:
            found[record.topic].append({
                "topic": record.topic,
                "partition": record.partition,
                "key": None if record.key is None else json.loads(record.key),
                "value": None if record.value is None else json.loads(record.value),
                "headers": [[name, None if raw is None else raw.decode()] for name, raw in record.headers],
            })  # fmt: skip
    reader.close()
    log.delete_group(group)
    return {topic: events for topic, events in found.items() if events}


def masked(one: Any, other: Any, inside: bool = False) -> tuple[Any, Any]:
    """Both sides with "*" where both have a value that a run makes anew."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = dict(one), dict(other)
        for name in one.keys() & other.keys():
            a, b = one[name], other[name]
            if name == UNORDERED and isinstance(a, dict) and isinstance(b, dict):
                a, b = (dict(sorted(each.items())) for each in (a, b))
            volatile = name in ANYWHERE or (inside and name in IN_BLOCKS)
            if volatile and (a is None) == (b is None) and not isinstance(a, dict | list):
                left[name] = right[name] = "*"
            else:
                left[name], right[name] = masked(a, b, inside or name in BLOCKS)
            if name == UNORDERED:
                left[name], right[name] = (dict(sorted(side[name].items())) for side in (left, right))
        return left, right
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if len(one) == 2 and one[0] == other[0] and isinstance(one[0], str) and one[0] in RUN_HEADERS:
            return [one[0], "*"], [one[0], "*"]
        pairs = [masked(a, b, inside) for a, b in zip(one, other, strict=True)]
        return [a for a, _ in pairs], [b for _, b in pairs]
    if isinstance(one, str) and isinstance(other, str) and one != other:
        return MADE_ANEW.sub("*", one), MADE_ANEW.sub("*", other)
    return one, other


def differences(expected: dict[str, list[Any]], came: dict[str, list[Any]]) -> Iterator[str]:
    """One sentence a difference; field order counts."""
    for topic in sorted(expected.keys() | came.keys()):
        wanted, got = expected.get(topic, []), came.get(topic, [])
        if len(wanted) != len(got):
            yield f"{topic}: {len(wanted)} records expected, {len(got)} came"
        for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
            left, right = masked(one, other, topic.endswith(TRANSACTIONS))
            for part in ("key", "headers", "value"):
                a, b = json.dumps(left[part], ensure_ascii=False), json.dumps(right[part], ensure_ascii=False)
                if a != b:
                    at = max(0, next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0) - 80)
                    yield f"{topic}[{number}].{part}:\n  expected …{a[at : at + 240]}\n  came     …{b[at : at + 240]}"
