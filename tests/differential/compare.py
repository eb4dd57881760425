"""What both sides wrote, compared record by record; masked is only what differs by nature.

Both read the same binary log at the same time, so positions, GTIDs, threads and the times in it must be equal too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Events = dict[str, list[Record]]
CLOCKS = ("ts_ms", "ts_us", "ts_ns")
"""When a record was made; in `source`, the time of the change in the log, but for snapshots."""
_VIEW = ("lsn", "txId", "sequence")
"""Of PostgreSQL's snapshots: each side has a slot of its own, and so a view of its own."""
RUN_HEADER = "__debezium.context.runId"
SHOWN = 300


@dataclass(frozen=True)
class Difference:
    """Attributes:
    place: where in the record, without the topic; differences of one place often have one cause.
    """

    text: str
    place: str


def differences(theirs: Events, ours: Events, *, history: str, others: frozenset[str]) -> Iterator[Difference]:
    """Order counts: of records in a topic and of fields in a record.

    Args:
        history: the topic of table definitions.
        others: databases whose definitions belong to other scenarios on the same server.
    """
    for topic in sorted(theirs.keys() | ours.keys()):
        expected = [comparable(record, topic == history) for record in theirs.get(topic, []) if _own(record, others)]
        came = [comparable(record, topic == history) for record in ours.get(topic, []) if _own(record, others)]
        if len(expected) != len(came):
            yield _other_number(topic, expected, came)
        for number, (one, other) in enumerate(zip(expected, came, strict=False)):
            for place, a, b in _unequal(one, other, ""):
                shown = f"\n    Debezium {_shown(a)}\n    Tailrace {_shown(b)}{_statement(one)}"
                yield Difference(f"{topic}[{number}]{place}{shown}", place)


def _other_number(topic: str, expected: Sequence[Record], came: Sequence[Record]) -> Difference:
    pairs = enumerate(zip(expected, came, strict=False))
    at = next((number for number, (one, other) in pairs if one != other), min(len(expected), len(came)))
    first = [_shown(records[at]["value"]) if at < len(records) else "no record" for records in (expected, came)]
    numbers = f"{topic}: {len(expected)} records of Debezium, {len(came)} of Tailrace; first different at [{at}]"
    return Difference(f"{numbers}\n    Debezium {first[0]}\n    Tailrace {first[1]}", "number of records")


def _unequal(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Where the two differ, as deep as can be told; field order counts."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        for name in one:
            yield from _unequal(one[name], other[name], f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            called = a.get("field") or a.get("name") or number if isinstance(a, dict) else number
            yield from _unequal(a, b, f"{place}[{called}]")
    elif type(one) is not type(other) or one != other:
        yield place, one, other


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _payload(record: Record) -> dict[str, Any]:
    value = record["value"]
    payload = value.get("payload", value) if isinstance(value, dict) else None
    return payload if isinstance(payload, dict) else {}


def _statement(record: Record) -> str:
    statement = _payload(record).get("ddl")
    return f"\n    by {statement}" if statement else ""


def _own(record: Record, others: frozenset[str]) -> bool:
    return _payload(record).get("databaseName") not in others


def comparable(record: Record, in_history: bool) -> Record:
    """The record without what differs by nature. Field order and everything else stays."""
    headers = [[name, "*" if name == RUN_HEADER else value] for name, value in record["headers"]]
    value = record["value"]
    if isinstance(value, dict):
        payload = value["payload"] if value.keys() == {"schema", "payload"} else value
        if isinstance(payload, dict):
            masked = _masked(payload, in_history)
            value = {**value, "payload": masked} if payload is not value else masked
    return {**record, "headers": headers, "value": value}


def _masked(payload: dict[str, Any], in_history: bool) -> dict[str, Any]:
    found = _without_clocks(payload)
    source = payload.get("source")
    if isinstance(source, dict) and source.get("snapshot") not in (None, "false"):
        found["source"] = _without(source, (*CLOCKS, *_VIEW))
    if in_history:
        position = payload["position"]
        found["position"] = {name: "*" if name == "ts_sec" else value for name, value in position.items()}
    return found


def _without_clocks(fields: dict[str, Any]) -> dict[str, Any]:
    return _without(fields, CLOCKS)


def _without(fields: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: "*" if name in names and value is not None else value for name, value in fields.items()}
