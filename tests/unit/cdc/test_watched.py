"""Names of key columns, as incremental snapshots read by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cdc.envelope import EnvelopeSettings, TableEnvelope
from cdc.mysql.source_info import schema
from cdc.schema import INT32
from cdc.watched import key_names


class Column(NamedTuple):
    name: str


@dataclass(frozen=True)
class Shape:
    envelope: TableEnvelope
    columns: tuple[Column, ...]


def test_key_columns_have_the_tables_names_where_fields_are_renamed() -> None:
    settings = EnvelopeSettings(prefix="p", source=schema("mysql"))
    fields = [("v", INT32), ("order_no", INT32)]
    envelope = TableEnvelope(settings, ("shop", "orders"), fields, ["order_no", "hidden_id"], [("hidden_id", INT32)])
    shape = Shape(envelope, (Column("v"), Column("order-no"), Column("hidden id")))
    assert key_names(shape) == ["order-no", "hidden id"]
