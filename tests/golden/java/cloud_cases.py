"""Cases for CloudEvents: change events and rows with metadata in headers; what `CloudRecorder.java` is to run.

python -m tests.golden.java.cloud_cases | java -cp '.:LIBS/*' CloudRecorder > ../cloud_events/cases.jsonl
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from tests.golden.java.transform_cases import INT32, INT64, PLAIN, STRING, TEXT, Json, of, struct, text

BLOCK = struct(
    "event.block", ("id", STRING), ("total_order", INT64), ("data_collection_order", INT64), optional=True, version=1
)
OWN: dict[str, tuple[tuple[str, Json], ...]] = {
    "mysql": (("server_id", INT64), ("gtid", TEXT), ("file", STRING), ("pos", INT64), ("row", INT32)),
    "mariadb": (("server_id", INT64), ("gtid", TEXT), ("file", STRING), ("pos", INT64), ("row", INT32)),
    "postgresql": (("sequence", TEXT), ("schema", STRING), ("txId", of("int64", optional=True)),
                   ("lsn", of("int64", optional=True)), ("xmin", of("int64", optional=True))),
    "nowhere": (),
}  # fmt: skip
VALUES: Json = {"server_id": 5, "gtid": None, "file": "binlog.1", "pos": 154, "row": 0, "sequence": '["1","2"]',
                "schema": "public", "txId": 7, "lsn": 33, "xmin": None}  # fmt: skip


def source(connector: str) -> tuple[Json, Json]:
    schema = struct(
        f"io.debezium.connector.{connector}.Source",
        ("version", STRING), ("connector", STRING), ("name", STRING), ("ts_ms", INT64),
        ("snapshot", of("string", optional=True, default="false")), ("db", STRING), ("table", TEXT),
        ("ts_us", of("int64", optional=True)), *OWN[connector],
    )  # fmt: skip
    value = {"version": "3.5.0.Final", "connector": connector, "name": "my-srv", "ts_ms": 1700000000045,
             "snapshot": None, "db": "shop", "table": "orders", "ts_us": None}  # fmt: skip
    return schema, {**value, **{name: VALUES[name] for name, _ in OWN[connector]}}


def events(connector: str) -> Iterator[str]:
    row = struct("p.shop.orders.Value", ("id", INT32), ("note", TEXT), ("qty", of("int32", optional=True, default=5)),
                 optional=True)  # fmt: skip
    block, value = source(connector)
    schema = struct(
        "p.shop.orders.Envelope", ("before", row), ("after", row), ("source", block), ("op", STRING),
        ("ts_ms", of("int64", optional=True)), ("transaction", BLOCK), version=2,
    )  # fmt: skip
    one, two = {"id": 1, "note": 'a"b', "qty": None}, {"id": 1, "note": None, "qty": 2}
    transaction = {"id": "t1", "total_order": 3, "data_collection_order": 1}
    for op, before, after, within in (("c", None, one, None), ("u", one, two, transaction), ("d", two, None, None)):
        event = {
            "before": before,
            "after": after,
            "source": value,
            "op": op,
            "ts_ms": 1700000000099,
            "transaction": within,
        }
        yield text(schema, event)


def headers(connector: str) -> list[list[str]]:
    return [["source", text(*source(connector))], ["op", text(STRING, "c")], ["id", text(STRING, "my-id")],
            ["type", text(STRING, "my.type")], ["traceparent", text(STRING, "00-ab-cd-01")],
            ["dataSchemaName", text(STRING, "my.Data")]]  # fmt: skip


def cases() -> Iterator[Json]:
    avro = {"data.serializer.type": "avro", "avro.schema.registry.url": "http://a:1,http://b:2"}
    configs: list[Json] = [
        {}, {"json.schemas.enable": "false"}, {"extension.attributes.enable": "false"}, avro,
        {**avro, "serializer.type": "avro"}, {**avro, "serializer.type": "avro", "schema.cloudevents.name": "my.Event"},
        {"opentelemetry.tracing.attributes.enable": "true"}, {"metadata.source": "value,id:header,type:header"},
        {"metadata.source": "header"}, {"metadata.source": "header,id:generate,type:generate,dataSchemaName:header",
                                        "schema.data.name.source.header.enable": "true", "json.schemas.enable": "true"},
        {"metadata.source": "value,id:header", "json.schemas.enable": "false", "json.decimal.format": "NUMERIC"},
        {**avro, "serializer.type": "avro", "schema.name.adjustment.mode": "none"}, {"metadata.source": "value"},
    ]  # fmt: skip
    for config in configs:
        for connector in ("mysql", "postgresql", "mariadb"):
            for value in events(connector):
                yield {"config": config, "value": value, "headers": headers(connector)}
        yield {"config": config, "value": next(events("mysql")), "headers": []}
        yield {"config": config, "value": PLAIN, "headers": headers("postgresql")}
        yield {"config": config, "value": None, "headers": headers("mysql")}
    yield {"config": {}, "value": next(events("nowhere")), "headers": []}


if __name__ == "__main__":
    sys.stdout.writelines(f"{json.dumps(case, ensure_ascii=False)}\n" for case in cases())
