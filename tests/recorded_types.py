"""Recorded type cases: what a real server sent for a table, and what Debezium 3.5.0.Final made of it.

A case in `tests/golden/mysql_types/` is one JSON file: `options` (fields of `TypeOptions`), the statements of `setup`
and `changes`, and for each table `columns` (as in Debezium's schema history), `fields` (the row's schema as
JsonConverter writes it), `snapshot` (rows after `setup`), `log` (op, before, after of each change), `raw_snapshot`
(the text protocol's bytes, base64), `raw_log` (TABLE_MAP and rows events of `setup`, then of `changes`, base64).
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from types import ModuleType
from typing import Any

from cdc.mysql import binlog
from cdc.mysql.row_decoder import compile_rows
from cdc.mysql.types import TypeOptions, field_schema
from cdc.native import hot
from cdc.schema import DECIMAL, Schema, Type, decimal_bytes
from cdc.table import Column, Table, TableId

FOLDER = Path(__file__).parent / "golden" / "mysql_types"
_SINGLE = Struct("<f")


@dataclass(frozen=True)
class RecordedTable:
    """One table of a case; see the module."""

    case: str
    table: Table
    options: TypeOptions
    content: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.case}-{self.table.id.name}"

    @property
    def schemas(self) -> list[Schema]:
        return [field_schema(column, self.options) for column in self.table.columns]

    def shown(self, row: tuple[Any, ...] | None) -> dict[str, Any] | None:
        """A row as JsonConverter writes it: nulls replaced by defaults."""
        if row is None:
            return None
        pairs = zip(self.table.columns, self.schemas, row, strict=True)
        return {column.name: payload(schema, value) for column, schema, value in pairs}

    def expected(self, row: dict[str, Any] | None) -> dict[str, Any] | None:
        """A recorded row; JSON has no float32, so those are rounded again."""
        if row is None:
            return None
        return {
            column.name: _rounded(schema, row[column.name])
            for column, schema in zip(self.table.columns, self.schemas, strict=True)
        }

    def decoded(self, events: list[str], twin: ModuleType | None = hot) -> list[tuple[str, Any, Any]]:
        """(op, before, after) of recorded events."""
        found: list[tuple[str, Any, Any]] = []
        table_map: binlog.TableMap | None = None
        for event in events:
            _, body = binlog.decode(b64decode(event), checksum=True)
            if isinstance(body, binlog.TableMap):
                table_map = body
                continue
            assert isinstance(body, binlog.Rows) and table_map is not None
            decode = compile_rows(self.table, table_map, self.options, self.table.columns, body, twin=twin)
            found += _changes(body.kind, decode(body.body, body.start, body.end))
        return found


def _changes(kind: binlog.Kind, rows: list[Any]) -> list[tuple[str, Any, Any]]:
    if kind is binlog.Kind.WRITE:
        return [("c", None, row) for row in rows]
    if kind is binlog.Kind.DELETE:
        return [("d", row, None) for row in rows]
    found = []
    for before, after in rows:
        # A changed key is a delete and a create; in all recorded tables the key is the first column.
        moved = [("d", before, None), ("c", None, after)]
        found += moved if before[0] != after[0] else [("u", before, after)]
    return found


def tables() -> list[RecordedTable]:
    """Every table of every case."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        options = TypeOptions(**case["options"])
        for name, content in case["tables"].items():
            table = Table(id=TableId(case["database"], name), columns=tuple(map(column, content["columns"])))
            found.append(RecordedTable(path.stem, table, options, content))
    return found


def column(recorded: dict[str, Any]) -> Column:
    """A column as Debezium's schema history has it."""
    return Column(
        name=recorded["name"],
        position=recorded["position"],
        type_name=recorded["typeName"],
        type_expression=recorded["typeExpression"],
        jdbc_type=recorded["jdbcType"],
        length=recorded.get("length"),
        scale=recorded.get("scale"),
        charset=recorded["charsetName"],
        optional=recorded["optional"],
        has_default=recorded["hasDefaultValue"],
        default=recorded.get("defaultValueExpression"),
        enum_values=tuple(value[1:-1].replace("''", "'") for value in recorded["enumValues"]),
    )


def description(schema: Schema, name: str | None = None) -> dict[str, Any]:
    """A schema as JsonConverter writes it."""
    shown: dict[str, Any] = {"type": schema.type.value}
    if schema.fields:
        shown["fields"] = [description(field.schema, field.name) for field in schema.fields]
    if schema.items is not None:
        shown["items"] = description(schema.items)
    shown["optional"] = schema.optional
    shown |= {key: value for key in ("name", "version", "doc") if (value := getattr(schema, key)) is not None}
    if schema.parameters:
        shown["parameters"] = dict(schema.parameters)
    if schema.default is not None:
        shown["default"] = payload(schema, schema.default)
    return shown if name is None else shown | {"field": name}


def payload(schema: Schema, value: Any) -> Any:
    """A value as JsonConverter writes it, read back as JSON; a float32 keeps its 32 bits."""
    if value is None:
        return None if schema.default is None else payload(schema, schema.default)
    if schema.name == DECIMAL:
        return b64encode(decimal_bytes(value)).decode()
    if schema.type is Type.BYTES:
        return b64encode(value).decode()
    if schema.type is Type.STRUCT:
        return {f.name: payload(f.schema, item) for f, item in zip(schema.fields, value, strict=True)}
    return value


def _rounded(schema: Schema, value: Any) -> Any:
    return _SINGLE.unpack(_SINGLE.pack(value))[0] if schema.type is Type.FLOAT32 and value is not None else value
