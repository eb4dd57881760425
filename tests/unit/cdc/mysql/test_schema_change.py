"""Schema changes as records of the `<prefix>` topic and of the history topic, against what Debezium wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.mysql import schema_change
from cdc.mysql.schema_change import Kind, SchemaChange, TableChange
from cdc.mysql.source_info import SourceInfo
from cdc.schema import Schema, Type
from cdc.table import TableId

GOLDEN = Path(__file__).parents[3] / "golden" / "mysql"
CASES = ("ddl", "inventory", "types_numeric", "types_string", "types_temporal")


def topic(case: str, suffix: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (GOLDEN / case / "events.jsonl").read_text().splitlines()]
    return [record for record in records if record["topic"] == f"gm_{case}{suffix}"]


def schema_document(schema: Schema, field: str | None = None) -> dict[str, Any]:
    """A schema as JsonConverter writes it."""
    document: dict[str, Any] = {"type": schema.type.value}
    if schema.type is Type.STRUCT:
        document["fields"] = [schema_document(member.schema, member.name) for member in schema.fields]
    if schema.items is not None:
        document["items"] = schema_document(schema.items)
    document["optional"] = schema.optional
    for name, value in (
        ("name", schema.name),
        ("version", schema.version),
        ("parameters", dict(schema.parameters) or None),
        ("default", schema.default),
        ("field", field),
    ):
        if value is not None:
            document[name] = value
    return document


def payload(schema: Schema, value: Any) -> Any:
    """A value as JsonConverter writes it."""
    if value is None:
        return schema.default
    if schema.type is Type.STRUCT:
        return {member.name: payload(member.schema, item) for member, item in zip(schema.fields, value, strict=True)}
    if schema.items is not None:
        return [payload(schema.items, item) for item in value]
    return value


@pytest.mark.parametrize("case", CASES)
def test_a_history_record_read_and_written_again_is_the_same(case: str) -> None:
    records = topic(case, "-history")
    assert records
    for recorded in records:
        value = recorded["value"]
        record = schema_change.read(json.dumps(value).encode())
        assert record is not None
        change = SchemaChange(
            kind=Kind.DATABASE,
            database=record.database or "",
            ddl=record.ddl or "",
            table_changes=record.table_changes,
            ts_ms=record.ts_ms,
        )
        written = schema_change.write(record.server, record.position, change)
        assert json.dumps(json.loads(written)) == json.dumps(value)


def test_history_json_is_laid_out_as_jackson_lays_it_out() -> None:
    change = SchemaChange(
        kind=Kind.DROP,
        database="d",
        ddl='DROP TABLE `a"\x1f\\u001f\té`',
        table_changes=(TableChange(Kind.DROP, TableId("d", 'a"b')), TableChange(Kind.DROP, TableId("d", "c"))),
        ts_ms=7,
    )
    assert schema_change.write("p", {"file": "f.1", "pos": 4}, change).decode() == (
        "{\n"
        '  "source" : {\n'
        '    "server" : "p"\n'
        "  },\n"
        '  "position" : {\n'
        '    "file" : "f.1",\n'
        '    "pos" : 4\n'
        "  },\n"
        '  "ts_ms" : 7,\n'
        '  "databaseName" : "d",\n'
        '  "ddl" : "DROP TABLE `a\\"\\u001F\\\\u001f\\té`",\n'
        '  "tableChanges" : [ {\n'
        '    "type" : "DROP",\n'
        '    "id" : "\\"d\\".\\"a\\"\\"b\\""\n'
        "  }, {\n"
        '    "type" : "DROP",\n'
        '    "id" : "\\"d\\".\\"c\\""\n'
        "  } ]\n"
        "}"
    )
    empty = SchemaChange(kind=Kind.DATABASE, database="", ddl="USE `d`")
    assert schema_change.write("p", {}, empty).decode().endswith('"position" : { },\n  "ts_ms" : 0,\n'
        '  "databaseName" : "",\n  "ddl" : "USE `d`",\n  "tableChanges" : [ ]\n}')  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_records_of_the_prefix_topic_are_those_that_debezium_wrote(case: str) -> None:
    histories = topic(case, "-history")
    recorded = topic(case, "")
    assert len(recorded) == len(histories)
    for expected, history in zip(recorded, histories, strict=True):
        body = expected["value"]["payload"]
        record = schema_change.read(json.dumps(history["value"]).encode())
        assert record is not None
        change = SchemaChange(
            kind=Kind.DATABASE,
            database=body["databaseName"],
            ddl=body["ddl"],
            table_changes=record.table_changes,
            ts_ms=body["ts_ms"],
        )
        batch = schema_change.batch([(change, SourceInfo(**body["source"]))], f"gm_{case}", ())
        assert batch.key_schema is not None
        assert batch.value_schema is not None
        assert (batch.topic, batch.partition) == (expected["topic"], expected["partition"])
        assert schema_document(batch.key_schema) == expected["key"]["schema"]
        assert json.dumps(payload(batch.key_schema, batch.keys[0])) == json.dumps(expected["key"]["payload"])
        assert schema_document(batch.value_schema) == expected["value"]["schema"]
        assert json.dumps(payload(batch.value_schema, batch.values[0])) == json.dumps(body)


def test_mariadb_has_schemas_of_its_own_name() -> None:
    recorded = topic("ddl", "")[0]["value"]["payload"]["source"]
    source = SourceInfo(**recorded)._replace(connector="mariadb")
    change = SchemaChange(kind=Kind.DATABASE, database="d", ddl="USE d")
    batch = schema_change.batch([(change, source)], "p", ())
    assert batch.key_schema is not None
    assert batch.key_schema.name == "io.debezium.connector.mariadb.SchemaChangeKey"


def test_names_in_source_table_come_in_the_order_of_a_java_hash_set() -> None:
    def named(database: str, names: str) -> str | None:
        ids = tuple(TableId(database, name) for name in names.split())
        return SchemaChange(kind=Kind.DROP, database=database, ddl="", tables=ids).source_table

    assert named("gddl", "") == ""
    assert named("gddl", "nokey c c") == "c,nokey"
    assert named("gddl", "a b c") == "c,b,a"
    assert (
        named("inventory", "geom orders products_on_hand products addresses customers")
        == "geom,products_on_hand,customers,addresses,orders,products"
    )
    assert (
        named("d", "größe 表 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13")
        == "x8,x9,x6,x7,x13,x4,x5,x2,x3,x1,größe,x12,x11,x10,表"
    )


@pytest.mark.parametrize(
    "value",
    [b"not json", b'{"source":{"server":"p"},"position":{},"tableChanges":[{"type":"CREATE","id":"unquoted"}]}',
     b'{"source":{"server":"p"},"position":{},"tableChanges":[{"type":"MERGE","id":"\\"a\\".\\"b\\""}]}'],
)  # fmt: skip
def test_what_is_no_history_record_is_refused(value: bytes) -> None:
    with pytest.raises(DecodeError, match="not a schema history record"):
        schema_change.read(value)


def test_a_record_without_source_or_position_is_passed_over() -> None:
    assert schema_change.read(b'{"ddl":"USE a"}') is None
    assert schema_change.read(b"[]") is None


@given(st.text())
def test_a_member_of_an_enum_survives_quoting(value: str) -> None:
    assert schema_change.unquoted_member(schema_change.quoted_member(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("'it''s'", "it's"), ("'it\\'s'", "it's"), ('"it\'s"', "it's"), ('"a""b"', 'a"b'), ("'a\\\\b\\n'", "a\\b\n")],
)
def test_every_way_to_quote_a_member_is_understood(text: str, value: str) -> None:
    assert schema_change.unquoted_member(text) == value
