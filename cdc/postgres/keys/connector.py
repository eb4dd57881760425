"""Keys of the group of the connector, beyond what every source declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, java_regexes, not_negative, positive

_LOW = Importance.LOW
_connector = partial(declared, group="Connector")
_unlisted = partial(declared, group="Advanced", internal=True)


def _placeholder(value: str) -> str | None:
    if not value.startswith("hex:") or re.fullmatch(r"hex:(?:[0-9A-Fa-f]{2})*", value):
        return None
    return f"{value} has an odd number of hexadecimal digits, or other characters after hex:"


@dataclass(frozen=True, kw_only=True)
class PostgresConnectorKeys:
    """Snapshots, types, and logical messages."""

    time_precision: str = _connector(
        "time.precision.mode", default="adaptive",
        values=["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"],
        doc="Unit and schema of dates and times.",
    )  # fmt: skip
    lock_timeout_ms: int = _connector("snapshot.lock.timeout.ms", default=10000, type="LONG", check=not_negative,
                                      doc="Most milliseconds a snapshot waits for its locks.")  # fmt: skip
    snapshot_mode: str = _connector(
        "snapshot.mode", default="initial",
        values=["always", "never", "initial_only", "configuration_based", "when_needed", "initial", "custom",
                "no_data"],
        old_values={"exported": "initial"},
        doc="When to read the tables before the WAL.",
    )  # fmt: skip
    isolation: str = _connector(
        "snapshot.isolation.mode", default="serializable", importance=_LOW,
        values=["read_uncommitted", "repeatable_read", "serializable", "read_committed"],
        doc="Isolation of the transactions that read a snapshot.",
    )  # fmt: skip
    snapshot_query_mode: str = _connector("snapshot.query.mode", default="select_all", importance=_LOW,
                                          values=["custom", "select_all"],
                                          doc="How a snapshot selects rows.")  # fmt: skip
    snapshot_query_custom: str | None = _connector("snapshot.query.mode.custom.name", default=None,
                                                   doc="Java class of snapshot.query.mode=custom.")  # fmt: skip
    locking_custom: str | None = _connector("snapshot.locking.mode.custom.name", default=None,
                                           doc="Java class of snapshot.locking.mode=custom.")  # fmt: skip
    locking_mode: str = _connector(
        "snapshot.locking.mode", default="none", importance=_LOW, values=["shared", "none", "custom"],
        doc="Whether a snapshot locks the tables against changes of their definition while it reads them.",
    )  # fmt: skip
    hstore_mode: str = _connector("hstore.handling.mode", default="json", importance=_LOW, values=["json", "map"],
                                  doc="HSTORE as JSON text or as a map.")  # fmt: skip
    binary_mode: str = _connector("binary.handling.mode", default="bytes", importance=_LOW,
                                 values=["bytes", "base64", "base64-url-safe", "hex"],
                                 doc="BINARY and BLOB as bytes or as text.")  # fmt: skip
    schema_names: str = _connector("schema.name.adjustment.mode", default="none", importance=_LOW,
                                   values=["none", "avro_unicode", "avro"],
                                   doc="Make schema names legal for Avro.")  # fmt: skip
    interval_mode: str = _connector("interval.handling.mode", default="numeric", importance=_LOW,
                                    values=["string", "numeric"],
                                    doc="INTERVAL as microseconds or as ISO 8601 text.")  # fmt: skip
    refresh_mode: str = _connector(
        "schema.refresh.mode", default="columns_diff", values=["columns_diff_exclude_unchanged_toast", "columns_diff"],
        doc="Accepted; the server announces every change of a table before its rows.",
    )  # fmt: skip
    incremental_chunk: int = _connector("incremental.snapshot.chunk.size", default=1024, check=positive,
                                        doc="Rows of one chunk of an incremental snapshot.")  # fmt: skip
    unavailable_placeholder: str = _connector("unavailable.value.placeholder", default="__debezium_unavailable_value",
                                             check=_placeholder,
                                             doc="Stands for a value the WAL lacks; `hex:` and bytes too.")  # fmt: skip
    prefix_include: tuple[str, ...] | None = _connector(
        "message.prefix.include.list", default=None, check=java_regexes,
        doc="Regular expressions of the prefixes of logical messages to capture.",
    )  # fmt: skip
    prefix_exclude: tuple[str, ...] | None = _connector(
        "message.prefix.exclude.list", default=None, check=java_regexes,
        doc="Regular expressions of the prefixes of logical messages to leave out.",
    )  # fmt: skip
    via_root: bool = _connector("publish.via.partition.root", default=False,
                                doc="Create the publication so that partitions' rows are their root's.")  # fmt: skip
    snapshot_pages: int = _unlisted(
        "tailrace.snapshot.part.pages", default=1024, check=positive, importance=_LOW,
        doc="Pages (8 kB) of the parts that a snapshot reads a table in: one that was stopped goes on behind the last "
            "whole part.",
    )  # fmt: skip
