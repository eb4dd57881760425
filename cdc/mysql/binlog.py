"""Event bytes of a MySQL binary log -> frozen event objects. No I/O.

Source: MySQL's source documentation, "Binary Log Event", `libs/mysql/binlog/event/*.h`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Header(NamedTuple):
    """What every event begins with.

    Attributes:
        timestamp: seconds since 1970, of the statement's start.
        size: bytes of the event as the log holds it, header and checksum included.
        next_position: where the next event starts in the file, 32 bits; 0 in events made for the stream.
    """

    timestamp: int
    type: int
    server_id: int
    size: int
    next_position: int
    flags: int


class Kind(Enum):
    """What a rows event does."""

    WRITE = "write"
    UPDATE = "update"
    DELETE = "delete"
    PARTIAL_UPDATE = "partial update"


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that means nothing to a reader of rows; to be skipped."""


@dataclass(frozen=True, slots=True)
class Rotate:
    """The log goes on in `file` at `position`. `artificial` ones are sent on connect and stand in no file."""

    file: str
    position: int
    artificial: bool = False


@dataclass(frozen=True, slots=True)
class FormatDescription:
    """How the events that follow are laid out; `checksum` tells whether each ends in a CRC-32."""

    server_version: str
    checksum: bool
    header_lengths: bytes = b""


@dataclass(frozen=True, slots=True)
class Gtid:
    """A transaction or a DDL statement begins. `gtid` is None for an anonymous one.

    Attributes:
        gtid: `uuid:number`, with a tag `uuid:tag:number`, lower case.
        original_commit_timestamp: microseconds since 1970 on the server where it was made; 0 before MySQL 8.0.1.
        immediate_commit_timestamp: the same on the server that sent it.
    """

    gtid: str | None
    original_commit_timestamp: int = 0
    immediate_commit_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class PreviousGtids:
    """The transactions in earlier files, as MySQL's text."""

    gtids: str


@dataclass(frozen=True, slots=True)
class Query:
    """A statement: `BEGIN`, `COMMIT`, DDL; DML only under statement-based logging.

    Attributes:
        charset: collation id of the client; None when the event does not say.
    """

    thread_id: int
    database: str
    sql: str
    charset: int | None = None
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """The text of the statement whose rows follow (`binlog_rows_query_log_events=ON`)."""

    sql: str


@dataclass(frozen=True, slots=True)
class TableMap:
    """Which table a number stands for in the rows events that follow, and its columns as the server stores them.

    Attributes:
        column_types: one byte a column, `MYSQL_TYPE_*`.
        metas: one number a column: VARCHAR and VAR_STRING the greatest length in bytes; STRING (also of ENUM and SET)
            real type * 256 + length byte; NEWDECIMAL precision * 256 + scale; BIT full bytes * 256 + odd bits;
            BLOB, JSON, GEOMETRY, VECTOR the bytes of the length; FLOAT, DOUBLE their size; TIME2, DATETIME2,
            TIMESTAMP2 the digits of fraction; 0 otherwise.
        nullable: one flag a column.

    Optional metadata (`binlog_row_metadata`), None when the server did not send it:
        unsigned: one flag a column, False for those that are no numbers.
        collations: one collation id a column, None for those that hold no text.
        names: column names (FULL).
        set_values, enum_values: column number -> members, as bytes in the column's character set (FULL).
        geometry_types: column number -> geometry type (FULL).
        primary_key: pairs (column number, prefix length or 0), in key order (FULL).
        visible: one flag a column (FULL).
        dimensions: column number -> length of a VECTOR.
    """

    table_id: int
    database: str
    table: str
    column_types: bytes
    metas: tuple[int, ...]
    nullable: tuple[bool, ...]
    unsigned: tuple[bool, ...] | None = None
    collations: tuple[int | None, ...] | None = None
    names: tuple[str, ...] | None = None
    set_values: dict[int, tuple[bytes, ...]] | None = field(default=None, hash=False)
    enum_values: dict[int, tuple[bytes, ...]] | None = field(default=None, hash=False)
    geometry_types: dict[int, int] | None = field(default=None, hash=False)
    primary_key: tuple[tuple[int, int], ...] | None = None
    visible: tuple[bool, ...] | None = None
    dimensions: dict[int, int] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table, not yet decoded.

    Attributes:
        width: number of columns of the table when the event was written.
        before_present, after_present: bitmap of the columns that stand in a row image, lowest bit first; each is
            None for the image the kind has not.
        body: the whole event; the rows are `body[start:end]`.
        last_of_statement: the table numbers of this statement mean nothing after it.
    """

    kind: Kind
    table_id: int
    width: int
    before_present: bytes | None
    after_present: bytes | None
    body: bytes
    start: int
    end: int
    last_of_statement: bool = False


@dataclass(frozen=True, slots=True)
class Xid:
    """The transaction is committed."""

    xid: int


@dataclass(frozen=True, slots=True)
class XaPrepare:
    """An XA transaction is prepared, or committed when `one_phase`."""

    one_phase: bool


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new: the log stands at `position` of `file`."""

    file: str
    position: int


@dataclass(frozen=True, slots=True)
class TransactionPayload:
    """A compressed transaction; `events` are its events, each without a checksum."""

    events: tuple[bytes, ...] = field(repr=False)


Event = (
    Unknown | Rotate | FormatDescription | Gtid | PreviousGtids | Query | RowsQuery | TableMap | Rows | Xid | XaPrepare
    | Heartbeat | TransactionPayload
)  # fmt: skip
