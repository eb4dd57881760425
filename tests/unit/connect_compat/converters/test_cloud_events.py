"""CloudEvents against what Debezium 3.5.0.Final made of the same records; and bytes that are handed on."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import ConfigError, ConversionError
from cdc.record import NULL
from cdc.schema import BYTES, OPTIONAL_BYTES, STRING, Schema
from connect_compat.converters.cloud_events import CloudEventsConverter
from connect_compat.converters.delegating import BinaryDataConverter
from connect_compat.converters.json import JsonConverter
from connect_compat.task_plugins import task_plugins

FILE = Path(__file__).parents[3] / "golden" / "cloud_events" / "cases.jsonl"
JSON = JsonConverter(parse(JsonConverter.CONFIG, {"replace.null.with.default": "false"}), is_key=False)
Case = dict[str, Any]


class Avro:
    """Stands for AvroConverter as in the recorder: JSON with its schema behind five bytes."""

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        head = b"\0\0\0\0" + bytes((len(topic),))
        return [None if text is None else head + text for text in JSON.encode(topic, schema, values)]

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        return JSON.decode(topic, [None if data is None else data[5:] for data in raw])


def cases() -> dict[str, list[Case]]:
    together: dict[str, list[Case]] = {}
    for line in FILE.read_text().splitlines():
        case = json.loads(line)
        together.setdefault(str(case["config"]), []).append(case)
    return together


CASES = cases()


def converter(**settings: str) -> CloudEventsConverter:
    return CloudEventsConverter(parse(CloudEventsConverter.CONFIG, settings), False, settings, Avro())


def written(case: Case) -> bytes | None:
    ((schema, value),) = JSON.decode("t", [None if case["value"] is None else case["value"].encode()])
    headers = [(name, text.encode()) for name, text in case["headers"]]
    return converter(**case["config"]).encode_with_headers("t", schema, [value], [headers])[0]


@pytest.mark.parametrize("config", CASES)
def test_an_event_is_the_one_of_debezium(config: str) -> None:
    for case in CASES[config]:
        if "error" in case:
            with pytest.raises(ConversionError):
                written(case)
        else:
            assert written(case) == (None if case["out"] is None else base64.b64decode(case["out"]))


@pytest.mark.parametrize("config", [config for config in CASES if any("back" in case for case in CASES[config])])
def test_an_event_in_avro_is_read_as_debezium_reads_it(config: str) -> None:
    for case in CASES[config]:
        if "back" in case:
            ((schema, value),) = converter(**case["config"]).decode("t", [base64.b64decode(case["out"])])
            assert JSON.encode("t", schema, [value]) == [case["back"].encode()]


def test_an_event_in_json_is_read_without_a_schema_and_its_data_unwrapped() -> None:
    for settings in (
        {},
        {"json.schemas.enable": "false"},
        {"data.serializer.type": "avro", "avro.schema.registry.url": "x"},
    ):
        case = {"config": settings, "value": CASES["{}"][0]["value"], "headers": []}
        ((schema, event),) = converter(**settings).decode("t", [written(case)])
        assert schema is None
        assert (event["id"], event["data"]["after"]["note"]) == ("name:my-srv;file:binlog.1;pos:154", 'a"b')
    with pytest.raises(ConversionError, match="not a CloudEvent"):
        converter().decode("t", [b'{"id":1}'])
    assert converter().decode("t", [None]) == [(None, None)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metadata.source": "generate"}, "source can't be GENERATE"),
        ({"metadata.source": "value,time:header"}, "`time` is not allowed"),
        ({"metadata.source": "value,id:value"}, "`value` is not valid"),
        ({"serializer.type": "avro"}, "within Avro events"),
        ({"data.serializer.type": "avro"}, "schema registry"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CloudEventsConverter(parse(CloudEventsConverter.CONFIG, settings), False, settings)


def plugins(**converters: str) -> Any:
    return task_plugins({
        "name": "c", "connector.class": "FileStreamSource", "key.converter": "JsonConverter",
        "header.converter": "SimpleHeaderConverter", "value.converter": "io.debezium.converters.ByteArrayConverter",
        **{name.replace("_", "."): value for name, value in converters.items()},
    })  # fmt: skip


def test_bytes_are_handed_on_and_the_rest_is_for_the_delegate() -> None:
    made = plugins(
        value_converter_delegate_converter_type="org.apache.kafka.connect.json.JsonConverter",
        **{"value.converter.delegate.converter.type.schemas.enable": "false"},
    ).value
    assert made.encode("t", BYTES, [b"a", None, NULL]) == [b"a", None, None]
    assert made.encode("t", None, [b"a", None]) == [b"a", None]
    assert made.encode("t", STRING, ["x"]) == [b'"x"']
    assert made.decode("t", [b"a", None]) == [(OPTIONAL_BYTES, b"a"), (OPTIONAL_BYTES, NULL)]
    headers = plugins(header_converter="io.debezium.converters.BinaryDataConverter").headers
    assert headers.decode("t", "h", b"x").value == b"x"


def test_without_a_delegate_what_is_no_bytes_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"type STRING, which requires a delegate\.converter\.type"):
        plugins().value.encode("t", STRING, ["x"])
    assert BinaryDataConverter.CLASS_NAME == "io.debezium.converters.BinaryDataConverter"
