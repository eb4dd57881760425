"""Every transform and predicate against what Kafka Connect 4.3.1 and Debezium 3.5.0.Final made of the same records."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import connect_compat.transforms
from cdc.config import parse
from cdc.errors import ConfigError, DataError
from cdc.record import NULL, Batch, Header
from connect_compat.converters.json import JsonConverter

GOLDEN = Path(__file__).parents[3] / "golden" / "transforms"


def cases(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; a first line of schemas gives what `@0@`, `@1@` ... stand for."""
    first, *lines = path.read_text().removesuffix("\n").split("\n")
    if not first.startswith('{"schemas"'):
        return [json.loads(line) for line in (first, *lines)]
    schemas = [json.dumps(schema, ensure_ascii=False)[1:-1] for schema in json.loads(first)["schemas"]]
    return [json.loads(re.sub("@(\\d+)@", lambda found: schemas[int(found[1])], line)) for line in lines]


CASES = [(path.stem, case) for path in sorted(GOLDEN.glob("*.jsonl")) for case in cases(path)]
PLUGINS = {
    declared.CLASS_NAME: declared
    for module in pkgutil.iter_modules(connect_compat.transforms.__path__)
    for _, declared in inspect.getmembers(importlib.import_module(f"connect_compat.transforms.{module.name}"))
    if hasattr(declared, "CLASS_NAME")
}
CONVERTER = JsonConverter(parse(JsonConverter.CONFIG, {"replace.null.with.default": "false"}), is_key=False)
FOR_HEADERS = JsonConverter(parse(JsonConverter.CONFIG, {}), is_key=False)


def build(case: dict[str, Any]) -> Any:
    declared = PLUGINS[case["class"]]
    return declared(parse(declared.CONFIG, case["config"]))


@lru_cache(maxsize=5000)
def value_of(text: str | None, converter: JsonConverter = CONVERTER) -> tuple[Any, Any]:
    return converter.decode("t", [None if text is None else text.encode()])[0]


def batch_of(case: dict[str, Any]) -> Batch:
    record = case["record"]
    (key_schema, key), (value_schema, value) = value_of(record["key"]), value_of(record["value"])
    headers = []
    for name, text in record.get("headers", ()):
        schema, item = value_of(text, FOR_HEADERS)
        headers.append(Header(name, schema, None if item is NULL else item))
    sink = case.get("sink", False)
    return Batch(
        record["topic"], key_schema, value_schema, [key], [value], [tuple(headers)],
        partition=record.get("partition", 0) if sink else None,
        timestamps=[record["timestamp"]] if "timestamp" in record else None,
        offsets=[record.get("offset", 0)] if sink else None,
    )  # fmt: skip


def shown(text: bytes | None) -> Any:
    """Schemaless maps have no order in Java: compared as values; all else byte by byte."""
    if text is None:
        return None
    parsed = json.loads(text)
    return parsed if parsed["schema"] is None else text.decode()


def record_of(batches: Sequence[Batch]) -> Any:
    if not batches:
        return None
    (batch,) = batches
    assert len(batch) == 1
    (key,) = CONVERTER.encode("t", batch.key_schema, batch.keys)
    (value,) = CONVERTER.encode("t", batch.value_schema, batch.values)
    headers = []
    for header in batch.headers[0]:
        null = header.value is None and header.schema is not None
        (text,) = FOR_HEADERS.encode("t", header.schema, [NULL if null else header.value])
        headers.append([header.name, shown(text)])
    timestamp = None if batch.timestamps is None else batch.timestamps[0]
    partition = {} if batch.partition is None else {"partition": batch.partition}
    return {
        "topic": batch.topic,
        **partition,
        "key": shown(key),
        "value": shown(value),
        "headers": headers,
        "timestamp": timestamp,
    }


def expected(case: dict[str, Any]) -> Any:
    out = case["out"]
    if out is None:
        return None
    texts = {side: None if out[side] is None else shown(out[side].encode()) for side in ("key", "value")}
    headers = [[name, None if text is None else shown(text.encode())] for name, text in out["headers"]]
    partition = {"partition": out["partition"]} if "partition" in out else {}
    return {"topic": out["topic"], **partition, **texts, "headers": headers, "timestamp": out.get("timestamp")}


def settings(case: dict[str, Any]) -> str:
    return f"{case['class'].rpartition('.')[2]}-{case['config']}"


BY_SETTINGS: dict[str, list[dict[str, Any]]] = {}
for name, case in CASES:
    if name != "predicates":
        BY_SETTINGS.setdefault(settings(case), []).append(case)


@pytest.mark.parametrize("settings", BY_SETTINGS)
def test_a_record_becomes_what_kafka_connect_makes_of_it(settings: str) -> None:
    for case in BY_SETTINGS[settings]:
        if "error" in case:
            with pytest.raises((DataError, ConfigError)):
                record_of(build(case).apply(batch_of(case)))
        else:
            assert record_of(build(case).apply(batch_of(case))) == expected(case), case["about"]


@pytest.mark.parametrize("case", [case for name, case in CASES if name == "predicates"], ids=str)
def test_a_predicate_answers_as_kafka_connect_does(case: dict[str, Any]) -> None:
    assert list(build(case).test(batch_of(case))) == [case["out"]]


def alike(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return (first["class"], first["config"]) == (second["class"], second["config"])


GROUPS = [
    [case for other, case in CASES if other == name and alike(case, first) and "error" not in case]
    for name, first in CASES
    if name != "predicates" and first["about"] in ("struct", "create") and "error" not in first
]


@pytest.mark.parametrize("cases", GROUPS, ids=lambda cases: f"{cases[0]['class']}-{cases[0]['config']}")
def test_records_of_one_shape_in_one_batch_become_what_each_alone_becomes(cases: list[dict[str, Any]]) -> None:
    transform = build(cases[0])
    alone = [batch_of(case) for case in cases]
    for index, first in enumerate(alone):
        fitting = [first, *(b for b in alone[index:] if fits(first, b))]
        together = replace(
            first,
            keys=[b.keys[0] for b in fitting],
            values=[b.values[0] for b in fitting],
            headers=[b.headers[0] for b in fitting],
            timestamps=None if first.timestamps is None else [b.timestamps[0] for b in fitting if b.timestamps],
            offsets=None if first.offsets is None else [b.offsets[0] for b in fitting if b.offsets],
        )
        singles = [record_of([single]) for out in transform.apply(together) for single in out.singles()]
        wanted = [record for b in fitting if (record := record_of(transform.apply(b))) is not None]
        assert sorted(singles, key=partition_of) == sorted(wanted, key=partition_of)


def partition_of(record: dict[str, Any]) -> int:
    """Only within a partition is there an order."""
    return int(record.get("partition", -1))


def fits(first: Batch, other: Batch) -> bool:
    return (
        first.key_schema == other.key_schema
        and (first.value_schema == other.value_schema or other.values[0] is None)
        and (first.topic, first.partition) == (other.topic, other.partition)
        and (first.timestamps is None) == (other.timestamps is None)
    )
