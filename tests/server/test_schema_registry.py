"""Converters with a real registry: what one worker registers another reads; what does not fit is explained."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import ConversionError
from cdc.schema import INT32, INT64, OPTIONAL_INT32, OPTIONAL_STRING, STRING, decimal, struct
from connect_compat.converters.avro import AvroConverter
from connect_compat.converters.cloud_events import CloudEventsConverter
from connect_compat.converters.draft import JsonSchemaConverter
from connect_compat.converters.protobuf import ProtobufConverter
from services import registry
from services.process import Process

ROW = struct(("id", INT32), ("note", OPTIONAL_STRING), ("price", decimal(2)), name="shop.orders.Value")
WIDER = struct(*((f.name, f.schema) for f in ROW.fields), ("qty", OPTIONAL_INT32), name="shop.orders.Value")
STRICTER = struct(*((f.name, f.schema) for f in ROW.fields), ("qty", INT32), name="shop.orders.Value")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    registry.start(folder, port)
    yield f"http://127.0.0.1:{port}{registry.PATH}"
    Process("registry", folder).stop()


def converter(url: str, **config: str) -> AvroConverter:
    settings = {name.replace("_", "."): value for name, value in config.items()}
    return AvroConverter(parse(AvroConverter.CONFIG, {"schema.registry.url": url, **settings}), is_key=False)


def test_schemas_are_shared_evolve_and_are_refused_with_the_reason(url: str) -> None:
    writer = converter(url)
    first = writer.encode("shop.orders", ROW, [(1, "a", 1050), None])
    second = writer.encode("shop.orders", WIDER, [(2, None, -1, 7)])
    with pytest.raises(
        ConversionError, match=r"'shop\.orders-value' is not compatible .* nothing was written: .*fields/3"
    ):
        writer.encode("shop.orders", STRICTER, [(3, None, 0, 1)])
    (one, none, two) = converter(url).decode("shop.orders", [*first, *second])
    assert one == (ROW.with_(version=1), (1, "a", 1050))
    assert none == (None, None)
    assert two == (WIDER.with_(version=2), (2, None, -1, 7))
    there = converter(url, auto_register_schemas="false")
    assert there.encode("shop.orders", ROW, [(1, "a", 1050)]) == first[:1]
    with pytest.raises(ConversionError, match="register it"):
        there.encode("elsewhere", ROW, [(1, "a", 1050)])
    newest = converter(url, auto_register_schemas="false", use_latest_version="true")
    assert converter(url).decode("shop.orders", newest.encode("shop.orders", ROW, [(4, "b", 5)])) == [
        (WIDER.with_(version=2), (4, "b", 5, None))
    ]
    by_record = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy"
    assert converter(url, value_subject_name_strategy=by_record).encode("a topic/of mine", ROW, [(1, "a", 1)])


def test_protobuf_and_json_schemas_are_shared_and_evolve_too(url: str) -> None:
    for declared in (ProtobufConverter, JsonSchemaConverter):

        def made(declared: Any = declared, **config: str) -> Any:
            settings = {name.replace("_", "."): value for name, value in config.items()}
            given = {"schema.registry.url": url, "object.additional.properties": "false", **settings}
            return declared(parse(declared.CONFIG, given), is_key=False)

        topic = declared.__name__
        first = made().encode(topic, ROW, [(1, "a", 1050), None])
        second = made().encode(topic, WIDER, [(2, "b", -1, 7)])
        read = made().decode(topic, [*first, *second])
        assert [value for _, value in read] == [(1, "a", 1050), None, (2, "b", -1, 7)]
        assert [schema.version for schema, _ in read if schema is not None] == [1, 2]
        assert made(auto_register_schemas="false").encode(topic, ROW, [(1, "a", 1050)]) == first[:1]
        with pytest.raises(ConversionError, match="register it"):
            made(auto_register_schemas="false").encode("elsewhere", ROW, [(1, "a", 1050)])
        newest = made(auto_register_schemas="false", use_latest_version="true")
        (raw,) = newest.encode(topic, WIDER, [(4, "b", 5, 6)])
        assert raw[:5] == second[0][:5]
        other = struct(("id", STRING), name="shop.orders.Value")
        with pytest.raises(ConversionError, match=f"'{topic}-value' is not compatible .* nothing was written"):
            made().encode(topic, other, [("x",)])


def test_cloud_events_in_avro_go_through_the_registry(url: str) -> None:
    source = struct(
        ("version", STRING), ("connector", STRING), ("name", STRING), ("ts_ms", INT64), ("db", STRING),
        ("file", STRING), ("pos", INT64), name="io.debezium.connector.mysql.Source",
    )  # fmt: skip
    event = struct(("before", ROW.with_(optional=True)), ("after", ROW.with_(optional=True)), ("source", source),
                   ("op", STRING), ("ts_ms", INT64), name="shop.orders.Envelope")  # fmt: skip
    value = (None, (1, "a", 5), ("3.5", "mysql", "srv", 5, "shop", "b.1", 4), "c", 6)
    for settings in ({"serializer.type": "avro"}, {"serializer.type": "json"}):
        given = {**settings, "data.serializer.type": "avro", "avro.schema.registry.url": url}
        made = CloudEventsConverter(parse(CloudEventsConverter.CONFIG, given), False, given)
        topic = f"events-in-{settings['serializer.type']}"
        raw = made.encode(topic, event, [value])
        ((schema, read),) = made.decode(topic, raw)
        data = read["data"]["after"]["id"] if schema is None else read[-1][1][0]
        assert data == 1
