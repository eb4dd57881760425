"""Event bytes of a MySQL binary log -> frozen event objects. No I/O.

Source: MySQL's source documentation, "Binary Log Event", `libs/mysql/binlog/event/*.h`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import IO, Any, Final, NamedTuple, Protocol, cast

import zstandard

from cdc.errors import DecodeError
from cdc.mysql import table_map
from cdc.mysql.charset import charset
from cdc.mysql.event_bytes import EventBytes
from cdc.mysql.table_map import TableMap as TableMap
from cdc.spool import pieces


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
        sql_mode: the client's, as bits; 0 when the event does not say.
    """

    thread_id: int
    database: str
    sql: str
    charset: int | None = None
    error_code: int = 0
    sql_mode: int = 0


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """The text of the statement whose rows follow (`binlog_rows_query_log_events=ON`)."""

    sql: str


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
    """A compressed transaction: `body[start:end]`, which gives `size` bytes.

    Attributes:
        compression: 0 is zstd, 255 none.
    """

    compression: int
    size: int
    body: bytes = field(repr=False)
    start: int
    end: int

    def events(self) -> Iterator[bytes]:
        """Its events, each without a checksum; taken out one after the other, for together they may be large.

        Raises: DecodeError: what was compressed is damaged.
        """
        source: _Readable = _Pieces(pieces(self.body, self.start, self.end))
        if self.compression == 0:
            source = zstandard.ZstdDecompressor().stream_reader(
                cast(IO[bytes], source), read_across_frames=True, closefd=False
            )
        left = self.size
        try:
            while head := source.read(HEADER_SIZE):
                size = int.from_bytes(head[9:13], "little")
                if not HEADER_SIZE <= size <= left:
                    raise DecodeError(f"an event of {size} bytes where a compressed transaction has {left} left")
                event = head + source.read(size - HEADER_SIZE)
                if len(event) != size:
                    raise DecodeError(f"a compressed transaction ends in the middle of an event of {size} bytes")
                left -= size
                yield event
        except zstandard.ZstdError as error:
            raise DecodeError(f"a compressed transaction cannot be decompressed: {error}") from error
        if left:
            raise DecodeError(f"a compressed transaction holds {left} of its {self.size} bytes too few")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Pieces:
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[memoryview]) -> None:
        self._pieces, self._here, self._at = pieces, b"", 0

    def read(self, size: int, /) -> bytes:
        while len(self._here) - self._at < size and (piece := next(self._pieces, None)) is not None:
            self._here, self._at = self._here[self._at :] + piece, 0
        start, self._at = self._at, min(self._at + size, len(self._here))
        return self._here[start : self._at]


QUERY: Final = 2
ROTATE: Final = 4
FORMAT_DESCRIPTION: Final = 15
XID: Final = 16
TABLE_MAP: Final = 19
HEARTBEAT: Final = 27
GTID: Final = 33
ANONYMOUS_GTID: Final = 34
TRANSACTION_PAYLOAD: Final = 40
HEARTBEAT_V2: Final = 41
GTID_TAGGED: Final = 42
INCIDENT: Final = 26
ROWS_QUERY: Final = 29
PREVIOUS_GTIDS: Final = 35
XA_PREPARE: Final = 38
ROWS: Final = {
    23: Kind.WRITE, 24: Kind.UPDATE, 25: Kind.DELETE, 30: Kind.WRITE, 31: Kind.UPDATE, 32: Kind.DELETE,
    39: Kind.PARTIAL_UPDATE,
}  # fmt: skip
"""The numbers of event types; those of rows events with what they do."""
HEADER_SIZE: Final = 19
CHECKSUM_SIZE: Final = 4
ARTIFICIAL: Final = 0x20
"""Flag of an event that the server made up for the stream and that stands in no file."""

Event = (
    Unknown | Rotate | FormatDescription | Gtid | PreviousGtids | Query | RowsQuery | TableMap | Rows | Xid | XaPrepare
    | Heartbeat | TransactionPayload
)  # fmt: skip

HEADER: Final = struct.Struct("<IBIIIH")
"""The layout of `Header`."""
INTACT: Final = 0x2144DF1C
"""The CRC-32 of anything that ends in its own CRC-32."""


def header(event: bytes) -> Header:
    """Raises: DecodeError: fewer bytes than a header has, or than the header says."""
    if len(event) < HEADER_SIZE:
        raise DecodeError(wrong_size(event))
    head = Header._make(HEADER.unpack_from(event))
    if head.size != len(event):
        raise DecodeError(wrong_size(event))
    return head


def checksum_of(event: bytes) -> int:
    """The CRC-32 of an event, which may be a spooled one; INTACT when it ends in its own."""
    found = 0
    for piece in pieces(event):
        found = zlib.crc32(piece, found)
    return found


def wrong_size(event: bytes) -> str:
    """What is to be said of an event that has not the bytes it should have."""
    if len(event) < HEADER_SIZE:
        return f"a binary log event of {len(event)} bytes has no room for its header of {HEADER_SIZE}"
    return f"a binary log event says it has {HEADER.unpack_from(event)[3]} bytes but {len(event)} came"


def decode(event: bytes, *, checksum: bool) -> tuple[Header, Event]:
    """One event as the server sends it (without the packet's leading OK byte).

    Args:
        checksum: the event ends in a CRC-32, which is checked; as the last FormatDescription said. A
            FormatDescription ends in one always.
    Raises: DecodeError: the bytes are not what the protocol says.
    """
    head = header(event)
    decoder = _DECODERS.get(head.type)
    if decoder is None:
        return head, Unknown()
    end = len(event)
    if checksum and head.type != FORMAT_DESCRIPTION:
        end -= CHECKSUM_SIZE
        if checksum_of(event) != INTACT:
            raise DecodeError(f"the binary log event that ends at {head.next_position} has a wrong checksum")
    try:
        return head, decoder(EventBytes(event, HEADER_SIZE, end), head)
    except (IndexError, ValueError, struct.error) as error:
        raise DecodeError(f"an event of type {head.type} that ends at {head.next_position}: {error}") from error


def _rotate(raw: EventBytes, head: Header) -> Event:
    position = raw.number(8)
    return Rotate(raw.rest().decode(), position, bool(head.flags & ARTIFICIAL) or head.timestamp == 0)


def _format_description(raw: EventBytes, head: Header) -> Event:
    if raw.number(2) != 4:
        raise ValueError("not binary log version 4; the server is older than MySQL 5.0")
    version = raw.take(50).rstrip(b"\0").decode("ascii", "replace")
    raw.take(5)
    algorithm = raw.rest()[-1 - CHECKSUM_SIZE]
    return FormatDescription(version, checksum=algorithm == 1)


@lru_cache(maxsize=1024)
def uuid_text(raw: bytes) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _gtid(raw: EventBytes, head: Header) -> Event:
    raw.take(1)
    uuid, number = uuid_text(raw.take(16)), raw.number(8)
    gtid = f"{uuid}:{number}" if head.type == GTID else None
    immediate = original = 0
    if raw and raw.number(1) == 2:
        raw.take(16)
        if raw:  # MySQL 8.0.1 and later
            immediate = original = raw.number(7)
            if immediate >> 55:
                immediate, original = immediate & ~(1 << 55), raw.number(7)
    return Gtid(gtid, original, immediate)


_TAGGED_FIELDS: Final = 12


def _gtid_tagged(raw: EventBytes, head: Header) -> Event:
    """Numbered fields, absent ones left out; those this does not know end the reading."""
    raw.varlen(), raw.varlen(), raw.varlen()
    values: dict[int, Any] = {}
    while raw:
        number = raw.varlen()
        if number >= _TAGGED_FIELDS:
            break
        if number == 0:
            values[number] = raw.take(1)
        elif number == 1:
            values[number] = bytes(raw.varlen() for _ in range(16))
        elif number == 3:
            values[number] = raw.take(raw.varlen()).decode("ascii")
        else:
            values[number] = raw.varlen(signed=number in (2, 4, 5))
    if 1 not in values or 2 not in values:
        raise ValueError("a GTID event without UUID or number")
    immediate = values.get(6, 0)
    tag = f":{values[3]}" if values.get(3) else ""
    return Gtid(f"{uuid_text(values[1])}{tag}:{values[2]}", values.get(7, immediate), immediate)


def _previous_gtids(raw: EventBytes, head: Header) -> Event:
    count = raw.take(8)
    tagged = count[7] == 1
    members = []
    for _ in range(int.from_bytes(count[1:7] if tagged else count, "little")):
        uuid = uuid_text(raw.take(16))
        tag = raw.take(raw.varlen()).decode("ascii") if tagged else ""
        intervals = []
        for _ in range(raw.number(8)):
            first, end = raw.number(8), raw.number(8)
            intervals.append(f":{first}-{end - 1}")
        members.append(uuid + (f":{tag}" if tag else "") + "".join(intervals))
    return PreviousGtids(",".join(members))


_FIXED_STATUS: Final = {
    0: 4, 1: 8, 3: 4, 7: 2, 8: 2, 9: 8, 10: 4, 13: 3, 14: 8, 15: 8, 16: 1, 17: 8, 18: 2, 19: 1, 20: 1, 128: 3, 129: 8,
    130: 1,
}  # fmt: skip
"""Status variable -> size of its value. Those with a size of their own are in `_client`."""


def _client(raw: EventBytes) -> tuple[int | None, int]:
    """The client's collation id and sql_mode among a Query's status variables.

    What follows an unknown variable cannot be read.
    """
    sql_mode = 0
    while raw:
        match raw.number(1):
            case 1:
                sql_mode = raw.number(8)
            case 4:
                return raw.number(2), sql_mode
            case 2:
                raw.take(raw.number(1) + 1)
            case 5 | 6:
                raw.take(raw.number(1))
            case 11:
                raw.take(raw.number(1))
                raw.take(raw.number(1))
            case 12:
                names = raw.number(1)
                for _ in range(names if names != 254 else 0):
                    raw.take(raw.raw.index(b"\0", raw.at, raw.end) + 1 - raw.at)
            case code if code in _FIXED_STATUS:
                raw.take(_FIXED_STATUS[code])
            case _:
                break
    return None, sql_mode


def _query(raw: EventBytes, head: Header) -> Event:
    thread, _, database_size, error, status_size = struct.unpack("<IIBHH", raw.take(13))
    collation, sql_mode = _client(raw.part(status_size))
    database = raw.take(database_size + 1)[:-1].decode("utf-8", "replace")
    sql = raw.rest()
    codec = "utf_8" if collation is None else charset(collation)[1]
    return Query(thread, database, sql.decode(codec, "replace"), collation, error, sql_mode)


def _rows_query(raw: EventBytes, head: Header) -> Event:
    raw.take(1)
    return RowsQuery(raw.rest().decode("utf-8", "replace"))


def _rows(raw: EventBytes, head: Header) -> Event:
    kind = ROWS[head.type]
    table_id, flags = raw.number(6), raw.number(2)
    if head.type >= 30:
        extra = raw.number(2)
        if extra < 2:
            raise ValueError(f"{extra} bytes of extra row information")
        raw.take(extra - 2)
    width = raw.packed()
    size = (width + 7) // 8
    before = raw.take(size) if kind is not Kind.WRITE else None
    after = raw.take(size) if kind is not Kind.DELETE else None
    return Rows(kind, table_id, width, before, after, raw.raw, raw.at, raw.end, bool(flags & 1))


def _xid(raw: EventBytes, head: Header) -> Event:
    return Xid(raw.number(8))


def _xa_prepare(raw: EventBytes, head: Header) -> Event:
    return XaPrepare(bool(raw.number(1)))


def _heartbeat(raw: EventBytes, head: Header) -> Event:
    return Heartbeat(raw.rest().decode(), head.next_position)


def _fields(raw: EventBytes) -> Iterator[tuple[int, EventBytes]]:
    """Type, length, value, until the type 0."""
    while raw and (kind := raw.packed()):
        yield kind, raw.part(raw.packed())


def _heartbeat_v2(raw: EventBytes, head: Header) -> Event:
    file, position = "", head.next_position
    for kind, value in _fields(raw):
        if kind == 1:
            file = value.rest().decode()
        elif kind == 2:
            position = value.packed()
    return Heartbeat(file, position)


def _transaction_payload(raw: EventBytes, head: Header) -> Event:
    sizes = {kind: value.packed() for kind, value in _fields(raw)}
    size, compression = sizes.get(1, raw.end - raw.at), sizes.get(2, 255)
    if compression not in (0, 255):
        raise ValueError(f"a transaction compressed by the unknown algorithm {compression}")
    if raw.at + size > raw.end:
        raise ValueError(f"{size} compressed bytes where {raw.end - raw.at} are left")
    whole = size if compression == 255 else sizes.get(3, 0)
    return TransactionPayload(compression, whole, raw.raw, raw.at, raw.at + size)


_DECODERS: Final[dict[int, Callable[[EventBytes, Header], Event]]] = {
    QUERY: _query,
    ROTATE: _rotate,
    FORMAT_DESCRIPTION: _format_description,
    XID: _xid,
    TABLE_MAP: lambda raw, head: table_map.read(raw),
    HEARTBEAT: _heartbeat,
    ROWS_QUERY: _rows_query,
    GTID: _gtid,
    ANONYMOUS_GTID: _gtid,
    PREVIOUS_GTIDS: _previous_gtids,
    XA_PREPARE: _xa_prepare,
    TRANSACTION_PAYLOAD: _transaction_payload,
    HEARTBEAT_V2: _heartbeat_v2,
    GTID_TAGGED: _gtid_tagged,
    **dict.fromkeys(ROWS, _rows),
}
