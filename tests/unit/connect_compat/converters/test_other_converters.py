"""String, bytes, number and header converters against what Kafka Connect 4.3.1 wrote and read."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import ConfigError, ConversionError
from cdc.record import NULL, Header
from cdc.schema import BYTES, INT32, OPTIONAL_STRING, STRING, Schema, struct
from connect_compat.converters import headers, numbers
from connect_compat.converters.bytes import ByteArrayConverter
from connect_compat.converters.headers import JsonHeaderConverter
from connect_compat.converters.json import JsonConverter
from connect_compat.converters.simple_header import SimpleHeaderConverter
from connect_compat.converters.string import StringConverter
from connect_compat.no_settings import NoSettings

GOLDEN = Path(__file__).parents[3] / "golden" / "java"
CONVERTERS = {
    declared.CLASS_NAME: declared
    for declared in (StringConverter, ByteArrayConverter, *vars(numbers).values())
    if hasattr(declared, "CLASS_NAME")
}
JSON = JsonConverter(parse(JsonConverter.CONFIG, {}), is_key=False)
SIMPLE = SimpleHeaderConverter(NoSettings())


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / name).read_text().rstrip("\n").split("\n")]


def build(class_name: str) -> Any:
    declared: Any = CONVERTERS[class_name]
    return declared(parse(declared.CONFIG, {}), is_key=False)


def from_json(text: str) -> tuple[Schema | None, Any]:
    ((schema, value),) = JSON.decode("t", [text.encode()])
    return schema, value


def to_json(schema: Schema | None, value: Any) -> str | None:
    (text,) = JSON.encode("t", schema, [NULL if value is None and schema is not None else value])
    return None if text is None else text.decode()


def is_tombstone(case: dict[str, Any]) -> bool:
    """A null without bytes is a tombstone here, whatever schema the converter gives it in Java."""
    return "json" not in case and case["raw"] is None


@pytest.mark.parametrize("case", cases("converters.jsonl"), ids=str)
def test_a_converter_gives_what_kafka_connects_gives(case: dict[str, Any]) -> None:
    converter = build(case["class"])
    if is_tombstone(case):
        assert converter.decode("t", [None]) == [(None, None)]
    elif "json" in case:
        schema, value = from_json(case["json"])
        if "error" in case:
            with pytest.raises(ConversionError):
                converter.encode("t", schema, [value])
        else:
            out = case["out"]
            assert converter.encode("t", schema, [value]) == [None if out is None else base64.b64decode(out)]
    elif "error" in case:
        with pytest.raises(ConversionError):
            converter.decode("t", [base64.b64decode(case["raw"])])
    else:
        ((schema, value),) = converter.decode("t", [base64.b64decode(case["raw"])])
        assert to_json(schema, value) == case["out"]


@pytest.mark.parametrize("case", cases("headers.jsonl"), ids=str)
def test_a_simple_header_is_that_of_kafka_connect(case: dict[str, Any]) -> None:
    if "json" in case:
        schema, value = from_json(case["json"])
        written = SIMPLE.encode("t", Header("h", schema, None if value is NULL else value))
        assert (written and written.decode()) == case["out"]
    else:
        header = SIMPLE.decode("t", "h", case["text"].encode())
        assert to_json(header.schema, header.value) == case["out"]


def test_headers_of_debezium_come_out_as_recorded() -> None:
    key = struct(("id", INT32), name="gm_inventory.inventory.customers.Key")
    assert SIMPLE.encode("t", Header("__debezium.newkey", key, (2001,))) == b'{"id":2001}'
    run = "01a1fc26-8deb-7057-b4b7-329bb64b5996"
    assert SIMPLE.encode("t", Header("__debezium.context.runId", STRING, run)) == run.encode()
    assert SIMPLE.encode("t", Header("__debezium.context.taskId", STRING, "0")) == b"0"


def test_a_header_without_bytes_is_a_null() -> None:
    assert SIMPLE.decode("t", "h", None) == Header("h", None, None)
    assert SIMPLE.decode("t", "h", b"null") == Header("h", None, None)


def test_an_empty_map_is_read_where_kafka_connect_stumbles() -> None:
    assert SIMPLE.decode("t", "h", b"{}").value == {}


def test_headers_may_be_written_by_any_converter() -> None:
    by_json = JsonHeaderConverter(parse(JsonConverter.CONFIG, {"schemas.enable": "false"}))
    assert by_json.encode("t", Header("h", struct(("id", INT32)), (1,))) == b'{"id":1}'
    assert by_json.encode("t", Header("h", OPTIONAL_STRING, None)) == b"null"
    assert by_json.decode("t", "h", b"[1]") == Header("h", None, [1])
    by_string = headers.StringHeaderConverter(parse(StringConverter.CONFIG, {}))
    assert by_string.encode("t", Header("h", STRING, "é")) == "é".encode()
    assert by_string.decode("t", "h", b"1") == Header("h", OPTIONAL_STRING, "1")


def test_strings_are_written_in_the_character_set_that_is_set() -> None:
    latin = StringConverter(parse(StringConverter.CONFIG, {"converter.encoding": "ISO-8859-1"}), is_key=False)
    assert latin.encode("t", STRING, ["é", None, NULL, "€"]) == [b"\xe9", None, None, b"?"]
    assert latin.decode("t", [b"\xe9"]) == [(OPTIONAL_STRING, "é")]


def test_a_character_set_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no character set"):
        parse(StringConverter.CONFIG, {"converter.encoding": "klingon"})


def test_bytes_that_are_schemaless_pass_and_texts_do_not() -> None:
    raw = ByteArrayConverter(NoSettings(), is_key=True)
    assert raw.encode("t", None, [b"a", None]) == [b"a", None]
    assert raw.encode("t", BYTES, [b"a", NULL]) == [b"a", None]
    with pytest.raises(ConversionError, match="a str, not bytes"):
        raw.encode("t", None, ["a"])


def test_a_string_that_cannot_be_one_names_the_topic() -> None:
    with pytest.raises(ConversionError, match="'orders'"):
        StringConverter(parse(StringConverter.CONFIG, {}), is_key=False).encode("orders", BYTES, [b"a"])
