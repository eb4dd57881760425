"""The keys of Confluent's JDBC sink connector, and what they tell the sink."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cdc.config import Importance, Password, at_least, key, parse
from cdc.connector import Raw
from cdc.dialect import KNOWN_AS
from cdc.errors import ConfigError, Problem
from sinks.jdbc.settings import Settings

CONNECTION, WRITES, MAPPING = "Connection", "Writes", "Data Mapping"
DDL, RETRIES, OWN = "DDL Support", "Retries", "Tailrace"
OFFSETS_DOC = (
    "Exactly once: a table in the target, created when it is missing, that keeps the offset of the last record written "
    "of each partition, in the rows' own transaction; records up to it are passed over when they come again. Delete "
    "the connector's rows of it to write records once more. Empty: offsets are the log's alone, and after a crash "
    "records come again."
)
PLACEHOLDER_DOC = (
    "The source's `unavailable.value.placeholder`: a column is left as it is where a change has this for its value."
)


def zone_problem(value: str) -> str | None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "Invalid time zone identifier: write it as UTC or Europe/Vienna"
    return None


@dataclass(frozen=True, kw_only=True)
class ConfluentConfig:
    """What Confluent's JDBC sink reads from its connector config."""

    url: str = key(
        "connection.url", doc="JDBC URL of the database, `jdbc:postgresql://host:5432/database`.",
        importance=Importance.HIGH, group=CONNECTION,
    )  # fmt: skip
    user: str | None = key("connection.user", default=None, doc="User.", importance=Importance.HIGH, group=CONNECTION)
    password: Password | None = key(
        "connection.password", default=None, doc="Its password.", importance=Importance.HIGH, group=CONNECTION
    )
    dialect: str = key(
        "dialect.name", default="", values=("", *KNOWN_AS), importance=Importance.LOW, group=CONNECTION,
        doc="Empty: as the URL says.",
    )  # fmt: skip
    attempts: int = key(
        "connection.attempts", default=3, check=at_least(1), importance=Importance.LOW, group=CONNECTION,
        doc="Accepted as Confluent's sink has it. A database that is away is waited for until it answers.",
    )  # fmt: skip
    attempts_ms: int = key(
        "connection.backoff.ms", default=10000, type="LONG", importance=Importance.LOW, group=CONNECTION,
        doc="Accepted as Confluent's sink has it; the worker's back-off is used.",
    )  # fmt: skip
    insert: str = key(
        "insert.mode", default="insert", values=("insert", "upsert", "update"), importance=Importance.HIGH,
        group=WRITES, doc="insert: `INSERT`; upsert: insert, or update the row with the same key; update: `UPDATE` by "
        "key, rows that are not there are passed over.",
    )  # fmt: skip
    batch_size: int = key(
        "batch.size", default=3000, check=at_least(0), group=WRITES,
        doc="Most rows of one statement. All that one read of the log gave is one transaction.",
    )  # fmt: skip
    deletes: bool = key(
        "delete.enabled", default=False, group=WRITES,
        doc="A record without a value, or a Debezium `d` event, deletes the row of its key; a Debezium `t` event "
        "empties the table. Needs pk.mode=record_key.",
    )  # fmt: skip
    table_types: tuple[str, ...] = key(
        "table.types", default=("TABLE",), importance=Importance.LOW, group=WRITES,
        doc="Accepted as Confluent's sink has it: `TABLE`, `VIEW`, `PARTITIONED TABLE`. Any of them is written to.",
    )  # fmt: skip
    table: str = key(
        "table.name.format", default="${topic}", group=MAPPING,
        doc="The table: `${topic}` is the topic; `${source.table}` and other fields of a Debezium envelope's `source` "
        "too. A dot separates schema and table; of three parts the first, a catalog, is left out but on SQL Server.",
    )  # fmt: skip
    keys: str = key(
        "pk.mode", default="none", values=("none", "kafka", "record_key", "record_value"),
        importance=Importance.HIGH, group=MAPPING,
        doc="Where the primary key comes from: nowhere, the record's topic, partition and offset, its key, its value.",
    )  # fmt: skip
    key_fields: tuple[str, ...] = key(
        "pk.fields", default=(), group=MAPPING,
        doc="Names of the key's columns. kafka: three, `__connect_topic,__connect_partition,__connect_offset` when "
        "empty; record_key: one for a primitive key, else fields of the key, all when empty; record_value: fields of "
        "the value, all when empty.",
    )  # fmt: skip
    include: tuple[str, ...] = key(
        "fields.whitelist", default=(), group=MAPPING, doc="Fields of the value that are written; all when empty."
    )
    zone: str = key(
        "db.timezone", default="UTC", check=zone_problem, group=MAPPING,
        doc="Time zone in which instants are written into columns that have none.",
    )  # fmt: skip
    date_zone: str = key(
        "date.timezone", default="DB_TIMEZONE", values=("DB_TIMEZONE", "UTC"), group=MAPPING,
        doc="Accepted as Confluent's sink has it; a date is the same day in any zone.",
    )  # fmt: skip
    calendar: str = key(
        "date.calendar.system", default="LEGACY", values=("LEGACY", "PROLEPTIC_GREGORIAN"), group=MAPPING,
        doc="Accepted as Confluent's sink has it; dates are of the Gregorian calendar.",
    )  # fmt: skip
    timestamp_fields: tuple[str, ...] = key(
        "timestamp.fields.list", default=(), group=MAPPING,
        doc="Fields of integers (or text) that are instants and get a column for one.",
    )  # fmt: skip
    timestamp_precision: str = key(
        "timestamp.precision.mode", default="MICROSECONDS", values=("MICROSECONDS", "NANOSECONDS"), group=MAPPING,
        doc="What the integers of timestamp.fields.list count.",
    )  # fmt: skip
    defaults: bool = key(
        "replace.null.with.default", default=True, group=MAPPING,
        doc="A null of a field with a default is written as the default.",
    )  # fmt: skip
    string_column: str = key(
        "string.output.value.column.name", default="record_value", group=MAPPING,
        doc="The column of records whose value is a text.",
    )  # fmt: skip
    create: bool = key(
        "auto.create", default=False, group=DDL, doc="Create tables that are missing, as the record's schema has them."
    )
    evolve: bool = key(
        "auto.evolve", default=False, group=DDL,
        doc="Add columns that are missing; for fields that are optional or have a default.",
    )  # fmt: skip
    quoting: str = key(
        "quote.sql.identifiers", default="ALWAYS", values=("ALWAYS", "NEVER"), group=DDL,
        doc="Whether names stand in quotes in statements; without, the database decides about their case.",
    )  # fmt: skip
    holdlock: bool = key(
        "mssql.use.merge.holdlock", default=True, importance=Importance.LOW, group=WRITES,
        doc="SQL Server: upserts lock the range of their key.",
    )  # fmt: skip
    max_retries: int = key(
        "max.retries", default=10, check=at_least(0), group=RETRIES,
        doc="Accepted as Confluent's sink has it. A database that is away, full or read-only is waited for; a row that "
        "it refuses is not tried again.",
    )  # fmt: skip
    retry_ms: int = key(
        "retry.backoff.ms", default=3000, check=at_least(0), group=RETRIES,
        doc="Accepted as Confluent's sink has it; the worker's back-off is used.",
    )  # fmt: skip
    trim_log: bool = key(
        "trim.sensitive.log", default=False, importance=Importance.LOW, group=RETRIES,
        doc="Accepted as Confluent's sink has it; values of rows are never logged.",
    )  # fmt: skip
    placeholder: str = key(
        "unavailable.value.placeholder", default="__debezium_unavailable_value", doc=PLACEHOLDER_DOC, group=OWN,
        internal=True,
    )  # fmt: skip
    offsets_table: str = key(
        "tailrace.offsets.table", default="", doc=OFFSETS_DOC, group=OWN, internal=True
    )  # fmt: skip


def settings(raw: Raw) -> tuple[ConfluentConfig, Settings]:
    """Raises: ConfigError."""
    config = parse(ConfluentConfig, raw)
    problems = []
    if config.deletes and config.keys != "record_key":
        problems.append(Problem("delete.enabled", "Primary key mode must be 'record_key' when delete support is "
                                                  "enabled: set pk.mode=record_key"))  # fmt: skip
    if config.insert != "insert" and config.keys == "none":
        problems.append(
            Problem("pk.mode", f"insert.mode={config.insert} needs a key: set pk.mode to record_key or record_value")
        )
    if config.keys == "kafka" and len(config.key_fields) not in (0, 3):
        problems.append(Problem("pk.fields", f"PK column names should be provided for topic, partition and offset; "
                                             f"got {', '.join(config.key_fields)}: name three, or none"))  # fmt: skip
    if not config.table:
        problems.append(Problem("table.name.format", "table.name.format is empty: name a table, or ${topic}"))
    if problems:
        raise ConfigError(problems)
    return config, Settings(
        connector=raw.get("name", "jdbc-sink"), insert=config.insert, keys=config.keys, key_fields=config.key_fields,
        deletes=config.deletes, truncates=config.deletes, create=config.create, evolve=config.evolve,
        table=config.table, dots=True, quoted=config.quoting == "ALWAYS", folded=False, include=config.include,
        hibernate=False, defaults=config.defaults, lenient=False, batch_size=max(config.batch_size, 1),
        zone=ZoneInfo(config.zone), timestamp_fields=config.timestamp_fields,
        timestamp_micros=1_000_000_000 if config.timestamp_precision == "NANOSECONDS" else 1_000_000,
        string_column=config.string_column, placeholder=config.placeholder, offsets_table=config.offsets_table,
        holdlock=config.holdlock,
    )  # fmt: skip
