"""What Confluent's ProtobufData and JsonSchemaData 8.0.0 made of Connect values, and of values of other writers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cdc.config import parse
from cdc.record import NULL
from cdc.schema import Schema
from connect_compat.converters.json import JsonConverter

Case = dict[str, Any]
_FILE = Path(__file__).parents[3] / "golden" / "schemas" / "cases.jsonl"
_JSON = JsonConverter(parse(JsonConverter.CONFIG, {"replace.null.with.default": "false"}), is_key=False)


def cases(kind: str) -> list[Case]:
    """`kind`: PROTOBUF or JSON."""
    return [case for line in _FILE.read_text().splitlines() if (case := json.loads(line))["kind"] == kind]


def by_about(kind: str, member: str) -> dict[str, list[Case]]:
    """The cases that have `member`, those of one subject together."""
    together: dict[str, list[Case]] = {}
    for case in cases(kind):
        if member in case:
            together.setdefault(case.get("about", "of others"), []).append(case)
    return together


def config_of(case: Case, converter: Any) -> Any:
    return parse(converter.CONFIG, {"schema.registry.url": "http://127.0.0.1:9", **case["config"]})


def given(case: Case) -> tuple[Schema, Any]:
    ((schema, value),) = _JSON.decode("t", [case["json"].encode()])
    assert schema is not None
    return schema, value


def raw(case: Case) -> bytes:
    return base64.b64decode(case["bytes"])


def shown(schema: Schema, value: Any) -> str:
    (text,) = _JSON.encode("t", schema, [NULL if value is None else value])
    assert text is not None
    return text.decode()
