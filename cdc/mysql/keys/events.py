"""Keys of the group of events, beyond what every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import FAILURE_MODES, declared, java_regexes, not_negative
from cdc.keys.events import TableKeys

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_events = partial(declared, group="Events")


@dataclass(frozen=True, kw_only=True)
class MySqlTableKeys(TableKeys):
    """`include.schema.changes` stands among these in Debezium's order."""

    schema_changes: bool = _events("include.schema.changes", default=True,
                                   doc="Write DDL to the topic named by topic.prefix.")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MySqlEventKeys:
    """Databases, the binlog, and GTIDs."""

    include_query: bool = _events("include.query", default=False,
                                  doc="Put the SQL into source.query (binlog_rows_query_log_events=ON).")  # fmt: skip
    ignore_builtin: bool = _events("table.ignore.builtin", default=True, importance=_LOW,
                                   dependents=["database.include.list"],
                                   doc="Leave out mysql, performance_schema, sys and information_schema.")  # fmt: skip
    database_include: tuple[str, ...] | None = _events(
        "database.include.list", default=None, check=java_regexes, importance=_HIGH, aliases=["database.whitelist"],
        dependents=["table.include.list"], doc="Regular expressions of databases to capture.",
    )  # fmt: skip
    database_exclude: tuple[str, ...] | None = _events(
        "database.exclude.list", default=None, check=java_regexes, aliases=["database.blacklist"],
        doc="Regular expressions of databases to leave out.",
    )  # fmt: skip
    binlog_buffer: int = _events("binlog.buffer.size", default=0, check=not_negative,
                                 doc="Accepted; ROW format holds committed transactions only.")  # fmt: skip
    decode_failure_mode: str = _events(
        "event.deserialization.failure.handling.mode", default="fail", values=FAILURE_MODES,
        doc="What to do with binlog bytes that cannot be decoded.",
    )  # fmt: skip
    inconsistent_mode: str = _events("inconsistent.schema.handling.mode", default="fail", values=FAILURE_MODES,
                                     doc="What to do with rows of a table that is not known.")  # fmt: skip
    gtid_filter: bool = _events("gtid.source.filter.dml.events", default=True,
                                doc="Leave out rows of servers that the two lists leave out.")  # fmt: skip
    gtid_includes: tuple[str, ...] | None = _events(
        "gtid.source.includes", default=None, check=java_regexes, importance=_HIGH, dependents=["table.include.list"],
        doc="Regular expressions of server UUIDs whose GTIDs count.",
    )  # fmt: skip
    gtid_excludes: str | None = _events("gtid.source.excludes", default=None,
                                        doc="Regular expressions of server UUIDs to leave out.")  # fmt: skip
    source_maker: str = _events(
        "sourceinfo.struct.maker", default="io.debezium.connector.mysql.MySqlSourceInfoStructMaker", type="CLASS",
        importance=_LOW, doc="Java class that makes the source block.",
    )  # fmt: skip
