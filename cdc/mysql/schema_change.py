"""A change of table shapes: as a record of the `<prefix>` topic, and as JSON of the schema history topic.

Source: Debezium 3.5.0.Final, its recorded schema-change and schema-history topics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple, TypedDict

from cdc.errors import DecodeError
from cdc.java.order import in_hash_order
from cdc.mysql import source_info
from cdc.mysql.source_info import SourceInfo
from cdc.naming import topic_name
from cdc.record import Batch, Headers
from cdc.schema import (
    INT32,
    INT64,
    OPTIONAL_BOOLEAN,
    OPTIONAL_INT32,
    OPTIONAL_STRING,
    STRING,
    Schema,
    array,
    struct,
)
from cdc.table import Column, Table, TableId


class Kind(Enum):
    """What a statement did. TRUNCATE and DATABASE change no table's shape."""

    CREATE = "CREATE"
    ALTER = "ALTER"
    DROP = "DROP"
    TRUNCATE = "TRUNCATE"
    DATABASE = "DATABASE"
    """CREATE and DROP DATABASE, USE and SET."""
    OTHER = "OTHER"
    """DDL that changes no table: CREATE INDEX, ALTER DATABASE."""


class TableChange(NamedTuple):
    """One table's new shape. `table` is None for a DROP; `previous_id` is set by RENAME TABLE."""

    kind: Kind
    id: TableId
    table: Table | None = None
    previous_id: TableId | None = None


@dataclass(frozen=True, kw_only=True)
class SchemaChange:
    """One statement as it is recorded; a statement on several tables is recorded as several.

    Attributes:
        database: the database it is about; the empty string for none.
        ddl: the statement's text; the empty string where no statement made the change.
        tables: every table that the same text of the log named, for `source.table`.
        ts_ms: when it was parsed, milliseconds since 1970.
    """

    kind: Kind
    database: str
    ddl: str
    table_changes: tuple[TableChange, ...] = ()
    tables: tuple[TableId, ...] = ()
    ts_ms: int = 0

    @property
    def source_table(self) -> str | None:
        """What `source.table` holds of a statement read from the log: names joined by commas, empty for none."""
        if self.kind is Kind.DATABASE:
            return None
        tables = list(dict.fromkeys(self.tables))  # Debezium keeps them in a HashSet
        return ",".join(id.name for id in in_hash_order(tables))


# The `<prefix>` topic

_COLUMN: Final = struct(
    ("name", STRING),
    ("jdbcType", INT32),
    ("nativeType", OPTIONAL_INT32),
    ("typeName", STRING),
    ("typeExpression", OPTIONAL_STRING),
    ("charsetName", OPTIONAL_STRING),
    ("length", OPTIONAL_INT32),
    ("scale", OPTIONAL_INT32),
    ("position", INT32),
    ("optional", OPTIONAL_BOOLEAN),
    ("autoIncremented", OPTIONAL_BOOLEAN),
    ("generated", OPTIONAL_BOOLEAN),
    ("comment", OPTIONAL_STRING),
    ("defaultValueExpression", OPTIONAL_STRING),
    ("enumValues", array(STRING, optional=True)),
    name="io.debezium.connector.schema.Column",
    version=1,
)
_TABLE: Final = struct(
    ("defaultCharsetName", OPTIONAL_STRING),
    ("primaryKeyColumnNames", array(STRING, optional=True)),
    ("columns", array(_COLUMN)),
    ("comment", OPTIONAL_STRING),
    name="io.debezium.connector.schema.Table",
    version=1,
    optional=True,
)
_CHANGE: Final = struct(
    ("type", STRING),
    ("id", STRING),
    ("table", _TABLE),
    name="io.debezium.connector.schema.Change",
    version=1,
)


def key_schema(connector: str = "mysql") -> Schema:
    return struct(("databaseName", STRING), name=f"io.debezium.connector.{connector}.SchemaChangeKey", version=1)


def value_schema(connector: str = "mysql") -> Schema:
    return struct(
        ("source", source_info.schema(connector)),
        ("ts_ms", INT64),
        ("databaseName", OPTIONAL_STRING),
        ("schemaName", OPTIONAL_STRING),
        ("ddl", OPTIONAL_STRING),
        ("tableChanges", array(_CHANGE)),
        name=f"io.debezium.connector.{connector}.SchemaChangeValue",
        version=1,
    )


_KEYS: Final = {connector: key_schema(connector) for connector in ("mysql", "mariadb")}
_VALUES: Final = {connector: value_schema(connector) for connector in ("mysql", "mariadb")}


def batch(changes: Sequence[tuple[SchemaChange, SourceInfo]], prefix: str, headers: Headers) -> Batch:
    """The `<prefix>` topic's records of changes, each with the `source` block it comes from.

    Leave out changes of kind TRUNCATE: they are no schema changes.
    """
    connector = changes[0][1].connector if changes else "mysql"
    return Batch(
        topic=topic_name(prefix),
        key_schema=_KEYS[connector],
        value_schema=_VALUES[connector],
        keys=[(change.database,) for change, _ in changes],
        values=[
            (
                source,
                change.ts_ms,
                change.database,
                None,
                change.ddl or None,
                [_change_value(c) for c in change.table_changes],
            )
            for change, source in changes
        ],
        headers=[headers] * len(changes),
        partition=0,
    )


def _change_value(change: TableChange) -> tuple[Any, ...]:
    table = change.table
    if table is None:
        return (change.kind.value, _quoted(change.id), None)
    columns = [_column_value(column) for column in table.columns]
    return (
        change.kind.value,
        _quoted(change.id),
        (table.charset, list(table.primary_key), columns, table.comment),
    )


def _column_value(column: Column) -> tuple[Any, ...]:
    return (
        column.name,
        column.jdbc_type,
        column.native_type,
        column.type_name,
        column.type_expression,
        column.charset,
        column.length,
        column.scale,
        column.position,
        column.optional,
        column.auto_incremented,
        column.generated,
        column.comment,
        column.default,
        members(column) or None,
    )


# The schema history topic


class Mark(NamedTuple):
    """What makes a record one of a checkpoint (`cdc.mysql.compaction`); Debezium passes over it.

    Attributes:
        began: when the checkpoint was begun, milliseconds since 1970: its name.
        whole: it is the checkpoint's last record.
    """

    began: int
    whole: bool


class HistoryRecord(NamedTuple):
    """One record of the schema history topic.

    Attributes:
        server: the topic prefix of the connector that wrote it.
        position: the offset map of the statement.
        table_changes: empty when the statement changed no table, or when only the text tells what it changed.
        mark: None unless it belongs to a checkpoint.
    """

    server: str
    position: Mapping[str, Any]
    ts_ms: int
    database: str | None
    ddl: str | None
    table_changes: tuple[TableChange, ...]
    mark: Mark | None = None


def write(server: str, position: Mapping[str, Any], change: SchemaChange, mark: Mark | None = None) -> bytes:
    """A history record's value, byte for byte as Debezium writes it, but for the mark of a checkpoint."""
    document = {
        "source": {"server": server},
        "position": dict(position),
        "ts_ms": change.ts_ms,
        "databaseName": change.database,
        **({"ddl": change.ddl} if change.ddl else {}),
        "tableChanges": [change_document(c) for c in change.table_changes],
        **({"checkpoint": mark._asdict()} if mark is not None else {}),
    }
    return _pretty(document, "").encode()


def read(value: bytes) -> HistoryRecord | None:
    """A history record; None for one without source or position, which Debezium skips too.

    Raises: DecodeError: not JSON, or a table change that does not hold what it must.
    """
    try:
        document = json.loads(value)
        if not isinstance(document, dict) or not document.get("source") or document.get("position") is None:
            return None
        return HistoryRecord(
            server=document["source"].get("server", ""),
            position=document["position"],
            ts_ms=document.get("ts_ms", 0),
            database=document.get("databaseName"),
            ddl=document.get("ddl"),
            table_changes=tuple(change_from(c) for c in document.get("tableChanges") or ()),
            mark=Mark(**document["checkpoint"]) if "checkpoint" in document else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DecodeError(f"not a schema history record ({error!r}): {value[:200]!r}") from error


def change_document(change: TableChange) -> dict[str, Any]:
    """A member of `tableChanges` in the history topic. The table's comment stands outside of `table` there."""
    document: dict[str, Any] = {"type": change.kind.value, "id": _quoted(change.id)}
    if change.previous_id is not None:
        document["previousId"] = _quoted(change.previous_id)
    if change.table is not None:
        document["table"] = {
            "defaultCharsetName": change.table.charset,
            "primaryKeyColumnNames": list(change.table.primary_key),
            "columns": [_column_document(column) for column in change.table.columns],
            "attributes": [],
        }
        document["comment"] = change.table.comment
    return document


def change_from(document: Mapping[str, Any]) -> TableChange:
    """The opposite of `change_document`."""
    id = _unquoted(document["id"])
    previous = document.get("previousId")
    kind = Kind(document["type"])
    # Older releases of Debezium (1.9, 2.1) wrote the shape of a dropped table too
    table = None if kind is Kind.DROP else document["table"]
    return TableChange(
        kind,
        id,
        None if table is None else _table_from(id, table, document.get("comment")),
        None if previous is None else _unquoted(previous),
    )


def _column_document(column: Column) -> dict[str, Any]:
    document: dict[str, Any] = {"name": column.name, "jdbcType": column.jdbc_type}
    if column.native_type is not None:
        document["nativeType"] = column.native_type
    document["typeName"] = column.type_name
    document["typeExpression"] = column.type_expression
    document["charsetName"] = column.charset
    if column.length is not None:
        document["length"] = column.length
    if column.scale is not None:
        document["scale"] = column.scale
    document["position"] = column.position
    document["optional"] = column.optional
    document["autoIncremented"] = column.auto_incremented
    document["generated"] = column.generated
    document["comment"] = column.comment
    document["hasDefaultValue"] = column.has_default
    if column.default is not None:
        document["defaultValueExpression"] = column.default
    document["enumValues"] = members(column)
    return document


def _table_from(id: TableId, document: Mapping[str, Any], comment: str | None) -> Table:
    return Table(
        id=id,
        columns=tuple(_column_from(column) for column in document["columns"]),
        primary_key=tuple(document.get("primaryKeyColumnNames") or ()),
        charset=document.get("defaultCharsetName"),
        comment=comment,
    )


def _column_from(document: Mapping[str, Any]) -> Column:
    default = document.get("defaultValueExpression")
    return Column(
        name=document["name"],
        position=document["position"],
        type_name=document["typeName"],
        type_expression=document.get("typeExpression") or document["typeName"],
        jdbc_type=document["jdbcType"],
        native_type=document.get("nativeType"),
        length=document.get("length"),
        scale=document.get("scale"),
        charset=document.get("charsetName"),
        optional=document.get("optional", True),
        auto_incremented=document.get("autoIncremented", False),
        generated=document.get("generated", False),
        comment=document.get("comment"),
        has_default=default is not None or document.get("hasDefaultValue") is True,
        default=default,
        **members_of(document.get("enumValues") or ()),
    )


def _quoted(id: TableId) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in id)


_QUOTED_ID: Final = re.compile(r'"((?:[^"]|"")*)"\."((?:[^"]|"")*)"')


def _unquoted(text: str) -> TableId:
    match = _QUOTED_ID.fullmatch(text)
    if match is None:
        raise ValueError(f'table id {text!r} is not of the form "database"."table"')
    return TableId(match[1].replace('""', '"'), match[2].replace('""', '"'))


_ESCAPES: Final = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a"}


def members(column: Column) -> list[str]:
    """The members of an ENUM or SET as string literals."""
    return list(column.enum_texts) or [quoted_member(value) for value in column.enum_values]


class Members(TypedDict):
    """Two attributes of a column."""

    enum_values: tuple[str, ...]
    enum_texts: tuple[str, ...]


def members_of(texts: Sequence[str]) -> Members:
    """Of string literals, or of a history's `enumValues`, which some versions of Debezium wrote without quotes."""
    values = tuple(map(unquoted_member, texts))
    plain = tuple(map(quoted_member, values))
    return {"enum_values": values, "enum_texts": () if plain == tuple(texts) else tuple(texts)}


_WRITTEN: Final = {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "''"}


def quoted_member(value: str) -> str:
    """A member of an ENUM or SET as SHOW CREATE TABLE writes it."""
    return "'" + re.sub(r"[\0\n\r\\']", lambda match: _WRITTEN[match[0]], value) + "'"


def unquoted_member(text: str) -> str:
    """The value of a MySQL string literal, quotes doubled or escaped by a backslash."""
    quote = text[:1]
    if len(text) < 2 or quote not in "'\"" or not text.endswith(quote):
        return text

    def value(match: re.Match[str]) -> str:
        found = match[0]
        return quote if found[0] == quote else _ESCAPES.get(found[1:], found[1:])

    return re.sub(rf"{quote}{quote}|\\(?s:.)", value, text[1:-1])


# JSON as Debezium's history writes it: Jackson's default pretty printer

_STRING: Final = json.JSONEncoder(ensure_ascii=False).encode


def _text(value: str) -> str:
    """A JSON string; Jackson writes the digits of an escaped control character in upper case."""
    return re.sub(
        r"\\\\|\\u00([01][0-9a-f])",
        lambda match: match[0] if match[1] is None else "\\u00" + match[1].upper(),
        _STRING(value),
    )


def _pretty(value: Any, indent: str) -> str:
    """Members of an object on lines of their own, items of an array on one line, empty ones as `{ }` and `[ ]`."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        inner = indent + "  "
        members = ",\n".join(f"{inner}{_text(name)} : {_pretty(item, inner)}" for name, item in value.items())
        return f"{{\n{members}\n{indent}}}" if members else "{ }"
    if isinstance(value, list):
        return f"[ {', '.join(_pretty(item, indent) for item in value)} ]" if value else "[ ]"
    return json.dumps(value)
