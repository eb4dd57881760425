"""What a MySQL or MariaDB server says of its tables, and the comparison of ours with it.

Names, order, types, sizes, members, nullability and keys are compared; on demand too the values of defaults, with
those of the server's own SHOW CREATE TABLE, and the character sets that statements give to columns. What Debezium
reads in its own way is left out of that: a character set that a column takes from its table (a COLLATE alone, or an
ALTER TABLE … DEFAULT CHARSET, gives none there), LOCALTIMESTAMP and numbers as the default of a TIME, text as that of
a BIT, the zeros that fill a BINARY's default up, and the default of bytes as MariaDB shows it, `x'31'`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdc.mysql.column_default import default_value
from cdc.mysql.ddl import Catalog, Unparseable
from cdc.mysql.schema_change import quoted_member
from cdc.mysql.type_family import Family, TypeOptions, family
from cdc.table import Column, Table, TableId

# information_schema's DATA_TYPE of our type names, where it is not the first word in lower case
TYPES = {
    "INTEGER": "int", "INT1": "tinyint", "INT2": "smallint", "INT3": "mediumint", "INT4": "int", "INT8": "bigint",
    "MIDDLEINT": "mediumint", "BOOL": "tinyint", "BOOLEAN": "tinyint", "DEC": "decimal", "FIXED": "decimal",
    "NUMERIC": "decimal", "REAL": "double", "FLOAT4": "float", "FLOAT8": "double", "CHARACTER": "char",
    "CHARACTER VARYING": "varchar", "CHAR VARYING": "varchar", "NCHAR": "char", "NVARCHAR": "varchar",
    "NCHAR VARCHAR": "varchar", "NATIONAL CHAR": "char", "NATIONAL CHARACTER": "char", "NATIONAL VARCHAR": "varchar",
    "NATIONAL CHAR VARYING": "varchar", "NATIONAL CHARACTER VARYING": "varchar", "LONG": "mediumtext",
    "LONG VARCHAR": "mediumtext", "LONG VARBINARY": "mediumblob", "GEOMETRYCOLLECTION": "geomcollection",
}  # fmt: skip
SIGNS = ("SIGNED", "UNSIGNED", "ZEROFILL")


def ours(column: Column, *, mariadb: bool = False) -> dict[str, Any]:
    """A column of ours in information_schema's words."""
    words = column.type_name.split()
    name = " ".join(word for word in words if word not in (*SIGNS, "PRECISION", "BINARY") or word == words[0])
    kind = TYPES.get(name, name.lower()) if not mariadb or name != "GEOMETRYCOLLECTION" else name.lower()
    shape: dict[str, Any] = {"name": column.name, "position": column.position, "type": kind, "null": column.optional}
    shape["unsigned"] = "UNSIGNED" in words or "ZEROFILL" in words or column.type_name == "BIGINT UNSIGNED"
    if kind in ("char", "varchar", "binary", "varbinary"):
        shape["length"] = 1 if column.length is None else column.length
    elif kind in ("decimal", "bit"):
        shape["length"], shape["scale"] = column.length, column.scale
    elif kind in ("time", "datetime", "timestamp"):
        shape["length"] = column.length or 0
    elif kind in ("enum", "set"):
        shape["members"] = f"{kind}({','.join(map(quoted_member, column.enum_values))})"
    elif kind == "vector":
        shape["length"] = column.length
    elif name in ("BOOL", "BOOLEAN") or (kind == "tinyint" and column.length == 1):
        shape["members"] = "tinyint(1)"
    return shape


def theirs(row: dict[str, Any]) -> dict[str, Any]:
    """The same from a row of information_schema.columns."""
    kind, whole = row["DATA_TYPE"], row["COLUMN_TYPE"]
    shape = {"name": row["COLUMN_NAME"], "position": row["ORDINAL_POSITION"], "type": kind}
    shape |= {
        "null": row["IS_NULLABLE"] == "YES",
        "unsigned": "unsigned" in whole,
    }
    if kind in ("char", "varchar", "binary", "varbinary"):
        shape["length"] = row["CHARACTER_MAXIMUM_LENGTH"]
    elif kind in ("decimal", "bit"):
        shape["length"], shape["scale"] = row["NUMERIC_PRECISION"], row["NUMERIC_SCALE"]
    elif kind in ("time", "datetime", "timestamp"):
        shape["length"] = row["DATETIME_PRECISION"]
    elif kind in ("enum", "set"):
        shape["members"] = whole
    elif kind == "vector":
        shape["length"] = int(whole[7:-1])
    elif whole == "tinyint(1)":
        shape["members"] = whole
    return shape


class Server:
    """What the server says of the test's database."""

    def __init__(self, connection: Any, database: str) -> None:
        self._connection, self._database = connection, database
        self._log: tuple[str, int] | None = None
        self.checked: dict[TableId, Table] = {}
        """What defaults and character sets were compared with last."""
        self.is_mariadb = "MariaDB" in self.rows("SELECT VERSION() v")[0]["V"]

    def run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            names = [item[0].upper() for item in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def columns(self) -> dict[str, list[dict[str, Any]]]:
        """Of every table."""
        sql = (
            "SELECT c.* FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE table_schema=%s AND table_type='BASE TABLE' ORDER BY table_name, ordinal_position"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows(sql, self._database):
            found.setdefault(row["TABLE_NAME"], []).append(row)
        return found

    def keys(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Unique indexes on columns of every table, by name."""
        sql = (
            "SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema=%s "
            "AND non_unique=0 ORDER BY table_name, index_name, seq_in_index"
        )
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for row in self.rows(sql, self._database):
            of_table = found.setdefault(row["TABLE_NAME"], {})
            of_table[row["INDEX_NAME"]] = (*of_table.get(row["INDEX_NAME"], ()), row["COLUMN_NAME"])
        return found

    def logged(self) -> list[str]:
        """The DDL that the log got since the last call, each as `USE` would have it: with its default database."""
        place = "SHOW MASTER STATUS" if self.is_mariadb else "SHOW BINARY LOG STATUS"
        if self._log is None:
            status = self.rows(place)[0]
            self._log = (status["FILE"], status["POSITION"])
            return []
        file, position = self._log
        events = self.rows(f"SHOW BINLOG EVENTS IN '{file}' FROM {position}")
        if events:
            self._log = (file, events[-1]["END_LOG_POS"])
        prefix = f"use `{self._database}`; "
        return [e["INFO"].removeprefix(prefix) for e in events if e["INFO"].startswith(prefix)]

    def create_table(self, name: str) -> str:
        quoted = name.replace("`", "``")
        return str(self.rows(f"SHOW CREATE TABLE `{quoted}`")[0]["CREATE TABLE"])


def _defaults(table: Table, *, mariadb: bool) -> dict[str, Any]:
    """By column the value that the schema of an event would tell; `...` stands for one that is not compared."""
    told: dict[str, Any] = {}
    for column in table.columns:
        kind, text = family(column), column.default or ""
        own = kind is Family.BIT or (kind is Family.TIME and ":" not in text) or text.upper().startswith("LOCALTIME")
        value = ... if own or (mariadb and kind is Family.BINARY) else default_value(column, TypeOptions())
        told[column.name] = value.replace(b"\\0", b"") if isinstance(value, bytes) else value
    return told


def _check_defaults(server: Server, table: Table, told: str) -> None:
    shown = Catalog()
    shown.execute(server.create_table(table.id.name), table.id.database, refused)
    ours = _defaults(table, mariadb=server.is_mariadb)
    theirs = _defaults(shown.tables[table.id], mariadb=server.is_mariadb)
    left_out = {name for each in (ours, theirs) for name, value in each.items() if value is ...}
    assert {**ours, **dict.fromkeys(left_out)} == {**theirs, **dict.fromkeys(left_out)}, told


def _check_charsets(table: Table, rows: list[dict[str, Any]], told: str) -> None:
    for column, row in zip(table.columns, rows, strict=True):
        if column.charset is not None and column.charset != table.charset:
            assert _charset(column.charset) == _charset(row["CHARACTER_SET_NAME"]), (told, column)


def _charset(name: str) -> str:
    return name.strip("'\"").lower().replace("utf8mb3", "utf8")


def check(
    server: Server, tables: Mapping[TableId, Table], told: str = "", *, defaults: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Compares all tables, their columns and keys. `told`: what to say of a difference. Returns: `server.columns()`."""
    columns, keys = server.columns(), server.keys()
    assert sorted(id.name for id in tables) == sorted(columns), told
    for id, table in tables.items():
        rows = columns[id.name]
        mine = [ours(column, mariadb=server.is_mariadb) for column in table.columns]
        found = [theirs(row) for row in rows]
        for shape in (*mine, *found):  # CONVERT TO widens them, which Debezium does not say
            shape["type"] = "text" if shape["type"].endswith("text") else shape["type"]
        for shape, said in zip(mine, found, strict=False):
            shape["null"] &= said["null"]  # Debezium takes a key's column for nullable once it is redefined so
        assert mine == found, told
        if "PRIMARY" in keys.get(id.name, {}):
            assert table.primary_key == keys[id.name]["PRIMARY"], told
        if defaults and server.checked.get(id) is not table:
            server.checked[id] = table
            _check_charsets(table, rows, told)
            _check_defaults(server, table, told)
    return columns


def refused(error: Unparseable) -> None:
    raise AssertionError(error)
