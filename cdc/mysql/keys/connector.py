"""Keys of the group of the connector, beyond what every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.connector import QueueKeys
from cdc.keys.declare import declared, not_negative, operations, positive

_LOW = Importance.LOW
_connector = partial(declared, group="Connector")


def _time_precision(value: str) -> str | None:
    if value != "adaptive":
        return None
    return "The 'adaptive' time.precision.mode is no longer supported; use adaptive_time_microseconds"


@dataclass(frozen=True, kw_only=True)
class MySqlQueueKeys(QueueKeys):
    """`skipped.operations` stands among these in Debezium's order."""

    skipped_operations: tuple[str, ...] = _connector(
        "skipped.operations", default=("t",), importance=_LOW, check=operations,
        doc="Operations to leave out: c, u, d, t (truncate), or none.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MySqlConnectorKeys:
    """The binlog connection, snapshots and types."""

    lock_timeout_ms: int = _connector("snapshot.lock.timeout.ms", default=10000, type="LONG", check=not_negative,
                                      doc="Most milliseconds a snapshot waits for its locks.")  # fmt: skip
    connect_timeout_ms: int = _connector("connect.timeout.ms", default=30000, check=not_negative,
                                         doc="Most milliseconds to wait for a connection.")  # fmt: skip
    keep_alive: bool = _connector("connect.keep.alive", default=True, importance=_LOW,
                                  doc="Notice a binlog connection that died silently, and connect again.")  # fmt: skip
    keep_alive_ms: int = _connector("connect.keep.alive.interval.ms", default=60000, type="LONG", check=positive,
                                    importance=_LOW, doc="Milliseconds between such checks.")  # fmt: skip
    nongraceful_disconnect: bool = _connector("use.nongraceful.disconnect", default=False,
                                              doc="Accepted; disconnecting never waits.")  # fmt: skip
    net_write_timeout_s: int = _connector("binlog.net.write.timeout", default=0, type="LONG", check=not_negative,
                                          doc="Seconds, for the binlog session; 0 keeps the server's.")  # fmt: skip
    net_read_timeout_s: int = _connector("binlog.net.read.timeout", default=0, type="LONG", check=not_negative,
                                         doc="Seconds, for the binlog session; 0 keeps the server's.")  # fmt: skip
    snapshot_mode: str = _connector(
        "snapshot.mode", default="initial", importance=_LOW,
        values=["always", "never", "initial_only", "configuration_based", "when_needed", "initial", "custom",
                "no_data", "recovery"],
        old_values={"schema_only": "no_data", "schema_only_recovery": "recovery"},
        doc="When to read the tables before the binlog.",
    )  # fmt: skip
    snapshot_query_mode: str = _connector("snapshot.query.mode", default="select_all", importance=_LOW,
                                          values=["custom", "select_all"],
                                          doc="How a snapshot selects rows.")  # fmt: skip
    snapshot_query_custom: str | None = _connector("snapshot.query.mode.custom.name", default=None,
                                                   doc="Java class of snapshot.query.mode=custom.")  # fmt: skip
    bigint_unsigned: str = _connector("bigint.unsigned.handling.mode", default="long", values=["precise", "long"],
                                      doc="BIGINT UNSIGNED as int64 (may overflow) or Decimal.")  # fmt: skip
    time_precision: str = _connector(
        "time.precision.mode", default="adaptive_time_microseconds", check=_time_precision,
        values=["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"],
        doc="Unit and schema of dates and times.",
    )  # fmt: skip
    adjust_years: bool = _connector("enable.time.adjuster", default=True, importance=_LOW,
                                    doc="Years 0-69 are 2000-2069, 70-99 are 1970-1999, as MySQL has it.")  # fmt: skip
    schema_names: str = _connector("schema.name.adjustment.mode", default="none", importance=_LOW,
                                   values=["none", "avro_unicode", "avro"],
                                   doc="Make schema names legal for Avro.")  # fmt: skip
    min_rows_to_stream: int = _connector("min.row.count.to.stream.results", default=1000, check=not_negative,
                                         importance=_LOW, doc="Accepted; results are always streamed.")  # fmt: skip
    incremental_chunk: int = _connector("incremental.snapshot.chunk.size", default=1024, check=positive,
                                        doc="Rows of one chunk of an incremental snapshot.")  # fmt: skip
    incremental_ddl: bool = _connector("incremental.snapshot.allow.schema.changes", default=False, importance=_LOW,
                                       doc="Allow DDL while an incremental snapshot runs.")  # fmt: skip
    locking_mode: str = _connector(
        "snapshot.locking.mode", default="minimal", importance=_LOW,
        values=["minimal", "minimal_percona", "custom", "none", "minimal_percona_no_table_locks", "extended"],
        doc="How long a snapshot keeps writers out: milliseconds (minimal), its whole time (extended), not at all.",
    )  # fmt: skip
