"""Rows to Debezium's records: keys, envelopes, tombstones, key changes, headers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdc.envelope import EnvelopeSettings, TableEnvelope, context_headers
from cdc.mysql import source_info
from cdc.record import Batch, Header
from cdc.schema import INT32, INT64, OPTIONAL_STRING, STRING, Schema, struct

SOURCE = struct(("row", INT32), name="Source")
NOW = 1_795_231_755_644_615_244
STAMPS = (1_795_231_755_644, 1_795_231_755_644_615, NOW)
CONTEXT = context_headers("shop", 0, "mysql", "a-run")


def envelope(*key: str, tombstones: bool = True, key_only: tuple[tuple[str, Schema], ...] = ()) -> TableEnvelope:
    settings = EnvelopeSettings(prefix="shop", source=SOURCE, tombstones=tombstones, headers=CONTEXT)
    return TableEnvelope(settings, ("db", "users"), [("id", INT64), ("name", OPTIONAL_STRING)], key, key_only)


def records(batches: list[Batch]) -> list[tuple[Any, Any, Any]]:
    return [item for b in batches for item in zip(b.keys, b.values, b.headers, strict=True)]


def test_schemas_are_named_after_the_table_and_the_envelope_is_version_2() -> None:
    table = envelope("id")
    assert table.topic == "shop.db.users"
    assert table.key_schema == struct(("id", INT64), name="shop.db.users.Key")
    assert (table.value_schema.name, table.value_schema.version) == ("shop.db.users.Envelope", 2)
    assert [field.name for field in table.value_schema.fields] == [
        "before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns",
    ]  # fmt: skip
    before, after = table.value_schema.fields[:2]
    assert before.schema is after.schema
    assert (before.schema.name, before.schema.optional) == ("shop.db.users.Value", True)


def test_context_headers_are_debeziums_four_in_its_order() -> None:
    assert list(CONTEXT) == [
        Header("__debezium.context.connectorLogicalName", STRING, "shop"),
        Header("__debezium.context.taskId", STRING, "0"),
        Header("__debezium.context.connectorName", STRING, "mysql"),
        Header("__debezium.context.runId", STRING, "a-run"),
    ]


@pytest.mark.parametrize(("method", "op"), [("reads", "r"), ("creates", "c")])
def test_an_inserted_row_has_only_an_after(method: str, op: str) -> None:
    rows = [(1, "Ada"), (2, None)]
    [batch] = getattr(envelope("id"), method)(rows, [(0,), (1,)], NOW)
    assert records([batch]) == [
        ((1,), (None, (1, "Ada"), (0,), None, op, *STAMPS), CONTEXT),
        ((2,), (None, (2, None), (1,), None, op, *STAMPS), CONTEXT),
    ]
    assert (batch.topic, batch.partition, batch.timestamps) == ("shop.db.users", None, None)


def test_an_update_that_keeps_the_key_is_one_record() -> None:
    batches = envelope("id").updates([((1, "a"), (1, "b"))], [(0,)], NOW)
    assert records(batches) == [((1,), ((1, "a"), (1, "b"), (0,), None, "u", *STAMPS), CONTEXT)]


def test_a_delete_is_followed_by_its_tombstone() -> None:
    batches = envelope("id").deletes([(1, "a"), (2, "b")], [(0,), (1,)], NOW)
    assert records(batches) == [
        ((1,), ((1, "a"), None, (0,), None, "d", *STAMPS), CONTEXT),
        ((1,), None, CONTEXT),
        ((2,), ((2, "b"), None, (1,), None, "d", *STAMPS), CONTEXT),
        ((2,), None, CONTEXT),
    ]


def test_without_tombstones_a_delete_is_one_record() -> None:
    batches = envelope("id", tombstones=False).deletes([(1, "a")], [(0,)], NOW)
    assert records(batches) == [((1,), ((1, "a"), None, (0,), None, "d", *STAMPS), CONTEXT)]


@pytest.mark.parametrize("tombstones", [True, False])
def test_a_changed_key_becomes_delete_tombstone_create_in_the_place_of_the_update(tombstones: bool) -> None:
    table = envelope("id", tombstones=tombstones)
    pairs = [((1, "a"), (1, "b")), ((2, "c"), (3, "c")), ((4, "d"), (4, "e"))]
    to_new = (Header("__debezium.newkey", table.key_schema, (3,)), *CONTEXT)
    from_old = (Header("__debezium.oldkey", table.key_schema, (2,)), *CONTEXT)
    expected = [
        ((1,), ((1, "a"), (1, "b"), (0,), None, "u", *STAMPS), CONTEXT),
        ((2,), ((2, "c"), None, (1,), None, "d", *STAMPS), to_new),
        ((2,), None, to_new),
        ((3,), (None, (3, "c"), (1,), None, "c", *STAMPS), from_old),
        ((4,), ((4, "d"), (4, "e"), (2,), None, "u", *STAMPS), CONTEXT),
    ]
    got = records(table.updates(pairs, [(0,), (1,), (2,)], NOW))
    assert got == (expected if tombstones else [record for record in expected if record[1] is not None])


def test_an_update_whose_before_is_unknown_keeps_the_key() -> None:
    batches = envelope("id").updates([(None, (1, "b"))], [(0,)], NOW)
    assert records(batches) == [((1,), (None, (1, "b"), (0,), None, "u", *STAMPS), CONTEXT)]


def test_a_table_without_key_has_null_keys_and_still_tombstones() -> None:
    table = envelope()
    assert table.key_schema is None
    updated = table.updates([((1, "a"), (2, "b"))], [(0,)], NOW)
    assert records(updated) == [(None, ((1, "a"), (2, "b"), (0,), None, "u", *STAMPS), CONTEXT)]
    deleted = table.deletes([(1, "a")], [(0,)], NOW)
    assert records(deleted) == [(None, ((1, "a"), None, (0,), None, "d", *STAMPS), CONTEXT), (None, None, CONTEXT)]


def test_a_key_of_several_columns_follows_the_order_of_the_key() -> None:
    table = envelope("name", "id")
    assert table.key_schema == struct(("name", OPTIONAL_STRING), ("id", INT64), name="shop.db.users.Key")
    assert records(table.creates([(7, "x")], [(0,)], NOW))[0][0] == ("x", 7)


def test_an_excluded_key_column_stands_in_the_key_but_not_in_the_row() -> None:
    table = envelope("tenant", "id", key_only=(("tenant", INT32),))
    assert [field.name for field in table.row_schema.fields] == ["id", "name"]
    assert records(table.creates([(1, "a", 9)], [(0,)], NOW)) == [
        ((9, 1), (None, (1, "a"), (0,), None, "c", *STAMPS), CONTEXT)
    ]
    assert records(table.deletes([(1, "a", 9)], [(0,)], NOW))[0][1][0] == (1, "a")
    assert records(table.updates([((1, "a", 9), (1, "b", 9))], [(0,)], NOW))[0][1][:2] == ((1, "a"), (1, "b"))
    moved = records(table.updates([((1, "a", 9), (1, "b", 8))], [(0,)], NOW))
    assert [(key, value and value[:2]) for key, value, _ in moved] == [
        ((9, 1), ((1, "a"), None)), ((9, 1), None), ((8, 1), (None, (1, "b"))),
    ]  # fmt: skip


def test_source_types_are_propagated_to_the_row_but_not_to_the_key() -> None:
    parameters = (("scale", "0"), ("__debezium.source.column.type", "BIGINT"), ("__debezium.source.column.name", "id"))
    settings = EnvelopeSettings(prefix="shop", source=SOURCE)
    table = TableEnvelope(settings, ("db", "users"), [("id", INT64.with_(parameters=parameters))], ["id"])
    assert table.key_schema is not None
    assert table.key_schema.fields[0].schema.parameters == (("scale", "0"),)
    assert table.row_schema.fields[0].schema.parameters == parameters


def test_a_truncate_has_neither_key_nor_row() -> None:
    assert records(envelope("id").truncates([(0,)], NOW)) == [(None, (None, None, (0,), None, "t", *STAMPS), CONTEXT)]


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("none", "1-shop.db.my_table"),
        ("avro", "_1_shop.db.my_table"),
        ("avro_unicode", "_u0031_u002dshop.db.my_u005ftable"),
    ],
)
def test_schema_names_are_adjusted_and_the_topic_is_made_legal(mode: str, name: str) -> None:
    settings = EnvelopeSettings(prefix="1-shop", source=SOURCE, name_adjustment=mode)
    table = TableEnvelope(settings, ("db", "my table"), [("id", INT64)], ["id"])
    assert table.topic == "1-shop.db.my_table"
    assert table.key_schema is not None
    assert (table.key_schema.name, table.row_schema.name, table.value_schema.name) == (
        f"{name}.Key", f"{name}.Value", f"{name}.Envelope",
    )  # fmt: skip


def shape(schema: Schema) -> dict[str, Any]:
    """A schema as `JsonConverter` describes it, for the types an inventory table has."""
    shown: dict[str, Any] = {"type": schema.type.value}
    if schema.fields:
        shown["fields"] = [shape(field.schema) | {"field": field.name} for field in schema.fields]
    shown["optional"] = schema.optional
    shown |= {key: value for key in ("name", "version", "default") if (value := getattr(schema, key)) is not None}
    return shown | ({"parameters": dict(schema.parameters)} if schema.parameters else {})


def test_the_schemas_of_the_customers_table_equal_the_recorded_ones() -> None:
    recorded = json.loads(CUSTOMERS)
    settings = EnvelopeSettings(prefix="gm_inventory", source=source_info.schema())
    row = [("id", INT32), ("first_name", STRING), ("last_name", STRING), ("email", STRING)]
    table = TableEnvelope(settings, ("inventory", "customers"), row, ["id"])
    assert table.key_schema is not None
    assert shape(table.key_schema) == recorded["key"]
    assert shape(table.value_schema) == recorded["value"]


# Recorded from Debezium 3.5.0.Final, MySQL 9.7.
CUSTOMERS = """
{"key": {"type": "struct", "fields": [{"type": "int32", "optional": false, "field": "id"}], "optional": false,
"name": "gm_inventory.inventory.customers.Key"}, "value": {"type": "struct", "fields": [{"type": "struct", "fields":
[{"type": "int32", "optional": false, "field": "id"}, {"type": "string", "optional": false, "field": "first_name"},
{"type": "string", "optional": false, "field": "last_name"}, {"type": "string", "optional": false, "field":
"email"}], "optional": true, "name": "gm_inventory.inventory.customers.Value", "field": "before"}, {"type":
"struct", "fields": [{"type": "int32", "optional": false, "field": "id"}, {"type": "string", "optional": false,
"field": "first_name"}, {"type": "string", "optional": false, "field": "last_name"}, {"type": "string", "optional":
false, "field": "email"}], "optional": true, "name": "gm_inventory.inventory.customers.Value", "field": "after"},
{"type": "struct", "fields": [{"type": "string", "optional": false, "field": "version"}, {"type": "string",
"optional": false, "field": "connector"}, {"type": "string", "optional": false, "field": "name"}, {"type": "int64",
"optional": false, "field": "ts_ms"}, {"type": "string", "optional": true, "name": "io.debezium.data.Enum",
"version": 1, "parameters": {"allowed":
"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"}, "default": "false", "field":
"snapshot"}, {"type": "string", "optional": false, "field": "db"}, {"type": "string", "optional": true, "field":
"sequence"}, {"type": "int64", "optional": true, "field": "ts_us"}, {"type": "int64", "optional": true, "field":
"ts_ns"}, {"type": "string", "optional": true, "field": "table"}, {"type": "int64", "optional": false, "field":
"server_id"}, {"type": "string", "optional": true, "field": "gtid"}, {"type": "string", "optional": false, "field":
"file"}, {"type": "int64", "optional": false, "field": "pos"}, {"type": "int32", "optional": false, "field": "row"},
{"type": "int64", "optional": true, "field": "thread"}, {"type": "string", "optional": true, "field": "query"}],
"optional": false, "name": "io.debezium.connector.mysql.Source", "version": 1, "field": "source"}, {"type":
"struct", "fields": [{"type": "string", "optional": false, "field": "id"}, {"type": "int64", "optional": false,
"field": "total_order"}, {"type": "int64", "optional": false, "field": "data_collection_order"}], "optional": true,
"name": "event.block", "version": 1, "field": "transaction"}, {"type": "string", "optional": false, "field": "op"},
{"type": "int64", "optional": true, "field": "ts_ms"}, {"type": "int64", "optional": true, "field": "ts_us"},
{"type": "int64", "optional": true, "field": "ts_ns"}], "optional": false, "name":
"gm_inventory.inventory.customers.Envelope", "version": 2}}
"""
