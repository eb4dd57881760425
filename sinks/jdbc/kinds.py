"""What a field means (its kind), from its schema; and the column type of a kind in each database.

Confluent's types where its sink has any, Debezium's (Hibernate's) for Debezium's sink. Sources: Confluent
kafka-connect-jdbc's dialects; Debezium 3.5 JDBC sink's dialects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type

_TIME, _DATA = "io.debezium.time.", "io.debezium.data."
_NAMED: Final[Mapping[str, str]] = {
    DECIMAL: "decimal", DATE: "date", TIME: "time", TIMESTAMP: "timestamp",
    _TIME + "Date": "debezium date",
    _TIME + "Time": "time 3", _TIME + "MicroTime": "time 6", _TIME + "NanoTime": "time 9",
    _TIME + "Timestamp": "moment 3", _TIME + "MicroTimestamp": "moment 6", _TIME + "NanoTimestamp": "moment 9",
    _TIME + "ZonedTimestamp": "zoned moment", _TIME + "ZonedTime": "zoned time",
    _TIME + "Year": "year", _TIME + "Interval": "interval", _TIME + "MicroDuration": "duration",
    _DATA + "Bits": "bits", _DATA + "Json": "json", _DATA + "Xml": "xml", _DATA + "Uuid": "uuid",
    _DATA + "Enum": "enum", _DATA + "EnumSet": "set", _DATA + "Ltree": "ltree", _DATA + "Tsvector": "tsvector",
    _DATA + "geometry.Point": "point", _DATA + "geometry.Geometry": "geometry",
    _DATA + "geometry.Geography": "geography", _DATA + "VariableScaleDecimal": "variable scale",
    _DATA + "FloatVector": "vector", _DATA + "DoubleVector": "vector", _DATA + "SparseDoubleVector": "sparse vector",
}  # fmt: skip


def kind(schema: Schema) -> str:
    """Of a logical type its own, else of its Connect type (`int32`, `string`, `array`, `struct` …)."""
    return _NAMED.get(schema.name or "", schema.type.value)


class _Types(NamedTuple):
    mysql: str
    postgresql: str
    sqlserver: str
    oracle: str
    sqlite: str


_CONFLUENT: Final[Mapping[str, _Types]] = {
    "int8": _Types("TINYINT", "SMALLINT", "tinyint", "NUMBER(3,0)", "INTEGER"),
    "int16": _Types("SMALLINT", "SMALLINT", "smallint", "NUMBER(5,0)", "INTEGER"),
    "int32": _Types("INT", "INT", "int", "NUMBER(10,0)", "INTEGER"),
    "int64": _Types("BIGINT", "BIGINT", "bigint", "NUMBER(19,0)", "INTEGER"),
    "float": _Types("FLOAT", "REAL", "real", "BINARY_FLOAT", "REAL"),
    "double": _Types("DOUBLE", "DOUBLE PRECISION", "float", "BINARY_DOUBLE", "REAL"),
    "boolean": _Types("TINYINT", "BOOLEAN", "bit", "NUMBER(1,0)", "INTEGER"),
    "string": _Types("TEXT", "TEXT", "varchar(max)", "VARCHAR2(4000)", "TEXT"),
    "bytes": _Types("VARBINARY(1024)", "BYTEA", "varbinary(max)", "BLOB", "BLOB"),
    "decimal": _Types("DECIMAL(65,{scale})", "DECIMAL", "decimal(38,{scale})", "NUMBER(*,{scale})", "NUMERIC"),
    "date": _Types("DATE", "DATE", "date", "DATE", "NUMERIC"),
    "time": _Types("TIME(3)", "TIME", "time", "DATE", "NUMERIC"),
    "timestamp": _Types("DATETIME(3)", "TIMESTAMP", "datetime2", "TIMESTAMP", "NUMERIC"),
    "instant": _Types("DATETIME(6)", "TIMESTAMP", "datetime2", "TIMESTAMP({digits})", "NUMERIC"),
    "debezium date": _Types("DATE", "DATE", "date", "DATE", "TEXT"),
    "time 3": _Types("TIME(3)", "TIME", "time(3)", "VARCHAR2(32)", "TEXT"),
    "time 6": _Types("TIME(6)", "TIME", "time(6)", "VARCHAR2(32)", "TEXT"),
    "time 9": _Types("TIME(6)", "TIME", "time(7)", "VARCHAR2(32)", "TEXT"),
    "moment 3": _Types("DATETIME(3)", "TIMESTAMP", "datetime2(3)", "TIMESTAMP(3)", "TEXT"),
    "moment 6": _Types("DATETIME(6)", "TIMESTAMP", "datetime2(6)", "TIMESTAMP(6)", "TEXT"),
    "moment 9": _Types("DATETIME(6)", "TIMESTAMP", "datetime2(7)", "TIMESTAMP(9)", "TEXT"),
    "zoned moment": _Types("DATETIME(6)", "TIMESTAMPTZ", "datetimeoffset", "TIMESTAMP(6) WITH TIME ZONE", "TEXT"),
    "zoned time": _Types("TIME(6)", "TIMETZ", "varchar(32)", "VARCHAR2(32)", "TEXT"),
    "year": _Types("SMALLINT", "INT", "int", "NUMBER(10,0)", "INTEGER"),
    "interval": _Types("VARCHAR(64)", "INTERVAL", "varchar(64)", "VARCHAR2(64)", "TEXT"),
    "duration": _Types("BIGINT", "INTERVAL", "bigint", "NUMBER(19,0)", "INTEGER"),
    "bits": _Types("BIT({length})", "BIT({length})", "varbinary(max)", "BLOB", "BLOB"),
    "varying bits": _Types("LONGBLOB", "BIT VARYING", "varbinary(max)", "BLOB", "BLOB"),
    "json": _Types("JSON", "JSON", "nvarchar(max)", "CLOB", "TEXT"),
    "xml": _Types("LONGTEXT", "XML", "xml", "CLOB", "TEXT"),
    "uuid": _Types("CHAR(36)", "UUID", "uniqueidentifier", "VARCHAR2(36)", "TEXT"),
    "enum": _Types("VARCHAR(255)", "TEXT", "varchar(255)", "VARCHAR2(255)", "TEXT"),
    "set": _Types("TEXT", "TEXT", "varchar(max)", "VARCHAR2(4000)", "TEXT"),
    "ltree": _Types("TEXT", "TEXT", "varchar(max)", "VARCHAR2(4000)", "TEXT"),
    "tsvector": _Types("LONGTEXT", "TSVECTOR", "varchar(max)", "CLOB", "TEXT"),
    "geometry": _Types("GEOMETRY", "BYTEA", "varbinary(max)", "BLOB", "BLOB"),
    "postgis": _Types("GEOMETRY", "{postgis}.geometry", "varbinary(max)", "BLOB", "BLOB"),
    "variable scale": _Types("DECIMAL(65,30)", "NUMERIC", "decimal(38,10)", "NUMBER", "NUMERIC"),
    "vector": _Types("JSON", "{element}[]", "nvarchar(max)", "CLOB", "TEXT"),
    "sparse vector": _Types("JSON", "JSON", "nvarchar(max)", "CLOB", "TEXT"),
    "array": _Types("JSON", "{element}[]", "nvarchar(max)", "CLOB", "TEXT"),
    "map": _Types("JSON", "JSON", "nvarchar(max)", "CLOB", "TEXT"),
}

_HIBERNATE: Final[Mapping[str, Mapping[str, str]]] = {
    "mysql": {
        "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float",
        "double": "double", "boolean": "boolean", "string": "longtext", "bytes": "longblob",
        "decimal": "decimal({precision},{scale})", "date": "date", "time": "time(6)", "timestamp": "datetime(6)",
        "time 3": "time(6)", "time 6": "time(6)", "time 9": "time(6)", "moment 3": "datetime(6)",
        "moment 6": "datetime(6)", "moment 9": "datetime(6)", "zoned moment": "timestamp(6)",
        "zoned time": "time(6)", "year": "year", "json": "json", "enum": "enum({members})", "set": "set({members})",
        "uuid": "longtext", "xml": "longtext", "ltree": "longtext", "variable scale": "double",
        "interval": "longtext", "geometry": "geometry",
    },
    "postgresql": {
        "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint", "float": "real",
        "double": "double precision", "boolean": "boolean", "string": "text", "bytes": "bytea",
        "decimal": "numeric({precision},{scale})", "date": "date", "time": "time(6)", "timestamp": "timestamp(6)",
        "time 3": "time(6)", "time 6": "time(6)", "time 9": "time(6)", "moment 3": "timestamp(6)",
        "moment 6": "timestamp(6)", "moment 9": "timestamp(6)", "zoned moment": "timestamp(6) with time zone",
        "zoned time": "time(6) with time zone", "year": "integer", "json": "json", "uuid": "uuid", "xml": "xml",
        "variable scale": "numeric", "interval": "interval", "duration": "interval",
    },
    "sqlserver": {"string": "varchar(max)", "variable scale": "float", "decimal": "decimal({precision},{scale})"},
    "oracle": {"string": "CLOB", "variable scale": "NUMBER", "decimal": "NUMBER({precision},{scale})"},
    "sqlite": {"date": "TEXT", "time": "TEXT", "timestamp": "TEXT"},
}  # fmt: skip
_PRECISION: Final = {"mysql": 65, "postgresql": 1000, "sqlserver": 38, "oracle": 38, "sqlite": 38}
_MOST_SCALE: Final = {"mysql": 30, "sqlserver": 38, "oracle": 127}
_TEXTS: Final = frozenset({"string", "enum", "set", "ltree", "uuid", "xml", "tsvector"})
_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "mysql": ("VARCHAR({size})", "VARBINARY({size})"),
    "sqlserver": ("varchar({size})", "varbinary({size})"),
    "oracle": ("VARCHAR2({size})", "RAW({size})"),
}
"""Types of text and bytes that may be keys, where the ordinary one may not."""
_KEY_SIZES: Final = {"mysql": 767, "sqlserver": 900, "oracle": 1000}
_LARGEST_KEY: Final = 255


class Extensions(NamedTuple):
    """Types that the target has besides its own: the quoted schema of PostGIS, whether there is pgvector."""

    postgis: str = ""
    pgvector: bool = False


class NoColumnType(Exception):
    """A field that no column can hold; says which."""


def column_type(
    schema: Schema, database: str, *, hibernate: bool, extensions: Extensions, digits: int = 6, instant: bool = False
) -> str:
    """Raises: NoColumnType."""
    wanted = "instant" if instant else kind(schema)
    if wanted == "vector" and extensions.pgvector:
        return "vector"
    if wanted in ("geometry", "geography", "point"):
        if wanted == "point" and database == "postgresql" and not extensions.postgis:
            return "POINT"
        wanted = "postgis" if extensions.postgis else "geometry"
    length = int(schema.parameter("length") or 0)
    if wanted == "bits" and (not length or length == 2**31 - 1 or length > (64 if database == "mysql" else 2**20)):
        wanted = "varying bits"
    pattern = (_HIBERNATE[database].get(wanted) if hibernate else None) or (
        getattr(_CONFLUENT[wanted], database) if wanted in _CONFLUENT else None
    )
    if pattern is None:
        raise NoColumnType(
            f"{schema.name or schema.type.name} ({schema.type.name}) type doesn't have a mapping to the SQL database "
            "column type: take its members apart with the transform org.apache.kafka.connect.transforms.Flatten$Value"
        )
    if "{element}" in pattern and schema.items is not None:
        element = column_type(schema.items, database, hibernate=hibernate, extensions=extensions)
        return f"{element}[]" if not element.endswith("[]") else element
    precision = int(schema.parameter("connect.decimal.precision") or 0)
    scale = min(max(schema.scale, 0), _MOST_SCALE.get(database, schema.scale)) if schema.name == DECIMAL else 0
    return pattern.format(
        scale=scale, precision=min(precision or _PRECISION[database], _PRECISION[database]), length=length,
        digits=digits, postgis=extensions.postgis, members=_members(schema),
    )  # fmt: skip


def key_type(schema: Schema, database: str, count: int, ordinary: str) -> str:
    """The type of one of `count` key columns of text or bytes, which some databases limit; else `ordinary`."""
    if database not in _KEYS:
        return ordinary
    size = min(_LARGEST_KEY, _KEY_SIZES[database] // count) if database == "mysql" else _KEY_SIZES[database] // count
    text, raw = _KEYS[database]
    meaning = kind(schema)
    if meaning in _TEXTS and not ordinary.lower().startswith(("varchar(255", "char(", "enum(")):
        return text.format(size=size)
    if schema.type is Type.BYTES and meaning == "bytes":
        return raw.format(size=size)
    return ordinary


def _members(schema: Schema) -> str:
    """Of an enumeration, as a list of SQL texts; a comma in one is written as `\\,`."""
    parts = (schema.parameter("allowed") or "").replace("\\,", "\0").split(",")
    return ",".join("'" + part.replace("\0", ",").replace("'", "''") + "'" for part in parts)
