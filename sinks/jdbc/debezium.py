"""The keys of Debezium's JDBC sink connector, and what they tell the sink."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cdc.config import Importance, Layout, Password, at_least, key, parse
from cdc.connector import Raw
from cdc.errors import ConfigError, Problem
from cdc.jdbc_url import ORACLE
from sinks.jdbc.confluent import OFFSETS_DOC, PLACEHOLDER_DOC, zone_problem
from sinks.jdbc.settings import Settings

CONNECTION, CONNECTOR, ADVANCED, FILTERS = "Connection", "Connector", "Connector Advanced", "Filters"
_TABLES = "io.debezium.sink.naming.DefaultCollectionNamingStrategy"
_OLD_TABLES = "io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy"
_COLUMNS = "io.debezium.connector.jdbc.naming.DefaultColumnNamingStrategy"
_SINK_COLUMNS = "io.debezium.sink.naming.DefaultColumnNamingStrategy"
_POOL = "Accepted as Debezium's sink has it; a task has one connection."


@dataclass(frozen=True, kw_only=True)
class DebeziumConfig:
    """What Debezium's JDBC sink reads from its connector config."""

    LAYOUT = Layout(group=CONNECTOR, width="SHORT")

    url: str = key(
        "connection.url", doc="JDBC URL of the database.", importance=Importance.HIGH, group=CONNECTION, width="LONG",
        label="Hostname",
    )  # fmt: skip
    user: str = key(
        "connection.username", doc="User.", importance=Importance.HIGH, group=CONNECTION, label="User",
    )  # fmt: skip
    password: Password | None = key(
        "connection.password", default=None, doc="Its password.", importance=Importance.HIGH, group=CONNECTION,
        label="Password",
    )  # fmt: skip
    pool_min: int = key(
        "connection.pool.min_size", default=5, doc=_POOL, importance=Importance.LOW, group=CONNECTION,
        label="Connection pool minimum size",
    )  # fmt: skip
    pool_max: int = key(
        "connection.pool.max_size", default=32, doc=_POOL, importance=Importance.LOW, group=CONNECTION,
        label="Connection pool maximum size",
    )  # fmt: skip
    pool_increment: int = key(
        "connection.pool.acquire_increment", default=32, doc=_POOL, importance=Importance.LOW, group=CONNECTION,
        label="Connection pool acquire increment",
    )  # fmt: skip
    pool_s: int = key(
        "connection.pool.timeout", default=1800, type="LONG", doc=_POOL, importance=Importance.LOW, group=CONNECTION,
        label="Connection pool timeout",
    )  # fmt: skip
    insert: str = key(
        "insert.mode", default="insert", values=("insert", "upsert", "update"), importance=Importance.LOW,
        label="The insertion mode to use",
        doc="insert: `INSERT`; upsert: insert, or update the row with the same key; update: `UPDATE` by key.",
    )  # fmt: skip
    deletes: bool = key(
        "delete.enabled", default=False, importance=Importance.LOW,
        label="Controls whether records can be deleted by the connector",
        doc="`d` events and records without a value delete the row of their key. Needs primary.key.mode=record_key.",
    )  # fmt: skip
    truncates: bool = key(
        "truncate.enabled", default=False, importance=Importance.LOW,
        label="Controls whether tables can be truncated by the connector", doc="`t` events empty the table.",
    )  # fmt: skip
    table: str = key(
        "collection.name.format", default="${topic}", aliases=("table.name.format",), width="MEDIUM",
        label="A format string for the collection name",
        doc="The table: `${topic}` is the topic with `_` for dots, `${source.table}` and the like fields of the "
        "envelope's `source`.",
    )  # fmt: skip
    keys: str = key(
        "primary.key.mode", default="none", values=("none", "kafka", "record_key", "record_value", "record_header"),
        importance=Importance.HIGH, label="Primary key mode",
        doc="Where the primary key comes from: nowhere, topic, partition and offset, its key, value or headers.",
    )  # fmt: skip
    key_fields: tuple[str, ...] = key(
        "primary.key.fields", default=(), type="LIST", importance=Importance.LOW, width="MEDIUM",
        label="Comma-separated list of primary key field names",
        doc="Names of the key's fields; all when empty. The name of the column for a primitive key.",
    )  # fmt: skip
    evolution: str = key(
        "schema.evolution", default="none", values=("none", "basic"), importance=Importance.LOW,
        label="Controls how schema evolution is handled by the sink connector",
        doc="basic: tables that are missing are created, columns that are missing are added.",
    )  # fmt: skip
    quoted: bool = key(
        "quote.identifiers", default=False, importance=Importance.LOW,
        label="Controls whether table, column, or other identifiers are quoted",
        doc="false: columns are in lower case (Oracle: upper case), on PostgreSQL tables too.",
    )  # fmt: skip
    tables_by: str = key(
        "collection.naming.strategy", default=_TABLES, type="CLASS", aliases=("table.naming.strategy",), width="LONG",
        importance=Importance.LOW, group=ADVANCED, values=(_TABLES, _OLD_TABLES),
        label="CollectionNamingStrategy class", doc="Only Debezium's own: no Java runs here.",
    )  # fmt: skip
    columns_by: str = key(
        "column.naming.strategy", default=_COLUMNS, type="CLASS", width="LONG", importance=Importance.LOW,
        group=ADVANCED, values=(_COLUMNS, _SINK_COLUMNS),
        label="Name of the strategy class that implements the ColumnNamingStrategy interface",
        doc="Only Debezium's own: no Java runs here.",
    )  # fmt: skip
    table_format: str = key(
        "collection.table.format", default="${table}", width="LONG", label="Format string using table name",
        doc="Accepted as Debezium's sink has it, which does not use it either; collection.name.format names the table.",
    )  # fmt: skip
    zone: str = key(
        "use.time.zone", default="UTC", aliases=("database.time_zone",), check=zone_problem,
        label="The timezone used when inserting temporal values.",
        doc="Time zone in which instants are written into columns that have none.",
    )  # fmt: skip
    postgis: str = key(
        "dialect.postgres.postgis.schema", default="public", width="LONG", importance=Importance.LOW, group=ADVANCED,
        label="Name of the schema where postgis extension is installed", doc="Where PostGIS has its types.",
    )  # fmt: skip
    unnest: bool = key(
        "dialect.postgres.unnest.insert.enabled", default=False, group=ADVANCED,
        label="Enable UNNEST-based batch inserts for PostgreSQL",
        doc="Accepted as Debezium's sink has it; rows go to PostgreSQL by COPY, which is faster.",
    )  # fmt: skip
    identity: bool = key(
        "dialect.sqlserver.identity.insert", default=False, importance=Importance.LOW, group=ADVANCED,
        label="Allowing to insert explicit value for identity column in table for SQLSERVER.",
        doc="Accepted as Debezium's sink has it; without effect: SQL Server's identity columns take no values.",
    )  # fmt: skip
    batch_size: int = key(
        "batch.size", default=500, check=at_least(1), group=ADVANCED,
        label="Specifies how many records to attempt to batch together into the destination table, when possible.",
        doc="Most rows of one statement. All that one read of the log gave is one transaction.",
    )  # fmt: skip
    reduction: bool = key(
        "use.reduction.buffer", default=False, label="Specifies whether to use the reduction buffer.", internal=True,
        doc="Accepted as Debezium's sink has it; the last state of each key is what upserts and updates write.",
    )  # fmt: skip
    include: tuple[str, ...] = key(
        "field.include.list", default=(), type="LIST", width="LONG", group=FILTERS, label="Include Fields",
        doc="Fields that are written, `topic:field` or `field`.",
    )  # fmt: skip
    exclude: tuple[str, ...] = key(
        "field.exclude.list", default=(), type="LIST", width="LONG", group=FILTERS, label="Exclude Fields",
        doc="Fields that are left out, `topic:field` or `field`.",
    )  # fmt: skip
    flush_retries: int = key(
        "flush.max.retries", default=5, importance=Importance.LOW, group=ADVANCED, label="Max retry count",
        doc="Accepted as Debezium's sink has it. A database that is away, full or read-only is waited for.",
    )  # fmt: skip
    flush_ms: int = key(
        "flush.retry.delay.ms", default=1000, type="LONG", importance=Importance.LOW, group=ADVANCED,
        label="Delay to retry flush", doc="Accepted as Debezium's sink has it; the worker's back-off is used.",
    )  # fmt: skip
    restart: bool = key(
        "connection.restart.on.errors", default=False, importance=Importance.LOW, group=ADVANCED,
        label="Restart connection on errors",
        doc="Accepted as Debezium's sink has it; a lost connection is always opened again and the rows are repeated.",
    )  # fmt: skip
    events: str = key(
        "cloud.events.schema.name.pattern", default=r".*CloudEvents\.Envelope$", width="LONG",
        importance=Importance.LOW, group=ADVANCED, label="CloudEvents messages schema name pattern",
        doc="Accepted as Debezium's sink has it; CloudEvents are not unpacked in this version.",
    )  # fmt: skip
    placeholder: str = key(
        "unavailable.value.placeholder", default="__debezium_unavailable_value", doc=PLACEHOLDER_DOC, group="Tailrace",
        internal=True,
    )  # fmt: skip
    offsets_table: str = key(
        "tailrace.offsets.table", default="", doc=OFFSETS_DOC, group="Tailrace", internal=True
    )  # fmt: skip


def settings(raw: Raw, database: str) -> tuple[DebeziumConfig, Settings]:
    """`database`: the kind that the URL names. Raises: ConfigError."""
    config = parse(DebeziumConfig, raw)
    problems = []
    if config.insert == "upsert" and config.keys == "none":
        problems.append(Problem("insert.mode", "When using UPSERT, please define 'primary.key.mode': record_key, "
                                               "record_value or record_header"))  # fmt: skip
    if config.deletes and config.keys != "record_key":
        problems.append(Problem("delete.enabled", "When 'delete.enabled' is set to 'true', the 'primary.key.mode' "
                                                  "option must be set to 'record_key'."))  # fmt: skip
    if config.include and config.exclude:
        problems.append(Problem("field.exclude.list", "Cannot define both field.exclude.list and field.include.list. "
                                                      "Please specify only one."))  # fmt: skip
    if config.keys == "kafka" and config.key_fields:
        problems.append(Problem("primary.key.fields", "primary.key.mode=kafka has its own three columns: remove "
                                                      "primary.key.fields"))  # fmt: skip
    if problems:
        raise ConfigError(problems)
    evolves = config.evolution == "basic"
    quoted = config.quoted or database != ORACLE
    return config, Settings(
        connector=raw.get("name", "jdbc-sink"), insert=config.insert, keys=config.keys, key_fields=config.key_fields,
        deletes=config.deletes, truncates=config.truncates, create=evolves, evolve=evolves, table=config.table,
        dots=False, quoted=quoted, folded=not config.quoted and quoted, include=config.include, exclude=config.exclude,
        hibernate=True, defaults=False, lenient=True, batch_size=config.batch_size, zone=ZoneInfo(config.zone),
        postgis=config.postgis, placeholder=config.placeholder, offsets_table=config.offsets_table,
    )  # fmt: skip
