"""What a JDBC source reads from its connector config: the keys of Confluent's, and three of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from cdc.config import Importance, Layout, Password, at_least, between, key
from cdc.dialect import ALWAYS, KNOWN_AS, NEVER
from cdc.java.regex import compile_java
from cdc.java.zones import Zone, zone_named
from cdc.jdbc.statements import BOTH, INCREMENTING, MODES, TIMESTAMP
from cdc.jdbc.types import GRANULARITIES, LOGICAL, NONE, NUMERIC_MAPPINGS, PRECISION_ONLY, Options

HIGH, LOW = Importance.HIGH, Importance.LOW
DATABASE, MODE, CONNECTOR = "Database", "Mode", "Connector"
ISOLATIONS: Final = ("DEFAULT", "READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE",
                     "SQL_SERVER_SNAPSHOT")  # fmt: skip
PROVIDER: Final = "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"
_NOT_IN_TOPICS: Final = re.compile(r"[^a-zA-Z0-9._-]")
_LONGEST_TOPIC: Final = 249


def _topic_prefix(value: str) -> str | None:
    if len(value) > _LONGEST_TOPIC:
        return "Topic prefix length must not exceed max topic name length, 249 chars"
    if _NOT_IN_TOPICS.search(value):
        return "Topic prefix must not contain any character other than ASCII alphanumerics, '.', '_' and '-'."
    return None


def _zone(value: str) -> str | None:
    return None if _found_zone(value) else "Invalid time zone identifier; expected one such as UTC or Europe/Berlin"


def _found_zone(value: str) -> Zone | None:
    return zone_named("UTC" if value in ("Z", "GMT") else value)


def _patterns(values: tuple[str, ...]) -> str | None:
    for value in values:
        try:
            compile_java(value)
        except re.error as error:
            return f"Invalid regular expression {value}: {error}"
    return None


def _mapping(form: str) -> Any:
    shape = re.compile(form)

    def check(values: tuple[str, ...]) -> str | None:
        for value in values:
            pattern, colon, columns = value.rpartition(":")
            if not colon or not pattern.strip() or not shape.fullmatch(columns.strip()):
                return f"{value!r} is no mapping; expected regex:{form_shown}"
            if wrong := _patterns((pattern.strip(),)):
                return wrong
        return None

    form_shown = "[column1|column2]" if "[" in form else "column"
    return check


@dataclass(frozen=True, kw_only=True)
class JdbcSourceConfig:
    """What a JDBC source reads from its connector config."""

    LAYOUT = Layout(group=CONNECTOR)

    url: str = key(
        "connection.url", default="", importance=HIGH, group=DATABASE, width="LONG", label="JDBC URL", needed=True,
        dependents=("table.whitelist", "table.blacklist"),
        doc="JDBC connection URL: jdbc:mysql://…, jdbc:mariadb://…, jdbc:postgresql://…, jdbc:sqlite:…, "
            "jdbc:oracle:thin:@…, jdbc:sqlserver://…, with its driver's parameters. Several hosts are tried in order.",
    )  # fmt: skip
    user: str | None = key("connection.user", default=None, importance=HIGH, group=DATABASE, width="LONG",
                           label="JDBC User", doc="JDBC connection user.")  # fmt: skip
    password: Password | None = key("connection.password", default=None, importance=HIGH, group=DATABASE,
                                    width="SHORT", label="JDBC Password", doc="JDBC connection password.")  # fmt: skip
    credentials_provider: str = key(
        "jdbc.credentials.provider.class", default=PROVIDER, type="CLASS", importance=LOW, group=DATABASE,
        values=(PROVIDER,), doc="Where user and password come from: this config. Config providers serve other places.",
    )  # fmt: skip
    attempts: int = key(
        "connection.attempts", default=3, importance=LOW, group=DATABASE, check=at_least(1),
        doc="Accepted as Confluent's source has it. A database that is away is tried until it answers.",
    )  # fmt: skip
    backoff_ms: int = key(
        "connection.backoff.ms", default=10_000, type="LONG", importance=LOW, group=DATABASE,
        doc="Accepted as Confluent's source has it; the worker's back-off is used.",
    )  # fmt: skip
    whitelist: tuple[str, ...] = key(
        "table.whitelist", default=(), group=DATABASE, width="LONG", label="Table Whitelist",
        doc="Tables to read, by bare or full name. Not together with `table.blacklist`.",
    )  # fmt: skip
    blacklist: tuple[str, ...] = key(
        "table.blacklist", default=(), group=DATABASE, width="LONG", label="Table Blacklist",
        doc="Tables not to read, by bare or full name. Not together with `table.whitelist`.",
    )  # fmt: skip
    include: tuple[str, ...] = key(
        "table.include.list", default=(), group=DATABASE, width="LONG", check=_patterns,
        doc="Java regular expressions that the full names of the tables to read match as a whole.",
    )  # fmt: skip
    exclude: tuple[str, ...] = key(
        "table.exclude.list", default=(), group=DATABASE, width="LONG", check=_patterns,
        doc="Java regular expressions; a table whose full name matches one is not read, though `table.include.list`, "
            "which must be set too, matches it.",
    )  # fmt: skip
    catalog_pattern: str | None = key(
        "catalog.pattern", default=None, group=DATABASE, width="SHORT",
        doc="SQL pattern (`%`, `_`) of the databases whose tables are read, where the server has several (MySQL, "
            "MariaDB). That of connection.url when not set.",
    )  # fmt: skip
    schema_pattern: str | None = key(
        "schema.pattern", default=None, importance=HIGH, group=DATABASE, width="SHORT",
        doc="SQL pattern (`%`, `_`) of the schemas whose tables are read. All but the database's own when not set; "
            "Oracle: the user's own.",
    )  # fmt: skip
    precision_mapping: bool = key(
        "numeric.precision.mapping", default=False, importance=LOW, group=DATABASE,
        doc="Deprecated: true is `numeric.mapping=precision_only`.",
    )  # fmt: skip
    numeric_mapping: str | None = key(
        "numeric.mapping", default=None, importance=LOW, group=DATABASE, values=NUMERIC_MAPPINGS,
        doc="What becomes of NUMERIC columns (PostgreSQL's numeric, Oracle's NUMBER; not DECIMAL, as MySQL has it). "
            "none: Connect's Decimal; precision_only: whole numbers by precision, where the scale is 0; best_fit: "
            "whole numbers, or doubles where there is a scale, up to 18 digits; best_fit_eager_double: doubles for "
            "any number of digits.",
    )  # fmt: skip
    dialect_name: str = key(
        "dialect.name", default="", importance=LOW, group=DATABASE, width="LONG", values=("", *KNOWN_AS),
        doc="The database's dialect; by connection.url when empty.",
    )  # fmt: skip
    calendar: str = key(
        "date.calendar.system", default="LEGACY", importance=LOW, group=DATABASE,
        values=("LEGACY", "PROLEPTIC_GREGORIAN"),
        doc="How days before 1582-10-15 are counted: as Java's old calendar does, by Julius Caesar's, or everybody's.",
    )  # fmt: skip

    mode: str = key(
        "mode", default="", importance=HIGH, group=MODE, values=("", *MODES), label="Table Loading Mode",
        dependents=("incrementing.column.name", "timestamp.column.name", "incrementing.column.mapping",
                    "timestamp.columns.mapping", "validate.non.null"),
        doc="bulk: the whole table each time; incrementing: rows whose number is higher than the last; timestamp: rows "
            "whose timestamp is later; timestamp+incrementing: rows whose timestamp is later, by number where it is "
            "the same.",
    )  # fmt: skip
    incrementing: str = key(
        "incrementing.column.name", default="", group=MODE, label="Incrementing Column Name",
        doc="The column whose numbers only grow. The table's auto-increment column when empty.",
    )  # fmt: skip
    timestamps: tuple[str, ...] = key(
        "timestamp.column.name", default=(), group=MODE, label="Timestamp Column Name",
        doc="One or more columns; the first that is not null is the row's timestamp.",
    )  # fmt: skip
    timestamps_mapping: tuple[str, ...] = key(
        "timestamp.columns.mapping", default=(), group=MODE, width="LONG", check=_mapping(r"\[[^\[\]]+\]"),
        doc="Timestamp columns by table: `regex1:[col1|col2],regex2:[col3]`; each full table name matches exactly one.",
    )  # fmt: skip
    incrementing_mapping: tuple[str, ...] = key(
        "incrementing.column.mapping", default=(), group=MODE, width="LONG", check=_mapping(r"[^:\[\]]+"),
        doc="Incrementing columns by table: `regex1:col1,regex2:col2`; each full table name matches exactly one.",
    )  # fmt: skip
    initial_ms: int | None = key(
        "timestamp.initial", default=None, type="LONG", importance=LOW, group=MODE,
        doc="Milliseconds since 1970 from which a table is read the first time; -1: from now; all rows when not set.",
    )  # fmt: skip
    validate_non_null: bool = key(
        "validate.non.null", default=True, importance=LOW, group=MODE,
        doc="Refuse an incrementing column, or timestamp columns all of which, may be null.",
    )  # fmt: skip
    query: str = key(
        "query", default="", group=MODE, width="SHORT",
        doc="A SELECT to read instead of tables, into the topic `topic.prefix`. In all modes but bulk it must allow a "
            "WHERE to be added.",
    )  # fmt: skip
    query_masked: Password | None = key("query.masked", default=None, group=MODE, width="SHORT",
                                        doc="As `query`, hidden wherever configs are shown.")  # fmt: skip
    quoting: str = key(
        "quote.sql.identifiers", default=ALWAYS, group=MODE, values=(ALWAYS, NEVER), label="Quote Identifiers",
        doc="Whether names of tables and columns are quoted in statements.",
    )  # fmt: skip
    suffix: str = key("query.suffix", default="", importance=LOW, group=MODE,
                      doc="Text added to the end of each SELECT.")  # fmt: skip
    isolation: str = key(
        "transaction.isolation.mode", default="DEFAULT", importance=LOW, group=MODE, values=ISOLATIONS,
        doc="Isolation level in which rows are read; DEFAULT is the database's.",
    )  # fmt: skip
    retries: int = key(
        "query.retry.attempts", default=-1, importance=LOW, group=MODE,
        doc="Accepted as Confluent's source has it. Outages, deadlocks and lost connections are retried without end; "
            "any other error of a statement stops the task.",
    )  # fmt: skip

    table_types: tuple[str, ...] = key(
        "table.types", default=("TABLE",), importance=LOW, label="Table Types",
        doc="Kinds of tables to read: TABLE, VIEW, and PostgreSQL's PARTITIONED TABLE and MATERIALIZED VIEW.",
    )  # fmt: skip
    poll_ms: int = key("poll.interval.ms", default=5000, importance=HIGH, width="SHORT", label="Poll Interval (ms)",
                       check=at_least(0), doc="Milliseconds between two looks at a table.")  # fmt: skip
    batch_rows: int = key("batch.max.rows", default=1000, importance=LOW, width="SHORT", check=at_least(1),
                          label="Max Rows Per Batch", doc="Most rows that are fetched at a time.")  # fmt: skip
    buffer: int = key(
        "max.buffer.size", default=0, importance=LOW, width="SHORT",
        doc="Accepted as Confluent's source has it; no more than one batch is held.",
    )  # fmt: skip
    linger_ms: int = key(
        "poll.linger.ms", default=5000, type="LONG", importance=LOW, width="SHORT",
        doc="Accepted as Confluent's source has it; rows go on as soon as they are fetched.",
    )  # fmt: skip
    startup_ms: int = key(
        "table.monitoring.startup.polling.limit.ms", default=10_000, type="LONG", importance=LOW, internal=True,
        doc="Accepted as Confluent's source has it; each task looks for its tables when it starts.",
    )  # fmt: skip
    table_poll_ms: int = key(
        "table.poll.interval.ms", default=60_000, type="LONG", importance=LOW, width="SHORT", check=at_least(100),
        doc="Milliseconds between two looks for new and dropped tables.",
    )  # fmt: skip
    topic_prefix: str = key(
        "topic.prefix", default="", importance=HIGH, check=_topic_prefix, label="Topic Prefix",
        doc="What stands before the bare table name in a topic's name; with a query, the topic's whole name.",
    )  # fmt: skip
    delay_ms: int = key(
        "timestamp.delay.interval.ms", default=0, type="LONG", importance=HIGH, label="Delay Interval (ms)",
        doc="Rows with a timestamp are read this many milliseconds late, so that transactions may end.",
    )  # fmt: skip
    timezone: str = key("db.timezone", default="UTC", check=_zone, label="DB time zone",
                        doc="Zone of the clocks that timestamps without a zone were read from.")  # fmt: skip
    granularity: str = key(
        "timestamp.granularity", default=LOGICAL, importance=LOW, values=GRANULARITIES,
        doc="Timestamps as Connect's Timestamp (milliseconds), or as micro- or nanoseconds in a long or a text.",
    )  # fmt: skip
    wait_for_open: bool = key(
        "tailrace.open.transactions.wait", default=True, importance=LOW,
        doc="Rows are read only when no transaction is open any more that may still commit rows before them, where "
            "the database tells: they cannot be missed. false: as Confluent's source, which misses them.",
    )  # fmt: skip
    delete_look_ms: int = key(
        "tailrace.delete.detection.interval.ms", default=0, type="LONG", importance=LOW, check=at_least(0),
        doc="Milliseconds between two looks at all primary keys of a table; for each that is gone since a tombstone is "
            "written, its key a struct of the primary key. 0: deleted rows are not noticed.",
    )  # fmt: skip
    sessions: int = key(
        "tailrace.snapshot.sessions", default=1, importance=LOW, check=between(1, 64),
        doc="Connections that read a table at once when it is read whole: the first time, and in the mode bulk each "
            "time. Each reads ranges of the incrementing column, or of a primary key of one whole number, in its "
            "order. 1: in one go, in the order of the mode.",
    )  # fmt: skip
    task_count: int = key("tailrace.tasks", default=1, importance=LOW, internal=True,
                          doc="How many tasks share the tables; set by the connector itself.")  # fmt: skip
    task_number: int = key("tailrace.task", default=0, importance=LOW, internal=True,
                           doc="Which of them this one is; set by the connector itself.")  # fmt: skip

    @property
    def text(self) -> str:
        """The query; empty when tables are read."""
        return (self.query_masked.reveal() if self.query_masked else self.query).strip()

    @property
    def by_number(self) -> bool:
        return self.mode in (INCREMENTING, BOTH)

    @property
    def by_time(self) -> bool:
        return self.mode in (TIMESTAMP, BOTH)

    def zone(self) -> Zone | None:
        """None for UTC."""
        return None if self.timezone.upper() in ("UTC", "Z", "GMT", "ETC/UTC") else _found_zone(self.timezone)

    def options(self) -> Options:
        numeric = self.numeric_mapping or (PRECISION_ONLY if self.precision_mapping else NONE)
        return Options(numeric, self.granularity, self.zone(), self.calendar == "LEGACY")
